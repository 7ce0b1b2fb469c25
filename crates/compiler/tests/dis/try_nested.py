def f():
    try:
        try:
            a()
        except A as e:
            b(e)
        else:
            c()
    except B as e:
        try:
            d(e)
        except C as e:
            pass
        finally:
            del e
    else:
        return 1
