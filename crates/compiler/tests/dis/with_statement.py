with a: b
with a as b: c
with a as b, c as (d, e): f
with (a): b
def f():
    with a:
        return 1
def g():
    with a as b:
        c
    return b
def h():
    for x in y:
        with x:
            continue
