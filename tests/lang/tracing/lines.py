# sys.settrace: which events come, and in which order.
import sys

events = []


def tracer(frame, event, arg):
    code = frame.f_code
    if event == "exception":
        arg = arg[0].__name__
    elif not isinstance(arg, (int, type(None), list, set)):
        arg = type(arg).__name__
    events.append((event, code.co_name, frame.f_lineno - code.co_firstlineno, arg))
    return tracer


def trace(function):
    events.clear()
    sys.settrace(tracer)
    try:
        function()
    except Exception as e:
        caught = type(e).__name__
    else:
        caught = None
    sys.settrace(None)
    print(function.__name__, caught)
    for event in events:
        print("   ", *event)


def loops():
    for i in range(2):
        x = i
    while x < 3:
        x += 1
    while x < 5: x += 1
    return x


def handlers():
    try:
        1 / 0
    except ZeroDivisionError as e:
        pass
    finally:
        x = 1
    try:
        raise KeyError
    except ValueError:
        pass


def generator():
    received = yield 1
    try:
        yield 2
    finally:
        x = 3
    return 4


def resumed():
    g = generator()
    next(g)
    g.send(5)
    g.close()
    for i in generator():
        pass


def delegating():
    def outer():
        result = yield from generator()
    list(outer())


def comprehension():
    squares = [n * n for n in range(3)]
    return {n for n in squares if n}


class Iterator:
    def __iter__(self):
        return self

    def __next__(self):
        raise StopIteration


def iterating():
    for i in Iterator():
        pass


class Manager:
    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return True


def managed():
    with Manager() as m:
        raise ValueError
    x = 1


def decorated():
    def decorate(f):
        return f

    @decorate
    @decorate
    def inner():
        pass


def bare_raise():
    try:
        try:
            raise ValueError
        except ValueError:
            raise
    except ValueError:
        pass


def body():
    class C:
        x = 1

        def method(self):
            pass


for function in [loops, handlers, resumed, delegating, comprehension, iterating, managed, decorated, bare_raise, body]:
    trace(function)

# A module has no line of its own before its first.
events.clear()
sys.settrace(tracer)
exec("x = 1\ny = 2", {})
sys.settrace(None)
print(events)


# The trace function can be set from within, for frames that are under way.
def within():
    def inner():
        outer = sys._getframe(1)
        outer.f_trace = tracer
        sys.settrace(lambda *args: None)
    events.clear()
    inner()
    x = 1
    y = [
        2]
    sys.settrace(None)


within()
print([(event, line) for event, name, line, arg in events])


# What f_trace_lines switches.
def switched(frame, event, arg):
    frame.f_trace_lines = False
    seen.add(event)
    return switched


seen = set()
sys.settrace(switched)
loops()
sys.settrace(None)
print(sorted(seen))


# A trace function that raises is taken away.
def failing(frame, event, arg):
    if event == "line":
        raise LookupError("in the tracer")
    return failing


sys.settrace(failing)
try:
    loops()
except LookupError as e:
    print(e, sys.gettrace())
