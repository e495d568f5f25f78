"""A cell that is run again shows what it showed: the same call finds the widget that it made before."""

from __future__ import annotations

import gc
from typing import Any

import pytest

import kimono_explore as kx
from kimono_explore.widgets import rerun
from kimono_explore.widgets.rerun import Runs


class Thing:
    """Something that a cell makes."""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Begin a run of a cell."""

    def begin(cell: str | None, message: str) -> None:
        request = {"metadata": {} if cell is None else {"cellId": cell}, "header": {"msg_id": message}}
        monkeypatch.setattr(rerun, "_request", lambda: request)

    return begin


def test_each_call_of_a_cell_finds_its_own(run: Any) -> None:
    runs: Runs[Thing] = Runs()
    first, second, third, fourth = (Thing() for _ in range(4))
    run("a", "1")
    assert (runs.predecessor(first), runs.predecessor(second)) == (None, None)
    run("b", "2")
    assert runs.predecessor(third) is None
    run("a", "3")
    assert runs.predecessor(fourth) is first
    assert runs.predecessor(Thing()) is second
    assert runs.predecessor(Thing()) is None
    run("a", "4")
    assert runs.predecessor(Thing()) is fourth


def test_what_is_gone_or_in_no_cell_is_not_found(run: Any) -> None:
    runs: Runs[Thing] = Runs()
    run("a", "1")
    gone = Thing()
    runs.predecessor(gone)
    del gone
    gc.collect()
    run("a", "2")
    assert runs.predecessor(Thing()) is None
    run(None, "3")
    kept = Thing()
    assert runs.predecessor(kept) is None
    assert runs.predecessor(Thing()) is None


def test_a_roster_that_is_browsed_again_keeps_its_place(run: Any, small_roster: kx.Roster) -> None:
    run("a", "1")
    browser = kx.browse(small_roster)
    browser.search("a", type="person")
    browser.pick(2)
    run("a", "2")
    again = kx.browse(small_roster)
    assert (again.selected, again.state) == (browser.selected, browser.state)
    assert again.selected is not None
    run("a", "3")
    asked = small_roster.orgs["id"][0]
    assert kx.browse(small_roster, id=asked).selected == asked
    run("b", "4")
    assert kx.browse(small_roster).selected is None
