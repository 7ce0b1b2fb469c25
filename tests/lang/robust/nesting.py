# What is nested very deep compiles, or raises; it never ends the process.
N = 100_000


def attempt(name, source, mode="exec"):
    try:
        compile(source, "<test>", mode)
        outcome = "compiled"
    except (SyntaxError, MemoryError, RecursionError) as error:
        outcome = "raised"
    print(name, outcome)


attempt("parentheses", "(" * N + ")" * N)
attempt("open parentheses", "(" * N)
attempt("lists", "[" * N + "]" * N)
attempt("open lists", "[" * N)
attempt("sets", "{" * N + "}" * N)
attempt("dicts", "{1:" * N + "1" + "}" * N)
attempt("calls", "f(" * N + ")" * N)
attempt("a chain of calls", "f" + "()" * N)
attempt("a chain of subscripts", "a" + "[0]" * N)
attempt("a chain of attributes", "a" + ".b" * N)
attempt("lambdas", "lambda: " * N + "1")
attempt("minus", "-" * N + "1")
attempt("not", "not " * N + "a")
attempt("powers", "a" + "**a" * N)
attempt("sums", "a" + "+a" * N)
attempt("sums of constants", "1" + "+1" * N)
attempt("conditional expressions", "a if b else " * N + "c")
attempt("open conditional expressions", "a if " * N)
attempt("f-strings", "f'{" * N + "1" + "}'" * N)
attempt("specs of f-strings", "f'{1:" + "{1:" * N + "}" * N + "}'")
attempt("comprehensions", "[a for a in " * N + "b" + "]" * N)
attempt("assignment expressions", "(a:=" * N + "1" + ")" * N)
attempt("targets", "(" * N + "a," + ")," * N + " = 1")
attempt("stars", "*" * N + "a = 1")
attempt("patterns", "match a:\n case " + "[" * N + "]" * N + ": pass")
attempt("deleted tuples", "del " + "(" * N + "a" + ")" * N)
attempt("yields", "def f():\n x = " + "(yield " * N + ")" * N)
attempt("functions", "".join(" " * i + "def f():\n" for i in range(200)) + " " * 200 + "pass")
attempt("classes", "".join(" " * i + "class c:\n" for i in range(200)) + " " * 200 + "pass")
attempt("loops", "".join(" " * i + "while a:\n" for i in range(90)) + " " * 90 + "pass")
attempt("strings", "x = " + "'a' " * 10_000)
attempt("decorators", "@a\n" * 10_000 + "def f(): pass")
attempt("comparisons", "a" + "<b" * 3000)
attempt("conditions", "a" + " and a" * 3000)
attempt("elif", "if a: pass\n" + "elif a: pass\n" * 200)
attempt("digits", "x = 0x" + "f" * 10**6)
attempt("too many digits", "x = " + "1" * 10**6)
attempt("a long name", "a" * 10**6)
attempt("a power that is too large", "x = 10**10**10")
attempt("a text that is too large", "x = 'a' * 10**10")
attempt("a shift that is too large", "x = 1 << 10**10")
