# What numbers are made of, and what is refused.
import sys
import warnings

warnings.simplefilter("always")


def attempt(what, *args):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = repr(what(*args))
        except Exception as error:
            result = f"{type(error).__name__}: {error}"
    for warning in caught:
        result += f" [{warning.category.__name__}: {str(warning.message)[:60]}]"
    return result


class Odd(float):
    def __float__(self):
        return 42.0


class Text(str):
    def __float__(self):
        return float(str(self)) + 1


class Inner(float):
    pass


class Deprecated:
    def __float__(self):
        return Inner(2.5)

    def __index__(self):
        return True


print(float(Odd(1.5)), float(Text("8")), Odd(1.5) + 1)
print(attempt(float, Deprecated()))
print(attempt(int, Deprecated()))
print(attempt([5, 6].__getitem__, Deprecated()))
print(attempt(eval, "~True"))
print((-0.0) ** float("-inf"), 0.0 ** float("-inf"), attempt(pow, 0.0, -1.0)[:19])
print(ord(b"a"), ord(bytearray(b"z")), attempt(ord, b"ab"), attempt(ord, "ab"), attempt(ord, 1))


class Length:
    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length


for length in -1, -(2**100), 2**100:
    print(attempt(len, Length(length)))


class Borrowed:
    def __init__(self, value):
        self.value = value

    def __hash__(self):
        return hash(self.value)

    def __eq__(self, other):
        return other == self.value


table = {"key": 1, "other": 2}
print(table.get(Borrowed("key")), hash(Borrowed("other")) == hash("other"))
print(hash(Length(0)) == hash(Length(0)), attempt(hash, Borrowed([])))

print(attempt(int, "9" * 4301))
print(attempt(int, "9_" * 4300 + "9"))
print(attempt(str, 10**4300), len(str(10**4299)))
print(attempt(str, -(10**4300)), len(str(-(10**4299))))
print(attempt(int, "9" * 10**6))
print(attempt(eval, "9" * 4301)[:64])
sys.set_int_max_str_digits(0)
print(len(str(eval("9" * 5000))), int("7" * 5000) % 1000)
sys.set_int_max_str_digits(640)
print(attempt(eval, "9" * 641)[:64], attempt(int, "9" * 641)[:64])
sys.set_int_max_str_digits(4300)
print((0).__sizeof__(), (2**30).__sizeof__(), (-(2**60)).__sizeof__(), int.__basicsize__)
