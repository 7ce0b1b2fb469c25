if ready
    go()
#---
while 1
    pass
#---
for item in rows
    pass
#---
def area(w, h)
    return w
#---
class Shape
    pass
#---
class Shape(Base)
    pass
#---
try
    pass
finally:
    pass
#---
try:
    pass
except ValueError
    pass
#---
with opened as f
    pass
#---
match point
    case 1: pass
#---
match point:
    case 1
        pass
#---
if a:
    pass
else
    pass
#---
if a:
    pass
elif b
    pass
#---
lambda x x
#---
