# Possessive repeats of groups, replacements from any bytes-like object, cases that fold into one another, and text that
# is held while it is searched.
import re

print(re.findall(r"(?:ab)++", "ababc"), re.fullmatch(r"(?:ab)++", "ababa"))
print(re.match("(.)++.", "ee"), re.match("(?:.(?!D))++", "ABCDE").span())
print(re.match(r"(?>x)++x", "xxx"), re.match(r"(?:a|ab){1,3}+c", "aabc"))
print(re.match(r"(?:(?P<q>['\"])|x)*+y", "'x'y").groups())
print(re.sub(b"y", bytearray(b"a"), bytearray(b"xyz")), re.sub(b"(y)", memoryview(rb"<\1>"), b"xyz"))
print(re.match("\ufb05", "\ufb06", re.I), re.match("[\ufb04-\ufb05]", "\ufb06", re.I))
print(re.match("\u0130", "i", re.I), re.match("ß", "\u1e9e", re.I))

text = bytearray(b"xax")
matches = re.finditer(b"a", text)
try:
    text.extend(b"more")
except BufferError as error:
    print("BufferError:", error)
print(list(matches))
del matches
text.extend(b"more")
print(text)
