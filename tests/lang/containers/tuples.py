"""Tuples of all lengths, their hashes, comparisons, iterators, and cycles through them."""
import gc
import weakref
from collections import namedtuple

for n in range(8):
    t = tuple(range(n))
    print(t, len(t), t == tuple(list(t)), hash(t) == hash(tuple(list(t))), t[-1:], t + t == tuple(list(t) * 2), t * 2)
print(hash((1, 2)), hash(()), hash(("a",)) == hash(("a",)), hash((1.0, 2)) == hash((1, 2.0)))

values = [(1, 2), (1, 2, 3), (1,), (), (1, 2.0), (1, "2"), (True, 2), ("1", 2), ((1, 2), 3), ((1, (2,)), 3), (((((1,),),),),)]
for a in values:
    print([a == b for b in values])


class Odd:
    def __init__(self, name):
        self.name = name

    def __eq__(self, other):
        print("compared", self.name)
        return isinstance(other, Odd)

    def __hash__(self):
        print("hashed", self.name)
        return 7


class Strange(tuple):
    def __eq__(self, other):
        return "strange"

    __hash__ = tuple.__hash__


print((1, Odd("a"), 2) == (1, Odd("b"), 2), (1, Odd("a"), 2) == (2, Odd("b"), 2))
print({(Odd("key"), 1): "found"}[Odd("other"), 1])
print(Strange((1,)) == (1,), (1,) == Strange((1,)), (Strange((1,)), 2) == ((1,), 2))
nan = float("nan")
print((nan,) == (nan,), (nan,) == (float("nan"),), (0.0,) == (-0.0,), (1, True) < (True, 2), (1, None) == (True, None))
try:
    (1, "a") < (1, 2)
except TypeError as error:
    print(error)
print(sorted([(True, False, 3), (False, True, 2), (True, False, 1), (False, True, 2, 0)]))

Point = namedtuple("Point", "x y")
p = Point(1, 2)
x, y = p
print(p, p == (1, 2), hash(p) == hash((1, 2)), x, y, p._replace(x=5))

it = iter((1, 2, 3))
print(next(it), it.__length_hint__(), it.__reduce__()[1:], list(it), list(it), it.__length_hint__())
it.__setstate__(0)
print(list(it))
it = iter([1, 2, 3])
back = reversed([1, 2, 3])
print(next(it), next(back), it.__length_hint__(), back.__length_hint__(), list(back), list(it), list(back))


# Cycles through tuples go once nothing else refers to them.
class Node:
    pass


def cycle(make):
    node = Node()
    node.way = make(node)
    return weakref.ref(node)


def later():
    yield


made = [
    cycle(lambda node: (node,)),
    cycle(lambda node: ((1, node), 2, 3, 4, 5, (node,))),
    cycle(lambda node: [(node, [node])]),
    cycle(lambda node: zip([node], (node,))),
    cycle(lambda node: enumerate([node])),
    cycle(lambda node: map(lambda x: node, [1])),
    cycle(lambda node: filter(None, (node,))),
    cycle(lambda node: iter((node,))),
    cycle(lambda node: iter({1: node}.items())),
]
gc.collect()
print([ref() for ref in made])


def many(*rest, **names):
    return rest, names


print(many(), many(1), many(*range(6)), many(1, *[2], a=3))
