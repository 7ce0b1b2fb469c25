# Calls of native functions and methods in hot loops, comprehensions, iterators that come to their end.
import io
import math
import struct
import sys
import time


def bound(n):
    a = []
    push, pop, put = a.append, a.pop, a.insert
    out = io.BytesIO()
    write = out.write
    for i in range(n):
        push(i)
        put(0, -i)
        if len(a) > 5:
            pop()
            pop(0)
        write(b"ab")
        write(struct.pack("<H", i))
    return a, out.tell(), out.getvalue()[-6:]


print(bound(300))


class Writer:
    def __init__(self, file):
        self.file = file
        self.write = file.write

    def put(self, n):
        for i in range(n):
            self.write(b"xy")
            self.file.write(b"z")
        return self.file.tell()


print([Writer(io.BytesIO()).put(50) for i in range(20)][-1])


def modules(n):
    t = 0.0
    for i in range(n):
        t += math.sqrt(i) + math.floor(i / 3)
        assert time.perf_counter() > 0
    return round(t, 6)


print(modules(300))


def depth():
    frame, names = sys._getframe(1), []
    while frame:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    # Comprehensions may have frames of their own.
    return [name for name in names if "comp" not in name][0]


def frames(n):
    names = set()
    for i in range(n):
        names.update([depth() for k in range(2)])
        names |= {depth() for k in range(2)}
    return sorted(names)


print(frames(100))


class Dies:
    def __init__(self, log):
        self.log = log

    def __del__(self):
        self.log.append(sys._getframe(1).f_code.co_name)


def ends(n):
    log = []
    total = 0
    for i in range(n):
        for x in [Dies(log), Dies(log)]:
            total += len(log)
        for x in (Dies(log),):
            total += 1
        for k in {"a": Dies(log)}:
            total += 1
        x = None
    return total, len(log), set(log)


print(ends(100))


def last(n):
    found = []
    for i in range(n):
        for x in [[i], [i + 1]]:
            pass
        found.append(x)
    return found[-2:], sum(x[0] for x in found)


print(last(200))


def shared(n):
    it = iter([1, 2, 3] * n)
    out = []
    for x in it:
        out.append(x)
        for y in it:
            out.append(-y)
            break
    return sum(out), list(it)


print(shared(200))


def comprehensions(n):
    k = 3
    out = None
    for i in range(n):
        a = [x * i for x in range(5) if x != k]
        b = {x: x + k for x in a}
        c = {x % 3 for x in a}
        d = [[x + y + k for x in range(2)] for y in a[:2]]
        e = [lambda: x for x in a]
        f = [v for key in b for v in (key, k)]
        out = a, b, c, d, e[0](), f, i
    return out


print(comprehensions(150))


def fails(n):
    lines = []
    for i in range(n):
        try:
            [10 // (x - i) for x in range(400) if x > 150]
        except ZeroDivisionError as e:
            tb = e.__traceback__
            names = []
            while tb:
                names.append((tb.tb_frame.f_code.co_name, tb.tb_lineno - fails.__code__.co_firstlineno))
                tb = tb.tb_next
            lines.append(tuple(names))
    return len(lines), {names[0] for names in lines}


print(fails(200))


def backwards(n):
    a = list(range(10))
    t = 0
    for i in range(n):
        for j in reversed(range(10)):
            t += a[j] * j
        for j in reversed(range(2, i % 5)):
            t += a[-j]
        a[-(i % 10) - 1] = i
        a[-1] += 1
        t += a[-(i % 3)]
    try:
        for i in range(n):
            t += a[i - 150]
    except IndexError as e:
        print(e, i)
    try:
        for i in range(n):
            a[-i] = 0
    except IndexError as e:
        print(e, i)
    return t, a


print(backwards(300))


def maps(n):
    d = {}
    for i in range(n):
        d[i % 10] = i
        for k in d.keys():
            pass
        for v in d.values():
            pass
        e = d.copy()
        e[k] = v
        x = sorted(d.items())[-1]
    return d, e is d, k, v, x


print(maps(200))


def regular(n):
    import re

    p = re.compile(r"(\d+)-(\w+)")
    t = 0
    for i in range(n):
        m = p.match(f"{i}-abc")
        if m:
            t += int(m.group(1)) + len(m.group(2)) + m.end()
        if p.match("x"):
            t += 1
    return t


print(regular(200))


def own(n):
    class List(list):
        def append(self, x):
            list.append(self, x * 2)

        def pop(self):
            return "popped"

    out = []
    for i in range(n):
        a = List() if i > n - 20 else []
        a.append(i)
        out.append(a.pop())
    return out[-21:]


print(own(200))
