# Parameters that closures share are in `f_locals` where other parameters are, while the function runs and afterwards.
import sys


def show(frame):
    print(list(frame.f_locals), {key: frame.f_locals[key] for key in frame.f_locals if key != "inner"})


def raises(a, b=1):
    def inner():
        return b

    c = 2
    return [][a]


def running(a, b=1, *, d=3):
    def inner():
        return d, a

    show(sys._getframe())
    sys._getframe().f_locals["a"] = 7
    print(a, inner(), list(locals()))


def suspended(a, b):
    yield lambda: b


try:
    raises(5)
except IndexError as error:
    show(error.__traceback__.tb_next.tb_frame)
running(4)
generator = suspended(1, 2)
next(generator)
show(generator.gi_frame)


# Defaults may be more than parameters.
def few(a, *, b):
    pass


few.__defaults__ = (1, 2, 3)
for arguments in ((1, 2), (1, 2, 3)):
    try:
        few(*arguments, b=1)
    except TypeError as error:
        print(error)


def pair(a, b):
    return a, b


pair.__defaults__ = (1, 2, 3)
print(pair(), pair(5), pair(b=6))


# That keywords are not taken comes first.
for call in (lambda: len(1, 2, x=3), lambda: len(x=3), lambda: [].append(1, 2, x=3), lambda: abs(y=1)):
    try:
        call()
    except TypeError as error:
        print(error)


# Words for items that cannot be deleted.
class Plain:
    pass


for value in ("", (), 5, None, Plain(), range(3), {1}):
    for key in (0, slice(0, 1), "key"):
        try:
            del value[key]
        except TypeError as error:
            print(error)
