"""One place in the code that sees objects of many classes, whose classes change meanwhile."""


def make(name, index):
    class C:
        def __init__(self, value):
            if index % 2:
                self.pad = None
            self.value = value

        def get(self):
            return name, self.value

    C.__name__ = name
    C.tag = name * 2
    return C


class Slotted:
    __slots__ = ('value', 'tag')

    def get(self):
        return 'slotted', self.value


class Prop:
    tag = property(lambda self: 'prop')

    def __init__(self, value):
        self._value = value

    @property
    def value(self):
        return self._value

    @value.setter
    def value(self, value):
        self._value = ('set', value)

    def get(self):
        return 'prop', self.value


class Dynamic:
    def __getattr__(self, name):
        return lambda: ('dynamic', name)

    def __setattr__(self, name, value):
        object.__setattr__(self, name, ('stored', value))


def visit(objects):
    seen = []
    for o in objects:
        seen.append((o.value if not isinstance(o, Dynamic) else 'd', o.tag if not isinstance(o, Dynamic) else 'd', o.get()))
        o.value = len(seen)
    return seen


classes = [make(chr(97 + i), i) for i in range(6)]
slotted = Slotted()
slotted.value, slotted.tag = 1, 2
objects = [c(i) for i, c in enumerate(classes)] + [slotted, Prop(3), Dynamic()]
for _ in range(3):
    print(visit(objects))
for i, c in enumerate(classes):
    c.tag = i
    if i % 2:
        c.get = lambda self: ('new', self.value)
    if i == 4:
        c.value = property(lambda self: 'class', lambda self, value: None)
objects[0].tag = 'own'
objects[2].get = lambda: 'own get'
del objects[1].pad
print(visit(objects))
objects[3].__class__ = classes[5]
objects[5].__dict__['tag'] = 'in the dict'
print(visit(objects), vars(objects[1]))
del classes[0].get
try:
    visit(objects)
except AttributeError as e:
    print(e)
del slotted.value
try:
    visit([slotted])
except AttributeError as e:
    print(e)


def growing(n):
    made = []
    for i in range(n):
        o = classes[i % 3 + 3](i)
        o.first = i
        if i % 4 == 0:
            o.second = -i
        o.third = o.first + o.value if i % 3 != 1 else 0
        made.append(o)
    return [sorted(vars(o)) for o in made]


print(growing(9))
