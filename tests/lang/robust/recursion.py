# Recursion through every kind of special method, and deep data, raise RecursionError and nothing else.
import collections
import copy
import functools
import json
import marshal
import pickle
import types

DEEP = 12_000


def chain(make, count=DEEP, start=None):
    value = start
    for _ in range(count):
        value = make(value)
    return value


def attempt(name, action):
    try:
        action()
        print(name, "done")
    except RecursionError:
        print(name, "RecursionError")
    except ValueError as error:
        print(name, "ValueError", error)


class Call:
    pass


Call.__call__ = Call()


class Everything:
    __repr__ = lambda self: repr(self)
    __str__ = lambda self: str(self)
    __format__ = lambda self, spec: format(self, spec)
    __eq__ = lambda self, other: self == other
    __lt__ = lambda self, other: self < other
    __hash__ = lambda self: hash((self,))
    __bool__ = lambda self: bool(self)
    __len__ = lambda self: len(self)
    __iter__ = lambda self: iter(self)
    __contains__ = lambda self, item: item in self
    __getitem__ = lambda self, index: self[index]
    __setitem__ = lambda self, index, value: self.__setitem__(index, value)
    __add__ = lambda self, other: self + other
    __radd__ = lambda self, other: other + self
    __neg__ = lambda self: -self
    __index__ = lambda self: range(self)
    __int__ = lambda self: int(self)
    __getattr__ = lambda self, name: getattr(self, name + "x")
    prop = property(lambda self: self.prop)

    def __enter__(self):
        with self:
            pass

    def __exit__(self, *error):
        pass


class Endless(type):
    def __call__(cls):
        return cls()


class Made(metaclass=Endless):
    pass


thing = Everything()
attempt("call", lambda: Call()())
attempt("repr", lambda: repr(thing))
attempt("str", lambda: str(thing))
attempt("format", lambda: format(thing))
attempt("eq", lambda: thing == 1)
attempt("lt", lambda: thing < 1)
attempt("hash", lambda: hash(thing))
attempt("bool", lambda: bool(thing))
attempt("len", lambda: len(thing))
attempt("iter", lambda: iter(thing))
attempt("contains", lambda: 1 in thing)
attempt("getitem", lambda: thing[0])
attempt("add", lambda: thing + 1)
attempt("radd", lambda: 1 + thing)
attempt("neg", lambda: -thing)
attempt("index", lambda: range(thing))
attempt("int", lambda: int(thing))
attempt("getattr", lambda: thing.a)
attempt("property", lambda: thing.prop)
attempt("with", lambda: thing.__enter__())
attempt("metaclass", Made)


def key(item):
    return sorted([1, 2], key=key)


def mapped(item):
    return list(map(mapped, [item]))


def generator():
    yield from generator()


def reduced(a, b):
    return functools.reduce(reduced, [1, 2, 3])


@functools.lru_cache
def cached(number):
    return cached(number + 1)


attempt("sort key", lambda: key(1))
attempt("map", lambda: mapped(1))
attempt("yield from", lambda: next(generator()))
attempt("reduce", lambda: reduced(1, 2))
attempt("lru_cache", lambda: cached(1))
attempt("exec", lambda: exec("exec(s)", {"s": "exec(s)"}))

deep_list = chain(lambda x: [x])
deep_tuple = chain(lambda x: (x,))
deep_dict = chain(lambda x: {1: x})
attempt("repr of a list", lambda: repr(deep_list))
attempt("repr of a tuple", lambda: repr(deep_tuple))
attempt("repr of a dict", lambda: repr(deep_dict))
attempt("repr of a deque", lambda: repr(chain(lambda x: collections.deque([x]))))
attempt("repr of a namespace", lambda: repr(chain(lambda x: types.SimpleNamespace(a=x))))
attempt("comparison of lists", lambda: deep_list == chain(lambda x: [x]))
attempt("comparison of dicts", lambda: deep_dict == chain(lambda x: {1: x}))
attempt("deepcopy", lambda: copy.deepcopy(deep_list))
attempt("pickle", lambda: pickle.dumps(deep_list))
attempt("json", lambda: json.dumps(chain(lambda x: [x], 150_000)))
attempt("json backwards", lambda: json.loads("[" * 150_000))
attempt("marshal", lambda: marshal.dumps(deep_list))


def own_repr():
    items = []
    items.append(items)
    mapping = {}
    mapping["self"] = mapping
    print(items, mapping)
    return items == [items]


attempt("a list in itself", own_repr)


# Chains die without recursion.
class Node:
    def __init__(self, following):
        self.following = following


class Counted:
    gone = 0

    def __init__(self, following):
        self.following = following

    def __del__(self):
        Counted.gone += 1


def bound(x):
    return types.MethodType(print, x)


for make in (lambda x: [x], lambda x: (x,), lambda x: {1: x}, Node, lambda x: lambda: x, lambda x: iter([x]), lambda x: (y for y in (x,))):
    last = chain(make, 20_000)
    del last
last = chain(bound, 20_000, 1)
del last
last = chain(Counted, 20_000)
del last
print(Counted.gone)


# A method of a method of a method ..., and of a class.
def count(*arguments):
    return len(arguments)


print(chain(lambda f: types.MethodType(f, 1), 50, count)())


class Takes:
    def __init__(self, *arguments):
        self.arguments = arguments


print(types.MethodType(Takes, 7)().arguments, types.MethodType(types.MethodType(Takes, 7), 8)(9).arguments)


# Native recursion that is refused leaves no frame behind.
import sys

sys.setrecursionlimit(10**6)


def too_deep():
    return sorted([1], key=lambda x: too_deep())


for _ in range(3):
    try:
        too_deep()
    except RecursionError:
        print("caught")
    finally:
        print("finally")
