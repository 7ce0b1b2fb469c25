data = list(range(10))
for cut in (slice(None), slice(2, 5), slice(None, None, -1), slice(8, 2, -2), slice(-3, None), slice(100, None), slice(5, 2), slice(None, -8), slice(3, None, 4)):
    print(data[cut], "abcdefghij"[cut], tuple(data)[cut], cut.indices(10))


class Recorder:
    def __getitem__(self, key):
        return key


r = Recorder()
print(r[1:2], r[1:2, 3], r[...], r[:, None], r[()], r[1,], r[::-1])
words = "banana Apple cherry date Elderberry fig".split()
print(sorted(words), sorted(words, key=str.lower), sorted(words, key=len, reverse=True), min(words, key=len))
records = [("x", 3), ("y", 1), ("z", 3), ("w", 2)]
records.sort(key=lambda p: p[1], reverse=True)
print(records)
for bad in (lambda: [3, "a"].sort(), lambda: sorted([1, None]), lambda: [1].sort(5), lambda: data[::0], lambda: data["a":], lambda: [1, 2].sort(key=5)):
    try:
        bad()
    except Exception as error:
        print(type(error).__name__, error)
import bisect
import heapq

heap = [5, 1, 4]
heapq.heapify(heap)
heapq.heappush(heap, 0)
print([heapq.heappop(heap) for _ in range(4)], heapq.nlargest(2, [1, 3, 2]), bisect.bisect([1, 3, 5], 3))
a = [1, 2, 3, 4, 5]
a[1:4] = []
print(a)
a[1:1] = "xyz"
print(a)
a[-1:] = [9, 9]
del a[::2]
print(a)
try:
    a[::2] = [1]
except ValueError as error:
    print(error)
a[:] = a
print(a, a * 0, a[len(a):])
grid = [[c for c in row] for row in ["ab", "cd"]]
print(list(zip(*grid)), [list(r) for r in zip(*grid[::-1])], sum(grid, []))
