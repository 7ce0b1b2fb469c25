"""Arithmetic whose operands are ints at one time and floats at another."""


def dot(vectors, n):
    total = 0
    for i in range(n):
        a = vectors[i % len(vectors)]
        b = vectors[(i * 7 + 3) % len(vectors)]
        total = total + a[0] * b[0] + a[1] * b[1] - a[2] * b[2]
        if a[0] < b[0]:
            total -= 1
        if a[1] == b[2]:
            total += 0.5
        total = total / 2
    return total


def kinds(values, n):
    out = {}
    for i in range(n):
        x = values[i % len(values)]
        y = values[i % 3]
        for name, z in (("add", x + y), ("sub", x - y), ("mul", x * y)):
            key = name, type(z).__name__
            out[key] = out.get(key, 0) + 1
    return sorted(out.items())


def compare(values, n):
    bits = []
    for i in range(n):
        x = values[i % len(values)]
        y = values[(i + 1) % len(values)]
        bits.append((x < y) + 2 * (x <= y) + 4 * (x == y) + 8 * (x != y) + 16 * (x > y) + 32 * (x >= y))
    return bits[-len(values):]


print(dot([(0, 1, 2), (1.5, 2, 0), (0, 0, 0.0), (2, 3.25, 1)], 5000))
print(kinds([1, 2.5, 3, 0, -1.5], 2000))
huge = [1, 2.0**53, 2**53 + 1, 1e300, 2**61, 2**62, float(2**62), -0.0, 0, 1e-320, float("inf"), float("nan"), 2**70]
print(compare(huge, 3000))
print(kinds([2**61, 1.5, 2**40, 1e300], 999))
