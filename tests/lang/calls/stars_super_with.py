# Calls with stars and keywords, super(), with, static and class methods: what is quick and what is odd.
def show(f, *args, **kwargs):
    try:
        print(f(*args, **kwargs))
    except BaseException as e:
        print(type(e).__name__, e)

def plain(a, b=2, *rest, c=3, **more):
    return a, b, rest, c, more

class Mapping:
    def __init__(self, **items): self.items = items
    def keys(self):
        print('keys')
        return list(self.items)
    def __getitem__(self, key): return self.items[key]

class Loud:
    def __init__(self, *items): self.items = items
    def __iter__(self):
        print('iter')
        return iter(self.items)

class Key(str):
    def __hash__(self):
        [f(3) for f in (lambda x: x + 1, lambda x: (x, x))]
        return str.__hash__(self)
    def __eq__(self, other):
        spend = lambda a, b=5, *c, **d: (a, b, c, d)
        spend(1, 2, 3, 4, x=5)
        return str.__eq__(self, other)

def stars():
    args, keywords = (1, 2, 3), {'c': 4, 'd': 5}
    show(lambda: plain(*args))
    show(lambda: plain(*args, **keywords))
    show(lambda: plain(0, *args, **keywords))
    show(lambda: plain(*args, *args, **keywords, e=6))
    show(lambda: plain(*Loud(1, 2), **Mapping(c=7, z=8)))
    loud, mapping = Loud(1, 2), Mapping(c=7, z=8)
    show(lambda: plain(*loud, **mapping))
    show(lambda: plain(9, *loud, **mapping))
    show(lambda: plain(*loud))
    odd = {Key('b'): 1, Key('zz'): 2}
    show(lambda: plain(1, **odd))
    show(lambda: plain(*[1], **odd))
    for bad in (1, {1: 2}, [('a', 1)], None):
        show(lambda: plain(1, **bad))
        show(lambda: plain(*bad))
        show(lambda: plain(*bad, **bad))
        show(lambda: plain(1, *bad, **bad))
    show(lambda: plain(*args, **{'a': 1}))
    a1 = {'a': 1}
    show(lambda: plain(*args, **a1))
    show(lambda: max(*args))
    kk = {'key': lambda x: -x}
    show(lambda: max(*args, **kk))
    show(lambda: dict(**keywords))
    show(lambda: 'abc'.replace(*('b', 'x')))
    def change(d):
        d['c'] = 'changed'
        return 1
    class Changing:
        def __iter__(self):
            keywords['c'] = 'late'
            return iter((1, 2))
    changing = Changing()
    show(lambda: plain(*changing, **keywords))
    print(keywords)
    def kept(**k):
        k['new'] = 1
        return k
    show(lambda: kept(**keywords))
    print(sorted(keywords))
    class Callable:
        def __call__(self, *a, **k): return 'called', a, k
        def method(self, *a, **k): return 'method', a, k
        @classmethod
        def of(cls, *a, **k): return cls.__name__, a, k
    o = Callable()
    show(lambda: o(*args, **keywords))
    show(lambda: o.method(*args, **keywords))
    bound = o.method
    show(lambda: bound(*args, **keywords))
    show(lambda: o.of(*args))
    show(lambda: Callable(*args))
    class Made:
        def __init__(self, *a, x=1): self.a = a, x
    show(lambda: Made(*args).a)
    show(lambda: Made(*args, **{'x': 5}).a)
    def gen(*a, **k):
        yield a
        yield k
    show(lambda: list(gen(*args, **keywords)))
    def within():
        yield plain(*args, **keywords)
        yield plain(1, c=5)
        yield o.method(*args)
        yield max(*args)
    show(lambda: list(within()))
    deep = tuple(range(300))
    show(lambda: len(plain(*deep)[2]))
    many = {f'k{i}': i for i in range(300)}
    show(lambda: len(plain(1, **many)[4]))

def keyword_only(a, *, k=1, m): return a, k, m
def positional_only(a, b=2, /, c=3): return a, b, c
def defaults(a, b=1, c=2): return a, b, c
def binding():
    for call in (lambda: keyword_only(1, m=2), lambda: keyword_only(1), lambda: keyword_only(1, 2, m=3),
                 lambda: keyword_only(m=1, a=2), lambda: keyword_only(1, m=2, x=3),
                 lambda: positional_only(1), lambda: positional_only(1, c=4), lambda: positional_only(a=1),
                 lambda: positional_only(1, b=2), lambda: defaults(), lambda: defaults(1, c=5),
                 lambda: defaults(c=1), lambda: defaults(1, 2, 3, 4), lambda: defaults(1, a=2), lambda: defaults(b=1, a=2)):
        show(call)
    defaults.__defaults__ = (7,)
    show(lambda: defaults(1))
    show(lambda: defaults(1, 2))
    defaults.__defaults__ = None
    show(lambda: defaults(1, 2))
    defaults.__defaults__ = (1, 2, 3, 4, 5)
    show(lambda: defaults())
    show(lambda: defaults(0))
    keyword_only.__kwdefaults__ = {'m': 8}
    show(lambda: keyword_only(1))
    show(lambda: keyword_only(1, k=2))

class Base:
    value = 'base'
    def method(self, *args): return 'Base.method', args
    @classmethod
    def make(cls, *args): return 'Base.make', cls.__name__, args
    @staticmethod
    def fixed(*args): return 'Base.fixed', args
    @property
    def prop(self): return 'Base.prop'
    def __init__(self, x=0): self.x = x
    def __new__(cls, *args):
        made = super().__new__(cls)
        made.fresh = True
        return made
class Derived(Base):
    value = 'derived'
    def method(self, *args): return 'Derived', super().method(*args)
    def plain(self): return super().method(1, 2)
    @classmethod
    def make(cls, *args): return 'Derived', super().make(1), super().fixed(2), super().value
    def fixed(self): return super().fixed(3), super().make(4), super().value, super().prop
    def missing(self): return super().nothing
    def missing_call(self): return super().nothing()
    def type_of_super(self): return super().__class__
    def captured(self): return [super(Derived, self).method(i) for i in range(2)], (lambda: self)()
    def celled(self):
        def inner(): return self
        return super().method(5), inner() is self
    def deleted(self):
        del self
        return super().method()
    def replaced(self):
        self = Derived()
        return super().method('replaced')
    def wrong(self):
        self = 5
        return super().method()
    def __init__(self, x): super().__init__(x + 1)
    def setting(self):
        super().__setattr__('y', 5)
        return self.y, super().__repr__().startswith('<'), super().__hash__() == object.__hash__(self)
class Further(Derived): pass

def supers():
    d = Derived(1)
    print(d.x, d.fresh)
    for _ in range(3):
        for name in ('method', 'plain', 'make', 'fixed', 'missing', 'missing_call', 'type_of_super', 'celled',
                     'deleted', 'replaced', 'wrong', 'setting'):
            show(getattr(d, name))
    f = Further(2)
    show(f.plain); show(f.make); show(d.plain)
    Base.method = lambda self, *args: 'new'
    show(f.plain); show(d.plain)
    class Between(Base):
        def method(self, *args): return 'between', args
    Derived.__bases__ = (Between,)
    show(f.plain); show(d.plain)
    Derived.__bases__ = (Base,)
    show(f.plain); show(d.plain)
    d.method = 'own'
    show(d.plain)
    class Meta(type):
        def __call__(cls, *args): return super().__call__(*args)
        def who(cls): return cls.__name__
        def mro(cls): return super().mro()
    class WithMeta(metaclass=Meta):
        def __init__(self, a): self.a = a
    print(WithMeta(4).a, WithMeta.who())
    global super
    class Fake:
        def method(self): return 'faked'
    def fake(): return Fake()
    super = fake
    show(d.plain.__func__, d)
    del super
    show(d.plain)

class Manager:
    def __init__(self, swallow=False): self.swallow = swallow
    def __enter__(self):
        print('enter')
        return self
    def __exit__(self, kind, value, traceback):
        print('exit', kind and kind.__name__, value)
        return self.swallow
class Static:
    @staticmethod
    def __enter__(): return 'static'
    @classmethod
    def __exit__(cls, *args): print(cls.__name__, args)
class Failing:
    def __enter__(self): raise KeyError('enter')
    def __exit__(self, *args): print('not called')
class Generator:
    def __enter__(self): yield 1
    def __exit__(self, *args): pass
class NoExit:
    def __enter__(self): pass
class NoEnter:
    def __exit__(self, *args): pass
def withs():
    with Manager() as m: print(m.swallow)
    with Manager(True): raise ValueError('x')
    with Manager(), Manager(True) as b: 1 / 0
    with Static() as s: print(s)
    def use(make):
        with make() as got: return got if isinstance(got, (str, int)) else type(got).__name__
    for make in (Manager, Failing, Generator, NoExit, NoEnter, int):
        show(use, make)
    def g():
        with Manager() as m:
            yield 1
            yield 2
    for x in g(): print(x)
    import threading
    lock = threading.Lock()
    with lock: print(lock.locked())
    print(lock.locked())
    for i in range(3):
        with Manager():
            if i == 1: continue
            print(i)

class Methods:
    @staticmethod
    def s(*a): return 's', a
    @classmethod
    def c(cls, *a): return cls.__name__, a
class Sub(Methods): pass
def methods():
    m, s = Methods(), Sub()
    for owner in (m, s, Methods, Sub) * 2:
        print(owner.s(1), owner.c(2))
        f, g = owner.s, owner.c
        print(f(3), g(4))
    for _ in range(2):
        for o in (m, s):
            print(o.s(1), o.c(1))
        o.s = lambda *a: ('own', a)
        o.c = lambda *a: ('own', a)
        m, s = s, m
    Methods.s = staticmethod(lambda *a: ('changed', a))
    Methods.c = lambda self, *a: ('method', a)
    print(Methods().s(1), Methods().c(2), Sub.s(3))
    sm = staticmethod(len)
    class Held: f = sm
    h = Held()
    def get(): return h.f('abc')
    print(get(), get())
    sm.__init__(str.upper)
    print(get(), get())

def types():
    for x in (1, 'a', type, int, None, Methods, Methods()):
        print(type(x).__name__)
    show(lambda: type())
    show(lambda: type(1, 2))
    print(type('T', (), {}).__name__)

def natives():
    show(lambda: 'abc'.startswith('a', 0, 2))
    show(lambda: 'abc'.startswith())
    show(lambda: 'abc'.split(sep='b', maxsplit=1))
    show(lambda: 'abc'.split(nope=1))
    show(lambda: 'abc'.split('a', 1, 2))
    show(lambda: 'abc'.split('a', sep='b'))
    show(lambda: int('12', base=5))
    show(lambda: sorted([3, 1], reverse=True))
    show(lambda: sorted())
    show(lambda: sum([1, 2], start=3))
    show(lambda: print('a', 'b', sep='-', end='!\n'))
    show(lambda: dict.fromkeys('ab', 1))
    show(lambda: [1, 2].index(2, 0, 5))
    show(lambda: [1, 2].index())
    show(lambda: (1).__add__(2))
    show(lambda: (1).to_bytes(length=2, byteorder='big'))
    show(lambda: bytes.fromhex('0102'))

for part in (stars, binding, supers, withs, methods, types, natives):
    print('--', part.__name__)
    part()
