"""The shell: the namespace of the cells, their execution and what they show."""

import ast
import builtins
import contextlib
import linecache
import os
import sys
import traceback
import types

from . import display as display_module
from .options import UsageError
from .streams import Record, Stream
from .transform import transform_cell

# `ast.PyCF_ALLOW_TOP_LEVEL_AWAIT`
_TOP_LEVEL_AWAIT = 0x2000
_COROUTINE = 0x80

_shell = None


def get_ipython():
    """The shell, inside a notebook; None elsewhere."""
    return _shell


class ExecutionResult:
    """What became of a cell."""

    def __init__(self, execution_count, info=None):
        self.execution_count = execution_count
        self.info = info
        self.result = None
        self.error_before_exec = None
        self.error_in_exec = None

    @property
    def success(self):
        return self.error_before_exec is None and self.error_in_exec is None

    def raise_error(self):
        for error in (self.error_before_exec, self.error_in_exec):
            if error is not None:
                raise error


class SList(list):
    """The lines a shell command wrote, as `x = !command` gives them."""

    @property
    def l(self):
        return list(self)

    list = l

    @property
    def n(self):
        return "\n".join(self)

    nlstr = n

    @property
    def s(self):
        return " ".join(self)

    spstr = s

    @property
    def p(self):
        from pathlib import Path

        return [Path(line) for line in self]

    paths = p

    def grep(self, pattern, prune=False, field=None):
        """The lines in which a pattern is found, or for which a function is true."""
        import re

        def matches(line):
            if field is not None:
                parts = line.split()
                line = parts[field] if field < len(parts) else ""
            return bool(pattern(line) if callable(pattern) else re.search(pattern, line, re.IGNORECASE))

        return SList(line for line in self if matches(line) is not prune)

    def fields(self, *numbers):
        """Words of each line by number."""
        if not numbers:
            return [line.split() for line in self]
        rows = ([line.split(), numbers] for line in self)
        return SList(" ".join(words[n] for n in wanted if -len(words) <= n < len(words)) for words, wanted in rows)


class Shell:
    """What `get_ipython()` gives in a notebook."""

    def __init__(self, namespace):
        global _shell
        from .magics import CELL_MAGICS, LINE_MAGICS

        _shell = self
        self.user_ns = namespace
        self.user_global_ns = namespace
        self.execution_count = 1
        self.record = Record()
        self.line_magics = dict(LINE_MAGICS)
        self.cell_magics = dict(CELL_MAGICS)
        self.history = []
        self.directory_history = [os.getcwd()]
        self.last_error = None
        self.ast_node_interactivity = "last_expr"
        self._real_input = builtins.input
        namespace.update(
            {
                "get_ipython": get_ipython,
                "display": display_module.display,
                "In": [""],
                "Out": {},
                "_": "",
                "__": "",
                "___": "",
                "exit": self._exit,
                "quit": self._exit,
            }
        )
        self._hidden = set(namespace)
        builtins.get_ipython = get_ipython
        builtins.display = display_module.display
        builtins.input = self.input
        sys.stdout = Stream("stdout", sys.stdout, self)
        sys.stderr = Stream("stderr", sys.stderr, self)
        sys.displayhook = self._displayhook
        _offer_ipython()

    # ---- cells ----

    def run_cell(self, raw_cell, store_history=True, silent=False):
        """Runs a cell; an error in it is shown, and noted in the result."""
        result = ExecutionResult(self.execution_count)
        self._result = result
        self._quiet = raw_cell.rstrip().endswith(";")
        name = f"<cell {self.execution_count}>"
        try:
            source = self.transform_cell(raw_cell)
            lines = raw_cell.splitlines(keepends=True)
            linecache.cache[name] = (len(raw_cell), None, lines, name)
            nodes = ast.parse(source, name).body
        except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError) as error:
            result.error_before_exec = error
            self.showtraceback(error, limit=0)
            return self._finished(raw_cell, result, store_history)
        try:
            self._run_nodes(nodes, name)
        except SystemExit:
            raise
        except UsageError as error:
            result.error_in_exec = error
            print(f"UsageError: {error}", file=sys.stderr)
        except BaseException as error:
            result.error_in_exec = error
            self.showtraceback(error)
        return self._finished(raw_cell, result, store_history)

    def _finished(self, cell, result, store_history):
        if store_history:
            self.history.append(cell)
            self.user_ns["In"].append(cell)
            self.execution_count += 1
        return result

    def _run_nodes(self, nodes, name):
        if not nodes:
            return
        shown = []
        wish = self.ast_node_interactivity
        if wish == "last_expr_or_assign":
            nodes = _with_assigned_value(nodes)
            wish = "last_expr"
        if wish == "all":
            nodes, shown = [], nodes
        elif wish == "last" or (wish == "last_expr" and isinstance(nodes[-1], ast.Expr)):
            nodes, shown = nodes[:-1], nodes[-1:]
        if nodes:
            self._run_code(self._compile(ast.Module(nodes, []), name, "exec"))
        for node in shown:
            self._run_code(self._compile(ast.Interactive([node]), name, "single"))

    def _compile(self, tree, name, mode):
        return compile(tree, name, mode, flags=_TOP_LEVEL_AWAIT, dont_inherit=True)

    def _run_code(self, code):
        if code.co_flags & _COROUTINE:
            import asyncio

            if getattr(self, "_loop", None) is None:
                self._loop = asyncio.new_event_loop()
            self._loop.run_until_complete(eval(code, self.user_ns))
        else:
            exec(code, self.user_ns)

    def _displayhook(self, value):
        if value is None:
            return
        builtins._ = None
        ns = self.user_ns
        ns["___"], ns["__"], ns["_"] = ns.get("__"), ns.get("_"), value
        self._result.result = value
        if self._quiet:
            return
        ns["Out"][self.execution_count] = value
        ns[f"_{self.execution_count}"] = value
        data, metadata = display_module.mimebundle(value)
        text = data["text/plain"]
        self.show(f"Out[{self.execution_count}]: " + ("\n" if "\n" in text else "") + text)
        self.record.add(
            {
                "output_type": "execute_result",
                "execution_count": self.execution_count,
                "data": data,
                "metadata": metadata,
            }
        )

    def run_notebook_cell(self, source):
        """Runs a cell for the runner of notebooks: whether it ended well, its number, and its outputs as JSON."""
        self.record = Record()
        count = self.execution_count
        result = self.run_cell(source)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            self.record.add(
                {
                    "output_type": "error",
                    "ename": type(error).__name__,
                    "evalue": str(error),
                    "traceback": self._traceback_lines(error),
                }
            )
        sys.stdout.flush()
        sys.stderr.flush()
        return error is None, count, self.record.json()

    def show(self, text):
        """Writes to the terminal what outputs hold in another form."""
        sys.stdout._target.write(f"{text}\n")

    # ---- errors ----

    def showtraceback(self, error=None, limit=None, **_):
        """Shows an exception, without the frames of the shell."""
        if error is None or isinstance(error, tuple):
            error = sys.exception()
        self.last_error = error
        sys.last_exc = sys.last_value = error
        sys.last_type, sys.last_traceback = type(error), error.__traceback__
        # The terminal only: what is stored of it has a form of its own.
        target = sys.stderr._target
        sys.stdout.flush()
        target.write("\n".join(self._traceback_lines(error)) + "\n")
        target.flush()

    def _traceback_lines(self, error):
        trace = error.__traceback__
        if isinstance(error, SyntaxError) and not _user_frames(trace):
            trace = None
        while trace is not None and _in_shell(trace):
            trace = trace.tb_next
        return "".join(traceback.format_exception(type(error), error, trace)).rstrip("\n").split("\n")

    # ---- magics ----

    def run_line_magic(self, magic_name, line, _stack_depth=1):
        """`%name line`"""
        magic = self.line_magics.get(magic_name)
        if magic is None:
            if magic_name in self.cell_magics:
                raise UsageError(
                    f"Line magic function `%{magic_name}` not found (But cell magic `%%{magic_name}` exists, "
                    "did you mean that instead?)."
                )
            raise UsageError(f"Line magic function `%{magic_name}` not found.")
        if not getattr(magic, "verbatim", False):
            line = self.var_expand(line, _stack_depth + 1)
        if getattr(magic, "needs_local_scope", False):
            return magic(self, line, local_ns=self._local_scope(_stack_depth + 1))
        return magic(self, line)

    def run_cell_magic(self, magic_name, line, cell):
        """`%%name line` and the lines below."""
        magic = self.cell_magics.get(magic_name)
        if magic is None:
            if magic_name in self.line_magics:
                raise UsageError(
                    f"Cell magic `%%{magic_name}` not found (But line magic `%{magic_name}` exists, did you mean that "
                    "instead?)."
                )
            raise UsageError(f"Cell magic `%%{magic_name}` not found.")
        if not getattr(magic, "verbatim", False):
            line = self.var_expand(line, 2)
        if getattr(magic, "needs_local_scope", False):
            return magic(self, line, cell, local_ns=self._local_scope(2))
        return magic(self, line, cell)

    def magic(self, text):
        name, _, line = text.lstrip("%").partition(" ")
        return self.run_line_magic(name, line, 2)

    def find_magic(self, name, kind="line"):
        return (self.line_magics if kind == "line" else self.cell_magics).get(name)

    find_line_magic = find_magic

    def find_cell_magic(self, name):
        return self.cell_magics.get(name)

    def register_magic_function(self, function, magic_kind="line", magic_name=None):
        """Makes a function a magic: it gets the line, and the cell if it is a cell magic."""
        name = magic_name or function.__name__

        def call(_shell, *arguments):
            return function(*arguments)

        if magic_kind in ("line", "line_cell"):
            self.line_magics[name] = call
        if magic_kind in ("cell", "line_cell"):
            self.cell_magics[name] = call

    def _local_scope(self, depth):
        """The local variables of the function that a magic is used in; None at the top of a cell."""
        frame = sys._getframe(depth)
        return None if frame.f_locals is self.user_ns or frame.f_globals is frame.f_locals else dict(frame.f_locals)

    @contextlib.contextmanager
    def locals_in_globals(self, local_ns):
        """Lets code that runs in the shell's namespace see the local variables of a function."""
        if not local_ns:
            yield
            return
        missing = object()
        hidden = {name: self.user_ns.get(name, missing) for name in local_ns}
        self.user_ns.update(local_ns)
        try:
            yield
        finally:
            for name, value in hidden.items():
                if value is missing:
                    self.user_ns.pop(name, None)
                else:
                    self.user_ns[name] = value

    def var_expand(self, text, depth=1):
        """Replaces `{expression}` and `$name` in the line of a magic or command."""
        if "{" not in text and "$" not in text:
            return text
        frame = sys._getframe(depth)
        scope = {**self.user_ns, **frame.f_locals}
        return _expand(text, scope)

    # ---- source ----

    def transform_cell(self, cell):
        return transform_cell(cell)

    def parse(self, source, name):
        """The tree of source in which magics may be used."""
        return ast.parse(transform_cell(source), name)

    # ---- the system ----

    def system(self, command):
        """`!command`: what it writes is shown as it comes."""
        command = self.var_expand(command, 2)
        sys.stdout.flush()
        import subprocess  # only here: most notebooks start no process
        process = subprocess.Popen(
            command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        with process.stdout as output:
            for line in output:
                sys.stdout.write(line.decode("utf-8", "replace"))
        self.user_ns["_exit_code"] = process.wait()

    system_raw = system_piped = system

    def getoutput(self, command, split=True, depth=0):
        """`x = !command`: the lines it writes."""
        command = self.var_expand(command, 2)
        import subprocess  # only here: most notebooks start no process
        done = subprocess.run(
            command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.user_ns["_exit_code"] = done.returncode
        text = done.stdout.decode("utf-8", "replace")
        return SList(text.splitlines()) if split else text

    def input(self, prompt="", /):
        """`input()`: what is read is shown as if it had been typed."""
        sys.stdout.write(str(prompt))
        sys.stdout.flush()
        line = sys.stdin.readline() if sys.stdin is not None else ""
        if not line:
            raise EOFError("EOF when reading a line")
        line = line.removesuffix("\n")
        if sys.stdin.isatty():
            self.record.stream("stdout", line + "\n")
        else:
            sys.stdout.write(line + "\n")
        return line

    # ---- names ----

    def user_names(self):
        """The names that cells have defined, sorted."""
        return sorted(
            name
            for name in self.user_ns
            if not name.startswith("_") and name not in self._hidden
        )

    def push(self, variables, interactive=True):
        if isinstance(variables, dict):
            self.user_ns.update(variables)
        else:
            frame = sys._getframe(1)
            names = variables.split() if isinstance(variables, str) else variables
            self.user_ns.update({name: eval(name, frame.f_globals, frame.f_locals) for name in names})

    def ev(self, expression):
        return eval(expression, self.user_ns)

    def ex(self, statement):
        exec(statement, self.user_ns)

    def reset(self):
        """Forgets all names that cells have defined."""
        for name in self.user_names():
            del self.user_ns[name]
        self.user_ns["Out"].clear()

    def _exit(self, code=None):
        raise SystemExit(code)

    def set_next_input(self, text, replace=False):
        """There is nobody to type it."""

    @property
    def colors(self):
        return "NoColor"

    def __repr__(self):
        return "<Pellucid notebook shell>"


def _in_shell(trace):
    return trace.tb_frame.f_globals.get("__name__", "").startswith("pellucid_shell")


def _user_frames(trace):
    while trace is not None:
        if not _in_shell(trace) and trace.tb_frame.f_code.co_filename != ast.__file__:
            return True
        trace = trace.tb_next
    return False


def _with_assigned_value(nodes):
    """Shows what the last statement assigns, by naming it in a statement of its own."""
    last = nodes[-1]
    target = None
    if isinstance(last, ast.Assign):
        target = last.targets[-1]
    elif isinstance(last, (ast.AugAssign, ast.AnnAssign)) and getattr(last, "value", None) is not None:
        target = last.target
    if isinstance(target, ast.Name):
        shown = ast.Expr(ast.Name(target.id, ast.Load()))
        ast.copy_location(shown, last)
        return [*nodes, ast.fix_missing_locations(shown)]
    return nodes


def _expand(text, scope):
    """Braces hold expressions, doubled ones stand for themselves; `$name` is a variable. What fails stays as it is."""
    import re

    out = []
    at = 0
    while at < len(text):
        char = text[at]
        if text.startswith(("{{", "}}", "$$"), at):
            out.append(char if char != "$" else "$")
            at += 2
            continue
        if char == "{":
            end = text.find("}", at)
            if end > at:
                try:
                    out.append(str(eval(text[at + 1 : end], scope)))
                    at = end + 1
                    continue
                except Exception:
                    return text
        elif char == "$":
            match = re.match(r"\$([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)", text[at:])
            if match:
                try:
                    out.append(str(eval(match[1], scope)))
                    at += match.end()
                    continue
                except Exception:
                    pass
        out.append(char)
        at += 1
    return "".join(out)


def _offer_ipython():
    """Lets `from IPython.display import ...` work: notebooks use it as if it were part of the language."""
    package = types.ModuleType("IPython", "What notebooks use of IPython.")
    package.__path__ = []
    package.get_ipython = get_ipython
    package.version_info = (9, 0, 0)
    package.__version__ = "9.0.0"
    package.display = display_module
    core = types.ModuleType("IPython.core")
    core.__path__ = []
    core.display = core.display_functions = display_module
    magic = types.ModuleType("IPython.core.magic")
    for kind in ("line", "cell", "line_cell"):
        setattr(magic, f"register_{kind}_magic", _registers(kind))
    error = types.ModuleType("IPython.core.error")
    error.UsageError = UsageError
    modules = {
        "IPython": package,
        "IPython.core": core,
        "IPython.core.display": display_module,
        "IPython.core.display_functions": display_module,
        "IPython.core.getipython": package,
        "IPython.core.magic": magic,
        "IPython.core.error": error,
        "IPython.display": display_module,
    }
    package.core = core
    core.magic, core.error = magic, error
    for name, module in modules.items():
        sys.modules.setdefault(name, module)


def _registers(kind):
    def register(function=None, **_):
        if not callable(function):
            return lambda inner: _named(inner, kind, function)
        return _named(function, kind, None)

    return register


def _named(function, kind, name):
    _shell.register_magic_function(function, kind, name)
    return function
