"""Checks of shape: whether orgs, terms, courses, sections and people agree about where they belong."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import narwhals as nw
import networkx as nx

from kimono_explore.quality.definition import Check, CheckResult, NotApplicable
from kimono_explore.schema import TABLE_OF

if TYPE_CHECKING:
    from kimono_explore.quality.context import CheckContext

_AGREEMENT, _STRUCTURE = "Agreement", "Structure"


def section_org_not_in_course(context: CheckContext) -> CheckResult:
    held = context.first_target("held_at").rename({"target": "org_id"})
    of_course = context.first_target("of_course").rename({"target": "course_id"})
    offered = context.pairs("offered_by", "course_id", "org_id")
    sections = held.join(of_course, on="id", how="inner").join(offered, on="course_id", how="semi")
    # What a district offers, its schools may hold.
    above = context.ancestors("org").rename({"id": "org_id"})
    reached = sections.join(above, on="org_id", how="inner")
    fitting = reached.join(offered.rename({"org_id": "ancestor"}), on=["course_id", "ancestor"], how="semi")
    return CheckResult(sections, sections.join(fitting.select("id").unique(), on="id", how="anti"))


def outside_school(relation: str, context: CheckContext) -> CheckResult:
    """People in a section of a school that they are not a member of."""
    held = context.first_target("held_at").rename({"id": "section_id", "target": "section_org_id"})
    seats = context.pairs(relation, "id", "section_id").join(held, on="section_id", how="inner")
    ends = ["id", "section_org_id"]
    members = context.pairs("member_of", "id", "org_id")
    outside = seats.join(members.rename({"org_id": "section_org_id"}), on=ends, how="anti")
    # What a district holds itself is open to the students of its schools.
    above = context.ancestors("org").rename({"id": "org_id", "ancestor": "section_org_id"})
    return CheckResult(seats, outside.join(members.join(above, on="org_id", how="inner"), on=ends, how="anti"))


def parent_child_mismatch(context: CheckContext) -> CheckResult:
    types = [t for t in ("org", "term") if {f"{TABLE_OF[t]}.$parent", f"{TABLE_OF[t]}.$children"} <= context.rollups]
    if not types:
        raise NotApplicable("roll-ups not sent: $parent and $children")
    links = context.valid_links("child_of").filter(nw.col("source_type").is_in(types))
    wrong = links.filter(nw.col("stated_by") != "both")
    table = nw.when(nw.col("source_type") == "org").then(nw.lit("orgs")).otherwise(nw.lit("terms")).alias("table")
    parent = nw.col("target_id").alias("parent_id")
    return CheckResult(links, wrong.select(table, nw.col("source_id").alias("id"), parent, "stated_by"))


def on_a_cycle(type: str, context: CheckContext) -> CheckResult:
    """Orgs or terms that are above themselves."""
    parents = context.parents(type)
    graph = nx.DiGraph([(child, parent) for child, above in parents.items() for parent in above])
    loops = [sorted(part) for part in nx.strongly_connected_components(graph)]
    loops = sorted(part for part in loops if len(part) > 1 or graph.has_edge(part[0], part[0]))
    found = [(id, " - ".join(part)) for part in loops for id in part]
    failing = context.engine.small({"id": [id for id, _ in found], "cycle": [cycle for _, cycle in found]})
    return CheckResult(context.objects(TABLE_OF[type]), failing)


def school_without_parent(context: CheckContext) -> CheckResult:
    schools = context.schools
    return CheckResult(schools, schools.join(context.pairs("child_of", "id", "parent"), on="id", how="anti"))


def no_lea(context: CheckContext) -> CheckResult:
    if not context.rows["orgs"]:
        raise NotApplicable(context.refused("orgs") or "no orgs")
    leas = context.count(context.objects("orgs").filter(nw.col("org_type") == "lea"))
    return CheckResult(1, context.engine.small({"id": [] if leas else [None]}))


def unknown_org_type(context: CheckContext, known: tuple[str, ...]) -> CheckResult:
    orgs = context.objects("orgs").select("id", "org_type")
    return CheckResult(orgs, orgs.filter(nw.col("org_type").is_null() | ~nw.col("org_type").is_in(known)))


def school_without(role: str, context: CheckContext, current_only: bool) -> CheckResult:
    schools = context.schools
    links = context.people_of("member_of") if current_only else context.valid_links("member_of")
    members = links.filter(nw.col("role") == role)
    return CheckResult(schools, schools.join(members.select(id=nw.col("target_id")), on="id", how="anti"))


def school_below_school(context: CheckContext) -> CheckResult:
    schools = context.schools
    links = context.pairs("child_of", "id", "parent_id").join(schools, on="id", how="semi")
    return CheckResult(links, links.join(schools.rename({"id": "parent_id"}), on="parent_id", how="semi"))


CHECKS: tuple[Check, ...] = (
    Check(
        "section_org_not_in_course",
        "A section at a school that does not offer its course",
        "warning",
        _AGREEMENT,
        ("sections",),
        "The section's org, and every org above it, is missing from the orgs that offer the section's course.",
        "Filters by school show the section without its course, or the course without its section.",
        section_org_not_in_course,
        needs=("held_at", "of_course", "offered_by"),
    ),
    Check(
        "student_outside_school",
        "A student in a section of another school",
        "warning",
        _AGREEMENT,
        ("persons",),
        "The student is enrolled in a section of an org, and is a member neither of it nor of an org below it.",
        "School staff cannot find the student; the school is counted without the student.",
        partial(outside_school, "student_in"),
        needs=("student_in", "held_at", "member_of:student"),
        follows=("orphan_member_of", "student_without_school"),
    ),
    Check(
        "teacher_outside_school",
        "A teacher of a section of another school",
        "information",
        _AGREEMENT,
        ("persons",),
        "The teacher teaches a section of an org, and is a member neither of it nor of an org below it.",
        "School administrators do not see who teaches at their school.",
        partial(outside_school, "teacher_in"),
        needs=("teacher_in", "held_at", "member_of:teacher"),
        follows=("orphan_member_of", "teacher_without_school"),
    ),
    Check(
        "parent_child_mismatch",
        "Parent and child do not agree",
        "warning",
        _AGREEMENT,
        ("orgs", "terms"),
        "Both sides are sent, and only the parent names the child, or only the child the parent.",
        "The tree depends on which side is read.",
        parent_child_mismatch,
        follows=("org_cycle", "term_cycle"),
    ),
    Check(
        "org_cycle",
        "Orgs that are above themselves",
        "error",
        _STRUCTURE,
        ("orgs",),
        "Following parents from the org leads back to it.",
        "Whoever walks the tree never comes to an end.",
        partial(on_a_cycle, "org"),
        needs=("child_of",),
    ),
    Check(
        "term_cycle",
        "Terms that are above themselves",
        "error",
        _STRUCTURE,
        ("terms",),
        "Following parents from the term leads back to it.",
        "Whoever walks the tree never comes to an end.",
        partial(on_a_cycle, "term"),
        needs=("child_of",),
    ),
    Check(
        "school_without_parent",
        "School without a district",
        "warning",
        _STRUCTURE,
        ("orgs",),
        "No `child_of` link leads from the school to an org that was delivered.",
        "District staff do not see the school.",
        school_without_parent,
        needs=("child_of",),
        follows=("orphan_child_of",),
    ),
    Check(
        "school_below_school",
        "A school below another school",
        "information",
        _STRUCTURE,
        ("orgs",),
        "The school's parent is a school.",
        "Counts by school hold the lower one's students twice, or not at all.",
        school_below_school,
        needs=("child_of",),
        follows=("org_cycle",),
    ),
    Check(
        "no_lea",
        "No district",
        "warning",
        _STRUCTURE,
        ("orgs",),
        "No org has the type `lea`.",
        "District-wide settings, licences and reports have no place.",
        no_lea,
    ),
    Check(
        "unknown_org_type",
        "Org of an unknown type",
        "information",
        _STRUCTURE,
        ("orgs",),
        "The org's type is none of {known}.",
        "Products leave out orgs whose type they do not know.",
        unknown_org_type,
        params={"known": ("lea", "school")},
    ),
    Check(
        "school_without_students",
        "School without students",
        "warning",
        _STRUCTURE,
        ("orgs",),
        "No student is a member of the school; with `current_only` ({current_only}), none whose membership is "
        "current on the day of the check (`as_of`).",
        "The school was left out of an export, or closed.",
        partial(school_without, "student"),
        params={"current_only": True},
        needs=("member_of:student",),
    ),
    Check(
        "school_without_teachers",
        "School without teachers",
        "warning",
        _STRUCTURE,
        ("orgs",),
        "No teacher is a member of the school; with `current_only` ({current_only}), none whose membership is "
        "current on the day of the check (`as_of`).",
        "The school's staff were left out of an export.",
        partial(school_without, "teacher"),
        params={"current_only": True},
        needs=("member_of:teacher",),
    ),
)
