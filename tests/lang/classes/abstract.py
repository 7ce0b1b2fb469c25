import abc
import collections.abc
import numbers


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self):
        return 0

    @property
    @abc.abstractmethod
    def name(self): ...

    def describe(self):
        return f"{self.name} {self.area()}"


class Square(Shape):
    name = "square"

    def __init__(self, side):
        self.side = side

    def area(self):
        return super().area() + self.side**2


print(Square(3).describe(), Shape.__abstractmethods__ == {"area", "name"})
try:
    Shape()
except TypeError as error:
    print(error)


class Partial(Shape):
    def area(self):
        return 1


try:
    Partial()
except TypeError as error:
    print(error)


@Shape.register
class Other:
    pass


print(issubclass(Other, Shape), isinstance(Other(), Shape))


class Seq(collections.abc.Sequence):
    def __init__(self, *items):
        self.items = items

    def __getitem__(self, i):
        return self.items[i]

    def __len__(self):
        return len(self.items)


s = Seq(1, 2, 3)
print(2 in s, list(reversed(s)), s.index(3), s.count(1), isinstance(s, collections.abc.Iterable))


class Mapping(collections.abc.MutableMapping):
    def __init__(self):
        self.data = {}

    def __getitem__(self, k):
        return self.data[k]

    def __setitem__(self, k, v):
        self.data[k] = v

    def __delitem__(self, k):
        del self.data[k]

    def __iter__(self):
        return iter(self.data)

    def __len__(self):
        return len(self.data)


m = Mapping()
m.update(a=1, b=2)
print(dict(m), m.pop("a"), m.setdefault("z", 9), list(m.items()), "b" in m, m == {"b": 2, "z": 9})
print(isinstance([], collections.abc.Sequence), isinstance({}, collections.abc.Mapping), isinstance(5, collections.abc.Hashable),
      isinstance([], collections.abc.Hashable), issubclass(int, numbers.Integral), isinstance(len, collections.abc.Callable))


class HasLen:
    def __len__(self):
        return 1


print(isinstance(HasLen(), collections.abc.Sized), isinstance((i for i in []), collections.abc.Generator))


class Meta(abc.ABCMeta):
    def __instancecheck__(cls, instance):
        return instance == "magic"

    def __subclasscheck__(cls, other):
        return other is int


class Magic(metaclass=Meta):
    pass


print(isinstance("magic", Magic), isinstance(5, Magic), issubclass(int, Magic), issubclass(str, Magic))
