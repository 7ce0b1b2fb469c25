from bench import run


def main(n):
    total = 0
    for _ in range(n):
        table = {}
        for i in range(100):
            table[f"k{i}"] = i
        for key, value in table.items():
            total += value + len(key)
        counts = {}
        for i in range(200):
            counts[i % 17] = counts.get(i % 17, 0) + 1
        total += len(counts) + sum(counts.values()) + ("k5" in table)
        inverse = {v: k for k, v in table.items()}
        total += len(set(inverse) & set(range(50)))
    return total


run(main, 400)
