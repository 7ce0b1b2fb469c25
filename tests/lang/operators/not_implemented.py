"""Methods behind operators that do not do it: others are asked, in order."""

log = []


class A:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name

    def __add__(self, other):
        log.append(('A.add', self, other))
        return NotImplemented

    def __radd__(self, other):
        log.append(('A.radd', self, other))
        return f'{other}+{self}'

    def __lt__(self, other):
        log.append(('A.lt', self, other))
        return NotImplemented

    def __gt__(self, other):
        log.append(('A.gt', self, other))
        return [] if other is self else [1]

    def __eq__(self, other):
        log.append(('A.eq', self, other))
        return NotImplemented

    __hash__ = None


class B(A):
    def __radd__(self, other):
        log.append(('B.radd', self, other))
        return NotImplemented


class C:
    def __repr__(self):
        return 'c'

    def __radd__(self, other):
        log.append(('C.radd', self, other))
        return 'sum'

    def __mul__(self, other):
        yield self
        yield other


def attempt(f):
    log.clear()
    try:
        result = f()
    except TypeError as error:
        result = error
    print(result, log)


a, a2, b, c = A('a'), A('a2'), B('b'), C()
attempt(lambda: a + a2)
attempt(lambda: a + b)
attempt(lambda: b + a)
attempt(lambda: a + c)
attempt(lambda: c + a)
attempt(lambda: a + 1)
attempt(lambda: 1 + a)
attempt(lambda: a + [1])
attempt(lambda: a < a2)
attempt(lambda: a < 1)
attempt(lambda: a < b)
attempt(lambda: a == a)
attempt(lambda: a == a2)
attempt(lambda: a != a2)
attempt(lambda: list(c * 5))


def inplace():
    x = a
    x += 1


def inplace_power():
    x = c
    x **= 1


attempt(inplace)
attempt(inplace_power)


def ways():
    taken = []
    if a < a2:
        taken.append('a < a2')
    if a < a:
        taken.append('a < a')
    if a == a:
        taken.append('a == a')
    if not a == a2:
        taken.append('not a == a2')
    n = 0
    while a > a2 and n < 3:
        n += 1
    return taken, n


attempt(ways)


class Truth:
    def __bool__(self):
        raise ValueError('no truth')


class D:
    def __eq__(self, other):
        return Truth()

    def __sub__(self, other):
        raise KeyError(other)


def raises(f):
    try:
        f()
    except Exception as error:
        print(type(error).__name__, error)


def test():
    if D() == D():
        print('never')


raises(test)
raises(lambda: D() - 'x')


class Endless:
    def __add__(self, other):
        return self + other

    def __eq__(self, other):
        return self == other


def endless_add():
    Endless() + 1


def endless_eq():
    if Endless() == 1:
        pass


for f in endless_add, endless_eq:
    try:
        f()
    except RecursionError as error:
        print(str(error).startswith('maximum recursion depth exceeded'))


def total(items):
    sum = Vector(0, 0)
    for item in items:
        sum = sum + item
        sum += item
    return sum


class Vector:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        if not isinstance(other, Vector):
            return NotImplemented
        return Vector(self.x + other.x, self.y + other.y)

    def __iadd__(self, other):
        self.x += other.x
        self.y += other.y
        return self

    def __repr__(self):
        return f'<{self.x}, {self.y}>'


print(total([Vector(1, 2), Vector(3, 4)]))


def generator():
    got = yield a + c
    yield got == a
    yield a > a2


g = generator()
print(next(g), g.send(a), next(g))
