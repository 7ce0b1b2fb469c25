a += 1
a.b -= 2
a[b] *= 3
a[b:c] @= d
a.b.c //= 4
a[b].c **= 5
a %= 6; a >>= 7; a <<= 8; a &= 9; a ^= 10; a |= 11; a /= 12
def local(x):
    x += 1
    global g
    g += x
