def f(a):
    for x in a:
        try:
            if x:
                break
            elif x is None:
                continue
            g(x)
        finally:
            done(x)
    while a:
        with a as b:
            if b:
                break
            continue
