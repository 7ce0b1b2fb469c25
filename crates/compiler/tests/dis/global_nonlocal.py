def f():
    global a, b
    a = 1
    del b
    def g():
        global a
        return a
    return g
def h():
    x = 1
    def i():
        nonlocal x
        x += 1
        return x
    return i
global c
c = 1
