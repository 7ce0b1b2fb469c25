# Operations on builtin containers in hot loops: values, errors, and what is shared.
import sys


def dicts(keys, d):
    total = 0
    for k in keys:
        if k in d:
            total += d[k]
            d[k] = d[k] + 1
        else:
            d[k] = 1
        total += d.get(k, 5) + len(d)
    return total


print(dicts([i % 7 for i in range(1000)], {}))
print(dicts([str(i % 7) for i in range(1000)], {}))
print(dicts([(i % 3, "x") for i in range(1000)], {}))


class Key:
    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return 1

    def __eq__(self, other):
        return isinstance(other, Key) and self.n == other.n


print(dicts([Key(i % 3) for i in range(300)], {}))
print(dicts([i % 3 if i < 900 else Key(i % 3) for i in range(1000)], {}))


def missing(d, n):
    found = []
    for i in range(n):
        try:
            found.append(d[i % 5])
        except KeyError as e:
            found.append(e.args[0])
    return found


print(missing({0: "a", 1: "b"}, 200)[-7:])


def texts(words):
    s = ""
    shared = []
    n = 0
    for w in words:
        t = s
        s += w
        if len(s) > 20:
            s = w
        shared.append(t)
        if w == "b":
            n += 1
        if w < "c" and w != "a":
            n += 10
        n += ord(w) + len(w + s)
        if s[0] == "a" and s[-1:] == w:
            n += 100
    return n, s, shared[-3:], len(set(shared))


print(texts(list("abcdef") * 100))


def formats(n):
    parts = []
    for i in range(n):
        w = str(i)
        parts.append(f"{i}:{w}!{w:>3}")
    return parts[-1], len("".join(parts))


print(formats(500))


def slices(n):
    a = list(range(10))
    out = []
    for i in range(n):
        k = i % 9
        a[: k + 1] = a[k::-1]
        b = a[2:5]
        a[1:3] = b
        a[-1:] = []
        a.append(i)
        while len(a) > 10:
            a.pop()
        out.append(sum(a[1:4]))
    return a, out[-3:]


print(slices(300))


class Noisy:
    def __init__(self, log):
        self.log = log

    def __del__(self):
        self.log.append(len(self.log))


def noisy(n):
    log = []
    a = [None] * 4
    d = {}
    for i in range(n):
        a[1:3] = [Noisy(log), Noisy(log)]
        d["k"] = Noisy(log)
        a[0:2] = [i]
        a.append(None)
    return len(log)


print(noisy(100))


def tuples(n):
    acc = []
    for i in range(n):
        p = (i, i + 1)
        q = (i,)
        r = (p, q, [i], [])
        a, b = p
        if p == (i, i + 1) and q in [(1,), (i,)] and p < (i, i + 2):
            acc.append(a + b)
        acc += [b]
        acc += q
        r[3].append(a)
    return len(acc), acc[-3:], r


print(tuples(300))


def kinds(values):
    n = 0
    for v in values:
        if isinstance(v, int):
            n += 1
        elif isinstance(v, (str, tuple)):
            n += 10
        if type(v) is str:
            n += 100
        if v:
            n += 1000
        if not v:
            n += 5
    return n


print(kinds([1, "a", (1,), 2.5, None, [], [1], {}, "", True, kinds] * 50))


def iterate(n):
    total = 0
    for i in range(n):
        for c in "ab1":
            total += ord(c)
        for k in {"x": 1, "y": 2}:
            total += len(k)
        for k, v in {"x": 1, "y": 2}.items():
            total += v
        for x in (1, 2, 3):
            total += x
        for x in {4, 5}:
            total += x
        for b in b"ab":
            total += b
        for x in [1, 2]:
            total -= x
    return total


print(iterate(200))


def changing(n):
    d = {0: 0, 1: 1}
    errors = 0
    for i in range(n):
        try:
            for k in d:
                if i > n - 3:
                    d[len(d)] = 1
        except RuntimeError as e:
            errors += 1
            text = str(e)
    return errors, text


print(changing(100))


def big(n):
    x = 1 << 70
    for i in range(n):
        x = (x ^ (x << 3) ^ i) & ((1 << 90) - 1)
        x |= 1 << 80
        y = ~i & 0xFF
        if x > 1 << 85:
            x -= 1 << 85
    return x, y, x // 7, -x % 10**20


print(big(300))


def raises(n):
    out = []
    for i in range(n):
        try:
            if i % 50 == 49:
                out.append([1, 2][i])
            elif i % 50 == 24:
                out.append("abc" + i)
            elif i % 50 == 12:
                out.append(len(i))
            elif i % 50 == 6:
                out.append(i < "a")
            elif i % 50 == 7:
                out.append(i in i)
            elif i % 50 == 8:
                {}[[]] = 1
            elif i % 50 == 9:
                out.append("x"[i])
            elif i % 50 == 10:
                [].pop()
            elif i % 50 == 11:
                int("x")
            elif i % 50 == 13:
                a, b = (1, 2, 3)
        except Exception as e:
            out.append(f"{type(e).__name__}: {e} {e.__traceback__.tb_lineno - raises.__code__.co_firstlineno}")
    return out


for line in sorted(set(raises(500))):
    print(line)


class Sub(dict):
    def __getitem__(self, key):
        return "sub"

    def __missing__(self, key):
        return "missing"


def subs(ds):
    return [d["a"] for d in ds]


print(sorted(map(str, set(subs([{"a": 1}] * 100 + [Sub(a=2)] * 100)))))


def watched(n):
    def deep(v):
        return sys._getframe(1).f_locals["i"], v

    out = None
    for i in range(n):
        d = {"a": i}
        d["b"] = deep(d["a"])
        out = d["b"]
    return out


print(watched(300))


def sets(n):
    s = set()
    for i in range(n):
        s.add(i % 10)
        s.add("x")
        if i in s and "x" in s and 3.0 in s:
            s.add((i, 1))
    return len(s)


print(sets(100))


def array(n):
    b = bytearray(10)
    data = b"hello"
    t = 0
    for i in range(n):
        b[i % 10] = i % 256
        t += b[i % 10] + data[i % 5]
        if data[1:3] == b"el":
            t += 1
    return t, bytes(b)


print(array(300))


def calls(n):
    t = 0
    for i in range(n):
        t += abs(-i) + min(i, 5) + max(i, 5) + int("12") + int(2.5)
        t += round(i / 3) + divmod(i, 7)[1] + len(list(range(i % 5))) + len(tuple("ab"))
        t += "a,b,c".split(",").index("b") + "abc".find("c") + len("-".join(["a", "b"]))
        t += len(str(i)) + (i).bit_length() + hash(i) + bool(i)
        t += "xyz".startswith(("a", "x")) + "a b".count(" ")
    return t


print(calls(300))

namespace = {}
counter = 0


def globals_change(n):
    g = globals()
    out = 0
    for i in range(n):
        g["counter"] = i
        out += counter
    return out, counter


print(globals_change(300))
