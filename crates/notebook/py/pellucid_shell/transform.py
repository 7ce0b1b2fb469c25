"""Cells to Python: magics, shell commands and questions become calls of the shell.

The cell is split into logical lines by a small scanner that knows strings, brackets and comments. What stands at the
start of a logical line, at any depth of indentation, decides; such a line is then taken as it is, without looking for
quotes in it.
"""

import re

_HELP = re.compile(r"(%{0,2}(?!\d)[\w*]+(?:\.[\w*]+|\[[0-9]+\])*)(\?\??)\s*$")
_CELL_MAGIC = re.compile(r"%%(\w+)(.*)")
_ASSIGNED = re.compile(r"\s*(?:%(?=\s*\w)|!(?!=))")
_PROMPTS = (
    re.compile(r"(?:>>>|\.\.\.)(?: |$)"),
    re.compile(r"(?:In \[\d+\]: | {3,}\.{3,}: ?)"),
)


def transform_cell(cell):
    """Gives the Python source that a cell stands for."""
    if not cell.endswith("\n"):
        cell += "\n"
    lines = cell.splitlines(keepends=True)
    while lines and not lines[0].strip():
        # Kept as empty lines: line numbers in tracebacks are those of the cell.
        if len(lines) > 1 and lines[1].lstrip().startswith("%%"):
            del lines[0]
            continue
        break
    lines = _without_prompts(_dedented(lines))
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%"):
        match = _CELL_MAGIC.match(first.rstrip("\n"))
        if match and not first.rstrip().endswith("?"):
            body = "".join(lines[lines.index(first) + 1 :])
            name, rest = match.groups()
            return f"get_ipython().run_cell_magic({name!r}, {rest.strip()!r}, {body!r})\n"
    return "".join(_transform_lines(lines))


def _dedented(lines):
    """Removes the indentation of the first line from all, as pasted code has it."""
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())].rstrip("\r\n")
    if not indent:
        return lines
    return [line[len(indent) :] if line.startswith(indent) else line for line in lines]


def _without_prompts(lines):
    """Removes the prompts of copied sessions."""
    for prompt in _PROMPTS:
        if lines and prompt.match(lines[0]) and (lines[0].startswith(">>>") or lines[0].startswith("In [")):
            return [prompt.sub("", line, count=1) if prompt.match(line) else line for line in lines]
    return lines


def _transform_lines(lines):
    at = 0
    while at < len(lines):
        special = _special(lines, at)
        if special is not None:
            text, at = special
            yield text
            continue
        end = _logical_end(lines, at)
        yield from lines[at:end]
        at = end


def _special(lines, at):
    """The call that a line stands for, and the number of the line after it."""
    line = lines[at]
    stripped = line.lstrip()
    indent = line[: len(line) - len(stripped)]
    if not stripped or stripped[0] == "#":
        return None
    if stripped[0] in "%!?,;/":
        text, end = _joined(lines, at)
        call = _escaped(text.strip())
        return (f"{indent}{call}\n" + "\n" * (end - at - 1), end) if call else None
    match = _HELP.match(stripped.rstrip("\n"))
    if match:
        return f"{indent}{_question(match[1], match[2])}\n", at + 1
    equals = _assignment(line)
    if equals is not None and _ASSIGNED.match(line, equals + 1):
        text, end = _joined(lines, at)
        left, right = text[: equals + 1], text[equals + 1 :].strip()
        if right[0] == "%":
            value = _line_magic(right[1:].strip())
        else:
            value = f"get_ipython().getoutput({right[1:].strip()!r})"
        return f"{left.rstrip()} {value}\n" + "\n" * (end - at - 1), end
    return None


def _joined(lines, at):
    """A line with those that continue it after backslashes."""
    text = lines[at].rstrip("\r\n")
    at += 1
    while text.endswith("\\") and at < len(lines):
        text = text[:-1] + lines[at].rstrip("\r\n")
        at += 1
    return text, at


def _line_magic(text):
    name, _, rest = text.partition(" ")
    return f"get_ipython().run_line_magic({name!r}, {rest.strip()!r})"


def _escaped(text):
    """A line that starts with one of IPython's signs."""
    match = _HELP.fullmatch(text)
    if match and text[0] == "%":
        return _question(match[1], match[2])
    if text.startswith("!!"):
        return f"get_ipython().getoutput({text[2:].strip()!r})"
    if text[0] == "!":
        return f"get_ipython().system({text[1:].strip()!r})"
    if text.startswith("??"):
        return _question(text[2:].strip(), "??")
    if text[0] == "?":
        return _question(text[1:].strip(), "?")
    if text[0] == "%":
        return _line_magic(text.lstrip("%").strip())
    name, _, rest = text[1:].strip().partition(" ")
    if not name.isidentifier() and not all(part.isidentifier() for part in name.split(".")):
        return None
    if text[0] == ",":
        return f"{name}({', '.join(repr(part) for part in rest.split())})"
    if text[0] == ";":
        return f"{name}({rest.strip()!r})"
    return f"{name}({', '.join(rest.split())})"


def _question(target, marks):
    if "*" in target:
        return f"get_ipython().run_line_magic('psearch', {target!r})"
    magic = "pinfo2" if marks == "??" else "pinfo"
    return f"get_ipython().run_line_magic({magic!r}, {target!r})"


def _assignment(line):
    """Where the first `=` of an assignment stands in a line; None when there is none."""
    depth = 0
    at = 0
    while at < len(line):
        char = line[at]
        if char in "\"'#":
            return None
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "=" and depth == 0:
            if line[at + 1 : at + 2] == "=" or (at and line[at - 1] in "=<>!"):
                return None
            return at
        at += 1
    return None


def _logical_end(lines, at):
    """The number of the line after the logical line that starts at one."""
    depth = 0
    quote = None
    while at < len(lines):
        line = lines[at]
        column = 0
        continued = False
        while column < len(line):
            char = line[column]
            if quote:
                if char == "\\":
                    column += 2
                    continue
                if line.startswith(quote, column):
                    column += len(quote)
                    quote = None
                    continue
            elif char == "#":
                break
            elif char in "\"'":
                quote = char * 3 if line.startswith(char * 3, column) else char
                column += len(quote)
                continue
            elif char in "([{":
                depth += 1
            elif char in ")]}":
                depth = max(depth - 1, 0)
            elif char == "\\" and not line[column + 1 :].strip():
                continued = True
            column += 1
        if quote and len(quote) == 1:
            if not line.rstrip("\r\n").endswith("\\"):
                # The string is not closed: the compiler will say so.
                quote = None
            else:
                continued = True
        at += 1
        if depth == 0 and quote is None and not continued:
            return at
    return at
