# test: options -X memory_limit=24M
# A float that machine code can make no object of raises MemoryError, wherever that turns out.


def fill(n, x, kept):
    for i in range(n):
        x = x * 1.0000001
        kept[i % 100].append(x)
    return x


def attempt():
    kept = [[] for _ in range(100)]
    try:
        # These do not fit a word.
        fill(50_000_000, 1e300, kept)
    except MemoryError as error:
        kept.clear()
        return type(error).__name__
    except BaseException as error:
        kept.clear()
        return repr(error)


print(fill(1000, 1e300, [[] for _ in range(100)]) > 1e300)
for _ in range(3):
    print(attempt())
