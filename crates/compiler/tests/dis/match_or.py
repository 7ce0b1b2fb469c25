match a:
    case 1 | 2 | 3: b
    case [x, 1] | [1, x]: c
    case (x, y) | {"x": x, "y": y}: d
    case [x, y, 1] | [1, y, x]: e
    case (1 | 2) as z if z > x: f
    case _: g
