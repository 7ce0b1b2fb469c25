x = f(a,
      b)(
    c)
y = {
    "a": g(1),
    "b":
        h(2),
}
z = [
    a
    for b in
    c
    if d
]
if (a and
        b
        or c):
    d
def f(a=
      1,
      b=2):
    return (a
            + b)
