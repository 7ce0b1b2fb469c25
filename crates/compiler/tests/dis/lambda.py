lambda: 0
lambda x: x
lambda *a, **k: (a, k)
f = lambda x=1: lambda y: x + y
g = lambda: (yield 1)
h = lambda x: x and \
    x.y
i = (lambda x:
     x if x else
     None)
