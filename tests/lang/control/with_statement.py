from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress


class Manager:
    def __init__(self, name, swallow=False):
        self.name, self.swallow = name, swallow

    def __enter__(self):
        print("enter", self.name)
        return self.name

    def __exit__(self, kind, error, traceback):
        print("exit", self.name, kind and kind.__name__, error, traceback is not None)
        return self.swallow


with Manager("a") as a, Manager("b") as b:
    print(a, b)

with Manager("s", swallow=True):
    raise ValueError("gone")

try:
    with Manager("outer"), Manager("inner"):
        1 / 0
except ZeroDivisionError as error:
    print("caught", error)


def returns():
    with Manager("r"):
        return "value"


print(returns())
for i in range(3):
    with Manager(i):
        if i == 1:
            break

with (
    Manager("x") as x,
    Manager("y"),
):
    print("parenthesized", x)


@contextmanager
def managed(name):
    print("start", name)
    try:
        yield name.upper()
    except KeyError as error:
        print("handled", error)
    finally:
        print("end", name)


with managed("g") as g:
    print(g)
with managed("k"):
    raise KeyError("k")


@managed("decorator")
def function():
    print("in function")


function()
with suppress(ZeroDivisionError):
    1 / 0
with ExitStack() as stack:
    for n in "12":
        stack.enter_context(managed(n))
    stack.callback(print, "callback")
with nullcontext(5) as five:
    print(five)


class NoExit:
    def __enter__(self):
        pass


try:
    with NoExit():
        pass
except TypeError as error:
    print(error)
try:
    with 5:
        pass
except TypeError as error:
    print(error)


class Target:
    pass


t = Target()
with Manager("attr") as t.name:
    pass
items = [0]
with Manager("item") as items[0]:
    pass
print(t.name, items)
