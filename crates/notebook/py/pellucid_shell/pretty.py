"""Values as text, broken over lines when they are wide, as IPython shows them.

A value becomes a tree of texts, possible breaks and groups. A group that fits into the line is written flat; of one
that does not, every own break becomes a line end.
"""

import types

WIDTH = 79
LONGEST = 1000


class _Group:
    __slots__ = ("indent", "parts", "width")

    def __init__(self, indent, parts):
        self.indent = indent
        self.parts = parts
        self.width = sum(_width(part) for part in parts)


class _Break:
    __slots__ = ()


_BREAK = _Break()


def _width(part):
    if isinstance(part, str):
        return len(part)
    return 1 if part is _BREAK else part.width


def pretty(value):
    """The text of a value."""
    out = []
    _write(_tree(value, frozenset()), 0, 0, out, False)
    return "".join(out)


def _write(part, column, indent, out, flat):
    """Writes a part and gives the column after it."""
    if isinstance(part, str):
        out.append(part)
        newline = part.rfind("\n")
        return len(part) - newline - 1 if newline >= 0 else column + len(part)
    if part is _BREAK:
        if flat:
            out.append(" ")
            return column + 1
        out.append("\n" + " " * indent)
        return indent
    flat = flat or column + part.width <= WIDTH
    inner = column + part.indent
    for child in part.parts:
        column = _write(child, column, inner, out, flat)
    return column


def _tree(value, inside):
    kind = type(value)
    if id(value) in inside:
        return _CYCLES.get(kind, "<...>")
    inside |= {id(value)}
    custom = getattr(kind, "_repr_pretty_", None)
    if custom is not None:
        printer = Printer(inside)
        custom(value, printer, False)
        return _Group(0, printer.parts)
    for base, show in _SHOWN.items():
        if kind is base or (issubclass(kind, base) and kind.__repr__ is base.__repr__):
            return show(value, inside)
    return repr(value)


def _sequence(start, end):
    def show(value, inside):
        return _items(start, end, (_tree(item, inside) for item in value), len(value))

    return show


def _items(start, end, trees, count, extra=""):
    parts = [start]
    for number, tree in enumerate(trees):
        if number:
            parts += [",", _BREAK]
        if number == LONGEST:
            parts.append("...")
            break
        parts.append(tree)
    return _Group(len(start), [*parts, extra + end])


def _tuple(value, inside):
    return _items("(", ")", (_tree(item, inside) for item in value), len(value), "," if len(value) == 1 else "")


def _sorted(values):
    values = list(values)
    if len(values) <= LONGEST:
        try:
            return sorted(values)
        except Exception:
            pass
    return values


def _set(value, inside):
    name = type(value).__name__
    if not value:
        return f"{name}()"
    items = (_tree(item, inside) for item in _sorted(value))
    if type(value) is set:
        return _items("{", "}", items, len(value))
    return _items(f"{name}({{", "})", items, len(value))


def _dict(value, inside):
    def pair(key, item):
        return _Group(0, [_tree(key, inside), ": ", _tree(item, inside)])

    return _items("{", "}", (pair(key, item) for key, item in value.items()), len(value))


def _mappingproxy(value, inside):
    return _Group(0, ["mappingproxy(", _dict(value, inside), ")"])


def _str(value, _inside):
    return repr(value)


def _function(value, _inside):
    name = getattr(value, "__qualname__", value.__name__)
    module = value.__module__
    if module not in ("__builtin__", "builtins", "exceptions", None):
        name = f"{module}.{name}"
    try:
        import inspect

        name += str(inspect.signature(value))
    except (ValueError, TypeError):
        name += "(...)"
    return f"<function {name}>"


def _type(value, _inside):
    if type(value).__repr__ is not type.__repr__:
        return repr(value)
    module = value.__module__
    name = value.__qualname__
    return name if module in ("builtins", "exceptions", None) else f"{module}.{name}"


_CYCLES = {list: "[...]", tuple: "(...)", dict: "{...}", set: "{...}", frozenset: "frozenset({...})"}
_SHOWN = {
    list: _sequence("[", "]"),
    tuple: _tuple,
    dict: _dict,
    set: _set,
    frozenset: _set,
    types.MappingProxyType: _mappingproxy,
    types.FunctionType: _function,
    types.BuiltinFunctionType: lambda value, inside: repr(value) if value.__self__ is None else _builtin(value),
    type: _type,
}


def _builtin(value):
    return f"<function {value.__qualname__}{_signature(value)}>"


def _signature(value):
    try:
        import inspect

        return str(inspect.signature(value))
    except (ValueError, TypeError):
        return "(...)"


class Printer:
    """What `_repr_pretty_(self, p, cycle)` is given."""

    def __init__(self, inside):
        self._inside = inside
        self._open = [(0, [])]

    @property
    def parts(self):
        return self._open[0][1]

    def text(self, text):
        self._open[-1][1].append(text)

    def breakable(self, sep=" "):
        self._open[-1][1].append(_BREAK if sep == " " else sep)

    def break_(self):
        self._open[-1][1].append("\n" + " " * sum(indent for indent, _ in self._open))

    def pretty(self, value):
        self._open[-1][1].append(_tree(value, self._inside))

    def begin_group(self, indent=0, open=""):
        self._open.append((indent, [open]))

    def end_group(self, dedent=0, close=""):
        indent, parts = self._open.pop()
        self._open[-1][1].append(_Group(indent, [*parts, close]))

    def group(self, indent=0, open="", close=""):
        return _GroupContext(self, indent, open, close)

    def indent(self, indent):
        return _GroupContext(self, indent, "", "")


class _GroupContext:
    def __init__(self, printer, indent, open, close):
        self._printer = printer
        self._arguments = indent, open, close

    def __enter__(self):
        indent, open, _ = self._arguments
        self._printer.begin_group(indent, open)

    def __exit__(self, *_):
        indent, _, close = self._arguments
        self._printer.end_group(indent, close)
