raise
raise A
raise A from b
raise A("x",
        y) from None
def f(x):
    if x: raise E
    raise
