"""The same model across two lists of persons, in plain SQL: who of the one is probably who of the other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.duplicates.keys import prepare
from kimono_explore.duplicates.model import BLOCKS, COMPARISONS, MACROS

if TYPE_CHECKING:
    import duckdb

    from kimono_explore.duplicates.model import Comparison


def score_pairs(connection: duckdb.DuckDBPyConnection, persons: pd.DataFrame, first: int) -> pd.DataFrame:
    """Pairs of a person among the first rows and one among the others whose names are alike.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    persons : pandas.DataFrame
        Both lists, one after the other.
    first : int
        How many rows the first list has.

    Returns
    -------
    pandas.DataFrame
        old, new (places in ``persons``), weight (the logarithm of the odds) and probability. Each person of the
        shorter list is expected to be in the other one.
    """
    for macro in MACROS:
        connection.execute(macro.replace("CREATE MACRO", "CREATE OR REPLACE TEMP MACRO"))
    prepare(connection, persons, pd.Series(float("nan"), index=persons.index, dtype="str"))
    blocks = " UNION ".join(
        f"SELECT l.row AS old, r.row AS new FROM ready l JOIN ready r ON {_equal(columns)} "
        f"WHERE l.row < {first} AND r.row >= {first}"
        for columns in BLOCKS
    )
    described = connection.execute("DESCRIBE ready").fetchall()
    both = ", ".join(f'{side}."{row[0]}" AS "{row[0]}_{side}"' for side in "lr" for row in described)
    # One pair in this number is one person by chance.
    prior = -math.log(max(first, len(persons) - first))
    weight = " + ".join([str(prior), *map(_weight, COMPARISONS)])
    found: pd.DataFrame = connection.execute(
        f"SELECT row_l AS old, row_r AS new, {weight} AS weight, 1 / (1 + exp(-weight)) AS probability "
        f"FROM (SELECT {both} FROM ({blocks}) JOIN ready l ON l.row = old JOIN ready r ON r.row = new) "
        f"WHERE {_names_alike()}"
    ).df()
    connection.execute("DROP TABLE ready")
    return found


def _equal(columns: tuple[str, ...]) -> str:
    return " AND ".join(part if part.startswith("(") else f"l.{part} = r.{part}" for part in (*columns, "kind"))


def _weight(comparison: Comparison) -> str:
    """What the outcome of a comparison adds to the logarithm of the odds."""
    levels = " ".join(f"WHEN {level.sql} THEN {math.log(level.m / level.u)}" for level in comparison.levels[:-1])
    last = comparison.levels[-1]
    return f"CASE WHEN {comparison.unknown} THEN 0 {levels} ELSE {math.log(last.m / last.u)} END"


def _names_alike() -> str:
    """Who differs in the first name is somebody else, whatever else agrees."""
    return " OR ".join(f"({level.sql})" for level in COMPARISONS[0].levels[:-1])
