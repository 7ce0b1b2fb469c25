"""Loops over lists and enumerations, whose iterators machine code need not make."""
import sys


class Log:
    dead = []

    def __init__(self, n):
        self.n = n

    def __del__(self):
        Log.dead.append(self.n)


def plain(rows, n):
    total = 0
    for k in range(n):
        for row in rows:
            for x in row:
                if x == 7:
                    break
                total += x
            else:
                total += 100
    return total


def numbered(items, n):
    total = 0
    for k in range(n):
        for i, x in enumerate(items):
            total += i * x
        for pair in enumerate(items):
            total += pair[0] - pair[1]
    return total, pair


def grows(n):
    out = 0
    for k in range(n):
        items = [1, 2, 3]
        for x in items:
            if len(items) < 6:
                items.append(x * 10)
            out += x
        for i, x in enumerate(items):
            if i == 2:
                items.clear()
            out += i
    return out


def rebinds(n):
    out = 0
    for k in range(n):
        items = [Log(k), Log(k)]
        for log in items:
            items = None
            out += log.n
        log = None
        out += len(Log.dead)
        Log.dead.clear()
    return out


def escapes(n):
    kept = []
    for k in range(n):
        it = iter([k, k + 1, k + 2])
        for x in it:
            if k % 100 == 0:
                kept.append((x, next(it, None)))
        e = enumerate([k, k])
        for i, x in e:
            if k % 150 == 149:
                kept.append((i, list(e)))
    return kept


def raises(n):
    out = []
    for k in range(n):
        try:
            for i, x in enumerate([1, 2, 0, 4]):
                10 // x
        except ZeroDivisionError:
            out.append(i)
        for x in [5, "a", 7]:
            try:
                out.append(x + 1)
            except TypeError:
                pass
    return sum(out)


def alive(n):
    counts = []
    for k in range(n):
        items = [k]
        before = sys.getrefcount(items)
        for x in items:
            counts.append(sys.getrefcount(items) - before)
    return set(counts)


def mixed(n):
    out = []
    for k in range(n):
        source = [1, 2] if k % 2 else (3, 4)
        for x in source:
            if k > n - 3:
                out.append(x)
        for i, x in enumerate(source, 5):
            if k > n - 3:
                out.append((i, x))
    return out


def tuples(n):
    total = 0
    out = []
    for k in range(n):
        for dx, dy in ((0, 1), (1, 0), (k, -k)):
            total += dx * 3 + dy
        for x in 1, 2.5, "text", None:
            if x is None:
                break
        t = (k,) * (k % 7)
        for i, x in enumerate(t):
            total += i + x
        for x in t:
            if k == n - 2:
                out.append((x, sys._getframe(0).f_locals["x"]))
            if k == n - 1:
                return total, out, x


def tuple_dies(n):
    out = 0
    for k in range(n):
        for log in (Log(k), Log(k + 1)):
            out += log.n
        del log
        out += len(Log.dead)
        Log.dead.clear()
    return out


rows = [[1, 2, 3], [4, 7, 9], [], [5] * 20]
print(plain(rows, 300), numbered([3, 1, 4, 1, 5], 300), grows(300))
print(rebinds(300), escapes(400), raises(300))
print(alive(300), mixed(300))
print(tuples(300), tuple_dies(300))
