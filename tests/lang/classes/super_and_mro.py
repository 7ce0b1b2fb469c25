class A:
    def f(self):
        return ["A"]

    @classmethod
    def make(cls):
        return cls.__name__

    @property
    def p(self):
        return "A.p"


class B(A):
    def f(self):
        return ["B", *super().f()]

    @classmethod
    def make(cls):
        return "B+" + super().make()

    @property
    def p(self):
        return "B.p " + super().p


class C(A):
    def f(self):
        return ["C", *super().f()]


class D(B, C):
    def f(self):
        return ["D", *super(D, self).f()]

    def nested(self):
        def inner():
            return super(D, self).f()

        return inner()

    def comprehension(self):
        return [super(D, self).f() for _ in range(1)]


d = D()
print(d.f(), d.nested(), d.comprehension(), D.make(), d.p)
print([k.__name__ for k in D.mro()], super(B, d).f(), super(D, D).make())
try:
    super(C, B())
except TypeError as error:
    print(error)
try:
    super().f()
except RuntimeError as error:
    print(error)


def outside(self):
    return super().f()


try:
    outside(d)
except RuntimeError as error:
    print(error)
print(super(B, d).__thisclass__.__name__, repr(super(B, d)).startswith("<super: <class 'B'>, <D object>>"))


class Init:
    def __init__(self, **kwargs):
        print("Init", kwargs)


class Named(Init):
    def __init__(self, name, **kwargs):
        super().__init__(**kwargs)
        self.name = name


class Aged(Init):
    def __init__(self, age, **kwargs):
        super().__init__(**kwargs)
        self.age = age


class Person(Named, Aged):
    pass


p = Person(name="n", age=1)
print(p.name, p.age)


class Singleton:
    instance = None

    def __new__(cls, *args):
        if cls.instance is None:
            cls.instance = super().__new__(cls)
        return cls.instance

    def __init__(self, value):
        self.value = value


print(Singleton(1) is Singleton(2), Singleton(3).value)


class Text(str):
    def __new__(cls, value, extra):
        made = super().__new__(cls, value)
        made.extra = extra
        return made

    def shout(self):
        return self.upper() + "!"


t = Text("abc", 5)
print(t, t.shout(), t.extra, t + "d", type(t + "d").__name__, isinstance(t, str), {t: 1}["abc"], len(t))


class Numbers(list):
    def total(self):
        return sum(self)

    def __getitem__(self, i):
        return super().__getitem__(i) * 10


n = Numbers([1, 2])
n.append(3)
print(n, n.total(), n[0], list(n), n == [1, 2, 3])


class Int(int):
    def __add__(self, other):
        return Int(super().__add__(other) + 100)


print(Int(1) + 2, sum([Int(1)]), Int(5) * 2, type(Int(5) * 2).__name__)
try:

    class Bad(int, str):
        pass

except TypeError as error:
    print(error)
try:

    class Final(bool):
        pass

except TypeError as error:
    print(error)
try:
    type("X", (5,), {})
except TypeError as error:
    print(error)
B.__bases__ = (C,)
print([k.__name__ for k in B.mro()], B().f())
b = B()
b.__class__ = C
print(b.f(), type(b).__name__)
A.f = lambda self: ["patched"]
print(d.f())
del C.f
print(d.f())
