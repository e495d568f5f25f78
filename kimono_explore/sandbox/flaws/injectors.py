"""How flaws come into links, structure, terms and loads: functions that `flaws.FLAWS` names, each planting a few."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.sandbox.flaws.editor import RosterEditor, type_of

if TYPE_CHECKING:
    from kimono_explore.sandbox.flaws.editor import Inject


EMPTY_SCHOOL = tuple(f"school_without_{what}" for what in ("students", "teachers", "sections", "courses"))
"""What checks find of a school that has nobody and nothing."""


def missing_id(editor: RosterEditor, check: str) -> None:
    """A member of staff whose id was lost."""
    for row in editor.pick("persons", 1, "staff", links=True):
        editor.drop("member_of", source=editor.id("persons", row))
        editor.set("persons", row, id=None)
        editor.note(check, "persons", row, str(editor.tables["persons"]["label"].iloc[row]))


def duplicate_id(editor: RosterEditor, check: str) -> None:
    """Two of a school's staff with one id, and a grading category with the id of a section."""
    rows = editor.pair("persons", ["school"], "staff")
    for row in rows[1:]:
        editor.drop("member_of", source=editor.id("persons", row))
        editor.set("persons", row, id=editor.id("persons", rows[0]))
    for row in rows:
        editor.note(check, "persons", row, "two persons with one id")
    for row in editor.pick("sections", 1, links=True):
        section = editor.id("sections", row)
        editor.add("grading_categories", id=section, name="Participation")
        editor.link("graded_in", "grading_category", section, "section", section)
        for table in ("sections", "grading_categories"):
            editor.note(check, table, section, "a section and a grading category with one id")


def missing_end(relation: str, table: str, kind: str | None, target: str, role: str | None = None) -> Inject:
    """Two objects that have a further link, to something that was not delivered."""

    def inject(editor: RosterEditor, check: str) -> None:
        for row in editor.pick(table, 2, kind, links=True):
            source = editor.id(table, row)
            if role is not None:
                editor.member(relation, source, target, editor.new_id(), role, stated_by="source")
            else:
                editor.link(relation, type_of(table), source, target, editor.new_id())
            editor.note(check, table, row, f"{relation}: a {target} that was not delivered")

    return inject


def missing_source(relation: str, role: str) -> Inject:
    """A section that lists a person who was not delivered."""

    def inject(editor: RosterEditor, check: str) -> None:
        for row in editor.pick("sections", 1, links=True):
            editor.member(relation, editor.new_id(), "section", editor.id("sections", row), role, stated_by="target")
            editor.note(check, "sections", row, f"lists a {role} who was not delivered")

    return inject


def orphan_of_course(editor: RosterEditor, check: str) -> None:
    """A section of a course that was not delivered."""
    for row in editor.pick("sections", 1, links=True):
        editor.point("of_course", editor.id("sections", row), editor.new_id(), stated_by="source")
        for name in (check, "section_without_course"):
            editor.note(name, "sections", row, "its course was not delivered")


def school_not_delivered(editor: RosterEditor, check: str) -> None:
    """One missing school explains a section, its course's offer, and its people's second membership."""
    smallest = editor.sections["size"].where(editor.free("sections", links=True)).nsmallest(1).index
    for row in smallest.intersection(editor.sections.index[editor.sections["size"] > 0]):
        section, school = editor.id("sections", row), editor.new_id()
        editor.use("sections", row)
        editor.point("held_at", section, school)
        for name in (check, "section_without_org"):
            editor.note(name, "sections", row, "its school was not delivered")
        course = str(editor.sections["course"].iloc[row])
        editor.link("offered_by", "course", course, "org", school)
        if not editor.noted("orphan_offered_by", "courses", course):
            editor.note("orphan_offered_by", "courses", course, "also offered by a school that was not delivered")
        for relation, role in (("student_in", "student"), ("teacher_in", "teacher")):
            for person in editor.sources(relation, section):
                editor.member("member_of", person, "org", school, role, stated_by="source", primary=False)
                if not editor.noted("orphan_member_of", "persons", person):
                    editor.note(
                        "orphan_member_of", "persons", person, "also a member of a school that was not delivered"
                    )
                editor.use("persons", editor.row("persons", person))


def orphan_graded(editor: RosterEditor, check: str) -> None:
    """A grading category of a section that was not delivered."""
    category = editor.add("grading_categories", name="Quizzes")
    editor.link("graded_in", "grading_category", category, "section", editor.new_id())
    for name in (check, "category_without_section"):
        editor.note(name, "grading_categories", category, "its section was not delivered")


def one_sided(editor: RosterEditor, check: str) -> None:
    """Memberships that only the person, or only the school or section, states."""
    for relation, kind, by in (
        ("student_in", "student", "source"),
        ("student_in", "student", "target"),
        ("member_of", "student", "source"),
        ("teacher_in", "teacher", "target"),
    ):
        for row in editor.pick("persons", 1, kind, links=True):
            person = editor.id("persons", row)
            editor.state(relation, person, by, None if relation == "member_of" else editor.quiet(relation, person))
            editor.note(check, "persons", row, f"one {relation} that only its {by} states")


def twice(editor: RosterEditor, check: str) -> None:
    """Students who are in one section by two memberships."""
    for row in editor.pick("persons", 2, "student", links=True):
        person = editor.id("persons", row)
        editor.member("student_in", person, "section", editor.quiet("student_in", person), "student")
        editor.note(check, "persons", row, "twice in one section")


def student_and_teacher(editor: RosterEditor, check: str) -> None:
    """Teachers who are also students of a section of theirs."""
    for row in editor.pick("persons", 2, "teacher", links=True):
        person = editor.id("persons", row)
        editor.member("student_in", person, "section", editor.quiet("teacher_in", person), "student")
        for name in (check, "teacher_as_student"):
            editor.note(name, "persons", row, "a student of a section that they teach")


def wrong_type(editor: RosterEditor, check: str) -> None:
    """Sections that name their course as a term."""
    for row in editor.pick("sections", 2, links=True):
        course = str(editor.sections["course"].iloc[row])
        editor.link("in_term", "section", editor.id("sections", row), "course", course)
        editor.note(check, "sections", row, "one of its terms is a course")


def section_org_not_in_course(editor: RosterEditor, check: str) -> None:
    """Sections of a course that other schools offer, but not theirs."""
    offers = editor.relation("offered_by").groupby("target_id")["source_id"].agg(set)
    for row in editor.pick("sections", 2, links=True):
        elsewhere = sorted(set().union(*offers) - offers[editor.sections["school"].iloc[row]])
        if elsewhere:
            editor.point("of_course", editor.id("sections", row), elsewhere[int(editor.rng.integers(len(elsewhere)))])
            editor.note(check, "sections", row, "its course is not offered by its school")


def outside_school(relation: str, kind: str) -> Inject:
    """Persons in a section of a school that they are not a member of."""

    def inject(editor: RosterEditor, check: str) -> None:
        for row in editor.pick("persons", 2, kind, links=True):
            person = editor.id("persons", row)
            other = ~editor.sections["school"].isin(editor.targets("member_of", person)) & (
                editor.sections["size"] < 40
            )
            for section in editor.pick("sections", 1, where=other.to_numpy(), links=True):
                editor.member(relation, person, "section", editor.id("sections", section), kind, primary=False)
                editor.note(check, "persons", row, "in a section of another school")

    return inject


def parent_child_mismatch(editor: RosterEditor, check: str) -> None:
    """A school that its parent does not list, and a term whose parent only its parent states."""
    several = (editor.tables["orgs"]["org_type"] == "school").sum() > 2
    for row in editor.pick("orgs", 1, "school", links=True) if several else ():
        editor.state("child_of", editor.id("orgs", row), "source")
        editor.note(check, "orgs", row, "its parent does not list it")
    for row in editor.pick("terms", 1, "quarter", links=True):
        editor.state("child_of", editor.id("terms", row), "target")
        editor.note(check, "terms", row, "its parent lists it, and it names none")


def org_cycle(editor: RosterEditor, check: str) -> None:
    """Two orgs that are each other's parent."""
    one, other = (editor.add("orgs", name=f"{side} Annex", org_type="annex") for side in ("East", "West"))
    for child, parent in ((one, other), (other, one)):
        editor.link("child_of", "org", child, "org", parent, stated_by="both")
        editor.note(check, "orgs", child, "its own grandparent")
        editor.note("unknown_org_type", "orgs", child, "org_type: 'annex'")


def term_cycle(editor: RosterEditor, check: str) -> None:
    """Two terms that are each other's parent."""
    dates = editor.past()
    one, other = (editor.term(f"Session {letter}", *dates) for letter in "AB")
    for child, parent in ((one, other), (other, one)):
        editor.link("child_of", "term", child, "term", parent, stated_by="both")
        editor.note(check, "terms", child, "its own grandparent")


def no_parent(editor: RosterEditor, check: str) -> None:
    """A school without a parent."""
    for row in editor.pick("orgs", 1, "school", links=True):
        editor.drop("child_of", source=editor.id("orgs", row))
        editor.note(check, "orgs", row, "no parent")


def new_orgs(kind: str, *names: str, also: tuple[str, ...] = ()) -> Inject:
    """New orgs of a kind, without anybody."""

    def inject(editor: RosterEditor, check: str) -> None:
        for name in names:
            org = editor.add("orgs", name=name, org_type=kind)
            for lea in editor.tables["orgs"].query("org_type == 'lea'")["id"].head(1):
                editor.link("child_of", "org", org, "org", lea, stated_by="both")
            for found in (check, *also):
                editor.note(found, "orgs", org, "a school without anybody" if also else f"org_type: {kind!r}")

    return inject


def school_below_school(editor: RosterEditor, check: str) -> None:
    """A school below another one, both without anybody."""
    for lea in editor.tables["orgs"].query("org_type == 'lea'")["id"].head(1):
        parent = str(lea)
        for name in ("Tamarack Academy", "Tamarack Academy Annex"):
            school = editor.add("orgs", name=name, org_type="school")
            editor.link("child_of", "org", school, "org", parent, stated_by="both")
            for found in EMPTY_SCHOOL:
                editor.note(found, "orgs", school, "a school without anybody")
            parent = school
        editor.note(check, "orgs", parent, "below another school")


def same_name_terms(editor: RosterEditor, check: str) -> None:
    """Two sessions of different years with one name."""
    for _ in range(2):
        editor.note(check, "terms", editor.term("Intersession", *editor.past()), "two with one name")


def quarter_below_period(editor: RosterEditor, check: str) -> None:
    """A quarter below a grading period."""
    start, end = editor.past()
    upper = editor.term("Progress Period", start, end, "grading_period")
    lower = editor.term("Summer Quarter", start, end, "quarter")
    editor.link("child_of", "term", lower, "term", upper, stated_by="both")
    editor.note(check, "terms", lower, "a quarter below a grading period")


def over_two_years(editor: RosterEditor, check: str) -> None:
    """Sections that are also in a summer session of years ago."""
    year = editor.year()
    long = editor.sections["term"] == (None if year is None else year["id"])
    for row in editor.pick("sections", 2, where=long.to_numpy(dtype=bool), links=True):
        term = editor.term(f"Bygone Session {row}", *editor.past())
        editor.link("in_term", "section", editor.id("sections", row), "term", term)
        editor.note(check, "sections", row, "also in a session of years ago")


def odd_ids(*ids: str) -> Inject:
    """New courses with these ids, which are not taught yet."""

    def inject(editor: RosterEditor, check: str) -> None:
        for org in editor.tables["orgs"].query("org_type == 'school'")["id"].head(1):
            for id in ids:
                course = editor.add("courses", id=id, title=f"Elective {id.strip()}")
                editor.link("offered_by", "course", course, "org", org)
                names = (check, *(["refused_id"] if check == "alike_ids" and "." in id else []))
                for name in names:
                    editor.note(name, "courses", course, f"id: {id!r}")

    return inject


def school_without_terms(editor: RosterEditor, check: str) -> None:
    """A school with one visiting teacher and one section, which is in no term and has no students yet."""
    for like in editor.pick("sections", 1, links=True):
        for visitor in editor.pick("persons", 1, "teacher", links=True):
            school = editor.add("orgs", name="Lakeside Evening School", org_type="school")
            for lea in editor.tables["orgs"].query("org_type == 'lea'")["id"].head(1):
                editor.link("child_of", "org", school, "org", lea, stated_by="both")
            person, course = editor.id("persons", visitor), str(editor.sections["course"].iloc[like])
            editor.member("member_of", person, "org", school, "teacher", primary=False)
            editor.link("offered_by", "course", course, "org", school)
            section = editor.add("sections", title="Evening Class", local_id="EVE-01")
            editor.link("of_course", "section", section, "course", course, stated_by="both")
            editor.link("held_at", "section", section, "org", school)
            editor.member("teacher_in", person, "section", section, "teacher")
            for name in (check, "school_without_students"):
                editor.note(name, "orgs", school, "its only section is in no term")
            for name in ("section_without_term", "section_without_students"):
                editor.note(name, "sections", section, "in no term")


def cut(relation: str, table: str, *, kind: str | None = None) -> Inject:
    """Objects that lose all links of a relation, if nothing else is wrong then."""

    def inject(editor: RosterEditor, check: str) -> None:
        for row in editor.pick(table, 2, kind, links=True):
            editor.drop(relation, source=editor.id(table, row))
            editor.note(check, table, row, f"no {relation}")

    return inject


def no_teacher(editor: RosterEditor, check: str) -> None:
    """Sections that lose their teachers."""
    for row in editor.pick("sections", 2, where=editor.spare_teacher(), links=True):
        editor.drop("teacher_in", target=editor.id("sections", row))
        editor.note(check, "sections", row, "no teacher_in")


def no_school(editor: RosterEditor, check: str) -> None:
    """Registered, but not yet enrolled anywhere."""
    for row in editor.pick("persons", 2, "student", where=editor.spare_seats(), links=True):
        for relation in ("member_of", "student_in"):
            editor.drop(relation, source=editor.id("persons", row))
        for name in (check, "student_without_sections"):
            editor.note(name, "persons", row, "in no school and no section")


def no_sections(editor: RosterEditor, check: str) -> None:
    """Students who are in a school, but in no section."""
    for row in editor.pick("persons", 2, "student", where=editor.spare_seats(), links=True):
        editor.drop("student_in", source=editor.id("persons", row))
        editor.note(check, "persons", row, "in no section")


def new_teachers(*, school: bool) -> Inject:
    """Teachers who have no sections yet; without a school, too."""

    def inject(editor: RosterEditor, check: str) -> None:
        for org in editor.tables["orgs"].query("org_type == 'school'")["id"].head(2):
            person = editor.person()
            if school:
                editor.member("member_of", person, "org", org, "teacher")
            for name in (check,) if school else (check, "teacher_without_sections"):
                editor.note(name, "persons", person, "a teacher without sections")

    return inject


def new_section(students: int) -> Inject:
    """A section like another, with its teacher but fewer students."""

    def inject(editor: RosterEditor, check: str) -> None:
        for row in editor.pick("sections", 2, where=editor.spare_teacher(), links=True):
            where = editor.spare_time(editor.sections["school"].iloc[row])
            few = editor.pick("persons", students, "student", where=where, links=True)
            if len(few) < students:
                continue
            section = editor.section(row)
            for student in few:
                editor.member("student_in", editor.id("persons", student), "section", section, "student")
            editor.note(check, "sections", section, f"{students} students")

    return inject


def new_courses(*, offered: bool) -> Inject:
    """New courses without sections; without an org, too."""

    def inject(editor: RosterEditor, check: str) -> None:
        for title in ("Astronomy", "Debate") if offered else ("Robotics", "Journalism"):
            course = editor.add("courses", title=title, description="Elective", local_id=f"{title[:3].upper()}00")
            if offered:
                for org in editor.tables["orgs"].query("org_type == 'school'")["id"].head(1):
                    editor.link("offered_by", "course", course, "org", org)
            else:
                editor.note(check, "courses", course, "no org")

    return inject


def term(name: str) -> Inject:
    """A term whose dates are odd in one way."""

    def inject(editor: RosterEditor, check: str) -> None:
        year, (start, end) = editor.year(), editor.past()
        odd: dict[str, tuple[object, object]] = {
            "term_without_dates": (None, None),
            "term_ends_before_start": (end, start),
            "term_too_long": (pd.Timestamp(1980, 9, 1), pd.Timestamp(1986, 6, 1)),
            "term_without_sections": (start, end),
            "orphan_child_of": (start, end),
        }
        if check == "child_term_outside_parent" and year is not None:
            after = year["end_date"]
            term = editor.term(name, after + pd.Timedelta(days=20), after + pd.Timedelta(days=40))
            editor.link("child_of", "term", term, "term", str(year["id"]), stated_by="both")
            editor.note(check, "terms", term, "after the end of its parent")
        elif check in odd:
            term = editor.term(name, *odd[check])
            if check == "orphan_child_of":
                editor.link("child_of", "term", term, "term", editor.new_id())
            if check != "term_without_sections":
                editor.note(check, "terms", term, name)

    return inject


def term_start(editor: RosterEditor, check: str) -> None:
    """A term whose first day is not a date."""
    term = editor.term("Winter Session", None, editor.past()[1])
    editor.problem("terms", term, "start_date", "2026-13-01", "not a date")
    for name in (check, "term_without_dates"):
        editor.note(name, "terms", term, "start_date: '2026-13-01'")


def siblings(editor: RosterEditor, check: str) -> None:
    """Two parts of a summer term that share days, each with a section, of which the students are not known."""
    likes = editor.pick("sections", 1, where=editor.spare_teacher(), links=True)
    if not likes:
        return
    start, end = editor.past()
    parent = editor.term("Summer School", start, end)
    days = pd.Timedelta(days=8)
    halves = (("Summer I", (start, start + days)), ("Summer II", (start + days, end)))
    for name, dates in halves:
        term = editor.term(name, *dates)
        editor.note("section_without_students", "sections", editor.section(likes[0], term), "no students are known")
        editor.link("child_of", "term", term, "term", parent, stated_by="both")
        editor.note(check, "terms", term, "shares a day with its sibling")


def oversize(editor: RosterEditor, check: str) -> None:
    """A section of eighty."""
    for row in editor.pick("sections", 20, links=True, mark=False):
        section, wanted = editor.id("sections", row), 80 - int(editor.sections["size"].iloc[row])
        where = editor.spare_time(editor.sections["school"].iloc[row]) & ~editor.among(
            editor.sources("student_in", section)
        )
        if (where & editor.free("persons", links=True)).sum() >= wanted:
            editor.use("sections", row)
            for student in editor.pick("persons", wanted, "student", where=where, links=True):
                editor.member("student_in", editor.id("persons", student), "section", section, "student")
            editor.note(check, "sections", row, "80 students")
            return


def overload(relation: str, kind: str, total: int) -> Inject:
    """Persons in far more of their school's year-long sections than a day has periods."""

    def inject(editor: RosterEditor, check: str) -> None:
        year = editor.year()
        if year is None:
            return
        for row in editor.pick("persons", 2, kind, links=True):
            person = editor.id("persons", row)
            mine = editor.targets(relation, person)
            where = (editor.sections["school"] == editor.targets("member_of", person)[0]) & (
                editor.sections["size"] < 44
            )
            where &= (editor.sections["term"] == year["id"]) & ~editor.tables["sections"]["id"].isin(mine)
            rows = editor.pick("sections", total - len(mine), where=where.to_numpy(), links=True, mark=False)
            if len(rows) < total - len(mine):
                continue
            for section in rows:
                editor.member(relation, person, "section", editor.id("sections", section), kind, primary=False)
            editor.note(check, "persons", row, f"{total} sections")

    return inject
