from bench import run


def main(n):
    total = 0
    text = "The quick brown fox jumps over the lazy dog. " * 5
    for i in range(n):
        words = text.lower().replace(".", "").split()
        total += len(" ".join(sorted(set(words))))
        line = ""
        for word in words[:20]:
            line += word + ","
        total += len(line) + line.count("o") + text.find("lazy")
        total += len(f"{i:>10} {i / 7:.3f} {words[i % 9]!r} {text[3:9]}")
        total += sum(c in "aeiou" for c in words[2]) + len("%s=%d" % (words[0], i))
    return total


run(main, 3000)
