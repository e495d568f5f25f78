"""Checks of load: sections that are too large or too small, and people with too many of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import narwhals as nw

from kimono_explore.quality.definition import Check, CheckResult

if TYPE_CHECKING:
    from kimono_explore.quality.context import CheckContext

_GROUP = "Load"


def section_size(
    large: bool,
    context: CheckContext,
    bound: int,
    factor: float,
    sections: int,
    from_size: int,
    current_only: bool,
) -> CheckResult:
    """Sections beyond a fixed bound, or far from the mean of their course's other sections."""
    sizes = context.link_counts("student_in", "target", current_only=current_only).rename({"size": "students"})
    courses = context.first_target("of_course").rename({"target": "course_id"})
    placed = sizes.join(courses, on="id", how="left")
    siblings = placed.filter(~nw.col("course_id").is_null()).group_by("course_id")
    means = siblings.agg(total=nw.col("students").sum(), of_course=nw.len())
    means = means.filter(nw.col("of_course") >= sections)
    seen = placed.join(means, on="course_id", how="left").with_columns(
        mean_of_others=(nw.col("total") - nw.col("students")) / (nw.col("of_course") - 1)
    )
    students, others = nw.col("students"), nw.col("mean_of_others")
    if large:
        wrong = (students > bound) | ((students >= from_size) & (students > others * factor))
    else:
        wrong = (students < bound) | ((students <= from_size) & (students < others * factor))
    return CheckResult(sizes, seen.filter(wrong).select("id", "students", "mean_of_others", "course_id"))


def overload(relation: str, context: CheckContext, most: int) -> CheckResult:
    """People with too many sections in one term, those of the terms above it included."""
    # Few have more in all their terms together: only theirs are counted term by term.
    many = context.link_counts(relation, "source").filter(nw.col("size") > most)
    terms = context.pairs("in_term", "section_id", "ancestor").unique()
    seats = context.pairs(relation, "id", "section_id").join(many, on="id", how="semi").unique()
    seats = seats.join(terms, on="section_id", how="inner")
    counts = seats.group_by("id", "ancestor").agg(sections=nw.len())
    in_all = counts.join(context.ancestors("term").rename({"id": "term_id"}), on="ancestor", how="inner")
    per_term = in_all.group_by("id", "term_id").agg(sections=nw.col("sections").sum())
    too_many = per_term.filter(nw.col("sections") > most)
    worst = too_many.group_by("id").agg(most=nw.col("sections").max())
    there = too_many.join(worst, on="id", how="inner").filter(nw.col("sections") == nw.col("most"))
    failing = there.group_by("id").agg(sections=nw.col("sections").max(), term_id=nw.col("term_id").min())
    return CheckResult(context.link_counts(relation, "source"), failing)


def same_title_sections(context: CheckContext) -> CheckResult:
    titled = context.objects("sections").filter(~nw.col("title").is_null(), ~nw.col("id").is_null())
    held = context.first_target("held_at").rename({"target": "held_at_id"})
    terms = context.pairs("in_term", "id", "term_id")
    placed = titled.select("id", "title").join(held, on="id", how="inner").join(terms, on="id", how="inner")
    keys = ["title", "held_at_id", "term_id"]
    times = placed.group_by(*keys).agg(times=nw.col("id").n_unique()).filter(nw.col("times") > 1)
    shared = placed.join(times, on=keys, how="inner").group_by("id", "title")
    return CheckResult(
        placed.select("id", "title").unique(), shared.agg(term_id=nw.col("term_id").min(), times=nw.col("times").max())
    )


CHECKS: tuple[Check, ...] = (
    Check(
        "oversize_section",
        "KX-LOD-001",
        "Section with very many students",
        "warning",
        _GROUP,
        ("sections",),
        "More than {bound} students; or, in a course of {sections} sections or more, at least {from_size} students and "
        "more than {factor} times the mean of the course's other sections. With `current_only` ({current_only}), students "
        "count whose enrollment is current on the day of the check (`as_of`).",
        "Often several classes combined into one, or a whole grade enrolled by mistake.",
        partial(section_size, True),
        params={"bound": 60, "factor": 2.5, "sections": 5, "from_size": 40, "current_only": True},
        needs=("student_in",),
    ),
    Check(
        "undersize_section",
        "KX-LOD-002",
        "Section with very few students",
        "information",
        _GROUP,
        ("sections",),
        "Fewer than {bound} students; or, in a course of {sections} sections or more, at most {from_size} students and "
        "less than {factor} times the mean of the course's other sections. With `current_only` ({current_only}), students "
        "count whose enrollment is current on the day of the check (`as_of`).",
        "Often a class that was closed, or one whose students were delivered in part.",
        partial(section_size, False),
        params={"bound": 4, "factor": 0.2, "sections": 5, "from_size": 10, "current_only": True},
        needs=("student_in",),
    ),
    Check(
        "student_overload",
        "KX-LOD-003",
        "Student with very many sections",
        "warning",
        _GROUP,
        ("persons",),
        "More than {most} sections in one term, those of longer terms around it included.",
        "Often last term's enrollments that were never ended.",
        partial(overload, "student_in"),
        params={"most": 12},
        needs=("student_in", "in_term"),
    ),
    Check(
        "teacher_overload",
        "KX-LOD-004",
        "Teacher with very many sections",
        "information",
        _GROUP,
        ("persons",),
        "More than {most} sections in one term, those of longer terms around it included.",
        "Often an account that several people use, or a placeholder for unfilled positions.",
        partial(overload, "teacher_in"),
        params={"most": 12},
        needs=("teacher_in", "in_term"),
    ),
    Check(
        "same_title_sections",
        "KX-LOD-005",
        "Sections that cannot be told apart",
        "information",
        _GROUP,
        ("sections",),
        "Another section of the same org and term has the same title.",
        "Teachers and students cannot tell which class to open.",
        same_title_sections,
        needs=("held_at", "in_term"),
    ),
)
