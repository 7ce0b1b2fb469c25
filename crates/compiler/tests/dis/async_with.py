async def f(a):
    async with a: b
    async with a as b, c as d:
        return 1
    async with a:
        for x in y:
            async with x:
                break
