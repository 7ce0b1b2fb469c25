# `__builtins__` of the globals may be any mapping.
import types


def attempt(what, *args, **keywords):
    try:
        return what(*args, **keywords)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


class Refusing(dict):
    def __getitem__(self, key):
        raise LookupError(f"no {key}")


class Filling(dict):
    def __missing__(self, key):
        return f"made {key}"


proxy = types.MappingProxyType
print(attempt(eval, "name", {"__builtins__": proxy({"name": 1})}))
print(attempt(eval, "name", {"__builtins__": proxy({})}))
print(attempt(eval, "name", {"__builtins__": Filling()}))
print(attempt(eval, "name", {"__builtins__": Refusing(name=1)}))
print(attempt(eval, "name", {"__builtins__": {"name": 2}}))
print(attempt(eval, "name", {"__builtins__": 123}))
print(attempt(eval, "(lambda: name)()", {"__builtins__": proxy({"name": 3})}))
print(attempt(exec, "import spam", {"__builtins__": proxy({})}))
print(attempt(exec, "class C: pass", {"__builtins__": proxy({})}))
space = {"__builtins__": proxy({"__import__": lambda *args: args[0]})}
exec("import spam.eggs", space)
print(space["spam"])
print(attempt(eval, "x.__reduce__()", {"__builtins__": proxy({}), "x": iter([1, 2])}))
print(attempt(eval, "x.__reduce__()", {"__builtins__": proxy({"iter": "found"}), "x": iter([1, 2])}))
inherited = eval("make()", {"__builtins__": proxy({"make": lambda: (lambda: 1)})})
print(inherited())


def outer():
    a = b = 1

    def two():
        return a, b

    def one():
        return a

    return two, one


two, one = outer()
print(attempt(exec, two.__code__, {}, closure=two.__closure__))
print(attempt(exec, two.__code__, {}, closure=one.__closure__))
print(attempt(exec, two.__code__, {}, closure=list(two.__closure__)))
print(attempt(exec, two.__code__, {}, closure=(1, 2)))
print(attempt(exec, two.__code__, {}))
print(attempt(exec, "1", {}, closure=two.__closure__))
