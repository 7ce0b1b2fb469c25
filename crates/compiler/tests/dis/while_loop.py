while a: b
while a:
    b
else:
    c
while a and b: c
while not a: b
while True: a
while 1:
    if a: break
else:
    b
def f(n):
    while n > 0:
        n -= 1
    return n
