def f():
    yield
    x = yield 1
    yield from x
    return 2
def g():
    try:
        yield
    finally:
        done()
def h(a):
    return (yield a), (yield from a)
i = (x for x in (y for y in z))
