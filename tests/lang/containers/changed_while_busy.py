# Containers that change, or that are given up, while Python code is asked about their items.


class Emptier:
    def __init__(self, target):
        self.target = target

    def __eq__(self, other):
        self.target.clear()
        return NotImplemented


left, right = [], []
left.append(Emptier(right))
right.append(1)
print(left == right, len(left), len(right))
left, right = [], []
left.append(Emptier(left))
right.append(Emptier(right))
print(left == right, len(left), len(right))


def attempt(what, *args, **keywords):
    try:
        return what(*args, **keywords)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def emptied_again(item):
    numbers.append(item)
    numbers.clear()
    return item


numbers = [3, 1, 2]
print(attempt(numbers.sort, key=emptied_again), numbers)
numbers = [3, 1, 2]
print(attempt(numbers.sort, key=lambda item: numbers.clear() or item), numbers)


def refill(view):
    table = {0: 0}
    for _ in view(table):
        del table[0]
        table[0] = 0


for view in dict.keys, dict.values, dict.items, iter:
    print(attempt(refill, view))

table = {i: i for i in range(5)}
del table[4], table[3]
print(table.popitem(), list(reversed(table)), table)
table[9] = 9
print(list(table), table.popitem())


class Counted:
    def __init__(self):
        self.hashed = self.compared = 0

    def __hash__(self):
        self.hashed += 1
        return 7

    def __eq__(self, other):
        self.compared += 1
        return self is other


first, second = Counted(), Counted()
table = {first: 1}
print(table.setdefault(second, 2), second.hashed, first.compared + second.compared)
keys = [Counted()]
table = dict.fromkeys(keys)
dict.fromkeys(set(table))
dict.fromkeys(frozenset(table), 1)
print(keys[0].hashed)


class Releasing:
    def __index__(self):
        view.release()
        data.clear()
        return 0


for use in (
    lambda: view[Releasing()],
    lambda: view.__setitem__(Releasing(), 1),
    lambda: view.__setitem__(0, Releasing()),
    lambda: view.__setitem__(slice(Releasing(), 1), b"x"),
):
    data = bytearray(b"abc")
    view = memoryview(data)
    print(attempt(use))

separator = bytearray(b",")


def parts():
    yield b"a"
    separator.clear()
    yield b"b"


print(attempt(separator.join, parts()), separator)
