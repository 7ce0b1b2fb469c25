"""One loop in the four forms of the class: plain, with a register, unrolled, with the call written out."""

from bench import run


def func(count, value):
    return count + value


def no_opt(size, array):
    total = 0
    for i in range(0, size):
        for count in range(0, 5):
            array[i] = func(count, array[i])
            total += array[i]
    return total


def main(form, size=1024, times=50):
    array = [0] * size
    for _ in range(times):
        form(size, array)
    return sum(array)


if __name__ == "__main__":
    run(main, no_opt)
