# claim: loops unrolled = 1
# claim: ranges not made >= 1
# claim: ranges made after all = 0
def f(n):
    total = 0
    for i in range(n):
        for j in range(4):
            total += i * j
    return total

for _ in range(60):
    answer = f(50)
