"""Digits of pi by a spigot: ints of thousands of digits."""

from bench import run


def main(n):
    q, r, t, k, digit, l = 1, 0, 1, 1, 3, 3
    digits = []
    while len(digits) < n:
        if 4 * q + r - t < digit * t:
            digits.append(str(digit))
            q, r, digit = 10 * q, 10 * (r - digit * t), (10 * (3 * q + r)) // t - 10 * digit
        else:
            q, r, t, k, digit, l = q * k, (2 * q + r) * l, t * l, k + 1, (q * (7 * k + 2) + r * l) // (t * l), l + 2
    return "".join(digits)[-20:]


run(main, 400)
