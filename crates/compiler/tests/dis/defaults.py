def f(a, b=1, *, c, d=2): pass
def g(a=x, /, b=y, *args, c=z, **kw): pass
def h(*, a=1): pass
i = lambda a, b=1, *c, d=2, **e: (a, b, c, d, e)
j = lambda: (yield)
k = lambda x: \
    x + 1
