"""What benchmark programs share: they call `run(main)` and print what it measured as a line of JSON."""

import json
import sys
import time


def run(main, *arguments, least=0.5, most=20):
    """Runs a function again and again, for half a second at least, and prints how long each run took."""
    times = []
    check = None
    while len(times) < most and (len(times) < 3 or sum(times) < least):
        started = time.perf_counter()
        result = main(*arguments)
        times.append(time.perf_counter() - started)
        if check is not None and result != check:
            sys.exit(f"run {len(times)} gave {result!r}, the first one {check!r}")
        check = result
    print(json.dumps({"times": times, "check": repr(check)}))
