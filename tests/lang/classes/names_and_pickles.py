import inspect
import pickle
from collections.abc import Collection, Mapping, Sequence


def attempt(f):
    try:
        print(f())
    except Exception as error:
        print(type(error).__name__, error)


class C:
    pass


print(C.__name__ is C.__name__, C.__qualname__ is C.__qualname__)
C.__name__ = "D"
print(C.__name__, C.__qualname__)
attempt(lambda: pickle.dumps(dict.__dict__["fromkeys"]))
attempt(lambda: pickle.loads(b"c\nlog\n."))
attempt(lambda: pickle.loads(b"c\xff\nlog\n."))


def both():
    class Both(Collection):
        __abc_tpflags__ = Sequence.__flags__ | Mapping.__flags__


attempt(both)
attempt(lambda: type(both)(both.__code__, {}, "f", 1))
attempt(lambda: type(both)(both.__code__, {}, "f", None, None, 3))
attempt(lambda: setattr(int | str, "__args__", ()))
attempt(lambda: setattr(list[int], "__args__", ()))
