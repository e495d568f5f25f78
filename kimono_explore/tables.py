"""The tables of a roster as data: what readers of files return and writers accept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kimono_explore.frames import frame
from kimono_explore.schema import REFERENCES, TABLES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(eq=False, repr=False)
class Tables:
    """Six tables, the links between their objects, and what did not fit.

    Attributes
    ----------
    orgs, persons, courses, sections, terms, grading_categories : pandas.DataFrame
        One row per object, with a string ``id`` column.
    links : pandas.DataFrame
        One row per link between two objects: source_type, source_id, relation, target_type, target_id, role,
        membership_id, status, primary, grade, start_date, end_date, stated_by.
    problems : pandas.DataFrame
        Everything that did not fit: table, id, column, value (as sent), problem.
    source : str
        Where the roster came from, in words.
    loaded_at : datetime.datetime
        When it was loaded, in UTC.
    rollups : frozenset of str
        The reference keys (rollups) that were sent, such as ``"persons.$sections"``. A rollup that is not among them is
        unknown, not empty.
    """

    orgs: pd.DataFrame = field(default_factory=lambda: frame("orgs"))
    persons: pd.DataFrame = field(default_factory=lambda: frame("persons"))
    courses: pd.DataFrame = field(default_factory=lambda: frame("courses"))
    sections: pd.DataFrame = field(default_factory=lambda: frame("sections"))
    terms: pd.DataFrame = field(default_factory=lambda: frame("terms"))
    grading_categories: pd.DataFrame = field(default_factory=lambda: frame("grading_categories"))
    links: pd.DataFrame = field(default_factory=lambda: frame("links"))
    problems: pd.DataFrame = field(default_factory=lambda: frame("problems"))
    source: str = "made in Python"
    loaded_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    rollups: frozenset[str] = frozenset(f"{r.table}.{r.key}" for r in REFERENCES)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The six tables by name."""
        return {name: getattr(self, name) for name in TABLES}

    def counts(self) -> dict[str, int]:
        """The number of rows of each of the six tables."""
        return {name: len(df) for name, df in self.tables.items()}
