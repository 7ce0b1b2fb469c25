def f(a):
    if a:
        b()
    else:
        if c:
            d()
def g(a):
    while a:
        if b:
            c()
def h(a):
    for x in a:
        if x:
            return
    return None
def i(a):
    if not a: return
    return 1
def j(a):
    try:
        a()
    except E:
        return
