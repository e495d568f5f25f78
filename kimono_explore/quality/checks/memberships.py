"""Checks of memberships as of a day: what their dates, status, role and primary flag say, and of whom."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import narwhals as nw

from kimono_explore.display import noun
from kimono_explore.quality.context import stack
from kimono_explore.quality.current import ACTIVE, GONE, STATUSES, TO_COME, day, plain_status, true
from kimono_explore.quality.definition import Check, CheckResult, Frame, NotApplicable
from kimono_explore.schema import IN_SECTION, MEMBERSHIPS

if TYPE_CHECKING:
    from kimono_explore.quality.context import CheckContext

_GROUP = "Memberships"
_SHOWN = ("id", "relation", "target_id", "status", "start_date", "end_date")
_ALL_ACTIVE = 20
"""If at least this many memberships have ended and all of them are active, the status is that of the record."""


def enrollment_outside_terms(context: CheckContext, days: int) -> CheckResult:
    """Enrollments that begin long before, or end long after, the terms of their section, or share no day with them."""
    seats = context.dated_memberships(*IN_SECTION).filter(
        ~nw.col("first_day").is_null() | ~nw.col("last_day").is_null()
    )
    start, end, first, last = (nw.col(name) for name in ("start_date", "end_date", "first_day", "last_day"))
    margin = f"{days}d"
    early = true(start < first.dt.offset_by(f"-{margin}")) | true(end < first)
    late = true(end > last.dt.offset_by(margin)) | true(start > last)
    return CheckResult(seats, seats.filter(early | late).select(*_SHOWN, "first_day", "last_day"))


def ended_but_active(context: CheckContext) -> CheckResult:
    links = context.dated_memberships(*MEMBERSHIPS).filter(~nw.col("end_date").is_null(), nw.col("status") != "")
    # When its section is over, too, everybody knows that it has ended.
    ended = links.filter(nw.col("end_date") < day(context.as_of), ~nw.col("over"))
    active = ended.filter(nw.col("status").is_in(ACTIVE))
    times = context.count(active)
    if times >= _ALL_ACTIVE and times == context.count(ended):
        raise NotApplicable(f"all {times:,} memberships that have ended are active: their status is that of the record")
    return CheckResult(links, active.select(*_SHOWN))


def future_but_active(context: CheckContext) -> CheckResult:
    links = context.dated_memberships(*MEMBERSHIPS).filter(~nw.col("start_date").is_null(), nw.col("status") != "")
    # What begins with a section that has not begun yet, or nobody knows when, is as planned.
    begun = true(nw.col("first_day") <= day(context.as_of)) | (nw.col("relation") == "member_of")
    active = links.filter(nw.col("status").is_in(ACTIVE), begun, nw.col("start_date") > day(context.as_of))
    return CheckResult(links, active.select(*_SHOWN))


def current_but_inactive(context: CheckContext, inactive: tuple[str, ...]) -> CheckResult:
    links = context.dated_memberships(*MEMBERSHIPS).filter(nw.col("status") != "")
    ends = nw.coalesce("end_date", "last_day")
    holds = true(nw.col("start_date") <= day(context.as_of)) & true(ends >= day(context.as_of))
    return CheckResult(links, links.filter(nw.col("status").is_in(inactive), holds).select(*_SHOWN))


def membership_far_ahead(context: CheckContext, days: int) -> CheckResult:
    links = context.dated_memberships(*MEMBERSHIPS).filter(~nw.col("start_date").is_null())
    return CheckResult(
        links, links.filter(nw.col("start_date") > day(context.as_of + timedelta(days=days))).select(*_SHOWN)
    )


def membership_before_birth(context: CheckContext) -> CheckResult:
    persons = context.objects("persons").filter(~nw.col("id").is_null(), ~nw.col("dob").is_null())
    born = persons.group_by("id").agg(dob=nw.col("dob").min())
    links = context.dated_memberships(*MEMBERSHIPS).filter(
        ~nw.col("start_date").is_null() | ~nw.col("end_date").is_null()
    )
    links = links.join(born, on="id", how="inner")
    early = true(nw.col("start_date") < nw.col("dob")) | true(nw.col("end_date") < nw.col("dob"))
    return CheckResult(links, links.filter(early).select(*_SHOWN, "dob"))


def enrollment_without_end(context: CheckContext) -> CheckResult:
    seats = context.dated_memberships(*IN_SECTION)
    without = seats.filter(nw.col("end_date").is_null())
    if context.count(without) == context.count(seats):
        raise NotApplicable("the tenant sends no end_date of memberships")
    return CheckResult(seats, without.select(*_SHOWN))


def unknown_status(context: CheckContext, known: tuple[str, ...]) -> CheckResult:
    links = context.dated_memberships(*MEMBERSHIPS).filter(nw.col("status") != "")
    return CheckResult(links, links.filter(~nw.col("status").is_in(known)).select(*_SHOWN))


def seated_after_leaving(context: CheckContext) -> CheckResult:
    """Students who are in a section today, and have a membership of its school that is not current."""
    held = context.first_target("held_at").rename({"id": "section_id", "target": "org_id"})
    seats = context.current("student_in").filter(~nw.col("over"))
    seats = seats.select(id="source_id", section_id="target_id").join(held, on="section_id", how="inner")
    members = context.memberships("member_of").select("current", "end_date", id="source_id", org_id="target_id")
    ends = ["id", "org_id"]
    left = members.filter(~nw.col("current")).group_by(*ends).agg(left=nw.col("end_date").max())
    # Members of an org below, as of a district's school, are at home there, too.
    above = context.ancestors("org").rename({"id": "org_id", "ancestor": "above_id"})
    at_home = members.filter(nw.col("current")).join(above, on="org_id", how="inner").select("id", org_id="above_id")
    known = seats.join(members.select(ends), on=ends, how="semi")
    wrong = known.join(left, on=ends, how="inner").join(at_home, on=ends, how="anti")
    return CheckResult(
        seats, wrong.group_by(*ends).agg(sections=nw.col("section_id").n_unique(), left=nw.col("left").max())
    )


def two_schools_at_once(context: CheckContext) -> CheckResult:
    """Students with active memberships of two schools that share a day, neither of which is a secondary one."""
    schools = context.objects("orgs").filter(nw.col("org_type") == "school").select(target_id="id")
    students = context.objects("persons", "student").select("id")
    members = context.dated_memberships("member_of").filter(~nw.col("status").is_in(GONE), ~true(~nw.col("primary")))
    members = members.join(schools.unique(), on="target_id", how="semi").join(students, on="id", how="semi")
    columns = ("id", "target_id", "start_date", "end_date")
    several = members.group_by("id").agg(schools=nw.col("target_id").n_unique()).filter(nw.col("schools") > 1)
    few = context.engine.keep(members.join(several, on="id", how="semi").select(*columns))
    other = few.rename({name: f"other_{name}" for name in columns[1:]})
    pairs = few.join(other, on="id", how="inner").filter(nw.col("target_id") < nw.col("other_target_id"))
    apart = true(nw.col("end_date") < nw.col("other_start_date")) | true(
        nw.col("other_end_date") < nw.col("start_date")
    )
    found = pairs.filter(~apart).group_by("id")
    failing = found.agg(school_id=nw.col("target_id").min(), other_school_id=nw.col("other_target_id").max())
    return CheckResult(members.select("id").unique(), failing)


def of_an_inactive_person(relation: str, counted: str, context: CheckContext, inactive: tuple[str, ...]) -> CheckResult:
    """Persons who are inactive, and are in sections today."""
    gone = _inactive(context, "persons", inactive)
    open_now = _open_sections(context, inactive) if relation == "teacher_in" else None
    seats = context.current(relation).filter(~nw.col("over")).select(id="source_id", section_id="target_id")
    if open_now is not None:
        seats = seats.join(open_now, on="section_id", how="anti")
    found = seats.join(gone, on="id", how="inner").group_by("id", "person_status")
    return CheckResult(seats, found.agg(nw.col("section_id").n_unique().alias(counted)))


def in_an_inactive_section(context: CheckContext, inactive: tuple[str, ...]) -> CheckResult:
    gone = _inactive(context, "sections", inactive)
    seats = stack(
        [context.current(relation).filter(~nw.col("over")).select("source_id", "target_id") for relation in IN_SECTION]
    )
    sections = seats.group_by("target_id").agg(people=nw.col("source_id").n_unique()).rename({"target_id": "id"})
    return CheckResult(sections, sections.join(gone, on="id", how="inner"))


def enrolled_as(relation: str, kinds: tuple[str, ...], context: CheckContext) -> CheckResult:
    """Persons with a part in a section that is not theirs by their type."""
    # A proctor or an aide may well be a student.
    parts = context.valid_links(relation).filter(nw.col("role").is_null() | (nw.col("role") == relation.split("_")[0]))
    seats = parts.select("role", id="source_id", section_id="target_id")
    persons = context.objects("persons", *kinds).select("id").unique()
    return CheckResult(seats, seats.join(persons, on="id", how="semi"))


def one_primary_teacher(context: CheckContext) -> CheckResult:
    """Sections with teachers, of whom none or several are the primary one."""
    posts = context.people_of("teacher_in")
    return _one_primary(context, posts.select("primary", id="target_id", other_id="source_id"), "primary_teachers")


def one_primary_school(context: CheckContext) -> CheckResult:
    """Students with schools, of which none or several are the primary one."""
    students = context.objects("persons", "student").select("id").unique()
    members = context.people_of("member_of").select("primary", id="source_id", other_id="target_id")
    return _one_primary(context, members.join(students, on="id", how="semi"), "primary_schools")


def _one_primary(context: CheckContext, links: Frame, counted: str) -> CheckResult:
    """The objects that have anything by these links, and not exactly one primary thing."""
    primary = links.filter(true(nw.col("primary"))).group_by("id").agg(times=nw.col("other_id").n_unique())
    if not context.count(primary):
        raise NotApplicable("the tenant does not say which one is the primary one")
    found = links.group_by("id").agg(of=nw.col("other_id").n_unique()).join(primary, on="id", how="left")
    found = found.with_columns(times=nw.coalesce(nw.col("times"), nw.lit(0)).cast(nw.Int64))
    return CheckResult(found, found.filter(nw.col("times") != 1).rename({"times": counted}))


def _inactive(context: CheckContext, table: str, inactive: tuple[str, ...]) -> Frame:
    """The objects of a table that are inactive or to be deleted: id, and their status."""
    column = _status_column(context, table)
    if column is None:
        raise NotApplicable(f"the tenant sends no status of {table}")
    objects = context.objects(table).select("id", status=plain_status(column))
    gone = objects.filter(~nw.col("id").is_null(), nw.col("status").is_in(inactive))
    return gone.group_by("id").agg(nw.col("status").min().alias(f"{noun(table)}_status"))


def _open_sections(context: CheckContext, inactive: tuple[str, ...]) -> Frame | None:
    """The sections that are not active, where anybody says so."""
    if _status_column(context, "sections") is None:
        return None
    return _inactive(context, "sections", inactive).select(section_id="id")


def _status_column(context: CheckContext, table: str) -> str | None:
    return next((name for name in ("status", "ext_status") if context.filled[table].get(name)), None)


CHECKS: tuple[Check, ...] = (
    Check(
        "enrollment_outside_terms",
        "KX-ENR-001",
        "Enrollment outside the terms of its section",
        "warning",
        _GROUP,
        ("persons",),
        "The enrollment begins more than {days} days before the first term of its section or ends more than {days} days "
        "after the last, or has no day in common with them.",
        "The class shows in months in which it does not take place, or never shows at all.",
        enrollment_outside_terms,
        params={"days": 30},
        needs=("in_term",),
        follows=("membership_before_birth", "membership_far_ahead", "membership_ends_before_start"),
        likely="the dates say when people signed up or left, not when the class takes place.",
    ),
    Check(
        "ended_but_active",
        "KX-ENR-002",
        "Membership that has ended and is still active",
        "warning",
        _GROUP,
        ("persons",),
        "The last day is before the day of the check (`as_of`), the section is still going on, and the status is active. "
        "Does not apply where that is true of all memberships that have ended.",
        "Products that go by the status still let the person in; those that go by the dates do not.",
        ended_but_active,
    ),
    Check(
        "future_but_active",
        "KX-ENR-003",
        "Membership that has not begun and is already active",
        "information",
        _GROUP,
        ("persons",),
        "The first day is after the day of the check (`as_of`), the section has begun, and the status is active.",
        "Products that go by the status let the person in too early; those that go by the dates do not yet.",
        future_but_active,
        follows=("membership_far_ahead",),
    ),
    Check(
        "current_but_inactive",
        "KX-ENR-004",
        "Membership that is still going on and is not active",
        "warning",
        _GROUP,
        ("persons",),
        "The day of the check (`as_of`) lies between its first and its last day, and the status is one of {inactive}.",
        "Products that go by the status shut the person out of a class that is still going on.",
        current_but_inactive,
        params={"inactive": ("historical", "inactive", *TO_COME)},
    ),
    Check(
        "membership_far_ahead",
        "KX-ENR-005",
        "Membership that begins far in the future",
        "warning",
        _GROUP,
        ("persons",),
        "The first day is more than {days} days after the day of the check (`as_of`).",
        "Nearly always a mistyped year: the person does not see the class or school.",
        membership_far_ahead,
        params={"days": 366},
    ),
    Check(
        "membership_before_birth",
        "KX-ENR-006",
        "Membership from before the person was born",
        "warning",
        _GROUP,
        ("persons",),
        "The first or the last day is before the person's date of birth.",
        "One of the two dates is wrong, and rules that depend on it go wrong.",
        membership_before_birth,
        needs=("persons.dob",),
    ),
    Check(
        "enrollment_without_end",
        "KX-ENR-007",
        "Enrollment without an end date",
        "information",
        _GROUP,
        ("persons",),
        "The last day is missing, and other enrollments have one.",
        "The class may stay on the person's screen forever.",
        enrollment_without_end,
        likely="an end date is set only for those who have left.",
    ),
    Check(
        "unknown_membership_status",
        "KX-ENR-008",
        "Membership with an unknown status",
        "information",
        _GROUP,
        ("persons",),
        "The status, case ignored, is not one of {known}.",
        "Each product interprets it differently: some let the person in, some do not.",
        unknown_status,
        params={"known": STATUSES},
    ),
    Check(
        "seated_after_leaving_school",
        "KX-ENR-009",
        "In a section of a school that the student is not in today",
        "warning",
        _GROUP,
        ("persons",),
        "The enrollment is current on the day of the check (`as_of`); the membership of the section's school is not.",
        "The school no longer looks after the student, and the class still lists them.",
        seated_after_leaving,
        needs=("student_in", "held_at", "member_of:student"),
        follows=("student_without_school",),
    ),
    Check(
        "two_schools_at_once",
        "KX-ENR-010",
        "Student at two schools at the same time",
        "warning",
        _GROUP,
        ("persons",),
        "Two memberships of different schools cover the same day; neither has ended by its status, and neither is marked as secondary.",
        "Both schools count, license and report the student: often a move whose first membership was never ended.",
        two_schools_at_once,
        needs=("member_of:student",),
    ),
    Check(
        "enrolled_inactive_student",
        "KX-ENR-011",
        "Inactive student in a section",
        "warning",
        _GROUP,
        ("persons",),
        "The person's status is one of {inactive}, and an enrollment is current on the day of the check (`as_of`).",
        "The class lists somebody who cannot sign on, or who has left.",
        partial(of_an_inactive_person, "student_in", "sections"),
        params={"inactive": GONE},
        needs=("student_in",),
    ),
    Check(
        "enrollment_in_inactive_section",
        "KX-ENR-012",
        "Inactive section with people in it",
        "warning",
        _GROUP,
        ("sections",),
        "The section's status is one of {inactive}, and an enrollment is current on the day of the check (`as_of`).",
        "The class disappears from the screens of people who are enrolled in it.",
        in_an_inactive_section,
        params={"inactive": GONE},
        needs=("student_in",),
    ),
    Check(
        "inactive_teacher_of_section",
        "KX-ENR-013",
        "Inactive teacher of an active section",
        "warning",
        _GROUP,
        ("persons",),
        "The person's status is one of {inactive}, and the person teaches a section on the day of the check (`as_of`) "
        "whose own status is not one of these.",
        "The class has a teacher who cannot open it.",
        partial(of_an_inactive_person, "teacher_in", "sections"),
        params={"inactive": GONE},
        needs=("teacher_in",),
    ),
    Check(
        "student_as_teacher",
        "KX-ENR-014",
        "Student who is enrolled as a teacher",
        "error",
        _GROUP,
        ("persons",),
        "The person is a student, and the teacher of a section.",
        "A student sees the work and the grades of others, and can change them.",
        partial(enrolled_as, "teacher_in", ("student",)),
        needs=("teacher_in",),
    ),
    Check(
        "teacher_as_student",
        "KX-ENR-015",
        "Teacher who is enrolled as a student",
        "warning",
        _GROUP,
        ("persons",),
        "The person is a teacher or a member of staff, and a student of a section.",
        "The class has one student too many, with no grade and no parent, and the teacher does not see it as a teacher.",
        partial(enrolled_as, "student_in", ("teacher", "staff")),
        needs=("student_in",),
        follows=("student_and_teacher_of_section",),
    ),
    Check(
        "section_without_one_primary_teacher",
        "KX-ENR-016",
        "Section with no primary teacher, or with several",
        "warning",
        _GROUP,
        ("sections",),
        "The section has teachers on the day of the check (`as_of`), and not exactly one of them is the primary one.",
        "Products that show one teacher show nobody or any of them, and nobody or any of them may submit the grades.",
        one_primary_teacher,
        needs=("teacher_in",),
    ),
    Check(
        "student_without_one_primary_school",
        "KX-ENR-017",
        "Student with no primary school, or with several",
        "warning",
        _GROUP,
        ("persons",),
        "The student is in a school on the day of the check (`as_of`), and not exactly one is the primary one.",
        "Reports by school count the student nowhere, or twice.",
        one_primary_school,
        needs=("member_of:student",),
        follows=("two_schools_at_once",),
    ),
)
