"""What became of each school's students, teachers, courses, sections and enrollments, in counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kimono_explore.display import display_label

if TYPE_CHECKING:
    from kimono_explore.compare import Comparison
    from kimono_explore.roster.roster import Roster

KINDS = ("students", "teachers", "courses", "sections", "enrollments")
FATES = ("removed", "added", "recreated", "changed")
_NOT_SCHOOLS = ("lea", "district", "sea", "state", "nation", "national", "local", "department")
"""Types of orgs that are not schools."""
_SEPARATOR = "\x1f"


def schools(roster: Roster) -> pd.Series:
    """The names of the schools, by id."""
    orgs = roster.orgs.dropna(subset=["id"]).drop_duplicates("id")
    orgs = orgs[~orgs["org_type"].astype("str").str.strip().str.lower().isin(_NOT_SCHOOLS)]
    return pd.Series(display_label("orgs", orgs).to_numpy(), index=orgs["id"].to_numpy(), dtype="str")


def of_type(persons: pd.DataFrame, type: str) -> pd.DataFrame:
    """The persons of a type, however it is spelled."""
    return persons[persons["person_type"].astype("str").str.strip().str.lower() == type]


def members(roster: Roster) -> pd.DataFrame:
    """Who and what belongs to each school: school (NA where unknown), kind, id."""
    links, names = roster.links, schools(roster)
    linked = {
        relation: links.loc[links["relation"] == relation, ["source_id", "target_id"]].drop_duplicates()
        for relation in ("member_of", "offered_by", "held_at", "student_in")
    }
    memberships, offered, held = (
        linked[relation][linked[relation]["target_id"].isin(names.index)]
        for relation in ("member_of", "offered_by", "held_at")
    )
    parts = []
    for kind, type in (("students", "student"), ("teachers", "teacher")):
        people = of_type(roster.persons, type)[["id"]].dropna().drop_duplicates()
        parts.append(_with_school(people, memberships).assign(kind=kind))
    for kind, links_at in (("courses", offered), ("sections", held)):
        objects = roster.tables[kind][["id"]].dropna().drop_duplicates()
        parts.append(_with_school(objects, links_at).assign(kind=kind))
    enrolled = linked["student_in"].rename(columns={"target_id": "section"})
    rows = enrolled.merge(
        held.rename(columns={"source_id": "section", "target_id": "school"}), on="section", how="left"
    )
    ids = rows["source_id"].astype("str") + _SEPARATOR + rows["section"].astype("str")
    parts.append(pd.DataFrame({"id": ids, "school": rows["school"], "kind": "enrollments"}))
    return pd.concat(parts, ignore_index=True).dropna(subset=["id"])


def _with_school(objects: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    found = objects.merge(links, left_on="id", right_on="source_id", how="left")
    return pd.DataFrame({"id": found["id"], "school": found["target_id"]})


def measure(diff: Comparison, old: Roster, new: Roster, sides: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    """Counts for each school and kind, and for the whole district; ``sides`` are the `members` of the old and new roster.

    Returns
    -------
    pandas.DataFrame
        school (its new id; NA for the district), name, kind, before, after, removed, added, recreated, changed. An object that
        moved between schools is removed from one and added to the other. An object under a new id is recreated, neither
        removed nor added.
    """
    new_id_of = {table: _new_id_of(diff, table) for table in ("orgs", "persons", "courses", "sections")}
    before, after = sides[0].assign(recreated=False), sides[1]
    for kind in KINDS:
        of_kind = before["kind"] == kind
        before.loc[of_kind, ["id", "recreated"]] = _new_ids(before.loc[of_kind, "id"], kind, new_id_of).to_numpy()
    before["recreated"] = before["recreated"].astype(bool)
    before["school"] = _looked_up(before["school"], new_id_of["orgs"]).fillna(before["school"])
    changed = _changed(diff)
    rows = [
        _count_fates(before, after, changed, ["school", "kind", "id"]),
        _count_fates(before.assign(school=""), after.assign(school=""), changed, ["school", "kind", "id"]),
    ]
    counted = pd.concat(rows, ignore_index=True)
    names = pd.concat([schools(new), schools(old).rename(index=dict(new_id_of["orgs"]))])
    names = names[~names.index.duplicated()]
    district = counted["school"] == ""
    counted.insert(1, "name", counted["school"].map(names).where(~district, "the district").astype("str"))
    counted["school"] = counted["school"].mask(district)
    order = pd.Categorical(counted["kind"], KINDS)
    return counted.assign(order=order, last=district).sort_values(["last", "name", "school", "order"]).drop(
        columns=["order", "last"]
    ).reset_index(drop=True)  # fmt: skip


def _new_id_of(diff: Comparison, table: str) -> pd.Series:
    """The new ids of the objects of a table that were re-created, by their old ids."""
    found = diff.recreated(table)
    return pd.Series(found["new_id"].to_numpy(), index=found["old_id"].to_numpy(), dtype="str")


def _looked_up(ids: pd.Series, new_id_of: pd.Series) -> pd.Series:
    return ids.map(new_id_of).astype("str")


def _new_ids(ids: pd.Series, kind: str, new_id_of: dict[str, pd.Series]) -> pd.DataFrame:
    """The id of each object in the new roster, and whether it is a different one."""
    if kind != "enrollments":
        found = _looked_up(ids, new_id_of[kind if kind in new_id_of else "persons"])
        return pd.DataFrame({"id": found.fillna(ids), "recreated": found.notna()})
    ends = ids.str.split(_SEPARATOR, n=1, expand=True).reindex(columns=[0, 1]).astype("str")
    person, section = _looked_up(ends[0], new_id_of["persons"]), _looked_up(ends[1], new_id_of["sections"])
    new_ids = person.fillna(ends[0]) + _SEPARATOR + section.fillna(ends[1])
    return pd.DataFrame({"id": new_ids, "recreated": person.notna() | section.notna()})


def _changed(diff: Comparison) -> pd.DataFrame:
    """Kind and id of each object that changed but kept its id."""
    persons, courses, sections = (
        diff.changed(table)["id"].drop_duplicates() for table in ("persons", "courses", "sections")
    )
    links = diff.changed("links")
    links = links[links["relation"] == "student_in"]
    enrolled = (links["source_id"].astype("str") + _SEPARATOR + links["target_id"].astype("str")).drop_duplicates()
    of_kind = dict(zip(KINDS, (persons, persons, courses, sections, enrolled), strict=True))
    parts = [pd.DataFrame({"kind": kind, "id": ids, "changed": True}) for kind, ids in of_kind.items()]
    return pd.concat(parts, ignore_index=True)


def _count_fates(before: pd.DataFrame, after: pd.DataFrame, changed: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """How many objects of each school and kind met each fate."""
    matched = before.dropna(subset=keys).drop_duplicates(keys).merge(
        after.dropna(subset=keys).drop_duplicates(keys), on=keys, how="outer", indicator="side"
    ).merge(changed, on=["kind", "id"], how="left")  # fmt: skip
    kept = matched["side"] == "both"
    recreated = kept & (matched["recreated"] == True)  # noqa: E712  NA is neither
    flags = pd.DataFrame({
        "school": matched["school"], "kind": matched["kind"],
        "before": matched["side"] != "right_only", "after": matched["side"] != "left_only",
        "removed": matched["side"] == "left_only", "added": matched["side"] == "right_only",
        "recreated": recreated, "changed": kept & ~recreated & matched["changed"].notna(),
    })  # fmt: skip
    counts = flags.groupby(["school", "kind"], observed=True).sum().reset_index()
    counted: pd.DataFrame = counts.astype(dict.fromkeys(["before", "after", *FATES], np.int64))
    return counted
