def queens(n, row=0, columns=(), up=(), down=()):
    if row == n:
        yield columns
        return
    for column in range(n):
        if column not in columns and row + column not in up and row - column not in down:
            yield from queens(n, row + 1, columns + (column,), up + (row + column,), down + (row - column,))


solutions = list(queens(6))
print(len(solutions), solutions[0])
for column in solutions[0]:
    print("." * column + "Q" + "." * (5 - column))
print(sum(1 for _ in queens(7)))


def sieve(limit):
    composite = bytearray(limit + 1)
    for n in range(2, limit + 1):
        if not composite[n]:
            yield n
            composite[n * n :: n] = b"\x01" * len(range(n * n, limit + 1, n))


print(list(sieve(50)), sum(sieve(5000)))


def edit_distance(a, b):
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (x != y)))
        previous = current
    return previous[-1]


print(edit_distance("kitten", "sitting"), edit_distance("", "abc"))


def permutations(items):
    if not items:
        yield []
    for i, item in enumerate(items):
        for rest in permutations(items[:i] + items[i + 1 :]):
            yield [item] + rest


print(["".join(p) for p in permutations("abc")])


def quicksort(items):
    if len(items) < 2:
        return items
    pivot, *rest = items
    return quicksort([i for i in rest if i < pivot]) + [pivot] + quicksort([i for i in rest if i >= pivot])


state = 12345
values = []
for _ in range(200):
    state = (state * 1103515245 + 12345) % 2**31
    values.append(state % 1000)
print(quicksort(values) == sorted(values), values[:5])


def life(cells, steps):
    for _ in range(steps):
        neighbours = {}
        for x, y in cells:
            for dx in (-1, 0, 1):
                for dy in (-1, 0, 1):
                    if dx or dy:
                        neighbours[x + dx, y + dy] = neighbours.get((x + dx, y + dy), 0) + 1
        cells = {c for c, n in neighbours.items() if n == 3 or (n == 2 and c in cells)}
    return cells


print(sorted(life({(1, 0), (2, 1), (0, 2), (1, 2), (2, 2)}, 8)))


def hanoi(n, a="A", b="B", c="C"):
    return [] if n == 0 else hanoi(n - 1, a, c, b) + [(a, c)] + hanoi(n - 1, b, a, c)


print(len(hanoi(8)), hanoi(2))


def collatz(n):
    steps = 0
    while n != 1:
        n = 3 * n + 1 if n % 2 else n // 2
        steps += 1
    return steps


print(max(range(1, 500), key=collatz), collatz(27))
