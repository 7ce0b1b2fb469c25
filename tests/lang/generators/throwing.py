import sys
import traceback
import warnings

warnings.simplefilter("always")
warnings.showwarning = lambda message, category, *rest: print(category.__name__, message)


def depth():
    return len(traceback.extract_stack())


def inner():
    try:
        yield depth()
    except ZeroDivisionError:
        yield depth()


def middle():
    return (yield from inner())


def outer():
    return (yield from middle())


# The frames of the whole chain are on the stack while an exception is thrown into its end.
gen = outer()
print(next(gen) == gen.throw(ZeroDivisionError))
gen.close()


# What the delegating generator handles is the context.
def delegating():
    try:
        raise KeyError("a")
    except Exception:
        yield from inner()


gen = delegating()
next(gen)
try:
    gen.throw(ValueError)
except ValueError as e:
    print(repr(e.__context__))


# The same exception may be handled inside and outside.
def keeps():
    try:
        yield
    except Exception:
        print(repr(sys.exception()))
        yield
        print(repr(sys.exception()))
        yield
        raise


gen = keeps()
next(gen)
try:
    raise ValueError("v")
except ValueError as e:
    gen.throw(e)
next(gen)
try:
    next(gen)
except ValueError as e:
    print(repr(e), e.__context__)


def catches():
    while True:
        try:
            yield
        except Exception as e:
            print("caught", repr(e))


class Odd(Exception):
    def __new__(cls, *args):
        return cls


gen = catches()
next(gen)
gen.throw(ValueError, TypeError(1))
gen.throw(LookupError, KeyError(2))
gen.throw(ValueError, (1, 2))
gen.throw(Odd)


async def agen():
    yield 1


for method, arguments in (("asend", (None,)), ("athrow", (ValueError,)), ("aclose", ())):
    getattr(agen(), method)(*arguments)


async def coroutine():
    pass


coroutine()
coroutine().cr_frame.clear()
sys.set_coroutine_origin_tracking_depth(1)


def make():
    return coroutine()


c = make()
sys.set_coroutine_origin_tracking_depth(0)
((file, line, name),) = c.cr_origin
print(line - make.__code__.co_firstlineno, name)
c.close()


class Anext:
    def __aiter__(self):
        return self

    def __anext__(self):
        return self

    def __await__(self):
        1 / 0


class Manager:
    def __init__(self, enter):
        self.enter = enter

    def __aenter__(self):
        return self.enter

    def __aexit__(self, *args):
        return 456


async def ready():
    pass


async def loop():
    async for _ in Anext():
        pass


async def managed(enter, fails):
    async with Manager(enter):
        if fails:
            1 / 0


for c in (loop(), managed(123, False), managed(ready(), False), managed(ready(), True)):
    try:
        c.send(None)
    except TypeError as e:
        print(e, repr(e.__cause__), repr(e.__context__))


# A generator that sleeps in a handler dies with the function that holds it.
def abandons():
    def f():
        try:
            raise KeyError("a")
        except Exception:
            try:
                yield
            except Exception as exc:
                yield "b"

    gen = f()
    gen.send(None)
    gen.throw(ValueError)


abandons()


# A frame that is looked at while its variables die.
class Looks:
    def __del__(self):
        global kept
        kept = sys._getframe(1)


def dies():
    x = Looks()


def caller():
    dies()
    return kept


frame = caller()
caller()
print(frame.f_code.co_name in ("dies", "caller"), frame.f_back.f_code.co_name in ("caller", "<module>"))
