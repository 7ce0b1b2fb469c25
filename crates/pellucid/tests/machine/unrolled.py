# The inner loop written out.
# claim: calls inlined = 5
# claim: overflow checks shared >= 4
# claim: instructions out of line = 0
def add(count, value):
    return count + value

def f(size, items):
    for index in range(0, size):
        item = items[index]
        item = add(0, item)
        item = add(1, item)
        item = add(2, item)
        item = add(3, item)
        item = add(4, item)
        items[index] = item

items = [0] * 50
for _ in range(60):
    f(50, items)
answer = items[0], items[-1]
