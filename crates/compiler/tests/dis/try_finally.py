try:
    a
finally:
    b
try:
    a
except A:
    b
else:
    c
finally:
    d
def f(x):
    try:
        if x:
            return 1
        g()
    finally:
        if x:
            h()
def i():
    try:
        try:
            a()
        finally:
            b()
    finally:
        c()
