"""Compares the compiler with CPython 3.10's over a folder of Python files, by default 3.10's own library.

    cargo build --release -p pellucid-compiler --example dump
    python3.10 crates/compiler/tests/compare.py target/release/examples/dump [FOLDER]

Runs under CPython 3.10. Every code object of every file is compared: arguments, flags, stack size, names, constants,
instructions, the line of each instruction. Prints how many are equal, and for the others why not, as far as this is
known; differences of an unknown kind are listed with where they are. Folders of tests are left out, and so are files
that 3.10 cannot compile.
"""

import ast
import dis
import os
import subprocess
import sys
import sysconfig
import warnings
from collections import Counter
from types import CodeType

# Bits of co_flags that 3.10 does not have.
NEW_FLAGS = 0x4000000 | 0x8000000


def constant(value):
    if isinstance(value, CodeType):
        return f"<code {value.co_name}>"
    if isinstance(value, frozenset):
        return f"frozenset({', '.join(sorted(map(constant, value)))})"
    if isinstance(value, tuple):
        return f"({', '.join(map(constant, value))})"
    return repr(value)


def dump(code, out):
    """The code object and those in it, in the format of the example `dump`."""
    lines = [
        f"code {code.co_name} {code.co_argcount} {code.co_posonlyargcount} {code.co_kwonlyargcount} "
        f"stack={code.co_stacksize} flags={code.co_flags:#x} line={code.co_firstlineno}",
        f" names {' '.join(code.co_names)}",
        f" varnames {' '.join(code.co_varnames)}",
        f" cellvars {' '.join(code.co_cellvars)}",
        f" freevars {' '.join(code.co_freevars)}",
    ]
    lines += [f" const {constant(value)}" for value in code.co_consts]
    starts = {}
    for start, end, line in code.co_lines():
        for offset in range(start, end, 2):
            starts[offset] = line
    argument = 0
    for offset in range(0, len(code.co_code), 2):
        op, low = code.co_code[offset : offset + 2]
        # The second byte of an instruction without an argument may be anything.
        argument = argument << 8 | low if op >= dis.HAVE_ARGUMENT else 0
        lines.append(f" {starts.get(offset)} {offset} {dis.opname[op]} {argument}")
        if op != dis.EXTENDED_ARG:
            argument = 0
    out.append("\n".join(lines))
    for value in code.co_consts:
        if isinstance(value, CodeType):
            dump(value, out)


def annotated_lines(tree):
    """First lines of the code objects that evaluate annotations, 0 for the module."""
    found = set()

    def visit(node, owner, local):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            arguments = node.args
            every = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
            every += [a for a in (arguments.vararg, arguments.kwarg) if a]
            if node.returns or any(a.annotation for a in every):
                found.add(owner)
        if isinstance(node, ast.AnnAssign) and not local:
            found.add(owner)
        inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
        if isinstance(node, inner):
            decorators = getattr(node, "decorator_list", None)
            owner = decorators[0].lineno if decorators else node.lineno
            local = not isinstance(node, ast.ClassDef)
        for child in ast.iter_child_nodes(node):
            visit(child, owner, local)

    visit(tree, 0, False)
    return found


def split(block):
    """A dumped code object as (name, first line, lines)."""
    head, *rest = block.split("\n")
    fields = head.split(" ")
    flags = int(fields[-2].partition("=")[2], 16) & ~NEW_FLAGS
    fields[-2] = f"flags={flags:#x}"
    return fields[1], int(fields[-1].partition("=")[2]), [" ".join(fields), *rest]


def without_blanks(text):
    return text.replace(" ", "").replace("\\n", "").replace("\\t", "")


def why(theirs, ours, annotations):
    """The known reason for a difference, or None."""
    name, line, lines = theirs
    if line in annotations or name == "<module>" and 0 in annotations:
        return "annotations"
    pairs = [pair for pair in zip(lines, ours[2]) if pair[0] != pair[1]]
    if len(lines) == len(ours[2]) and len(pairs) == 1:
        ((old, new),) = pairs
        if old.startswith((" const '", ' const "')) and without_blanks(old) == without_blanks(new):
            return "docstring"
    kept = [sum(text == " const <code <lambda>>" for text in side[2]) for side in (theirs, ours)]
    if kept[0] < kept[1]:
        return "lambdas that are equal but for columns"
    return None


def compare(source, name, ours, total, unknown):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            code = compile(source, name, "exec", dont_inherit=True)
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            total["files that 3.10 cannot compile"] += 1
            return
    total["files"] += 1
    theirs = []
    dump(code, theirs)
    theirs = [split(block) for block in theirs]
    ours = [split(block) for block in ours if not block.startswith("code __annotate__ ")]
    annotations = annotated_lines(tree)
    # Equal lambdas that are one constant in 3.10 are several here.
    at = 0
    for one in theirs:
        total["code objects"] += 1
        while at < len(ours) and ours[at][:2] != one[:2] and ours[at][0] == "<lambda>":
            at += 1
        if at == len(ours) or ours[at][:2] != one[:2]:
            total["no counterpart"] += 1
            unknown.append(f"{name}:{one[1]} {one[0]}: no counterpart")
            return
        if one == ours[at]:
            total["equal"] += 1
        elif reason := why(one, ours[at], annotations):
            total[reason] += 1
        else:
            total["unknown"] += 1
            both = zip(one[2], ours[at][2])
            pair = next((pair for pair in both if pair[0] != pair[1]), ("", "length"))
            unknown.append(f"{name}:{one[1]} {one[0]}: {pair[0]!r} against {pair[1]!r}")
        at += 1


def main():
    if sys.version_info[:2] != (3, 10) or len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = sys.argv[2] if len(sys.argv) > 2 else sysconfig.get_path("stdlib")
    files = []
    for path, folders, names in os.walk(folder):
        left_out = ("test", "tests", "idle_test", "site-packages", "__pycache__")
        folders[:] = sorted(f for f in folders if f not in left_out)
        files += [os.path.join(path, name) for name in sorted(names) if name.endswith(".py")]
    total, unknown = Counter(), []
    for at in range(0, len(files), 50):
        some = files[at : at + 50]
        done = subprocess.run([sys.argv[1], "--plain", *some], capture_output=True, check=True)
        parts = done.stdout.decode("utf-8", "surrogateescape").split("file /")
        for name, part in zip(some, parts[1:]):
            _, _, text = part.partition("\n")
            blocks = ["code " + block.rstrip("\n") for block in ("\n" + text).split("\ncode ")[1:]]
            with open(name, "rb") as file:
                compare(file.read(), name, blocks, total, unknown)
    print("\n".join(unknown))
    for what, count in total.most_common():
        print(f"{count:6} {what}")
    instructions = total["equal"] + total["docstring"]
    print(f"{100 * total['equal'] / total['code objects']:.2f} % are equal,", end=" ")
    print(f"{100 * instructions / total['code objects']:.2f} % but for the indentation of docstrings")


if __name__ == "__main__":
    main()
