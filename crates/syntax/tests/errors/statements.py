print 'hello'
#---
print x, y
#---
exec code
#---
import
#---
import a.
#---
import a from b
#---
from a import
#---
from a import b,
#---
from a import (b, c
#---
from . import *, a
#---
from import x
#---
import a, 
#---
return return
#---
raise from x
#---
raise x from
#---
global 1
#---
nonlocal
#---
assert
#---
assert a,
#---
del
#---
pass pass
#---
break 1
#---
x++
#---
x = = 1
#---
x == = 1
#---
a and or b
#---
if:
    pass
#---
for in x: pass
#---
for x in: pass
#---
while: pass
#---
class: pass
#---
class C(: pass
#---
async x
#---
await
#---
async def f() pass
#---
@
def f(): pass
#---
@dec x = 1
#---
@dec
x = 1
#---
try: pass
#---
try:
    a
except A:
    b
except* B:
    c
#---
try:
    a
except* A:
    b
except B:
    c
#---
try:
    a
except*:
    b
#---
with: pass
#---
with a as: pass
#---
with (a, b as c, d: pass
#---
x = 1 2
#---
go to
#---
a b
#---
let x = 1
#---
return x y
#---
x <> y
#---
a = b = c d
#---
f(x)(y z)
#---
