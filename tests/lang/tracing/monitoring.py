# sys.monitoring: tools, events, what switches them off.
import sys

m = sys.monitoring
E = m.events
TOOL, OTHER = m.DEBUGGER_ID, m.COVERAGE_ID
log = []


def error(function, *args):
    try:
        print("no error", function(*args))
    except (ValueError, TypeError) as e:
        print(type(e).__name__, e)


# Tools.
error(m.use_tool_id, 6, "x")
error(m.use_tool_id, TOOL, 1)
error(m.set_events, TOOL, E.LINE)
m.use_tool_id(TOOL, "test")
error(m.use_tool_id, TOOL, "again")
print(m.get_tool(TOOL), m.get_tool(OTHER), m.get_events(TOOL))
error(m.register_callback, TOOL, E.LINE | E.CALL, None)
error(m.set_events, TOOL, E.C_RETURN)
error(m.set_events, TOOL, 1 << 30)
error(m.set_local_events, TOOL, 1, E.LINE)
error(m.set_local_events, TOOL, error.__code__, E.RAISE)


def short(value):
    if isinstance(value, (int, str, type(None))):
        return value
    return getattr(value, "__name__", None) or type(value).__name__


OFFSET_FIRST = {name for name in dir(E) if name.isupper()} - {"LINE"}


def record(name):
    def callback(code, *args):
        if name in OFFSET_FIRST:
            args = args[1:]
        if name in ("JUMP", "BRANCH_LEFT", "BRANCH_RIGHT"):
            args = ()
        if name == "LINE":
            args = (args[0] - code.co_firstlineno,)
        log.append((name, code.co_name, *map(short, args)))
    return callback


def watch(events, function, tool=TOOL):
    for name in dir(E):
        if name.isupper() and name not in ("NO_EVENTS", "BRANCH"):
            m.register_callback(tool, getattr(E, name), record(name))
    log.clear()
    m.set_events(tool, events)
    try:
        function()
    except Exception as e:
        print("raised", repr(e))
    m.set_events(tool, 0)
    print(function.__name__)
    for entry in log:
        if entry[1] not in ("watch", "set_events"):
            print("   ", *entry)


def simple():
    x = [1]
    for i in x:
        if i:
            x = len("a")
    return x


def generator():
    try:
        yield 1
        yield 2
    except KeyError:
        yield 3


def generators():
    g = generator()
    next(g)
    g.throw(KeyError)
    return list(generator())


def failing():
    try:
        {}["x"]
    except KeyError:
        raise ValueError from None


def cleaning():
    try:
        failing()
    finally:
        pass


class Class:
    def __init__(self, x):
        self.x = x

    def method(self):
        return self


def calls():
    c = Class(1)
    c.method()
    bound = c.method
    bound()
    max(1, 2, key=abs)
    print(*[], **{"end": ""})
    int("x")


PY = E.PY_START | E.PY_RETURN | E.PY_YIELD | E.PY_RESUME | E.PY_THROW | E.PY_UNWIND
watch(PY | E.LINE, simple)
watch(PY, generators)
watch(E.RAISE | E.EXCEPTION_HANDLED | E.PY_UNWIND | E.RERAISE, cleaning)
watch(E.CALL | PY, calls)
watch(E.BRANCH_LEFT | E.BRANCH_RIGHT | E.JUMP, simple)

# Events of one code object, and DISABLE.
log.clear()
m.set_local_events(TOOL, simple.__code__, E.LINE)
print(m.get_local_events(TOOL, simple.__code__) == E.LINE, m.get_local_events(TOOL, calls.__code__))
m.register_callback(TOOL, E.LINE, lambda code, line: log.append(line - code.co_firstlineno) or m.DISABLE)
simple(), generators()
print(log)
simple()
print(log)
m.restart_events()
simple()
print(log)
m.set_local_events(TOOL, simple.__code__, 0)

# Some events cannot be switched off at a place.
m.register_callback(TOOL, E.RAISE, lambda *args: m.DISABLE)
m.set_events(TOOL, E.RAISE)
error(lambda: {}["x"])
m.set_events(TOOL, 0)

# Two tools: the later one is told first. An exception in a callback goes on in the code.
m.use_tool_id(OTHER, "other")
for tool in (TOOL, OTHER):
    m.register_callback(tool, E.PY_START, lambda code, offset, tool=tool: log.append(tool))
    m.set_local_events(tool, simple.__code__, E.PY_START)
log.clear()
simple()
print(log)


def refuse(code, offset):
    raise ValueError("not here")


print(m.register_callback(OTHER, E.PY_START, refuse).__name__)
error(simple)
print(sorted(m._all_events()))
for tool in (TOOL, OTHER):
    m.free_tool_id(tool)
print(m.get_tool(TOOL), m.get_local_events(OTHER, simple.__code__))
print(simple())

# Events begin at once, and end at once.
m.use_tool_id(TOOL, "test")
log.clear()
m.register_callback(TOOL, E.LINE, lambda code, line: log.append(line))
m.set_events(TOOL, E.LINE)
x = 1
y = 2
m.set_events(TOOL, 0)
z = 3
print(len(log), type(m.MISSING), m.DISABLE is m.MISSING)
m.free_tool_id(TOOL)
