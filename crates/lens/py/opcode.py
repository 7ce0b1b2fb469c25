"""The opcodes of the virtual machine, as `_opcode` knows them."""

import _opcode
from _opcode import cmp_op, hascompare, hasjabs, hasjrel, stack_effect
from _opcode_metadata import HAVE_ARGUMENT, opmap

__all__ = ["cmp_op", "stack_effect", "hascompare", "opname", "opmap",
           "HAVE_ARGUMENT", "EXTENDED_ARG", "hasarg", "hasconst", "hasname",
           "hasjump", "hasjrel", "hasjabs", "hasfree", "haslocal", "hasexc",
           "hasnargs"]

EXTENDED_ARG = opmap["EXTENDED_ARG"]

opname = [f"<{number}>" for number in range(256)]
for _name, _number in opmap.items():
    opname[_number] = _name
del _name, _number


def _all(test):
    return [number for number in opmap.values() if test(number)]


hasarg = _all(_opcode.has_arg)
hasconst = _all(_opcode.has_const)
hasname = _all(_opcode.has_name)
hasjump = _all(_opcode.has_jump)
hasfree = _all(_opcode.has_free)
haslocal = _all(_opcode.has_local)
hasexc = _all(_opcode.has_exc)
hasnargs = []
