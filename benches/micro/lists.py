from bench import run


def main(n):
    total = 0
    for _ in range(n):
        items = []
        for i in range(100):
            items.append(i * 2)
        squares = [x * x for x in items if x % 3]
        total += sum(squares) + len(items[10:20]) + items[-1]
        items.sort(reverse=True)
        items.reverse()
        for i, (a, b) in enumerate(zip(items, squares)):
            items[i] = a + b
        first, *rest = items
        total += max(items) + (50 in items) + len(rest)
    return total


run(main, 600)
