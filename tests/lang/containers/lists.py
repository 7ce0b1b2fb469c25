items = [3, 1, 2]
items.append(4)
items.extend("ab")
items.insert(1, "x")
print(items, items.pop(), items.pop(0), items.index(2), items.count(1), len(items))
items.remove("a")
items.reverse()
print(items, items[1:3], items[-1], items[::-1], items[::2])
nums = [5, 3, 8, 1]
nums.sort()
print(nums, sorted(nums, key=lambda n: -n), sorted(["b", "A", "c"], key=str.lower))
nums[1:3] = [10, 20, 30]
print(nums)
nums[::2] = ["e", "f", "g"]
print(nums)
del nums[1], nums[-1]
print(nums, nums * 2, nums + [1], 2 * [0])
del nums[:]
print(nums, [1, 2] == [1, 2], [1, 2] < [1, 3], [1] < [1, 0], [] < [1])
nested = [[0] * 2] * 2
nested[0][0] = 1
print(nested)
copy = nested.copy()
copy[0] = "new"
print(nested, copy)
recursive = [1]
recursive.append(recursive)
print(recursive, recursive == recursive)
a = [1, 2, 3]
a += (4,)
b = a
b *= 2
print(a, a is b, 3 in a, 9 not in a)
for bad in (lambda: [][0], lambda: [1].remove(2), lambda: [].pop(), lambda: [1]["a"], lambda: [1] + (1,), lambda: [1, "a"].sort(),
            lambda: [].index(1), lambda: [1, 2, 3].__setitem__(slice(0, 3, 2), [1]), lambda: [1] < 5, lambda: {}[[]]):
    try:
        bad()
    except Exception as error:
        print(type(error).__name__, error)
t = (1, 2, 3)
print(t[1], t + (4,), t * 2, t[:2], (1,), (), t.index(2), t.count(1), hash((1, 2)) == hash((1, 2)), t < (1, 2, 4))
try:
    t[0] = 1
except TypeError as error:
    print(error)
stable = sorted([("b", 1), ("a", 1), ("c", 0)], key=lambda p: p[1])
print(stable)


class Evil:
    def __init__(self, n):
        self.n = n

    def __lt__(self, other):
        work.clear()
        return self.n < other.n


work = [Evil(3), Evil(1), Evil(2)]
try:
    work.sort()
except ValueError as error:
    print(error)
print(list(enumerate("ab", 1)), list(range(5))[1:-1], [*range(3)][::-1], list(filter(None, [0, 1, "", "a"])))
print(list(range(0, 10, 3)), range(5)[2], range(10)[::3], len(range(-5, 5)), 3 in range(5), range(3) == range(0, 3, 1), range(2**70)[-1])
