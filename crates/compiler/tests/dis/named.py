(a := 1)
if (n := f(x)) > 10: g(n)
while chunk := read(): use(chunk)
[last := x for x in a]
def f():
    return [y := 1, y ** 2], {z: (w := z) for z in q}
