"""The life of one object, told from its versions alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from kimono_explore.compare import LINK_KEY
from kimono_explore.history.life import COLUMNS, Life, Version, changes, ends_of, stays, touching
from kimono_explore.history.segment import Day

MONDAY, TUESDAY, FRIDAY = date(2026, 10, 5), date(2026, 10, 6), date(2026, 10, 9)
LINK_NAMES = (*LINK_KEY, "status")


def kept(*days: date, **columns: str) -> list[Day]:
    """Days with one table of persons; ``columns`` gives a column's name in the file, where it is another."""
    names = {"id": "id", "seen": "seen", **columns}
    parts = {"persons": names, "orgs": names, "links": {name: name for name in LINK_NAMES}}
    return [Day(day, "a test", datetime(2026, 10, 5, tzinfo=UTC), frozenset(), parts, {}) for day in days]


def row(since: date, until: date, **values: Any) -> Version:
    return Version(since, until, {"id": "ana", **values})


def link(since: date, until: date, target: str = "math", **values: Any) -> Version:
    ends = ("person", "ana", "student_in", "section", target)
    own = dict(zip(("source_type", "source_id", "relation", "target_type", "target_id"), ends, strict=True))
    return Version(since, until, {"role": "student", "status": None, **own, **values})


def told(life: Life, *columns: str) -> list[list[Any]]:
    df = changes(life)
    return df[list(columns)].astype(object).where(df[list(columns)].notna(), None).to_numpy().tolist()


def test_an_object_comes_goes_and_comes_back() -> None:
    rows = [row(MONDAY, MONDAY), row(FRIDAY, FRIDAY)]
    life = Life("persons", "ana", kept(MONDAY, TUESDAY, FRIDAY), rows, [], {})
    days = [[pd.Timestamp(day) if day else None for day in pair] for pair in (
        (MONDAY, None), (TUESDAY, MONDAY), (FRIDAY, TUESDAY))]  # fmt: skip
    assert told(life, "what") == [["first seen"], ["gone"], ["back"]]
    assert told(life, "day", "day_before") == days
    assert stays(life)["days"].tolist() == [1, 1]
    assert stays(life)["last"].tolist() == [pd.Timestamp(MONDAY), pd.Timestamp(FRIDAY)]


def test_a_gap_between_days_does_not_end_a_stay() -> None:
    life = Life("persons", "ana", kept(MONDAY, FRIDAY), [row(MONDAY, FRIDAY)], [], {})
    assert told(life, "what") == [["first seen"]]
    assert stays(life).to_numpy().tolist() == [[pd.Timestamp(MONDAY), pd.Timestamp(FRIDAY), 2]]


def test_values_are_shown_as_text() -> None:
    rows = [
        row(MONDAY, MONDAY, seen=datetime(2026, 10, 1, 0, 0)),
        row(TUESDAY, TUESDAY, seen=date(2026, 10, 2)),
        row(FRIDAY, FRIDAY, seen=None),
    ]
    life = Life("persons", "ana", kept(MONDAY, TUESDAY, FRIDAY), rows, [], {})
    assert told(life, "column", "old", "new")[1:] == [
        ["seen", "2026-10-01 00:00:00", "2026-10-02"],
        ["seen", "2026-10-02", None],
    ]


def test_a_column_of_another_type_goes_on_under_its_name() -> None:
    rows = [row(MONDAY, MONDAY, seats=3), row(TUESDAY, FRIDAY, **{"seats 2": "three"})]
    days = [*kept(MONDAY, seats="seats"), *kept(TUESDAY, seats="seats 2"), *kept(FRIDAY)]
    assert told(Life("persons", "ana", days, rows, [], {}), "what", "column", "old", "new") == [
        ["first seen", None, None, None],
        ["changed", "seats", "3", "three"],
    ]


def test_a_type_alone_is_no_change() -> None:
    rows = [row(MONDAY, MONDAY, seats=3), row(TUESDAY, TUESDAY, **{"seats 2": "3"})]
    days = [*kept(MONDAY, seats="seats"), *kept(TUESDAY, seats="seats 2")]
    assert told(Life("persons", "ana", days, rows, [], {}), "what") == [["first seen"]]


def test_links_that_come_change_and_go() -> None:
    links = [
        link(MONDAY, MONDAY, status="Active"),
        link(TUESDAY, TUESDAY, status="Ended"),
        link(TUESDAY, FRIDAY, "art"),
    ]
    labels = {("section", "math"): "Mathematics"}
    life = Life("persons", "ana", kept(MONDAY, TUESDAY, FRIDAY), [row(MONDAY, FRIDAY)], links, labels)
    assert told(life, *COLUMNS[2:]) == [
        ["first seen", None, None, None, None, None],
        ["link changed", "student_in.status", "Active", "Ended", "section", "math"],
        ["link added", "student_in", None, "art", "section", "art"],
        ["link gone", "student_in", "Mathematics", None, "section", "math"],
    ]


def test_of_parallel_links_one_goes() -> None:
    links = [link(MONDAY, TUESDAY), link(MONDAY, MONDAY)]
    life = Life("persons", "ana", kept(MONDAY, TUESDAY), [row(MONDAY, TUESDAY)], links, {})
    assert told(life, "what", "other_id") == [["first seen", None], ["link gone", "math"]]


def test_the_other_end_is_the_one_that_is_not_the_object() -> None:
    ends = {"source_type": "org", "relation": "child_of", "target_type": "org", "role": None}
    links = [
        link(TUESDAY, TUESDAY, source_id="below", **{**ends, "target_id": "ana"}),
        link(TUESDAY, TUESDAY, source_id="ana", **{**ends, "target_id": "ana"}),
    ]
    life = Life("orgs", "ana", kept(MONDAY, TUESDAY), [row(MONDAY, TUESDAY)], links, {})
    assert told(life, "what", "other_type", "other_id")[1:] == [
        ["link added", "org", "below"], ["link added", "org", "ana"]]  # fmt: skip


LINKS = pa.table({
    "source_type": ["person", "section", None, "robot"], "source_id": ["a", "a", "a", "r"],
    "target_type": ["section", "course", "section", "org"], "target_id": ["s", "c", None, "a"],
})  # fmt: skip


def test_links_at_either_end_of_one_type_or_any() -> None:
    assert touching(LINKS, "a").num_rows == 4
    assert touching(LINKS, "a", "person")["target_id"].to_pylist() == ["s"]
    assert touching(LINKS, "a", "org")["source_id"].to_pylist() == ["r"]


def test_ends_without_an_id_or_of_an_unknown_type_are_left_out() -> None:
    assert ends_of(LINKS) == {"persons": {"a"}, "sections": {"a", "s"}, "courses": {"c"}, "orgs": {"a"}}
