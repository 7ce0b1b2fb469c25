# Attributes of instances whose namespace somebody has asked for: reads, writes, methods and what shadows them.
import io


class Record:
    kind = "class"

    def __init__(self, n):
        self.n = n
        self.vars = self.__dict__

    def method(self):
        return "method", self.n

    @property
    def double(self):
        return self.n * 2


class Other(Record):
    def method(self):
        return "other", self.n


def read(r):
    return r.n, r.kind, r.double, r.method()


def write(r, value):
    r.n = value


records = [Record(1), Other(2), Record(3)]
for turn in range(3):
    for r in records:
        write(r, r.n + 10)
        print(read(r))

r = records[0]
for r in records * 2:
    r.method()
records[0].method = lambda: "own"
print([r.method() for r in records])
del records[0].method
print([r.method() for r in records])
records[1].__dict__["kind"] = "own"
print([r.kind for r in records])
del records[1].kind
print([r.kind for r in records])
records[2].__dict__ = {"extra": 0, "n": 7}
print([r.n for r in records])
write(records[2], 8)
print(records[2].__dict__)
del records[2].n
for r in records:
    try:
        print(r.n)
    except AttributeError as e:
        print(e)
write(records[2], 9)
print(records[2].__dict__)
Record.n = property(lambda self: "class wins", lambda self, value: print("set", value))
print([r.n for r in records])
write(records[0], 5)
del Record.n
print([r.n for r in records])


# Surplus arguments, of functions and bound methods, from functions and generators.
def star(a, b=2, *rest, **named):
    return a, b, rest, named


class Calls:
    def star(self, *rest, **named):
        return rest, named

    def defaults(self, a, b="b"):
        return a, b


calls = Calls()
bound, plain = calls.star, calls.defaults
one = 1


def closure(*rest):
    return rest, one


def all_of_them():
    yield star(1)
    yield star(1, 2, 3, 4)
    yield bound(), bound(1), bound(1, 2, 3)
    yield plain(1), plain(1, 2)
    yield closure(), closure(1, 2)


for turn in range(3):
    results = [star(1), star(1, 2, 3, 4), (bound(), bound(1), bound(1, 2, 3)), (plain(1), plain(1, 2))]
    results.append((closure(), closure(1, 2)))
    print(results == list(all_of_them()), results)
for call in (lambda: star(), lambda: plain(), lambda: plain(1, 2, 3)):
    try:
        call()
    except TypeError as e:
        print(e)

# Dicts of every small size, with entries that go and come back.
for size in range(12):
    d = {i: str(i) for i in range(size)}
    for i in range(0, size, 2):
        del d[i]
    for i in range(0, size, 2):
        d[i] = "back"
    d["last"] = size
    print(list(d), d.get(size), d == dict(reversed(d.items())), d.popitem(), len(d.copy()))

stream = io.StringIO()
for text in ("first", "second", "é"):
    stream.write(text)
    print(repr(stream.getvalue()))
    stream.seek(0)
    stream.truncate()
stream.write("ab")
stream.truncate(0)
stream.write("c")
print(repr(stream.getvalue()))
print("a,b,,c".split(","), ",".split(","), "abc".split(","), "".split(","), "a,b,c".split(",", 1), "é,b".split(","))
