# A float stays in a register: none is made an object, none is put into a word.
# claim: floats computed = 4
# claim: floats boxed = 0
def f(n):
    x = 0.5
    for _ in range(n):
        x = x * 1.5 - x * 0.5 + 0.25
    return x

for _ in range(60):
    answer = f(10)
