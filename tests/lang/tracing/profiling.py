# sys.setprofile, and threads that are traced.
import sys
import threading

events = []


def profiler(frame, event, arg):
    name = getattr(arg, "__qualname__", None) or repr(arg)
    events.append((event, frame.f_code.co_name, name))


def python():
    return len("abc")


def methods():
    "a b".split()
    [].append(1)
    str.upper("a")
    int("1")


def failing():
    try:
        len(1)
    except TypeError:
        pass


def generator():
    yield 1
    yield 2


def generators():
    return sum(generator())


def keywords():
    sorted([2, 1], reverse=True)
    print(*[], **{"end": ""})


for function in [python, methods, failing, generators, keywords]:
    events.clear()
    sys.setprofile(profiler)
    function()
    sys.setprofile(None)
    print(function.__name__, *events[:-1], sep="\n    ")

print(sys.getprofile())


def in_thread():
    python()


names = []


def tracer(frame, event, arg):
    names.append(frame.f_code.co_name)


threading.settrace(tracer)
thread = threading.Thread(target=in_thread)
thread.start()
thread.join()
threading.settrace(None)
print("in_thread" in names, "python" in names, threading.gettrace())


# All threads at once, those that wait included.
ready, go = threading.Event(), threading.Event()


def waiting():
    ready.set()
    go.wait()
    python()


names.clear()
thread = threading.Thread(target=waiting)
thread.start()
ready.wait()
threading.settrace_all_threads(tracer)
go.set()
thread.join()
threading.settrace_all_threads(None)
print("python" in names, sys.gettrace())


# A profile function that raises is taken away.
def failing_profiler(frame, event, arg):
    if event == "c_call":
        raise LookupError("in the profiler")


sys.setprofile(failing_profiler)
try:
    python()
except LookupError as e:
    print(e, sys.getprofile())
