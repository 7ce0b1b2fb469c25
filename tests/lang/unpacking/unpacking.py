a, b = 1, 2
a, b = b, a
print(a, b)
first, *rest = "hello"
*init, last = range(4)
head, *middle, tail = [1, 2]
print(first, rest, init, last, head, middle, tail)
(x, (y, z)), w = [1, [2, 3]], 4
print(x, y, z, w)
[p, q] = {1: "a", 2: "b"}
print(p, q)
i = 0
i, items = 1, [0, 0]
i, items[i] = 0, "set"
print(i, items)
for bad in ("a, b = 1", "a, b = 1, 2, 3", "a, b = [1]", "a, *b, c = [1]", "a, b = 'abc'", "a, b = {1}", "[a, b, c] = range(2)"):
    try:
        exec(bad)
    except Exception as error:
        print(type(error).__name__, error)
x = y = z = []
x.append(1)
print(y, z is x)


def f(*args, **kwargs):
    return args, kwargs


print(f(*[1], 2, *"ab", **{"k": 1}, m=2))
print([*range(2), *{3: 4}], (*"xy",), {*(), 1}, {**{"a": 1}, "a": 2})


class It:
    def __iter__(self):
        print("iter")
        return iter((1, 2, 3))


m, n, o = It()
print(m, n, o)
n = 5
n += 1
n -= 2
n *= 3
n //= 5
n **= 3
n %= 5
n <<= 2
n |= 1
n &= 13
n ^= 3
n >>= 1
print(n)


class Log:
    def __getitem__(self, k):
        print("get", k)
        return 1

    def __setitem__(self, k, v):
        print("set", k, v)

    def __delitem__(self, k):
        print("del", k)


log = Log()
log[1] += 5
log[1:2, ..., ::3] = 0
del log["x"], log[0]


class Inplace:
    def __init__(self):
        self.value = 0

    def __iadd__(self, other):
        self.value += other
        return self


v = w = Inplace()
v += 3
print(v is w, w.value)
t = ([],)
try:
    t[0] += [1]
except TypeError as error:
    print(error, t)
a = b = c = d = 0
(a, b), c = [d := 1, 2], 3
print(a, b, c, d)
