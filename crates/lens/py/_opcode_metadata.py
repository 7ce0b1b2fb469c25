"""Numbers and names of the opcodes."""

from _opcode import HAVE_ARGUMENT, opmap

# What runs is a private form of the code (see `dis.dis(..., adaptive=True)`): opcodes are never specialised in place,
# nor replaced by instrumented ones.
_specializations = {}
_specialized_opmap = {}
MIN_INSTRUMENTED_OPCODE = 256
