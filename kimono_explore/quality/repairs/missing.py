"""Repairs of what was not delivered, and of sections and schools that lack something all others have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kimono_explore.display import plural
from kimono_explore.quality.repairs.evidence import (
    ALIKE,
    STANDS_FOR,
    Edit,
    Evidence,
    another,
)
from kimono_explore.schema import IN_SECTION, TABLE_OF

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd


def _not_delivered(evidence: Evidence) -> Iterator[Edit]:
    checks = [f"orphan_{relation}" for relation in evidence.links["relation"].cat.categories]
    gone: dict[tuple[str, str], list[tuple[str, pd.Series]]] = {}
    for check, row in evidence.failing(*checks):
        gone.setdefault((row["missing_type"], row["missing_id"]), []).append((check, row))
    for (type, missing), findings in gone.items():
        near = findings[0][1].get("near_id")
        near = near if isinstance(near, str) else None
        alone = len(findings) == 1 and near is None
        edits = list(_of_one(evidence, *findings[0], missing)) if alone else []
        yield from edits or _of_all(evidence, type, missing, findings, near)


def _of_all(
    evidence: Evidence, type: str, missing: str, findings: Sequence[tuple[str, pd.Series]], near: str | None
) -> Iterator[Edit]:
    """Deliver the object; or, where its id is another's but for case, zeros or signs, write that one's id."""
    touched = frozenset({row["id"] for _, row in findings})
    checks = tuple(dict.fromkeys(check for check, _ in findings))
    table, noun = TABLE_OF[type], type.replace("_", " ")
    if near is None:
        text = f"Deliver {noun} {missing}"
        count = len(findings)
        why = f"{plural(count, 'link')} of {plural(len(touched), 'object')} {'leads' if count == 1 else 'lead'} to it."
        yield Edit("add", table, missing, text, why, table, (), {"id": missing}, checks, touched)
        return
    text = f"Refer to {evidence.name(table, near)} as {near!r}, not as {missing!r}"
    why = f"No {noun} has the id {missing!r}; {near!r} differs in case, leading zeros, spaces or punctuation only."
    for side in ("source", "target"):
        rows = [
            at for name in {row["relation"] for _, row in findings} for at in evidence.link_rows(name, side, missing)
        ]
        if rows:
            cells = {f"{side}_id": near}
            yield Edit("change", table, near, text, why, "links", tuple(map(int, rows)), cells, checks, touched)


def _of_one(evidence: Evidence, check: str, row: pd.Series, missing: str) -> Iterator[Edit]:
    """The only link to what was not delivered: let it lead to what the roster says, or take it away if there is another."""
    relation, id, table = row["relation"], row["id"], row["table"]
    places = [*evidence.link_rows(relation, "target", missing), *evidence.link_rows(relation, "source", missing)]
    side = "source" if (evidence.links["source_id"].iloc[places] == id).any() else "target"
    others = evidence.other_ends(relation, side, id)
    if others:
        type = row["missing_type"].replace("_", " ")
        text = f"Take the {type} {missing} off {evidence.name(table, id)}"
        why = f"It was not delivered, nothing else names it, and there {another(relation, side, others)}."
        yield Edit("remove", table, id, text, why, "links", tuple(map(int, places)), {}, (check,), frozenset({id}))
    elif relation in ("in_term", "of_course", "held_at") and side == "source":
        for target, why in _what_a_section_has(evidence, relation, id):
            text = _assigned(evidence, relation, id, target)
            checks = (check, f"section_without_{relation.rpartition('_')[2]}")
            cells = {
                "target_id": target,
                "stated_by": evidence.links["stated_by"].iloc[evidence.typical_link(relation, target)],
            }
            yield Edit(
                "change", table, id, text, why, "links", tuple(map(int, places)), cells, checks, frozenset({id})
            )  # fmt: skip


def _lacking(evidence: Evidence) -> Iterator[Edit]:
    for relation, check in (
        ("in_term", "section_without_term"),
        ("of_course", "section_without_course"),
        ("held_at", "section_without_org"),
    ):
        for _, row in evidence.failing(check):
            if len(evidence.link_rows(relation, "source", row["id"])):
                continue  # it names something that was not delivered
            if not (evidence.links["relation"] == relation).any():
                continue  # no section has one: there is nothing that another link would be like
            for target, why in _what_a_section_has(evidence, relation, row["id"]):
                like = evidence.typical_link(relation, target)
                cells = {"source_id": row["id"], "target_id": target}
                text = _assigned(evidence, relation, row["id"], target)
                yield Edit(
                    "add", "sections", row["id"], text, why, "links", (like,), cells, (check,),
                    frozenset({row["id"], target}),
                )  # fmt: skip


def _assigned(evidence: Evidence, relation: str, section: str, target: str) -> str:
    table = {"in_term": "terms", "of_course": "courses", "held_at": "orgs"}[relation]
    return f"Set the {STANDS_FOR[relation]} of {evidence.name('sections', section)} to {evidence.name(table, target)}"


def _what_a_section_has(evidence: Evidence, relation: str, section: str) -> Iterator[tuple[str, str]]:
    """The term, course or school that everything says a section has, and what says so."""
    if relation == "of_course":
        yield from _course_of(evidence, section)
        return
    if relation == "in_term":
        courses = evidence.other_ends("of_course", "source", section)
        alike = [id for course in courses for id in evidence.other_ends("of_course", "target", course) if id != section]
        said = [tuple(evidence.other_ends("in_term", "source", id)) for id in alike]
        why = "all {n} other sections of its course are in it"
    else:
        people = [p for seat in IN_SECTION for p in evidence.other_ends(seat, "target", section)]
        said = [tuple(evidence.other_ends("member_of", "source", person)) for person in people]
        why = "all {n} of its people are there"
    if len(said) >= ALIKE and len(set(said)) == 1 and len(said[0]) == 1:
        yield said[0][0], why.format(n=len(said)).capitalize() + "."


def _course_of(evidence: Evidence, section: str) -> Iterator[tuple[str, str]]:
    """The only course of the school by whose title the section's begins."""
    title = evidence.name("sections", section).casefold()
    offered = [
        course
        for school in evidence.other_ends("held_at", "source", section)
        for course in evidence.other_ends("offered_by", "target", school)
        if title.startswith(evidence.name("courses", course).casefold())
    ]
    longest = max((len(evidence.name("courses", course)) for course in offered), default=0)
    best = {course for course in offered if len(evidence.name("courses", course)) == longest}
    if len(best) == 1 and longest >= ALIKE:
        yield best.pop(), "It is the course of its school by whose title the section's begins."


def _parent(evidence: Evidence) -> Iterator[Edit]:
    orgs = evidence.roster.orgs
    schools = orgs.loc[orgs["org_type"] == "school", "id"].dropna()
    parents = [parent for school in schools for parent in evidence.other_ends("child_of", "source", school)]
    if len(parents) < ALIKE or len(set(parents)) > 1:
        return
    like = evidence.typical_link("child_of", parents[0])
    for check, row in evidence.failing("school_without_parent"):
        if len(evidence.link_rows("child_of", "source", row["id"])):
            continue
        text = f"Put {evidence.name('orgs', row['id'])} under {evidence.name('orgs', parents[0])}"
        why = f"All {len(parents)} other schools are."
        yield Edit(
            "add", "orgs", row["id"], text, why, "links", (like,), {"source_id": row["id"]}, (check,),
            frozenset({row["id"], parents[0]}),
        )  # fmt: skip


RULES = (
    _not_delivered,
    _lacking,
    _parent,
)
