from dataclasses import dataclass
from enum import Enum


@dataclass
class Point:
    x: int
    y: int


class Colour(Enum):
    RED = 1
    BLUE = 2


def describe(value):
    match value:
        case 0 | 1:
            return "small"
        case -1.5 | 2j:
            return "odd number"
        case True:
            return "true"
        case None:
            return "none"
        case "a" "b":
            return "ab"
        case str(text) if len(text) > 3:
            return f"long {text}"
        case str():
            return "string"
        case Colour.RED:
            return "red"
        case Point(0, y=0):
            return "origin"
        case Point(x, y) if x == y:
            return f"diagonal {x}"
        case Point(x=x):
            return f"point {x}"
        case []:
            return "empty"
        case [only]:
            return f"one {only}"
        case [first, *middle, last]:
            return f"{first} {middle} {last}"
        case {"kind": "a", "value": v, **rest}:
            return f"dict {v} {rest}"
        case {}:
            return "mapping"
        case int() | float() as number:
            return f"number {number}"
        case _:
            return "other"


for value in (
    1, 5, 2.5, -1.5, None, True, "ab", "hello", "x", Colour.RED, Colour.BLUE, Point(0, 0), Point(3, 3), Point(1, 2),
    [], [1], (1, 2, 3, 4), {"kind": "a", "value": 1, "z": 2}, {"q": 1}, b"bytes", {1}, range(3),
):
    print(repr(value), "->", describe(value))


class Pair:
    __match_args__ = ("left", "right")

    def __init__(self, left, right):
        self.left, self.right = left, right


match Pair(1, Pair(2, 3)):
    case Pair(a, Pair(b, c)):
        print(a, b, c)
match Pair([1, 2], {"k": (5,)}):
    case Pair([x, _], right={"k": [z]}):
        print(x, z)
try:
    match Pair(1, 2):
        case Pair(1, 2, 3):
            pass
except TypeError as error:
    print(error)
try:
    match 5:
        case print():
            pass
except TypeError as error:
    print(error)


def command(words):
    match words.split():
        case ["go", ("north" | "south") as direction]:
            return direction
        case ["drop", *things]:
            return things
        case _:
            return "?"


print(command("go north"), command("drop a b"), command("go up"))
match 5:
    case 6:
        print("no")
match [1, [2, [3]]]:
    case [a, [b, [c]]]:
        print(a + b + c)
match = 1
case = 2
print(match, case)
