import math

print(0.1 + 0.2, 1 / 3, 1e16, 1e15, 1e-5, 0.0001, 123456789.123456789, 1e300 * 1e10, -1e400, 5e-324, 2.5e20)
print(float("nan"), float("inf"), -float("inf"), float("1e3"), float(" 2.5 "), float("1_0.5"), -0.0, 0.0 == -0.0)
print(7.5 // 2, -7.5 // 2, 7.5 % 2, -7.5 % 2, divmod(7.5, -2), 2.0**0.5, 2**0.5, 10.0**-3, (-8) ** (1 / 3))
print((0.5).as_integer_ratio(), (3.0).is_integer(), (0.1).hex(), float.fromhex("0x1.8p1"), (1.5).__round__(), round(-2.5))
print(int(3.99), int(-3.99), math.floor(-3.5), math.ceil(3.2), math.trunc(-2.7), round(3.14159, 3), round(1e20))
print(math.pi, math.sqrt(2), math.sin(1), math.log(10), math.log2(8), math.exp(1), math.hypot(3, 4), math.gcd(12, 18), math.isqrt(99))
print(1.0, 100.0, 1e22, 1e21, 123e-7, 0.1 + 0.7, 4.35 * 100, 1.1 * 3, 3.0e-310)
print(f"{3.14159:.2f} {1e10:.3e} {0.00001:g} {1234567.0:g} {1.0:g} {123.456:10.2f}| {1e100:.0f} {2.5:.0f} {0.125:.2%}")
nan = float("nan")
print(nan == nan, nan in [nan], [nan] == [nan], nan < 1, max(1.0, nan), sorted([3.0, 1.5, 2.0]), hash(0.5), hash(1e300), hash(float("inf")))
print(1 + 2j, (1 + 2j) * (3 - 1j), abs(3 + 4j), (1j) ** 2, complex("1+2j"), complex(1, -0.0), (2 + 0j) == 2, (1 + 1j).conjugate())
for bad in (lambda: 1.0 / 0, lambda: 1.0 % 0, lambda: float("x"), lambda: 0.0**-1, lambda: 10.0**400, lambda: math.sqrt(-1), lambda: float([]), lambda: 1j < 2j, lambda: int(1j)):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, error)
print(sum([0.1] * 10), math.fsum([0.1] * 10), sum([0.1] * 10) == 1.0, 1e16 + 1, 0.1 * 3)
