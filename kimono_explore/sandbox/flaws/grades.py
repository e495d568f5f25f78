"""How flaws come into grades: what is said of them, and whether they fit ages, graduation years, schools and sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kimono_explore.sandbox.flaws.editor import Inject, RosterEditor

    Mask = NDArray[np.bool_]

_SEATS = 5


def said(*texts: str | None) -> Inject:
    """One student for each text, which stands where the grade was."""

    def inject(editor: RosterEditor, check: str) -> None:
        for row, text in zip(_students(editor, len(texts)), texts, strict=False):
            person = editor.id("persons", row)
            for school in editor.targets("member_of", person)[:1]:
                editor.amend("member_of", person, school, grade=text)
            editor.set("persons", row, ext_grade=text)
            editor.note(check, "persons", row, f"grade: {text!r}")

    return inject


def too_young(editor: RosterEditor, check: str) -> None:
    """Students who are a year too young for their grade, though not for their graduation year."""
    for row in _students(editor, 2):
        born = pd.Timestamp(_begins(editor) - 4 - _number(editor, row), 11, 1)
        editor.set("persons", row, dob=born)
        editor.note(check, "persons", row, f"dob: {born.date()}")


def two_years_late(editor: RosterEditor, check: str) -> None:
    """Students who graduate two years after their grade."""
    persons = editor.tables["persons"]
    age = pd.to_numeric(persons["grad_year"], errors="coerce") - persons["dob"].dt.year
    for row in _students(editor, 2, (age.fillna(99) <= 19).to_numpy(dtype=bool)):
        year = str(int(persons["grad_year"].iloc[row]) + 2)
        editor.set("persons", row, grad_year=year)
        editor.note(check, "persons", row, f"grad_year: {year!r}")


def graduated(editor: RosterEditor, check: str) -> None:
    """Students of the last grade who should have graduated last summer."""
    for row in _students(editor, 2, (editor.tables["persons"]["ext_grade"] == "12").to_numpy(dtype=bool)):
        year = str(_begins(editor))
        editor.set("persons", row, grad_year=year)
        editor.note(check, "persons", row, f"grad_year: {year!r}")


def grad_year_against_dob(editor: RosterEditor, check: str) -> None:
    """Students who graduate before they were born, or long after."""
    for row, year in zip(_students(editor, 2), ("2005", "2060"), strict=False):
        editor.set("persons", row, grad_year=year)
        for name in (check, "grade_against_grad_year", *(["graduated_but_enrolled"] if year < "2026" else [])):
            editor.note(name, "persons", row, f"grad_year: {year!r}")


def not_of_school(editor: RosterEditor, check: str) -> None:
    """A student who was put into a school for other grades, with one visiting teacher and nothing else."""
    for row in _students(editor, 1, editor.spare_seats()):
        for visitor in editor.pick("persons", 1, "teacher", links=True):
            person = editor.id("persons", row)
            school = editor.add("orgs", name="Riverbend Preschool", org_type="school", ext_grades="PR,PK")
            for lea in editor.tables["orgs"].query("org_type == 'lea'")["id"].head(1):
                editor.link("child_of", "org", school, "org", lea, stated_by="both")
            editor.point("member_of", person, school)
            editor.drop("student_in", source=person)
            editor.member("member_of", editor.id("persons", visitor), "org", school, "teacher", primary=False)
            for name in ("school_without_sections", "school_without_courses", "small_school"):
                editor.note(name, "orgs", school, "a school with one student")
            for name in (check, "student_without_sections"):
                editor.note(name, "persons", row, "in a school for PR,PK")


def not_of_section(editor: RosterEditor, check: str) -> None:
    """Students in a new section that is for other grades."""
    for like in editor.pick("sections", 1, where=editor.spare_teacher(), links=True):
        where = editor.spare_time(editor.sections["school"].iloc[like]) & editor.free("persons")
        few = editor.pick("persons", _SEATS, "student", where=where, links=True)
        if len(few) < _SEATS:
            return
        section = editor.section(like, ext_grades="PR,PK")
        for row in few:
            editor.use("persons", row, links=False)
            editor.member("student_in", editor.id("persons", row), "section", section, "student")
            editor.note(check, "persons", row, "in a section for PR,PK")


def _students(editor: RosterEditor, count: int, where: Mask | None = None) -> list[int]:
    """Students without a flaw in their cells or links, and none later."""
    fit = editor.free("persons", links=True)
    rows = editor.pick("persons", count, "student", where=fit if where is None else fit & where)
    for row in rows:
        editor.use("persons", row)
    return rows


def _number(editor: RosterEditor, row: int) -> int:
    grade = str(editor.tables["persons"]["ext_grade"].iloc[row])
    return 0 if grade == "KG" else int(grade)


def _begins(editor: RosterEditor) -> int:
    """The year in which the school year begins."""
    return int(editor.roster.terms["start_date"].min().year)
