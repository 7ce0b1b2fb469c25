1 = x
#---
f() = 1
#---
a + b = c
#---
None = 1
#---
True = 0
#---
's' = t
#---
[1, 2] = x
#---
(a, f()) = x
#---
x = y + 1 = 2
#---
lambda: 1 = 2
#---
a if b else c = d
#---
{1: 2} = 3
#---
{a} = b
#---
f'{x}' = 1
#---
... = x
#---
a < b = c
#---
not a = b
#---
await x = 1
#---
(x for x in y) = 1
#---
[x for x in y] = 1
#---
f() += 1
#---
(a, b) += 1
#---
[a] -= 1
#---
1 += 2
#---
x: int: str = 1
#---
(a, b): int
#---
[a]: int = 1
#---
a, b: int
#---
f(): int = 1
#---
a := 1
#---
(a.b := 1)
#---
(a[0] := 1)
#---
if x = 3:
    pass
#---
if x.y = 3:
    pass
#---
while f() = 1:
    pass
#---
print(a = 1 for a in b)
#---
f(a.b=1)
#---
f(1=2)
#---
f(True=1)
#---
f(a, b+1=2)
#---
f(x=)
#---
del f()
#---
del 1
#---
del (a, b + c)
#---
del *a
#---
for 1 in x: pass
#---
for f() in x: pass
#---
for a.b + c in x: pass
#---
with a as 1: pass
#---
with a as f(): pass
#---
[x for 1 in y]
#---
[x for f() in y]
#---
import a as b.c
#---
from a import b as 1
#---
yield x = 1
#---
def f():
    (yield) = 1
#---
x = yield = 1
#---
