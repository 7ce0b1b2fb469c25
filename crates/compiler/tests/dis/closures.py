def outer(a, b):
    c = 1
    def middle(d):
        nonlocal c
        c = a
        def inner():
            return a + b + c + d
        return inner
    del c
    return middle, lambda: b
def cells(a, b, c): return lambda: (c, a)
