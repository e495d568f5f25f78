"""``python -m benchmarks.memory``: what a load over HTTP takes in memory, beside the tables it leaves."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time

import kimono_explore as kx
from benchmarks.__main__ import machine, memory


def main() -> int:
    """Serve a district from another process, load it here, and print a row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("students", nargs="?", type=int, default=300_000)
    options = parser.parse_args()
    command = [sys.executable, "-m", "kimono_explore", "sandbox", "--students", str(options.students)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            said = "".join(line for _, line in zip(range(4), server.stdout, strict=False))
            url, token = (re.search(rf"{name}=(\S+)", said) for name in ("KIMONO_BASE_URL", "KIMONO_TOKEN"))
            if url is None or token is None:
                raise SystemExit(f"the sandbox said: {said}")
            print(machine(), "\n", flush=True)
            _load(kx.connect(url[1], token=token[1]))
        finally:
            server.terminate()
    return 0


def _load(client: kx.Client) -> None:
    kx.load(client, "terms", progress=False)  # what is needed once is there before it counts
    before, began = memory("VmRSS"), time.perf_counter()
    roster = kx.load_roster(client)
    seconds, peak = time.perf_counter() - began, memory("VmHWM") - before
    tables = sum(df.memory_usage(deep=True).sum() for df in (*roster.tables.values(), roster.links)) / 1e6
    print("| persons | links | loaded in | tables | memory added at the peak | ratio |\n|---|---|---|---|---|---|")
    print(
        f"| {len(roster.persons):,} | {len(roster.links):,} | {seconds:,.0f} s | {tables:,.0f} MB | {peak:,.0f} MB "
        f"| {peak / tables:.1f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
