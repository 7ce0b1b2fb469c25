"""Nanoseconds of single operations: what the language and the library do most, one line each.

    pellucid benches/operations.py [filter ...]                 prints name and nanoseconds
    pellucid benches/operations.py first.txt second.txt         compares two such lists, the worst ratio first

Each statement runs in a loop whose own cost is taken off; the least of several runs counts.
"""

import sys
import time

SETUP = """
import collections, functools, heapq, io, itertools, json, math, operator, pickle, random, re, struct
class Plain:
    shared = 1
    def __init__(self): self.x = 1; self.y = 2
    def method(self, a=1): return a
    def __len__(self): return 3
    def __eq__(self, other): return True
    def __hash__(self): return 1
    @property
    def prop(self): return 1
    @staticmethod
    def static(): return 1
    @classmethod
    def of_class(cls): return 1
class Derived(Plain):
    def method(self, a=1): return super().method(a)
class Context:
    def __enter__(self): return self
    def __exit__(self, *args): pass
class Empty: pass
def nothing(): pass
def defaults(a, b=2): return a
def keywords(a, *, k=1): return a
def star(*args): return args
def stars(*args, **more): return args
def gen(): yield 1
def raises(): raise ValueError
p = Plain(); derived = Derived(); context = Context(); empty = Empty(); empty.__dict__['z'] = 1; bound = p.method
small = [3, 1, 2]; numbers = list(range(100)); shuffled = random.Random(1).sample(range(1000), 1000)
words = 'the quick brown fox jumps over the lazy dog'.split(); text = ' '.join(words) * 10
d = {'a': 1, 'b': 2, 'c': 3}; big_dict = {i: i for i in range(1000)}; s = set(range(100)); t = set(range(50, 150))
data = b'some bytes to look at' * 10; big = 1 << 70; record = {'id': 1, 'name': 'x', 'tags': ['a', 'b'], 'ok': True, 'f': 1.5}
document = json.dumps([record] * 10); pattern = re.compile(r'(\\w+)\\s(\\w+)'); packer = struct.Struct('<ihf')
cached = functools.lru_cache(lambda x: x); point = collections.namedtuple('Point', 'x y')(1, 2); out = io.StringIO()
pickled = pickle.dumps([record] * 10); deque = collections.deque(range(10)); counter = collections.Counter()
"""

OPERATIONS = """
nothing() | defaults(1) | keywords(1, k=2) | star(1, 2) | stars(1, k=2) | star(*small) | stars(**d) | (lambda: 1)()
p.method() | p.method(2) | bound() | derived.method() | Plain.static() | Plain.of_class() | p.prop | Plain() | Empty()
p.x | p.x = 1 | Plain.shared | p.shared | empty.z | empty.z = 2 | getattr(p, 'x') | getattr(p, 'none', 0) | hasattr(p, 'none')
isinstance(p, Plain) | isinstance(1, (str, int)) | type(p) | len(small) | len(p) | p == p | id(p) | callable(p) | hash(p)
[1, 2, small] | (1, small) | {'a': 1} | {1, 2} | [] | {} | [*small] | {**d} | small[1] | small[1:] | numbers[10:50] | numbers[::2]
d['a'] | d['a'] = 1 | d.get('a') | d.get('z') | 'a' in d | big_dict[500] | dict(d) | d.copy() | list(d) | list(d.items()) | d | d == d
for x in numbers: pass | for x in d: pass | for k, v in d.items(): pass | for i, x in enumerate(numbers): pass
for a, b in zip(numbers, numbers): pass | for x in gen(): pass | [x for x in numbers] | {x: x for x in small} | sum(x for x in numbers)
list(numbers) | sorted(shuffled) | sorted(words) | sorted(words, key=len) | numbers.index(50) | 50 in numbers | numbers.count(1)
min(small) | max(1, 2) | sum(numbers) | any(small) | reversed(small) | list(map(str, small)) | list(filter(None, small)) | small.copy()
s & t | s | t | s - t | 5 in s | set(small) | frozenset(small) | small.append(1); small.pop() | small.sort() | numbers + small
'a' + 'b' | text + 'x' | 'a,b,c'.split(',') | text.split() | ','.join(words) | text.replace('fox', 'cat') | text.find('lazy') | text.upper()
'x'.ljust(10) | '5'.zfill(4) | 'abc'.encode() | b'abc'.decode() | text.startswith('the') | ' a '.strip() | text == text[:] | text[5] | text[5:20]
'%d' % 5 | '%s %s' % ('a', 1) | f'{p.x}' | f'a{p.x}b{p.y:>4}' | '{} {}'.format(1, 'a') | str(12) | str(1.5) | int('12') | float('1.5') | repr('abc') | ord('a') | chr(97)
for b in data: pass | data[3] | data[1:5] | data + b'x' | bytes(small) | data.find(b'look') | bytearray(data)
1.5 * 2.5 | 7 // 2 | 7 % 3 | 2 ** 10 | big + 1 | big * big | big // 3 | divmod(7, 2) | abs(-1) | round(1.55, 1) | math.sqrt(2.0) | math.floor(1.5)
raises_and_catches() | with_context() | nested() | import_again()
itertools_chain() | list(itertools.islice(numbers, 5)) | list(itertools.product(small, small)) | list(itertools.accumulate(small)) | list(itertools.groupby(words))
cached(1) | functools.partial(defaults, 1)() | functools.reduce(operator.add, small) | operator.itemgetter(1)(small) | operator.attrgetter('x')(p)
point.x | point._replace(x=2) | deque.append(1); deque.popleft() | counter.update('abc') | collections.OrderedDict(d) | heapq.heappush(small, 5); heapq.heappop(small) | heapq.nsmallest(3, shuffled)
json.dumps(record) | json.loads(document) | pattern.match('ab cd') | pattern.findall(text) | re.sub('o', '0', text) | re.match('a', 'abc') | packer.pack(1, 2, 3.0) | struct.pack('<B', 1) | struct.unpack('<i', b'abcd')
pickle.dumps(record) | pickle.loads(pickled) | out.write('x') | io.StringIO() | io.BytesIO(b'x').read()
"""

FUNCTIONS = """
def raises_and_catches():
    try: raises()
    except ValueError: pass
def with_context():
    with context: pass
def nested():
    a = 1
    def inner(): return a
    return inner()
def import_again():
    import time
def itertools_chain():
    for x in itertools.chain(small, words): pass
"""


def timed(code, namespace):
    """Seconds a turn of the loop that `code` defines."""
    exec(code, namespace)
    loop, count = namespace["loop"], 10
    while True:
        start = time.perf_counter()
        loop(count)
        if time.perf_counter() - start > 0.01:
            break
        count *= 3
    times = []
    for _ in range(5):
        start = time.perf_counter()
        loop(count)
        times.append(time.perf_counter() - start)
    return min(times) / count


def loop_of(statement):
    return f"def loop(n):\n    for _ in range(n):\n        {statement}\n"


def measure(filters):
    namespace = {}
    exec(SETUP + FUNCTIONS, namespace)
    empty = timed("def loop(n):\n    for _ in range(n):\n        pass\n", namespace)
    statements = [part.strip() for line in OPERATIONS.strip().splitlines() for part in line.split(" | ")]
    for statement in dict.fromkeys(statements):
        if filters and not any(word in statement for word in filters):
            continue
        seconds = timed(loop_of(statement), namespace) - empty
        print(f"{max(seconds, 0) * 1e9:12.1f}  {statement}", flush=True)


def compare(first, second):
    def read(path):
        with open(path, encoding="utf-8") as file:
            return {name: float(time) for time, name in (line.strip().split("  ", 1) for line in file)}

    a, b = read(first), read(second)
    rows = sorted(((b[name] / max(a[name], 0.1), name) for name in a if name in b), reverse=True)
    for ratio, name in rows:
        print(f"{ratio:7.2f} {a[name]:12.1f} {b[name]:12.1f}  {name}")


if __name__ == "__main__":
    words = sys.argv[1:]
    if len(words) == 2 and all(word.endswith(".txt") for word in words):
        compare(*words)
    else:
        measure(words)
