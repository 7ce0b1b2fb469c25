from bench import run


def positional(a, b, c):
    return a


def defaults(a, b=1, *, c=2):
    return b


def star(*args, **kwargs):
    return args


class Thing:
    def method(self, x):
        return x

    @classmethod
    def of_class(cls, x):
        return x

    @staticmethod
    def static(x):
        return x


def main(n):
    thing = Thing()
    make = lambda x: x
    for i in range(n):
        positional(i, 2, 3)
        defaults(i)
        defaults(i, c=5)
        star(i, 2, k=3)
        thing.method(i)
        Thing.of_class(i)
        thing.static(i)
        make(i)
        len("abc")
        isinstance(i, int)
    return i


run(main, 60000)
