"""Repairs of links: sides that differ, what is there twice, where it cannot be, or on days that no other has."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from kimono_explore.display import cell_text, listed
from kimono_explore.quality.repairs.evidence import (
    ALIKE,
    SHARE,
    STANDS_FOR,
    Edit,
    Evidence,
    another,
    in_words,
)
from kimono_explore.schema import IN_SECTION, TABLE_OF

if TYPE_CHECKING:
    from collections.abc import Iterator


def _state_both(evidence: Evidence) -> Iterator[Edit]:
    for check, row in evidence.failing("one_sided_membership", "parent_child_mismatch"):
        member = check == "one_sided_membership"
        relation, far = (row["relation"], row["target_id"]) if member else ("child_of", row["parent_id"])
        places = [
            int(at)
            for at in evidence.link_rows(relation, "source", row["id"])
            if evidence.links["target_id"].iloc[at] == far and evidence.links["stated_by"].iloc[at] != "both"
        ]
        table = TABLE_OF[row["target_type"]] if member else row["table"]
        one, other = evidence.name(row["table"], row["id"]), evidence.name(table, far)
        says, lacks = (one, other) if row["stated_by"] == "source" else (other, one)
        if places:
            text = f"List {says} on the record of {lacks}, too"
            why = f"Only the record of {says} names {lacks}, though both sides are sent."
            touched = frozenset({row["id"], far})
            yield Edit(
                "change", row["table"], row["id"], text, why, "links", tuple(places), {"stated_by": "both"}, (check,), touched
            )  # fmt: skip


def _once(evidence: Evidence) -> Iterator[Edit]:
    for check, row in evidence.failing("duplicate_membership"):
        at = [
            int(at)
            for at in evidence.link_rows(row["relation"], "source", row["id"])
            if evidence.links["target_id"].iloc[at] == row["target_id"]
        ]
        mine = evidence.links.iloc[at]
        order = mine.assign(at=at).sort_values(
            ["start_date", "end_date", "at"], ascending=[True, False, True], na_position="first"
        )
        place = evidence.name(TABLE_OF[row["target_type"]], row["target_id"])
        text = f"Keep one of the {len(at)} memberships of {evidence.name('persons', row['id'])} in {place}"
        yield Edit(
            "remove", "persons", row["id"], text, "They overlap; the longest stays.", "links",
            tuple(order["at"].tolist()[1:]), {}, (check,), frozenset({row["id"], row["target_id"]}),
        )  # fmt: skip


def _one_role(evidence: Evidence) -> Iterator[Edit]:
    for check, row in evidence.failing("student_and_teacher_of_section"):
        kind = evidence.person_type(row["id"])
        if kind not in ("student", "teacher", "staff"):
            continue
        relation = "teacher_in" if kind == "student" else "student_in"
        role = relation.removesuffix("_in")
        name, section = evidence.name("persons", row["id"]), evidence.name("sections", row["section_id"])
        yield _taken_away(
            evidence, relation, row["id"], row["section_id"], (check, "teacher_as_student", "student_as_teacher"),
            f"Take {name} off the {role}s of {section}", f"{name} is a {kind.replace('staff', 'member of staff')}.",
        )  # fmt: skip


def _wrong_type(evidence: Evidence) -> Iterator[Edit]:
    for check, row in evidence.failing("wrong_target_type"):
        relation, table = row["relation"], row["table"]
        others = [id for id in evidence.other_ends(relation, "source", row["id"]) if id != row["target_id"]]
        if others:
            wanted, what = STANDS_FOR[relation], evidence.name(TABLE_OF[row["target_type"]], row["target_id"])
            text = f"Take the {row['target_type']} {what} off the {wanted} of {evidence.name(table, row['id'])}"
            why = f"It is not a {wanted}, and there {another(relation, 'source', others)}."
            yield _taken_away(evidence, relation, row["id"], row["target_id"], (check,), text, why, table)


def _two_schools(evidence: Evidence) -> Iterator[Edit]:
    for check, row in evidence.failing("two_schools_at_once"):
        schools = {row["school_id"], row["other_school_id"]}
        seats = [s for relation in IN_SECTION for s in evidence.other_ends(relation, "source", row["id"])]
        held = [school for seat in seats for school in evidence.other_ends("held_at", "source", seat)]
        if len(held) >= ALIKE and len(set(held) & schools) == 1 and not set(held) - schools:
            (stays,) = set(held)
            (goes,) = schools - {stays}
            name = evidence.name("persons", row["id"])
            text = f"End the membership of {name} in {evidence.name('orgs', goes)}"
            why = f"All {len(held)} sections of {name} are at {evidence.name('orgs', stays)}."
            checks = (check, "student_without_one_primary_school")
            yield _taken_away(evidence, "member_of", row["id"], goes, checks, text, why)


def _elsewhere(evidence: Evidence) -> Iterator[Edit]:
    """Somebody in a single section of another school, whose others are at their own, and whose mates are all of that school."""
    for relation, kind in (("student_in", "student"), ("teacher_in", "teacher")):
        for check, row in evidence.failing(f"{kind}_outside_school"):
            own = set(evidence.other_ends("member_of", "source", row["id"]))
            seats = [s for s in evidence.other_ends(relation, "source", row["id"]) if s != row["section_id"]]
            at_home = [bool(own & set(evidence.other_ends("held_at", "source", seat))) for seat in seats]
            mates = [m for m in evidence.other_ends(relation, "target", row["section_id"]) if m != row["id"]]
            there = [row["section_org_id"] in evidence.other_ends("member_of", "source", mate) for mate in mates]
            if len(at_home) >= ALIKE and all(at_home) and there and np.mean(there) >= SHARE:
                name, section = evidence.name("persons", row["id"]), evidence.name("sections", row["section_id"])
                text = f"Take {name} off the {kind}s of {section}"
                why = (
                    f"The section is at another school, where its other {kind}s belong; "
                    f"the {len(seats)} other sections of {name} are at their own school."
                )
                yield _taken_away(evidence, relation, row["id"], row["section_id"], (check,), text, why)


def _taken_away(
    evidence: Evidence,
    relation: str,
    source: str,
    target: str,
    checks: tuple[str, ...],
    text: str,
    why: str,
    table: str = "persons",
) -> Edit:
    links = evidence.links
    at = [int(at) for at in evidence.link_rows(relation, "source", source) if links["target_id"].iloc[at] == target]
    return Edit("remove", table, source, text, why, "links", tuple(at), {}, checks, frozenset({source, target}))


def _primary(evidence: Evidence) -> Iterator[Edit]:
    for check, relation, side, role in (
        ("section_without_one_primary_teacher", "teacher_in", "target", "teacher"),
        ("student_without_one_primary_school", "member_of", "source", "school"),
    ):
        for _, row in evidence.failing(check):
            at = evidence.link_rows(relation, side, row["id"])
            if len(at) == 1:
                name = evidence.name(row["table"], row["id"])
                text, why = f"Make the only {role} of {name} the primary one", f"There is no other {role}."
                far = evidence.other_ends(relation, side, row["id"])
                yield Edit(
                    "change", row["table"], row["id"], text, why, "links", (int(at[0]),), {"primary": True}, (check,),
                    frozenset({row["id"], *far}),
                )  # fmt: skip


def _days(evidence: Evidence) -> Iterator[Edit]:
    """Days of an enrollment that are not those which nearly all others of its section have."""
    checks = ("membership_before_birth", "membership_far_ahead", "membership_ends_before_start",
              "enrollment_outside_terms", "enrollment_without_start", "enrollment_without_end")  # fmt: skip
    links = evidence.links
    for _, row in evidence.failing(*checks):
        relation = row.get("relation", "student_in")
        if relation not in IN_SECTION:
            continue
        mates = evidence.link_rows(relation, "target", row["target_id"])
        mine = [int(at) for at in mates if links["source_id"].iloc[at] == row["id"]]
        others = links.iloc[[at for at in mates if at not in mine]]
        days = others[["start_date", "end_date"]].dropna().value_counts()
        if len(mine) != 1 or len(others) < ALIKE or not len(days) or days.max() < SHARE * len(others):
            continue
        start, end = cast("tuple[pd.Timestamp, pd.Timestamp]", days.index[0])
        cells = {
            name: day
            for name, day in (("start_date", start), ("end_date", end))
            if links[name].iloc[mine[0]] is pd.NaT or links[name].iloc[mine[0]] != day
        }
        name, section = evidence.name("persons", row["id"]), evidence.name("sections", row["target_id"])
        told = listed(f"the {in_words(key)} to {cell_text(day)}" for key, day in cells.items())
        text = f"Set {told} for {name} in {section}"
        why = f"{days.max()} of {len(others)} others of the section have it."
        yield Edit("change", "persons", row["id"], text, why, "links", tuple(mine), cells, (*checks, "future_but_active"),
                   frozenset({row["id"], row["target_id"]}))  # fmt: skip


RULES = (
    _state_both,
    _once,
    _one_role,
    _wrong_type,
    _two_schools,
    _elsewhere,
    _primary,
    _days,
)
