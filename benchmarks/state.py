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
from kimono_explore.sandbox.state import write_state

_MEMORY = "4GB"


def main() -> int:
    """Write a state of each size, check it from disk, and print a row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.state", description=__doc__)
    parser.add_argument("students", nargs="*", type=int, default=[100_000, 500_000, 1_000_000, 5_000_000])
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        began = time.perf_counter()
        report = kx.check(options.one, as_of="2026-10-05", memory=_MEMORY, max_rows=100_000)
        seconds = time.perf_counter() - began
        failed = int(report.summary["failed"].sum())
        print(json.dumps({"seconds": seconds, "megabytes": memory("VmHWM"), "failed": failed}))
        return 0
    print(machine(), "\n", flush=True)
    print("| students | links | on disk | written in | checked in | a student | peak memory | rows found |")
    print("|---|---|---|---|---|---|---|---|")
    for students in options.students:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            rows = write_state(Path(folder) / "state", students)
            written = time.perf_counter() - began
            size = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet")) / 1e6
            command = [sys.executable, "-m", "benchmarks.state", "--one", str(Path(folder) / "state")]
            found = json.loads(
                subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
            )
            print(
                f"| {students:,} | {rows['links']:,} | {size:,.0f} MB | {written:,.0f} s | {found['seconds']:,.0f} s "
                f"| {found['seconds'] / students * 1e6:,.0f} µs | {found['megabytes']:,.0f} MB | {found['failed']:,} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
