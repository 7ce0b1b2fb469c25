try:
    a
except:
    b
try:
    a
except A:
    b
except (B, C) as e:
    c
except D as e: raise
else:
    d
def f():
    try:
        return a()
    except E:
        pass
    g()
