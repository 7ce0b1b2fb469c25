# Tokens come as soon as the lines that they need. A line end that the last line lacks is made up.
import tokenize

LINES = ["def f(x, # c\n", "  # d\n", "  y):\n", "  return '''a\n", "b'''\n", "z = 1 # e\n", "w"]


def lines(lines):
    for line in lines:
        print("read", repr(line))
        yield line


for source in (LINES, ["x = a[5]"], ["x # c"], ["if 1:\n", "  y"], ["f'{x}'"], ["a\n", "'''b\n", "c'''"]):
    for token in tokenize.generate_tokens(lines(source).__next__):
        print(tokenize.tok_name[token.type], repr(token.string), token.start, token.end, repr(token.line))
for source in (["(\n", "x"], ["'''a\n", "b"], ["x \\\n"], ["if 1:\n", "    a\n", "  b\n"], ["f'{x"]):
    try:
        for token in tokenize.generate_tokens(lines(source).__next__):
            print(repr(token.string))
    except (SyntaxError, tokenize.TokenError) as error:
        print(type(error).__name__, error)
for source in (["f'''{x\n", "y\n"], ["f'{x\n"], ["x \\\n"], ["ä(\n", "öü\n"], ["2sin(x)", "01234"], ["if 1:\n", "\ta\n", "  b"]):
    try:
        for token in tokenize.generate_tokens(lines(source).__next__):
            print(repr(token.string))
    except (SyntaxError, tokenize.TokenError) as error:
        print(type(error).__name__, error.args[0], error.args[1][:4])
