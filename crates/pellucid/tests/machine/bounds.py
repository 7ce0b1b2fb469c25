# The index runs over the list's own length: that is looked at once.
# claim: bounds checks shared = 1
def f(items):
    total = 0
    for i in range(len(items)):
        total += items[i]
    return total

items = list(range(50))
for _ in range(60):
    answer = f(items)
