"""Checks of completeness: objects that lack what every such object has."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import narwhals as nw

from kimono_explore.quality.checks.identity import missing_value
from kimono_explore.quality.current import DEFINITION
from kimono_explore.quality.definition import Check, CheckResult, Severity
from kimono_explore.schema import MEMBERSHIPS

if TYPE_CHECKING:
    from kimono_explore.quality.context import CheckContext
    from kimono_explore.quality.definition import Frame

_GROUP = "Completeness"


def lacking(table: str, relation: str, end: str, kind: str | None, context: CheckContext) -> CheckResult:
    """Objects of a table, persons of a kind, without a link of a relation."""
    return _without(context, table, kind, context.valid_links(relation), end)


def lacking_members(
    table: str, relation: str, end: str, kind: str | None, context: CheckContext, current_only: bool
) -> CheckResult:
    """Objects of a table, persons of a kind, without a membership; with ``current_only``, without a current one."""
    counted = context.current if end == "source" else context.people_of
    links = counted(relation) if current_only else context.valid_links(relation)
    return _without(context, table, kind, links, end)


def _without(context: CheckContext, table: str, kind: str | None, links: Frame, end: str) -> CheckResult:
    objects = context.objects(table, kind) if kind else context.objects(table)
    objects = objects.filter(~nw.col("id").is_null()).select("id")
    return CheckResult(objects, objects.join(links.select(id=nw.col(f"{end}_id")), on="id", how="anti"))


def person_without_name(context: CheckContext) -> CheckResult:
    persons = context.objects("persons")
    unnamed = persons.filter(nw.col("name_first").is_null(), nw.col("name_last").is_null())
    return CheckResult(persons, unnamed.select("id", "person_type"))


def _lacks(
    id: str,
    title: str,
    severity: Severity,
    why: str,
    table: str,
    relation: str,
    end: str,
    kind: str | None = None,
    follows_school: tuple[str, ...] = (),
) -> Check:
    """A row of the completeness checks."""
    role = f":{kind}" if relation == "member_of" else ""
    who = f"{kind}" if kind else title.split(" without")[0].lower()
    rule = f"No `{relation}` link joins the {who} with an object that was delivered."
    member = relation in MEMBERSHIPS
    if member:
        rule += f" With `current_only` ({{current_only}}), those count that are {DEFINITION}."
    return Check(
        id,
        title,
        severity,
        _GROUP,
        (table,),
        rule,
        why,
        partial(lacking_members if member else lacking, table, relation, end, kind),
        params={"current_only": True} if member else {},
        needs=(f"{relation}{role}",),
        follows=(f"orphan_{relation}",),
        follows_school=follows_school,
    )


CHECKS: tuple[Check, ...] = (
    _lacks(
        "section_without_teacher",
        "Section without a teacher",
        "error",
        "Nobody can open the class.",
        "sections",
        "teacher_in",
        "target",
        follows_school=("school_without_teachers",),
    ),
    _lacks(
        "section_without_students",
        "Section without students",
        "warning",
        "The class is empty or was left over.",
        "sections",
        "student_in",
        "target",
        follows_school=("school_without_students",),
    ),
    _lacks(
        "section_without_course",
        "Section without a course",
        "error",
        "The section has no subject or title.",
        "sections",
        "of_course",
        "source",
    ),
    _lacks(
        "section_without_term",
        "Section without a term",
        "error",
        "Nobody knows when the section takes place.",
        "sections",
        "in_term",
        "source",
    ),
    _lacks(
        "section_without_org",
        "Section without a school",
        "error",
        "No school's staff can see the section.",
        "sections",
        "held_at",
        "source",
    ),
    _lacks(
        "course_without_sections",
        "Course without sections",
        "information",
        "The course is not taught this year.",
        "courses",
        "of_course",
        "target",
    ),
    _lacks(
        "course_without_org",
        "Course without an org",
        "warning",
        "No school offers the course.",
        "courses",
        "offered_by",
        "source",
    ),
    _lacks(
        "term_without_sections",
        "Term without sections",
        "information",
        "The term is not used.",
        "terms",
        "in_term",
        "target",
    ),
    _lacks(
        "student_without_school",
        "Student without a school",
        "error",
        "The student reaches no product of any school.",
        "persons",
        "member_of",
        "source",
        "student",
    ),
    _lacks(
        "student_without_sections",
        "Student without sections",
        "warning",
        "The student has no class to open.",
        "persons",
        "student_in",
        "source",
        "student",
    ),
    _lacks(
        "teacher_without_school",
        "Teacher without a school",
        "warning",
        "The teacher reaches no product of any school.",
        "persons",
        "member_of",
        "source",
        "teacher",
    ),
    _lacks(
        "teacher_without_sections",
        "Teacher without sections",
        "information",
        "The teacher has no class to open.",
        "persons",
        "teacher_in",
        "source",
        "teacher",
    ),
    _lacks(
        "category_without_section",
        "Grading category without a section",
        "information",
        "Grades cannot be sent back.",
        "grading_categories",
        "graded_in",
        "source",
    ),
    Check(
        "person_without_name",
        "Person without a name",
        "error",
        _GROUP,
        ("persons",),
        "Both the first and the last name are missing.",
        "Class lists show an empty line.",
        person_without_name,
    ),
    Check(
        "teacher_without_email",
        "Teacher without an e-mail address",
        "warning",
        _GROUP,
        ("persons",),
        "A teacher has no e-mail address, and other persons have one.",
        "The teacher gets no invitation and cannot sign on.",
        partial(missing_value, "email", "teacher"),
        needs=("persons.email",),
    ),
    Check(
        "student_without_dob",
        "Student without a date of birth",
        "information",
        _GROUP,
        ("persons",),
        "A student has no date of birth, or one that is not a date, and other persons have one.",
        "Rules that depend on age, such as those for children under 13, cannot be kept.",
        partial(missing_value, "dob", "student"),
        needs=("persons.dob",),
        follows=("bad_value",),
    ),
)
