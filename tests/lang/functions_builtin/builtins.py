print(abs(-3), bin(5), bool([]), chr(97), ord("a"), divmod(7, 2), hex(16), max("abc"), min(3, 1), pow(2, 5), round(2.567, 1), sum([1, 2], 10))
print(callable(print), isinstance(1, (str, int)), issubclass(bool, int), hash("a") == hash("a"), id(1) == id(1), len("abc"))
print(list(map(str, [1, 2])), list(filter(lambda n: n > 1, [1, 2, 3])), sorted([2, 1]), list(zip([1], "a")), list(enumerate("a")))
print(repr("x"), ascii("é"), format(3.14159, ".2f"), str(None), type(1), type("").__name__, vars(type("T", (), {"a": 1}))["a"])
print(getattr("x", "nope", "default"), hasattr("x", "upper"), dir(type("E", (), {"attr": 1}))[-1], all([1, 0]), any([0, 1]))
print(slice(1, 5, 2), slice(3).indices(10), [1, 2, 3][slice(0, 2)], range(3), bytes("é", "utf-8"), bytearray(2), frozenset([1]), complex(1, 2))
print(int("7"), float("2.5"), str(b"x", "ascii"), tuple("ab"), set([1, 1]), dict(a=1), object() != object(), NotImplemented, Ellipsis, ...)
print(max([], default="none"), max("aa", "b", key=len), min([3, 1], [2], key=sum), sorted({"b": 1, "a": 2}), sum(x for x in [1.5, 2]), next(iter("z")))
for bad in (lambda: max([]), lambda: len(5), lambda: ord("ab"), lambda: sum(["a"]), lambda: abs("x"), lambda: int(), lambda: round("x"), lambda: sorted(5),
            lambda: getattr(1, "x"), lambda: isinstance(1, 5), lambda: iter(1), lambda: hash([]), lambda: chr(1 << 30), lambda: print(sep=1), lambda: type(1, 2),
            lambda: range(1, 2, 0), lambda: range(1.5), lambda: zip(1), lambda: open("/nonexistent/file"), lambda: input.nope, lambda: max(1), lambda: divmod(1, 0)):
    try:
        bad()
    except Exception as error:
        print(type(error).__name__, error)
print(1, 2, sep="-", end="!\n")
print()
print("a", "b", sep="")
print(*[1, 2], sep="\n")
x = 5
print(eval("x + 1"), [].__class__, (5).__add__(3), int.__add__(1, 2), "".join.__name__, str.upper("a"))
print(__name__, print.__name__, len.__doc__ is not None, sorted.__module__)


class Rounded:
    def __round__(self, n=None):
        return f"rounded {n}"

    def __abs__(self):
        return "abs"

    def __index__(self):
        return 3

    def __bool__(self):
        return False

    def __len__(self):
        return 4

    def __reversed__(self):
        return iter("rev")

    def __dir__(self):
        return ["b", "a"]

    def __format__(self, spec):
        return f"[{spec}]"


r = Rounded()
print(round(r), round(r, 2), abs(r), [0, 1, 2, 3][r], bool(r), len(r), list(reversed(r)), dir(r), format(r, "s"), hex(r), "abcd"[r], range(5)[r])
