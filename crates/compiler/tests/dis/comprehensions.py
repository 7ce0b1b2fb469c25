[x for x in a]
{x for x in a if x}
{k: v for k, v in a.items()}
(x for x in a)
[x + y for x in a for y in b if x if y]
[y for x in a for y in [f(x)] if y]
[y for x in a for y in (x, x)]
[[y for y in x] for x in a]
[x for x in [1, 2, 3]]
[x for x in {1, 2, 3}]
[x
 for x in a
 if x > 1
 and x < 3]
def f(a): return [x + a for x in a if (b := x)]
sum(x * x
    for x in range(10))
