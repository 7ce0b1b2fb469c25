import gc
import weakref

gc.disable()


class Noisy:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("del", self.name)


def local():
    a = Noisy("a")
    b = Noisy("b")
    print("leaving")


local()
x = Noisy("x")
x = Noisy("y")
print("rebound")
del x
items = [Noisy(1), Noisy(2), Noisy(3)]
items.pop()
items[0] = None
print("clearing")
items.clear()
Noisy("temporary")
print("after temporary")
holder = {"k": Noisy("value")}
holder["k"] = 0
t = (Noisy("t1"), Noisy("t2"))
del t
print("cycle")
a, b = Noisy("ca"), Noisy("cb")
a.other, b.other = b, a
r = weakref.ref(a, lambda ref: print("callback", ref() is None))
del a, b
print(r() is not None)
gc.collect()
print(r())


class Phoenix:
    saved = []

    def __del__(self):
        print("rising")
        Phoenix.saved.append(self)


Phoenix()
print(len(Phoenix.saved))
Phoenix.saved.clear()
print("gone")


class Bad:
    def __del__(self):
        raise ValueError("in del")


def generator():
    try:
        yield 1
    finally:
        print("generator closed")


g = generator()
next(g)
del g


def in_exception():
    try:
        local_object = Noisy("in frame")
        raise ValueError
    except ValueError as error:
        print("handling")
    print("handled")


in_exception()
d = weakref.WeakValueDictionary()
o = Noisy("weak value")
d["k"] = o
print(len(d))
del o
print(len(d))
f = weakref.finalize(Noisy, print, "never")
f.detach()
o = Noisy("finalized")
weakref.finalize(o, print, "finalizer")
del o
keep = Noisy("at exit")
