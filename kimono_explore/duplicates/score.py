"""Pairs of persons and the probability that they are one: the model's blocks and comparisons, as SQL over ``ready``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.duplicates.keys import prepare
from kimono_explore.duplicates.model import BLOCKS, COMPARISONS, alike, spelled

if TYPE_CHECKING:
    import duckdb

    from kimono_explore.duplicates.model import Comparison, Learned

_NAME = COMPARISONS[0]


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
    prepare(connection, persons, pd.Series(float("nan"), index=persons.index, dtype="str"))
    # One pair in this number is one person by chance.
    prior = -math.log(max(first, len(persons) - first))
    found = weighed(connection, f"l.row < {first} AND r.row >= {first}", prior)
    connection.execute("DROP TABLE ready")
    return found.rename(columns={"row_l": "old", "row_r": "new"})[["old", "new", "weight", "probability"]]


def weighed(
    connection: duckdb.DuckDBPyConnection,
    which: str,
    prior: float,
    learned: Learned | None = None,
    *,
    said: tuple[Comparison, ...] = (),
    across_types: bool = False,
    threshold: float = 0.0,
) -> pd.DataFrame:
    """The pairs of ``ready`` that share a block and whose first names are alike.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    which : str
        A condition on ``l`` and ``r``: which rows may be a pair.
    prior : float
        The logarithm of the odds before anything is compared.
    learned : dict, optional
        m and u by comparison and level. Default: the model's own, which count a rare name no more than a usual one.
    said : tuple of Comparison
        What is compared to be told, and weighs nothing.
    across_types : bool, default False
        Also persons of different types.
    threshold : float, default 0
        The least probability.

    Returns
    -------
    pandas.DataFrame
        row_l, row_r, weight, probability, and the level of each comparison (``gamma_name``, ...).
    """
    blocks = " UNION ".join(
        f"SELECT l.row AS low, r.row AS high FROM ready l JOIN ready r ON {alike(columns, across_types)} WHERE {which}"
        for columns in BLOCKS
    )
    described = connection.execute("DESCRIBE ready").fetchall()
    both = ", ".join(f'{side}."{row[0]}" AS "{row[0]}_{side}"' for side in "lr" for row in described)
    others = ", ".join(spelled(comparison) for comparison in (*COMPARISONS[1:], *said))
    weight = " + ".join([str(prior), *(_weight(comparison, learned) for comparison in COMPARISONS)])
    # Who differs in the first name is a twin, a brother or a sister, whatever else agrees.
    found: pd.DataFrame = connection.execute(
        f"WITH pairs AS (SELECT {both} FROM ({blocks}) JOIN ready l ON l.row = low JOIN ready r ON r.row = high), "
        f"near AS (SELECT *, {spelled(_NAME)} FROM pairs WHERE gamma_name > 0), "
        f"compared AS (SELECT row_l, row_r, name_share_l, gamma_name, {others} FROM near) "
        f"SELECT row_l, row_r, {weight} AS weight, 1 / (1 + exp(-weight)) AS probability, "
        f"COLUMNS('gamma_.*') FROM compared WHERE probability >= {threshold}"
    ).df()
    return found


def _weight(comparison: Comparison, learned: Learned | None) -> str:
    """What the outcome of a comparison adds to the logarithm of the odds."""
    cases = []
    for gamma, level in enumerate(reversed(comparison.levels)):
        m, u = (learned or {}).get((comparison.name, level.sql), (level.m, level.u))
        # A name that few bear says more than a usual one: its own share stands for u.
        worth = f"ln({m} / {level.frequency}_l)" if level.frequency and learned else str(math.log(m / u))
        cases.append(f"WHEN {gamma} THEN {worth}")
    return f"CASE gamma_{comparison.name} {' '.join(cases)} ELSE 0 END"
