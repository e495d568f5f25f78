"""All trials of what is promised under faults, in full, written to docs/reliability.md: ``make reliability``.

``KIMONO_TRIALS`` is the number of loads for each fault (default 50; acknowledgements two fifths, kills twice as many of
each kind), ``KIMONO_SEED`` repeats a run, ``KIMONO_SECONDS`` ends it early, with as many rounds as were possible.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).with_name("files")))

import trials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TRIALS = int(os.environ.get("KIMONO_TRIALS", "50"))
SHARES = os.cpu_count() or 1
SECONDS = float(os.environ.get("KIMONO_SECONDS", "7200"))
PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"

TEXT = """# Reliability

What happens when something goes wrong between this library and a server, tried by `make reliability`. Each trial draws
how often a fault strikes (one request in ten, three in ten, twice, once, or every time), and is made again where it did
not strike. A sandbox serves a small district over real HTTP, a proxy in front of it injects the fault, and the end is
judged by one oracle (`tests/trials.py`):

- **equal**: everything is there, as it is in the sandbox; for a task, it was acknowledged or deleted.
- **named**: what is missing or differs is named in `problems`, row by row or list by list; for a task, the outcome says
  that it was refused, is not known or was not sent, and the books of the queue agree.
- **error**: an error of this library that names the operation, and the page where a list has pages.
- **silent**: something is missing or differs, or is wrong about a task, and nobody says so.
- **hang**: no end after {longest:g} seconds, with time-outs of 3 seconds a request and two retries.
- **foreign**: an exception of another kind, an error that names no operation, or a secret in what is shown.
- **torn**: a snapshot or a folder of pages that is neither the old nor the new one after a kill.

`make test` makes a share of these trials with fresh seeds each time.

What the trials do not cover: a server that says, each time it is asked, that a list ends earlier than it does cannot be
told from one whose list is that short. And an acknowledgement of a task that was never in the queue, whose answer is lost,
ends as done: by then the task is as absent as one that was taken.

To try your own client: `kx.sandbox(faults={{"reset": 0.05, "gzip_cut": 0.02}})`, or
`kimono-explore sandbox --faults reset=0.05 --faults gzip_cut=0.02`; `kx.Faults.names()` lists the faults.

Seed {seed}, {count:,} trials in {minutes:.1f} minutes, as many of each as the tables say: {totals}.
"""

HEAD = "| {} | promise | trials | equal | named | error | silent | hang | foreign | torn |\n|---|---|---|---|---|---|---|---|---|---|"
REPEATED = "The request is repeated; the load is complete, or an error names the list and the page."
AT_ONCE = "An error names the list and the page; where only the last look for moved rows met it, the load is complete."
REFUSED = "A list refused at once is named; one refused after it began is an error."
ROW = "The row is named or the list is; every other row is there."
LIST = "Every row of the list is there, or `problems` says what is wrong with the list, or it is an error."
PROMISES = {
    **dict.fromkeys(["login", "401", "429_long"], AT_ONCE),
    **dict.fromkeys(["403", "404"], REFUSED),
    **dict.fromkeys(["not_utf8", "surrogate", "deep_row", "long_number", "null_row", "odd_rows"], ROW),
}
TASK = "What is said of each task is true of the queue."
GROUPS = {
    "Loads": "fault",
    "Acknowledgements and deletions": "fault",
    "Kills": "what is killed",
    "Bad OneRoster bundles": "bundle",
}


def promise(fault: str) -> str:
    """The promise for a load, in one sentence."""
    columns = trials._FAULTS.loc[fault]
    default = LIST if columns["where"] == "lists" and not fault.startswith(("data_", "error_", "nul")) else REPEATED
    return PROMISES.get(fault, default)  # each is what the trials show, in words


def rounds(
    bench: trials.Bench, folder: Path, share: int
) -> Iterator[tuple[str, str, str, Callable[[str], trials.End]]]:
    """One round after the other, of a share of them: group, name, promise and trial."""
    from test_bundle_list import REFUSED as BAD
    from test_bundle_list import TOLD as ODD

    for name, (files, told) in {**ODD, **BAD}.items() if share == 0 else ():
        yield (
            "Bad OneRoster bundles", name, f"It says: {told}.",
            lambda _, name=name, files=files, told=told: trials.read_bundle(folder / name, files, told),
        )  # fmt: skip
    for n in range(share, TRIALS, SHARES):
        for name in trials.LOADS:
            yield "Loads", name, promise(name), lambda seed, name=name: trials.load(bench, name, seed)
        for name in trials.WRITES if n % 5 < 2 else ():
            group = "Acknowledgements and deletions"
            yield group, name, TASK, lambda seed, name=name: trials.write(bench, name, seed)
        for _ in range(4):
            said = "There is the old snapshot or the new one, every digest right."
            yield "Kills", "a save", said, lambda seed: trials.kill_save(folder, seed)
            said = "The next load goes on, is equal, and leaves no page behind."
            yield "Kills", "a load with resume=", said, lambda seed: trials.kill_load(bench, folder, seed)


def make_trials(share: int) -> tuple[dict[tuple[str, str], Counter[str]], dict[tuple[str, str], str]]:
    """A share of the trials, in a process of its own: how each group and name ended, and what is promised of it."""
    began, ends, promises = time.monotonic(), defaultdict(Counter), {}
    with tempfile.TemporaryDirectory() as folder, trials.bench() as bench:
        for group, name, said, trial in rounds(bench, Path(folder), share):
            if time.monotonic() - began > SECONDS:
                break
            seed = f"{trials.SEED} {share} {name} {ends[group, name].total()}"
            end = trial(seed)
            ends[group, name][end.outcome] += 1
            promises[group, name] = said
            if end.outcome not in trials.GOOD:
                _say(f"{group} {name}: {end.outcome} (KIMONO_SEED={trials.SEED}, trial {seed!r}): {end.words}")
    return dict(ends), promises


def main() -> int:
    """Make the trials and write the page; 1 where one failed."""
    began = time.monotonic()
    os.environ["KIMONO_SEED"] = str(trials.SEED)  # which the processes share
    ends: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    promises: dict[tuple[str, str], str] = {}
    with ProcessPoolExecutor(SHARES, get_context("spawn")) as pool:
        for found, said in pool.map(make_trials, range(SHARES)):
            promises |= said
            for name, outcomes in found.items():
                ends[name] += outcomes
    PAGE.write_text(page(ends, promises, time.monotonic() - began), encoding="utf-8")
    count = sum(found.total() for found in ends.values())
    failed = count - sum(found[outcome] for found in ends.values() for outcome in trials.GOOD)
    _say(f"{PAGE}: {failed} of {count:,} trials failed")
    return 1 if failed else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def page(ends: dict[tuple[str, str], Counter], promises: dict[tuple[str, str], str], seconds: float) -> str:
    """The page, a table for each group."""
    totals = sum(ends.values(), Counter())
    text = TEXT.format(
        longest=trials.LONGEST,
        seed=trials.SEED,
        count=totals.total(),
        minutes=seconds / 60,
        totals=", ".join(f"{totals[outcome]:,} {outcome}" for outcome in trials.OUTCOMES),
    )
    parts = [text]
    for group, column in GROUPS.items():
        rows = [(name, found) for (of, name), found in ends.items() if of == group]
        parts.append(f"## {group}\n\n{HEAD.format(column)}")
        parts += [row(column, name, promises[group, name], found) for name, found in rows]
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def row(column: str, name: str, said: str, found: Counter) -> str:
    """A row of a table."""
    shown = f"`{name}`: {trials._FAULTS['sees'][name]}" if column == "fault" else name
    cells = [shown, said, f"{found.total():,}", *(f"{found[outcome]:,}" for outcome in trials.OUTCOMES)]
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


if __name__ == "__main__":
    sys.exit(main())
