import asyncio


async def add(a, b):
    await asyncio.sleep(0)
    return a + b


class Range:
    def __init__(self, n):
        self.n, self.i = n, 0

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.i >= self.n:
            raise StopAsyncIteration
        self.i += 1
        await asyncio.sleep(0)
        return self.i


class Manager:
    async def __aenter__(self):
        print("aenter")
        return "m"

    async def __aexit__(self, kind, error, traceback):
        print("aexit", kind and kind.__name__)
        return True


async def numbers(n):
    for i in range(n):
        try:
            yield i
        finally:
            print("step", i)


async def main():
    print(await add(1, 2))
    print(await asyncio.gather(add(1, 1), add(2, 2)))
    async for i in Range(3):
        print(i)
    else:
        print("else")
    async with Manager() as m:
        print(m)
        raise ValueError("swallowed")
    print([i async for i in numbers(3) if i != 1])
    print({i: await add(i, i) async for i in Range(2)})
    print([await add(i, 1) for i in range(3)])
    task = asyncio.create_task(add(5, 5))
    print(await task, task.done())
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(10)
    except TimeoutError:
        print("timeout")

    async def fails():
        await asyncio.sleep(0)
        raise KeyError("x")

    try:
        await fails()
    except KeyError as error:
        print("failed", error)
    results = await asyncio.gather(fails(), add(1, 1), return_exceptions=True)
    print(results)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())
            group.create_task(asyncio.sleep(5))
    except* KeyError as group:
        print(group.exceptions)
    generator = numbers(5)
    print(await anext(generator), await generator.asend(None))
    await generator.aclose()
    queue = asyncio.Queue()

    async def producer():
        for i in range(3):
            await queue.put(i)
        await queue.put(None)

    async def consumer():
        got = []
        while (item := await queue.get()) is not None:
            got.append(item)
        return got

    _, got = await asyncio.gather(producer(), consumer())
    print(got)


asyncio.run(main())


async def coroutine():
    return 1


c = coroutine()
try:
    c.send(None)
except StopIteration as stop:
    print(stop.value)
try:
    c.send(None)
except RuntimeError as error:
    print(error)
print(type(c).__name__, coroutine.__code__.co_flags & 0x80 != 0)


class Awaitable:
    def __await__(self):
        got = yield "suspended"
        return got


async def waits():
    return await Awaitable()


c = waits()
print(c.send(None))
try:
    c.send("resumed")
except StopIteration as stop:
    print(stop.value)


async def wrong():
    await 5


try:
    asyncio.run(wrong())
except TypeError as error:
    print(error)
