# cProfile: who called what, how often.
import cProfile
import pstats
import io


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def generator():
    yield 1
    yield 2


def work():
    items = []
    for i in range(10):
        items.append(i)
    return len(items), max(items), fib(10), sum(generator()), sorted(items, key=lambda x: -x)


def name(code):
    return code if isinstance(code, str) else code.co_name


profile = cProfile.Profile()
profile.runcall(work)
for entry in sorted(profile.getstats(), key=lambda entry: name(entry.code)):
    calls = sorted((name(call.code), call.callcount, call.reccallcount) for call in entry.calls or ())
    print(name(entry.code), entry.callcount, entry.reccallcount, entry.totaltime >= entry.inlinetime >= 0, calls)

with cProfile.Profile() as profile:
    work()
try:
    with profile:
        with cProfile.Profile():
            pass
except ValueError as e:
    print(e)
stats = pstats.Stats(profile, stream=io.StringIO())
print(stats.total_calls, stats.prim_calls)

ticks = iter(range(1000))
profile = cProfile.Profile(lambda: next(ticks), 1.0)
profile.runcall(fib, 3)
print([(name(e.code), e.totaltime, e.inlinetime) for e in profile.getstats() if name(e.code) == "fib"])
