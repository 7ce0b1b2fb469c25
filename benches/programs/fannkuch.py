"""Flips of permutations: lists of small ints, slices."""

from bench import run


def main(n):
    permutation = list(range(n))
    counts = list(range(1, n + 1))
    flips_most = checksum = sign = 0
    while True:
        if permutation[0]:
            work = permutation[:]
            flips = 0
            while first := work[0]:
                work[: first + 1] = work[first::-1]
                flips += 1
            flips_most = max(flips_most, flips)
            checksum += flips if sign == 0 else -flips
        sign ^= 1
        i = 1
        if sign:
            permutation[0], permutation[1] = permutation[1], permutation[0]
            continue
        permutation[1], permutation[2] = permutation[2], permutation[1]
        for i in range(2, n):
            counts[i] -= 1
            if counts[i] != 0:
                break
            counts[i] = i + 1
            if i == n - 1:
                return checksum, flips_most
            permutation.insert(i + 1, permutation.pop(0))


run(main, 7)
