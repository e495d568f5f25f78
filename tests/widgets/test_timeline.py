"""The queue by time: what is chosen of it keeps the tasks of that time, and is read in the sentence of the filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

import kimono_explore as kx
from kimono_explore.widgets.timeline import Span, Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def box() -> Iterator[kx.Sandbox]:
    with kx.sandbox(students=20) as box:
        yield box


def tasks_at(*times: str) -> pd.DataFrame:
    return pd.DataFrame({"created_at": pd.to_datetime(list(times), utc=True), "type": "data_event"})


def test_a_time_keeps_its_tasks_and_can_be_taken_away(box: kx.Sandbox) -> None:
    inspector = kx.inspect_tasks(box.client)
    every = len(inspector.table)
    inspector._timeline.take([3, 5])
    span = inspector._timeline.value
    there = inspector.tasks["created_at"]
    assert 0 < len(inspector.table) < every
    assert set(inspector.table["id"]) == set(inspector.tasks.loc[(there >= span.begin) & (there < span.end), "id"])
    assert inspector._rows.view["parts"] == [[-1, inspector._timeline.words]]
    assert inspector._timeline.words == f"created {span.begin:%H:%M} to {span.end:%H:%M}"
    inspector._rows._hear(None, {"kind": "filter", "column": -1, "bars": []}, None)
    assert (len(inspector.table), inspector._rows.view["parts"]) == (every, [])


def test_facets_count_within_the_time_and_the_timeline_under_the_facets(box: kx.Sandbox) -> None:
    inspector = kx.inspect_tasks(box.client)
    inspector._timeline.take([0, 9])
    mine = inspector.table["type"].value_counts()
    assert inspector._filters["type"].options[0][0] == f"all {len(inspector.table):,}"
    inspector.filter(type=str(mine.index[0]))
    assert len(inspector.table) == mine.iloc[0]
    bars = inspector._timeline.state()["bars"]
    of_kind = inspector.tasks["type"] == mine.index[0]
    assert sum(sum(row) for _, row in bars) == of_kind.sum()  # what is outside of the time, too
    assert len(bars) == len(kx.inspect_tasks(box.client)._timeline.state()["bars"])  # the scale is that of all


def test_a_time_stays_when_the_queue_is_read_again(box: kx.Sandbox) -> None:
    inspector = kx.inspect_tasks(box.client)
    begin = inspector.tasks["created_at"].min()
    inspector.between(begin, begin + pd.Timedelta(minutes=5))
    before = inspector.table["id"].tolist()
    inspector.refresh()
    assert inspector.table["id"].tolist() == before
    inspector._rows.clear()
    assert len(inspector.table) == len(inspector.tasks)
    inspector.between(end=begin)
    assert len(inspector.table) == 0
    inspector.between()
    assert len(inspector.table) == len(inspector.tasks)


@pytest.mark.parametrize("wrong", [[99], [-1, 2], ["1"], [1.5], [True], "1", None, {}, [0, 10**400]])
def test_what_is_no_bar_is_let_be(wrong: object) -> None:
    line = Timeline("Tasks by time")
    tasks = tasks_at("2026-10-05T06:00", "2026-10-05T06:20")
    line.fill(tasks, tasks)
    line.take(wrong)
    assert line.value is None


@pytest.mark.parametrize(
    ("times", "first", "last", "bars"),
    [
        (("2026-10-05T06:00:00", "2026-10-05T06:00:00"), "06:00:00 to 06:00:01", "06:00:00 to 06:00:01", 1),
        (("2026-10-05T06:00:10", "2026-10-05T06:41:00"), "06:00 to 06:01", "06:41 to 06:42", 42),
        (("2026-10-05T23:00", "2026-10-06T01:00"), "2026-10-05 23:00 to 23:05", "2026-10-06 01:00 to 01:05", 25),
        (("2026-10-01", "2026-10-31"), "2026-10-01", "2026-10-31", 31),
        (("2020-01-01", "2026-01-01"), "2020-01-01 to 2020-02-07", "2025-12-06 to 2026-01-12", 58),
    ],
)
def test_bars_are_round_times_of_any_width(times: tuple[str, str], first: str, last: str, bars: int) -> None:
    line = Timeline("Tasks by time")
    line.fill(tasks_at(*times), tasks_at(*times))
    shown = line.state()["bars"]
    assert (shown[0][0], shown[-1][0]) == (first, last)
    assert [len(shown), sum(sum(row) for _, row in shown)] == [bars, 2]
    line.take([0, len(shown) - 1])
    assert line.within(tasks_at(*times)["created_at"]).all()
    assert line.state()["chosen"] == list(range(bars))


def test_a_task_without_a_time_is_in_none() -> None:
    line = Timeline("Tasks by time")
    tasks = tasks_at("2026-10-05T06:00", "2026-10-05T06:20", "NaT")
    line.fill(tasks, tasks)
    assert line.within(tasks["created_at"]).tolist() == [True, True, True]
    line.value = Span(pd.Timestamp("2026-10-05T06:00", tz="UTC"), pd.Timestamp("2026-10-05T07:00", tz="UTC"))
    assert line.within(tasks["created_at"]).tolist() == [True, True, False]
    line.fill(tasks[2:], tasks[2:])
    assert line.state()["bars"] == []
    assert line.state()["words"].startswith("created ")


def test_an_address_keeps_the_place_in_the_queue(box: kx.Sandbox) -> None:
    inspector = kx.inspect_tasks(box.client)
    assert inspector.address == {}
    inspector.filter(type="data_event")
    inspector._order.value = "queue order"
    inspector._timeline.take([2, 9])
    inspector.pick(inspector.table["id"].iloc[1])
    other = kx.inspect_tasks(box.client)
    other.address = inspector.address
    assert other.address == inspector.address
    assert other.table["id"].tolist() == inspector.table["id"].tolist()
    assert other.picked["id"].tolist() == inspector.picked["id"].tolist()
    third = kx.inspect_tasks(box.client)
    third.address = {"type": "none", "order": "none", "time": "x/y", "id": "gone", "more": "1"}
    assert third.address == {}
