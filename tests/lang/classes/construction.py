# `__new__` of another type, keywords in subclasses of builtin types, names of classes.


def attempt(what, *args, **keywords):
    try:
        return what(*args, **keywords)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


class Number(int):
    pass


print(attempt(object.__new__, int))
print(attempt(object.__new__, Number))
print(attempt(int.__new__, bool, 0))
print(attempt(object.__new__, type))
print(attempt(object.__new__, list))
print(attempt(object.__new__))
print(attempt(tuple.__new__))
print(attempt(tuple.__new__, list))
print(attempt(int.__new__, Number, 5), type(int.__new__(Number, 5)).__name__)


class Plain(float):
    pass


class WithInit(float):
    def __init__(self, value, extra=None):
        self.extra = extra


class WithNew(float):
    def __new__(cls, value, extra=None):
        self = super().__new__(cls, value)
        self.extra = extra
        return self


print(attempt(Plain, x=0))
print(WithInit(1.5, extra=2).extra, WithNew(2.5, extra=3).extra)


class Items(tuple):
    pass


class ItemsWithInit(tuple):
    def __init__(self, items, extra):
        self.extra = extra


print(attempt(Items, sequence=()))
print(ItemsWithInit([1, 2], extra=3), ItemsWithInit((), extra=4).extra)


class ListWithNew(list):
    def __new__(cls, items, extra):
        self = super().__new__(cls, items)
        self.extra = extra
        return self


class PlainList(list):
    pass


print(ListWithNew([1], extra=5), attempt(PlainList, iterable=[]))
print(attempt(type, "a\0b", (), {}))
print(attempt(type, "a\udc80b", (), {}))
print(attempt(type, "A", (), {"__doc__": "x\udc80y"}))
made = type("Made", (), {})
made.__name__ = "Other"
print(made.__name__, made.__qualname__)
made = type("Made", (), {"__firstlineno__": 42})
made.__module__ = "elsewhere"
print("__firstlineno__" in made.__dict__, made.__module__)


class Annotated:
    field: int = 1


print("__classdictcell__" in Annotated.__dict__, Annotated.__annotations__)


import typing
from fractions import Fraction

print(isinstance(Fraction(1), typing.SupportsInt), isinstance(1.5, typing.SupportsInt))
print(isinstance("1", typing.SupportsInt), issubclass(int, typing.SupportsIndex))
