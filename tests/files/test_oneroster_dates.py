"""Dates of bundles: every form that has one meaning is read, and none is guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from kimono_explore.files.oneroster.dates import read_dates

AMBIGUOUS = "not a date that can be known: month first and day first both explain the column; left missing"
MIXED = "not a date that can be known: the column has dates that are written month first, and others day first; left missing"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-08-15", date(2026, 8, 15)),
        (" 2026-08-15 ", date(2026, 8, 15)),
        ("20260815", date(2026, 8, 15)),
        ("2026/8/5", date(2026, 8, 5)),
        ("2026.08.15", date(2026, 8, 15)),
        ("8/15/2026", date(2026, 8, 15)),
        ("15.8.2026", date(2026, 8, 15)),
        ("8/8/2026", date(2026, 8, 8)),
        ("8/15/2026 12:00 AM", date(2026, 8, 15)),
        ("8/15/69", date(2069, 8, 15)),
        ("8/15/70", date(1970, 8, 15)),
    ],
)
def test_what_has_one_meaning_is_read(text: str, day: date) -> None:
    found = read_dates([text])
    assert (found.values, found.oddities) == ([day], [None])


@pytest.mark.parametrize("text", ["2026-02-30", "13/13/2026", "8/15-2026", "15 August", "8/15/026", "x"])
def test_what_is_not_a_date_is_missing(text: str) -> None:
    found = read_dates([text])
    assert (found.values, found.oddities) == ([None], ["not a date"])


def test_one_order_explains_the_column_or_none_is_taken() -> None:
    assert read_dates(["8/15/2026", "9/1/2026"]).values == [date(2026, 8, 15), date(2026, 9, 1)]
    assert read_dates(["15/8/2026", "9/1/2026"]).values == [date(2026, 8, 15), date(2026, 1, 9)]
    assert read_dates(["8/5/2026", ""]).oddities == [AMBIGUOUS, None]
    assert read_dates(["8/15/2026", "15/8/2026"]).oddities == [MIXED, MIXED]


def test_the_whole_column_decides_about_a_part_of_it() -> None:
    assert read_dates(["8/5/2026"], whole=["8/5/2026", "8/15/2026"]).values == [date(2026, 8, 5)]


def test_nobody_is_born_later_than_today() -> None:
    year = (datetime.now(UTC).year + 2) % 100
    assert read_dates([f"8/15/{year}"], birth=True).values == [date(1900 + year, 8, 15)]
    assert read_dates(["8/15/12"], birth=True).values == [date(2012, 8, 15)]


@pytest.mark.parametrize(
    ("text", "hour"),
    [("8/15/2026 1:05 PM", 13), ("8/15/2026 12:05 am", 0), ("8/15/2026 12:05 p.m.", 12), ("8/15/2026 13:05", 13)],
)
def test_a_time_of_twelve_hours_is_read(text: str, hour: int) -> None:
    assert read_dates([text], "time").values == [datetime(2026, 8, 15, hour, 5, tzinfo=UTC)]


def test_other_forms_are_counted_with_an_example() -> None:
    found = read_dates(["2026-08-15", "8/16/2026", " 2026-08-17", "20260818", None])
    assert (found.written_so, found.example, len(found.forms)) == (3, "8/16/2026", 3)
    assert read_dates(["2026-08-15"]).forms == ()
