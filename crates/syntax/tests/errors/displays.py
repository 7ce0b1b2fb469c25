[*x for x in y]
#---
{*x for x in y}
#---
(*x for x in y)
#---
{**x for x in y}
#---
[a, b for a in c]
#---
{a, b for a in c}
#---
[a, for a in b]
#---
{1: 2, 3}
#---
{1: 2, 3:}
#---
{1:}
#---
{1: *a}
#---
{1: 2, **a, b}
#---
(*a)
#---
(**a)
#---
*a
#---
x = (*a, **b)
#---
{a: b for a, b}
#---
[for x in y]
#---
[x for x y]
#---
[x for x in]
#---
x if y
#---
(x if y)
#---
x = a if b else
#---
[x if y for x in z]
#---
1 + not x
#---
-not x
#---
