f(**k, *a)
#---
f(a=1, 2)
#---
f(**k, 2)
#---
f(x for x in y, 1)
#---
f(1, x for x in y)
#---
f(a, b for b in c, d)
#---
f(*)
#---
f(**)
#---
f(*a=1)
#---
f(**a=1)
#---
f(a=1 for a in b)
#---
f(a b)
#---
f(,)
#---
f(a,,b)
#---
class C(x for x in y): pass
#---
f(a=1, b=2, c)
#---
