import types
class A:
    def __call__(self, *a): return ('A', a)
    def __getitem__(self, k): return ('get', k)
    def __setitem__(self, k, v): print('set', k, v); return [1]
    def gen(self): yield 1
class G:
    def __getitem__(self, k): yield k
m = types.MethodType(types.MethodType(A(), 1), 2)
print([0, m(3), m(4)])
class B:
    def __init__(self, *a): self.a = a
mb = types.MethodType(B, 5)
print([7, mb(1).a])
a = A()
print(a[1], a['x', 2], a(1), list(G()[3]))
a[3] = 4
a[1:2] = 5
def g():
    a[1] = 2
    yield a[5]
print(list(g()))
class N:
    def __getitem__(self, k): raise IndexError(k)
print(list(N()))
try: N()[0]
except IndexError as e: print(e)
class R:
    def __getitem__(self, k): return self[k]
try: R()[0]
except RecursionError as e: print(str(e)[:32])
a = [1,2,3,4]; a[1:3] = [5,6]; a[0:1]=[]; a[1:1]=[9,9]; print(a); a[:] = a; print(a)
def g(n):
    for i in range(n): yield i
class Bad:
    def __hash__(self): raise ValueError('nohash')
def gb():
    yield 1; yield 'a'
    try: yield Bad()
    finally: print('closed?')
it = gb()
try: set(it)
except ValueError as e: print('VE', e)
print(it.gi_running, it.gi_frame is not None)
print(list(g(5)), tuple(g(3)), set(g(4)), sum(g(10)), sum(x*0.5 for x in g(5)), any(x > 3 for x in g(10)), all(x < 3 for x in g(10)), sorted(g(5), reverse=True), ','.join(str(i) for i in g(3)), [*g(3), *g(2)])
it = (x for x in [0, 0, 1, 2, 3]); print(any(it), list(it))
it = (x for x in [1, 1, 0, 2, 3]); print(all(it), list(it))
def selfnext():
    yield 1
    try: next(me)
    except ValueError as e: print(e)
    yield 2
me = selfnext(); print(list(me))
def deep():
    yield from g(3)
    x = yield 'mid'
    print('x', x)
    yield from deep2()
def deep2():
    yield list(g(2))
    raise KeyError('deep')
try: list(deep())
except KeyError as e: print(repr(e))
print(sum([1, 2.5, True, 3]), sum(iter([1.0, 2])), sum((i for i in [1, 'a' and 2, 2.5, 1+2j])))
l = [1]; l.extend(len(l) for _ in range(3)); print(l)
print(max(x for x in g(4)), dict((i, i) for i in g(3)), list(zip(g(2), g(3))), list(map(str, g(2))))
