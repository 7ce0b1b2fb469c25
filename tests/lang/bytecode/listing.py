"""`dis` prints what CPython 3.10's prints for code that both know."""

import dis
import io
import re


def show(function, *arguments, **options):
    output = io.StringIO()
    function(*arguments, file=output, **options)
    text = re.sub("at 0x[0-9a-f]+", "at 0x", output.getvalue())
    print(re.sub('file "[^"]*"', "file", re.sub("Filename: .*", "Filename:", text)))


def f(a, b=2, *args, k, **kw):
    "doc"
    x = [i for i in range(a)]
    try:
        for y in x:
            print(y, b, sep="")
    finally:
        pass
    return lambda: (a, x)


def gen():
    x = yield 1
    return x


async def co(z):
    async with z as q:
        await q


class C:
    @staticmethod
    def s(x):
        return x

    @classmethod
    def c(cls):
        return cls

    a = 5


def fails():
    1 / 0


for code in (f, gen, co, "x = 1", "x + 1", C.s, C().c):
    show(dis.show_code, code)
for code in (f, gen, co, C, "a\nb = 1\n", b"d\x00S\x00"):
    show(dis.dis, code)
show(dis.dis, f, depth=0)
try:
    fails()
except ZeroDivisionError as e:
    show(dis.distb, e.__traceback__.tb_next)
    print(dis.Bytecode.from_traceback(e.__traceback__).dis())
print(dis.Bytecode(f).info() == dis.code_info(f))
print([(i.opname, i.arg, i.argval, i.argrepr, i.offset, i.is_jump_target) for i in dis.get_instructions(gen)])
print(dis.findlabels(f.__code__.co_code))
for name in ("BINARY_ADD", "BUILD_LIST", "CALL_FUNCTION_KW", "SETUP_FINALLY", "FOR_ITER", "LOAD_METHOD"):
    for arg in (None, 0, 3):
        for jump in (None, True, False):
            try:
                print(name, arg, jump, dis.stack_effect(dis.opmap[name], arg, jump=jump))
            except ValueError as e:
                print(name, arg, jump, e)
for wrong in (5, [], object()):
    try:
        dis.dis(wrong)
    except TypeError as e:
        print(e)
try:
    dis.distb()
except RuntimeError as e:
    print(e)
