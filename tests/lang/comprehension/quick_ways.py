def f(x):
    return [i*x for i in range(5)], {i: x for i in range(3)}, {i+x for i in range(3)}, list(i for i in range(x))
print(f(3))
def g():
    y = 2
    return [(lambda: i+y) for i in range(3)]
print([h() for h in g()])
def gg():
    r = yield from hh()
    print('r', r)
    yield from [7,8]
    return 5
def hh():
    x = yield 1
    print('x', x)
    try:
        y = yield 2
    except ValueError as e:
        print('caught', e)
        y = 'v'
    return y
q = gg()
print(next(q), q.send('a'), q.throw(ValueError('boo')), list(q))
print([ [a for a in range(b)] for b in range(4) if b])
a=[1,2,3,4,5]
a[1:3]=[9]
print(a, a[1:], a[:-1], a[:], a[5:1], 'hello'[1:3], (1,2,3)[1:])
i=1
a[i], a[0] = a[0], a[i]
a[i] += 5
print(a)
class T:
    def __init__(s, l, v, r): s.l, s.v, s.r = l, v, r
    def __iter__(s):
        if s.l: yield from s.l
        yield s.v
        if s.r: yield from s.r
def mk(n): 
    return T(mk(n-1), n, mk(n-1)) if n else None
print(list(mk(4)))
def bad():
    yield 1
    raise KeyError('x')
def out():
    try:
        yield from bad()
    except KeyError as e:
        yield repr(e)
print(list(out()))
print((x for x in 'a').__name__, (x for x in 'a').__qualname__)
def z():
    return (x for x in 'a').__qualname__
print(z())
x = 3
class C:
    y = [x for _ in range(2)]
    z = [i for i in y]
print(C.y, C.z)
print([x if True else 0 for x in (range(2) if x else [])])
print(sum(i for i in range(100)))
print(not 0, not 1.5, -(2**62), -(-2**62), 1.5 < 2.5, 1.5 < 2, float('nan') == float('nan'))
d={}
try: d[1]
except KeyError as e: print(repr(e))
class K:
    def __hash__(self): print('hash'); return 1
    def __eq__(self, o): return True
try: d[K()]
except KeyError as e: pass
async def co(n):
    return n if n == 0 else await co(n-1)
try: co(5).send(None)
except StopIteration as e: print('ret', e.value)
