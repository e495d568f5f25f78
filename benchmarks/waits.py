"""``python -m benchmarks.waits``: what a person waits for, from the import to the answer, each in a fresh process.

The median of three runs, with the memory that was added at its peak. ``--state`` also checks a state of 5 million students,
which takes five minutes to write. ``--record`` keeps the figures in ``docs/benchmarks.json`` and writes the page's table
from them; ``--check`` (``make bench-check``) measures again and fails where a wait has become 15 % longer beside a bare loop
in Python, measured before and after each, so that a slower machine is no loss.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

import kimono_explore as kx
from benchmarks.__main__ import machine, memory
from benchmarks.comparing import edited
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.district.state import write_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[[], object]

_RUNS = 3
_LOSS = 1.15
RECORD = Path(__file__).parents[1] / "docs" / "benchmarks.json"
PAGE = RECORD.with_suffix(".md")
BEGIN, END = "<!-- made from benchmarks.json -->\n", "<!-- made until here -->\n"
_SIZES = {"small": 500, "medium": 100_000, "graph": 200_000, "large": 600_000}


class Wait(NamedTuple):
    """What is waited for: ``prepare`` gets the folder of the snapshots and returns what is timed; ``needs`` is one of them."""

    what: str
    to_reach: str
    prepare: Callable[[Path], Run]
    needs: str = ""


def _command(*arguments: str) -> Run:
    return lambda: subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def check(name: str) -> Callable[[Path], Run]:
    """`check`."""

    def prepare(folder: Path) -> Run:
        roster = kx.open_roster(folder / name)
        return lambda: kx.check(roster, as_of="2026-10-05", progress=False)

    return prepare


def _check_state(folder: Path) -> Run:
    return lambda: kx.check(folder / "state", as_of="2026-10-05", memory="4GB", max_rows=100_000, progress=False)


def load(folder: Path) -> Run:
    """A load from a server that answers from memory."""
    url, token = (folder / "stored").read_text().split()
    client = kx.connect(url, token=token)
    kx.load(client, "terms", progress=False)  # what is needed once is there before it counts
    return lambda: kx.load_roster(client, progress=False)


def _served(folder: Path) -> Run:
    """All pages of persons, as the sandbox makes them: the bytes are counted, and nothing is read."""
    url, token = (folder / "sandbox").read_text().split()

    def run() -> object:
        size, address = 0, f"{url}/rostering/persons?page_size=1000"
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
            for page in range(1_000_000):
                body = client.get(address, params={"page": page}).content
                size += len(body)
                if len(body) < 10_000:
                    break
        return f"{size / 1e6:,.0f} MB"

    return run


def opening(name: str) -> Callable[[Path], Run]:
    """`open_roster` of a snapshot of the folder."""
    return lambda folder: lambda: kx.open_roster(folder / name)


def graph(name: str) -> Callable[[Path], Run]:
    """`build_graph`."""

    def prepare(folder: Path) -> Run:
        roster = kx.open_roster(folder / name)
        return lambda: kx.build_graph(roster)

    return prepare


def _path(folder: Path) -> Run:
    roster = kx.open_roster(folder / "large")
    one, other, third, fourth = roster.persons["id"].sample(4, random_state=1)
    kx.shortest_path(roster, one, other)  # the links are indexed once
    return lambda: kx.shortest_path(roster, third, fourth)


def compare(name: str) -> Callable[[Path], Run]:
    """`compare` with 1 % of edits."""

    def prepare(folder: Path) -> Run:
        old = kx.open_roster(folder / name)
        new = edited(old)
        return lambda: kx.compare(old, new).summary

    return prepare


def _browse(name: str) -> Callable[[Path], Run]:
    def prepare(folder: Path) -> Run:
        roster = kx.open_roster(folder / name)
        return lambda: kx.browse(roster)

    return prepare


WAITS = {
    "import": Wait("`import kimono_explore`", "0.4 s", lambda _: _command("-c", "import kimono_explore")),
    "help": Wait("`kimono-explore --help`", "0.15 s", lambda _: _command("-m", "kimono_explore", "--help")),
    "check-small": Wait("`check`, 500 students", "0.4 s", check("small"), "small"),
    "check": Wait("`check`, 100,000 students from memory", "2 s", check("medium"), "medium"),
    "load": Wait("`load_roster`, 100,000 students, which another process serves from memory", "2.5 s, 350 MB", load),
    "sandbox": Wait("the sandbox's pages of these persons, read and dropped", "150 MB a second", _served),
    "open": Wait("`open_roster`, 600,000 students", "0.5 s, 300 MB", opening("large"), "large"),
    "graph": Wait("`build_graph`, 200,000 students", "3.5 s, 500 MB", graph("graph"), "graph"),
    "path": Wait("`shortest_path` of two people, 600,000 students", "0.05 s", _path, "large"),
    "compare": Wait("`compare`, 100,000 against 100,000 students", "0.5 s", compare("medium"), "medium"),
    "compare-large": Wait("`compare`, 600,000 against 600,000 students", "3 s", compare("large"), "large"),
    "browse": Wait("`browse`, 500 students", "", _browse("small"), "small"),
    "browse-large": Wait("`browse`, 600,000 students", "", _browse("large"), "large"),
    "state": Wait("`check` of a state of 5 million students", "90 s, 4 GB", _check_state),
}


def _loop() -> float:
    """What a bare loop takes on this machine now."""
    began = time.perf_counter()
    for _ in range(5_000_000):
        pass
    return time.perf_counter() - began


def timed(wait: Wait, folder: Path) -> dict[str, object]:
    """Seconds, megabytes and what is said of a wait, and the seconds of a bare loop around it."""
    run, loop = wait.prepare(folder), _loop()
    before, began = memory("VmRSS"), time.perf_counter()
    found = run()
    seconds = time.perf_counter() - began
    said = found if isinstance(found, str) else ""
    megabytes = max(0.0, memory("VmHWM") - before)
    return {"seconds": seconds, "megabytes": megabytes, "said": said, "loop": (loop + _loop()) / 2}


def apart(module: str, name: str, folder: Path) -> dict[str, Any]:
    """What a module measures of one wait, in a process of its own."""
    command = [sys.executable, "-m", module, "--one", name, "--folder", str(folder)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def understood(parser: argparse.ArgumentParser, waits: dict[str, Wait]) -> argparse.Namespace | None:
    """What was asked for; None if that was one wait, which has been measured for `apart`."""
    parser.add_argument("--one", choices=list(waits), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(timed(waits[options.one], options.folder)))
        return None
    print(machine(), "\n", flush=True)
    return options


@contextmanager
def serving(folder: Path, name: str, *command: str) -> Iterator[float]:
    """A server in another process, its address and token in a file of the folder; gives the seconds until it was ready."""
    with subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            began = time.perf_counter()
            said = ""
            while "KIMONO_TOKEN" not in said and (line := server.stdout.readline()):
                said += line
            ready = time.perf_counter() - began
            url, token = (re.search(rf"{key}=(\S+)", said) for key in ("KIMONO_BASE_URL", "KIMONO_TOKEN"))
            if url is None or token is None:
                raise SystemExit(f"the server said: {said}")
            (folder / name).write_text(f"{url[1]} {token[1]}")
            yield ready
        finally:
            server.terminate()


def measured(names: list[str], folder: Path) -> Iterator[tuple[str, dict[str, float | str]]]:
    """The medians of each wait."""
    for name in names:
        runs = [apart("benchmarks.waits", name, folder) for _ in range(1 if name == "state" else _RUNS)]
        medians = {key: statistics.median(float(str(run[key])) for run in runs) for key in ("seconds", "megabytes")}
        beside = statistics.median(float(str(run["seconds"])) / float(str(run["loop"])) for run in runs)
        yield name, {**medians, "loops": beside, "said": str(runs[0]["said"])}


def row(name: str, found: dict[str, float | str]) -> str:
    """A wait as a row of the page."""
    said = f" for {found['said']}" if found["said"] else ""
    wait = WAITS[name]
    return f"| {wait.what} | {found['seconds']:,.2f} s{said} | {found['megabytes']:,.0f} MB | {wait.to_reach} |"


def table(record: dict[str, Any]) -> str:
    """The page's table of a record."""
    head = ["| wait | reached | memory added | to reach |", "|---|---|---|---|"]
    rows = [row(name, found) for name, found in record["waits"].items()]
    said = f"{record['machine']}; a bare loop of 5 million steps took {record['loop']:.2f} s."
    ready = f"The sandbox of 100,000 students was ready after {record['ready']:.1f} s (to reach: 3 s)."
    return "\n".join([said, ready, "", *head, *rows, ""])


def write_page(record: dict[str, Any]) -> None:
    """Put the record's table in its place on the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + "\n" + table(record) + "\n" + END + after, encoding="utf-8")


def slower(record: dict[str, Any], now: dict[str, dict[str, float | str]]) -> list[str]:
    """The waits that take 15 % more of a bare loop's time than in the record."""
    losses = []
    for name, found in now.items():
        if name in record["waits"]:
            ratio = float(found["loops"]) / float(record["waits"][name]["loops"])
            if ratio > _LOSS:
                losses.append(f"{WAITS[name].what}: {ratio:.2f} times as long as in the record")
    return losses


def main() -> int:
    """Measure each wait, and print a row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.waits", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="WAIT", help=f"some of {', '.join(WAITS)} (default: all but state)")
    parser.add_argument("--state", action="store_true", help="check a state of 5 million students, too")
    parser.add_argument("--record", action="store_true", help="keep the figures, and write the page's table")
    parser.add_argument("--check", action="store_true", help="fail where a wait is 15 %% longer than in the record")
    options = understood(parser, WAITS)
    if options is None:
        return 0
    names = options.names or [name for name in WAITS if options.state or name != "state"]
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        for name in {WAITS[name].needs for name in names} - {""}:
            make_district(_SIZES[name], seed=7).save(folder / name)
        if "state" in names:
            write_state(folder / "state", 5_000_000)
        now, loop = {}, _loop()
        students = str(_SIZES["medium"])
        with ExitStack() as servers:
            ready = servers.enter_context(
                serving(folder, "sandbox", "kimono_explore", "sandbox", "--students", students)
            )
            if "load" in names:
                servers.enter_context(serving(folder, "stored", "benchmarks.stored", students))
            for name, found in measured(names, folder):
                now[name] = found
                print(row(name, found), flush=True)
    before = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {"waits": {}}
    losses = slower(before, now) if options.check else []
    if options.record:
        found = {**before["waits"], **now}
        waits = {name: found[name] for name in WAITS if name in found}
        record = {**before, "machine": machine(), "loop": loop, "ready": ready, "waits": waits}
        RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        write_page(record)
    print(*losses, sep="\n")
    return int(bool(losses))


if __name__ == "__main__":
    sys.exit(main())
