match a:
    case {}: b
    case {"x": 1}: c
    case {"x": x, **rest}: d
    case {-1: _, A.b: [y, *_]}: e
    case {**rest}: f
