for i in range(5):
    if i == 3:
        break
else:
    print("not here")
for i in []:
    pass
else:
    print("empty", i)

n = 0
while n < 3:
    n += 1
    if n == 2:
        continue
    print(n)
else:
    print("while else")


def search(rows, wanted):
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            if cell == wanted:
                return x, y
    return None


print(search([[1, 2], [3, 4]], 3), search([], 1))
items = [1, 2, 3, 4]
for item in items:
    if item < 3:
        items.append(item + 10)
    if len(items) > 8:
        break
print(items)
d = {1: 2}
try:
    for k in d:
        d[k + 1] = 0
except RuntimeError as error:
    print(error)
for a, (b, *c) in [(1, (2, 3, 4)), (5, "xyz")]:
    print(a, b, c)
total = 0
for i in range(10, 0, -3):
    total = total * 100 + i
print(total)
print([x for x in range(20) if x % 2 if x % 3])
while True:
    try:
        n -= 1
        if n < 0:
            break
    finally:
        print("n", n)
x = 5 if n else 6
print(x, 1 < n < 3, 1 < 2 < 3 == 3, not n, n or "or", n and "and")
if (m := len(items)) > 3:
    print("walrus", m)
print([y for v in range(5) if (y := v * 2) > 4], y)
for i in iter(iter([3, 2, 1, 0, 9]).__next__, 0):
    print(i, end=" ")
print()
print(*zip("abc", range(10)), *map(lambda a, b: a * b, [1, 2], [3, 4]))
try:
    list(zip([1], [1, 2], strict=True))
except ValueError as error:
    print(error)
print(list(reversed(range(3))), sorted("bca", reverse=True), any([]), all([]), sum([[1], [2]], []))
