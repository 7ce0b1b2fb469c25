"""See what the virtual machine makes of your code.

    >>> import pellucid
    >>> print(pellucid.report(f))           # how far f is, what was done to it, where it left machine code
    >>> print(pellucid.machine_code(f))     # the machine code, beside the instructions that it comes from
    >>> print(pellucid.graph(f, "built"))   # the compiler's graph, behind any of its passes

Code is *cold* until it first runs, then *counted*: each turn of a loop and each call brings it nearer to being *observed* for a
few turns, after which it is *compiled*, or *rejected* with a reason. Machine code begins at calls and at loops (places), and leaves
by exits wherever something is not as it was seen to be; one that is taken too often has the place observed and compiled anew.

Kept of all machine code: what it cost, what was done while it was compiled, how often each exit was taken and each instruction
done out of line. The texts of graphs and where each machine instruction comes from are kept only of what is compiled while
record() is on (-X jit_record).

The functions here take whatever has a code object: functions, methods, generators, code objects themselves.
"""

import collections
import contextlib
import gc
import types

import _pellucid

__all__ = ["report", "graph", "stages", "machine_code", "exits", "compile", "record", "options", "usage", "hot",
           "Report", "Place", "MachineCode", "Exit", "OutOfLine", "Listing", "Line", "Options", "Usage"]

Options = collections.namedtuple("Options", "loop_heat call_heat observe eager record fail memory")
Options.__doc__ = "How the compiler works."
Options.loop_heat.__doc__ = "Turns of a loop before it is observed."
Options.call_heat.__doc__ = "Calls of a function before it is observed."
Options.observe.__doc__ = "Turns, or calls, for which it is."
Options.eager.__doc__ = "Whether also what does not pay is compiled, however long it takes."
Options.record.__doc__ = "Whether graphs are kept, and where machine code comes from."
Options.fail.__doc__ = "How often each guard takes its exit though it holds: for tests."
Options.memory.__doc__ = "The most bytes of machine code and what belongs to it; nothing more is compiled then."

Usage = collections.namedtuple("Usage", "compiled seconds memory")
Usage.__doc__ = "What machine code has cost so far."
Usage.compiled.__doc__ = "Pieces of code that were compiled."
Usage.seconds.__doc__ = "How long that took."
Usage.memory.__doc__ = "Bytes that machine code takes now, with all that belongs to it."

Exit = collections.namedtuple("Exit", "function line offset reason taken")
Exit.__doc__ = "A way from machine code back to the interpreter."
Exit.function.__doc__ = "The function in which the interpreter goes on: an inlined one perhaps."
Exit.line.__doc__ = "The line at which it goes on."
Exit.offset.__doc__ = "The offset of the instruction at which it goes on, as dis shows it."
Exit.reason.__doc__ = "Why it is taken."
Exit.taken.__doc__ = "How often it was taken."

OutOfLine = collections.namedtuple("OutOfLine", "function line offset opname done")
OutOfLine.__doc__ = "An instruction that machine code leaves to the interpreter's own code."
OutOfLine.opname.__doc__ = "The instruction of the private form, as dis.dis(..., adaptive=True) shows it."
OutOfLine.done.__doc__ = "How often it was done."

Line = collections.namedtuple("Line", "offset bytes text function line source_offset source")
Line.__doc__ = "A machine instruction."
Line.offset.__doc__ = "Where it stands, from the beginning of the code."
Line.text.__doc__ = "The instruction in Intel's notation."
Line.function.__doc__ = "The function that it comes from: an inlined one perhaps. None when that was not recorded."
Line.line.__doc__ = "The line of the source that it comes from."
Line.source_offset.__doc__ = "The offset of the bytecode instruction that it comes from, as dis shows it."
Line.source.__doc__ = "The instruction of the private form that it comes from."


class Place:
    """Where machine code can begin: the calls of a function, or one of its loops."""

    def __init__(self, number, fields, code):
        self.number = number
        #: "call" or "loop".
        self.kind = fields["kind"]
        #: The line and the offset of the first instruction.
        self.line = fields["line"]
        self.offset = fields["offset"]
        #: "counted", "observed", "compiled" or "rejected"; "interpreted" where there is no compiler.
        self.state = fields["state"]
        #: Calls, or turns of the loop, that the interpreter saw. Those inside machine code are not counted.
        self.turns = fields["turns"]
        #: How often machine code was entered here.
        self.entries = fields["entries"]
        #: How often it was compiled.
        self.compilations = fields["compilations"]
        #: Why it is not compiled; None when it is, or was not tried.
        self.reason = fields["reason"]
        #: The machine code that is entered here, or None.
        self.code = code

    def __repr__(self):
        return f"<pellucid.Place {self._name()}: {self.state}>"

    def _name(self):
        return "calls" if self.kind == "call" else f"loop at line {self.line}"

    def __str__(self):
        text = f"{self._name()}: {self.state}"
        if self.reason:
            text += f" ({self.reason})"
        counts = [_count(self.turns, "call" if self.kind == "call" else "turn") + " interpreted"]
        if self.entries:
            counts.append("entered " + _times(self.entries))
        if self.compilations > 1:
            counts.append("compiled " + _times(self.compilations))
        return text + ", " + ", ".join(counts)


class MachineCode:
    """A piece of machine code, and how it came to be."""

    def __init__(self, fields):
        self.address = fields["address"]
        #: Bytes of code, and bytes of memory with all that belongs to it.
        self.size = fields["size"]
        self.memory = fields["memory"]
        #: Seconds from the first look to machine code, and those of the part that makes it of the graph.
        self.seconds = fields["time"]
        self.lowering_seconds = fields["lowering"]
        #: Graphs that were built until what they assume of loops held.
        self.attempts = fields["attempts"]
        #: What was done while it was compiled: a dict of counts.
        self.done = fields["tally"]
        #: What was inlined, unrolled, and left to the interpreter's own code, and where.
        self.notes = fields["notes"]
        #: Whether it is entered still: code that was replaced stays until nothing runs it.
        self.used = fields["used"]
        #: The graph behind each pass, by the pass's name: what record() keeps.
        self.graphs = fields["stages"]
        self.exits = _exits(fields["exits"])
        self.out_of_line = [OutOfLine(*step) for step in fields["steps"]]

    @property
    def inlined(self):
        """The names of functions that were inlined."""
        return [note.split(" ")[1] for note in self.notes if note.startswith("inlined ")]

    def __repr__(self):
        return f"<pellucid.MachineCode of {self.size} bytes at {self.address:#x}>"

    def __str__(self):
        again = "" if self.attempts == 1 else f" in {self.attempts} attempts"
        lines = [f"{self.size} bytes of machine code at {self.address:#x}, {self.memory} of memory, "
                 f"{self.seconds * 1000:.2f} ms{again}"]
        lines += [f"  {note}" for note in self.notes]
        lines += [f"  {what}: {count}" for what, count in self.done.items()]
        taken = [exit for exit in self.exits if exit.taken]
        lines.append(f"  exits: {len(self.exits)}, taken {_times(sum(exit.taken for exit in taken))}")
        for exit in sorted(taken, key=lambda exit: -exit.taken):
            lines.append(f"    {_times(exit.taken)} to {exit.function}, line {exit.line}, @{exit.offset}: {exit.reason}")
        for step in self.out_of_line:
            lines.append(f"    {step.opname} in {step.function}, line {step.line}, @{step.offset}: "
                         f"done out of line {_times(step.done)}")
        return "\n".join(lines)


class Report:
    """What is known of a function: see report()."""

    def __init__(self, code):
        self.code = code
        self.name = code.co_qualname
        natives = [(fields["place"], MachineCode(fields)) for fields in _pellucid.natives(code)]
        current = {place: native for place, native in natives if native.used}
        #: The calls first, then the loops. Empty for code that never ran.
        self.places = [Place(number, fields, current.get(number))
                       for number, fields in enumerate(_pellucid.places(code))]
        #: All machine code of it, what was replaced first.
        self.machine_code = [native for _, native in natives]

    @property
    def state(self):
        """The state of the place that has come furthest: cold, counted, observed, rejected or compiled."""
        order = ["cold", "interpreted", "counted", "rejected", "observed", "compiled"]
        return max((place.state for place in self.places), key=order.index, default="cold")

    @property
    def reasons(self):
        """Why places of it are not compiled."""
        return [place.reason for place in self.places if place.reason]

    @property
    def exits(self):
        """All exits of its machine code."""
        return [exit for native in self.machine_code for exit in native.exits]

    @property
    def done(self):
        """What was done while the machine code that is used was compiled, added up."""
        return dict(sum((collections.Counter(place.code.done) for place in self.places if place.code),
                        collections.Counter()))

    def __repr__(self):
        return f"<pellucid.Report of {self.name}: {self.state}>"

    def __str__(self):
        lines = [f"{self.name}: {self.state}"]
        for place in self.places:
            lines.append(f"  {place}")
            if place.code:
                lines += [f"    {line}" for line in str(place.code).splitlines()]
        return "\n".join(lines)


class Listing(list):
    """The instructions of a piece of machine code (Line), and where they come from."""

    def __init__(self, native, lines):
        super().__init__(lines)
        self.native = native

    def __str__(self):
        out = []
        last = None
        for line in self:
            origin = line[3:]
            if origin != last and line.function is not None:
                out.append(f"; {line.function}, line {line.line}, @{line.source_offset}: {line.source}")
                last = origin
            out.append(f"    {line.offset:5x}  {line.bytes.hex():22} {line.text}")
        return "\n".join(out)


def _code_of(f):
    f = getattr(f, "__func__", f)
    f = getattr(f, "__wrapped__", f) if not hasattr(f, "__code__") else f
    for attribute in ("__code__", "gi_code", "ag_code", "cr_code"):
        f = getattr(f, attribute, f)
    if not isinstance(f, types.CodeType):
        raise TypeError(f"expected something with a code object, not {type(f).__name__}")
    return f


def _count(number, what):
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _times(number):
    return {0: "never", 1: "once", 2: "twice"}.get(number) or f"{number} times"


def _exits(rows):
    """Exits by place and reason: code that was replaced and copies of the same code may have the same."""
    counts = {}
    for *key, taken in rows:
        key = tuple(key)
        counts[key] = counts.get(key, 0) + taken
    return [Exit(*key, taken) for key, taken in counts.items()]


def _native(f, place):
    """The machine code that is meant, with its number: that of a place, else the last that is used."""
    code = _code_of(f)
    natives = [MachineCode(fields) for fields in _pellucid.natives(code)]
    numbers = [fields["place"] for fields in _pellucid.natives(code)]
    if place is not None:
        place = place.number if isinstance(place, Place) else place
    for index in reversed(range(len(natives))):
        if place is None and natives[index].used or numbers[index] == place:
            return code, index, natives[index]
    state = report(code)
    raise LookupError(f"{code.co_qualname} has no machine code: it is {state.state}"
                      + "".join(f" ({reason})" for reason in state.reasons[:1]))


def report(f):
    """All that is known of a function: its state, its places with their counts, its machine code.

    The result has attributes, and is readable when printed.
    """
    return Report(_code_of(f))


def stages(f, place=None):
    """The names of the passes of which graph() can show the result, in order."""
    return list(_native(f, place)[2].graphs)


def graph(f, stage="improved", place=None):
    """The graph of typed values that f's machine code was made of, as text.

    stage is the pass behind which it is shown: "built" is what the first one is given, "improved" what the last one leaves,
    "cranelift" what becomes of that in the compiler's back end; see stages(). place is one of report(f).places, or its number; if
    it is not given, the code that was compiled last is shown.
    """
    code, _, native = _native(f, place)
    if not native.graphs:
        raise LookupError(f"{code.co_qualname} was compiled while nothing was recorded; see pellucid.record()")
    try:
        return native.graphs[stage]
    except KeyError:
        raise ValueError(f"no such stage: {stage!r}; there are {', '.join(native.graphs)}") from None


def machine_code(f, place=None):
    """The machine code of f as a list of Line, readable when printed.

    Each piece is headed by what it comes from, if that was recorded (see record()): function, line, offset of the bytecode
    instruction, and the instruction of the private form.
    """
    code, index, native = _native(f, place)
    lines = _pellucid.listing(code, index)
    if lines is None:
        raise NotImplementedError("there is no disassembler for this machine")
    return Listing(native, [Line(*line) for line in lines])


def exits(f):
    """The exits of f's machine code that were taken, most often first."""
    return sorted((exit for exit in report(f).exits if exit.taken), key=lambda exit: -exit.taken)


def compile(f):
    """Have f observed from its next call, and its loops from their next turn on, and then compiled.

    Observation takes options().observe calls or turns. A second attempt is made for what was rejected.
    """
    _pellucid.hasten(_code_of(f))


def options(**changes):
    """How the compiler works, as Options; keyword arguments change it.

    None where there is no compiler (-X jit=off). loop_heat and call_heat count for code that has not run yet.
    """
    known = _pellucid.options()
    if changes:
        if known is None:
            raise RuntimeError("machine code is switched off (-X jit=off)")
        _pellucid.set_options(*Options(**known)._replace(**changes))
        known = _pellucid.options()
    return known and Options(**known)


def record(on=True):
    """Keep the graphs of what is compiled from now on, and where its machine code comes from.

    The result may be used in a with statement, at whose end what was before is so again.
    """
    known = options()
    before = known.record if known else False
    options(record=bool(on))
    return _Recording(before)


class _Recording(contextlib.AbstractContextManager):
    def __init__(self, before):
        self._before = before

    def __exit__(self, *exception):
        options(record=self._before)


def usage():
    """What machine code has cost so far: Usage."""
    return Usage(*_pellucid.usage())


def hot():
    """Reports of all functions that are alive and were compiled, or rejected: those entered most often first."""
    codes = {f.__code__ for f in gc.get_objects() if isinstance(f, types.FunctionType)}
    reports = [Report(code) for code in codes]
    known = [found for found in reports if found.state in ("compiled", "rejected")]
    return sorted(known, key=lambda found: (-sum(place.entries for place in found.places), found.name))


def _main():
    import argparse
    import runpy
    import sys
    parser = argparse.ArgumentParser(prog="pellucid -m pellucid",
                                     description="Run a program, and tell what became machine code.")
    parser.add_argument("program")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    sys.argv = [given.program, *given.arguments]
    names = {}
    try:
        names = runpy.run_path(given.program, run_name="__main__")
    finally:
        for found in hot():
            print(found, file=sys.stderr)
        print(usage(), file=sys.stderr)
    del names


if __name__ == "__main__":
    _main()
