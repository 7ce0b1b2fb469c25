a, *b = c
*a, = b
a, (b, *c), d = e
[a, *b, c, d] = e
for a, *b in c: pass
a = *b, *c
a = [*b, *[1, 2, 3]]
