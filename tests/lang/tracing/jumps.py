# f_lineno can be set: where frames may go on, and what stands in the way.
import sys
import warnings

warnings.simplefilter("ignore")


def jump(function, at, to, event="line"):
    log = []
    first = function.__code__.co_firstlineno

    def tracer(frame, what, arg):
        if frame.f_code is function.__code__ and what == event and frame.f_lineno == first + at and not done:
            done.append(True)
            try:
                frame.f_lineno = first + to
            except ValueError as e:
                log.append(str(e).replace(str(first + to), "N"))
        return tracer

    done = []
    sys.settrace(tracer)
    try:
        function(log)
    except Exception as e:
        log.append(repr(e))
    sys.settrace(None)
    print(function.__name__, at, to, log)


def straight(log):
    log.append(1)
    log.append(2)
    log.append(3)


jump(straight, 1, 3)
jump(straight, 3, 1)
jump(straight, 2, 50)
jump(straight, 2, -1)
jump(straight, 0, 2, "call")
jump(straight, 3, 1, "return")


def loop(log):
    for i in range(3):
        log.append(i)
    log.append("end")
    x = 1


jump(loop, 2, 3)
jump(loop, 3, 2)
jump(loop, 1, 3)
jump(loop, 4, 1)


def handled(log):
    try:
        log.append(2)
        1 / 0
    except ZeroDivisionError:
        log.append("handler")
    finally:
        log.append("finally")
    log.append(sys.exception())


jump(handled, 3, 8)
jump(handled, 5, 8)
jump(handled, 2, 5)
jump(handled, 8, 2)


class Manager:
    def __init__(self, log):
        self.log = log

    def __enter__(self):
        self.log.append("enter")

    def __exit__(self, *exception):
        self.log.append("exit")


def managed(log):
    with Manager(log):
        log.append(2)
        log.append(3)
    log.append(4)


jump(managed, 2, 4)
jump(managed, 2, 3)
jump(managed, 4, 2)
jump(managed, 4, 1)


def unbound(log):
    log.append(1)
    x = 1
    log.append(x)


jump(unbound, 1, 3)

frame = sys._getframe()
for value in [1, 1.5]:
    try:
        frame.f_lineno = value
    except ValueError as e:
        print(e)
try:
    del frame.f_lineno
except AttributeError as e:
    print(e)
