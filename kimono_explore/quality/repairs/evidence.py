"""The roster as repair rules query it, and what they propose: edits."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from kimono_explore.display import FIELD_WORDS, display_label, plural
from kimono_explore.schema import OBJECT_TYPES

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping, Sequence

    from kimono_explore.roster.roster import Roster

SHARE = 0.9
"""The share of similar objects that must agree to count as evidence."""
ALIKE = 3
"""Fewer similar objects than this are not evidence."""


STANDS_FOR = {
    "child_of": "parent",
    "offered_by": "school",
    "of_course": "course",
    "held_at": "school",
    "in_term": "term",
    "member_of": "school",
    "student_in": "section",
    "teacher_in": "section",
    "graded_in": "section",
    "graded_for": "term or school",
}
"""What the target of a relation is to its source."""
LISTED_AS = {"student_in": "student", "teacher_in": "teacher", "member_of": "member", "child_of": "child"}
"""What the source of a relation is to its target."""


class Edit(NamedTuple):
    """One edit in the source system.

    Attributes
    ----------
    kind : {"change", "remove", "add"}
    table, id : str
        The object of which a person speaks.
    text, why : str
        What to do, and what says so.
    place : str
        The table whose rows are edited: one of the six, or ``"links"``.
    rows : tuple of int
        Their positions; empty for something new.
    cells : mapping
        The new values of the rows' cells, or of the new row; for a link the row that it is like is among ``rows``.
    checks : tuple of str
        The checks of which findings led to it.
    touched : frozenset of str
        The ids of the objects that it concerns.
    """

    kind: str
    table: str
    id: str
    text: str
    why: str
    place: str
    rows: tuple[int, ...]
    cells: Mapping[str, object]
    checks: tuple[str, ...]
    touched: frozenset[str]


class Evidence:
    """A roster and what fails in it, indexed for the rules.

    Parameters
    ----------
    roster : Roster
    failures : mapping of str to pandas.DataFrame
        For each check that failed, its failing rows.
    """

    def __init__(self, roster: Roster, failures: Mapping[str, pd.DataFrame]) -> None:
        self.roster, self.links, self._failures = roster, roster.links, failures
        self._ends: dict[tuple[str, str], dict[Hashable, np.ndarray]] = {}

    def failing(self, *checks: str) -> Iterator[tuple[str, pd.Series]]:
        """The failing rows of some checks that have an id, each with its check."""
        for check in checks:
            for _, row in self._failures.get(check, pd.DataFrame()).iterrows():
                if isinstance(row["id"], str):
                    yield check, row

    @cached_property
    def ids(self) -> dict[str, frozenset[str]]:
        """The ids of each type of object."""
        return {type: frozenset(self.roster.tables[name]["id"].dropna()) for name, type in OBJECT_TYPES.items()}

    def link_rows(self, relation: str, side: str, id: str) -> np.ndarray:
        """The positions in ``links`` of a relation's links that have an id on one side."""
        key = relation, side
        if key not in self._ends:
            rows = np.flatnonzero((self.links["relation"] == relation).to_numpy())
            ids = self.links[f"{side}_id"].iloc[rows]
            self._ends[key] = {id: rows[np.asarray(places)] for id, places in ids.groupby(ids).indices.items()}
        return self._ends[key].get(id, np.array([], dtype=np.int64))

    def typical_link(self, relation: str, target: str) -> int:
        """The position of a typical link to the target, as a pattern for a new one."""
        here = self.link_rows(relation, "target", target)
        here = here if len(here) else np.flatnonzero((self.links["relation"] == relation).to_numpy())
        stated = self.links["stated_by"].iloc[here]
        return int(here[(stated == stated.mode().iloc[0]).to_numpy()][0])

    def other_ends(self, relation: str, side: str, id: str) -> list[str]:
        """The delivered ids on the other side of an object's links, without repeats."""
        other = "target" if side == "source" else "source"
        links = self.links.iloc[self.link_rows(relation, side, id)]
        known = [
            far for type, far in zip(links[f"{other}_type"], links[f"{other}_id"], strict=True) if far in self.ids[type]
        ]
        return list(dict.fromkeys(known))

    def name(self, table: str, id: str) -> str:
        """An object as a person calls it."""
        label = self._names[table].get(id)
        return label if isinstance(label, str) else id

    @cached_property
    def _names(self) -> dict[str, dict[Hashable, object]]:
        return {
            name: dict(zip(df["id"], display_label(name, df), strict=True)) for name, df in self.roster.tables.items()
        }

    def row_of(self, table: str, id: str) -> int | None:
        """The row of an id, if there is exactly one."""
        rows = self._rows[table].get(id)
        return int(rows[0]) if rows is not None and len(rows) == 1 else None

    @cached_property
    def _rows(self) -> dict[str, dict[Hashable, np.ndarray]]:
        tables = self.roster.tables.items()
        return {
            name: {id: np.asarray(rows) for id, rows in df["id"].groupby(df["id"]).indices.items()}
            for name, df in tables
        }

    def person_type(self, id: str) -> str | None:
        row = self.row_of("persons", id)
        return None if row is None else self.roster.persons["person_type"].iloc[row]


def in_words(name: str) -> str:
    """A field of a roster as a person calls it."""
    return FIELD_WORDS.get(name, name.removeprefix("ext_").replace("_", " "))


def another(relation: str, side: str, others: Sequence[str]) -> str:
    """What else there is at an object's links of a relation: ``"is another term"``, ``"are 2 other terms"``."""
    noun = STANDS_FOR[relation] if side == "source" else LISTED_AS.get(relation, "object")
    return f"is another {noun}" if len(others) == 1 else f"are {plural(len(others), f'other {noun}')}"
