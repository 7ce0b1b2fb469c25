"""Primes three ways: a list of bools, slices of a bytearray, a set."""

from bench import run


def by_list(n):
    composite = [False] * (n + 1)
    count = 0
    for i in range(2, n + 1):
        if not composite[i]:
            count += 1
            for j in range(i * i, n + 1, i):
                composite[j] = True
    return count


def by_slices(n):
    flags = bytearray([1]) * (n + 1)
    flags[0:2] = b"\0\0"
    for i in range(2, int(n**0.5) + 1):
        if flags[i]:
            flags[i * i :: i] = bytes(len(range(i * i, n + 1, i)))
    return sum(flags)


def by_set(n):
    numbers = set(range(2, n + 1))
    for i in range(2, int(n**0.5) + 1):
        if i in numbers:
            numbers.difference_update(range(i * i, n + 1, i))
    return len(numbers)


def main(n):
    return by_list(n), by_slices(n), by_set(n)


run(main, 40000)
