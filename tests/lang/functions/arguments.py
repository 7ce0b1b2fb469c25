def show(a, b=2, /, c=3, *args, d, e=5, **kwargs):
    return a, b, c, args, d, e, kwargs


print(show(1, d=4))
print(show(1, 9, 8, 7, 6, d=4, f=0))
print(show(1, d=4, a=10, b=11))
print(show(*[1, 2], *(3, 4), **{"d": 1}, **{"z": 2}))


def fails(f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except TypeError as error:
        print(error)


def two(a, b):
    pass


def kwonly(*, x, y):
    pass


def nothing():
    pass


def default(a, b=1):
    pass


fails(two)
fails(two, 1)
fails(two, 1, 2, 3)
fails(two, 1, a=2)
fails(two, 1, c=2)
fails(kwonly)
fails(kwonly, x=1)
fails(kwonly, 1)
fails(nothing, 1)
fails(default)
fails(default, 1, 2, 3)
fails(show, 1, 2, 3)
fails(lambda a, /: a, a=1)
fails(lambda: two(**{"a": 1}, **{1: 2}))


def duplicate():
    return dict(**{"a": 1}, **{"a": 2})


fails(duplicate)
try:
    print(*5)
except TypeError as error:
    print(error)
try:
    two(**5)
except TypeError as error:
    print(error)


def mutable(value, seen=[]):
    seen.append(value)
    return seen


print(mutable(1), mutable(2), mutable.__defaults__)
print(show.__defaults__, show.__kwdefaults__)
show.__defaults__ = (20, 30)
print(show(1, d=4))


def order(name, value=None):
    print(name, end=" ")
    return value


order("f", lambda *a, **k: print(a, k))(order("a"), *order("b", [1]), x=order("c"), **order("d", {"y": 2}))
