"""The magics, but for those that measure.

A magic is a function of the shell and the line, and of the cell if there is one. `needs_local_scope`: it is also given
the local variables of where it is used. `verbatim`: names and braces in its line are not replaced.
"""

import builtins
import io
import os
import sys

from .options import UsageError, parse_options
from .timing import time_magic, timeit_magic

LINE_MAGICS = {}
CELL_MAGICS = {}


def _magic(name, line=True, cell=False, needs_local_scope=False, verbatim=False):
    def register(function):
        function.needs_local_scope = needs_local_scope
        function.verbatim = verbatim
        if line:
            LINE_MAGICS[name] = function
        if cell:
            CELL_MAGICS[name] = function
        return function

    return register


_magic("timeit", cell=True, needs_local_scope=True, verbatim=True)(timeit_magic)
_magic("time", cell=True, needs_local_scope=True, verbatim=True)(time_magic)


# ---- names ----


def _chosen(shell, line):
    """The user's names, of certain types if the line names some."""
    wanted = line.split()
    names = shell.user_names()
    if not wanted:
        return names
    return [name for name in names if type(shell.user_ns[name]).__name__ in wanted]


@_magic("who_ls")
def who_ls(shell, line):
    """The names that were defined, sorted."""
    return _chosen(shell, line)


@_magic("who")
def who(shell, line):
    """Prints the names that were defined."""
    names = _chosen(shell, line)
    if not names:
        if line:
            print("No variables match your requested type.")
        else:
            print("Interactive namespace is empty.")
        return
    for count, name in enumerate(names, 1):
        print(name, end="\t")
        if count % 8 == 0:
            print()
    if len(names) % 8:
        print()


@_magic("whos")
def whos(shell, line):
    """Prints the names that were defined, their types and something of their values."""
    names = _chosen(shell, line)
    if not names:
        print("No variables match your requested type." if line else "Interactive namespace is empty.")
        return
    values = [shell.user_ns[name] for name in names]
    kinds = [type(value).__name__ for value in values]
    first = max(len("Variable"), *map(len, names)) + 3
    second = max(len("Type"), *map(len, kinds)) + 3
    print(f"{'Variable':<{first}}{'Type':<{second}}Data/Info")
    print("-" * (first + second + len("Data/Info")))
    for name, kind, value in zip(names, kinds, values):
        if kind in ("dict", "list", "tuple", "set"):
            info = f"n={len(value)}"
        else:
            try:
                info = str(value)
            except Exception:
                info = "<object with failing str()>"
            info = info.replace("\n", "\\n")
            if len(info) > 50:
                info = f"{info[:25]}<...>{info[-25:]}"
        print(f"{name:<{first}}{kind:<{second}}{info}")


@_magic("reset")
def reset(shell, line):
    """%reset -f: forgets the names that were defined."""
    shell.reset()


@_magic("reset_selective")
def reset_selective(shell, line):
    """%reset_selective -f pattern: forgets the names in which a pattern is found."""
    import re

    _, pattern = parse_options("reset_selective", line, "f")
    for name in shell.user_names():
        if re.search(pattern, name):
            del shell.user_ns[name]


@_magic("xdel")
def xdel(shell, line):
    """%xdel name: deletes a name."""
    name = line.split()[-1] if line.split() else ""
    if name not in shell.user_ns:
        raise UsageError(f"name {name!r} is not defined")
    del shell.user_ns[name]


# ---- objects ----


def _describe(shell, name, with_source):
    import inspect

    name = name.strip()
    if name.startswith("%"):
        bare = name.lstrip("%")
        value = shell.cell_magics.get(bare) if name.startswith("%%") else shell.line_magics.get(bare)
        if value is None:
            value = shell.cell_magics.get(bare)
        exists = value is not None
    else:
        try:
            value, exists = eval(name, shell.user_ns), True
        except Exception:
            value, exists = None, False
    if not exists:
        print(f"Object `{name}` not found.")
        return
    rows = []
    if callable(value):
        try:
            rows.append(("Signature", f"{name.rpartition('.')[2]}{inspect.signature(value)}"))
        except (TypeError, ValueError):
            pass
    is_code = inspect.isroutine(value) or inspect.isclass(value)
    if not is_code:
        rows.append(("Type", type(value).__name__))
        text = repr(value)
        rows.append(("String form", text if len(text) <= 200 else text[:200] + "..."))
        try:
            rows.append(("Length", str(len(value))))
        except Exception:
            pass
    source = None
    if with_source:
        try:
            source = inspect.getsource(value)
        except (OSError, TypeError):
            pass
    if source is not None:
        rows.append(("Source", "\n" + source.rstrip("\n")))
    else:
        doc = inspect.getdoc(value)
        rows.append(("Docstring", doc or "<no docstring>"))
    try:
        rows.append(("File", inspect.getfile(value)))
    except TypeError:
        pass
    if is_code:
        rows.append(("Type", type(value).__name__))
    for label, text in rows:
        separator = "" if text.startswith("\n") else "\n" if "\n" in text else " " * (11 - len(label))
        print(f"{label}:{separator}{text}")


@_magic("pinfo")
def pinfo(shell, line):
    """%pinfo name, name?: says what an object is."""
    _describe(shell, line, False)


@_magic("pinfo2")
def pinfo2(shell, line):
    """%pinfo2 name, name??: says what an object is, with its source."""
    _describe(shell, line, True)


@_magic("pdoc")
def pdoc(shell, line):
    """%pdoc name: prints an object's docstring."""
    import inspect

    print(inspect.getdoc(eval(line, shell.user_ns)) or f"No documentation found for {line}")


@_magic("psource")
def psource(shell, line):
    """%psource name: prints an object's source."""
    import inspect

    print(inspect.getsource(eval(line, shell.user_ns)))


@_magic("pfile")
def pfile(shell, line):
    """%pfile name: prints the file an object is defined in."""
    import inspect

    with open(inspect.getfile(eval(line, shell.user_ns)), encoding="utf-8") as file:
        print(file.read())


@_magic("psearch")
def psearch(shell, line):
    """%psearch pattern, pattern?: prints the names that match a pattern with `*`."""
    import fnmatch

    pattern = line.split()[0] if line.split() else "*"
    base, dot, last = pattern.rpartition(".")
    if base:
        names = (f"{base}{dot}{name}" for name in dir(eval(base, shell.user_ns)))
    else:
        names = {*shell.user_ns, *dir(builtins)}
    for name in sorted(names):
        if fnmatch.fnmatchcase(name, pattern):
            print(name)


@_magic("pprint")
def pprint_magic(shell, line):
    """Nothing: values are always shown broken over lines."""


# ---- files and the system ----


@_magic("pwd")
def pwd(shell, line):
    """The working directory."""
    return os.getcwd()


@_magic("cd")
def cd(shell, line):
    """%cd [-q] folder: changes the working directory."""
    options, target = parse_options("cd", line, "q")
    target = target.strip().strip("\"'") or "~"
    if target == "-":
        if len(shell.directory_history) < 2:
            raise UsageError("%cd -: No previous directory to change to.")
        target = shell.directory_history[-2]
    try:
        os.chdir(os.path.expanduser(target))
    except OSError as error:
        print(error, file=sys.stderr)
        return
    shell.directory_history.append(os.getcwd())
    if "q" not in options:
        print(os.getcwd())


@_magic("env")
def env(shell, line):
    """%env, %env NAME, %env NAME=value: shows or sets variables of the environment."""
    if not line.strip():
        return dict(os.environ)
    name, separator, value = line.partition("=")
    if not separator and len(line.split()) > 1:
        name, _, value = line.strip().partition(" ")
        separator = " "
    name = name.strip()
    if separator:
        os.environ[name] = value.strip()
        print(f"env: {name}={value.strip()}")
        return None
    if name not in os.environ:
        raise UsageError(f"Environment does not have key: {name}")
    return os.environ[name]


LINE_MAGICS["set_env"] = env


def _shell_command(name, command):
    def run(shell, line):
        shell.system(f"{command} {line}".strip())

    run.__doc__ = f"%{name}: runs `{command}`."
    _magic(name)(run)


for _name, _command in {
    "ls": "ls -F",
    "ll": "ls -lF",
    "mkdir": "mkdir",
    "rmdir": "rmdir",
    "rm": "rm",
    "cp": "cp",
    "mv": "mv",
    "cat": "cat",
    "less": "cat",
    "more": "cat",
    "man": "man",
}.items():
    _shell_command(_name, _command)


@_magic("sx", cell=True)
def sx(shell, line, cell=None):
    """%sx command: the lines a shell command writes."""
    return shell.getoutput(cell if cell is not None else line)


LINE_MAGICS["system"] = CELL_MAGICS["system"] = CELL_MAGICS["!"] = sx


@_magic("pip")
def pip(shell, line):
    """%pip arguments: runs pip for this interpreter."""
    _run_module("pip", line)


def _run_module(name, line):
    import shlex

    sys.stdout.flush()
    import subprocess  # only here: most notebooks start no process
    with subprocess.Popen(
        [sys.executable, "-m", name, *shlex.split(line)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        for text in process.stdout:
            sys.stdout.write(text.decode("utf-8", "replace"))


def _script(shell, program, cell, options):
    import subprocess  # only here: most notebooks start no process
    done = subprocess.run(program, input=cell.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    for option, text, stream in (("out", out, sys.stdout), ("err", err, sys.stderr)):
        if option in options:
            shell.user_ns[options[option]] = text
        else:
            stream.write(text)
    if done.returncode and "no-raise-error" not in options:
        raise subprocess.CalledProcessError(done.returncode, program, output=done.stdout, stderr=done.stderr)


_SCRIPT_OPTIONS = ("out=", "err=", "bg", "no-raise-error")


@_magic("script", line=False, cell=True)
def script(shell, line, cell):
    """%%script program: runs the cell as the input of a program."""
    import shlex

    options, program = parse_options("script", line, "", _SCRIPT_OPTIONS)
    if not program:
        raise UsageError("%%script: which program?")
    _script(shell, shlex.split(program), cell, options)


def _interpreter(name):
    def run(shell, line, cell):
        options, rest = parse_options(name, line, "", _SCRIPT_OPTIONS)
        program = sys.executable if name in ("python", "python3", "pypy") else name
        _script(shell, [program, *rest.split()], cell, options)

    run.__doc__ = f"%%{name}: runs the cell with {name}."
    _magic(name, line=False, cell=True)(run)


for _name in ("bash", "sh", "perl", "ruby", "python", "python3"):
    _interpreter(_name)


@_magic("writefile", line=False, cell=True)
def writefile(shell, line, cell):
    """%%writefile [-a] file: writes the cell to a file."""
    options, name = parse_options("writefile", line, "a", ("append",))
    name = os.path.expanduser(name.strip().strip("\"'"))
    if not name:
        raise UsageError("%%writefile: the following arguments are required: filename")
    append = "a" in options or "append" in options
    if os.path.exists(name):
        print(f"Appending to {name}" if append else f"Overwriting {name}")
    else:
        print(f"Writing {name}")
    with open(name, "a" if append else "w", encoding="utf-8") as file:
        file.write(cell)


CELL_MAGICS["file"] = writefile


@_magic("load")
def load(shell, line):
    """%load file: nothing to load into, as the notebook is not being edited."""
    raise UsageError("%load changes the cell, and this notebook is not being edited; use %run")


@_magic("run")
def run(shell, line):
    """%run [-i] [-n] [-t] [-m] file arguments: runs a program, whose names are kept."""
    import runpy
    import shlex
    import time

    options, rest = parse_options("run", line, "nidtm:N:eG")
    words = shlex.split(rest)
    if "m" in options:
        words.insert(0, options["m"])
    if not words:
        raise UsageError("%run: you must provide at least a filename.")
    name, *arguments = words
    file = os.path.expanduser(name)
    if "m" not in options:
        if not os.path.exists(file) and os.path.exists(file + ".py"):
            file += ".py"
        if not os.path.exists(file):
            raise UsageError(f"File `{name!r}` not found.")
    if file.endswith(".ipynb"):
        return _run_notebook(shell, file)
    saved_argv, saved_main = sys.argv, sys.modules.get("__main__")
    sys.argv = [file, *arguments]
    started = time.perf_counter()
    run_name = "__main__" if "n" not in options else os.path.splitext(os.path.basename(file))[0]
    before = {} if "i" not in options else {k: v for k, v in shell.user_ns.items() if not k.startswith("__")}
    try:
        if "m" in options:
            names = runpy.run_module(file, before, run_name, alter_sys=True)
        else:
            sys.path.insert(0, os.path.dirname(os.path.abspath(file)))
            try:
                names = runpy.run_path(file, before, run_name)
            finally:
                del sys.path[0]
    except SystemExit as exit:
        if exit.code not in (None, 0) and "e" not in options:
            print(f"An exception has occurred: SystemExit: {exit.code}", file=sys.stderr)
        names = {}
    finally:
        sys.argv = saved_argv
        if saved_main is not None:
            sys.modules["__main__"] = saved_main
    shell.user_ns.update({name: value for name, value in names.items() if not name.startswith("__")})
    if "t" in options:
        print(f"\nPellucid CPU timings (estimated):\n  Wall time: {time.perf_counter() - started:10.2f} s.")
    return None


def _run_notebook(shell, file):
    import json

    with open(file, encoding="utf-8") as text:
        notebook = json.load(text)
    cells = notebook.get("cells")
    if cells is None:
        cells = [cell for sheet in notebook.get("worksheets", []) for cell in sheet.get("cells", [])]
    for cell in cells:
        if cell.get("cell_type") == "code":
            source = cell.get("source", cell.get("input", ""))
            shell.run_cell("".join(source), store_history=False).raise_error()


@_magic("capture", line=False, cell=True)
def capture(shell, line, cell):
    """%%capture [--no-stdout] [--no-stderr] [name]: runs the cell and keeps what it shows."""
    options, name = parse_options("capture", line, "", ("no-stdout", "no-stderr", "no-display"))
    from .streams import Record

    outer, shell.record = shell.record, Record()
    real = sys.stdout._target, sys.stderr._target
    sys.stdout._target, sys.stderr._target = io.StringIO(), io.StringIO()
    try:
        result = shell.run_cell(cell, store_history=False)
    finally:
        captured = CapturedIO(sys.stdout._target.getvalue(), sys.stderr._target.getvalue(), shell.record.outputs)
        sys.stdout._target, sys.stderr._target = real
        shell.record = outer
    if "no-stdout" in options:
        sys.stdout.write(captured.stdout)
    if "no-stderr" in options:
        sys.stderr.write(captured.stderr)
    if name.strip():
        shell.user_ns[name.strip()] = captured
    result.raise_error()


class CapturedIO:
    """What `%%capture name` keeps."""

    def __init__(self, stdout, stderr, outputs):
        self.stdout = stdout
        self.stderr = stderr
        self.outputs = [output for output in outputs if output["output_type"] != "stream"]

    def __str__(self):
        return self.stdout

    def show(self):
        sys.stdout.write(self.stdout)
        sys.stderr.write(self.stderr)

    __call__ = show


# ---- profiles, settings ----


@_magic("prun", cell=True, verbatim=True)
def prun(shell, line, cell=None):
    """%prun [-l N] [-s key] statement: runs a statement under the profiler."""
    import cProfile
    import pstats

    options, statement = parse_options("prun", line, "D:l:rs:T:q")
    profile = cProfile.Profile()
    code = compile(shell.parse(cell if cell is not None else statement, "<prun>"), "<prun>", "exec")
    profile.runctx(code, shell.user_ns, shell.user_ns)
    stats = pstats.Stats(profile, stream=sys.stdout).strip_dirs().sort_stats(options.get("s", "time"))
    if "q" not in options:
        stats.print_stats(*([int(options["l"])] if "l" in options else []))
    return stats if "r" in options else None


@_magic("matplotlib")
def matplotlib(shell, line):
    """%matplotlib [backend]: chooses how matplotlib draws."""
    backend = line.strip()
    try:
        import matplotlib as module
    except ImportError:
        raise UsageError("%matplotlib: the module matplotlib is not installed") from None
    module.use("agg" if backend in ("", "inline", "notebook", "widget") else backend)


@_magic("load_ext")
def load_ext(shell, line):
    """%load_ext module: loads an extension, a module with a function `load_ipython_extension`."""
    import importlib

    name = line.strip()
    if not name:
        raise UsageError("Missing module name.")
    if name in ("autoreload", "storemagic"):
        raise UsageError(f"%load_ext: the extension {name} is part of IPython and not available here")
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UsageError(f"%load_ext: the extension {name} is not installed ({error})") from None
    start = getattr(module, "load_ipython_extension", None)
    if start is None:
        print(f"The {name} module is not an IPython extension.")
    else:
        start(shell)


@_magic("config")
def config(shell, line):
    """%config Class.trait=value: the shell's own settings."""
    name, _, value = line.partition("=")
    name = name.strip().rpartition(".")[2]
    if name == "ast_node_interactivity" and value:
        shell.ast_node_interactivity = value.strip().strip("\"'")
        return
    if line.strip().startswith("InlineBackend"):
        # How pictures are drawn, which nothing here depends on.
        return
    raise UsageError(f"Invalid config statement: {line!r}")


@_magic("precision")
def precision(shell, line):
    """%precision: floats are always shown in full."""
    raise UsageError("%precision is not available here; format the numbers instead")


@_magic("xmode")
def xmode(shell, line):
    """%xmode: tracebacks have one form."""
    print(f"Exception reporting mode: {line.strip().title() or 'Plain'}")


@_magic("pdb")
def pdb(shell, line):
    """%pdb: there is nobody to talk to the debugger."""
    print("Automatic pdb calling has been turned OFF")


@_magic("history")
def history(shell, line):
    """%history [-n]: prints the cells that were run."""
    options, _ = parse_options("history", line, "n")
    for number, cell in enumerate(shell.history, 1):
        print(f"{number:4}: {cell}" if "n" in options else cell)


LINE_MAGICS["hist"] = history


@_magic("lsmagic")
def lsmagic(shell, line):
    """%lsmagic: prints the names of all magics."""
    print("Available line magics:")
    print("  ".join(f"%{name}" for name in sorted(shell.line_magics)))
    print()
    print("Available cell magics:")
    print("  ".join(f"%%{name}" for name in sorted(shell.cell_magics)))


@_magic("quickref")
def quickref(shell, line):
    """%quickref: prints what each magic is for."""
    for name, magic in sorted(shell.line_magics.items()):
        print(f"%{name}: {(magic.__doc__ or '').strip().splitlines()[0] if magic.__doc__ else ''}")


def _shown_as(name, class_name):
    def show(shell, line, cell):
        from . import display

        display.display(getattr(display, class_name)(cell))

    show.__doc__ = f"%%{name}: shows the cell as {class_name}."
    _magic(name, line=False, cell=True)(show)


for _name, _class in {
    "html": "HTML",
    "HTML": "HTML",
    "markdown": "Markdown",
    "latex": "Latex",
    "svg": "SVG",
    "SVG": "SVG",
    "javascript": "Javascript",
    "js": "Javascript",
}.items():
    _shown_as(_name, _class)
