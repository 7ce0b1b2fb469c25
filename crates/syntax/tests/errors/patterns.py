match x:
    case a.b as _: pass
#---
match x:
    case 1 as a.b: pass
#---
match x:
    case C(a=1, 2): pass
#---
match x:
    case {**r, 'a': 1}: pass
#---
match x:
    case 1 + 2: pass
#---
match x:
    case 1j + 2j: pass
#---
match x:
    case -a: pass
#---
match x:
    case f(): pass
    case a b: pass
#---
match x:
    pass
#---
match x:
    case [a, b: pass
#---
match x:
    case {a: b}: pass
#---
match x:
    case *a: pass
#---
