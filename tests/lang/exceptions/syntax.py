for source in ("x = ", "if True print(1)", "def f(:\n pass", "for in x: pass", "a b", "1 +* 2", "print 'x'", "x = (1, 2", "'abc", "def f():\nreturn 1",
               "return 5", "break", "x = 5\n  y = 6", "f() = 1", "1 = x", "def f(a, a): pass", "yield 1", "lambda: (yield)", "nonlocal x", "class C: return 1",
               "f(a=1, a=2)", "f(a=1, 2)", "x: int: 5", "from x import *, y", "import", "async def f(): yield from x", "*a = 1", "a, *b, *c = 1",
               "def f():\n    global x\n    x = 1\n    nonlocal x", "'\\N{nope}'", "0777", "1_", "1__0", "0xg", "f'{'", "f'{}'", "f'{a b}'", "\"\"\"abc",
               "del f()", "with x as 5: pass", "try: pass", "x = yield = 1", "a := 1", "else: pass", "match x:\n case a | b: pass", "await x", "@", "$", "é€"):
    try:
        compile(source, "<s>", "exec")
        print(repr(source), "fine")
    except SyntaxError as error:
        print(repr(source), "->", type(error).__name__, error.msg, error.lineno)

for source in (
    '"a" + f(4, x for x in y)',
    '"a" + (4 x)',
    '"a" + f(1=2)',
    'f(4, x for x in y)',
):
    try:
        compile(source, "source", "eval")
    except SyntaxError as e:
        print(source, "|", e.msg, e.offset, e.end_offset)
print(eval(compile(b"# coding: cp437\nascii('\xda\xf3')", "source", "eval")))
try:
    compile(b"# coding: ascii\n'\xff'", "source", "exec")
except SyntaxError as e:
    print(e.msg)
f = lambda: 0
for arguments, keywords in (((1,), {}), ((1,), {"x": 2}), ((), {"x": 1})):
    try:
        f(*arguments, **keywords)
    except TypeError as e:
        print(e)
