class Typed:
    def __init__(self, kind):
        self.kind = kind

    def __set_name__(self, owner, name):
        print("named", owner.__name__, name)
        self.name = "_" + name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        return getattr(instance, self.name, None)

    def __set__(self, instance, value):
        if not isinstance(value, self.kind):
            raise TypeError(f"{self.name} must be {self.kind.__name__}")
        setattr(instance, self.name, value)

    def __delete__(self, instance):
        delattr(instance, self.name)


class Person:
    name = Typed(str)
    age = Typed(int)


p = Person()
p.name, p.age = "Ann", 5
print(p.name, p.age, p.__dict__)
try:
    p.age = "old"
except TypeError as error:
    print(error)
del p.age
print(p.age, type(Person.age).__name__)


class NonData:
    def __get__(self, instance, owner):
        return "descriptor"


class Data(NonData):
    def __set__(self, instance, value):
        raise AttributeError("read only")


class Holder:
    plain = NonData()
    strict = Data()


h = Holder()
h.__dict__.update(plain="instance", strict="instance")
print(h.plain, h.strict)
try:
    h.strict = 1
except AttributeError as error:
    print(error)


class Temperature:
    def __init__(self):
        self._celsius = 0

    @property
    def fahrenheit(self):
        "In old units."
        return self._celsius * 9 / 5 + 32

    @fahrenheit.setter
    def fahrenheit(self, value):
        self._celsius = (value - 32) * 5 / 9

    @fahrenheit.deleter
    def fahrenheit(self):
        print("deleted")
        self._celsius = 0


t = Temperature()
t.fahrenheit = 212
print(t._celsius, t.fahrenheit, Temperature.fahrenheit.__doc__)
del t.fahrenheit
print(t._celsius)


class Slots:
    __slots__ = ("a", "b")


class More(Slots):
    __slots__ = ("c", "__dict__")


s = Slots()
s.a = 1
for action in ("s.b", "s.c", "setattr(s, 'c', 1)", "s.__dict__"):
    try:
        print(eval(action))
    except AttributeError as error:
        print(error)
m = More()
m.a, m.c, m.d = 1, 2, 3
print(m.a, m.c, m.d, m.__dict__, Slots.a)
try:

    class Conflict:
        __slots__ = ("x",)
        x = 1

except ValueError as error:
    print(error)


class Function:
    def method(self):
        return self


f = Function()
bound = f.method
print(bound() is f, bound.__func__ is Function.method, bound == f.method, bound.__self__ is f)


class Cached:
    calls = 0

    def __getattribute__(self, name):
        if name != "calls":
            type(self).calls += 1
        return super().__getattribute__(name)


c = Cached()
c.x = 1
print(c.x, c.x, Cached.calls)
