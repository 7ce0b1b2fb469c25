"""A profiler that costs little: the interface of `profile` to `_lsprof`."""

__all__ = ["run", "runctx", "Profile"]

import _lsprof
import importlib.machinery
import importlib.util
import io
import profile as _pyprofile


def run(statement, filename=None, sort=-1):
    return _pyprofile._Utils(Profile).run(statement, filename, sort)


def runctx(statement, globals, locals, filename=None, sort=-1):
    return _pyprofile._Utils(Profile).runctx(statement, globals, locals, filename, sort)


run.__doc__ = _pyprofile.run.__doc__
runctx.__doc__ = _pyprofile.runctx.__doc__


def label(code):
    """The key of a function in statistics: file, line, name. Builtin functions have neither file nor line."""
    if isinstance(code, str):
        return ("~", 0, code)
    return (code.co_filename, code.co_firstlineno, code.co_name)


class Profile(_lsprof.Profiler):
    """Profile(timer=None, timeunit=None, subcalls=True, builtins=True)

    Collects statistics with an optional timer of its own. A timer that counts in whole numbers
    needs `timeunit`, what one of them is in seconds.
    """

    def print_stats(self, sort=-1):
        import pstats
        orders = sort if isinstance(sort, tuple) else (sort,)
        pstats.Stats(self).strip_dirs().sort_stats(*orders).print_stats()

    def dump_stats(self, file):
        import marshal
        with open(file, "wb") as out:
            self.create_stats()
            marshal.dump(self.stats, out)

    def create_stats(self):
        self.disable()
        self.snapshot_stats()

    def snapshot_stats(self):
        """Fills `self.stats`: for each function calls, total calls, time in it, time below it, and its callers."""
        entries = self.getstats()
        totals = {}
        callers = {}
        for entry in entries:
            key = label(entry.code)
            callers.setdefault(key, {})
            add(totals, key, entry)
        for entry in entries:
            caller = label(entry.code)
            for call in entry.calls or ():
                add(callers.setdefault(label(call.code), {}), caller, call)
        self.stats = {}
        for key, (primitive, calls, own, cumulative) in totals.items():
            # Of a caller `pstats` wants all calls first.
            by = {
                caller: (c, p, o, t)
                for caller, (p, c, o, t) in callers[key].items()
            }
            self.stats[key] = (primitive, calls, own, cumulative, by)

    def run(self, cmd):
        import __main__
        return self.runctx(cmd, __main__.__dict__, __main__.__dict__)

    def runctx(self, cmd, globals, locals):
        self.enable()
        try:
            exec(cmd, globals, locals)
        finally:
            self.disable()
        return self

    def runcall(self, func, /, *args, **kw):
        self.enable()
        try:
            return func(*args, **kw)
        finally:
            self.disable()

    def __enter__(self):
        self.enable()
        return self

    def __exit__(self, *exception):
        self.disable()


def add(table, key, entry):
    """Adds an entry's numbers to those of its key: several code objects may have the same name and place."""
    primitive, calls, own, cumulative = table.get(key, (0, 0, 0.0, 0.0))
    table[key] = (
        primitive + entry.callcount - entry.reccallcount,
        calls + entry.callcount,
        own + entry.inlinetime,
        cumulative + entry.totaltime,
    )


def main():
    import os
    import pstats
    import runpy
    import sys
    from optparse import OptionParser

    parser = OptionParser(usage="cProfile.py [-o output_file_path] [-s sort] [-m module | scriptfile] [arg] ...")
    parser.allow_interspersed_args = False
    parser.add_option("-o", "--outfile", dest="outfile", default=None, help="Save stats to <outfile>")
    parser.add_option(
        "-s", "--sort", dest="sort", default=2, type="choice",
        choices=sorted(pstats.Stats.sort_arg_dict_default),
        help="Sort order when printing to stdout, based on pstats.Stats class",
    )
    parser.add_option("-m", dest="module", action="store_true", default=False, help="Profile a library module")

    if not sys.argv[1:]:
        parser.print_usage()
        sys.exit(2)
    options, args = parser.parse_args()
    sys.argv[:] = args
    if options.outfile is not None:
        # The program may change its directory.
        options.outfile = os.path.abspath(options.outfile)
    if not args:
        parser.print_usage()
        return parser

    if options.module:
        code = "run_module(modname, run_name='__main__')"
        namespace = {"run_module": runpy.run_module, "modname": args[0]}
        module = None
    else:
        script = args[0]
        sys.path.insert(0, os.path.dirname(script))
        with io.open_code(script) as source:
            code = compile(source.read(), script, "exec")
        spec = importlib.machinery.ModuleSpec(name="__main__", loader=None, origin=script)
        module = importlib.util.module_from_spec(spec)
        # The script is the main module, for what it pickles and for whoever imports `__main__`.
        sys.modules["__main__"] = module
        namespace = module.__dict__
        namespace.update(__spec__=spec, __file__=spec.origin, __name__=spec.name, __package__=None, __cached__=None)
    try:
        runctx(code, namespace, None, options.outfile, options.sort)
    except BrokenPipeError as error:
        # Nobody reads the output any more: nothing is left to be flushed at the end.
        sys.stdout = None
        sys.exit(error.errno)
    return parser


if __name__ == "__main__":
    main()
