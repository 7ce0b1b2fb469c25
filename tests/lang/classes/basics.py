class Point:
    """A point."""

    dimensions = 2

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __repr__(self):
        return f"Point({self.x}, {self.y})"

    def __eq__(self, other):
        if not isinstance(other, Point):
            return NotImplemented
        return (self.x, self.y) == (other.x, other.y)

    def __hash__(self):
        return hash((self.x, self.y))

    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)

    def __iter__(self):
        yield self.x
        yield self.y

    @classmethod
    def origin(cls):
        return cls(0, 0)

    @staticmethod
    def distance(a, b):
        return abs(a.x - b.x) + abs(a.y - b.y)

    @property
    def length(self):
        return self.distance(self, self.origin())


p = Point(1, 2)
print(p, p == Point(1, 2), p != Point(1, 2), p == 5, {p: 1}[Point(1, 2)])
print(p + Point(3, 4), list(p), p.length, Point.__doc__)
print(Point.__name__, Point.__qualname__, Point.__module__, Point.__mro__)
p.z = 3
print(p.__dict__, vars(p) is p.__dict__)
del p.z
try:
    p.z
except AttributeError as error:
    print(error)
try:
    p.length = 3
except AttributeError as error:
    print(error)
try:
    Point(1)
except TypeError as error:
    print(error)


class Base:
    def __init_subclass__(cls, /, tag=None, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.tag = tag

    def who(self):
        return "base"


class Left(Base, tag="l"):
    def who(self):
        return "left " + super().who()


class Right(Base, tag="r"):
    def who(self):
        return "right " + super().who()


class Both(Left, Right):
    def who(self):
        return "both " + super().who()


print(Both().who(), Both.tag, Left.tag, [c.__name__ for c in Both.__mro__])
print(issubclass(Both, Base), isinstance(Both(), (int, Right)), Base.__subclasses__())
try:

    class Broken(Base, Both):
        pass

except TypeError as error:
    print(error)


class Meta(type):
    def __new__(mcls, name, bases, namespace, **kwargs):
        print("new", name, sorted(k for k in namespace if not k.startswith("__")), kwargs)
        return super().__new__(mcls, name, bases, namespace)

    def __init__(cls, name, bases, namespace, **kwargs):
        super().__init__(name, bases, namespace)

    @classmethod
    def __prepare__(mcls, name, bases, **kwargs):
        print("prepare", name)
        return {}

    def __call__(cls, *args):
        print("call", cls.__name__)
        return super().__call__(*args)

    def __contains__(cls, item):
        return item == 1


class Made(metaclass=Meta, flavour="x"):
    a = 1

    def f(self):
        pass


Made()
print(1 in Made, 2 in Made, type(Made).__name__)


class Sized:
    def __len__(self):
        return 0

    def __getitem__(self, index):
        if index > 3:
            raise IndexError
        return index * 10

    def __contains__(self, item):
        return item == "x"

    def __call__(self, *args, **kwargs):
        return args, kwargs

    def __getattr__(self, name):
        if name.startswith("dyn_"):
            return name[4:]
        raise AttributeError(name)

    def __setattr__(self, name, value):
        print("set", name, value)
        super().__setattr__(name, value)

    def __delattr__(self, name):
        print("delete", name)
        super().__delattr__(name)


s = Sized()
print(bool(s), s[2], list(s), "x" in s, 5 in s, s(1, a=2), s.dyn_abc)
s.value = 1
del s.value
print(hasattr(s, "other"), getattr(s, "other", "default"))
Dynamic = type("Dynamic", (Base,), {"x": 1, "f": lambda self: self.x}, tag="t")
print(Dynamic().f(), Dynamic.tag, Dynamic)
