"""Rows of many days in one table: each version of a row once, with the days on which it was kept.

The versions are ordered so that those of any one day, read from top to bottom, are that day's table in its own row order.
A new row is inserted between its neighbors, so no row numbers have to be stored or updated:

    Monday [a b c], then Tuesday [a x c]     ->   a Monday-Tuesday, b Monday, x Tuesday, c Monday-Tuesday
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kimono_explore.frames import to_arrow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

FROM, UNTIL = "kept_from", "kept_until"
"""The first and the last day on which a version was kept; both count."""

Rows: TypeAlias = NDArray[np.int64]


class VersionTable(NamedTuple):
    """The versions of a table, and the name that each column of the last day has among them."""

    versions: pa.Table
    columns: dict[str, str]


def arrow_rows(name: str, df: pd.DataFrame) -> pa.Table:
    """A table in Arrow types, with all text of one type, so that days can be compared."""
    rows = to_arrow(name, df)
    return rows.cast(pa.schema([(field.name, _short_text(field.type)) for field in rows.schema]))


def _short_text(dtype: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(dtype) else dtype


def first_day(rows: pa.Table, day: date) -> VersionTable:
    """The versions of a first day."""
    return add_day(pa.table({FROM: pa.array([], pa.date32()), UNTIL: pa.array([], pa.date32())}), rows, None, day)


def add_day(versions: pa.Table, rows: pa.Table, before: date | None, day: date) -> VersionTable:
    """The versions with the rows of another day; ``before`` is the last day they cover."""
    columns = _column_aliases(versions.schema, rows.schema)
    new = rows.rename_columns([columns[name] for name in rows.column_names])
    versions, new = _with_columns_of(versions, new.schema), _with_columns_of(new, versions.schema)
    current = np.flatnonzero(on_day(versions, before)) if before else np.empty(0, np.int64)
    values = [name for name in new.column_names if name not in (FROM, UNTIL)]
    old_kept, new_kept = unmoved_rows(versions.select(values).take(current), new.select(values))
    kept = current[old_kept]
    new_rows = np.setdiff1d(np.arange(new.num_rows), new_kept, assume_unique=True)
    # A new row goes before the next row that was there already, or at the end.
    followers = np.append(kept, versions.num_rows)[np.searchsorted(new_kept, new_rows)]
    order = np.argsort(np.concatenate([2 * np.arange(versions.num_rows) + 1, 2 * followers]), kind="stable")
    until = _day_numbers(versions[UNTIL])
    until[kept] = _day_number(day)
    versions = _set_days(versions, UNTIL, until)
    since = np.full(len(new_rows), _day_number(day))
    added = _set_days(_set_days(new.take(new_rows), FROM, since), UNTIL, since)
    both = pa.concat_tables([versions, added.select(versions.column_names)])
    return VersionTable(both.take(order).combine_chunks(), columns)


def without_last_day(versions: pa.Table, before: date, last: date) -> pa.Table:
    """The versions without those of the last day."""
    until = _day_numbers(versions[UNTIL])
    until[until == _day_number(last)] = _day_number(before)
    return _set_days(versions, UNTIL, until).filter(pa.array(_day_numbers(versions[FROM]) < _day_number(last)))


def on_day(versions: pa.Table, day: date) -> NDArray[np.bool_]:
    """Which versions were kept on a day."""
    number = _day_number(day)
    there: NDArray[np.bool_] = (_day_numbers(versions[FROM]) <= number) & (_day_numbers(versions[UNTIL]) >= number)
    return there


def rows_of(versions: pa.Table, day: date, columns: Mapping[str, str]) -> pa.Table:
    """The table of a day."""
    return versions.select(list(columns.values())).filter(pa.array(on_day(versions, day))).rename_columns(list(columns))


def _column_aliases(known: pa.Schema, rows: pa.Schema) -> dict[str, str]:
    """The name of each column among the versions: a column whose type changes continues under another name."""
    types, taken = {field.name: field.type for field in known}, {FROM, UNTIL}
    columns = {}
    for field in rows:
        name, suffix = field.name, 1
        while name in taken or types.get(name, field.type) != field.type:
            suffix += 1
            name = f"{field.name} {suffix}"
        columns[field.name] = name
        taken.add(name)
    return columns


def _with_columns_of(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table with the further columns of a schema, filled with missing values."""
    for field in schema:
        if field.name not in table.column_names:
            table = table.append_column(field.name, pa.nulls(table.num_rows, field.type))
    return table


def unmoved_rows(old: pa.Table, new: pa.Table) -> tuple[Rows, Rows]:
    """A longest sequence of rows that two tables with the same columns share, in order: their numbers in both.

    Equal rows are matched in order: the first with the first, the second with the second.
    """
    matches = _matching_rows(_row_codes(old, new), old.num_rows)
    shared = np.flatnonzero(matches >= 0)
    shared = shared[_longest_increasing(matches[shared])]
    return matches[shared], shared


def difference(old: pa.Table, new: pa.Table, key: Sequence[str]) -> dict[str, int]:
    """How many rows were added, removed and changed, as `compare` counts them, between tables of the same types."""
    old, new = (
        _with_columns_of(old, new.schema),
        _with_columns_of(new, old.schema).select(_with_columns_of(old, new.schema).column_names),
    )
    rows, keys = _row_codes(old, new), _row_codes(old.select(key), new.select(key))
    if list(key) == ["id"]:  # a row without an id is identified by all of its values
        without_id = pa.chunked_array([*old["id"].chunks, *new["id"].chunks], pa.string()).is_null().to_numpy()
        keys = np.where(without_id, rows + keys.max(initial=0) + 1, keys)
    matches = _matching_rows(keys, old.num_rows)
    paired = np.flatnonzero(matches >= 0)
    changed = np.count_nonzero(rows[: old.num_rows][matches[paired]] != rows[old.num_rows :][paired])
    return {
        "added": new.num_rows - len(paired),
        "removed": old.num_rows - len(paired),
        "changed": int(changed),
    }


def _matching_rows(codes: Rows, count: int) -> Rows:
    """For each row of the second table, the one of the ``count`` rows of the first with the same code, or -1."""
    copies = np.concatenate([_occurrences(codes[:count]), _occurrences(codes[count:])])
    keys = codes * (copies.max(initial=0) + 1) + copies
    return np.asarray(pd.Index(keys[:count]).get_indexer(pd.Index(keys[count:])), dtype=np.int64)


def _occurrences(codes: Rows) -> Rows:
    """How many equal codes come before each."""
    return np.asarray(pd.Series(codes).groupby(codes).cumcount(), dtype=np.int64)


def _row_codes(old: pa.Table, new: pa.Table) -> Rows:
    """A number for each row of both tables; equal rows have the same number."""
    count = old.num_rows + new.num_rows
    codes = np.zeros(count, np.int64)
    both = pa.concat_tables([old, new]) if old.num_columns else old
    for column in both.columns:
        if column.null_count < count:
            values = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
            if pa.types.is_floating(values.type):  # compare bits: 0.0 differs from -0.0
                values = values.view({16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[values.type.bit_width])
            column_codes = pc.fill_null(pc.dictionary_encode(values).indices, -1).to_numpy(zero_copy_only=False) + 1
            codes = pd.factorize(codes * (int(column_codes.max(initial=0)) + 1) + column_codes.astype(np.int64))[
                0
            ].astype(np.int64)
    return codes


def _longest_increasing(numbers: Rows) -> Rows:
    """The positions of a longest increasing subsequence of some numbers."""
    if np.all(np.diff(numbers) > 0):
        return np.arange(len(numbers))
    smallest_ends: list[int] = []
    positions: list[int] = []
    predecessors: list[int] = []
    for position, number in enumerate(numbers.tolist()):
        length = bisect_left(smallest_ends, number)
        predecessors.append(positions[length - 1] if length else -1)
        smallest_ends[length : length + 1], positions[length : length + 1] = [number], [position]
    chain, position = [], positions[-1]
    while position >= 0:
        chain.append(position)
        position = predecessors[position]
    return np.array(chain[::-1], dtype=np.int64)


def _set_days(table: pa.Table, name: str, days: Rows) -> pa.Table:
    values = pa.array(days.astype(np.int32), pa.int32()).cast(pa.date32())
    if name not in table.column_names:
        return table.append_column(name, values)
    return table.set_column(table.column_names.index(name), pa.field(name, pa.date32()), values)


def _day_numbers(column: pa.ChunkedArray) -> Rows:
    return column.cast(pa.int32()).to_numpy().astype(np.int64)


def _day_number(day: date) -> int:
    return int(np.datetime64(day, "D").astype(np.int64))
