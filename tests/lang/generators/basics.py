def numbers(n):
    for i in range(n):
        got = yield i
        if got is not None:
            print("got", got)
    return "done"


g = numbers(3)
print(next(g), g.send("x"), next(g))
try:
    next(g)
except StopIteration as stop:
    print(repr(stop.value))
print(list(g))


def delegate():
    result = yield from numbers(2)
    print("result", result)
    yield from "ab"
    yield from []
    return 7


print(list(delegate()))


def cleaning():
    try:
        yield 1
        yield 2
    except ValueError as error:
        print("caught", error)
        yield "recovered"
    finally:
        print("cleanup")


g = cleaning()
print(next(g), g.throw(ValueError("v")))
print(list(g))
g = cleaning()
next(g)
g.close()
g.close()


def stubborn():
    while True:
        try:
            yield
        except GeneratorExit:
            print("no")
            yield
            return


g = stubborn()
next(g)
try:
    g.close()
except RuntimeError as error:
    print(error)

try:
    numbers(1).send(1)
except TypeError as error:
    print(error)


def itself():
    yield next(me)


me = itself()
try:
    next(me)
except ValueError as error:
    print(error)


def stops():
    yield 1
    raise StopIteration("inner")


g = stops()
next(g)
try:
    next(g)
except RuntimeError as error:
    print(error, repr(error.__cause__))

squares = (x * x for x in range(5) if x % 2)
print(type(squares).__name__, sum(squares), sum(squares))
print(numbers.__name__, numbers(1).gi_code.co_name, numbers(1).gi_running)


def throws_through():
    try:
        yield from cleaning()
    finally:
        print("outer cleanup")


g = throws_through()
print(next(g))
print(g.throw(ValueError("deep")))
del g


def tree(depth):
    if depth:
        yield from tree(depth - 1)
        yield depth
        yield from tree(depth - 1)


print(list(tree(3)))
