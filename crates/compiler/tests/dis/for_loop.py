for x in a: pass
for x, y in a: b
for a.b in c: d
for a[b], *c in d:
    e
else:
    f
for x in [1, 2]: pass
for x in [a, b]: pass
for x in {1, 2}: pass
def f(n):
    for i in range(n):
        pass
    for i in range(n): print(i)
