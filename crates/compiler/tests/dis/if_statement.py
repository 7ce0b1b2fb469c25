if a: b
if a:
    b
elif c:
    d
elif e:
    f
else:
    g
if a:
    if b:
        c
    else:
        d
elif not e:
    pass
if a: pass
