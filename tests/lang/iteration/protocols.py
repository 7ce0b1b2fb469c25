import itertools
import operator
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple


class Countdown:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n

    def __length_hint__(self):
        return self.n


print(list(Countdown(3)), tuple(Countdown(2)), sum(Countdown(4)), max(Countdown(3)), 1 in Countdown(3))


class Old:
    def __getitem__(self, i):
        if i == 3:
            raise IndexError
        return i * i


print(list(Old()), 4 in Old(), list(reversed([1, 2])))
try:
    iter(5)
except TypeError as error:
    print(error)
try:
    next(iter([]))
except StopIteration as stop:
    print(repr(stop))
print(next(iter([]), "default"))
try:
    next([])
except TypeError as error:
    print(error)


class Bad:
    def __iter__(self):
        return 5


try:
    iter(Bad())
except TypeError as error:
    print(error)
print(list(itertools.chain("ab", [1])), list(itertools.islice(itertools.count(5), 3)), list(itertools.accumulate([1, 2, 3])))
print(list(itertools.product("ab", repeat=2)), list(itertools.permutations([1, 2, 3], 2)), list(itertools.combinations("abc", 2)))
print([(k, list(g)) for k, g in itertools.groupby("aabbb")], list(itertools.zip_longest("ab", "c", fillvalue="-")))
print(list(itertools.takewhile(lambda n: n < 3, [1, 2, 3, 1])), list(itertools.starmap(pow, [(2, 3)])), list(itertools.batched("abcde", 2)))
print(list(itertools.pairwise("abc")), list(itertools.compress("abc", [1, 0, 1])), [*itertools.repeat(1, 2)])
Point = namedtuple("Point", "x y", defaults=[0])
p = Point(1)
print(p, p.x, p._replace(y=5), p._asdict(), Point._fields, p == (1, 0))
dd = defaultdict(list)
dd["a"].append(1)
print(dd, Counter("hello").most_common(2), Counter(a=1) + Counter(a=2, b=1))
dq = deque([1, 2, 3], maxlen=3)
dq.append(4)
dq.appendleft(0)
dq.rotate(1)
print(dq, dq.pop(), dq.popleft(), list(dq))
od = OrderedDict(a=1, b=2)
od.move_to_end("a")
print(od, ChainMap({"a": 1}, {"a": 2, "b": 3})["b"], operator.itemgetter(1, 0)("ab"), operator.attrgetter("real")(5))
