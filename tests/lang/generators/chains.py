"""Generators that delegate to each other: what is sent, thrown and handled on the way, and what frames show."""
import sys


class Tree:
    def __init__(self, left, value, right):
        self.left, self.value, self.right = left, value, right

    def __iter__(self):
        if self.left:
            yield from self.left
        yield self.value
        if self.right:
            yield from self.right


def tree(items):
    if not items:
        return None
    middle = len(items) // 2
    return Tree(tree(items[:middle]), items[middle], tree(items[middle + 1 :]))


print(list(tree(range(20))), sum(tree(range(100))))


def inner(name):
    got = None
    while True:
        try:
            got = yield name, got, sys.exception()
        except KeyError as error:
            got = "caught", error.args[0]
        if got == "stop":
            return "result of " + name


def outer(depth):
    if depth == 0:
        return (yield from inner("inner"))
    result = yield from outer(depth - 1)
    return result + "."


g = outer(5)
print(next(g), g.send(1), g.send(2), g.throw(KeyError("key")), g.send(3))
try:
    g.send("stop")
except StopIteration as stop:
    print(stop.value)

# An exception that is handled around the generator, and one in it.
g = outer(3)
next(g)
try:
    raise ValueError("around")
except ValueError:
    print(g.send("in handler"))
print(g.send("outside"))


def handling():
    try:
        raise OSError("own")
    except OSError:
        yield sys.exception()
        yield sys.exception()
    yield sys.exception()


def delegating():
    yield from handling()


g = delegating()
print(repr(next(g)), sys.exception())
try:
    raise ValueError("around")
except ValueError:
    print(repr(next(g)), repr(sys.exception()))
    print(repr(next(g)), repr(sys.exception()))


# Frames: who called whom while it runs, and what it waits for while it sleeps.
def names():
    frame, found = sys._getframe(1), []
    while frame:
        found.append(frame.f_code.co_name)
        frame = frame.f_back
    return found


def deep(n):
    if n:
        yield from deep(n - 1)
    else:
        yield names()
        yield names()


g = deep(2)
print(next(g))
frame = g.gi_frame
print(frame.f_code.co_name, frame.f_back, g.gi_yieldfrom.gi_yieldfrom.gi_yieldfrom, g.gi_running)
for seen in g:
    print(seen, frame.f_lineno > 0, frame.f_locals)
print(g.gi_frame, list(g))


def busy():
    yield from me


me = busy()
try:
    next(me)
except ValueError as error:
    print(error)


def recursive(n):
    yield n
    yield from recursive(n + 1)


try:
    for n in recursive(0):
        pass
except RecursionError as error:
    print(error, n > 100)


class Delegates:
    def __iter__(self):
        return iter("abc")


class Bad:
    def __iter__(self):
        return 5


class Coroutine:
    async def __iter__(self):
        pass


def over(iterable):
    yield from iterable


print(list(over(Delegates())), list(over([1, 2])))
for bad in Bad(), Coroutine(), 5:
    for way in over, iter:
        try:
            list(way(bad))
        except TypeError as error:
            print(error)
    try:
        for x in bad:
            pass
    except TypeError as error:
        print(error)


# The function of a generator may go while the generator lives.
def make():
    def short():
        yield make
        yield names()

    return short()


g = make()
print(next(g) is make, next(g), next(g, "end"))
print(max(x * x % 7 for x in range(10)), min((x for x in "hello"), default=0), max((x for x in ()), default="none"))
print(max(x for x in [1, 2.5, True, 2**70, -3]), min(x for x in [3, 1.5, 1]), max([3, "a"][:1]))
