"""Comprehensions in hot loops."""
import sys


def squares(n):
    total = 0
    for i in range(n):
        total += sum([j * j for j in range(5)])
        total += len([k for k in range(i % 7) if k % 2])
    return total


def free(n):
    out = []
    for i in range(n):
        scale = i
        out = [x * scale for x in out[:3]] + [scale + y for y in (1, 2)]
    return out


def nested(n):
    rows = [[i + j for j in range(3)] for i in range(4)]
    total = 0
    for i in range(n):
        flat = [x + i for row in rows for x in row if x != i]
        total += sum(flat) + len({x: i for x in flat}) + len({x % 3 for x in flat})
    return total


def scope(n):
    x = "outer"
    for i in range(n):
        y = [x for x in range(3)]
    return x, y


def raises(n):
    try:
        for i in range(n):
            z = [10 // (j - i) for j in range(n - 1, n + 5)]
    except ZeroDivisionError:
        tb = sys.exc_info()[2]
        names = []
        while tb:
            names.append((tb.tb_frame.f_code.co_name, tb.tb_lineno))
            tb = tb.tb_next
        return i, len(z), names[-1][1]


def where(n):
    for i in range(n):
        names = [sys._getframe(0).f_lineno for _ in range(2)]
    return names


def cells(n):
    fs = []
    for i in range(n):
        fs = [lambda j=j: j + i for j in range(3)]
    return [f() for f in fs]


print(squares(2000), free(500)[-2:], nested(300), scope(500))
print(raises(500), where(300), cells(300))
