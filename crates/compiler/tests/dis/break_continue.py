def loops(a, b):
    for x in a:
        for y in b:
            if y:
                break
            if x:
                continue
            use(x, y)
        else:
            continue
        break
    else:
        return 1
    while True:
        if a:
            break
        elif b:
            continue
        return 2
