match a:
    case 1: b
    case -1.5: c
    case 1 + 2j: d
    case "x": e
    case None: f
    case True: g
    case A.b: h
    case x if x > 1: i
    case y: j
def f(a):
    match a:
        case 1: return 2
        case _: return 3
match a, b:
    case 1, 2: pass
match *a, b:
    case _: pass
