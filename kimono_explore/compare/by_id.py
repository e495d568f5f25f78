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
    moved = "coalesce(o.renamed, false)" if renamed else "false"
    differs = " OR ".join(f"o.{name} IS DISTINCT FROM n.{name}" for name in values) or "false"
    query = (
        f"SELECT o.row AS old, n.row AS new, {differs} AS differs, {moved} AS renamed FROM old o FULL JOIN new n ON "
    )
    on = [f"o.k{place} IS NOT DISTINCT FROM n.k{place}" for place in range(len(keys))]
    # Where no old key repeats, the join cannot grow beyond the new rows; whether a new one does is seen by its size.
    single = not _repeats(connection, f"old_{table}", keys)
    if single:
        _view_keys(connection, table, keys)
        connection.execute(f"CREATE OR REPLACE TABLE paired_{table} AS {query} {' AND '.join(on)}")
        ((found, rows),) = connection.execute(
            f"SELECT count(old), (SELECT count(*) FROM old_{table}) FROM paired_{table}"
        ).fetchall()
        single = found == rows
    if not single:
        _view_keys(connection, table, keys, copies=True)
        connection.execute(
            f"CREATE OR REPLACE TABLE paired_{table} AS {query} {' AND '.join([*on, 'o.copy_ = n.copy_'])}"
        )


def _repeats(connection: duckdb.DuckDBPyConnection, view: str, keys: list[str]) -> bool:
    """Whether a key may occur twice: by a number made of it, which is fast; that two keys share one does no harm."""
    return _any(connection, f"(SELECT 1 FROM {view} GROUP BY hash({', '.join(keys)}) HAVING count(*) > 1)", "true")


def _view_keys(connection: duckdb.DuckDBPyConnection, table: str, keys: list[str], *, copies: bool = False) -> None:
    """Make the views ``old`` and ``new``: the rows with their keys k0, k1, ...; ``copies`` numbers those of one key."""
    named = ", ".join(f"{key} AS k{place}" for place, key in enumerate(keys))
    copy = f", row_number() OVER (PARTITION BY {', '.join(keys)} ORDER BY row) AS copy_" if copies else ""
    for side in SIDES:
        connection.execute(f"CREATE OR REPLACE VIEW {side} AS SELECT *, {named}{copy} FROM {side}_{table}")


def count_repeated(connection: duckdb.DuckDBPyConnection, table: str) -> pd.DataFrame:
    """The keys that occur more than once in a roster, and how often in each: the key's columns, old, new."""
    named = ", ".join(key_of(table))
    known = "true" if table == "links" else "id IS NOT NULL"
    found: pd.DataFrame = connection.execute(
        f"SELECT {named}, sum(o)::BIGINT AS old, sum(n)::BIGINT AS new FROM (SELECT {named}, 1 AS o, 0 AS n FROM old_{table} "
        f"UNION ALL SELECT {named}, 0, 1 FROM new_{table}) WHERE {known} GROUP BY {named} HAVING greatest(sum(o), sum(n)) > 1"
    ).df()
    return found


def _any(connection: duckdb.DuckDBPyConnection, view: str, condition: str) -> bool:
    return bool(connection.execute(f"SELECT 1 FROM {view} WHERE {condition} LIMIT 1").fetchall())


def _visible(name: str) -> str:
    """A value as text in which a missing one differs from an empty one."""
    return f"coalesce({name}::VARCHAR, chr(30))"
