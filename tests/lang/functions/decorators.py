import functools


def trace(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        print("call", f.__name__, args, kwargs)
        return f(*args, **kwargs)

    return wrapper


def repeat(times):
    def decorate(f):
        def wrapper(*args):
            return [f(*args) for _ in range(times)]

        return wrapper

    return decorate


@trace
def add(a, b):
    "Adds."
    return a + b


print(add(1, b=2), add.__name__, add.__doc__, add.__wrapped__(3, 4))


@repeat(3)
@trace
def hello(name):
    return f"hello {name}"


print(hello("x"))


class Register:
    def __init__(self):
        self.found = []

    def __call__(self, thing):
        self.found.append(thing.__name__)
        return thing


register = Register()


@register
class A:
    @register
    def method(self):
        pass


print(register.found)

table = {"k": [lambda f: f()]}


@table["k"][0]
def value():
    return 42


print(value)


def order(n):
    print("evaluated", n)

    def apply(f):
        print("applied", n)
        return f

    return apply


@order(1)
@order(2)
def f():
    pass


@functools.lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


print(fib(80), fib.cache_info())
