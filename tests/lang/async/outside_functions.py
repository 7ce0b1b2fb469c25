# `await` outside functions: code that makes a coroutine of itself, with the names of a module.
import ast
import asyncio
from types import FunctionType


async def number(value):
    await asyncio.sleep(0)
    return value


def compiled(source):
    return compile(source, "code", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


space = {"number": number}
asyncio.run(eval(compiled("a = await number(1)\nb = a + await number(2)"), space))
print(space["a"], space["b"])

local = {"extra": 10}
asyncio.run(eval(compiled("c = await number(3)\nd = c + extra\ndel c\ne = sorted(locals())"), space, local))
print(local, "c" in space, "d" in space)

space = {"number": number}
asyncio.run(FunctionType(compiled("f = await number(4)\ng = 'f' in locals()"), space)())
print(space["f"], space["g"])

space = {}
FunctionType(compile("h = 5\ni = locals() is globals()\ndel h", "code", "exec"), space)()
print(space["i"], "h" in space)
