# test: modes plain
# Sources that are long rather than deep compile in a time that grows with their length, not with its square.
N = 4_000


def check(name, source, result="x"):
    namespace = {}
    try:
        exec(compile(source, name, "exec"), namespace)
    except BaseException as error:
        print(name, type(error).__name__, error)
    else:
        value = namespace.get(result)
        print(name, value if isinstance(value, (int, str)) else type(value).__name__)


check("or", "a = 0\nx = " + " or ".join(["a"] * N) + " or 5\n")
check("and", "a = 1\nx = " + " and ".join(["a"] * N) + " and 5\n")
check("if or", "a = x = 0\nif " + " or ".join(["a"] * N) + " or 1:\n    x = 5\n")
check("not", "a = 0\n" + "x = not a\n" * N)
check("conditional", "a = 0\n" + "x = 1 if a else 2\n" * N)
check("return", "def f():\n" + "    return 1\n" * N + "x = f()\n")
check("if return", "def f(a):\n" + "    if a: return 1\n" * N + "    return 2\nx = f(0)\n")
check("if else", "a = 0\n" + "if a: x = 1\nelse: x = 2\n" * N)
check("dead", "def f():\n    return 3\n" + "    if f: f()\n" * N + "x = f()\n")
check("try", "def f():\n" + "    try: pass\n    finally: pass\n" * N + "    return 4\nx = f()\n")
check("while", "def f(a):\n" + "    while a: pass\n" * N + "    return 4\nx = f(0)\n")
check("functions", "def f():\n" + "".join(f"    def g{i}(): return a{i}\n" for i in range(N)) + f"    return {N}\nx = f()\n")
check("locals", "def f():\n" + "".join(f"    a{i} = {i}\n" for i in range(N)) + f"    return a{N - 1}\nx = f()\n")
check("cells", "def f():\n" + "".join(f"    a{i} = {i}\n" for i in range(N)) + "    def g():\n        return (" + "".join(f"a{i}, " for i in range(N)) + ")[-1]\n    return g()\nx = f()\n")
check("classes", "".join(f"class C{i}: a = {i}\n" for i in range(N // 8)) + f"x = C{N // 8 - 1}.a\n")
check("lambdas", "x = len([" + "lambda: 0, " * N + "])\n")
check("defaults", "x = len([" + "".join(f"lambda a={i}: a, " for i in range(N)) + "])\n")
check("set", "x = len({" + "".join(f"{i}, " for i in range(N)) + "})\n")
check("in set", "x = 5 in {" + "".join(f"{i}, {i}.0, " for i in range(N)) + "'a', 1.5}\n")
check("large in set", "x = 5 in {" + "".join(f"{10**30 + i}, " for i in range(N)) + "5}\n")
check("globals", "def f():\n    global " + ", ".join(f"a{i}" for i in range(N)) + "\n    return 1\nx = f()\n")
check("match", "def f(a):\n  match a:\n" + "".join(f"    case {i}: return {i}\n" for i in range(N)) + f"x = f({N - 1})\n")
check("except", "def f():\n  try: return 1\n" + "".join(f"  except E{i}: pass\n" for i in range(N)) + "x = f()\n")
check("text", "x = len(" + "'ab' " * N + ")\n")
check("wrong", "x = 1\n" * N + "x = = 1\n")
