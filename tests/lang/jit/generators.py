"""Loops over generators, in machine code."""
import sys


def count(n):
    i = 0
    while i < n:
        yield i
        i += 1


def pairs(n):
    for i in range(n):
        yield i, i * i
        if i % 3 == 0:
            yield -i, 0.5


def chain(*parts):
    for part in parts:
        yield from part


def fails(n):
    for i in count(n):
        if i == n - 1:
            raise ValueError(i)
        yield i


def cleans(log):
    try:
        for i in range(1000):
            yield i
    finally:
        log.append("closed")


def tree(depth):
    if depth:
        yield from tree(depth - 1)
        yield depth
        yield from tree(depth - 1)


class Node:
    def __init__(self, left, value, right):
        self.left, self.value, self.right = left, value, right

    def __iter__(self):
        if self.left:
            for v in self.left:
                yield v
        yield self.value
        if self.right:
            yield from self.right


def build(lo, hi):
    if lo >= hi:
        return None
    mid = (lo + hi) // 2
    return Node(build(lo, mid), mid, build(mid + 1, hi))


def use(n):
    total = 0
    for x in count(n):
        total += x
    for a, b in pairs(n):
        total += a + b
    for x in chain(count(n), [1, 2], pairs(2)):
        if isinstance(x, tuple):
            total += x[0]
        else:
            total += x
    for x in (y * 2 for y in count(n) if y & 1):
        total += x
    return total


def broken(n):
    log = []
    for k in range(n):
        for i in cleans(log):
            if i == 5:
                break
    return len(log), log[0]


def errors(n):
    caught = []
    for k in range(n):
        try:
            for i in fails(k % 5 + 1):
                pass
        except ValueError as error:
            caught.append(error.args[0])
    return sum(caught), i


def again(n):
    g = count(n)
    total = 0
    for x in g:
        total += x
        if x % 3 == 0:
            total += next(g, 0)
    for x in g:
        total += 1000000
    return total, g.gi_frame


def deep(n):
    frames = []

    def looks():
        for i in range(n):
            if i == n - 2:
                frames.append(sys._getframe(1).f_code.co_name)
            yield i

    for _ in looks():
        pass
    return frames


def switched(n):
    events = []

    def tracer(frame, event, arg):
        events.append((frame.f_code.co_name, event))
        return tracer

    def arms():
        for i in range(n):
            if i == n - 3:
                sys.settrace(tracer)
            yield i

    total = 0
    for x in arms():
        total += x
    sys.settrace(None)
    return total, [e for e in events if e[0] == "arms"][:6]


def running():
    def g():
        yield next(it)

    it = g()
    try:
        for _ in it:
            pass
    except ValueError as error:
        return str(error)


print(use(1000), use(500))
print(broken(400), errors(500), again(1000))
print(sum(tree(8)), sum(x for x in build(0, 300)), list(build(0, 20)))
print(deep(600), switched(600), running())
