"""``python -m benchmarks.refreshing [students] [rows a page]``: the requests and seconds of `refresh` beside those of a load.

A sandbox serves a made-up district in pages that are small, so that a load takes thousands of requests, as that of a state
does. It carries out its task queue; then yesterday's roster is refreshed, and must be equal to a load.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import httpx

import kimono_explore as kx
from benchmarks.__main__ import machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Result = TypeVar("Result")


@contextmanager
def _counted() -> Iterator[list[str]]:
    """The paths that httpx asks for meanwhile, whoever asks."""
    asked: list[str] = []
    whole = httpx.Client.send

    def send(self: httpx.Client, request: httpx.Request, **options: object) -> httpx.Response:
        asked.append(request.url.path)
        return whole(self, request, **options)  # type: ignore[arg-type]

    httpx.Client.send = send  # type: ignore[method-assign]
    try:
        yield asked
    finally:
        httpx.Client.send = whole  # type: ignore[method-assign]


def _measured(what: str, run: Callable[[], Result]) -> tuple[Result, int]:
    with _counted() as asked:
        began = time.perf_counter()
        result = run()
        seconds = time.perf_counter() - began
    print(f"| {what} | {len(asked):,} | {seconds:,.1f} s |", flush=True)
    return result, len(asked)


def main() -> int:
    """Load, carry out the queue, refresh, load again, and print a row for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.refreshing", description=__doc__)
    parser.add_argument("students", nargs="?", type=int, default=20_000)
    parser.add_argument("rows", nargs="?", type=int, default=10, help="of a page (default: 10)")
    options = parser.parse_args()
    print(machine(), "\n", flush=True)
    with kx.sandbox(students=options.students, flaws=False, dialect=kx.Dialect(max_page_size=options.rows)) as box:
        print("| what | requests | seconds |\n|---|---|---|")
        before, _ = _measured("load of yesterday", lambda: kx.load_roster(box.client, progress=False))
        box.process_tasks()
        now, few = _measured("refresh", lambda: kx.refresh(before, box.client, seed=1))
        loaded, many = _measured("load of today", lambda: kx.load_roster(box.client, progress=False))
        if now.roster is None:
            raise SystemExit(f"It must be loaded anew: {now.load_anew[0]}")
        differences = kx.compare(now.roster, loaded).summary[["added", "removed", "changed"]].to_numpy().sum()
        print(f"\n{few / many:.2%} of the requests; {differences} differences from the load, {now.events} events.")
    return int(differences > 0)


if __name__ == "__main__":
    sys.exit(main())
