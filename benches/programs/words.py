"""Counting and sorting made-up words: strings, dicts, sorting, regular expressions."""

import re
from collections import Counter

from bench import run


def text(n):
    state = 42
    syllables = ["ka", "lo", "mi", "ne", "ru", "sa", "to", "vi", "xe", "zu"]
    words = []
    for _ in range(n):
        state = (state * 1103515245 + 12345) % 2**31
        words.append("".join(syllables[state >> shift & 7] for shift in (3, 7, 11)[: state % 3 + 1]))
    return " ".join(words)


def main(n):
    source = text(n)
    counts = Counter(re.findall(r"\w+", source))
    top = counts.most_common(5)
    by_length = {}
    for word in counts:
        by_length.setdefault(len(word), []).append(word)
    lengths = sorted((length, len(words), min(words)) for length, words in by_length.items())
    replaced = re.sub(r"(ka|lo)(\w)", lambda m: m[2].upper() + m[1], source)
    return top, lengths, hash_of(replaced)


def hash_of(text):
    value = 7
    for char in text[:5000]:
        value = (value * 31 + ord(char)) % 1000003
    return value


run(main, 15000)
