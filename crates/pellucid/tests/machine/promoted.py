# The item in a local variable.
# claim: calls inlined >= 5
# claim: loops unrolled = 1
# claim: overflow checks shared >= 4
# claim: instructions out of line = 0
def add(count, value):
    return count + value

def f(size, items):
    total = 0
    for index in range(0, size):
        item = items[index]
        for count in range(0, 5):
            item = add(count, item)
            total += item
        items[index] = item
    return total

items = [0] * 50
for _ in range(60):
    answer = f(50, items)
