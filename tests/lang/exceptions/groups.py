def raises(*errors):
    raise ExceptionGroup("several", list(errors))


try:
    raises(ValueError(1), TypeError(2), ValueError(3))
except* ValueError as group:
    print("values", group.exceptions)
except* TypeError as group:
    print("types", group.exceptions)

try:
    try:
        raises(ValueError(1), KeyError("k"))
    except* ValueError:
        print("handled")
except ExceptionGroup as rest:
    print("rest", rest, rest.exceptions)

try:
    raise ValueError("plain")
except* ValueError as group:
    print(type(group).__name__, group.exceptions)

nested = ExceptionGroup("outer", [ExceptionGroup("inner", [OSError(1), ValueError(2)]), TypeError(3)])
match, rest = nested.split(ValueError)
print(match, match.exceptions, rest.exceptions)
print(nested.subgroup(lambda e: isinstance(e, OSError)))
print(nested.derive([KeyError(1)]))
try:
    ExceptionGroup("empty", [])
except ValueError as error:
    print(error)
try:
    ExceptionGroup("x", [KeyboardInterrupt()])
except TypeError as error:
    print(error)
print(type(BaseExceptionGroup("x", [ValueError()])).__name__)

try:
    try:
        raises(ValueError(1), TypeError(2))
    except* ValueError:
        raise KeyError("new")
except ExceptionGroup as group:
    print(group.exceptions)


def else_and_finally():
    try:
        pass
    except* ValueError:
        print("never")
    else:
        print("else")
    finally:
        print("finally")


else_and_finally()
