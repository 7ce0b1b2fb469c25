# The repr of a group does not depend on what became of the sequence it was made of, or of its args.
import collections

for members in [ValueError(1)], (ValueError(1),), collections.deque([ValueError(1)]):
    group = ExceptionGroup("a", members)
    print(repr(group), group.args, group.exceptions)
    if not isinstance(members, tuple):
        members.clear()
    print(repr(group))
    group.args = ()
    print(repr(group))


class Named(ExceptionGroup):
    def __new__(cls, *args):
        return super().__new__(cls, "x", [KeyError(1)])


print(repr(Named(1, 2, 3)))
for result in "abc", (1,):
    class Bad(ExceptionGroup):
        def split(self, *args):
            return result

    try:
        try:
            raise Bad("eg", [ValueError()])
        except* ValueError:
            pass
    except TypeError as error:
        print(error)
