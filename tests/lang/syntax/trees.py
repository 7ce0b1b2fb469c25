import ast

for level in (-1, 0, 1, 2):
    tree = ast.parse("f(__debug__)\n__debug__ and [__debug__]", optimize=level)
    print(level, ast.dump(tree.body[0]), ast.dump(tree.body[1]))
print(ast.dump(ast.parse("__debug__").body[0]))

attempt = ast.Try([ast.Pass()], [], [], [])
wrong = ast.parse("(a := 1)")
wrong.body[0].value.target = ast.Constant(1)
for tree in (ast.Module([attempt], []), wrong):
    try:
        compile(ast.fix_missing_locations(tree), "tree", "exec")
    except (TypeError, ValueError) as e:
        print(type(e).__name__, e)

import io
import tokenize

for source in ("2sin(x)", "01234", "0b12"):
    try:
        print([token[:2] for token in tokenize.generate_tokens(io.StringIO(source).readline)])
    except tokenize.TokenError as e:
        print(e)
