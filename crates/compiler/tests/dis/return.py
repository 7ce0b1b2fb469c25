def a(): return
def b(): return 1
def c(x): return x, 1
def d(x):
    return (
        1)
def e(x):
    return \
        x
def f(x):
    if x:
        return x
    else:
        return None
def g(x):
    return x if x else 1
