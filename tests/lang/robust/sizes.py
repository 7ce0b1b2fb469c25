# Sizes that no memory holds, and indexes far outside: an exception each.
import array
import collections
import io
import itertools
import math
import struct

HUGE = 10**18


def attempt(name, action):
    try:
        result = action()
    except (MemoryError, OverflowError, ValueError, IndexError, struct.error, TypeError) as error:
        print(name, "raised")
    else:
        print(name, result)


attempt("str", lambda: "a" * HUGE)
attempt("bytes", lambda: b"a" * HUGE)
attempt("list", lambda: [0] * 10**15)
attempt("tuple", lambda: (0,) * 10**15)
attempt("bytearray", lambda: bytearray(b"a") * HUGE)
attempt("deque", lambda: collections.deque([1]) * HUGE)
attempt("array", lambda: array.array("d", [1]) * HUGE)
attempt("beyond", lambda: [1] * 2**70)
attempt("negative", lambda: "a" * -HUGE)
attempt("bytes()", lambda: bytes(HUGE))
attempt("bytearray()", lambda: bytearray(HUGE))
attempt("list(range)", lambda: list(range(HUGE)))
attempt("repeat", lambda: list(itertools.repeat(1, HUGE)))
attempt("len", lambda: len(range(HUGE)))
attempt("len beyond", lambda: len(range(2**70)))
attempt("range", lambda: range(2**70)[2**69] == 2**69)
attempt("ljust", lambda: "a".ljust(HUGE))
attempt("center", lambda: b"a".center(HUGE))
attempt("zfill", lambda: "a".zfill(HUGE))
attempt("expandtabs", lambda: "a\tb".expandtabs(2**63))
attempt("replace", lambda: ("a" * 10**6).replace("a", "b" * 10**6 * 16))
attempt("width of %", lambda: "%*d" % (10**12, 1))
attempt("precision of %", lambda: "%.*f" % (10**12, 1.0))
attempt("literal width of %", lambda: "%99999999999999999999d" % 1)
attempt("width of bytes %", lambda: b"%*d" % (10**12, 1))
attempt("format", lambda: format(1, "1000000000000"))
attempt("format precision", lambda: format(1.5, ".1000000000000f"))
attempt("f-string", lambda: f"{1:{10**12}}")
attempt("shift", lambda: 1 << 10**15)
attempt("shift beyond", lambda: 1 << 2**70)
attempt("shift right", lambda: (1 >> 2**70, -1 >> 2**70))
attempt("shift of 0", lambda: 0 << 2**70)
attempt("power", lambda: 10 ** 10**15)
attempt("small powers", lambda: ((-1) ** 2**70, 0 ** 2**70, 1 ** 2**70))
attempt("power of a float", lambda: 2.0 ** 10**15)
attempt("modular power", lambda: pow(2, 2**70, 5))
attempt("no inverse", lambda: pow(2, -1, 4))
attempt("factorial", lambda: math.factorial(2**70))
attempt("to_bytes", lambda: (1).to_bytes(HUGE))
attempt("to float", lambda: float(10**400))
attempt("many digits", lambda: int("9" * 5000))
attempt("round", lambda: round(5, -(2**70)))
attempt("chr", lambda: chr(2**70))
attempt("slices", lambda: ("abc"[HUGE:], "abc"[-HUGE:HUGE:HUGE], [1, 2][:: 2**70], b"abc"[-(2**70) :]))
attempt("index of str", lambda: "a"[2**70])
attempt("index of list", lambda: [1][-(2**70)])
attempt("index of memoryview", lambda: memoryview(b"a")[2**70])
attempt("insert", lambda: [1].insert(-HUGE, 1))
attempt("find", lambda: ("a".find("a", HUGE), "a".find("", -(2**70)), "a".count("", 2**70)))
attempt("rotate", lambda: collections.deque([1, 2, 3]).rotate(HUGE))
attempt("seek", lambda: io.BytesIO().seek(2**70))
attempt("struct", lambda: struct.calcsize("99999999999999999999i"))
attempt("pack", lambda: struct.pack(f"{HUGE}x"))
attempt("unpack", lambda: struct.unpack_from("i", b"abcd", -HUGE))
attempt("cast", lambda: memoryview(bytearray(96)).cast("B", [2**32, 2**32]))
attempt("product", lambda: itertools.product(range(10), repeat=HUGE))
attempt("islice", lambda: itertools.islice([], 2**70))
