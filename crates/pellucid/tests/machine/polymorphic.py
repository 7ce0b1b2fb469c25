# A call that sees two classes has both methods in line.
# claim: calls inlined = 2
class One:
    def value(self):
        return 1

class Two:
    def value(self):
        return 2

def f(items):
    total = 0
    for i in range(len(items)):
        total += items[i].value()
    return total

items = [One(), Two()] * 20
for _ in range(60):
    answer = f(items)
