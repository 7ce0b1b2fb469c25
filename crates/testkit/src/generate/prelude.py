import sys, math, builtins

NAN, INF = float("nan"), float("inf")
LIMIT = 1 << 200


lines = 1200


def say(*parts):
    # So that a hot loop does not print for ever.
    global lines
    lines -= 1
    if lines >= 0:
        print(*parts)


def show(x, depth=3, int=int, len=len):
    # The whole state of a value as text: no addresses, no methods of the program's own.
    t = type(x)
    if t is int or t is float or t is bool or t is str or x is None or t is complex or t is bytes:
        if t is int and (x > 1 << 9999 or x < -1 << 9999):
            return "int of %d bits" % x.bit_length()
        return repr(x)
    if depth == 0:
        return "..."
    if t is list:
        return "[" + ", ".join([show(y, depth - 1) for y in x[:40]]) + "]/" + str(len(x))
    if t is tuple:
        return "(" + ", ".join([show(y, depth - 1) for y in x[:40]]) + ")/" + str(len(x))
    if t is dict:
        pairs = [show(k, depth - 1) + ": " + show(x[k], depth - 1) for k in list(x)[:40]]
        return "{" + ", ".join(pairs) + "}/" + str(len(x))
    if t is set or t is frozenset:
        return t.__name__ + "{" + ", ".join(sorted([show(y, depth - 1) for y in x])[:40]) + "}"
    if t is range or t is slice or t is type(sys):
        return repr(x)
    if isinstance(x, BaseException):
        return t.__name__ + "!" + show(x.args, depth - 1)
    if isinstance(x, type):
        return "class " + x.__name__
    if t is type(show):
        return "function " + x.__name__
    text = t.__name__
    if issubclass(t, int):
        text += " " + int.__repr__(x)
    elif issubclass(t, float):
        text += " " + float.__repr__(x)
    elif issubclass(t, str):
        text += " " + str.__repr__(x)
    elif issubclass(t, list):
        text += " " + show(list(list.__iter__(x)), depth - 1)
    try:
        fields = object.__getattribute__(x, "__dict__")
    except AttributeError:
        fields = None
    if fields is not None:
        text += "<" + ", ".join([k + "=" + show(fields[k], depth - 1) for k in sorted(fields)]) + ">"
    for kind in t.__mro__:
        for name in kind.__dict__.get("__slots__", ()):
            try:
                text += "." + name + "=" + show(object.__getattribute__(x, name), depth - 1)
            except AttributeError:
                text += "." + name + "?"
    return text


def clamp(x, len=len, type=type):
    # Keeps what grows in loops small, whatever became of the builtins.
    t = type(x)
    if t is int:
        return x if -LIMIT < x < LIMIT else x % 1000003 - 500000
    if t is str:
        return x[:24]
    if t is tuple:
        return x[:12]
    if t is list:
        if len(x) > 60:
            del x[20:]
    elif t is set or t is dict:
        if len(x) > 60:
            x.clear()
    return x


def note(label, *values):
    say(label, *[show(x) for x in values])


def fields(f):
    # The names of a frame that the program made up, which end in a number.
    return [k + "=" + show(x, 2) for k, x in sorted(dict(f.f_locals).items()) if k[-1].isdigit()]


def fault(label, e):
    # An exception with its way: functions, lines, the locals of each frame.
    say(label, type(e).__name__, e, "from", type(e.__context__).__name__, type(e.__cause__).__name__)
    way = []
    tb = e.__traceback__
    while tb is not None and len(way) < 12:
        f = tb.tb_frame
        # Whether a comprehension has a frame is not a matter of answers.
        name = f.f_code.co_name
        local = fields(f) if name != "<module>" else []
        if not name.endswith("comp>"):
            way.append(name + ":" + str(tb.tb_lineno) + " " + " ".join(local))
        del f
        tb = tb.tb_next
    if type(e) is not RecursionError:
        say("   ", "\n    ".join(way))


def peek():
    # The caller's frame as a debugger sees it.
    f = sys._getframe(1)
    say("peek", f.f_code.co_name, f.f_lineno, *fields(f))


def poke(name, value):
    f = sys._getframe(1)
    try:
        f.f_locals[name] = value
    except Exception as e:
        say("poke", type(e).__name__)


def attempt(label, function, *args, **kwargs):
    try:
        result = function(*args, **kwargs)
        print(label, "=", show(result))
        return result
    except BaseException as e:
        fault(label, e)


class Guard:
    def __init__(self, name, swallow=None):
        self.name = name
        self.swallow = swallow

    def __enter__(self):
        return self.name

    def __exit__(self, kind, value, tb):
        if kind is not None:
            say("exit", self.name, kind.__name__)
        return kind is not None and self.swallow is not None and issubclass(kind, self.swallow)


class Witness:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return "Witness(...)"

    def __del__(self):
        say("gone", self.name)


class Custom(Exception):
    def __init__(self, *args, extra=0):
        super().__init__(*args)
        self.extra = extra


class MyInt(int):
    def __add__(self, other):
        return MyInt(int.__add__(self, 1))

    def __lt__(self, other):
        return not int.__lt__(self, other)


class MyFloat(float):
    def __mul__(self, other):
        return "MyFloat product"


class MyStr(str):
    def __getitem__(self, at):
        return "<" + str.__getitem__(self, at) + ">"


class MyList(list):
    def __getitem__(self, at):
        return ("mine", list.__getitem__(self, at))

    def __len__(self):
        return 3


class Index:
    def __init__(self, at):
        self.at = at

    def __repr__(self):
        return "Index(...)"

    def __index__(self):
        return self.at
