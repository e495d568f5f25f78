"""Checks of completeness: objects that lack what every such object has."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

import narwhals as nw

from kimono_explore.quality.checks.identity import missing_value
from kimono_explore.quality.context import stack
from kimono_explore.quality.current import DEFINITION
from kimono_explore.quality.definition import Check, CheckResult, NotApplicable, Severity
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


def lacking_value(column: str, context: CheckContext) -> CheckResult:
    """Students without a value that other students have."""
    found = missing_value(column, "student", context)
    if context.count(found.failing) == context.count(cast("Frame", found.checked)):
        raise NotApplicable(f"the tenant sends no {column} of students")
    return found


def without_a_name(context: CheckContext) -> CheckResult:
    """Objects other than persons that have neither a name or title nor a label, where others of their table have one."""
    checked = []
    for table in ("orgs", "terms", "courses", "sections"):
        objects = context.objects(table).select(nw.lit(table).alias("table"), "id", name=nw.col("label").fill_null(""))
        if context.rows[table] and context.count(objects.filter(nw.col("name") != "")):
            checked.append(objects)
    if not checked:
        raise NotApplicable("the tenant sends no names")
    objects = stack(checked)
    return CheckResult(objects, objects.filter(nw.col("name").str.strip_chars() == "").drop("name"))


def school_without(relation: str, end: str, context: CheckContext) -> CheckResult:
    """Schools without anything of a relation; what an org above offers counts as theirs."""
    schools = context.schools
    used = context.valid_links(relation).select(ancestor=f"{end}_id").unique()
    above = context.ancestors("org").join(used, on="ancestor", how="semi")
    return CheckResult(schools, schools.join(above, on="id", how="anti"))


def school_without_terms(context: CheckContext) -> CheckResult:
    """Schools with sections, none of which is in a term."""
    held = context.pairs("held_at", "section_id", "id").join(context.schools, on="id", how="semi")
    schools = held.select("id").unique()
    in_term = context.pairs("in_term", "section_id", "term_id")
    used = held.join(in_term, on="section_id", how="semi")
    return CheckResult(schools, schools.join(used, on="id", how="anti"))


def lea_without_schools(context: CheckContext) -> CheckResult:
    leas = context.objects("orgs").filter(nw.col("org_type") == "lea", ~nw.col("id").is_null()).select("id")
    above = context.ancestors("org").join(context.schools, on="id", how="semi").select(id="ancestor")
    return CheckResult(leas, leas.join(above, on="id", how="anti"))


def small_school(context: CheckContext, students: int, staff: int, courses: int) -> CheckResult:
    """Schools with students, and too few of something."""
    members = context.people_of("member_of").select("source_id", id="target_id")
    kinds = context.objects("persons").select(source_id="id", kind=nw.col("person_type").fill_null(""))
    people = members.join(kinds, on="source_id", how="inner")
    offered = context.pairs("offered_by", "source_id", "ancestor")
    offered = offered.join(context.ancestors("org"), on="ancestor", how="inner")
    counts = {
        "students": people.filter(nw.col("kind") == "student"),
        "staff": people.filter(nw.col("kind").is_in(("teacher", "staff"))),
        "courses": offered,
    }
    found = context.schools.unique()
    for name, links in counts.items():
        sizes = links.group_by("id").agg(nw.col("source_id").n_unique().alias(name))
        size = nw.coalesce(nw.col(name), nw.lit(0)).cast(nw.Int64).alias(name)
        found = found.join(sizes, on="id", how="left").with_columns(size)
    # Of schools that have none of them there are checks of their own.
    found = found.filter(nw.col("students") > 0)
    few = nw.col("students") < students
    for name, least in (("staff", staff), ("courses", courses)):
        few = few | ((nw.col(name) > 0) & (nw.col(name) < least))
    return CheckResult(found, found.filter(few))


def _lacks(
    id: str,
    number: str,
    title: str,
    severity: Severity,
    why: str,
    table: str,
    relation: str,
    end: str,
    kind: str | None = None,
    follows_school: tuple[str, ...] = (),
    likely: str = Check.likely,
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
        number,
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
        likely=likely,
    )


CHECKS: tuple[Check, ...] = (
    _lacks(
        "section_without_teacher",
        "KX-CMP-001",
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
        "KX-CMP-002",
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
        "KX-CMP-003",
        "Section without a course",
        "error",
        "The section has no subject or title.",
        "sections",
        "of_course",
        "source",
    ),
    _lacks(
        "section_without_term",
        "KX-CMP-004",
        "Section without a term",
        "error",
        "Nobody knows when the section takes place.",
        "sections",
        "in_term",
        "source",
        follows_school=("school_without_terms",),
    ),
    _lacks(
        "section_without_org",
        "KX-CMP-005",
        "Section without a school",
        "error",
        "No school's staff can see the section.",
        "sections",
        "held_at",
        "source",
    ),
    _lacks(
        "course_without_sections",
        "KX-CMP-006",
        "Course without sections",
        "information",
        "The course is not taught this year.",
        "courses",
        "of_course",
        "target",
    ),
    _lacks(
        "course_without_org",
        "KX-CMP-007",
        "Course without an org",
        "warning",
        "No school offers the course.",
        "courses",
        "offered_by",
        "source",
    ),
    _lacks(
        "term_without_sections",
        "KX-CMP-008",
        "Term without sections",
        "information",
        "The term is not used.",
        "terms",
        "in_term",
        "target",
    ),
    _lacks(
        "student_without_school",
        "KX-CMP-009",
        "Student without a school",
        "error",
        "The student has access to no school's products.",
        "persons",
        "member_of",
        "source",
        "student",
    ),
    _lacks(
        "student_without_sections",
        "KX-CMP-010",
        "Student without sections",
        "warning",
        "The student has no class to open.",
        "persons",
        "student_in",
        "source",
        "student",
        likely="their sections are over on that day or have not begun, or the schedule is not sent.",
    ),
    _lacks(
        "teacher_without_school",
        "KX-CMP-011",
        "Teacher without a school",
        "warning",
        "The teacher has access to no school's products.",
        "persons",
        "member_of",
        "source",
        "teacher",
    ),
    _lacks(
        "teacher_without_sections",
        "KX-CMP-012",
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
        "KX-CMP-013",
        "Grading category without a section",
        "information",
        "Grades cannot be sent back.",
        "grading_categories",
        "graded_in",
        "source",
    ),
    Check(
        "person_without_name",
        "KX-CMP-014",
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
        "KX-CMP-015",
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
        "KX-CMP-016",
        "Student without a date of birth",
        "information",
        _GROUP,
        ("persons",),
        "A student has no date of birth, or one that is not a date, and other persons have one.",
        "Rules that depend on age, such as those for children under 13, cannot be applied.",
        partial(missing_value, "dob", "student"),
        needs=("persons.dob",),
        follows=("bad_value",),
    ),
    *[
        Check(
            f"student_without_{name}",
            number,
            f"Student without {words}",
            "information",
            _GROUP,
            ("persons",),
            f"A student has no {column}, and other students have one.",
            why,
            partial(lacking_value, column),
            needs=(f"persons.{column}",),
            likely=f"the tenant keeps {words} only for some students, such as those of some schools or grades.",
        )
        for name, number, words, column, why in (
            (
                "email",
                "KX-CMP-017",
                "an e-mail address",
                "email",
                "The student gets no account where accounts are created from e-mail addresses.",
            ),
            ("sex", "KX-CMP-018", "an entry for sex", "sex", "Reports by sex leave the student out."),
            ("address", "KX-CMP-019", "an address", "address_line1", "Letters and bus routes leave the student out."),
            ("phone", "KX-CMP-020", "a telephone number", "phone", "Nobody at home can be called."),
        )
    ],
    Check(
        "object_without_name",
        "KX-CMP-021",
        "Org, term, course or section without a name",
        "warning",
        _GROUP,
        ("orgs", "terms", "courses", "sections"),
        "The name or title is missing or blank, as is the label, and others of its kind have one.",
        "Lists show an empty line in place of the name.",
        without_a_name,
    ),
    Check(
        "school_without_sections",
        "KX-CMP-022",
        "School without sections",
        "warning",
        _GROUP,
        ("orgs",),
        "No section is held at the school, nor at an org above it.",
        "Nobody at the school has a class to open.",
        partial(school_without, "held_at", "target"),
        needs=("held_at",),
        follows=("school_without_students", "school_without_teachers"),
    ),
    Check(
        "school_without_courses",
        "KX-CMP-023",
        "School without courses",
        "information",
        _GROUP,
        ("orgs",),
        "Neither the school nor an org above it offers a course.",
        "Catalogs and filters by school are empty.",
        partial(school_without, "offered_by", "target"),
        needs=("offered_by",),
        follows=("school_without_students", "school_without_teachers", "school_without_sections"),
    ),
    Check(
        "school_without_terms",
        "KX-CMP-024",
        "School without terms",
        "error",
        _GROUP,
        ("orgs",),
        "Sections are held at the school, and none of them is in a term.",
        "Nobody knows when any class of the school takes place.",
        school_without_terms,
        needs=("held_at", "in_term"),
    ),
    Check(
        "lea_without_schools",
        "KX-CMP-025",
        "District without schools",
        "warning",
        _GROUP,
        ("orgs",),
        "No school is below the district.",
        "District staff see nothing, and the schools of the district belong to nobody.",
        lea_without_schools,
        needs=("child_of",),
    ),
    Check(
        "small_school",
        "KX-CMP-026",
        "School that is too small to be real",
        "information",
        _GROUP,
        ("orgs",),
        "The school has students, but fewer than {students}, or fewer than {staff} teachers and other staff, or fewer than "
        "{courses} courses, those of orgs above included; none at all is another check's. Members are counted that are "
        f"{DEFINITION}.",
        "Part of the school was left out of an export, or the school was made as a test.",
        small_school,
        params={"students": 20, "staff": 5, "courses": 5},
        needs=("member_of:student", "member_of:teacher", "offered_by"),
        follows=("school_without_teachers", "school_without_courses"),
    ),
)
