"""What is noted while rows are decoded: values that do not fit, one by one, and numbers, once a column."""

from __future__ import annotations

import pytest

from kimono_explore.decode.notes import Notes
from kimono_explore.decode.values import Numbers
from kimono_explore.schema import TABLES, Problem

COLUMNS = {column.name: column for column in TABLES["persons"]}


def test_a_value_is_noted_as_it_was_sent() -> None:
    notes = Notes("persons")
    for value in ("2/30", {"a": [1]}, None):
        notes.add("ana", "dob", value, "not a date")
    assert notes.problems == [
        Problem("persons", "ana", "dob", value, "not a date") for value in ("2/30", '{"a":[1]}', None)
    ]


def test_what_does_not_fit_is_noted_and_what_fits_is_not() -> None:
    notes = Notes("persons")
    assert str(notes.fitted("ana", "dob", "2010-02-03", COLUMNS["dob"])) == "2010-02-03"
    assert notes.fitted("ana", "born", "2/30", COLUMNS["dob"]) is None
    assert notes.fitted("ana", "phone", ["1"], COLUMNS["phone"]) == '["1"]'
    assert [(p.column, p.value, p.problem) for p in notes.problems] == [
        ("born", "2/30", "not a date"),
        ("phone", '["1"]', "a list where text was expected; kept as text"),
    ]


def test_numbers_are_kept_as_text_and_told_once_a_column_by_the_smallest() -> None:
    notes = Notes("persons")
    assert [notes.fitted("ana", "phone", number, COLUMNS["phone"]) for number in (7, 5, True)] == ["7", "5", "true"]
    assert notes.problems == []
    notes.report_numbers()
    text = "numbers or flags where text was expected, such as 5, kept as text; value counts them"
    assert notes.problems == [Problem("persons", None, "phone", "3", text)]


def test_a_whole_number_is_expected_where_the_column_says_so() -> None:
    notes = Notes("persons")
    assert notes.fitted("ana", "school_year", 2027, COLUMNS["school_year"]) == "2027"
    notes.report_numbers()
    assert notes.problems == []


@pytest.mark.parametrize(("column", "lost"), [("id", True), ("local_id", True), ("$sections", True), ("phone", False)])
def test_only_ids_and_references_lose_their_leading_zeros(column: str, lost: bool) -> None:
    notes = Notes("persons")
    notes.count_numbers(Numbers(column, 2, "12"))
    notes.count_numbers(Numbers(column, 3, "07"))
    notes.report_numbers()
    (told,) = notes.problems
    assert (told.value, "such as 07" in told.problem, "leading zeros" in told.problem) == ("5", True, lost)
