x = "global"


def reads():
    return x


def writes():
    global x
    x = "changed"


print(reads())
writes()
print(x)


def unbound():
    print(y)
    y = 1


try:
    unbound()
except UnboundLocalError as error:
    print(error)
try:
    nowhere
except NameError as error:
    print(error)


def deletes():
    z = 1
    del z
    return z


try:
    deletes()
except UnboundLocalError as error:
    print(error)


def uses_locals():
    a, b = 1, 2
    return sorted(locals().items())


print(uses_locals())


class Body:
    a = 1
    b = a + 1
    for i in range(3):
        pass
    locals()["dynamic"] = 5
    x = x

    def f(self):
        return __class__.__name__


print(Body.b, Body.i, Body.dynamic, Body.x, Body().f())


def exec_in():
    namespace = {}
    exec("q = 1\ndef g(): return q + 1", namespace)
    return namespace["g"](), eval("q * 10", namespace), eval("1 + 2"), eval("v", {"v": 7}, {})


print(exec_in())
code = compile("result = [i for i in range(n)]", "<made>", "exec")
space = {"n": 3}
exec(code, space)
print(space["result"], code.co_filename)
print(eval("(lambda: __name__)()"), globals()["x"], "reads" in dir())


def shadow(print_=print):
    print = print_
    print("shadowed")


shadow()
import builtins

saved = builtins.len
builtins.len = lambda _: "patched"
print(len([]))
builtins.len = saved
print(len([]))


class Mangled:
    __private = 1

    def get(self):
        return self.__private, [k for k in vars(Mangled) if "private" in k]


print(Mangled().get())
for name in ("x", "undefined_name"):
    try:
        exec(f"del {name}")
    except NameError as error:
        print(error)
def f():
    try:
        return eval("local_only")
    except NameError as error:
        return str(error)
print(f())
