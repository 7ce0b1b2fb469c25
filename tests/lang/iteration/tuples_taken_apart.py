"""Loops that take the tuples of an iterator apart at once, and the iterators that give them."""
import itertools


def attempt(function):
    try:
        return function()
    except Exception as error:
        return type(error).__name__, str(error)


class Noisy:
    def __init__(self, items, name):
        self.items, self.name = iter(items), name

    def __iter__(self):
        return self

    def __next__(self):
        print("next", self.name)
        return next(self.items)


class Named(enumerate):
    def __next__(self):
        index, value = super().__next__()
        return value, f"#{index}"


class Plain(zip):
    pass


print([(a, b) for a, b in zip([1, 2, 3], "ab")])
print([(a, b, c) for a, b, c in zip([1, 2], "ab", (5.5, None))])
print([(a, b) for a, b in Named("xy")], [(a, b) for a, b in Plain("ab", "cd")])
print([a for a, in zip("abc")])
print([(a, b) for a, b in enumerate("ab", 2**62 - 1)])
print([(a, rest) for a, *rest in zip("ab", "cd", "ef")])

for a, b in zip(Noisy([1, 2], "left"), Noisy([1], "right")):
    print("pair", a, b)

# The wrong number of targets: a tuple is made, and an error follows.
for source in (lambda: zip("ab", "cd", "ef"), lambda: enumerate("ab"), lambda: {1: 2}.items(), lambda: itertools.pairwise("abc")):
    def one(source=source):
        for a, in source():
            return a

    def four(source=source):
        for a, b, c, d in source():
            return a, b, c, d

    print(attempt(one), attempt(four))


def uneven(*sources):
    seen = []
    try:
        for a, b in zip(*sources, strict=True):
            seen.append((a, b))
    except ValueError as error:
        seen.append(str(error))
    return seen


print(uneven([1, 2], [1, 2]), uneven([1], [1, 2]), uneven([1, 2], [1]))


def failing():
    yield 1
    raise LookupError("second source")


def over_failing():
    seen = []
    for a, b in zip([["x"], ["y"]], failing()):
        seen.append((a, b))


print(attempt(over_failing))


def changing(change):
    d = {1: "a", 2: "b", 3: "c"}
    seen = []
    try:
        for k, v in d.items():
            seen.append((k, v))
            change(d, k)
    except RuntimeError as error:
        seen.append(str(error))
    return seen


print(changing(lambda d, k: d.pop(k)))
print(changing(lambda d, k: d.update({k + 10: k})))
print(changing(lambda d, k: d.update({k: "new"})))
print([(k, v) for k, v in reversed({1: 2, 3: 4}.items())])
d = {n: -n for n in range(6)}
for n in (0, 2, 3, 5):
    del d[n]
print(list(d), list(reversed(d)), [(k, v) for k, v in d.items()], list(d.values()))
items = iter(d.items())
print(items.__length_hint__(), next(items), items.__length_hint__(), list(items), items.__length_hint__())

print([(a, b) for a, b in itertools.product("ab", [1, 2])])
print([(a, b) for a, b in itertools.combinations("abc", 2)])
print([(a, b) for a, b in itertools.permutations("abc", 2)])
print([(a, b) for a, b in itertools.combinations_with_replacement("ab", 2)])
print(list(itertools.permutations("ab", 0)), list(itertools.permutations("ab", 3)), list(itertools.product()))
print([(a, b) for a, b in itertools.pairwise(range(4))])
print(list(map(lambda *a: a, "abcde", "abcde", "abcde", "abcde", "abc")))


# A tuple that is taken apart where it was made.
def rotate(a, b, c, d, e):
    a, b, c, d = d, c, b, a
    print(a, b, c, d)
    a, b, c, d, e = e, a + b, -c, d * 2, a
    print(a, b, c, d, e)
    a, a, a, b = 1, 2, 3, a
    print(a, b)
    x = [0, 1, 2]
    i = 0
    i, x[i], b, c = 2, "first", i, x[i]
    print(i, x, b, c)


rotate(1, 2, 3, 4, 5)


# While the loop runs, what its variables held dies in order.
class Told:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("gone", self.name)


for n, told in enumerate(map(Told, "abc")):
    print(n, told.name)
del told
for a, b in zip(map(Told, "xy"), map(Told, "uv")):
    print(a.name, b.name)
del a, b
t = tuple(map(Told, "pqr"))
del t
t = tuple(map(Told, "123456"))
del t
