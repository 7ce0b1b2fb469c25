import sys


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


print(depth(500))


def forever(n):
    return forever(n + 1)


try:
    forever(0)
except RecursionError as error:
    print(error)

sys.setrecursionlimit(5000)
print(sys.getrecursionlimit(), depth(4000))


def even(n):
    return True if n == 0 else odd(n - 1)


def odd(n):
    return False if n == 0 else even(n - 1)


print(even(1000), odd(1000))


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


print(ackermann(2, 6))


class Deep:
    def __init__(self, inner):
        self.inner = inner

    def __repr__(self):
        return f"D({self.inner!r})"


nested = []
for _ in range(100000):
    nested = [nested]
try:
    repr(nested)
except RecursionError as error:
    print("RecursionError")
del nested

sys.setrecursionlimit(1000)


def recover():
    try:
        forever(0)
    except RecursionError:
        return depth(100)


print(recover(), recover())
