def f(a):
    for x in a:
        with x as y:
            try:
                return y
            except E as e:
                return e
            finally:
                g()
def h(a):
    try:
        for x in a:
            return 1
    finally:
        for y in a:
            break
def i():
    try:
        return 1
    finally:
        return 2
