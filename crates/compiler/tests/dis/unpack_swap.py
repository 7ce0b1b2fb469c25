def f(a, b, c, d):
    a, b = b, a
    a, b, c = c, a, b
    a, b, c, d = d, c, b, a
    (a,) = (b,)
    a, b = b, a = 1, 2
    [a, b] = [b, a]
