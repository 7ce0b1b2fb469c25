del a
del a.b, c[d]
del (a, b), [c]
def f(x):
    del x
    def g(): return y
    y = 1
    del y
    global z
    del z
