"""Which points stay: complex and float arithmetic, and a picture as text."""

from bench import run


def escapes(c, most):
    z = 0j
    for i in range(most):
        z = z * z + c
        if z.real * z.real + z.imag * z.imag > 4.0:
            return i
    return most


def by_floats(x0, y0, most):
    x = y = 0.0
    for i in range(most):
        xx, yy = x * x, y * y
        if xx + yy > 4.0:
            return i
        y = 2.0 * x * y + y0
        x = xx - yy + x0
    return most


def main(size, most):
    rows = []
    total = 0
    for row in range(size):
        y = row / size * 2.0 - 1.0
        line = ""
        for column in range(size):
            x = column / size * 3.0 - 2.0
            n = by_floats(x, y, most)
            total += n + escapes(complex(x, y), most // 4)
            line += " .:-=+*#%@"[n % 10]
        rows.append(line)
    return total, len("\n".join(rows))


run(main, 60, 80)
