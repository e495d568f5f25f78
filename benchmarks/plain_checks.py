"""Ten relational checks as somebody would write them in pandas: merge, duplicated, groupby."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from kimono_explore import Roster

TEN = (
    "duplicate_id",
    "duplicate_state_id",
    "orphan_student_in",
    "orphan_of_course",
    "one_sided_membership",
    "duplicate_membership",
    "student_outside_school",
    "section_without_teacher",
    "student_without_sections",
    "oversize_section",
)


def ten_checks(roster: Roster) -> dict[str, int]:
    """How many rows fail each of the ten."""
    import pandas as pd

    links, persons, sections = roster.links, roster.persons, roster.sections
    found = {}
    ids = pd.concat([df["id"].dropna() for df in roster.tables.values()])
    found["duplicate_id"] = int(ids.duplicated(keep=False).sum())
    state = persons["state_id"].dropna()
    found["duplicate_state_id"] = int(state.duplicated(keep=False).sum())
    enrolled, teaching = _of(links, "student_in"), _of(links, "teacher_in")
    found["orphan_student_in"] = _orphans(enrolled, persons, sections)
    found["orphan_of_course"] = _orphans(_of(links, "of_course"), sections, roster.courses)
    members = _of(links, "member_of")
    valid = {
        "student_in": _valid(enrolled, persons, sections),
        "teacher_in": _valid(teaching, persons, sections),
        "member_of": _valid(members, persons, roster.orgs),
    }
    found["one_sided_membership"] = sum(int((df["stated_by"] != "both").sum()) for df in valid.values())
    pairs = ["relation", "source_id", "target_id"]
    memberships = links[links["relation"].isin(["member_of", "student_in", "teacher_in"])]
    found["duplicate_membership"] = int(memberships.duplicated(pairs).sum())
    held = _valid(_of(links, "held_at"), sections, roster.orgs)[["source_id", "target_id"]]
    held = held.drop_duplicates("source_id").rename(columns={"source_id": "section", "target_id": "org"})
    seats = valid["student_in"][["source_id", "target_id"]].merge(held, left_on="target_id", right_on="section")
    known = valid["member_of"][["source_id", "target_id"]].drop_duplicates()
    joined = seats.merge(
        known, left_on=["source_id", "org"], right_on=["source_id", "target_id"], how="left", indicator=True
    )
    found["student_outside_school"] = int((joined["_merge"] == "left_only").sum())
    named = sections["id"].dropna()
    found["section_without_teacher"] = int((~named.isin(valid["teacher_in"]["target_id"])).sum())
    students = persons.loc[persons["person_type"] == "student", "id"].dropna()
    found["student_without_sections"] = int((~students.isin(valid["student_in"]["source_id"])).sum())
    sizes = valid["student_in"].groupby("target_id")["source_id"].nunique()
    found["oversize_section"] = int((sizes > 60).sum())
    return found


def _of(links: pd.DataFrame, relation: str) -> pd.DataFrame:
    return links[links["relation"] == relation]


def _orphans(links: pd.DataFrame, sources: pd.DataFrame, targets: pd.DataFrame) -> int:
    links = links.dropna(subset=["source_id", "target_id"])
    return int((~(links["source_id"].isin(sources["id"]) & links["target_id"].isin(targets["id"]))).sum())


def _valid(links: pd.DataFrame, sources: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    links = links.dropna(subset=["source_id", "target_id"])
    return links[links["source_id"].isin(sources["id"]) & links["target_id"].isin(targets["id"])]
