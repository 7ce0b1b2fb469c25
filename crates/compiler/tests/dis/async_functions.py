async def f(a):
    await a
    x = await a.b(1) + await c
    return x
async def g(a):
    yield 1
    x = yield a
async def h():
    return [await x for x in y], (await x for x in y)
