# test: exit 1
def inner(x):
    return 1 / x


def outer(values):
    total = 0
    for value in values:
        total += inner(value)
    return total


class Wrapped(Exception):
    pass


try:
    outer([1, 2, 0])
except ZeroDivisionError as error:
    print("before")
    raise Wrapped("could not") from error
