def f():
    pass
def g():
    "doc"
    pass
    pass
def h():
    1
    2
    return
def i():
    while 1:
        pass
def j(x):
    if x:
        pass
    else:
        pass
def k():
    try:
        pass
    except:
        pass
    finally:
        pass
