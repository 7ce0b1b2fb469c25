"""The bytecode of functions, classes, modules and source, made readable."""

import collections
import io
import sys
import types

import _opcode
from opcode import *
from opcode import __all__ as _opcode_names

__all__ = ["code_info", "dis", "disassemble", "distb", "disco",
           "findlinestarts", "findlabels", "show_code",
           "get_instructions", "Instruction", "Bytecode"] + _opcode_names

COMPILER_FLAG_NAMES = {
    0x1: "OPTIMIZED",
    0x2: "NEWLOCALS",
    0x4: "VARARGS",
    0x8: "VARKEYWORDS",
    0x10: "NESTED",
    0x20: "GENERATOR",
    0x40: "NOFREE",
    0x80: "COROUTINE",
    0x100: "ITERABLE_COROUTINE",
    0x200: "ASYNC_GENERATOR",
    0x4000000: "HAS_DOCSTRING",
    0x8000000: "METHOD",
}

_CONVERSIONS = ((None, ""), (str, "str"), (repr, "repr"), (ascii, "ascii"))
_FUNCTION_PARTS = ("defaults", "kwdefaults", "annotations", "closure")
_INTRINSICS = {
    opmap["INTRINSIC_1"]: _opcode.get_intrinsic1_descs(),
    opmap["INTRINSIC_2"]: _opcode.get_intrinsic2_descs(),
}

# The widths of the columns of a listing.
_OPNAME_WIDTH = 20
_OPARG_WIDTH = 5


# Finding code

def _code_of(x):
    """The code object behind a function, method, generator, source text or code object."""
    x = getattr(x, "__func__", x)
    for attribute in ("__code__", "gi_code", "ag_code", "cr_code"):
        if hasattr(x, attribute):
            x = getattr(x, attribute)
            break
    if isinstance(x, str):
        x = _compiled(x, "<disassembly>")
    if not hasattr(x, "co_code"):
        raise TypeError(f"don't know how to disassemble {type(x).__name__} objects")
    return x


def _compiled(source, name):
    try:
        return compile(source, name, "eval")
    except SyntaxError:
        return compile(source, name, "exec")


# Instructions

Positions = collections.namedtuple(
    "Positions", "lineno end_lineno col_offset end_col_offset", defaults=(None,) * 4)

_Fields = collections.namedtuple(
    "Instruction", "opname opcode arg argval argrepr offset starts_line is_jump_target")
_Fields.opname.__doc__ = "Human readable name for operation"
_Fields.opcode.__doc__ = "Numeric code for operation"
_Fields.arg.__doc__ = "Numeric argument to operation (if any), otherwise None"
_Fields.argval.__doc__ = "Resolved arg value (if known), otherwise same as arg"
_Fields.argrepr.__doc__ = "Human readable description of operation argument"
_Fields.offset.__doc__ = "Start index of operation within bytecode sequence"
_Fields.starts_line.__doc__ = "Line started by this opcode (if any), otherwise None"
_Fields.is_jump_target.__doc__ = "True if other code jumps to here, otherwise False"


class Instruction(_Fields):
    """An instruction of a code object.

    opname - name of the opcode
    opcode - its number
    arg - its argument, or None
    argval - what the argument stands for
    argrepr - that as text
    offset - where it is in the code
    starts_line - the line that starts here, or None
    is_jump_target - whether a jump goes here

    Besides these fields, which are those of CPython 3.10, what later versions tell:

    start_offset - where the EXTENDED_ARG in front of it are
    line_number - the line, or None
    label - a number if a jump goes here, or None
    positions - the place in the source
    cache_info - always None: caches do not stand in the bytecode
    """

    start_offset = line_number = label = positions = cache_info = None

    @property
    def oparg(self):
        """The same as arg."""
        return self.arg

    @property
    def baseopname(self):
        """The same as opname: opcodes are not specialised."""
        return self.opname

    @property
    def baseopcode(self):
        """The same as opcode."""
        return self.opcode

    @property
    def end_offset(self):
        """Where the next one starts."""
        return self.offset + 2

    cache_offset = end_offset

    @property
    def jump_target(self):
        """Where it jumps to, or None."""
        return self.argval if self.opcode in hasjump else None

    def _listed(self, line, line_width, offset_width, current):
        """The instruction as a line of a listing; line is shown if it is not None."""
        columns = []
        if line_width:
            columns.append(("" if line is None else str(line)).rjust(line_width))
        columns.append("-->" if current else "   ")
        columns.append(">>" if self.is_jump_target else "  ")
        columns.append(str(self.offset).rjust(offset_width or 4))
        columns.append(self.opname.ljust(_OPNAME_WIDTH))
        if self.arg is not None:
            columns.append(str(self.arg).rjust(_OPARG_WIDTH))
            if self.argrepr:
                columns.append(f"({self.argrepr})")
        return " ".join(columns).rstrip()


def _unpack_opargs(code):
    """The instructions of raw bytecode: offset, opcode, argument or None."""
    extended = 0
    for offset in range(0, len(code) - 1, 2):
        op = code[offset]
        if op >= HAVE_ARGUMENT:
            arg = code[offset + 1] | extended
            extended = arg << 8 if op == EXTENDED_ARG else 0
        else:
            arg = None
            extended = 0
        yield offset, op, arg


def _jump_target(offset, op, arg):
    if op in hasjrel:
        return offset + 2 + 2 * arg
    if op in hasjabs:
        return 2 * arg
    return None


def findlabels(code):
    """The offsets that jumps of raw bytecode go to."""
    labels = []
    for offset, op, arg in _unpack_opargs(code):
        target = _jump_target(offset, op, arg)
        if target is not None and target not in labels:
            labels.append(target)
    return labels


def findlinestarts(code):
    """Pairs of an offset at which another line of source starts, and the line, which may be None."""
    last = False
    for start, _, line in code.co_lines():
        if line is not last:
            last = line
            yield start, line


def _item(items, index):
    """An item, and its text; without a table the index."""
    if items is None:
        return index, str(index)
    value = items[index]
    return value, value


def _argument(offset, op, arg, names, varnames, consts, cells):
    """What an argument stands for, and that as text."""
    if op in hasconst:
        if consts is None:
            return arg, str(arg)
        return consts[arg], repr(consts[arg])
    if op in hasname:
        return _item(names, arg)
    if op in haslocal:
        return _item(varnames, arg)
    if op in hasfree:
        return _item(cells, arg)
    if op in hasjump:
        target = _jump_target(offset, op, arg)
        return target, f"to {target}"
    if op in hascompare:
        return cmp_op[arg], cmp_op[arg]
    name = opname[op]
    if name == "FORMAT_VALUE":
        conversion, text = _CONVERSIONS[arg & 3]
        with_format = bool(arg & 4)
        if with_format:
            text += ", with format" if text else "with format"
        return (conversion, with_format), text
    if name == "MAKE_FUNCTION":
        return arg, ", ".join(part for bit, part in enumerate(_FUNCTION_PARTS) if arg >> bit & 1)
    if op in _INTRINSICS and arg < len(_INTRINSICS[op]):
        return arg, _INTRINSICS[op][arg]
    return arg, ""


def _instructions(code, names=None, varnames=None, consts=None, cells=None,
                  line_starts=None, line_offset=0, positions=()):
    labels = {offset: number for number, offset in enumerate(sorted(findlabels(code)), 1)}
    starts = dict(line_starts or ())
    positions = iter(positions)
    line = start_offset = None
    for offset, op, arg in _unpack_opargs(code):
        argval, argrepr = None, ""
        if arg is not None:
            argval, argrepr = _argument(offset, op, arg, names, varnames, consts, cells)
        if starts_line := offset in starts:
            line = starts[offset]
            if line is not None:
                line += line_offset
        place = Positions(*next(positions, ()))
        if start_offset is None:
            start_offset = offset
        instruction = Instruction(opname[op], op, arg, argval, argrepr, offset, line if starts_line else None,
                                  offset in labels)
        instruction.start_offset = start_offset
        instruction.line_number = line
        instruction.label = labels.get(offset)
        instruction.positions = place
        yield instruction
        if op != EXTENDED_ARG:
            start_offset = None


def _code_instructions(code, first_line=None):
    offset = 0 if first_line is None else first_line - code.co_firstlineno
    return _instructions(code.co_code, code.co_names, code.co_varnames, code.co_consts,
                         code.co_cellvars + code.co_freevars, findlinestarts(code), offset,
                         code.co_positions())


def get_instructions(x, *, first_line=None, show_caches=None, adaptive=False):
    """The instructions of methods, functions, generators, code, or source.

    If first_line is given, it is the line to report for the first line of the code.
    """
    return _code_instructions(_code_of(x), first_line)


# Listings

def dis(x=None, *, file=None, depth=None, show_caches=False, adaptive=False,
        show_offsets=False, show_positions=False):
    """List the code of classes, methods, functions, generators, code, or source.

    With no argument, list that of the last traceback. Code inside of code is listed too, up to depth. If adaptive, what
    really runs is shown: the private form, and what its inline caches have learnt.
    """
    options = dict(file=file, depth=depth, adaptive=adaptive, show_positions=show_positions)
    if x is None:
        distb(file=file, adaptive=adaptive, show_positions=show_positions)
        return
    x = getattr(x, "__func__", x)
    if isinstance(x, (bytes, bytearray)):
        _print_instructions(list(_instructions(x)), file)
        return
    code = None
    if not isinstance(x, (type, types.ModuleType)):
        try:
            code = _code_of(x)
        except TypeError:
            if not hasattr(x, "__dict__"):
                raise
    if code is not None:
        if isinstance(x, str):
            code = _compiled(x, "<dis>")
        _list_recursively(code, **options)
        return
    for name, member in sorted(vars(x).items()):
        if isinstance(member, _HAVE_CODE):
            print(f"Disassembly of {name}:", file=file)
            try:
                dis(member, **options)
            except TypeError as error:
                print("Sorry:", error, file=file)
            print(file=file)


_HAVE_CODE = (types.MethodType, types.FunctionType, types.CodeType, classmethod, staticmethod, type)


def _list_recursively(code, *, file=None, depth=None, adaptive=False, show_positions=False):
    disassemble(code, file=file, adaptive=adaptive, show_positions=show_positions)
    if depth is None or depth > 0:
        if depth is not None:
            depth -= 1
        for constant in code.co_consts:
            if hasattr(constant, "co_code"):
                print(file=file)
                print(f"Disassembly of {constant!r}:", file=file)
                _list_recursively(constant, file=file, depth=depth, adaptive=adaptive,
                                  show_positions=show_positions)


def disassemble(co, lasti=-1, *, file=None, show_caches=False, adaptive=False,
                show_offsets=False, show_positions=False):
    """List a code object, with an arrow at the offset lasti."""
    if adaptive:
        print(_opcode.form(co), end="", file=file)
        return
    instructions = list(_code_instructions(co))
    _print_instructions(instructions, file, lasti, positions=show_positions)


disco = disassemble


def _print_instructions(instructions, file, current=-1, positions=False):
    lines = [i.line_number for i in instructions if i.line_number is not None]
    line_width = max(3, len(str(max(lines)))) if lines else 0
    last = instructions[-1].offset if instructions else 0
    offset_width = max(4, len(str(last)))
    shown = None
    for i in instructions:
        line = None
        if i.starts_line is not None and i.starts_line != shown:
            line = shown = i.line_number
            if i.offset > 0:
                print(file=file)
        text = i._listed(line, line_width, offset_width, i.offset == current)
        if positions:
            place = ":".join("?" if n is None else str(n) for n in
                             (i.positions.lineno, i.positions.col_offset,
                              i.positions.end_lineno, i.positions.end_col_offset))
            text = f"{place:<18} {text}"
        print(text, file=file)


def distb(tb=None, *, file=None, show_caches=False, adaptive=False,
          show_offsets=False, show_positions=False):
    """List the code of a traceback's frame; by default where the last exception was raised."""
    if tb is None:
        last = getattr(sys, "last_exc", None)
        tb = last.__traceback__ if last is not None else getattr(sys, "last_traceback", None)
        if tb is None:
            raise RuntimeError("no last traceback to disassemble")
        while tb.tb_next:
            tb = tb.tb_next
    disassemble(tb.tb_frame.f_code, tb.tb_lasti, file=file, adaptive=adaptive,
                show_positions=show_positions)


# What is known of a code object

def pretty_flags(flags):
    """The names of the bits of co_flags."""
    names = []
    for bit in range(32):
        flag = 1 << bit
        if flags & flag:
            names.append(COMPILER_FLAG_NAMES.get(flag, hex(flag)))
            flags ^= flag
            if not flags:
                break
    else:
        names.append(hex(flags))
    return ", ".join(names)


def code_info(x):
    """What is known of the code of methods, functions, or source, as text."""
    code = _code_of(x)
    lines = [
        f"Name:              {code.co_name}",
        f"Filename:          {code.co_filename}",
        f"Argument count:    {code.co_argcount}",
        f"Positional-only arguments: {code.co_posonlyargcount}",
        f"Kw-only arguments: {code.co_kwonlyargcount}",
        f"Number of locals:  {code.co_nlocals}",
        f"Stack size:        {code.co_stacksize}",
        f"Flags:             {pretty_flags(code.co_flags)}",
    ]
    tables = {
        "Constants": map(repr, code.co_consts),
        "Names": code.co_names,
        "Variable names": code.co_varnames,
        "Free variables": code.co_freevars,
        "Cell variables": code.co_cellvars,
    }
    for title, items in tables.items():
        rows = [f"{index:4}: {item}" for index, item in enumerate(items)]
        if rows:
            lines += [f"{title}:", *rows]
    return "\n".join(lines)


def show_code(co, *, file=None):
    """Print what is known of the code of methods, functions, or source."""
    print(code_info(co), file=file)


class Bytecode:
    """The instructions of a piece of code, and texts about it.

    Made from a function, method, generator, source text or code object; iterating gives instructions.
    """

    def __init__(self, x, *, first_line=None, current_offset=None, show_caches=False,
                 adaptive=False, show_offsets=False, show_positions=False):
        self.codeobj = _code_of(x)
        self.first_line = self.codeobj.co_firstlineno if first_line is None else first_line
        self.current_offset = current_offset
        self.adaptive = adaptive
        self.show_caches = show_caches
        self.show_offsets = show_offsets
        self.show_positions = show_positions
        self._original_object = x

    def __iter__(self):
        return _code_instructions(self.codeobj, self.first_line)

    def __repr__(self):
        return f"{type(self).__name__}({self._original_object!r})"

    @classmethod
    def from_traceback(cls, tb, *, show_caches=False, adaptive=False):
        """The bytecode where an exception was raised."""
        while tb.tb_next:
            tb = tb.tb_next
        return cls(tb.tb_frame.f_code, current_offset=tb.tb_lasti, adaptive=adaptive)

    def info(self):
        """What is known of the code object."""
        return code_info(self.codeobj)

    def dis(self):
        """The listing."""
        with io.StringIO() as output:
            if self.adaptive:
                return _opcode.form(self.codeobj)
            current = -1 if self.current_offset is None else self.current_offset
            _print_instructions(list(self), output, current, positions=self.show_positions)
            return output.getvalue()


# For modulefinder

def _find_imports(co):
    """Names imported by a code object: name, level, names taken from it."""
    loaded = []
    for _, op, arg in _unpack_opargs(co.co_code):
        if op in hasconst:
            loaded.append(co.co_consts[arg])
        elif opname[op] == "IMPORT_NAME" and len(loaded) >= 2:
            yield co.co_names[arg], loaded[-2], loaded[-1]
        elif op != EXTENDED_ARG:
            loaded.clear()


def _find_store_names(co):
    """Names that a code object stores in its namespace."""
    stores = {opmap["STORE_NAME"], opmap["STORE_GLOBAL"]}
    seen = set()
    for _, op, arg in _unpack_opargs(co.co_code):
        if op in stores and (name := co.co_names[arg]) not in seen:
            seen.add(name)
            yield name


def main(args=None):
    import argparse

    parser = argparse.ArgumentParser(color=True)
    parser.add_argument("-C", "--show-caches", action="store_true", help="show inline caches")
    parser.add_argument("-O", "--show-offsets", action="store_true", help="show instruction offsets")
    parser.add_argument("-P", "--show-positions", action="store_true", help="show instruction positions")
    parser.add_argument("-S", "--specialized", action="store_true", help="show specialized bytecode")
    parser.add_argument("infile", nargs="?", default="-")
    args = parser.parse_args(args=args)
    if args.infile == "-":
        name, source = "<stdin>", sys.stdin.buffer.read()
    else:
        name = args.infile
        with open(args.infile, "rb") as infile:
            source = infile.read()
    code = compile(source, name, "exec")
    dis(code, adaptive=args.specialized, show_positions=args.show_positions)


if __name__ == "__main__":
    main()
