if ready:
go()
#---
def f():
#---
def f():
return 1
#---
class C:
x = 1
#---
for i in j:
# only a comment
#---
while x:


y = 1
#---
try:
x
#---
try:
    x
except E:
y
#---
try:
    x
except:
y
#---
try:
    x
except* E:
y
#---
try:
    x
finally:
y
#---
with a:
b
#---
match a:
case b: pass
#---
match a:
    case b:
    c
#---
if a:
    b
else:
c
#---
if a:
    b
elif c:
d
#---
try:
    x
y = 1
#---
if a:
    b
else:
    c
elif d:
    e
#---
