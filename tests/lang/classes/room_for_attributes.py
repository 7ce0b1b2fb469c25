"""Classes whose instances have more attributes than the class could tell."""
from dataclasses import dataclass
import copy
import gc


@dataclass
class Record:
    a: int
    b: int
    c: list
    d: str
    e: float
    f: object


class Open:
    pass


class Sub(Open):
    def __init__(self):
        self.x = 1


def fill(o, n):
    for i in range(n):
        setattr(o, f"k{i}", i)
    return o


def read(objects):
    return sum(getattr(o, "k0", 0) + getattr(o, "k5", 0) + len(vars(copy.copy(o))) for o in objects)


records = [Record(i, i, [i], str(i), i / 2, None) for i in range(200)]
print(sum(r.a + r.b + r.c[0] + r.e + len(r.d) for r in records), records[0], records[-1])
print(records[3] == Record(3, 3, [3], "3", 1.5, None), vars(records[0]))
few, many = [fill(Open(), 2) for _ in range(3)], []
for n in (3, 6, 11, 30, 1, 25):
    many += [fill(Open(), n), fill(Sub(), n)]
print([len(vars(o)) for o in few + many])
for _ in range(50):
    o = Open()
    o.k0, o.k1, o.k2, o.k3, o.k4, o.k5 = range(6)
    few.append(o)


def hot(objects):
    total = 0
    for _ in range(300):
        for o in objects:
            total += o.k0 + o.k1
            o.k1 = 1
    return total


print(hot([fill(Open(), 2), fill(Open(), 30), fill(Open(), 7), fill(Sub(), 9)]), read(few), read(many))
a, b = fill(Open(), 9), fill(Sub(), 2)
a.__class__ = Sub
b.__class__ = Open
print(vars(a), vars(b), type(a).__name__, type(b).__name__)
del a.k3
a.__dict__ = {"z": 1}
print(vars(a))


class Large:
    __slots__ = [f"s{i}" for i in range(2500)] + ["__dict__"]


large = [fill(Large(), n) for n in (1, 9, 40)]
print([len(o.__dict__) for o in large], len(fill(Large(), 30).__dict__))
cycle = fill(Open(), 12)
cycle.k11 = cycle
del cycle, records, few, many, large
print(gc.collect() > 0)
