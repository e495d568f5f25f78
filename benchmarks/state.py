"""``python -m benchmarks.state``: what all checks of a state cost, from 0.1 to 5 million students, each in a fresh process."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import kimono_explore as kx
from benchmarks.__main__ import machine, memory
from kimono_explore.sandbox.district.state import write_state

_MEMORY = "4GB"


def main() -> int:
    """Write a state of each size, check it from disk, and print a row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.state", description=__doc__)
    parser.add_argument("students", nargs="*", type=int, default=[100_000, 500_000, 1_000_000, 5_000_000])
    parser.add_argument("--check", help=argparse.SUPPRESS)
    parser.add_argument("--browse", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.check or options.browse:
        print(json.dumps(_check(options.check) if options.check else _browse(options.browse)))
        return 0
    print(machine(), "\n", flush=True)
    print(
        "| students | links | on disk | written in | checked in | a student | peak memory | rows found "
        "| a search | a click | memory to browse |\n|---|---|---|---|---|---|---|---|---|---|---|"
    )
    for students in options.students:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            rows = write_state(Path(folder) / "state", students)
            written = time.perf_counter() - began
            size = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet")) / 1e6
            found, browsed = (_apart(what, str(Path(folder) / "state")) for what in ("--check", "--browse"))
            print(
                f"| {students:,} | {rows['links']:,} | {size:,.0f} MB | {written:,.0f} s | {found['seconds']:,.0f} s "
                f"| {found['seconds'] / students * 1e6:,.0f} µs | {found['megabytes']:,.0f} MB | {found['failed']:,} "
                f"| {browsed['search']:.1f} s | {browsed['click']:.1f} s | {browsed['megabytes']:,.0f} MB |",
                flush=True,
            )
    return 0


def _apart(what: str, folder: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.state", what, folder]
    outcome = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(outcome.stdout.splitlines()[-1])
    return found


def _check(folder: str) -> dict[str, float]:
    began = time.perf_counter()
    report = kx.check(folder, as_of="2026-10-05", memory=_MEMORY, max_rows=100_000)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "megabytes": memory("VmHWM"), "failed": int(report.summary["failed"].sum())}


def _browse(folder: str) -> dict[str, float]:
    """A name that many have, and the first person found, with a picture of what is around."""
    before = memory("VmRSS")
    browser = kx.browse(folder)
    began = time.perf_counter()
    browser.search("garcia", type="person")
    searched = time.perf_counter()
    browser.pick(0)
    clicked = time.perf_counter()
    assert browser.selected == browser.table["id"].iloc[0]
    return {"search": searched - began, "click": clicked - searched, "megabytes": memory("VmHWM") - before}


if __name__ == "__main__":
    sys.exit(main())
