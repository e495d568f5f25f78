"""What people ask about a roster: who shares classes with whom, and what depends on one object alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kimono_explore.errors import expect
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import IN_SECTION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kimono_explore.roster.index import LinkIndex


def shared_classes(roster: Roster, person_id: str) -> pd.DataFrame:
    """Find who shares classes with a person, starting with those who share the most.

    Parameters
    ----------
    roster : Roster
    person_id : str
        A student or a teacher.

    Returns
    -------
    pandas.DataFrame
        One row for each other student or teacher in any of the person's sections: person_id, name, person_type, classes
        (how many they share) and sections (their names, separated by commas).

    Raises
    ------
    KeyError
        No person has this id.

    Examples
    --------
    >>> student = roster.persons.query("person_type == 'student'")["id"].iloc[0]
    >>> kx.shared_classes(roster, student)["classes"].is_monotonic_decreasing
    True
    """
    expect("shared_classes", roster, Roster)
    index = roster.index
    person = index.code(person_id, "person")
    own = _seats(roster, index.links_from([person]))
    seats = _seats(roster, index.links_to(np.unique(index.target[own])))
    pairs = pd.DataFrame({"person": index.source[seats], "section": index.target[seats]}).drop_duplicates()
    pairs = pairs[(pairs["person"] != person) & (pairs["person"] >= 0)]
    pairs["title"] = index.labels(pairs["section"].to_numpy()).astype(str)
    both = pairs.sort_values(["title", "section"]).groupby("person")["title"].agg(["size", ", ".join])
    codes = both.index.to_numpy(dtype=np.int64)
    shared = pd.DataFrame(
        {
            "person_id": pd.Series(index.ids(codes), dtype="str"),
            "name": pd.Series(index.labels(codes), dtype="str"),
            "person_type": _person_types(roster, codes),
            "classes": pd.Series(both["size"].to_numpy(), dtype="int64"),
            "sections": pd.Series(both["join"].to_numpy(), dtype="str"),
        }
    )
    return shared.sort_values(["classes", "name", "person_id"], ascending=[False, True, True], ignore_index=True)


def _seats(roster: Roster, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The links among these by which somebody studies or teaches in a section."""
    index = roster.index
    rows = rows[(index.source[rows] >= 0) & (index.target[rows] >= 0)]
    return rows[roster.links["relation"].iloc[rows].isin(IN_SECTION).to_numpy(dtype=bool)]


def _person_types(roster: Roster, codes: NDArray[np.int64]) -> pd.Series[str]:
    rows = roster.index.rows(codes)
    kinds = roster.persons["person_type"].astype("str").iloc[np.maximum(rows, 0)] if len(roster.persons) else None
    if kinds is None:
        return pd.Series([None] * len(codes), dtype="str")
    return kinds.reset_index(drop=True).where(pd.Series(rows >= 0))


def dependents(roster: Roster, id: str, type: str | None = None, *, only: bool = True) -> pd.DataFrame:
    """Find what would be lost without an object: the objects linked to it and to no other object of its kind.

    Without a section, these are the students and teachers who would be left in no section, and the course or term that
    would be left with none. Without a school, they are its persons, courses and sections that belong to no other
    school. Only this one step is considered, not what would be lost in turn.

    Parameters
    ----------
    roster : Roster
    id : str
    type : str, optional
        Needed only if objects of two types share the id.
    only : bool, default True
        Return only what depends on this object alone. False: return everything linked to it, so that the sum of
        ``lost`` counts the memberships and other links that would be lost.

    Returns
    -------
    pandas.DataFrame
        One row per object and relation: type, id, label, relation, direction (``"to"`` if the link leads to it from the
        lost object), lost (the number of its links to the lost object) and left (how many other delivered objects it is
        linked to by that relation). Objects left with the fewest come first.

    Raises
    ------
    KeyError
        No object has this id.
    ValueError
        Objects of several types have this id, and no type was given.

    Examples
    --------
    >>> section = roster.sections["id"][0]
    >>> kx.dependents(roster, section)["left"].unique().tolist()
    [0]
    >>> int(kx.dependents(roster, section, only=False)["lost"].sum()) == len(roster.describe(section).relations)
    True
    """
    expect("dependents", roster, Roster)
    index = roster.index
    gone = index.code(id, type)
    found = pd.concat([_linked(roster, gone, "to"), _linked(roster, gone, "from")], ignore_index=True)
    if only:
        found = found[found["left"] == 0]
    codes = found["code"].to_numpy(dtype=np.int64)
    columns = {"type": index.type_of(codes), "id": index.ids(codes), "label": index.labels(codes)}
    named = {name: pd.Series(values, index=found.index, dtype="str") for name, values in columns.items()}
    shown = pd.DataFrame(named).join(found[["relation", "direction", "lost", "left"]])
    return shown.sort_values(["left", "type", "label", "id"], ignore_index=True)


def _linked(roster: Roster, gone: int, direction: str) -> pd.DataFrame:
    """The delivered objects linked with one object, in either direction: code, relation, lost, left."""
    index = roster.index
    rows = index.links_from([gone]) if direction == "to" else index.links_to([gone])
    near = _delivered(index, np.unique((index.target if direction == "to" else index.source)[rows]))
    near = near[near != gone]
    rows = index.links_to(near) if direction == "to" else index.links_from(near)
    ends = (index.target, index.source) if direction == "to" else (index.source, index.target)
    links = pd.DataFrame(
        {
            "code": ends[0][rows].astype(np.int64),
            "other": ends[1][rows].astype(np.int64),
            "relation": roster.links["relation"].iloc[rows].astype("str").to_numpy(),
        }
    )
    keys = ["code", "relation"]
    lost = links[links["other"] == gone].groupby(keys).size().rename("lost")
    others = links[(links["other"] != gone) & (links["other"] != links["code"])]
    others = others[others["other"].isin(_delivered(index, others["other"].unique()))]
    left = others.groupby(keys)["other"].nunique().rename("left")
    both = lost.to_frame().join(left).fillna({"left": 0}).astype("int64").reset_index()
    return both.assign(direction=direction).astype({"relation": "str", "direction": "str"})


def _delivered(index: LinkIndex, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    codes = codes[codes >= 0].astype(np.int64)
    return codes[~index.missing(codes)]
