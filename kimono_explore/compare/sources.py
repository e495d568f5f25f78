"""Two rosters as DuckDB sees them: from memory, or from the files of a snapshot.

Each table becomes two views, ``old_persons`` and ``new_persons``, with the same columns of the same types, and the number
of each row as ``row``. Columns that are not declared have names of ours, since DuckDB does not tell ``ext_Grade`` from
``ext_grade``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from kimono_explore.display import DAY_FORMAT, TIME_FORMAT
from kimono_explore.frames import to_pandas
from kimono_explore.schema import declared
from kimono_explore.scratch import scratch_database

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import duckdb
    from numpy.typing import NDArray

    from kimono_explore.roster.lazy import LazyRoster
    from kimono_explore.roster.roster import Roster

    Rows: TypeAlias = NDArray[np.int64]

SIDES = ("old", "new")
_WIDEST = {"text": "VARCHAR", "number": "DOUBLE", "date": "TIMESTAMP"}
"""The type to which two types of one kind are cast for comparison."""


class Source(Protocol):
    """One of the two rosters."""

    source: str
    loaded_at: datetime

    def bring(self, connection: duckdb.DuckDBPyConnection, name: str, table: str) -> list[str]:
        """Make the view ``name`` of a table, with the columns row, c0, c1, ...; returns what these are called here."""

    def rows(self, table: str, numbers: Rows) -> pd.DataFrame:
        """Some rows of a table, in the order asked for."""


class InMemory:
    """A `Roster`."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self.source, self.loaded_at = roster.source, roster.loaded_at

    def _table(self, table: str) -> pd.DataFrame:
        df: pd.DataFrame = getattr(self._roster, table)
        return df

    def bring(self, connection: duckdb.DuckDBPyConnection, name: str, table: str) -> list[str]:
        """Text is not copied."""
        df = self._table(table)
        columns = {f"c{place}": _arrow(df.iloc[:, place]) for place in range(df.shape[1])}
        connection.register(name, pa.table({"row": pa.array(np.arange(len(df))), **columns}))
        return [str(column) for column in df.columns]

    def rows(self, table: str, numbers: Rows) -> pd.DataFrame:
        """Some rows of the DataFrame."""
        return self._table(table).iloc[numbers].reset_index(drop=True)


class OnDisk:
    """A `LazyRoster`: what is not asked for stays in the files."""

    def __init__(self, roster: LazyRoster) -> None:
        self._files = {table: str(path) for table, path in roster.files.items()}
        self.source, self.loaded_at = roster.source, roster.loaded_at

    def bring(self, connection: duckdb.DuckDBPyConnection, name: str, table: str) -> list[str]:
        """A scan of the files."""
        scan = f"read_parquet({text(self._files[table])})"
        columns = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()]
        aliases = ", ".join(f"c{place}" for place in range(len(columns)))
        connection.execute(
            f"CREATE OR REPLACE VIEW {name} AS SELECT row_number() OVER () - 1 AS row, * FROM {scan} AS t({aliases})"
        )
        return columns

    def rows(self, table: str, numbers: Rows) -> pd.DataFrame:
        """Another scan of the files."""
        with scratch_database() as connection:
            columns = self.bring(connection, "all_rows", table)
            connection.register("wanted", pa.table({"row": pa.array(numbers), "place": np.arange(len(numbers))}))
            shown = ", ".join(f"c{place}" for place in range(len(columns)))
            found = connection.sql(f"SELECT {shown} FROM all_rows JOIN wanted USING (row) ORDER BY place")
            return to_pandas(table, found.to_arrow_table().rename_columns(columns))


class Aligned(NamedTuple):
    """The columns of the views of a table: what each is called there, by its own name."""

    table: str
    names: dict[str, str]


def bring(connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], table: str) -> Aligned:
    """Make the views ``old_<table>`` and ``new_<table>``, with the same columns of the same types."""
    known = [name.name for name in declared(table)]
    found = [
        source.bring(connection, f"{side}_raw_{table}", table) for side, source in zip(SIDES, sources, strict=True)
    ]
    others = sorted({name for columns in found for name in columns} - set(known))
    names = {name: name if name in known else f"x{place}" for place, name in enumerate([*known, *others])}
    types = [_types(connection, f"{side}_raw_{table}", columns) for side, columns in zip(SIDES, found, strict=True)]
    for side, columns, own in zip(SIDES, found, types, strict=True):
        places = {name: f"c{place}" for place, name in enumerate(columns)}
        cells = []
        for name, alias in names.items():
            both = {types[name] for types in types if name in types}
            kinds = {_kind(type) for type in both}
            cell = places.get(name, "NULL")
            if len(kinds) > 1 and name in places:
                cell = _as_text(cell, own[name])
            elif kinds == {"text"} or len(both) > 1:
                cell = f"{cell}::{_WIDEST[kinds.pop()]}"
            cells.append(f'{cell} AS "{alias}"')
        connection.execute(
            f"CREATE OR REPLACE VIEW {side}_{table} AS SELECT row, {', '.join(cells)} FROM {side}_raw_{table}"
        )
    return Aligned(table, names)


def text(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def numbers(connection: duckdb.DuckDBPyConnection, query: str) -> list[Rows]:
    """The columns of a query as whole numbers."""
    found: dict[str, Any] = connection.execute(query).fetchnumpy()
    return [np.asarray(column, dtype=np.int64) for column in found.values()]


def _types(connection: duckdb.DuckDBPyConnection, view: str, columns: Sequence[str]) -> dict[str, str]:
    described = connection.execute(f"DESCRIBE SELECT * EXCLUDE (row) FROM {view}").fetchall()
    return {name: str(row[1]) for name, row in zip(columns, described, strict=True)}


def _kind(type: str) -> str:
    """The kind of an SQL type; types of one kind can be compared without a cast."""
    if type.startswith(("VARCHAR", "ENUM", '"NULL"', "NULL")):
        return "text"
    if type.startswith(("DATE", "TIMESTAMP")):
        return "time" if type == "TIMESTAMP WITH TIME ZONE" else "date"
    return "flag" if type == "BOOLEAN" else "number"


def _as_text(cell: str, type: str) -> str:
    """A cell as text, by the rule of `display.value_texts`, but for each cell alone."""
    if type == "BOOLEAN":
        return f"CASE WHEN {cell} THEN 'True' WHEN NOT {cell} THEN 'False' END"
    if _kind(type) == "date":
        day = f"strftime({cell}, '{DAY_FORMAT}')"
        return f"CASE WHEN {cell} = date_trunc('day', {cell}) THEN {day} ELSE strftime({cell}, '{TIME_FORMAT}') END"
    if _kind(type) == "time":
        return f"strftime(make_timestamp(epoch_us({cell})), '{TIME_FORMAT}')"
    return f"{cell}::VARCHAR"


def _arrow(column: pd.Series) -> pa.Array | pa.ChunkedArray:
    """The column as Arrow, without copying text; mixed values become text."""
    if column.dtype == object:
        column = column.astype("str").where(column.notna())
    if isinstance(column.dtype, pd.CategoricalDtype) and not len(column.cat.categories):
        column = column.astype("str")  # DuckDB before 2.0 crashes on a dictionary without words
    array = pa.array(column, from_pandas=True)
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array
