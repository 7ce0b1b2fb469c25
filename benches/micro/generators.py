from bench import run


def numbers(n):
    for i in range(n):
        yield i


def chained(n):
    yield from numbers(n)
    yield from (x * 2 for x in numbers(n))


def accumulate():
    total = 0
    while True:
        value = yield total
        if value is None:
            return
        total += value


def tree(depth):
    if depth:
        yield from tree(depth - 1)
        yield depth
        yield from tree(depth - 1)


def main(n):
    total = sum(chained(n)) + sum(tree(10))
    running = accumulate()
    next(running)
    for i in range(n):
        total += running.send(i) & 1
    return total


run(main, 30000)
