a < b
a < b < c
a == b != c >= d
a is b
a is not None
a in b
a not in (1, 2)
a in [1, 2, 3]
a in {1, 2, 3}
a in [b, c]
a not in [*b]
not a in b
not a is b
not a == b
if a < b < c: d
if not a < b < c: d
while a < b <= c: d
x = a < b(
    c) < d
