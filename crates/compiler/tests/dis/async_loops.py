async def f(a):
    async for x in a:
        b
    async for x, y in a:
        if x: break
        if y: continue
        c
    else:
        d
    return [x async for x in a], {x: y async for x in a if x for y in x}, (x async for x in a)
