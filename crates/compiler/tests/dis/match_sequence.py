match a:
    case []: b
    case [x]: c
    case [x, *rest]: d
    case [*_, x, y]: e
    case [x, _, *_, y, 3]: f
    case _, _: g
    case [*_]: h
    case (x, [y, *z]): i
