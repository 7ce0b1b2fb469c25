# The loop as one writes it: the call is inlined, the inner loop unrolled, the item kept in a register.
# claim: calls inlined >= 5
# claim: loops unrolled = 1
# claim: guards hoisted >= 4
# claim: loads known >= 10
# claim: overflow checks shared >= 4
# claim: bounds checks shared = 1
# claim: instructions out of line = 0
def add(count, value):
    return count + value

def f(size, items):
    total = 0
    for index in range(0, size):
        for count in range(0, 5):
            items[index] = add(count, items[index])
            total += items[index]
    return total

items = [0] * 50
for _ in range(60):
    answer = f(50, items)
