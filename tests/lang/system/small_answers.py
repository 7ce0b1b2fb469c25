# Interned strings are the ones given; what %c, partial and frames refuse, they refuse in these words.
import functools
import sys

first = "never interned before " + str(len(sys.argv) * 0)
print(sys.intern(first) is first, sys.intern("never interned before " + "0"[:1]) is first)


class Outer:
    class Inner:
        pass


for value in Outer.Inner(), 1.5:
    for template in "%c", b"%c":
        try:
            template % value
        except TypeError as error:
            print(error)

partial = functools.partial(int)
for state in (int, (), {}, ()), (int, (), {}, None), (int, [], {}, {}):
    try:
        print(partial.__setstate__(state))
    except TypeError as error:
        print(error)
try:
    del sys._getframe().f_trace_lines
except TypeError as error:
    print(error)
