"""The score: the share of people whom no finding harms.

An error that reaches a person counts in full, a warning as a quarter, information not at all; of several findings about one
person the worst counts. Rows of orgs, sections, courses or terms that pass change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

SCORE_COLUMNS = ("scope", "id", "name", "people", "errors", "warnings", "score")
_FULL = 4
"""An error weighs four times as much as a warning."""


def score_of(people: int, errors: int, warnings: int) -> int | None:
    """0 to 100, rounded down, so that 100 means that nobody is harmed; None without people.

    Examples
    --------
    >>> score_of(people=500, errors=226, warnings=40)
    52
    """
    if not people:
        return None
    return 100 * (_FULL * (people - errors) - warnings) // (_FULL * people)


def make_scores(harmed: pd.DataFrame | None, names: Mapping[str, str]) -> pd.DataFrame:
    """One row for the district, each school and each table: scope, id, name, people, errors, warnings, score."""
    if harmed is None or not harmed["people"].any():
        return pd.DataFrame({name: pd.Series(dtype="str") for name in SCORE_COLUMNS})
    df = harmed.copy()
    df["name"] = df["id"].map(dict(names)).where(df["scope"] == "school").astype("str")
    counts = zip(df["people"], df["errors"], df["warnings"], strict=True)
    df["score"] = pd.Series([score_of(*map(int, row)) for row in counts], index=df.index, dtype="Int64")
    return df[list(SCORE_COLUMNS)]
