import datetime

name, value, width = "World", 3.14159, 10
print(f"Hello {name}! {value:.2f} {value:{width}.3f}| {name!r:>10} {name:*^11}")
print(f"{value=} {value = :.1f} {name=!s} {1+1=}")
print(f"{{braces}} {'quotes'} {"nested " + f"{name}"}")
print(f"{'a' if value > 3 else 'b'} {[x for x in range(3)]} { {'k': 1}['k'] } {(lambda x: x*2)(4)}")
print(f"{12345678:,} {255:#x} {255:08b} {0.5:%} {1e10:g} {-5:+d} {5: d} {1234.5:_.1f} {42:c}")
print(f"{datetime.date(2024, 2, 29):%Y-%m-%d} {'x':>{width}}|{'x':<5}|{'x':^5}|")
print(rf"\n {name}", f"\N{BULLET} \x41 é")
print(f"""multi
{name}
line""")


class Formatted:
    def __format__(self, spec):
        return f"<{spec}>"

    def __str__(self):
        return "str"

    def __repr__(self):
        return "repr"


f = Formatted()
print(f"{f} {f:abc} {f!s} {f!r} {f!a}")
for expression in ("f'{1:z}'", "f'{\"a\":d}'", "f'{None:>5}'", "f'{[]:5}'"):
    try:
        print(eval(expression))
    except (TypeError, ValueError) as error:
        print(type(error).__name__, error)
print("{0} {1!r:>5} {name[k]} {obj.real}".format(1, "b", name={"k": 2}, obj=5))
print("{} {} {a}".format(1, 2, a=3), "{:>{w}}".format("r", w=4), "{0:{1}}".format(5, "03"))
print("%s %r %5.2f %-5d| %05d %x %% %c" % ("s", "r", 2.5, 3, 4, 255, "c"))
print("%(a)s %(b)03d" % {"a": 1, "b": 2}, "%s" % (1,), "%s" % [1, 2], "%.3s|%5s" % ("abcdef", "x"))
for bad in (lambda: "%d" % "x", lambda: "%s %s" % 1, lambda: "%s" % (1, 2), lambda: "{}".format(), lambda: "{a}".format()):
    try:
        bad()
    except Exception as error:
        print(type(error).__name__, error)
print(f"{'\n'.join(['a', 'b'])}")
print(f"{value!r:^{width * 2}}", f"{3:{'>'}{5}}")
