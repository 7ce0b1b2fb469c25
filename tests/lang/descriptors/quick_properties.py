class A:
    @property
    def p(self): return 7
    @property
    def bad(self): raise AttributeError('inner')
    @property
    def g(self): yield 3
    def __getattr__(self, n): return ('ga', n)
class B:
    @property
    def p(self): return self.q
    @p.setter
    def p(self, v): self.q = v
b = B()
def f(b):
    for i in range(4):
        b.p = i
        print(b.p, end=' ')
    print()
f(b)
def h(a):
    for i in range(3): print(a.p, a.bad, list(a.g), a.zz)
a = A()
try: h(a)
except Exception as e: print(type(e), e)
class C(B):
    pass
c = C(); c.p = 5
def k(o): return o.p
print([k(o) for o in (b, c, b, c)])
B.p = property(lambda self: 'new')
print([k(o) for o in (b, c, b, c)])
print(min(3, 1, 2), max(1.5, 2), min('b', 'a'), max([1], [2]))
try: min(1, 'a')
except TypeError as e: print(e)
print(getattr(b, 'nope', 5), hasattr(b, 'nope'), hasattr(b, 'p'), getattr(B, 'zz', None), hasattr(3, 'real'))
print('-'.join(['a', 'b']), 'é'.join(['a', 'b']), f'{1}a{"é"}{2.5!r}', ''.join([]))
import sys
print(sum([b'a' == b'a', b'x' + b'y' == b'xy', b''.join([b'a', bytearray(b'b')]) == b'ab']))
