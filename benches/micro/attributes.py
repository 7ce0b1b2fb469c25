from bench import run


class Slotted:
    __slots__ = ("x", "y")

    def __init__(self):
        self.x, self.y = 1, 2


class Plain:
    shared = 5

    def __init__(self):
        self.x, self.y = 1, 2

    @property
    def total(self):
        return self.x + self.y


class Child(Plain):
    pass


def main(n):
    objects = [Plain(), Child(), Slotted()]
    plain, child, slotted = objects
    total = 0
    for i in range(n):
        plain.x = i
        slotted.y = i
        total += plain.x + child.y + slotted.y + plain.shared + child.total
        for thing in objects:
            total += thing.x
    return total


run(main, 60000)
