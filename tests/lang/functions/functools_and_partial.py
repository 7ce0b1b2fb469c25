import functools
import operator

add = functools.partial(operator.add, 5)
print(add(3), add.func is operator.add, add.args, functools.reduce(operator.mul, [1, 2, 3, 4]), functools.reduce(lambda a, b: a + b, [], 7))


@functools.singledispatch
def show(value):
    return f"object {value}"


@show.register
def _(value: int):
    return f"int {value}"


@show.register(list)
def _(value):
    return f"list {len(value)}"


print(show(1), show([1, 2]), show("s"), show(True))


@functools.total_ordering
class Version:
    def __init__(self, n):
        self.n = n

    def __eq__(self, other):
        return self.n == other.n

    def __lt__(self, other):
        return self.n < other.n


print(Version(1) <= Version(1), Version(2) > Version(1), Version(1) >= Version(2))


class Cached:
    @functools.cached_property
    def value(self):
        print("computing")
        return 42

    @functools.partialmethod
    def nothing(self):
        pass

    def scaled(self, by, n):
        return by * n

    double = functools.partialmethod(scaled, 2)


c = Cached()
print(c.value, c.value, c.__dict__, c.double(5))
print(sorted(["bb", "a", "ccc"], key=functools.cmp_to_key(lambda a, b: len(b) - len(a))))


@functools.lru_cache(maxsize=2)
def square(n):
    print("square", n)
    return n * n


print([square(n) for n in (1, 2, 1, 3, 2)], square.cache_info())
square.cache_clear()
print(square.cache_info().hits)


def compose(*functions):
    return functools.reduce(lambda f, g: lambda x: f(g(x)), functions, lambda x: x)


print(compose(str, abs, int)("-5"), (lambda *a, k=1, **kw: (a, k, kw))(1, k=2, z=3))
f = lambda: None
f.attribute = 1
print(f.__name__, f.attribute, f.__dict__, f.__defaults__, f.__code__.co_argcount, callable(f))
print(operator.methodcaller("upper")("x"), operator.attrgetter("a.b")(type("T", (), {"a": type("U", (), {"b": 1})})))
