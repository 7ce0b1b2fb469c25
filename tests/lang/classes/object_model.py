"""Corners of classes: orders and bases set from within mro(), layouts, descriptors, slots taken from other classes."""
import gc
import inspect
import operator
import warnings
import weakref


def attempt(f):
    try:
        print(f())
    except Exception as error:
        print(type(error).__name__, error)


# ---- mro() that assigns bases, and instances made before the class is ready ----
ready = False


class M(type):
    def mro(cls):
        if ready and cls.__name__ == "B1":
            B2.__bases__ = (B1,)
        if ready and cls.__name__ == "B2":
            B1.__bases__ = (B2,)
        return type.mro(cls)


class A(metaclass=M):
    pass


class B1(A):
    pass


class B2(A):
    pass


ready = True


def cycle():
    B1.__bases__ += ()


attempt(cycle)
ready = False


class Early(type):
    def mro(cls):
        if cls.__name__ == "Made":
            print(cls.__mro__, cls.__bases__)
            attempt(lambda: type("Below", (cls,), {}))
        return type.mro(cls)


class Base:
    __slots__ = ("a", "b")


class Made(Base, metaclass=Early):
    pass


class Plain:
    pass


class Both(Base, Plain):
    __slots__ = ()


both = Both()
both.anything = 1
print(both.__dict__)


# ---- names and values a class is made of ----
class Meta(type):
    def __new__(mcls, name, bases, namespace, cell=None):
        if cell is not None:
            namespace["__classcell__"] = cell
        return super().__new__(mcls, name, bases, namespace)


attempt(lambda: Meta("X", (), {}, cell=0))


class Scoped[T]:
    x: T

    def f(self):
        return __class__


print("__classdictcell__" in Scoped.__dict__, Scoped().f() is Scoped)


def outer():
    __class__ = 5

    class Inner:
        seen = __class__

        def f(self):
            return __class__

    return Inner.seen, Inner().f() is Inner


print(outer())


class Counting(type):
    count = 0

    def __init__(cls, *args):
        Counting.count += 1


class Counted(metaclass=Counting):
    pass


print(type(Counted()), Counting.count)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    type("Odd", (), {1: 2})
print([str(w.message) for w in caught])


class Forwarding:
    @classmethod
    def __new__(*args):
        return args


print(len(Forwarding(1, 2)))
print(repr(Plain()).split(" at ")[0], repr(outer).split(" at ")[0])


def local():
    class Within:
        pass

    return repr(Within()).split(" at ")[0]


print(local())


# ---- slots and their wrappers ----
class Twisted:
    pass


Twisted.__repr__ = Twisted.__str__
for f in (str, repr):
    try:
        f(Twisted())
    except RecursionError:
        print("recursion")


class Wrong(int):
    __eq__ = str.__eq__
    __hash__ = int.__hash__


attempt(lambda: Wrong(1) == Wrong(1))
attempt(lambda: object.__setattr__(str, "foo", 42))
attempt(lambda: object.__delattr__(str, "lower"))
attempt(lambda: type.__getattribute__(list, list))
attempt(lambda: type.__setattr__(Plain, 1, 2))


class Hashed:
    def __hash__(self):
        return hash("attr")

    def __eq__(self, other):
        return other == "attr"


print({Hashed(): "found"}.get("attr"), {"attr": "found"}.get(Hashed()))


class NoMethod:
    @property
    def __eq__(self):
        raise AttributeError("booh")

    __hash__ = None


attempt(lambda: NoMethod() == NoMethod())
attempt(lambda: Plain().__init__(42))


# ---- descriptors ----
class SetOnly:
    def __set__(self, instance, value):
        instance.__dict__["a"] = value


class Holder:
    a = SetOnly()


holder = Holder()
print(holder.a is Holder.__dict__["a"])
holder.a = 42
print(holder.a)


class Slotted:
    __slots__ = ("a",)


def delete(o):
    del o.a


attempt(lambda: Slotted().a)
attempt(lambda: delete(Slotted()))


class SlottedProperty(property):
    __slots__ = ("other",)


print(SlottedProperty(doc="dropped").__doc__)
print(type(complex.real).__name__, type(property.fget).__name__, type(slice.start).__name__)
attempt(lambda: setattr(property(), "fget", 1))
attempt(lambda: setattr(1j, "real", 1))
attempt(lambda: setattr(operator, "__dict__", {}))


class Reader(type, Plain):
    pass


class Read(metaclass=Reader):
    pass


attempt(lambda: Plain.__dict__["__dict__"].__set__(Read, {}))
attempt(lambda: Plain.__dict__["__dict__"].__set__(gc.collect, {}))


class Weak(Slotted):
    __slots__ = ("__weakref__",)


attempt(lambda: setattr(Weak(), "__class__", Slotted))

# ---- signatures ----
for cls in (operator.itemgetter, operator.attrgetter, list, enumerate, zip):
    print(cls.__name__, cls.__text_signature__, inspect.signature(cls))
print(inspect.signature(operator.itemgetter(1)), type.__module__)

# ---- weak references ----
target = Plain()


class Ref(weakref.ref):
    pass


first = Ref(target)
second = weakref.ref(target)
third = Ref(target)
print([r is x for r, x in zip(weakref.getweakrefs(target), (second, third, first))])


class Mute:
    def __getattr__(self, name):
        raise KeyError(name)


mute = Mute()
print(repr(weakref.ref(mute)).split(" to ")[1].split(" at ")[0])


# ---- the collector ----
class Noisy:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print(self.name, end=" ")


def circle(names):
    members = [Noisy(name) for name in names]
    for a, b in zip(members, members[1:] + members[:1]):
        a.next = b


gc.collect()
for _ in range(3):
    spare = [Noisy("") for _ in range(7)]
    del spare[::2], spare
    circle("abcdefg")
    gc.collect()
    print()


class Text(str):
    __slots__ = ()


def leak():
    class Own(str):
        __slots__ = ()

    Own.own = Own("x")
    return weakref.ref(Own)


print(gc.is_tracked(Text("x")), gc.is_tracked(Plain), gc.is_tracked(type), gc.is_tracked(object()))


class Ouch:
    count = 0

    def __del__(self):
        Ouch.count += 1
        if Ouch.count % 17 == 0:
            gc.collect()


for _ in range(2):
    chain, tree = [], {}
    for i in range(150):
        chain = [chain, Ouch()]
        tree = {1: tree, 2: Ouch()}
del chain, tree
print(Ouch.count)


# ---- arguments for a subclass ----
class Filtered(filter):
    pass


class Mapped(map):
    def __init__(self, *args, extra):
        self.extra = extra


attempt(lambda: Filtered(None, [1], extra=1))
mapped = Mapped(str, [1], extra=2)
print(list(mapped), mapped.extra)


class Hinted:
    def __iter__(self):
        return iter([1])

    def __length_hint__(self):
        print("asked")
        return 1


print(list(Hinted()))
