"""Tuples that machine code need not make, and the places where it has to after all."""
import gc
import sys


class Log:
    alive = 0

    def __init__(self, n):
        self.n = n
        Log.alive += 1

    def __del__(self):
        Log.alive -= 1


def pair(a, b):
    return a, b


def swap(n):
    a, b, c = 0, 1, 2.5
    for i in range(n):
        a, b, c = b, c, a + i
        x, y = pair(i, a)
        if i % 500 == 499:
            print(a, b, c, x, y)
    return a, b, c


def escapes(n):
    kept = []
    for i in range(n):
        t = i, i + 1, i * 0.5
        u = t
        if i % 400 == 0:
            kept.append(t)
            kept.append(u is t)
        if i % 300 == 299:
            kept.append((t, u))
            print(t is kept[-1][0] is kept[-1][1])
    return kept


def item(n):
    total = 0
    for i in range(n):
        t = i, 2 * i
        total += t[0] + t[-1] + t[1]
    return total


def objects(n):
    total = 0
    for i in range(n):
        log = Log(i)
        t = log, i
        log = None
        total += t[0].n + t[1]
        t = None
        total += Log.alive
    return total


def loops(n):
    t = 1, 2
    total = 0
    for i in range(n):
        a, b = t
        total += a + b
        if i % 100 == 0:
            t = t[1], i
    return total, t


def raises(n):
    try:
        for i in range(n):
            t = i, n - i - 1
            a, b = t
            10 // b
    except ZeroDivisionError:
        frame = sys.exc_info()[2].tb_frame
        return t, frame.f_locals["t"] is t, a, b


def wrong_count(n):
    for i in range(n):
        t = (i, i) if i < n - 1 else (i, i, i)
        try:
            a, b = t
        except ValueError as error:
            return str(error)


def branches(n):
    out = []
    for i in range(n):
        if i % 2:
            t = i, "odd"
        else:
            t = i, "even"
        u = t
        if i % 333 == 0:
            out.append((t, u, t is u))
    return out


print(swap(2000))
print(escapes(1000))
print(item(2000))
print(objects(2000), Log.alive)
print(loops(2000))
print(raises(2000))
print(wrong_count(2000))
print(branches(1000))
gc.collect()
print(Log.alive)
