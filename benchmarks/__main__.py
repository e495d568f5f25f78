"""``python -m benchmarks``: each way in a fresh process, in turn, several times; medians.

A case prepares its input once, in a folder. A way is a function that reads it, and returns what is timed and what it
found, so that nobody compares two things that differ.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import bundles, cuallee_checks, decoding, forecasting, loading, looking, quality, rosterbench

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
        "6 times faster than both",
        loading.prepare,
        loading.ours,
        {"httpx in a loop + json_normalize": loading.httpx_loop, "dlt + json_normalize": loading.dlt_client},
    ),
    "http-pages": Case(
        "the same without a look for rows that moved",
        "6 times faster than both",
        loading.prepare,
        loading.pages_alone,
        {"httpx in a loop + json_normalize": loading.httpx_loop, "dlt + json_normalize": loading.dlt_client},
    ),
    "decode": Case(
        "decode 50,000 students, 1 school and 6 or 7 sections each",
        "5 times faster, half the memory",
        decoding.prepare,
        decoding.ours,
        {
            "json + json_normalize + loop": decoding.normalize,
            "polars.read_ndjson, exploded": decoding.polars,
            "duckdb.read_json, unnested": decoding.duckdb_json,
        },
    ),
    "decode-odd": Case(
        "the same, `$ext` varies, 1 % odd rows",
        "3 times faster, nothing lost",
        decoding.prepare_odd,
        decoding.ours,
        {"json + json_normalize + loop": decoding.normalize},
    ),
    "graph": Case(
        "graph of 200,000 students",
        "2.5 times faster, 70 % of the memory",
        looking.prepare_district,
        looking.graph_ours,
        {
            "from_pandas_edgelist + set_node_attributes": looking.graph_edgelist,
            "rustworkx, without attributes": looking.graph_rustworkx,
            "igraph, without attributes": looking.graph_igraph,
        },
    ),
    "first-neighborhood": Case(
        "first neighborhood in 1,000,000 persons, 6,000,000 links",
        "under 5 s, index under 300 MB",
        looking.prepare_million,
        looking.first_ours,
        {"the graph of everything + ego_graph": looking.first_built},
        runs=1,
    ),
    "neighborhoods": Case(
        "100 neighborhoods of radius 2 after that",
        "under 10 ms each",
        looking.prepare_million,
        looking.hundred_ours,
        {"ego_graph": looking.hundred_ego},
        runs=1,
    ),
    "search": Case(
        "6 searches in 1,000,000 persons, after a first one",
        "10 times faster",
        looking.prepare_million,
        looking.search_ours,
        {"str.contains over five columns": looking.search_contains},
    ),
    "first-search": Case(
        "the first search of all, one letter",
        "under 300 ms",
        looking.prepare_million,
        looking.first_search,
        {"str.contains over six columns": looking.first_contains},
    ),
    "apply-tasks": Case(
        "10,000 events applied to 1,000,000 students, 6,000,000 links",
        "under 5 s",
        forecasting.prepare,
        forecasting.ours,
        {"json_normalize + update + concat": forecasting.in_pandas},
        runs=1,
    ),
    "snapshot": Case(
        "open a snapshot of 600,000 students",
        "5 times faster than CSV; under a quarter of the JSON",
        looking.prepare_snapshot,
        looking.open_ours,
        {"read_csv": looking.open_csv, "read_pickle": looking.open_pickle, "duckdb, .df()": looking.open_duckdb},
    ),
    "bundle": Case(
        "read the OULAD bundle",
        "3 times faster",
        bundles.prepare,
        bundles.ours,
        {"read_csv + loops": bundles.loops},
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
    "cuallee": Case(
        "19 columns complete, 19 unique, 19.8 million taxi trips, our engine layer on Polars",
        "less time than each",
        cuallee_checks.prepare,
        cuallee_checks.ours,
        {
            "our engine layer on DuckDB": cuallee_checks.on_duckdb,
            "cuallee on Polars": cuallee_checks.cuallee_polars,
            "cuallee on DuckDB": cuallee_checks.cuallee_duckdb,
            "cuallee on pandas": cuallee_checks.cuallee_pandas,
            "pointblank on Polars": cuallee_checks.pointblank,
        },
        runs=3,
    ),
}


def is_installed(package: str) -> bool:
    """Whether the package can be imported."""
    return find_spec(package) is not None


# What a case, or a way that begins with the word, needs beyond this repository.
NEEDS = {
    "bundle": ("the OULAD bundle, in ../shared/data", bundles.OULAD.is_file),
    **{name: (name, partial(is_installed, name)) for name in ("dlt", "cuallee", "pointblank", "rustworkx", "igraph")},
}


def lacks(way: str) -> str:
    """The package that the way needs and that is not installed, or nothing."""
    text, there = NEEDS.get(re.split(r"\W", way)[0], ("", lambda: True))
    return "" if there() else text


def main() -> int:
    """Run the benchmarks, or one way of one case in this process."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "cases",
        nargs="*",
        metavar="CASE",
        help=f"rosterbench, or some of {', '.join(CASES)}; default: all but rosterbench",
    )
    parser.add_argument("--size", type=float, default=1.0, help="share of the full size (default: 1)")
    parser.add_argument("--runs", type=int, help="how often each way runs (default: 5)")
    parser.add_argument("--seeds", type=int, default=20, help="districts of rosterbench (default: 20)")
    parser.add_argument("--one", nargs=3, metavar=("CASE", "WAY", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        _measure(*options.one)
        return 0
    print(machine(), "\n", flush=True)
    if options.cases == ["rosterbench"]:
        rosterbench.run(options.seeds, int(500 * options.size))
        return 0
    print("| case | ours | the alternative | ratio | memory, ours | theirs | to reach |\n|---|---|---|---|---|---|---|")
    for name in options.cases or CASES:
        _compare(name, options.size, options.runs or CASES[name].runs)
    return 0


def _compare(name: str, size: float, runs: int) -> None:
    case = CASES[name]
    absent = [text for key, (text, there) in NEEDS.items() if key == name == "bundle" and not there()]
    if absent:
        print(f"| {case.name} | left out: {absent[0]} is not here | | | | | |")
        return
    with tempfile.TemporaryDirectory() as folder:
        case.prepare(Path(folder), size)
        others = [way for way in case.others if not lacks(way)]
        readings: dict[str, list[dict[str, float]]] = {way: [] for way in ("ours", *others)}
        found: dict[str, object] = {}
        for _ in range(runs):
            for way in readings:
                command = [sys.executable, "-m", "benchmarks", "--one", name, way, folder]
                outcome = subprocess.run(command, capture_output=True, text=True, check=True)
                reading = json.loads(outcome.stdout.splitlines()[-1])
                found[way] = reading.pop("found")
                readings[way].append(reading)
        note = Path(folder, "note.txt")
        notes = note.read_text(encoding="utf-8") if note.is_file() else ""
    ours = _median(readings["ours"])
    for way in others:
        theirs = _median(readings[way])
        if "tenth" not in way and found[way] != found["ours"]:
            raise SystemExit(f"{name}: ours found {found['ours']}, {way} found {found[way]}")
        print(
            f"| {case.name} | {ours['seconds']:.2f} s | {way}: {theirs['seconds']:.2f} s "
            f"| {theirs['seconds'] / ours['seconds']:.1f} | {ours['megabytes']:,.0f} MB | {theirs['megabytes']:,.0f} MB "
            f"| {case.target} |",
            flush=True,
        )
    if notes:
        print(f"| | {notes} | | | | | |")


def _measure(name: str, way: str, folder: str) -> None:
    """Run one way once. The memory is what it adds to what its input takes."""
    case = CASES[name]
    run = (case.ours if way == "ours" else case.others[way])(Path(folder))
    before = memory("VmRSS")
    began = time.perf_counter()
    found = run()
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "megabytes": max(0.0, memory("VmHWM") - before), "found": found}))


def memory(kind: str) -> float:
    """Resident memory now (VmRSS) or at its highest (VmHWM), in MB; getrusage would tell the parent's."""
    line = next(line for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines() if kind in line)
    return int(line.split()[1]) / 1000


def _median(readings: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(reading[key] for reading in readings) for key in readings[0]}


def machine() -> str:
    """Cores, system and versions, in a line."""
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("pandas", "pyarrow", "polars", "duckdb", "narwhals", "httpx")
    )
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {packages}"


if __name__ == "__main__":
    sys.exit(main())
