"""Trees that are made and dropped: allocation and destruction."""

from bench import run


class Node:
    __slots__ = ("left", "right")

    def __init__(self, left, right):
        self.left, self.right = left, right


def make(depth):
    if depth == 0:
        return Node(None, None)
    return Node(make(depth - 1), make(depth - 1))


def count(node):
    return 1 if node.left is None else 1 + count(node.left) + count(node.right)


def main(depth):
    kept = make(depth)
    total = 0
    for d in range(4, depth + 1, 4):
        for _ in range(2 ** (depth - d + 2)):
            total += count(make(d))
    return total, count(kept)


run(main, 12)
