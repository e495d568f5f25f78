"""Values as the kind of their column, and what is said of those that do not fit."""

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from kimono_explore.decode.notes import Notes
from kimono_explore.decode.values import Numbers, as_text, fit, is_number, read_date, read_time, to_kind, truth
from kimono_explore.schema import Column

TEXT, DATE, TIME, FLAG = (Column("c", ("c",), kind) for kind in ("text", "date", "time", "flag"))
DAY = dt.date(2026, 8, 17)
NOON = dt.datetime(2026, 8, 17, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("column", "value", "fitted", "oddity"),
    [
        (TEXT, "a", "a", None),
        (TEXT, "", "", None),
        (TEXT, ["a"], '["a"]', "a list where text was expected; kept as text"),
        (TEXT, {"a": 1}, '{"a":1}', "an object where text was expected; kept as text"),
        (DATE, "2026-08-17", DAY, None),
        (DATE, "2026-08-17T12:00:00Z", DAY, None),
        (DATE, "", None, None),
        (DATE, "8/17", None, "not a date"),
        (DATE, 20260817, None, "not a date"),
        (TIME, "2026-08-17T12:00:00Z", NOON, None),
        (TIME, "2026-08-17T12:00:00", NOON, None),
        (TIME, "2026-08-17T14:00:00+02:00", NOON, None),
        (TIME, "", None, None),
        (TIME, "noon", None, "not a time"),
        (TIME, 5, None, "not a time"),
        (FLAG, True, True, None),
        (FLAG, False, False, None),
        (FLAG, " TRUE ", True, None),
        (FLAG, "false", False, None),
        (FLAG, "", None, None),
        (FLAG, "yes", None, "neither true nor false"),
        (FLAG, 1, None, "neither true nor false"),
        (FLAG, [], None, "neither true nor false"),
    ],
)
def test_a_value_fits_or_it_is_said_why_not(column: Column, value: Any, fitted: object, oddity: str | None) -> None:
    assert fit(value, column) == (fitted, oddity)


@pytest.mark.parametrize("column", [TEXT, DATE, TIME, FLAG])
def test_nothing_fits_everywhere(column: Column) -> None:
    assert fit(None, column) == (None, None)


def test_times_beyond_the_calendar_are_none() -> None:
    assert read_time("0001-01-01T00:00:00+14:00") is None
    assert read_date("2026-02-30") is None


def test_numbers_and_flags_are_numbers() -> None:
    assert [is_number(value) for value in (1, 0.5, False, "1", None, [1])] == [True, True, True, False, False, False]


def test_text_is_itself_and_anything_else_is_json() -> None:
    assert [as_text(value) for value in ("a", 1, True, None, ["ø"])] == ["a", "1", "true", "null", '["ø"]']


def test_what_is_unknown_is_not_true() -> None:
    assert truth(pa.array([True, None, False])).tolist() == [True, False, False]


def in_column(column: Column, *texts: str | None) -> tuple[list[object], list[tuple[int, object]]]:
    """The values as the column's kind, and which cells were left to Python."""
    asked: list[tuple[int, object]] = []

    def cell(n: int, value: Any, column: Column) -> object:
        asked.append((n, value))
        return fit(value, column)[0]

    return to_kind(pa.array(texts, pa.string()), column, cell).to_pylist(), asked


def test_a_column_of_plain_dates_is_read_by_arrow_alone() -> None:
    assert in_column(DATE, "2026-08-17", None) == ([DAY, None], [])
    assert in_column(TIME, "2026-08-17T12:00:00Z", None) == ([NOON, None], [])


def test_odd_cells_are_left_to_python_and_the_others_to_arrow() -> None:
    values, asked = in_column(DATE, "2026-08-17", "8/17", None, "2026-08-17T12:00:00Z")
    assert values == [DAY, None, None, DAY]
    assert asked == [(1, "8/17"), (3, "2026-08-17T12:00:00Z")]
    values, asked = in_column(TIME, "2026-08-17T12:00:00Z", "2026-08-17", None)
    assert (values, asked) == ([NOON, NOON.replace(hour=0), None], [(1, "2026-08-17")])


def test_a_column_with_a_shaped_date_that_is_none_is_left_to_python_as_a_whole() -> None:
    values, asked = in_column(DATE, "2026-02-30", "2026-08-17")
    assert (values, asked) == ([None, DAY], [(0, "2026-02-30"), (1, "2026-08-17")])


def test_a_year_before_the_first_is_no_date() -> None:
    assert in_column(DATE, "0000-12-31")[0] == [None]
    assert in_column(DATE, "0001-01-01") == ([dt.date(1, 1, 1)], [])


def test_text_and_flags_are_as_they_come() -> None:
    assert in_column(TEXT, "a", None) == (["a", None], [])
    flags = pa.array([True, None])
    assert to_kind(flags, FLAG, lambda n, value, column: 1 / 0) is flags


def test_numbers_where_text_was_declared_are_told_once_for_a_column() -> None:
    notes = Notes("persons")
    for value in (12, 7, True):
        assert notes.fitted("p1", "local_id", value, TEXT) == as_text(value)
    assert notes.fitted("p1", "grad_year", 2030, TEXT) == "2030"
    assert (
        notes.fitted("p1", "school_year", 2026, Column("school_year", ("$sys", "school_year"), integer=True)) == "2026"
    )
    notes.count_numbers(Numbers("$schools", 2, "5"))
    assert notes.problems == []
    notes.report_numbers()
    start, end = "numbers or flags where text was expected, such as", "kept as text"
    assert [tuple(problem) for problem in notes.problems] == [
        ("persons", None, "local_id", "3", f"{start} 12, {end}; leading zeros may be lost; value counts them"),
        ("persons", None, "grad_year", "1", f"{start} 2030, {end}; value counts them"),
        ("persons", None, "$schools", "2", f"{start} 5, {end}; leading zeros may be lost; value counts them"),
    ]


def test_zeros_are_lost_only_where_the_tables_own_references_or_ids_are_numbers() -> None:
    notes = Notes("orgs")
    for column in ("$students", "$terms", "$schools"):
        notes.count_numbers(Numbers(column, 1, "5"))
    notes.report_numbers()
    assert ["leading zeros" in problem.problem for problem in notes.problems] == [True, False, False]


def test_what_does_not_fit_is_noted_with_the_value_as_it_came() -> None:
    notes = Notes("terms")
    assert notes.fitted("t1", "start_date", 5, DATE) is None
    assert notes.fitted("t1", "name", ["x"], TEXT) == '["x"]'
    notes.add("t1", None, None, "odd")
    assert [tuple(problem) for problem in notes.problems] == [
        ("terms", "t1", "start_date", "5", "not a date"),
        ("terms", "t1", "name", '["x"]', "a list where text was expected; kept as text"),
        ("terms", "t1", None, None, "odd"),
    ]
