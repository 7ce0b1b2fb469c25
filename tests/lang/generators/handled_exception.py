import sys
def g():
    try:
        yield 0
    except ValueError:
        yield 1
        print('after', repr(sys.exception()))
        raise
it=g(); next(it)
try: raise ValueError('v')
except ValueError as e: it.throw(e)
try: next(it)
except BaseException as e: print(repr(e))


# Exceptions that are handled while a generator sleeps are its resumer's business.
def sleeper():
    try:
        raise ValueError('own')
    except ValueError:
        yield
        print('own again:', repr(sys.exception()))
        try:
            yield
        finally:
            print('at the end:', repr(sys.exception()))


it = sleeper()
next(it)
print('outside:', sys.exception())
try:
    1 / 0
except ZeroDivisionError:
    next(it)
    print('outside:', repr(sys.exception()))
    try:
        it.throw(TypeError('thrown'))
    except TypeError as e:
        print(repr(e.__context__), repr(e.__context__.__context__))
    print('outside:', repr(sys.exception()))
