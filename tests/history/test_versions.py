"""Versions of rows: those of a day are its table, in its order."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimono_explore.history.versions import (
    FROM,
    UNTIL,
    VersionTable,
    add_day,
    first_day,
    on_day,
    rows_of,
    unmoved_rows,
    without_last_day,
)

MONDAY = dt.date(2026, 10, 5)


def day(n: int) -> dt.date:
    return MONDAY + dt.timedelta(days=n)


def woven(*tables: pa.Table) -> list[VersionTable]:
    """What it looks like after each day."""
    found = [first_day(tables[0], day(0))]
    for n, table in enumerate(tables[1:], 1):
        found.append(add_day(found[-1].versions, table, day(n - 1), day(n)))
    return found


def letters(text: str) -> pa.Table:
    return pa.table({"id": pa.array(list(text), pa.string())})


def test_a_row_that_stays_is_there_once() -> None:
    last = woven(letters("abc"), letters("axbc"), letters("xbcd"))[-1].versions
    assert last.to_pydict() == {
        FROM: [day(0), day(1), day(0), day(0), day(2)],
        UNTIL: [day(1), day(2), day(2), day(2), day(2)],
        "id": list("axbcd"),
    }


def test_a_changed_row_stands_beside_what_it_was() -> None:
    old = pa.table({"id": ["a", "b", "c"], "name": ["A", "B", "C"]})
    new = pa.table({"id": ["a", "b", "c"], "name": ["A", "X", "C"]})
    assert woven(old, new)[-1].versions["name"].to_pylist() == ["A", "B", "X", "C"]


@given(st.lists(st.text("abcde", max_size=12), min_size=1, max_size=8))
def test_any_day_has_its_rows_in_their_order(texts: list[str]) -> None:
    last = woven(*map(letters, texts))[-1]
    for n, text in enumerate(texts):
        assert rows_of(last.versions, day(n), {"id": "id"})["id"].to_pylist() == list(text)
        assert on_day(last.versions, day(n)).sum() == len(text)


@given(st.lists(st.text("abcde", max_size=9), min_size=2, max_size=6))
def test_the_last_day_can_be_taken_away(texts: list[str]) -> None:
    *_, before, last = woven(*map(letters, texts))
    count = len(texts)
    assert without_last_day(last.versions, day(count - 2), day(count - 1)).to_pydict() == before.versions.to_pydict()


@given(st.permutations(range(9)))
def test_as_many_rows_as_can_be_stay_where_they_are(numbers: list[int]) -> None:
    old, new = unmoved_rows(pa.table({"id": list(range(9))}), pa.table({"id": numbers}))
    assert [numbers[place] for place in new] == old.tolist() == sorted(old)
    longest = [1] * 9
    for n, number in enumerate(numbers):
        longest[n] = max([longest[m] + 1 for m in range(n) if numbers[m] < number], default=1)
    assert len(old) == max(longest)


def test_a_column_of_another_type_is_another_column() -> None:
    first, second = pa.table({"id": ["a"], "seats": [3]}), pa.table({"id": ["a"], "seats": ["three"]})
    steps = woven(first, second, first)
    assert steps[1].columns == {"id": "id", "seats": "seats 2"}
    last = steps[2].versions
    assert [rows_of(last, day(n), step.columns).to_pydict() for n, step in enumerate(steps)] == [
        {"id": ["a"], "seats": [3]},
        {"id": ["a"], "seats": ["three"]},
        {"id": ["a"], "seats": [3]},
    ]


def test_a_column_that_comes_and_goes_leaves_rows_without_a_value_alone() -> None:
    plain = pa.table({"id": ["a", "b"]})
    wide = pa.table({"id": ["a", "b"], "room": [None, "12"]})
    steps = woven(plain, wide, plain)
    assert steps[-1].versions["id"].to_pylist() == ["a", "b", "b", "b"]
    assert [list(step.columns) for step in steps] == [["id"], ["id", "room"], ["id"]]


def test_a_column_may_be_called_as_ours() -> None:
    table = pa.table({FROM: pa.array([MONDAY], pa.date32()), UNTIL: ["x"], f"{FROM} 2": ["y"]})
    step = woven(table, table)[-1]
    assert len(set(step.columns.values()) | {FROM, UNTIL}) == 5
    assert rows_of(step.versions, day(1), step.columns).to_pydict() == table.to_pydict()


@pytest.mark.parametrize("values", [[0.0, -0.0], [None, 0.0], ["", None], [True, None], [1.5, 2.5]])
def test_values_that_look_alike_are_two(values: list[object]) -> None:
    old, new = pa.table({"x": pa.array(values[:1])}), pa.table({"x": pa.array(values[1:])})
    both = pa.chunked_array([old["x"], new["x"]]) if old["x"].type == new["x"].type else None
    if both is None:
        kind = new["x"].type if pa.types.is_null(old["x"].type) else old["x"].type
        old, new = (table.cast(pa.schema([("x", kind)])) for table in (old, new))
    last = woven(old, new)[-1].versions
    assert last.num_rows == 2
    assert np.signbit(last["x"][1].as_py()) if values == [0.0, -0.0] else True


def test_nothing_is_kept_of_nothing() -> None:
    empty = letters("")
    steps = woven(empty, letters("a"), empty)
    assert [rows_of(steps[-1].versions, day(n), {"id": "id"}).num_rows for n in range(3)] == [0, 1, 0]
