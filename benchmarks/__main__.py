"""``python -m benchmarks``: each way in a fresh process, in turn, several times; medians.

A case prepares its input once, in a folder. A way is a function that reads it, and returns what is timed and what it
found, so that nobody compares two things that differ.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import loading, quality

if TYPE_CHECKING:
    from collections.abc import Callable

    Way = Callable[[Path], Callable[[], object]]


class Case(NamedTuple):
    """What is compared: prepare(folder, size) makes the input; ours and the others read it."""

    name: str
    target: str
    prepare: Callable[[Path, float], None]
    ours: Way
    others: dict[str, Way]
    runs: int = 5


CASES = {
    "http": Case(
        "load over HTTP: 50 pages of 200 students, 100 ms a page",
        "6 times faster",
        loading.prepare,
        loading.ours,
        {"httpx in a loop + json_normalize": loading.httpx_loop},
    ),
    "checks": Case(
        "ten relational checks, 200,000 students",
        "3 times faster",
        quality.prepare,
        quality.ours,
        {"the same ten in pandas": quality.in_pandas},
    ),
    "all-checks": Case(
        "all checks, 200,000 students, against 20,000",
        "at most 10 times slower",
        quality.prepare_two,
        quality.all_checks,
        {"a tenth of the students": quality.all_checks_of_a_tenth},
        runs=3,
    ),
}


def main() -> int:
    """Run the benchmarks, or one way of one case in this process."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"default: all of {', '.join(CASES)}")
    parser.add_argument("--size", type=float, default=1.0, help="share of the full size (default: 1)")
    parser.add_argument("--runs", type=int, help="how often each way runs (default: 5)")
    parser.add_argument("--one", nargs=3, metavar=("CASE", "WAY", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        _measure(*options.one)
        return 0
    print(_machine(), "\n", flush=True)
    print("| case | ours | the alternative | ratio | memory, ours | theirs | to reach |\n|---|---|---|---|---|---|---|")
    for name in options.cases or CASES:
        _compare(name, options.size, options.runs or CASES[name].runs)
    return 0


def _compare(name: str, size: float, runs: int) -> None:
    case = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        case.prepare(Path(folder), size)
        readings: dict[str, list[dict[str, float]]] = {way: [] for way in ("ours", *case.others)}
        found: dict[str, object] = {}
        for _ in range(runs):
            for way in readings:
                command = [sys.executable, "-m", "benchmarks", "--one", name, way, folder]
                outcome = subprocess.run(command, capture_output=True, text=True, check=True)
                reading = json.loads(outcome.stdout.splitlines()[-1])
                found[way] = reading.pop("found")
                readings[way].append(reading)
    ours = _median(readings["ours"])
    for way in case.others:
        theirs = _median(readings[way])
        if case.others and "tenth" not in way and found[way] != found["ours"]:
            raise SystemExit(f"{name}: ours found {found['ours']}, {way} found {found[way]}")
        print(
            f"| {case.name} | {ours['seconds']:.2f} s | {way}: {theirs['seconds']:.2f} s "
            f"| {theirs['seconds'] / ours['seconds']:.1f} | {ours['megabytes']:,.0f} MB | {theirs['megabytes']:,.0f} MB "
            f"| {case.target} |",
            flush=True,
        )


def _measure(name: str, way: str, folder: str) -> None:
    """Run one way once. The memory is what it adds to what its input takes."""
    case = CASES[name]
    run = (case.ours if way == "ours" else case.others[way])(Path(folder))
    before = _memory("VmRSS")
    began = time.perf_counter()
    found = run()
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "megabytes": max(0.0, _memory("VmHWM") - before), "found": found}))


def _memory(kind: str) -> float:
    """Resident memory now (VmRSS) or at its highest (VmHWM), in MB; getrusage would tell the parent's."""
    line = next(line for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines() if kind in line)
    return int(line.split()[1]) / 1000


def _median(readings: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(reading[key] for reading in readings) for key in readings[0]}


def _machine() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("pandas", "pyarrow", "duckdb", "narwhals", "httpx"))
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {packages}"


if __name__ == "__main__":
    sys.exit(main())
