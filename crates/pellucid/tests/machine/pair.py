# A tuple that is returned and taken apart at once is never made.
# claim: calls inlined = 1
# claim: tuples not made = 1
# claim: tuples made after all = 0
def split(a, b):
    return a // b, a % b

def f(n):
    total = 0
    for i in range(n):
        q, r = split(i, 7)
        total += q * r
    return total

for _ in range(60):
    answer = f(50)
