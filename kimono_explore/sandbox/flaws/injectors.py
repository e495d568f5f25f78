"""How flaws come into links, structure, terms and loads: functions that `flaws.FLAWS` names, each planting a few."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.sandbox.flaws.editor import Soil, type_of

if TYPE_CHECKING:
    from kimono_explore.sandbox.flaws.editor import Sow


def missing_id(soil: Soil, check: str) -> None:
    """A member of staff whose id was lost."""
    for row in soil.pick("persons", 1, "staff", links=True):
        soil.drop("member_of", source=soil.id("persons", row))
        soil.set("persons", row, id=None)
        soil.note(check, "persons", row, str(soil.tables["persons"]["label"].iloc[row]))


def duplicate_id(soil: Soil, check: str) -> None:
    """Two of a school's staff with one id, and a grading category with the id of a section."""
    rows = soil.pair("persons", ["school"], "staff")
    for row in rows[1:]:
        soil.drop("member_of", source=soil.id("persons", row))
        soil.set("persons", row, id=soil.id("persons", rows[0]))
    for row in rows:
        soil.note(check, "persons", row, "two persons with one id")
    for row in soil.pick("sections", 1, links=True):
        section = soil.id("sections", row)
        soil.add("grading_categories", id=section, name="Participation")
        soil.link("graded_in", "grading_category", section, "section", section)
        for table in ("sections", "grading_categories"):
            soil.note(check, table, section, "a section and a grading category with one id")


def missing_end(relation: str, table: str, kind: str | None, target: str, role: str | None = None) -> Sow:
    """Two objects that have a further link, to something that was not delivered."""

    def sow(soil: Soil, check: str) -> None:
        for row in soil.pick(table, 2, kind, links=True):
            source = soil.id(table, row)
            if role is not None:
                soil.member(relation, source, target, soil.new_id(), role, stated_by="source")
            else:
                soil.link(relation, type_of(table), source, target, soil.new_id())
            soil.note(check, table, row, f"{relation}: a {target} that was not delivered")

    return sow


def missing_source(relation: str, role: str) -> Sow:
    """A section that lists a person who was not delivered."""

    def sow(soil: Soil, check: str) -> None:
        for row in soil.pick("sections", 1, links=True):
            soil.member(relation, soil.new_id(), "section", soil.id("sections", row), role, stated_by="target")
            soil.note(check, "sections", row, f"lists a {role} who was not delivered")

    return sow


def orphan_of_course(soil: Soil, check: str) -> None:
    """A section of a course that was not delivered."""
    for row in soil.pick("sections", 1, links=True):
        soil.point("of_course", soil.id("sections", row), soil.new_id(), stated_by="source")
        for name in (check, "section_without_course"):
            soil.note(name, "sections", row, "its course was not delivered")


def school_not_delivered(soil: Soil, check: str) -> None:
    """One missing school explains a section, its course's offer, and its people's second membership."""
    smallest = soil.sections["size"].where(soil.free("sections", links=True)).nsmallest(1).index
    for row in smallest.intersection(soil.sections.index[soil.sections["size"] > 0]):
        section, school = soil.id("sections", row), soil.new_id()
        soil.use("sections", row)
        soil.point("held_at", section, school)
        for name in (check, "section_without_org"):
            soil.note(name, "sections", row, "its school was not delivered")
        course = str(soil.sections["course"].iloc[row])
        soil.link("offered_by", "course", course, "org", school)
        if not soil.noted("orphan_offered_by", "courses", course):
            soil.note("orphan_offered_by", "courses", course, "also offered by a school that was not delivered")
        for relation, role in (("student_in", "student"), ("teacher_in", "teacher")):
            for person in soil.sources(relation, section):
                soil.member("member_of", person, "org", school, role, stated_by="source", primary=False)
                if not soil.noted("orphan_member_of", "persons", person):
                    soil.note("orphan_member_of", "persons", person, "also a member of a school that was not delivered")
                soil.use("persons", soil.row("persons", person))


def orphan_graded(soil: Soil, check: str) -> None:
    """A grading category of a section that was not delivered."""
    category = soil.add("grading_categories", name="Quizzes")
    soil.link("graded_in", "grading_category", category, "section", soil.new_id())
    for name in (check, "category_without_section"):
        soil.note(name, "grading_categories", category, "its section was not delivered")


def one_sided(soil: Soil, check: str) -> None:
    """Memberships that only the person, or only the school or section, states."""
    for relation, kind, by in (
        ("student_in", "student", "source"),
        ("student_in", "student", "target"),
        ("member_of", "student", "source"),
        ("teacher_in", "teacher", "target"),
    ):
        for row in soil.pick("persons", 1, kind, links=True):
            person = soil.id("persons", row)
            soil.state(relation, person, by, None if relation == "member_of" else soil.quiet(relation, person))
            soil.note(check, "persons", row, f"one {relation} that only its {by} states")


def twice(soil: Soil, check: str) -> None:
    """Students who are in one section by two memberships."""
    for row in soil.pick("persons", 2, "student", links=True):
        person = soil.id("persons", row)
        soil.member("student_in", person, "section", soil.quiet("student_in", person), "student")
        soil.note(check, "persons", row, "twice in one section")


def student_and_teacher(soil: Soil, check: str) -> None:
    """Teachers who are also students of a section of theirs."""
    for row in soil.pick("persons", 2, "teacher", links=True):
        person = soil.id("persons", row)
        soil.member("student_in", person, "section", soil.quiet("teacher_in", person), "student")
        soil.note(check, "persons", row, "a student of a section that they teach")


def wrong_type(soil: Soil, check: str) -> None:
    """Sections that name their course as a term."""
    for row in soil.pick("sections", 2, links=True):
        course = str(soil.sections["course"].iloc[row])
        soil.link("in_term", "section", soil.id("sections", row), "course", course)
        soil.note(check, "sections", row, "one of its terms is a course")


def section_org_not_in_course(soil: Soil, check: str) -> None:
    """Sections of a course that other schools offer, but not theirs."""
    offers = soil.relation("offered_by").groupby("target_id")["source_id"].agg(set)
    for row in soil.pick("sections", 2, links=True):
        elsewhere = sorted(set().union(*offers) - offers[soil.sections["school"].iloc[row]])
        if elsewhere:
            soil.point("of_course", soil.id("sections", row), elsewhere[int(soil.rng.integers(len(elsewhere)))])
            soil.note(check, "sections", row, "its course is not offered by its school")


def outside_school(relation: str, kind: str) -> Sow:
    """Persons in a section of a school that they are no member of."""

    def sow(soil: Soil, check: str) -> None:
        for row in soil.pick("persons", 2, kind, links=True):
            person = soil.id("persons", row)
            other = ~soil.sections["school"].isin(soil.targets("member_of", person)) & (soil.sections["size"] < 40)
            for section in soil.pick("sections", 1, where=other.to_numpy(), links=True):
                soil.member(relation, person, "section", soil.id("sections", section), kind, primary=False)
                soil.note(check, "persons", row, "in a section of another school")

    return sow


def parent_child_mismatch(soil: Soil, check: str) -> None:
    """A school that its parent does not list, and a term whose parent only its parent states."""
    several = (soil.tables["orgs"]["org_type"] == "school").sum() > 2
    for row in soil.pick("orgs", 1, "school", links=True) if several else ():
        soil.state("child_of", soil.id("orgs", row), "source")
        soil.note(check, "orgs", row, "its parent does not list it")
    for row in soil.pick("terms", 1, "quarter", links=True):
        soil.state("child_of", soil.id("terms", row), "target")
        soil.note(check, "terms", row, "its parent lists it, and it names none")


def org_cycle(soil: Soil, check: str) -> None:
    """Two orgs that are each other's parent."""
    one, other = (soil.add("orgs", name=f"{side} Annex", org_type="annex") for side in ("East", "West"))
    for child, parent in ((one, other), (other, one)):
        soil.link("child_of", "org", child, "org", parent, stated_by="both")
        soil.note(check, "orgs", child, "its own grandparent")
        soil.note("unknown_org_type", "orgs", child, "org_type: 'annex'")


def term_cycle(soil: Soil, check: str) -> None:
    """Two terms that are each other's parent."""
    dates = soil.past()
    one, other = (soil.term(f"Session {letter}", *dates) for letter in "AB")
    for child, parent in ((one, other), (other, one)):
        soil.link("child_of", "term", child, "term", parent, stated_by="both")
        soil.note(check, "terms", child, "its own grandparent")


def no_parent(soil: Soil, check: str) -> None:
    """A school without a parent."""
    for row in soil.pick("orgs", 1, "school", links=True):
        soil.drop("child_of", source=soil.id("orgs", row))
        soil.note(check, "orgs", row, "no parent")


def new_orgs(kind: str, *names: str, also: str | None = None) -> Sow:
    """New orgs of a kind, without anybody."""

    def sow(soil: Soil, check: str) -> None:
        for name in names:
            org = soil.add("orgs", name=name, org_type=kind)
            for lea in soil.tables["orgs"].query("org_type == 'lea'")["id"].head(1):
                soil.link("child_of", "org", org, "org", lea, stated_by="both")
            for found in filter(None, (check, also)):
                soil.note(found, "orgs", org, f"org_type: {kind!r}" if also is None else "a school without anybody")

    return sow


def cut(relation: str, table: str, *, kind: str | None = None) -> Sow:
    """Objects that lose all links of a relation, where that leaves nothing else wanting."""

    def sow(soil: Soil, check: str) -> None:
        for row in soil.pick(table, 2, kind, links=True):
            soil.drop(relation, source=soil.id(table, row))
            soil.note(check, table, row, f"no {relation}")

    return sow


def no_teacher(soil: Soil, check: str) -> None:
    """Sections that lose their teachers."""
    for row in soil.pick("sections", 2, where=soil.spare_teacher(), links=True):
        soil.drop("teacher_in", target=soil.id("sections", row))
        soil.note(check, "sections", row, "no teacher_in")


def no_school(soil: Soil, check: str) -> None:
    """Registered, but not yet enrolled anywhere."""
    for row in soil.pick("persons", 2, "student", where=soil.spare_seats(), links=True):
        for relation in ("member_of", "student_in"):
            soil.drop(relation, source=soil.id("persons", row))
        for name in (check, "student_without_sections"):
            soil.note(name, "persons", row, "in no school and no section")


def no_sections(soil: Soil, check: str) -> None:
    """Students who are in a school, but in no section."""
    for row in soil.pick("persons", 2, "student", where=soil.spare_seats(), links=True):
        soil.drop("student_in", source=soil.id("persons", row))
        soil.note(check, "persons", row, "in no section")


def new_teachers(*, school: bool) -> Sow:
    """Teachers who have no sections yet; without a school, too."""

    def sow(soil: Soil, check: str) -> None:
        for org in soil.tables["orgs"].query("org_type == 'school'")["id"].head(2):
            person = soil.person()
            if school:
                soil.member("member_of", person, "org", org, "teacher")
            for name in (check,) if school else (check, "teacher_without_sections"):
                soil.note(name, "persons", person, "a teacher without sections")

    return sow


def new_section(students: int) -> Sow:
    """A section like another, with its teacher but fewer students."""

    def sow(soil: Soil, check: str) -> None:
        for row in soil.pick("sections", 2, where=soil.spare_teacher(), links=True):
            where = soil.spare_time(soil.sections["school"].iloc[row])
            few = soil.pick("persons", students, "student", where=where, links=True)
            if len(few) < students:
                continue
            section = soil.section(row)
            for student in few:
                soil.member("student_in", soil.id("persons", student), "section", section, "student")
            soil.note(check, "sections", section, f"{students} students")

    return sow


def new_courses(*, offered: bool) -> Sow:
    """New courses without sections; without an org, too."""

    def sow(soil: Soil, check: str) -> None:
        for title in ("Astronomy", "Debate") if offered else ("Robotics", "Journalism"):
            course = soil.add("courses", title=title, description="Elective", local_id=f"{title[:3].upper()}00")
            if offered:
                for org in soil.tables["orgs"].query("org_type == 'school'")["id"].head(1):
                    soil.link("offered_by", "course", course, "org", org)
            else:
                soil.note(check, "courses", course, "no org")

    return sow


def term(name: str) -> Sow:
    """A term whose dates are odd in one way."""

    def sow(soil: Soil, check: str) -> None:
        year, (start, end) = soil.year(), soil.past()
        odd: dict[str, tuple[object, object]] = {
            "term_without_dates": (None, None),
            "term_ends_before_start": (end, start),
            "term_too_long": (pd.Timestamp(1980, 9, 1), pd.Timestamp(1986, 6, 1)),
            "term_without_sections": (start, end),
            "orphan_child_of": (start, end),
        }
        if check == "child_term_outside_parent" and year is not None:
            after = year["end_date"]
            term = soil.term(name, after + pd.Timedelta(days=20), after + pd.Timedelta(days=40))
            soil.link("child_of", "term", term, "term", str(year["id"]), stated_by="both")
            soil.note(check, "terms", term, "after the end of its parent")
        elif check in odd:
            term = soil.term(name, *odd[check])
            if check == "orphan_child_of":
                soil.link("child_of", "term", term, "term", soil.new_id())
            if check != "term_without_sections":
                soil.note(check, "terms", term, name)

    return sow


def term_start(soil: Soil, check: str) -> None:
    """A term whose first day is no date."""
    term = soil.term("Winter Session", None, soil.past()[1])
    soil.problem("terms", term, "start_date", "2026-13-01", "not a date")
    for name in (check, "term_without_dates"):
        soil.note(name, "terms", term, "start_date: '2026-13-01'")


def siblings(soil: Soil, check: str) -> None:
    """Two parts of a summer term that share days."""
    start, end = soil.past()
    parent = soil.term("Summer School", start, end)
    days = pd.Timedelta(days=8)
    for name, dates in (("Summer I", (start, start + days)), ("Summer II", (start + days, end))):
        term = soil.term(name, *dates)
        soil.link("child_of", "term", term, "term", parent, stated_by="both")
        soil.note(check, "terms", term, "shares a day with its sibling")


def oversize(soil: Soil, check: str) -> None:
    """A section of eighty."""
    for row in soil.pick("sections", 20, links=True, mark=False):
        section, wanted = soil.id("sections", row), 80 - int(soil.sections["size"].iloc[row])
        where = soil.spare_time(soil.sections["school"].iloc[row]) & ~soil.among(soil.sources("student_in", section))
        if (where & soil.free("persons", links=True)).sum() >= wanted:
            soil.use("sections", row)
            for student in soil.pick("persons", wanted, "student", where=where, links=True):
                soil.member("student_in", soil.id("persons", student), "section", section, "student")
            soil.note(check, "sections", row, "80 students")
            return


def overload(relation: str, kind: str, total: int) -> Sow:
    """Persons in far more of their school's year-long sections than a day has periods."""

    def sow(soil: Soil, check: str) -> None:
        year = soil.year()
        if year is None:
            return
        for row in soil.pick("persons", 2, kind, links=True):
            person = soil.id("persons", row)
            mine = soil.targets(relation, person)
            where = (soil.sections["school"] == soil.targets("member_of", person)[0]) & (soil.sections["size"] < 44)
            where &= (soil.sections["term"] == year["id"]) & ~soil.tables["sections"]["id"].isin(mine)
            rows = soil.pick("sections", total - len(mine), where=where.to_numpy(), links=True, mark=False)
            if len(rows) < total - len(mine):
                continue
            for section in rows:
                soil.member(relation, person, "section", soil.id("sections", section), kind, primary=False)
            soil.note(check, "persons", row, f"{total} sections")

    return sow
