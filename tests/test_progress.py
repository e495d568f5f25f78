"""One bar for a load and one for the checks: with a total, red where it was stopped, silent where it should be."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from builders import make, section

import kimono_explore as kx
from kimono_explore import progress
from kimono_explore.progress import Bar
from kimono_explore.quality import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kimono_explore.quality import CheckResult


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    made: list[object] = []
    real = progress.tqdm

    def bar(*arguments: object, **options: object) -> object:
        made.append(real(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(progress, "tqdm", bar)
    return made


def test_a_load_has_one_bar_over_its_six_lists(
    small_sandbox: kx.Sandbox, capsys: pytest.CaptureFixture[str], small_roster: kx.Roster
) -> None:
    kx.load_roster(small_sandbox.client)
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    last = written.replace("\r", "\n").strip().splitlines()[-1]
    rows = sum(len(df) for df in small_roster.tables.values())
    assert re.fullmatch(rf"roster: 100%\|█+\| 6/6 lists \[00:\d\d, rows={rows:,}\]", last.strip()), last


def test_one_list_counts_its_rows(small_sandbox: kx.Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    persons = kx.load(small_sandbox.client, "persons")
    last = capsys.readouterr().err.replace("\r", "\n").strip().splitlines()[-1]
    assert re.search(rf"persons: {len(persons)} rows .+ pages=\d+\]", last), last


def test_nothing_is_shown_where_nothing_is_asked_for(
    small_sandbox: kx.Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    roster = kx.load_roster(small_sandbox.client, progress=False)
    kx.check(roster, ["missing_id"], progress=False)
    kx.check(roster, ["missing_id"])
    kx.load_tasks(small_sandbox.client)
    assert capsys.readouterr().err == ""


def test_the_checks_have_a_bar_with_their_number(capsys: pytest.CaptureFixture[str]) -> None:
    kx.check(make(section()), ["missing_id", "section_without_teacher"], progress=True)
    last = capsys.readouterr().err.replace("\r", "\n").strip().splitlines()[-1]
    assert re.fullmatch(r"checks: 100%\|█+\| 2/2 checks \[00:\d\d\]", last.strip()), last


@pytest.mark.parametrize(("error", "most", "done"), [(KeyboardInterrupt, 9, 0), (SystemExit, 0, 1)])
def test_the_bar_of_checks_that_were_stopped_is_red(
    error: type[BaseException], most: int, done: int, bars: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a small roster are done together, those of a large one each by itself."""
    monkeypatch.setattr(run, "_IN_MEMORY", most)

    @kx.define_check("stopped", title="A check", severity="error", tables=["sections"], rule="r.", why="w.")
    def stopped(context: object) -> CheckResult:
        raise error

    with pytest.raises(error):
        kx.check(make(section()), ["missing_id", "stopped"], progress=True)
    (bar,) = bars
    assert (bar.colour, bar.n, bar.total) == ("red", done, 2)
    assert bar.desc.startswith("A check stopped")


def test_what_takes_long_is_shown_without_asking(
    bars: list[object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_AFTER", 0.2)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    for wait, shown in ((0.0, False), (0.15, True)):
        with Bar("files", "files", total=3, shown=None) as bar:
            for _ in range(3):
                time.sleep(wait)
                bar.step()
        assert ("files" in capsys.readouterr().err) == shown
    with pytest.raises(ValueError, match="no"), Bar("files", "files", shown=None):
        raise ValueError("no")
    assert capsys.readouterr().err == ""
    assert bars[-1].colour == "red"


def test_where_nobody_looks_only_what_was_asked_for_is_shown(bars: list[object]) -> None:
    with Bar("files", "files", shown=None) as bar:
        bar.step()
    assert bars[-1].disable
