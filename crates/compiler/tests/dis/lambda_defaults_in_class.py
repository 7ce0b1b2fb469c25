class A:
    n = 1
    f = lambda self, n=n: n
    g = [lambda: i for i in range(3)]
    h = {k: v for k, v in zip(*[n, f])}
