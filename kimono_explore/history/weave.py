"""Rows of many days in one table: each version of a row once, with the days on which it was kept.

The versions stand in such an order that those of any one day, read from top to bottom, are its table in the order of its
rows. What is new is put where it belongs between its neighbors, as a weaver lays a thread between two others; nothing has a
position that would have to be stored or counted again.
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


class Woven(NamedTuple):
    """The versions of a table, and what the columns of the last day are called in it."""

    versions: pa.Table
    columns: dict[str, str]


def arrow_rows(name: str, df: pd.DataFrame) -> pa.Table:
    """A table as Parquet keeps it; whether text is long or short makes no difference."""
    rows = to_arrow(name, df)
    return rows.cast(pa.schema([(field.name, _plain(field.type)) for field in rows.schema]))


def _plain(dtype: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(dtype) else dtype


def begin(rows: pa.Table, day: date) -> Woven:
    """The table of a first day."""
    return weave(pa.table({FROM: pa.array([], pa.date32()), UNTIL: pa.array([], pa.date32())}), rows, None, day)


def weave(versions: pa.Table, rows: pa.Table, before: date | None, day: date) -> Woven:
    """The versions with those of another day; ``before`` is the last one they have."""
    columns = _columns(versions.schema, rows.schema)
    new = rows.rename_columns([columns[name] for name in rows.column_names])
    versions, new = _widened(versions, new.schema), _widened(new, versions.schema)
    there = np.flatnonzero(on_day(versions, before)) if before else np.empty(0, np.int64)
    values = [name for name in new.column_names if name not in (FROM, UNTIL)]
    old_kept, new_kept = unmoved(versions.select(values).take(there), new.select(values))
    kept = there[old_kept]
    came = np.setdiff1d(np.arange(new.num_rows), new_kept, assume_unique=True)
    # What came stands before the next row that was there already, or at the end.
    followers = np.append(kept, versions.num_rows)[np.searchsorted(new_kept, came)]
    order = np.argsort(np.concatenate([2 * np.arange(versions.num_rows) + 1, 2 * followers]), kind="stable")
    until = _days(versions[UNTIL])
    until[kept] = _number(day)
    versions = _put(versions, UNTIL, until)
    since = np.full(len(came), _number(day))
    added = _put(_put(new.take(came), FROM, since), UNTIL, since)
    both = pa.concat_tables([versions, added.select(versions.column_names)])
    return Woven(both.take(order).combine_chunks(), columns)


def unravel(versions: pa.Table, before: date, last: date) -> pa.Table:
    """The versions without those of the last day."""
    until = _days(versions[UNTIL])
    until[until == _number(last)] = _number(before)
    return _put(versions, UNTIL, until).filter(pa.array(_days(versions[FROM]) < _number(last)))


def on_day(versions: pa.Table, day: date) -> NDArray[np.bool_]:
    """Which versions were kept on a day."""
    number = _number(day)
    there: NDArray[np.bool_] = (_days(versions[FROM]) <= number) & (_days(versions[UNTIL]) >= number)
    return there


def rows_of(versions: pa.Table, day: date, columns: Mapping[str, str]) -> pa.Table:
    """The table of a day."""
    return versions.select(list(columns.values())).filter(pa.array(on_day(versions, day))).rename_columns(list(columns))


def _columns(known: pa.Schema, rows: pa.Schema) -> dict[str, str]:
    """What each column is called among the versions: a column whose type changes goes on as another one."""
    types, taken = {field.name: field.type for field in known}, {FROM, UNTIL}
    columns = {}
    for field in rows:
        name, number = field.name, 1
        while name in taken or types.get(name, field.type) != field.type:
            number += 1
            name = f"{field.name} {number}"
        columns[field.name] = name
        taken.add(name)
    return columns


def _widened(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table with further columns, all of them missing values."""
    for field in schema:
        if field.name not in table.column_names:
            table = table.append_column(field.name, pa.nulls(table.num_rows, field.type))
    return table


def unmoved(old: pa.Table, new: pa.Table) -> tuple[Rows, Rows]:
    """The rows that two tables of the same columns share, in their common order: their numbers in both.

    Of rows that are equal, the first is the same as the first, the second as the second.
    """
    partners = _partners(_codes(old, new), old.num_rows)
    shared = np.flatnonzero(partners >= 0)
    shared = shared[_rising(partners[shared])]
    return partners[shared], shared


def difference(old: pa.Table, new: pa.Table, key: Sequence[str]) -> dict[str, int]:
    """How many rows were added, removed and changed, as `compare` counts them, between tables whose types are the same."""
    old, new = _widened(old, new.schema), _widened(new, old.schema).select(_widened(old, new.schema).column_names)
    rows, keys = _codes(old, new), _codes(old.select(key), new.select(key))
    if list(key) == ["id"]:  # a row without an id is known by all it holds
        nameless = pa.chunked_array([*old["id"].chunks, *new["id"].chunks], pa.string()).is_null().to_numpy()
        keys = np.where(nameless, rows + keys.max(initial=0) + 1, keys)
    partners = _partners(keys, old.num_rows)
    paired = np.flatnonzero(partners >= 0)
    changed = np.count_nonzero(rows[: old.num_rows][partners[paired]] != rows[old.num_rows :][paired])
    return {
        "added": new.num_rows - len(paired),
        "removed": old.num_rows - len(paired),
        "changed": int(changed),
    }


def _partners(codes: Rows, count: int) -> Rows:
    """For each row of the second table, which of the ``count`` rows of the first has the same code; -1 where none has."""
    copies = np.concatenate([_copies(codes[:count]), _copies(codes[count:])])
    keys = codes * (copies.max(initial=0) + 1) + copies
    return np.asarray(pd.Index(keys[:count]).get_indexer(pd.Index(keys[count:])), dtype=np.int64)


def _copies(codes: Rows) -> Rows:
    """How many equal ones stand before each."""
    return np.asarray(pd.Series(codes).groupby(codes).cumcount(), dtype=np.int64)


def _codes(old: pa.Table, new: pa.Table) -> Rows:
    """A number for each row of both tables; equal rows have the same."""
    count = old.num_rows + new.num_rows
    codes = np.zeros(count, np.int64)
    both = pa.concat_tables([old, new]) if old.num_columns else old
    for column in both.columns:
        if column.null_count < count:
            values = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
            if pa.types.is_floating(values.type):  # bit by bit: zero differs from minus zero
                values = values.view({16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[values.type.bit_width])
            own = pc.fill_null(pc.dictionary_encode(values).indices, -1).to_numpy(zero_copy_only=False) + 1
            codes = pd.factorize(codes * (int(own.max(initial=0)) + 1) + own.astype(np.int64))[0].astype(np.int64)
    return codes


def _rising(numbers: Rows) -> Rows:
    """Where the longest rising part of some numbers is, which need not be without gaps."""
    if np.all(np.diff(numbers) > 0):
        return np.arange(len(numbers))
    ends: list[int] = []
    places: list[int] = []
    earlier: list[int] = []
    for place, number in enumerate(numbers.tolist()):
        length = bisect_left(ends, number)
        earlier.append(places[length - 1] if length else -1)
        ends[length : length + 1], places[length : length + 1] = [number], [place]
    chain, place = [], places[-1]
    while place >= 0:
        chain.append(place)
        place = earlier[place]
    return np.array(chain[::-1], dtype=np.int64)


def _put(table: pa.Table, name: str, days: Rows) -> pa.Table:
    values = pa.array(days.astype(np.int32), pa.int32()).cast(pa.date32())
    if name not in table.column_names:
        return table.append_column(name, values)
    return table.set_column(table.column_names.index(name), pa.field(name, pa.date32()), values)


def _days(column: pa.ChunkedArray) -> Rows:
    return column.cast(pa.int32()).to_numpy().astype(np.int64)


def _number(day: date) -> int:
    return int(np.datetime64(day, "D").astype(np.int64))
