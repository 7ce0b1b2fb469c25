# Containers that are changed by what is called while they are worked on.
import bisect
import collections
import heapq


def attempt(action):
    try:
        result = action()
    except Exception as error:
        print(type(error).__name__, error)
    else:
        print(result)


class Clears:
    """Comparing, hashing or converting it empties `target`."""

    target = []

    def __eq__(self, other):
        Clears.target.clear()
        return False

    def __lt__(self, other):
        Clears.target.clear()
        return True

    def __hash__(self):
        return 1

    def __index__(self):
        Clears.target.clear()
        return 5


def fresh(make):
    Clears.target = make(Clears() for _ in range(10))
    return Clears.target


attempt(lambda: fresh(list).count(1))
attempt(lambda: fresh(list).index(1))
attempt(lambda: fresh(list).remove(1))
attempt(lambda: 1 in fresh(list))
attempt(lambda: fresh(list) == [1] * 10)
attempt(lambda: fresh(list).sort())
attempt(lambda: fresh(list)[Clears() : 8])
attempt(lambda: fresh(list).insert(Clears(), 1))
attempt(lambda: fresh(list).pop(Clears()))
attempt(lambda: fresh(list)[Clears()])
attempt(lambda: bisect.bisect(fresh(list), Clears()))
attempt(lambda: heapq.heappop(fresh(list)))
attempt(lambda: heapq.heapify(fresh(list)))
attempt(lambda: 1 in fresh(collections.deque))
attempt(lambda: fresh(collections.deque).index(1))
attempt(lambda: fresh(collections.deque) == collections.deque([1] * 10))


def bytes_of():
    Clears.target = bytearray(b"abc" * 10)
    return Clears.target


attempt(lambda: bytes_of()[Clears()])
attempt(lambda: bytes_of()[Clears() : 20])
attempt(lambda: bytes_of().__setitem__(Clears(), 1))
attempt(lambda: bytes_of().__setitem__(5, Clears()))
attempt(lambda: bytes_of().pop(Clears()))
attempt(lambda: bytes_of().find(b"a", Clears()))

data = bytearray(b"abc")
view = memoryview(data)
for action in (data.clear, data.pop, lambda: data.append(1), lambda: data.extend(b"xx"), lambda: data.insert(0, 1)):
    attempt(action)
view.release()
attempt(lambda: view[0])
attempt(lambda: data.append(1))


def grow_dict():
    d = {1: 1}
    for key in d:
        d[key + 1] = 1


def shrink_dict():
    d = dict.fromkeys(range(10))
    for key in reversed(d):
        d.popitem()


def grow_set():
    s = {1}
    for item in s:
        s.add(item + 1)


def grow_deque():
    d = collections.deque([1])
    for item in d:
        d.append(1)


def shrink_list():
    items = [1, 2, 3]
    for item in items:
        items.clear()
    iterator = iter(items)
    items += [1, 2]
    return list(iterator), list(iterator)


for action in (grow_dict, shrink_dict, grow_set, grow_deque, shrink_list):
    attempt(action)


class KeyThatClears:
    def __init__(self, name):
        self.name = name

    def __hash__(self):
        return 1

    def __eq__(self, other):
        for i in range(20):
            table[i + 100] = i
        table.clear()
        return False


table = {}
for name in "abcdef":
    table[KeyThatClears(name)] = name
    table.get(KeyThatClears("x"))
    table.pop(KeyThatClears("x"), None)
    table.setdefault(KeyThatClears("x"), 1)
print(len(table) < 20)


class Dies:
    def __del__(self):
        target.clear()
        target.append(1)


target = []
target.extend(Dies() for _ in range(10))
target.clear()
print(len(target))
target[:] = [Dies() for _ in range(5)]
target[:] = [1, 2]
print(len(target))


def running():
    yield next(this)


this = running()
attempt(lambda: next(this))


def closing():
    this.close()
    yield


this = closing()
attempt(lambda: next(this))


# Collections while an object is being taken apart must not find it again.
import gc


class Collects:
    def __del__(self):
        gc.collect()


pair = (Collects(), [Collects()], {1: Collects()})
del pair


def ignores():
    while True:
        try:
            yield 1
        except GeneratorExit:
            gc.collect()
            return


def hold():
    waiting = ignores()
    next(waiting)
    raise ValueError


try:
    hold()
except ValueError:
    pass
print("end")
