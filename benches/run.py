"""Compares interpreters on the benchmark programs, in one interleaved run.

    pellucid benches/run.py pellucid=target/release/pellucid cpython=/usr/bin/python3 [--rounds N] [--json FILE] [filter ...]

Every program is run by each interpreter in turn, round after round, so that whatever else the machine does hits all of
them alike. Of each program and interpreter the best time counts. Ratios are times against the first interpreter named:
2.00 means twice as long. Micro benchmarks and programs are timed inside the process (`bench.py`), start-up programs as
whole processes. All interpreters must come to the same result.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def programs(filters):
    """Pairs of group and path."""
    for group in ("startup", "micro", "programs"):
        folder = os.path.join(HERE, group)
        for name in sorted(os.listdir(folder)):
            path = f"{group}/{name}"
            if name.endswith(".py") and (not filters or any(word in path for word in filters)):
                yield group, path


def measure(interpreter, group, path):
    """Seconds, the result, and the most memory in KiB, or what went wrong."""
    environment = {**os.environ, "PYTHONPATH": HERE, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    started = time.perf_counter()
    process = subprocess.Popen(
        [*interpreter.split(), os.path.join(HERE, path)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = process.communicate()
    whole = time.perf_counter() - started
    if process.returncode:
        lines = err.decode("utf-8", "replace").strip().splitlines()
        return None, lines[-1] if lines else f"exit code {process.returncode}"
    if group == "startup":
        return whole, out.decode()
    report = json.loads(out.decode().strip().splitlines()[-1])
    return min(report["times"]), report["check"]


def shown(seconds):
    for unit, factor in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", metavar="name=interpreter | filter")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", metavar="FILE", help="write all measurements")
    arguments = parser.parse_args()
    interpreters = dict(word.split("=", 1) for word in arguments.words if "=" in word)
    filters = [word for word in arguments.words if "=" not in word]
    if not interpreters:
        interpreters = {"this": sys.executable}
    found = list(programs(filters))
    if not found:
        sys.exit("no program has such a name")
    times = {path: {name: [] for name in interpreters} for _, path in found}
    checks = {path: {} for _, path in found}
    failures = {}
    for number in range(arguments.rounds):
        for group, path in found:
            for name, interpreter in interpreters.items():
                if (path, name) in failures:
                    continue
                seconds, check = measure(interpreter, group, path)
                if seconds is None:
                    failures[path, name] = check
                    continue
                times[path][name].append(seconds)
                checks[path][name] = check
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
    report(found, interpreters, times, checks, failures)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(times, file, indent=1)


def report(found, interpreters, times, checks, failures):
    first = next(iter(interpreters))
    width = max(len(path) for _, path in found)
    print(f"{'':{width}}", *(f"{name:>20}" for name in interpreters))
    logarithms = {name: [] for name in interpreters}
    for _, path in found:
        best = {name: min(runs) for name, runs in times[path].items() if runs}
        cells = []
        for name in interpreters:
            if name not in best:
                cells.append(f"{'failed':>20}")
                continue
            ratio = ""
            if first in best:
                factor = best[name] / best[first]
                logarithms[name].append(math.log(factor))
                ratio = f"{factor:.2f}"
            cells.append(f"{shown(best[name]):>12} {ratio:>7}")
        different = len(set(checks[path].values())) > 1
        print(f"{path:{width}}", *cells, "results differ!" if different else "")
    means = (f"{math.exp(sum(logs) / len(logs)):.2f}" if logs else "-" for logs in logarithms.values())
    print(f"{'geometric mean':{width}}", *(f"{mean:>20}" for mean in means))
    for (path, name), what in failures.items():
        print(f"{path}, {name}: {what}")


main()
