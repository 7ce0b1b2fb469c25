print(7 // 2, -7 // 2, 7 % 3, -7 % 3, 7 % -3, divmod(-7, 2), 2**10, 2**-1, (-2) ** 3, pow(3, 200, 13), pow(3, -1, 7))
print(2**100, -(2**70), 10**30 // 7**11, (2**64 + 1) % 1000007, 1 << 70, (1 << 70) >> 65, -1 >> 100, ~5)
print(0xFF & 0b1010, 5 | 8, 6 ^ 3, int("ff", 16), int("0b101", 0), int("1_000"), int("  12 "), int(-3.9), int("٣"))
print(bin(10), oct(8), hex(255), hex(-(2**70)), (255).bit_length(), (2**70).bit_count(), (-5).__abs__())
print(9007199254740993 == 9007199254740993.0, 2**53 + 1 > float(2**53), 1 == 1.0 == True, hash(2**61 - 1), hash(-1))
print(str(10**50), repr(-(10**20)), f"{10**25:,}", f"{2**70:x}", f"{-5:b}", 10**20 - 10**20 + 1)
print((4611686018427387904 - 1) * 2, 4611686018427387903 + 1, -4611686018427387904 - 1, 4611686018427387904 - 4611686018427387905)
print(3037000500 * 3037000500, -9223372036854775808, abs(-9223372036854775808), 9223372036854775807 + 1)
print(sum(range(1000)), max(3, 1, 2), min([4, 2]), round(12345, -2), round(15, -1), round(25, -1), round(2.5), round(3.5), round(2.675, 2))
print(int.from_bytes((2**80).to_bytes(11, "big"), "big") == 2**80, (1).as_integer_ratio(), (5).real, (5).is_integer())
print(True + True, bool(0), bool(-1), isinstance(True, int), True.__repr__(), int(True), ~1)
for bad in (lambda: 1 // 0, lambda: 1 % 0, lambda: int("x"), lambda: int("1" * 5000), lambda: 1 << -1, lambda: int([]),
            lambda: 2 ** 0.5 % 0, lambda: (-8) ** 0.5 if isinstance((-8) ** 0.5, complex) else 0, lambda: "1" + 1, lambda: 1 + "1",
            lambda: int("12", 99), lambda: int(float("inf")), lambda: int(float("nan")), lambda: pow(2, -1, 4), lambda: 1 < "a"):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, error)


def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)


print(factorial(50))
print([n for n in range(2, 60) if all(n % d for d in range(2, n))])
a, b = 0, 1
for _ in range(150):
    a, b = b, a + b
print(a)
