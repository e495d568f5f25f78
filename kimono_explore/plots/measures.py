"""The numbers behind the pictures, counted on ``roster.index`` in numpy: repeated links count once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from kimono_explore.display import in_grade_order
from kimono_explore.plots.style import Name, short
from kimono_explore.quality.run import grades_by_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kimono_explore.roster.roster import Roster

    Codes = NDArray[np.int64]


class Pairs(NamedTuple):
    """Both ends of links, in codes of ``roster.index``."""

    source: Codes
    target: Codes


def pairs(roster: Roster, relation: str, role: str | None = None) -> Pairs:
    """The distinct pairs of objects that a relation links; links without an id at one end are left out."""
    index, links = roster.index, roster.links
    kept = (links["relation"] == relation).to_numpy(dtype=bool)
    if role is not None:
        kept = kept & (links["role"] == role).to_numpy(dtype=bool)
    kept = kept & (index.source >= 0) & (index.target >= 0)
    both = np.unique(index.source[kept].astype(np.int64) * max(1, index.size) + index.target[kept])
    return Pairs(both // max(1, index.size), both % max(1, index.size))


def codes_of(roster: Roster, type: str) -> Codes:
    """The codes of a table's objects, in the order of the table."""
    ids = pd.Series(roster.table(type)["id"].dropna().unique(), dtype="str")
    return roster.index.codes(pd.Series([type] * len(ids), dtype="str"), ids).astype(np.int64)


def names(roster: Roster, codes: Sequence[int] | Codes, most: int = 30) -> list[Name]:
    """The names of objects: the label, with the id if labels repeat; for those not delivered, the id."""
    index = roster.index
    labels, ids = [str(label) for label in index.labels(codes)], [str(id) for id in index.ids(codes)]
    repeated = Counter(short(label, most) for label in labels)
    shown = []
    for label, id, lost in zip(labels, ids, index.missing(codes).tolist(), strict=True):
        if lost:
            shown.append(Name(f"{short(id, 12)} (not delivered)", missing=True))
        elif repeated[short(label, most)] > 1 and label != id:
            shown.append(Name(f"{short(label, max(12, most - 12))} ({_short_id(id)})"))
        else:
            shown.append(Name(short(label, most)))
    return shown


def _short_id(id: str) -> str:
    """Enough of an id to tell it from others: the start of a UUID, both ends of any other long id."""
    if len(id) <= 16:
        return id
    return f"{id[:8]}…" if len(id) == 36 and id[8] == "-" else f"{id[:9]}…{id[-14:]}"


def students_by_org(roster: Roster) -> pd.Series[int]:
    """How many students each org has; by code, most first."""
    return counted(pairs(roster, "member_of", "student").target)


def section_sizes(roster: Roster) -> pd.Series[int]:
    """How many students each delivered section has; by code, in the order of the table."""
    sections = codes_of(roster, "section")
    counts = np.bincount(pairs(roster, "student_in").target, minlength=max(1, roster.index.size))
    return pd.Series(counts[sections], index=sections, dtype="int64")


def counted(codes: Codes) -> pd.Series[int]:
    """How often each code occurs, most first, then as they are numbered."""
    found, counts = np.unique(codes, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return pd.Series(counts[order], index=found[order], dtype="int64")


def top(counts: pd.Series[int], most: int) -> tuple[pd.Series[int], pd.Series[int]]:
    """The first of a ranking, and the rest, where the rest is more than one."""
    return (counts, counts.iloc[:0]) if len(counts) <= most else (counts.iloc[: most - 1], counts.iloc[most - 1 :])


def row_of(codes: Codes, shown: pd.Index) -> Codes:
    """The row of each code among those shown; the others are in the row after the last."""
    found = shown.get_indexer(pd.Index(codes))
    return np.where(found < 0, len(shown), found).astype(np.int64)


def grades(roster: Roster) -> pd.Series[str]:
    """The grade of each delivered person, as the checks have it, NA where it is not known; by code."""
    ids = roster.persons["id"].dropna().drop_duplicates()
    return pd.Series(ids.map(grades_by_person(roster)).to_numpy(dtype=object), codes_of(roster, "person"), dtype="str")


def grade_span(said: Sequence[str]) -> str:
    """``KG-05``: the youngest and the oldest grade."""
    ordered = in_grade_order(list(dict.fromkeys(said)))
    return "" if not ordered else ordered[0] if len(ordered) == 1 else f"{ordered[0]}\u2013{ordered[-1]}"
