def f(a=1, b): pass
#---
def f(*): pass
#---
def f(*, **k): pass
#---
def f(**k, a): pass
#---
def f(**k, *a): pass
#---
def f(*a, *b): pass
#---
def f(/, a): pass
#---
def f(a, /, b, /): pass
#---
def f(*a, b, /): pass
#---
def f(a, (b, c)): pass
#---
def f(*a=1): pass
#---
def f(**k=1): pass
#---
def f(a=): pass
#---
def f(a, b=, c): pass
#---
def f(1): pass
#---
def f(a.b): pass
#---
def f(a, *, /): pass
#---
def f(a, / * b): pass
#---
lambda a=1, b: 0
#---
lambda *: 0
#---
lambda **k, a: 0
#---
lambda *a, *b: 0
#---
lambda /, a: 0
#---
lambda (a, b): 0
#---
lambda a, /, b, /: 0
#---
lambda *a=1: 0
#---
def f[](): pass
#---
def f[*T: int](): pass
#---
class C[**P: (int, str)]: pass
#---
type X[T = int, U] =
#---
def (a): pass
#---
def f a: pass
#---
