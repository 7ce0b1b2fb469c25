# What machine code assumes of objects, numbers and calls, and what happens when that is wrong.
import sys


class Node:
    def __init__(self, value):
        self.value = value
        self.next = None

    def total(self, depth):
        if self.next is None or depth == 0:
            return self.value
        return self.value + self.next.total(depth - 1)


class Left(Node):
    pass


class Right(Node):
    kind = 'class attribute'


class Other(Node):
    pass


class Fourth(Node):
    pass


class Fifth(Node):
    pass


class Sixth(Node):
    def total(self, depth):
        return 1000


def chain(kinds, values):
    head = None
    for index in range(60):
        node = kinds[index % len(kinds)](values[index % len(values)])
        if index % 3 == 0:
            node.extra = index
        if index % 5 == 0:
            node.late = index
        node.next = head
        head = node
    return head


def walk(head):
    count = 0
    while head is not None:
        head.value = head.value + 1
        head.mark = count
        count += 1
        head = head.next
    return count


for kinds in [(Node,), (Node, Left), (Node, Left, Right, Other), (Node, Left, Right, Other, Fourth, Fifth)]:
    for values in [(1,), (1, 2.5), (1, 2.5, True), (2 ** 61, -1.5)]:
        head = chain(kinds, values)
        for _ in range(25):
            walk(head)
        print(len(kinds), head.total(59), head.total(3), head.mark, head.next.mark)
head.next.next = Sixth(5)
print(head.total(59))
Node.value = property(lambda self: 7, lambda self, value: print('set', value))
print(walk(head), head.value, head.total(1))
del Node.value
print(walk(head), head.total(1), list(head.__dict__))


# Stores that find an attribute, add one, or meet one that is not there.
class Empty:
    def __init__(self, way):
        if way & 1:
            self.a = 1
        if way & 2:
            self.b = 2
        if way & 4:
            self.c = 3


def mixed(objects):
    answers = []
    for each in objects:
        each.b = each.d = 'x'
        try:
            answers.append(each.a)
        except AttributeError as error:
            answers.append(str(error))
        each.c = answers
    return answers


for _ in range(40):
    objects = [Empty(way) for way in range(8)]
    answers = mixed(objects)
print(answers, [list(each.__dict__) for each in objects])


class Slotted:
    __slots__ = ('a', 'b', 'c', 'd')

    def __init__(self):
        self.a = 'slot'


print(mixed([Slotted(), Empty(1), Slotted(), Empty(6)]))


# Numbers of both kinds.
def blend(pairs):
    total = 0
    for a, b in pairs:
        total = total + a * b - b
        if a < b:
            total += 0.5
        if a == b:
            total = total * 2
    return total


pairs = [(1, 2), (1.5, 2), (3, 0.25), (0.0, -0.0), (2 ** 53 + 1, 2.0 ** 53), (7, 7)]
for _ in range(40):
    answer = blend(pairs)
print(answer, blend(pairs + [(2 ** 70, 1)]), blend([(True, 2.5), (1e300, 1e300)]))
try:
    blend(pairs + [('a', 1.5)])
except TypeError as error:
    print(error)


# Calls of functions that call themselves.
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


print(fib(18))


def fail(depth):
    if depth == 0:
        raise ValueError('deep')
    if depth == 5:
        try:
            return fail(depth - 1)
        except ValueError as error:
            trace, lines = error.__traceback__, []
            while trace is not None:
                lines.append((trace.tb_frame.f_code.co_name, trace.tb_frame.f_locals.get('depth')))
                trace = trace.tb_next
            return lines
    return fail(depth - 1)


for _ in range(400):
    answer = fail(8)
print(answer)


def names(depth):
    if depth:
        return names(depth - 1)
    frame, found = sys._getframe(), []
    while frame is not None:
        if 'depth' in frame.f_locals:
            found.append((frame.f_code.co_name, frame.f_locals['depth'], frame.f_lineno - frame.f_code.co_firstlineno))
        frame = frame.f_back
    return found


for _ in range(400):
    answer = names(3)
print(answer)


def endless(n):
    return endless(n + 1)


for _ in range(3):
    try:
        endless(0)
    except RecursionError as error:
        print(error)


# Somebody changes a function, a class, a caller's variables while all that runs.
def helper(n, depth):
    return n + 1 if depth < 1000000 else helper(n, depth)


def caller(count):
    total = 0
    for i in range(count):
        total += helper(i, i)
    return total


for _ in range(30):
    answer = caller(50)
print(answer)
helper.__code__ = (lambda n, depth: n * 2).__code__
print(caller(50))
helper = lambda n, depth=0: -1
print(caller(50))


class Meter:
    def __init__(self):
        self.count = 0

    def bump(self, by):
        self.count += by
        return self

    def __del__(self):
        ended.append(self.count)


ended = []


def run(count):
    for i in range(count):
        Meter().bump(i).bump(1)


for _ in range(20):
    run(30)
print(len(ended), sum(ended))
events = []


def tracer(frame, event, arg):
    events.append((event, frame.f_code.co_name))
    return None


def traced(n):
    if n == 0:
        sys.settrace(tracer)
        return 0
    return traced(n - 1)


for i in range(300):
    traced(1) if i < 0 else None
    helper(i)
traced(2)
fib(2)
sys.settrace(None)
print(events)
