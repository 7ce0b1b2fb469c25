import sys
import traceback


def lines(exception):
    """Function names and lines relative to the function, of a traceback."""
    result = []
    tb = exception.__traceback__
    while tb:
        code = tb.tb_frame.f_code
        result.append((code.co_name, tb.tb_lineno - code.co_firstlineno))
        tb = tb.tb_next
    return result


# A bare raise adds nothing to the traceback.
def bare():
    try:
        1 / 0
    except ZeroDivisionError:
        raise


def nothing():
    raise


for function in (bare, nothing):
    try:
        function()
    except (ZeroDivisionError, RuntimeError) as e:
        print(type(e).__name__, lines(e)[1:])

# except*: what is raised again joins what was not caught, in the original group.
for wanted in (TypeError, (TypeError, ValueError)):
    try:
        try:
            raise ExceptionGroup("eg", [TypeError(1), ValueError(2)])
        except* wanted:
            raise
    except ExceptionGroup as group:
        print(repr(group))


# The line of a frame that an exception leaves through the end of a handler.
class Noop:
    def __enter__(self):
        return self

    def __exit__(self, *args):
        pass


def after_with():
    with Noop():
        1 / 0
        pass


def named():
    try:
        1 / 0
    except Exception as ex:
        1 / 0
        pass


for function in (after_with, named):
    try:
        function()
    except ZeroDivisionError as e:
        frame = e.__traceback__.tb_next.tb_frame
        print(function.__name__, frame.f_lineno - frame.f_code.co_firstlineno)


# Places of context managers and decorators.
class Raises(Noop):
    def __init__(self, where):
        self.where = where

    def __enter__(self):
        if self.where == "enter":
            1 / 0

    def __exit__(self, *args):
        1 / 0


def in_enter():
    with (
        Noop(),
        Raises("enter"),
    ):
        pass


def in_exit():
    with Raises("exit"), Noop() as x:
        pass


def decorated():
    def wrong(f):
        1 / 0

    @wrong
    @staticmethod
    def f():
        pass


for function in (in_enter, in_exit, decorated):
    try:
        function()
    except ZeroDivisionError as e:
        frame = traceback.extract_tb(e.__traceback__)[1]
        first = function.__code__.co_firstlineno
        print(function.__name__, frame.lineno - first, frame.end_lineno - first, frame.colno, frame.end_colno)

# Only NameErrors know the name; an AttributeError learns it where it passes.
def unbound():
    x
    x = 1


try:
    unbound()
except UnboundLocalError as e:
    print(e, e.name)


class Fails:
    def __getattr__(self, name):
        raise AttributeError()


class Deeper:
    def __getattr__(self, name):
        return Fails().deep


for instance in (Fails(), Deeper()):
    try:
        instance.outer
    except AttributeError as e:
        print(e.name, type(e.obj).__name__)
