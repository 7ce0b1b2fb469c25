s = "Hello, World"
print(s.upper(), s.lower(), s.swapcase(), s.title(), s.casefold(), "abc".capitalize())
print(s.find("o"), s.rfind("o"), s.index("W"), s.count("l"), s.find("z"), s.startswith(("He", "x")), s.endswith("d"))
print(s.replace("l", "L", 2), s.split(", "), "a  b c".split(), "a,b,,c".split(","), "a b c".rsplit(" ", 1))
print("-".join("abc"), "  x ".strip(), "xxaxx".strip("x"), "xxa".lstrip("x"), "prefix".removeprefix("pre"))
print("x".center(5, "*"), "x".ljust(3) + "|", "x".rjust(3), "42".zfill(5), "-42".zfill(5))
print("a=b=c".partition("="), "a=b=c".rpartition("="), "abc".partition("x"))
print("abc".isalpha(), "12".isdigit(), "a1".isalnum(), " ".isspace(), "Ab".istitle(), "ab".islower(), "x_1".isidentifier())
print("a\nb\r\nc".splitlines(), "a\nb".splitlines(True), "tab\tx".expandtabs(4))
print(s[0], s[-1], s[1:4], s[::-1], s[::2], s[5:100], s[-3:])
print("abc" < "abd", "a" * 3, "b" in "abc", "é".encode(), b"\xc3\xa9".decode(), "ß".upper(), "ǆ".title())
print("x".translate({120: "yy"}), "hello".translate(str.maketrans("el", "ip", "o")))
print(repr("a'b"), repr('a"b'), repr("a'b\"c"), repr("\t\n\\\x00\x7f\u00e9\u200b\U0001f600"), ascii("é😀"))
print(ord("€"), chr(8364), "\u20ac" == "€", len("😀"), "😀"[0])
for bad in (lambda: "abc".index("x"), lambda: "a" + 1, lambda: "abc"[5], lambda: "é".encode("ascii"),
            lambda: b"\xff".decode(), lambda: "".join([1]), lambda: "a".center(), lambda: "abc"["x"], lambda: chr(-1)):
    try:
        bad()
    except Exception as error:
        print(type(error).__name__, error)
print(b"abc"[0], b"abc"[1:], b"a" + b"b", bytes([65, 66]), bytes(3), bytearray(b"x") * 2, b"a,b".split(b","), b"ab".hex())
data = bytearray(b"hello")
data[0] = 72
data[1:3] = b"EY"
data.append(33)
print(data, memoryview(data)[1:3].tobytes(), int.from_bytes(b"\x01\x00", "big"), (258).to_bytes(2, "little"))
print("abc".encode("utf-16-le"), "a\u0301".isprintable(), "%-5s|" % "é", "{:>4}".format("é"))
print("A-B_C".lower().replace("-", " ").split("_"), " a b ".split(" "), "".split(), "".split(","))
