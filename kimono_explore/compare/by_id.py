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

    Where a key occurs more than once in a roster, its copies are paired in order, the first with the first.
    """
    table = aligned.table
    keys = [f'"{name}"' for name in key_of(table)]
    values = [f'"{alias}"' for name, alias in aligned.names.items() if name not in {*key_of(table), *ignore}]
    nameless = "false" if table == "links" else "id IS NULL"
    if any(_any(connection, f"{side}_{table}", nameless) for side in SIDES):
        # A row without an id is identified by everything it holds.
        keys.append(f"CASE WHEN {nameless} THEN concat_ws(chr(31), {', '.join(_visible(name) for name in values)}) END")
    for side in SIDES:
        _number_copies(connection, side, table, keys)
    repeated = any(_any(connection, f"copies_{side}", "true") for side in SIDES)
    for side in SIDES:
        copy = "coalesce(copy, 1)" if repeated else "1"
        joined = f"LEFT JOIN copies_{side} USING (row)" if repeated else ""
        named = ", ".join(f"{key} AS k{place}" for place, key in enumerate(keys))
        connection.execute(
            f"CREATE OR REPLACE VIEW {side} AS SELECT *, {copy} AS copy_, {named} FROM {side}_{table} {joined}"
        )
    on = [f"o.k{place} IS NOT DISTINCT FROM n.k{place}" for place in range(len(keys))]
    on += ["o.copy_ = n.copy_"] if repeated else []
    differs = " OR ".join(f"o.{name} IS DISTINCT FROM n.{name}" for name in values) or "false"
    moved = "coalesce(o.renamed, false)" if renamed else "false"
    connection.execute(
        f"CREATE OR REPLACE TABLE paired_{table} AS SELECT o.row AS old, n.row AS new, {differs} AS differs, "
        f"{moved} AS renamed FROM old o FULL JOIN new n ON {' AND '.join(on)}"
    )


def _number_copies(connection: duckdb.DuckDBPyConnection, side: str, table: str, keys: list[str]) -> None:
    """Make the table ``copies_<side>``: the rows whose key has come before, and which copy each of them is."""
    named = ", ".join(keys)
    # Rows are grouped by a number, which is fast; that two keys share one does no harm.
    connection.execute(
        f"CREATE OR REPLACE TABLE copies_{side} AS "
        f"SELECT row, row_number() OVER (PARTITION BY {named} ORDER BY row) AS copy FROM {side}_{table} "
        f"WHERE hash({named}) IN (SELECT hash({named}) FROM {side}_{table} GROUP BY 1 HAVING count(*) > 1) QUALIFY copy > 1"
    )


def count_repeated(connection: duckdb.DuckDBPyConnection, table: str) -> pd.DataFrame:
    """The keys that occur more than once in a roster, and how often in each: the key's columns, old, new.

    To be asked after `pair`, whose views it reads.
    """
    keys = key_of(table)
    named = ", ".join(keys)
    same = " AND ".join(f"r.{key} IS NOT DISTINCT FROM s.{key}" for key in keys)
    repeated = " UNION ".join(f"SELECT {named} FROM {side}_{table} JOIN copies_{side} USING (row)" for side in SIDES)
    counts = ", ".join(f"(SELECT count(*) FROM {side}_{table} s WHERE {same}) AS {side}" for side in SIDES)
    known = "true" if table == "links" else "id IS NOT NULL"
    found: pd.DataFrame = connection.execute(f"SELECT {named}, {counts} FROM ({repeated}) r WHERE {known}").df()
    return found


def _any(connection: duckdb.DuckDBPyConnection, view: str, condition: str) -> bool:
    return bool(connection.execute(f"SELECT 1 FROM {view} WHERE {condition} LIMIT 1").fetchall())


def _visible(name: str) -> str:
    """A value as text in which a missing one differs from an empty one."""
    return f"coalesce({name}::VARCHAR, chr(30))"
