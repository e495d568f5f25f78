"""Rows of two rosters, side by side where their keys are equal: an id, or what identifies a link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kimono_explore.compare.sources import SIDES

if TYPE_CHECKING:
    from collections.abc import Collection

    import duckdb
    import pandas as pd

    from kimono_explore.compare.sources import Aligned

LINK_KEY: tuple[str, ...] = ("source_type", "source_id", "relation", "target_type", "target_id", "role")
"""The columns that identify a link."""


def key_of(table: str) -> tuple[str, ...]:
    """The columns that identify a row."""
    return LINK_KEY if table == "links" else ("id",)


def pair(
    connection: duckdb.DuckDBPyConnection, aligned: Aligned, ignore: Collection[str], *, renamed: bool = False
) -> None:
    """Make the table ``paired_<table>``: old and new (row numbers, null where a side lacks the row), differs, renamed.

    ``renamed`` says that the view of the old rows has a column of this name.

    Where a key occurs more than once in a roster, its copies are paired in order, the first with the first. Keys are
    joined by their MD5 digest of 128 bits, contents are compared by a hash of 64: a third of the memory that the texts take.
    """
    table = aligned.table
    keys = [f'"{name}"' for name in key_of(table)]
    values = [f'"{alias}"' for name, alias in aligned.names.items() if name not in {*key_of(table), *ignore}]
    nameless = "false" if table == "links" else "id IS NULL"
    if any(_has_rows(connection, f"{side}_{table}", nameless) for side in SIDES):
        # A row without an id is identified by everything it holds.
        keys.append(f"CASE WHEN {nameless} THEN row({', '.join(values)})::VARCHAR END")
    for side in SIDES:
        moved = "coalesce(renamed, false)" if renamed and side == "old" else "false"
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {side} AS SELECT row, md5_number(row({', '.join(keys)})::VARCHAR) AS key, "
            f"hash({', '.join(values or ['0'])}) AS content, {moved} AS renamed FROM {side}_{table}"
        )
    # Where no old key repeats, the join cannot grow beyond the new rows; whether a new one does is seen by its size.
    repeats = _has_rows(connection, "(SELECT 1 FROM old GROUP BY key HAVING count(*) > 1)", "true")
    if not repeats:
        _join(connection, table, copy="0")
        ((found, rows),) = connection.execute(
            f"SELECT count(old), (SELECT count(*) FROM old) FROM paired_{table}"
        ).fetchall()
        repeats = found > rows
    if repeats:
        _join(connection, table, copy="row_number() OVER (PARTITION BY key ORDER BY row)")


def _join(connection: duckdb.DuckDBPyConnection, table: str, copy: str) -> None:
    old, new = (f"(SELECT *, {copy} AS copy FROM {side})" for side in SIDES)
    connection.execute(
        f"CREATE OR REPLACE TABLE paired_{table} AS SELECT o.row AS old, n.row AS new, o.content <> n.content AS differs, "
        f"coalesce(o.renamed, false) AS renamed FROM {old} o FULL JOIN {new} n ON o.key = n.key AND o.copy = n.copy"
    )


def count_repeated(connection: duckdb.DuckDBPyConnection, table: str) -> pd.DataFrame:
    """The keys that occur more than once in a roster, and how often in each: the key's columns, old, new."""
    named = ", ".join(key_of(table))
    known = "true" if table == "links" else "id IS NOT NULL"
    found: pd.DataFrame = connection.execute(
        f"SELECT {named}, sum(o)::BIGINT AS old, sum(n)::BIGINT AS new FROM (SELECT {named}, 1 AS o, 0 AS n FROM old_{table} "
        f"UNION ALL SELECT {named}, 0, 1 FROM new_{table}) WHERE {known} GROUP BY {named} HAVING greatest(sum(o), sum(n)) > 1"
    ).df()
    return found


def _has_rows(connection: duckdb.DuckDBPyConnection, view: str, condition: str) -> bool:
    return bool(connection.execute(f"SELECT 1 FROM {view} WHERE {condition} LIMIT 1").fetchall())
