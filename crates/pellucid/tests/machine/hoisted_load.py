# claim: loads hoisted >= 4
# claim: guards hoisted >= 2
class Scale:
    def __init__(self):
        self.factor = 3

def f(scale, n):
    total = 0
    for i in range(n):
        total += scale.factor
    return total

scale = Scale()
for _ in range(60):
    answer = f(scale, 50)
