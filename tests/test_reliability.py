"""What is promised under faults, tried with fresh seeds at each run.

`KIMONO_TRIALS` is the number of loads a fault (default 3, a sixteenth of what `make reliability` makes), `KIMONO_SEED`
repeats a run: a failure prints it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import trials
from test_bundle_list import REFUSED, TOLD

import kimono_explore as kx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRIALS = int(os.environ.get("KIMONO_TRIALS", "3"))
WRITES = max(2, TRIALS * 2 // 5)
KILLS = TRIALS * 4


@pytest.fixture(scope="module")
def bench() -> Iterator[trials.Bench]:
    with trials.bench() as made:
        yield made


def check(end: trials.End, seed: str) -> None:
    again = f"KIMONO_SEED={trials.SEED} repeats it (trial {seed!r})"
    assert end.outcome in trials.GOOD, f"{end.outcome}: {end.words}\n{again}"


@pytest.mark.parametrize("name", trials.LOADS)
def test_a_load_is_complete_or_says_what_it_lacks(bench: trials.Bench, name: str) -> None:
    for n in range(TRIALS):
        seed = f"{trials.SEED} {name} {n}"
        check(trials.load(bench, name, seed), seed)


@pytest.mark.parametrize("name", trials.WRITES)
def test_what_is_said_of_a_task_is_true(bench: trials.Bench, name: str) -> None:
    for n in range(WRITES):
        seed = f"{trials.SEED} {name} {n}"
        check(trials.write(bench, name, seed), seed)


def test_a_save_that_is_killed_tears_nothing(tmp_path: Path) -> None:
    for n in range(KILLS):
        seed = f"{trials.SEED} save {n}"
        check(trials.kill_save(tmp_path, seed), seed)


def test_a_load_that_is_killed_goes_on(bench: trials.Bench, tmp_path: Path) -> None:
    for n in range(KILLS):
        seed = f"{trials.SEED} load {n}"
        check(trials.kill_load(bench, tmp_path, seed), seed)


def test_bad_bundles_are_named(tmp_path: Path) -> None:
    for name, (files, told) in {**TOLD, **REFUSED}.items():
        check(trials.read_bundle(tmp_path / name, files, told), name)


def test_the_oracle_sees_what_is_lost(bench: trials.Bench) -> None:
    """A judge that never condemns proves nothing."""
    bench.box.faults = kx.Faults({})
    for name in ("persons", "links"):
        roster = kx.load_roster(bench.client, progress=False)
        assert trials.judge(bench.truth, roster, set()).outcome == "equal"
        setattr(roster, name, getattr(roster, name).iloc[:-1])
        assert trials.judge(bench.truth, roster, set()).outcome == "silent"
    roster = kx.load_roster(bench.client, progress=False)
    roster.courses.loc[0, "title" if "title" in roster.courses else "name"] = "Another"
    assert trials.judge(bench.truth, roster, set()).outcome == "silent"
