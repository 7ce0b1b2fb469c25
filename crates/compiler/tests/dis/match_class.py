match a:
    case A(): b
    case A(1, x=2): c
    case A.B(x, y=y, z=_): d
    case str() | int(): e
    case A(B(c), D() as d): f
