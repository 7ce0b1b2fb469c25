class Money:
    def __init__(self, amount):
        self.amount = amount

    def __repr__(self):
        return f"Money({self.amount})"

    def __add__(self, other):
        if isinstance(other, Money):
            return Money(self.amount + other.amount)
        if isinstance(other, int):
            return Money(self.amount + other)
        return NotImplemented

    __radd__ = __add__

    def __sub__(self, other):
        return Money(self.amount - other)

    def __rsub__(self, other):
        return Money(other - self.amount)

    def __mul__(self, other):
        return NotImplemented

    def __lt__(self, other):
        if isinstance(other, Money):
            return self.amount < other.amount
        return NotImplemented

    def __matmul__(self, other):
        return "matmul"

    def __neg__(self):
        return Money(-self.amount)

    def __invert__(self):
        return "inverted"

    def __pow__(self, other, modulus=None):
        return "pow", other, modulus

    def __rpow__(self, other):
        return "rpow", other

    def __divmod__(self, other):
        return "divmod"

    def __lshift__(self, other):
        return "<<"

    def __iand__(self, other):
        self.amount &= other
        return self


m = Money(5)
print(m + Money(3), m + 1, 1 + m, m - 1, 10 - m, -m, ~m, m @ 1, m**2, pow(m, 2, 3), 2**m, divmod(m, 1), m << 1)
print(sum([Money(1), Money(2)]), m < Money(6), m > Money(6), sorted([Money(3), Money(1)]))
m &= 4
print(m)
for bad in (lambda: m + "x", lambda: m * 2, lambda: 2 * m, lambda: m < 1, lambda: m <= m, lambda: m / 2, lambda: m[0], lambda: m(),
            lambda: +m, lambda: m | 1, lambda: len(m), lambda: 1 in m, lambda: m % 2, lambda: "x" @ m, lambda: not_defined + 1):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, error)


class Base:
    def __add__(self, other):
        return "base add"

    def __radd__(self, other):
        return "base radd"


class Derived(Base):
    def __radd__(self, other):
        return "derived radd"


class Same(Base):
    pass


print(Base() + Derived(), Derived() + Base(), Base() + Same(), 1 + Base(), Base() + 1)


class Eq:
    def __eq__(self, other):
        return "eq result"


print(Eq() == 1, 1 == Eq(), Eq() != 1, Eq() in [1], type(Eq).__hash__ is not None)
try:
    hash(Eq())
except TypeError as error:
    print(error)


class Truth:
    def __init__(self, value):
        self.value = value

    def __bool__(self):
        print("bool", self.value)
        return self.value


print((Truth(False) or Truth(True)).value, (Truth(False) and Truth(True)).value, not Truth(True))


class BadBool:
    def __bool__(self):
        return 5


class BadLen:
    def __len__(self):
        return -1


for bad in (BadBool, BadLen):
    try:
        bool(bad())
    except (TypeError, ValueError) as error:
        print(error)


class Compare:
    def __init__(self, n):
        self.n = n

    def __lt__(self, other):
        print("lt", self.n, other.n)
        return self.n < other.n


a, b, c = Compare(1), Compare(2), Compare(3)
print(a < b < c, c < b < a, a > b)
print(1 < 2 > 1 != 3, 1 == 1.0 is not True, 3 > 2 in [2])
print(5 & 3 | 4 ^ 1, 2 + 3 * 4**2 // 5 % 7, -(2**2), not 1 == 2, 1 if 0 else 2 if 0 else 3, 1 << 2 + 1)
