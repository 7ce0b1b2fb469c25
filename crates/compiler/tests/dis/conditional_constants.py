if 1: a
if 0: b
else: c
while 0: d
while 1:
    e
    if f: break
if True and g: h
if False or i: j
x = 1 and k
y = 0 or l
z = m if 1 else n
if not 0: o
if __debug__: p
if (): q
elif "": r
else: s
