# The calls written out as well.
# claim: calls inlined = 0
# claim: overflow checks shared >= 4
# claim: instructions out of line = 0
def f(size, items):
    for index in range(0, size):
        item = items[index]
        item = 0 + item
        item = 1 + item
        item = 2 + item
        item = 3 + item
        item = 4 + item
        items[index] = item

items = [0] * 50
for _ in range(60):
    f(50, items)
answer = items[0], items[-1]
