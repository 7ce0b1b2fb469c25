a = b = c
a, b = b, a
a, b, c = c, b, a
(a, b), [c, *d] = e
*a, b = c
a.b = c[d] = 1
a[1:2], a[::3] = 4, 5
a = yes if b else no
