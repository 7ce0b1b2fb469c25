pair = (alpha beta)
#---
show(1 2)
#---
names = ['ann' bob]
#---
f(a, b c, d)
#---
x = [i j for i in k]
#---
d = {1: 2 3}
#---
print(f'{a b}')
#---
call(x.y z)
#---
t = (1, 2
     3)
#---
