# Escapes that mean nothing, in literals and in codecs.
import codecs
import warnings

for function, text in (
    (codecs.escape_decode, b"\\q \\X"),
    (codecs.escape_decode, b"\\501"),
    (codecs.unicode_escape_decode, b"\\A"),
    (codecs.unicode_escape_decode, b"\\501"),
    (codecs.unicode_escape_decode, b"\\101\\x41\\N{BULLET}"),
    (eval, r"f'\{6*7}'"),
    (eval, r"f'{1}\g'"),
    (eval, r"rf'\{6*7}'"),
):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        result = function(text)
    print(result, [(w.category.__name__, str(w.message)) for w in seen])

print(f"{1+2 = # my comment
  }")
for call in (lambda: str(b"x", "utf-8", "ignore", 1), lambda: str(b"x", "utf-8", "ignore", encoding="ascii")):
    try:
        call()
    except TypeError as error:
        print(error)

# Nothing can be decoded from any encoding.
print(repr(b"".decode("none such")), repr(str(bytearray(), "none such", "no handler")))
for call in (lambda: "".encode("none such"), lambda: b"x".decode("none such")):
    try:
        call()
    except LookupError as error:
        print(error)
