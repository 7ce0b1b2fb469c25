# tracemalloc: where objects that are alive were allocated.
import tracemalloc


def objects(count):
    return [object() for i in range(count)]


print(tracemalloc.is_tracing(), tracemalloc.get_traced_memory(), tracemalloc.get_traceback_limit())
for frames in [0, 1 << 16]:
    try:
        tracemalloc.start(frames)
    except ValueError as e:
        print(e)

tracemalloc.start(3)
print(tracemalloc.is_tracing(), tracemalloc.get_traceback_limit())
kept = objects(1000)
data = bytes(100_000)
snapshot = tracemalloc.take_snapshot()
first, second = snapshot.statistics("lineno")[:2]
print(first.traceback[0].lineno, first.count, first.size)
print(second.traceback[0].lineno, second.count >= 1000, second.size >= 16_000)
print([frame.lineno for frame in tracemalloc.get_object_traceback(data)])
print([frame.lineno for frame in tracemalloc.get_object_traceback(kept[5])][-1])

before, peak = tracemalloc.get_traced_memory()
print(before > 100_000, peak >= before)
del data
after, peak = tracemalloc.get_traced_memory()
print(before - after > 90_000, peak >= before)
tracemalloc.reset_peak()
print(tracemalloc.get_traced_memory()[1] < peak)

difference = tracemalloc.take_snapshot().compare_to(snapshot, "lineno")
print(difference[0].size_diff, difference[0].count_diff)

tracemalloc.clear_traces()
print(tracemalloc.get_object_traceback(kept[5]))
print(tracemalloc.get_tracemalloc_memory() >= 0)
tracemalloc.stop()
print(tracemalloc.is_tracing(), tracemalloc.get_traced_memory())
