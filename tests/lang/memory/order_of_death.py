# What dies first when several objects die at once.


class Witness:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print(self.name, end=" ")


def section(name):
    print()
    print(name, end=": ")


def variables():
    a, b, c = Witness("a"), Witness("b"), Witness("c")


section("variables")
variables()


def parameters(a, *rest, b=None, **more):
    c = Witness("c")


section("parameters")
parameters(Witness(1), Witness(2), b=Witness("b"), d=Witness("d"))


def cells():
    a, b, c = Witness("a"), Witness("b"), Witness("c")

    def inner():
        return a, c


section("cells")
cells()


def raises():
    a, b = Witness("a"), Witness("b")
    raise ValueError(Witness("argument"))


section("raised")
try:
    raises()
except ValueError:
    print("caught", end=" ")

section("traceback held")
try:
    raises()
except ValueError as error:
    frame = error.__traceback__.tb_next.tb_frame
print("caught", end=" ")
del frame

section("traceback cleared")
try:
    raises()
except ValueError as error:
    frame = error.__traceback__.tb_next.tb_frame
frame.clear()
print("cleared", end=" ")
del frame


def generator():
    a, b = Witness("a"), Witness("b")
    for c in (Witness(1), Witness(2)):
        yield c


section("generator")
suspended = generator()
next(suspended)
del suspended


def early():
    for a in (Witness(1), Witness(2)):
        for b in [Witness(3)]:
            return 6


section("early return")
early()

section("arguments not passed")
try:
    print(Witness(1), Witness(2), 1 / 0)
except ZeroDivisionError:
    pass

section("items not put together")
try:
    [Witness(1), Witness(2), 1 / 0]
except ZeroDivisionError:
    pass

section("list")
[Witness(1), Witness(2), Witness(3)]
section("clear")
items = [Witness(1), Witness(2), Witness(3)]
items.clear()
section("slice deleted")
items = [Witness(1), Witness(2), Witness(3)]
del items[:2]
print("-", end=" ")
del items
section("slice assigned")
items = [Witness(1), Witness(2), Witness(3)]
items[:2] = []
print("-", end=" ")
del items
section("every second deleted")
items = [Witness(1), Witness(2), Witness(3)]
del items[::2]
print("-", end=" ")
del items
section("tuple")
(Witness(1), Witness(2), Witness(3))
section("dict")
{1: Witness(1), 2: Witness(2)}
print()
