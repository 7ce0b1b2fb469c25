T = "global"


class C:
    T = "class"
    type Plain = T
    type Generator = (T for _ in (1,))
    type Listed = [T for _ in (1,)]
    type Called = lambda: T

    def method[U: T](self, x: T, y: [T for _ in (1,)], z: lambda: T): ...


print(C.Plain.__value__, list(C.Generator.__value__), C.Listed.__value__, C.Called.__value__())
annotations = C.method.__annotations__
print(annotations["x"], annotations["y"], annotations["z"](), C.method.__type_params__[0].__bound__)


# Later changes of the class are seen by what is evaluated later.
class Later:
    T = int

    def method[U: T](self): ...

    type Alias = T


Later.T = float
print(Later.method.__type_params__[0].__bound__, Later.Alias.__value__)
print([name for name in vars(Later) if name.startswith("__class")])


class __X:
    pass


# Names in the parameters and bases of a generic class are not mangled, but for the parameters themselves.
class Y[T: __X, __P](list[(lambda: (lambda: __X))()()]):
    p = __P


print(Y.__type_params__[0].__bound__.__name__, Y.__orig_bases__[0].__args__[0].__name__, Y.p)

for source in (
    "[i for i in (lambda: (j := range(5)))()]",
    "[i for i in [j for j in range(5) if (j := True)]]",
    "class A:\n def f(self):\n  [[(__x := 2) for _ in range(2)] for __x in range(2)]",
    "match x:\n case f'':\n  pass",
):
    try:
        compile(source, "source", "exec")
    except SyntaxError as e:
        print(e.msg, e.lineno)

import warnings

for source in ("0xfor x", "1if x else 2", "0b1in x", "1.5jand x", "1 if x else 2"):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compile(source, "source", "eval")
    print(source, [str(w.message) for w in caught])

for source in (b"# coding: nowhere\nx", b"\xef\xbb\xbf# coding: latin-1\nx"):
    try:
        compile(source, "source", "exec")
    except SyntaxError as e:
        print(e.msg, e.lineno, e.offset)
compile(b"# coding: latin\nx = '\x85'", "source", "exec")


def keywords(**kwargs): ...


try:
    keywords(**{1: 2}, **{1: 3})
except TypeError as e:
    print(e)

import collections
import collections.abc


def kind(x):
    match x:
        case [*_]:
            return "sequence"
        case {}:
            return "mapping"


class S(collections.UserList, collections.abc.Mapping):
    pass


class M(collections.UserDict, collections.abc.Sequence):
    __len__ = collections.UserDict.__len__


print(kind(S()), kind(M()))
