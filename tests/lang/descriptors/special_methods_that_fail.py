# Descriptors in the place of special methods that raise, and calls of slot wrappers.
import sys


class Fails:
    def __get__(self, instance, owner):
        raise KeyError("descriptor")


for name, use in [
    ("__eq__", lambda a: a == 1), ("__lt__", lambda a: a < 1), ("__ge__", lambda a: 1 <= a),
    ("__add__", lambda a: a + 1), ("__hash__", hash), ("__del__", lambda a: None),
]:
    kind = type("Kind", (), {name: Fails()})
    try:
        print(name, use(kind()))
    except Exception as error:
        print(name, type(error).__name__, error)

for method in (2).__pow__, (2).__rpow__:
    print(method(3), method(3, 5), method(3, None))
    for arguments in (), (1, 2, 3):
        try:
            method(*arguments)
        except TypeError as error:
            print(error)


class BadHash:
    def __hash__(self):
        return 1.0


class MyClassMethod(classmethod):
    pass


class MyStaticMethod(staticmethod):
    pass


try:
    hash(BadHash())
except TypeError as error:
    print(error)
print(MyClassMethod(None), MyStaticMethod(None))
try:
    {}.update([(1, 2), 5])
except TypeError as error:
    print(error, error.__notes__)


class Dying:
    def __del__(self):
        1 / 0


def show(report):
    print(report.err_msg.split(" at 0x")[0], report.object)


sys.unraisablehook = show
Dying()
