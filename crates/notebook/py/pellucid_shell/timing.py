"""`%timeit` and `%time`."""

import ast
import builtins
import gc
import itertools
import math
import time
import timeit

from .options import UsageError, parse_options

_LEAST_SECONDS = 0.2
_RUNS = 7
# Compiling is mentioned when it takes longer than this.
_COMPILER_SECONDS = 0.1


def format_time(seconds, precision=3):
    """A time with a unit that keeps its number short."""
    if seconds >= 60:
        parts = []
        left = seconds
        for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
            count = int(left / length)
            if count > 0:
                left %= length
                parts.append(f"{count}{unit}")
            if left < 1:
                break
        return " ".join(parts)
    units = ("s", "ms", "\xb5s", "ns")
    order = min(-int(math.floor(math.log10(seconds)) // 3), 3) if seconds > 0 else 3
    return f"{seconds * 1000 ** order:.{precision}g} {units[order]}"


class TimeitResult:
    """What `%timeit -o` gives."""

    def __init__(self, loops, repeat, best, worst, all_runs, compile_time, precision):
        self.loops = loops
        self.repeat = repeat
        self.best = best
        self.worst = worst
        self.all_runs = all_runs
        self.compile_time = compile_time
        self._precision = precision
        self.timings = [run / loops for run in all_runs]

    @property
    def average(self):
        return math.fsum(self.timings) / len(self.timings)

    @property
    def stdev(self):
        mean = self.average
        return (math.fsum((timing - mean) ** 2 for timing in self.timings) / len(self.timings)) ** 0.5

    def __str__(self):
        mean = format_time(self.average, self._precision)
        deviation = format_time(self.stdev, self._precision)
        runs = "run" if self.repeat == 1 else "runs"
        loops = "loop" if self.loops == 1 else "loops"
        return (
            f"{mean} \xb1 {deviation} per loop (mean \xb1 std. dev. of {self.repeat} {runs}, "
            f"{self.loops} {loops} each)"
        )

    def _repr_pretty_(self, printer, cycle):
        printer.text(f"<TimeitResult : {self}>")


class _Timer(timeit.Timer):
    """A timer of which the function is given."""

    def __init__(self, inner, timer):
        self.inner = inner
        self.timer = timer

    def timeit(self, number=timeit.default_number):
        turns = itertools.repeat(None, number)
        collecting = gc.isenabled()
        gc.disable()
        try:
            return self.inner(turns, self.timer)
        finally:
            if collecting:
                gc.enable()


def _function(shell, statement, setup):
    """The code of a module that defines the timed function, as `timeit` lays it out."""
    template = ast.parse(
        "def inner(_it, _timer):\n"
        "    setup\n"
        "    _t0 = _timer()\n"
        "    for _i in _it:\n"
        "        stmt\n"
        "    _t1 = _timer()\n"
        "    return _t1 - _t0\n"
    )
    body = template.body[0].body
    loop = body[2]
    loop.body = shell.parse(statement or "pass", "<magic-timeit>").body or [ast.Pass()]
    body[0:1] = shell.parse(setup or "pass", "<magic-timeit-setup>").body or [ast.Pass()]
    ast.fix_missing_locations(template)
    return builtins.compile(template, "<magic-timeit>", "exec")


def timeit_magic(shell, line, cell=None, local_ns=None):
    """%timeit [-n N -r R -t -c -p P -q -o] statement: measures how long a statement takes.

    As a cell magic the line is setup that is not measured, and the cell is measured.
    """
    options, statement = parse_options("timeit", line, "n:r:tcp:qov:")
    if not statement and cell is None:
        return None
    number = int(options.get("n", 0))
    repeat = int(options.get("r", _RUNS))
    precision = int(options.get("p", 3))
    timer = timeit.default_timer
    if "t" in options:
        timer = time.time
    elif "c" in options:
        timer = time.process_time
    setup = "" if cell is None else statement
    started = time.perf_counter()
    code = _function(shell, statement if cell is None else cell, setup)
    compile_time = time.perf_counter() - started
    with shell.locals_in_globals(local_ns):
        namespace = {}
        exec(code, shell.user_ns, namespace)
        measure = _Timer(namespace["inner"], timer)
        if number == 0:
            for power in range(10):
                number = 10**power
                if measure.timeit(number) >= _LEAST_SECONDS:
                    break
        runs = measure.repeat(repeat, number)
    best, worst = min(runs) / number, max(runs) / number
    result = TimeitResult(number, repeat, best, worst, runs, compile_time, precision)
    if "q" not in options:
        if worst > 4 * best > 0 and worst > 1e-6:
            print(
                f"The slowest run took {worst / best:0.2f} times longer than the fastest. This could mean that an "
                "intermediate result is being cached."
            )
        print(result)
        if compile_time > _COMPILER_SECONDS:
            print(f"Compiler time: {compile_time:.2f} s")
    if "v" in options:
        shell.user_ns[options["v"]] = result
    return result if "o" in options else None


def time_magic(shell, line="", cell=None, local_ns=None):
    """%time statement: runs a statement once and says how long it took."""
    if line and cell is not None:
        raise UsageError("Can't use statement directly after '%%time'!")
    source = cell if cell is not None else line
    tree = shell.parse(source, "<timed exec>" if cell is not None else "<timed eval>")
    if not tree.body:
        return None
    expression = None
    if isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
        expression = builtins.compile(last, "<timed eval>", "eval")
    statements = builtins.compile(tree, "<timed exec>", "exec") if tree.body else None
    namespace = shell.user_ns
    value = None
    with shell.locals_in_globals(local_ns):
        wall, cpu = time.time(), time.process_time()
        times = _cpu_times()
        try:
            if statements is not None:
                exec(statements, namespace)
            if expression is not None:
                value = eval(expression, namespace)
        finally:
            user, system = (now - before for now, before in zip(_cpu_times(), times))
            if not user and not system:
                user = time.process_time() - cpu
            wall = time.time() - wall
            total = user + system
            print(f"CPU times: user {format_time(user)}, sys: {format_time(system)}, total: {format_time(total)}")
            print(f"Wall time: {format_time(wall)}")
    return value


def _cpu_times():
    try:
        import resource
    except ImportError:
        return time.process_time(), 0.0
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime, usage.ru_stime
