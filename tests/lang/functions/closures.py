def counter(start=0):
    count = start

    def step(by=1):
        nonlocal count
        count += by
        return count

    def peek():
        return count

    return step, peek


step, peek = counter(10)
print(step(), step(5), peek())
print(step.__closure__[0].cell_contents, step.__code__.co_freevars)

# Late binding of loop variables.
late = [lambda: i for i in range(3)]
early = [lambda i=i: i for i in range(3)]
print([f() for f in late], [f() for f in early])


def outer():
    def inner():
        return value

    try:
        inner()
    except NameError as error:
        print(type(error).__name__, error)
    value = 1
    print(inner())
    del value
    try:
        inner()
    except NameError as error:
        print(error)


outer()


def make():
    x = "enclosing"

    class C:
        x = "class"

        def method(self):
            return x

        seen = x

    return C


C = make()
print(C().method(), C.seen)


def deep():
    a = 1

    def one():
        def two():
            nonlocal a
            a += 1
            return a

        return two

    return one()() + one()()


print(deep())
