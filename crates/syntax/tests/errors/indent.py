  x = 1
#---
x = 1
  y = 2
#---
if a:
    b
  c
#---
if a:
	b
        c
#---
if a:
        b
	c
#---
def f():
        x = 1
    y = 2
#---
a = 1
	b = 2
#---
else: pass
#---
if 1:
  if 2:
    x
   y
#---
