from dataclasses import FrozenInstanceError, asdict, astuple, dataclass, field, fields, replace
from enum import Enum, Flag, IntEnum, auto, unique


@dataclass(order=True)
class Item:
    name: str
    price: float = 1.5
    tags: list = field(default_factory=list, compare=False)
    hidden: int = field(default=0, repr=False)

    def __post_init__(self):
        self.name = self.name.title()


a, b = Item("apple"), Item("pear", 2, ["x"])
print(a, b, a < b, a == Item("apple", tags=[1]), [f.name for f in fields(Item)])
print(asdict(b), astuple(a), replace(a, price=3))


@dataclass(frozen=True)
class Frozen:
    x: int
    y: int = 0


f = Frozen(1)
try:
    f.x = 5
except FrozenInstanceError as error:
    print(error)
print(hash(f) == hash(Frozen(1)), {f: 1}[Frozen(1, 0)])


@dataclass(slots=True, kw_only=True)
class Slotted:
    value: int

    @property
    def double(self):
        return self.value * 2


print(Slotted(value=4).double, Slotted.__slots__)
try:
    Slotted(4)
except TypeError as error:
    print(error)
try:

    @dataclass
    class Wrong:
        x: list = []

except ValueError as error:
    print(error)


@dataclass
class Child(Item):
    extra: str = "e"


print(Child("c"), Child.__match_args__)


class Colour(Enum):
    RED = 1
    GREEN = "g"
    ALIAS = 1

    @property
    def pretty(self):
        return self.name.lower()


print(Colour.RED, repr(Colour.GREEN), Colour(1), Colour["GREEN"], Colour.ALIAS is Colour.RED, list(Colour), Colour.RED.pretty)
print(Colour.RED.value, Colour.__members__.keys(), Colour.RED in Colour, isinstance(Colour.RED, Colour))
for bad in (lambda: Colour(9), lambda: Colour["X"], lambda: setattr(Colour, "RED", 2)):
    try:
        bad()
    except Exception as error:
        print(type(error).__name__, error)


class Level(IntEnum):
    LOW = auto()
    HIGH = auto()


print(Level.LOW < Level.HIGH, Level.HIGH + 1, sorted(Level, reverse=True), f"{Level.LOW}", Level(2))


class Perm(Flag):
    R = auto()
    W = auto()
    X = auto()


print(Perm.R | Perm.W, Perm.R in (Perm.R | Perm.X), ~Perm.R, Perm(0), bool(Perm.R & Perm.W), list(Perm.R | Perm.X))


@unique
class Unique(Enum):
    A = 1


class Planet(Enum):
    EARTH = (1, 2)

    def __init__(self, mass, radius):
        self.mass, self.radius = mass, radius


print(Planet.EARTH.mass, Planet.EARTH.value, {Colour.RED: 1}[Colour(1)])
