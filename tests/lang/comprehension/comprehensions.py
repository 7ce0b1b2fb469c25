print([x * y for x in range(3) for y in range(x)])
print({x: x**2 for x in range(4)}, {x % 3 for x in range(9)})
print([[j for j in range(i)] for i in range(4)])
print([a for a in range(10) if a % 2 if a > 3])
print(list((x, y) for x in "ab" for y in "cd"))
x = "outer"
print([x for x in range(3)], x)


class C:
    size = 3
    items = [i for i in range(size)]
    table = {k: v for k, v in zip("ab", items)}


print(C.items, C.table)


def scoped():
    n = 2
    return [n * i for i in range(3)], (lambda: [n + i for i in range(2)])()


print(scoped())
functions = [lambda: i for i in range(3)]
print([f() for f in functions])
print([y := 1, y + 1], [last := i for i in range(4)], last)
print({**{1: 2}, 3: 4}, [*range(3), *"ab"], {*[1], 2}, (*[], 1))
print([i for i, in [(1,), (2,)]], [a + b for a, *b in [([1], [2])] for b in b])
gen = (i for i in [1, 2, 3])
print(next(gen), list(gen))
print(sum(x for x in range(10) if x % 2 == 0))
matrix = [[1, 2, 3], [4, 5, 6]]
print([[row[i] for row in matrix] for i in range(3)])
try:
    [undefined for _ in range(1)]
except NameError as error:
    print(error)


def first():
    print("first")
    return [1, 2]


lazy = (print("body", i) for i in first())
print("made")
list(lazy)
print(sorted({w.lower() for w in "The the A a".split()}))
print({i: [j for j in range(i) if j] for i in range(3)})
print([f"{k}={v}" for k, v in {"a": 1}.items()])
