def run(f):
    try:
        f()
    except ZeroDivisionError:
        return "zero"
    except (KeyError, IndexError) as error:
        return f"lookup {error!r}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    else:
        return "fine"
    finally:
        print("finally", end=" ")


def boom():
    raise ValueError("bad", 1)


print(run(lambda: 1 / 0))
print(run(lambda: {}["k"]))
print(run(lambda: [][1]))
print(run(boom))
print(run(lambda: None))


def returns():
    for i in range(3):
        try:
            if i == 1:
                continue
            if i == 2:
                return i
        finally:
            print("f", i)


print(returns())


def overrides():
    try:
        return "try"
    finally:
        print("done")


print(overrides())


def nested():
    try:
        try:
            1 / 0
        finally:
            print("inner finally")
    except ZeroDivisionError as first:
        try:
            raise KeyError("second")
        except KeyError as second:
            print(second.__context__ is first, second.__cause__)
        try:
            raise TypeError("third") from first
        except TypeError as third:
            print(third.__cause__ is first, third.__suppress_context__)
        try:
            raise TypeError("fourth") from None
        except TypeError as fourth:
            print(fourth.__cause__, fourth.__suppress_context__, fourth.__context__ is first)
    try:
        first
    except UnboundLocalError as error:
        print(error)


nested()


class Mine(Exception):
    def __init__(self, code):
        super().__init__(f"code {code}")
        self.code = code


try:
    raise Mine(5)
except Mine as error:
    print(error, error.args, error.code)

try:
    raise Mine
except TypeError as error:
    print(error)
for bad in (5, "text", int):
    try:
        raise bad
    except TypeError as error:
        print(error)
try:
    try:
        1 / 0
    except 5:
        pass
except TypeError as error:
    print(error)

try:
    raise
except RuntimeError as error:
    print(error)


def reraise():
    try:
        1 / 0
    except ZeroDivisionError:
        try:
            {}[1]
        except KeyError:
            pass
        raise


try:
    reraise()
except ZeroDivisionError as error:
    print("again", error)

error = ValueError("noted")
error.add_note("a note")
print(error.__notes__)

import sys

try:
    1 / 0
except ZeroDivisionError:
    print(sys.exception(), sys.exc_info()[0])
print(sys.exception())

try:
    assert 1 == 2, "message"
except AssertionError as error:
    print(error)
try:
    assert False
except AssertionError as error:
    print(repr(error))


def loop():
    while True:
        try:
            break
        finally:
            print("left")
    for x in "ab":
        try:
            pass
        except Exception:
            pass
        else:
            print("else", x)
    else:
        print("exhausted")


loop()
