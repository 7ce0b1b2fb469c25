# A float stays in a register: none is put into a word but the one that is returned.
# claim: floats computed = 4
# claim: floats boxed = 1
def f(n):
    x = 0.5
    for _ in range(n):
        x = x * 1.5 - x * 0.5 + 0.25
    return x

for _ in range(60):
    answer = f(10)
