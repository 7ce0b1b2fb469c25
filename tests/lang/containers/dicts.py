d = {"a": 1, "b": 2}
d["c"] = 3
print(d, d["a"], d.get("z"), d.get("z", 0), len(d), "a" in d, list(d), d.pop("a"), d.pop("q", None))
d.update({"b": 20}, x=5)
print(d, d.setdefault("y", []), d.setdefault("b", 0), d.popitem(), d)
print(list(d.items()), list(d.keys()), list(d.values()), dict([("k", 1)]), dict(a=1), dict.fromkeys("ab", 0))
print(d | {"n": 1}, {**d, "b": 0}, d.keys() & {"b", "zz"}, d.keys() - {"b"}, d.items() | {("q", 1)} >= {("q", 1)})
d |= [("z", 9)]
del d["b"]
print(d, list(reversed(d)), d == {"z": 9, "c": 3, "x": 5}, {1: "int", 1.0: "float", True: "bool"})
for bad in (lambda: {}["k"], lambda: {}.popitem(), lambda: {[]: 1}, lambda: dict(5), lambda: dict([1]), lambda: {}.pop("x"), lambda: {} < {}):
    try:
        bad()
    except Exception as error:
        print(type(error).__name__, error)
order = {}
for k in "hello":
    order[k] = order.get(k, 0) + 1
print(order)
order["h"] = 0
del order["e"]
order["e"] = 1
print(order)


class Key:
    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return self.n % 2

    def __eq__(self, other):
        print("eq", self.n, other.n)
        return self.n == other.n


table = {Key(1): "one"}
table[Key(3)] = "three"
print(table[Key(3)])


class Default(dict):
    def __missing__(self, key):
        return f"<{key}>"


print(Default(a=1)["a"], Default()["b"], Default().get("b"))
big = {i: i * i for i in range(1000)}
for i in range(0, 1000, 2):
    del big[i]
print(len(big), list(big)[:5], sum(big.values()))
s = {3, 1, 2}
s.add(1)
s.discard(9)
print(sorted(s), s | {5}, s & {1, 9}, s - {1}, s ^ {1, 7}, s <= {1, 2, 3, 4}, {1} < {1, 2}, s.isdisjoint({8}), frozenset("aab") == frozenset("ab"))
s.update([10], (11,))
s -= {10, 11}
print(sorted(s), len(s), set(), {frozenset([1]): 2})
for bad in (lambda: set().pop(), lambda: {1}.remove(2), lambda: {[]}, lambda: {1} + {2}, lambda: hash({1})):
    try:
        bad()
    except Exception as error:
        print(type(error).__name__, error)
print(type({}.keys()), {}.items(), {1: 2}.values(), str({"self": {}}))
view = order.keys()
order["new"] = 1
print(len(view), "new" in view)
