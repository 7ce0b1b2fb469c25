f()
f(a, b)
f(a, k=b)
f(*a)
f(**a)
f(a, *b, c, *d, k=e, **g, l=h)
f(*a, *b)
f(k=1, l=2, **m)
f(x for x in y)
f(a, (x for x in y))
f(1, 2, 3, *a)
print(a, b,
      c=d,
      e=f)
