# What never changes in the loop is looked at before it.
# claim: guards hoisted >= 1
def f(n, factor):
    total = 0
    for i in range(n):
        total += i * factor
    return total

for _ in range(60):
    answer = f(50, 3)
