"""Loops, exchanges, unpacking, slices and tests at the edges of what the loop does at once."""
import sys
import traceback


class Counter:
    def __init__(self, stop, fail=None):
        self.at, self.stop, self.fail = 0, stop, fail

    def __iter__(self):
        return self

    def __next__(self):
        self.at += 1
        if self.at == self.fail:
            raise ValueError(self.at)
        if self.at > self.stop:
            raise StopIteration
        return self.at


def lines(f, *args):
    try:
        f(*args)
    except Exception as e:
        first = f.__code__.co_firstlineno
        return type(e).__name__, str(e), [t[1] - first for t in traceback.extract_tb(e.__traceback__)][1]


def failing(iterator):
    for x in iterator:
        if x == 1:
            continue
        x + 1
    return x


def looped(iterator):
    seen = []
    for x in iterator:
        if x % 2:
            continue
        seen.append(x)
        if x > 6:
            break
    else:
        seen.append('end')
    return seen


print(lines(failing, Counter(5, 1)), lines(failing, Counter(5, 2)), lines(failing, Counter(5, 4)))
print(looped(range(6)), looped(range(20)), looped([1, 2, 3]), looped(Counter(4)), looped(x for x in (2, 4, 9)))


def nested(n):
    for i in range(n):
        for j in (k for k in range(i)):
            for l in [i, j]:
                if l == 1:
                    continue
                yield i, j, l


print(list(nested(4)))


def tracing(n):
    events = []

    def trace(frame, event, arg):
        events.append((event, frame.f_lineno - tracing.__code__.co_firstlineno))
        return trace

    def numbers():
        for i in range(n):
            if i == 1:
                sys.settrace(trace)
                sys._getframe(1).f_trace = trace
            yield i
    total = 0
    for x in numbers():
        total += x
    sys.settrace(None)
    return total, events[-4:]


total, events = tracing(4)
print(total, [e for e in events if e[0] == 'line'][-1:])


def exchanges():
    a, b = 1, [2]
    a, b = b, a
    c = a, b
    b, a = a, b
    a, b = a, b
    x = y = 0
    y, x = 5, y
    return a, b, c, x, y


print(exchanges())


def unbound():
    a = 1
    a, b = b, a


try:
    unbound()
except UnboundLocalError as e:
    print(e)


def pair(p):
    a = b = None
    try:
        a, b = p
    except (TypeError, ValueError) as e:
        return str(e), a, b
    return a, b


def own(a):
    a, b = a
    b, a = a, b
    return a, b


print(pair((1, 2)), pair([1, 2]), pair('xy'), pair({1: 2, 3: 4}), pair(iter((5, 6))))
print(pair((1,)), pair([1, 2, 3]), pair(5), pair(Counter(1)), pair(Counter(9)), own((1, 2)))


class Dying:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print('del', self.name, sys._getframe(1).f_lineno - deaths.__code__.co_firstlineno)


def deaths():
    a, b = Dying('a'), Dying('b')
    a, b = (1, 2)
    for a in [Dying('c'), 3]:
        pass


deaths()


def slices(s, k=2):
    part = s[k::-1], s[::2], s[-1:0:-2], s[::-1], s[1:None:1], s[5:1:-1], s[k:k:k]
    for step in (0, 'x', True):
        try:
            part += s[::step],
        except (ValueError, TypeError) as e:
            part += str(e),
    return part


class Items:
    def __getitem__(self, key):
        return key


class L(list):
    def __getitem__(self, key):
        return 'L', key


for s in [0, 1, 2, 3], (0, 1, 2, 3), 'abcd', b'abcd', Items(), L([1]):
    print(slices(s))


def replace(l, m, k):
    l[:k + 1] = l[k::-1]
    kept = m
    l[1:3] = m
    l[1:1] = [7]
    l[4:] = l[:2]
    l[2:1] = l
    return l, kept, m


print(replace([0, 1, 2, 3, 4], [8, 9, 10], 2))


class Equal:
    def __init__(self, answer):
        self.answer = answer

    def __eq__(self, other):
        print('eq', other)
        return self.answer

    def __hash__(self):
        return 1


nan = float('nan')
print(3 in (1, 2.0, 3), 3.0 in [1, 3], True in (1,), 'a' in ('b', 'a'), None in [0, None], nan in (nan,), nan in [float('nan')])
print(Equal(True) in [1, 'a'], 1 in [Equal(False), Equal(True)], 'x' in (1, None, Equal(False)))
print((1, 'a') in [(1, 'b'), (1, 'a')], (1.0, nan) in [(1, nan)], [1] in ([2], [1]))
d = {1: 'one', 'k': 'str', (1, 2): 'pair', (1, Equal(False)): 'odd', None: 'none', 2.5: 'float'}
print(d[1], d[1.0], d[True], d['k'], d[1, 2], d[1.0, 2], d[None], d[2.5], (1, 3) in d, 'q' in d, 7 in d)
d2 = {Equal(True): 'asked'}
print(d2[1], 1 in d2, 2 in d2)
big = {2 ** 61 - 1: 'm', 2 ** 61: 'n', -1: 'a', -2: 'b', 1 << 62: 'c', -(1 << 62): 'd'}
print([hash(k) for k in big], [big[k] for k in big], big.get(0), big.get(1))
print({1, 'a', (2, 3)} == {(2, 3), 1.0, 'a'}, (2, 3) in {(2, 3)}, 2 in {2.0}, 'ab' in {'a', 'ab'})


def truths(values):
    return [('T' if v else 'F') + ('t' if not v else 'f') + str(v and 1) + str(v or 2) for v in values]


class Falsy:
    def __bool__(self):
        return False

    def __repr__(self):
        return 'Falsy'


class Sub(list):
    def __len__(self):
        return 0


print(truths([0, 1, -1, 0.0, 0.5, None, '', 'a', [], [0], (), (0,), {}, {1: 2}, Falsy(), Sub([1]), -0.0, 10 ** 30, set()]))
