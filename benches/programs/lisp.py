"""A small Lisp that runs a small program: recursion, closures, dicts, isinstance."""

from bench import run


class Scope(dict):
    def __init__(self, names, values, outer):
        super().__init__(zip(names, values))
        self.outer = outer

    def find(self, name):
        scope = self
        while name not in scope:
            scope = scope.outer
        return scope


def parse(text):
    tokens = text.replace("(", " ( ").replace(")", " ) ").split()

    def read():
        token = tokens.pop(0)
        if token == "(":
            items = []
            while tokens[0] != ")":
                items.append(read())
            tokens.pop(0)
            return items
        try:
            return int(token)
        except ValueError:
            return token

    return read()


def evaluate(x, scope):
    while True:
        if isinstance(x, str):
            return scope.find(x)[x]
        if not isinstance(x, list):
            return x
        head = x[0]
        if head == "if":
            x = x[2] if evaluate(x[1], scope) else x[3]
        elif head == "define":
            scope[x[1]] = evaluate(x[2], scope)
            return None
        elif head == "lambda":
            names, body = x[1], x[2]
            return lambda *args: evaluate(body, Scope(names, args, scope))
        else:
            function = evaluate(head, scope)
            return function(*[evaluate(item, scope) for item in x[1:]])


def main(n):
    top = Scope((), (), None)
    top.update({"+": lambda a, b: a + b, "-": lambda a, b: a - b, "<": lambda a, b: a < b, "*": lambda a, b: a * b})
    evaluate(parse("(define fib (lambda (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))))"), top)
    evaluate(parse("(define fact (lambda (n) (if (< n 2) 1 (* n (fact (- n 1))))))"), top)
    return evaluate(parse(f"(fib {n})"), top), evaluate(parse("(fact 50)"), top)


run(main, 14)
