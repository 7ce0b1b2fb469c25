"""A small Lisp: recursive data, closures, dicts, strings, exceptions."""

import operator
import re


class Environment(dict):
    def __init__(self, names=(), values=(), outer=None):
        super().__init__(zip(names, values))
        self.outer = outer

    def find(self, name):
        if name in self:
            return self
        if self.outer is None:
            raise NameError(f"unknown {name}")
        return self.outer.find(name)


class Closure:
    def __init__(self, params, body, environment):
        self.params, self.body, self.environment = params, body, environment

    def __call__(self, *args):
        return evaluate(self.body, Environment(self.params, args, self.environment))


def parse(text):
    tokens = re.findall(r"[()]|[^\s()]+", text)

    def read(at):
        token = tokens[at]
        if token == "(":
            items, at = [], at + 1
            while tokens[at] != ")":
                item, at = read(at)
                items.append(item)
            return items, at + 1
        try:
            return int(token), at + 1
        except ValueError:
            return token, at + 1

    tree, end = read(0)
    if end != len(tokens):
        raise SyntaxError("extra")
    return tree


def evaluate(x, env):
    match x:
        case str():
            return env.find(x)[x]
        case int():
            return x
        case ["define", name, value]:
            env[name] = evaluate(value, env)
        case ["if", test, yes, no]:
            return evaluate(yes if evaluate(test, env) else no, env)
        case ["lambda", params, body]:
            return Closure(params, body, env)
        case ["let", bindings, body]:
            names = [b[0] for b in bindings]
            return evaluate(body, Environment(names, [evaluate(b[1], env) for b in bindings], env))
        case [function, *args]:
            return evaluate(function, env)(*(evaluate(a, env) for a in args))


top = Environment()
top.update({"+": operator.add, "-": operator.sub, "*": operator.mul, "<": operator.lt, "=": operator.eq, "list": lambda *a: list(a)})
for line in (
    "(define fact (lambda (n) (if (< n 2) 1 (* n (fact (- n 1))))))",
    "(fact 20)",
    "(define fib (lambda (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))))",
    "(fib 12)",
    "(define adder (lambda (n) (lambda (m) (+ n m))))",
    "((adder 3) 4)",
    "(let ((a 1) (b 2)) (list a b (+ a b)))",
    "(missing 1)",
):
    try:
        print(line, "=>", evaluate(parse(line), top))
    except NameError as error:
        print("error:", error)
