"""Checks of links: ends that were not delivered, sides that differ, and relations that cannot be."""

from __future__ import annotations

from functools import partial

import narwhals as nw

from kimono_explore.quality.context import CheckContext, stack, table_of
from kimono_explore.quality.definition import Check, CheckResult, NotApplicable
from kimono_explore.schema import ENDS, IN_SECTION, MEMBERSHIPS, RELATION_ROWS, TABLE_OF

_GROUP = "References"
_HOLDER = ("relation", "target_type", "target_id")


def orphan(relation: str, context: CheckContext) -> CheckResult:
    """Links of which one end was not delivered, held by the end that was."""
    for source, target in ENDS[relation]:
        for table in (TABLE_OF[source], TABLE_OF[target]):
            reason = context.refused(table)
            if reason:
                raise NotApplicable(reason)
    links = context.links(relation).filter(~nw.col("source_id").is_null(), ~nw.col("target_id").is_null())
    return CheckResult(links, context.orphans.filter(nw.col("relation") == relation))


def one_sided_membership(context: CheckContext) -> CheckResult:
    known = [
        context.valid_links(relation).filter(nw.col("role") == role)
        for relation in MEMBERSHIPS
        for role in ("student", "teacher")
        if context.both_sides(relation, role)
    ]
    if not known:
        raise NotApplicable("only one side tells of memberships")
    links = stack([frame.select("source_id", *_HOLDER, "role", "stated_by") for frame in known])
    return CheckResult(links, links.filter(nw.col("stated_by") != "both").rename({"source_id": "id"}))


def duplicate_membership(context: CheckContext) -> CheckResult:
    links = context.links(*MEMBERSHIPS).filter(~nw.col("source_id").is_null(), ~nw.col("target_id").is_null())
    pairs = (
        links.group_by("source_id", *_HOLDER, "role")  # two roles at one school are two memberships
        .agg(times=nw.len(), latest_start=nw.col("start_date").max(), earliest_end=nw.col("end_date").min())
        .filter(nw.col("times") > 1)
    )
    again = (nw.col("times") == 2) & (nw.col("latest_start") > nw.col("earliest_end"))
    known = ~nw.col("latest_start").is_null() & ~nw.col("earliest_end").is_null()
    return CheckResult(links, pairs.filter(~(known & again)).rename({"source_id": "id"}))


def student_and_teacher_of_section(context: CheckContext) -> CheckResult:
    learning = context.pairs("student_in", "id", "section_id")
    teaching = context.pairs("teacher_in", "id", "section_id")
    return CheckResult(learning, learning.join(teaching, on=["id", "section_id"], how="semi"))


def wrong_target_type(context: CheckContext) -> CheckResult:
    right = nw.any_horizontal(
        *[
            (nw.col("relation") == relation) & (nw.col("source_type") == s) & (nw.col("target_type") == t)
            for relation, ends in ENDS.items()
            for s, t in ends
        ],
        ignore_nulls=True,
    )
    links = context.links()
    wrong = links.filter(~right).with_columns(table_of("source_type").alias("table"))
    return CheckResult(links, wrong.select("table", nw.col("source_id").alias("id"), *_HOLDER))


def membership_ends_before_start(context: CheckContext) -> CheckResult:
    links = context.links(*MEMBERSHIPS).filter(~nw.col("start_date").is_null(), ~nw.col("end_date").is_null())
    wrong = links.filter(nw.col("end_date") < nw.col("start_date"))
    return CheckResult(links, wrong.select(nw.col("source_id").alias("id"), *_HOLDER, "start_date", "end_date"))


def enrollment_without_start(context: CheckContext) -> CheckResult:
    links = context.links(*IN_SECTION)
    without = links.filter(nw.col("start_date").is_null())
    if context.count(without) == context.count(links):
        raise NotApplicable("the tenant sends no start_date of memberships")
    return CheckResult(links, without.select(nw.col("source_id").alias("id"), *_HOLDER, "end_date"))


CHECKS: tuple[Check, ...] = (
    *[
        Check(
            f"orphan_{relation.name}",
            relation.number,
            relation.orphan,
            "error",
            _GROUP,
            tuple(dict.fromkeys(TABLE_OF[t] for ends in relation.ends for t in ends)),
            f"A `{relation.name}` link leads to, or comes from, an object that is in no table. "
            "`near_id` is an existing id that differs only in case, leading zeros, spaces or punctuation.",
            relation.harm,
            partial(orphan, relation.name),
            needs=(relation.name,),
        )
        for relation in RELATION_ROWS
    ],
    Check(
        "one_sided_membership",
        "KX-REF-011",
        "A membership that only one side states",
        "warning",
        _GROUP,
        ("persons",),
        "Both sides are sent, but only one of them lists the membership: the person, or the section or org.",
        "Depending on which side a product reads, the person is in the class or is not.",
        one_sided_membership,
    ),
    Check(
        "duplicate_membership",
        "KX-REF-012",
        "Membership sent several times",
        "warning",
        _GROUP,
        ("persons",),
        "The same person is listed more than once in a section or org. Somebody who left and came back, with dates that "
        "say so, does not count.",
        "Class lists show the person twice; counts and licenses are too high.",
        duplicate_membership,
    ),
    Check(
        "student_and_teacher_of_section",
        "KX-REF-013",
        "Student and teacher of one section",
        "error",
        _GROUP,
        ("persons",),
        "The person is enrolled in a section and teaches it.",
        "A student can see and change the grades of the class.",
        student_and_teacher_of_section,
        needs=IN_SECTION,
    ),
    Check(
        "wrong_target_type",
        "KX-REF-014",
        "A link to an object of the wrong type",
        "error",
        _GROUP,
        tuple(TABLE_OF.values()),
        "The link's ends are of types that its relation cannot have, such as a section whose course is a term.",
        "The reference cannot be followed.",
        wrong_target_type,
    ),
    Check(
        "membership_ends_before_start",
        "KX-REF-015",
        "A membership that ends before it starts",
        "warning",
        _GROUP,
        ("persons",),
        "The membership's end date is before its start date.",
        "The person is never in the class.",
        membership_ends_before_start,
    ),
    Check(
        "enrollment_without_start",
        "KX-REF-016",
        "An enrollment without a start date",
        "information",
        _GROUP,
        ("persons",),
        "The membership in a section has no start date, and others have one.",
        "Reports by date leave the person out, or count the person too long.",
        enrollment_without_start,
    ),
)
