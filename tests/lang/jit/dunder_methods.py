"""Operators and items that classes and arrays define, in hot loops."""
from array import array
class V:
    def __init__(self, x, y): self.x = x; self.y = y
    def __add__(self, o):
        if isinstance(o, V): return V(self.x+o.x, self.y+o.y)
        return NotImplemented
    def __radd__(self, o): return V(self.x+o, self.y)
    def __eq__(self, o): return self.x == o.x and self.y == o.y
    def __lt__(self, o): return self.x < o.x
    def __repr__(self): return f"V({self.x}, {self.y})"
    def __del__(self):
        global dead
        dead += 1
dead = 0
class W(V):
    def __radd__(self, o): return 'W.radd'
class G:
    def __init__(self, w, h):
        self.w = w; self.h = h; self.d = array('d', [0]) * (w*h)
    def idx(self, x, y):
        if 0 <= x < self.w and 0 <= y < self.h: return y*self.w + x
        raise IndexError
    def __getitem__(self, xy):
        x, y = xy
        return self.d[self.idx(x, y)]
    def __setitem__(self, xy, v):
        x, y = xy
        self.d[self.idx(x, y)] = v
def f(n):
    a = V(0, 0); b = V(1, 2)
    c = 0
    for i in range(n):
        a = a + b
        if a == b: c += 1
        if a < b: c += 100
        if b < a: c += 10000
    return a, c
def g(n):
    G1 = G(10, 10)
    for k in range(n):
        for y in range(1, 9):
            for x in range(1, 9):
                G1[x, y] = 1.25*0.25*(G1[x, y-1]+G1[x, y+1]+G1[x-1, y]+G1[x+1, y]) + 1.0 + G1[x, y]*.1
    return sum(G1.d)
def h(n):
    r = []
    for t in 'bBhHiIlqfd':
        a = array(t, range(10)); s = 0
        try:
            for i in range(n):
                a[i % 10] = i
                s += a[(i+3) % 10] + a[-1]
        except OverflowError as e:
            r.append(str(e))
        r.append((t, s))
    return r
def mixed(n):
    out = []
    v = V(1, 2)
    for i in range(n):
        o = v if i < n-2 else W(1, 1)
        out.append(v + o)
    return out[-3:]
def bad(n):
    g = G(3, 3)
    try:
        for i in range(n):
            g[i, 0] = i
    except IndexError as e:
        import traceback
        return [(f.name, f.lineno) for f in traceback.extract_tb(__import__('sys').exc_info()[2])]
print(f(3000)); print(dead); print(g(10)); print(h(300)); print(h(4000)); print(mixed(3000)); print(dead)
print(bad(10)); 
for _ in range(300): r = bad(10)
print(r)
