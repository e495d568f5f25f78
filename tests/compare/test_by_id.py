"""Rows side by side where their keys are equal: repeated keys, missing ids, and what counts as a difference."""

from __future__ import annotations

import pandas as pd
import pytest
from builders import Item, link, make, section, student

from kimono_explore.compare.by_id import LINK_KEY, count_repeated, key_of, pair
from kimono_explore.compare.sources import InMemory, bring
from kimono_explore.scratch import scratch_database

Pair = tuple[int | None, int | None, bool | None]


def paired(old: list[Item], new: list[Item], table: str = "persons", ignore: tuple[str, ...] = ()) -> list[Pair]:
    """Row in the old roster, row in the new one, and whether they differ."""
    with scratch_database() as connection:
        aligned = bring(connection, [InMemory(make(*old)), InMemory(make(*new))], table)
        pair(connection, aligned, ignore)
        return connection.execute(
            f"SELECT old, new, differs FROM paired_{table} ORDER BY old NULLS LAST, new NULLS LAST"
        ).fetchall()


def test_rows_meet_by_their_id() -> None:
    old, new = (
        [student("ana"), student("bo"), student("cy")],
        [student("cy"), student("ana", name_last="Berg"), student("di")],
    )
    assert paired(old, new) == [(0, 1, True), (1, None, None), (2, 0, False), (None, 2, None)]


def test_a_difference_that_is_ignored_is_none() -> None:
    assert paired([student()], [student(name_last="Berg")], ignore=("name_last",)) == [(0, 0, False)]


def test_copies_of_an_id_meet_in_order() -> None:
    old, new = [student("ana"), student("ana", name_last="Berg")], [student("ana"), student("ana"), student("ana")]
    assert paired(old, new) == [(0, 0, False), (1, 1, True), (None, 2, None)]


def test_copies_in_the_new_roster_only_are_seen() -> None:
    assert paired([student("ana")], [student("ana"), student("ana")]) == [(0, 0, False), (None, 1, None)]


def test_a_row_without_an_id_is_known_by_all_it_holds() -> None:
    old = [student(None, name_last="Silva"), student(None, name_last="Berg")]
    new = [student(None, name_last="Berg"), student(None, name_last="Katz")]
    assert paired(old, new) == [(0, None, None), (1, 0, False), (None, 1, None)]


def test_a_link_is_known_by_its_ends_relation_and_role() -> None:
    people = [student("ana"), section("x")]
    old = [*people, link("ana student_in x", role="student", status="Active")]
    new = [*people, link("ana student_in x", role="student", status="Inactive"), link("ana student_in x", role="guest")]
    assert paired(old, new, "links") == [(0, 0, True), (None, 1, None)]


@pytest.mark.parametrize(("table", "key"), [("persons", ("id",)), ("links", LINK_KEY)])
def test_a_key_is_the_id_or_what_identifies_a_link(table: str, key: tuple[str, ...]) -> None:
    assert key_of(table) == key


def test_repeated_keys_are_counted_on_both_sides() -> None:
    old = [student("ana"), student("ana"), student("bo"), student(None), student(None)]
    new = [student("ana"), student("bo"), student("bo"), student("bo")]
    with scratch_database() as connection:
        bring(connection, [InMemory(make(*old)), InMemory(make(*new))], "persons")
        found = count_repeated(connection, "persons").sort_values("id", ignore_index=True)
    assert found.equals(
        pd.DataFrame({"id": ["ana", "bo"], "old": [2, 1], "new": [1, 3]}).astype(found.dtypes.to_dict())
    )
