def outer(x):
    class A:
        x = x
        y = [x for _ in z]
        def get(self):
            return x
        class Inner:
            def get(self): return __class__, x
    class B:
        nonlocal x
        x = 2
        global g
        g = 3
    return A
