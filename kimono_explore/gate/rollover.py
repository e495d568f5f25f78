"""Whether a new school year began (a rollover): then all sections end and new ones begin, which is no alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from kimono_explore.gate.measures import of_type

if TYPE_CHECKING:
    from datetime import date

    from kimono_explore.compare import Comparison
    from kimono_explore.roster.roster import Roster

_NEARLY_ALL = 0.95
"""The least share of sections that end, of new ones in later terms, and of students who keep their ids."""
_ENOUGH_STAYING = 0.5
"""The least share of students who are still there: in a district with few grades, many leave."""


class Sign(NamedTuple):
    """One sign of a rollover, in words, and whether it is present."""

    words: str
    holds: bool


def signs(diff: Comparison, old: Roster, new: Roster, today: date) -> list[Sign]:
    """The signs of a rollover; it is one only if all of them hold."""
    before, after = _used_terms(old), _used_terms(new)
    last_day = before["end_date"].max()
    new_terms = after[~after["id"].isin(before["id"])]
    later_terms = new_terms[new_terms["start_date"] > last_day] if pd.notna(last_day) else new_terms.head(0)
    is_over = not len(before) or bool((pd.Timestamp(today) >= last_day) if pd.notna(last_day) else False)
    kept = len(old.sections) - len(diff.removed("sections"))
    sections_in_later = _sections_in(new, set(later_terms["id"]))
    added = diff.added("sections")["id"].dropna()
    students = of_type(old.persons, "student")["id"].dropna()
    removed = set(diff.removed("persons")["id"])
    recreated = set(diff.recreated("persons")["old_id"])
    staying = students[~students.isin(removed)]
    return [
        Sign("The terms of the old school year are over", is_over and len(before) > 0),
        Sign(
            f"{int(added.isin(sections_in_later).sum()):,} of {len(added):,} new sections belong to terms that begin after them",
            bool(len(added)) and float(added.isin(sections_in_later).mean()) >= _NEARLY_ALL,
        ),
        Sign(
            f"{len(old.sections) - kept:,} of {len(old.sections):,} sections ended",
            len(old.sections) > 0 and kept <= (1 - _NEARLY_ALL) * len(old.sections),
        ),
        Sign(
            f"{len(staying):,} of {len(students):,} students are still there",
            len(students) > 0 and len(staying) >= _ENOUGH_STAYING * len(students),
        ),
        Sign(
            f"{len(staying) - int(staying.isin(recreated).sum()):,} of these {len(staying):,} kept their ids",
            float(staying.isin(recreated).mean() if len(staying) else 1) <= 1 - _NEARLY_ALL,
        ),
    ]


def _used_terms(roster: Roster) -> pd.DataFrame:
    """The terms that sections are in."""
    links = roster.links
    used = links.loc[links["relation"] == "in_term", "target_id"]
    return roster.terms[roster.terms["id"].isin(used)]


def _sections_in(roster: Roster, terms: set[str]) -> set[str]:
    links = roster.links
    return set(links.loc[(links["relation"] == "in_term") & links["target_id"].isin(terms), "source_id"])
