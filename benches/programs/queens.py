"""Eight queens by generators over permutations."""

from bench import run


def permutations(items):
    if len(items) <= 1:
        yield items
        return
    for i, item in enumerate(items):
        for rest in permutations(items[:i] + items[i + 1 :]):
            yield (item, *rest)


def main(n):
    return sum(
        n == len({q + i for i, q in enumerate(queens)}) == len({q - i for i, q in enumerate(queens)})
        for queens in permutations(tuple(range(n)))
    )


run(main, 7)
