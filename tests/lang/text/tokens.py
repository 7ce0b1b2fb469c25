# Tokens come as soon as the lines that they need.
import tokenize

LINES = ["def f(x, # c\n", "  # d\n", "  y):\n", "  return '''a\n", "b'''\n", "z = 1 # e\n", "w"]


def lines():
    for line in LINES:
        print("read", repr(line))
        yield line


for token in tokenize.generate_tokens(lines().__next__):
    print(tokenize.tok_name[token.type], repr(token.string), token.start, token.end, repr(token.line))
