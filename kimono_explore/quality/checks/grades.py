"""Checks of grades: whether a student has one, and whether it fits their age, their school and their sections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from kimono_explore.quality.context import once
from kimono_explore.quality.current import years_before
from kimono_explore.quality.definition import Check, CheckResult, Frame, NotApplicable
from kimono_explore.quality.grades import NUMBERS, grade_codes
from kimono_explore.schema import GRADE_COLUMNS

if TYPE_CHECKING:
    from datetime import date

    from kimono_explore.quality.context import CheckContext

_GROUP = "Grades"
_PARAMS = {"columns": GRADE_COLUMNS}
_SAID = "The grade is taken from the current school membership, else from the first of these columns that is filled: {columns}."
_KNOWN = sorted({number for number in NUMBERS.values() if number is not None})
_YEAR = "^[0-9]{4}$"
_JULY = 7


def missing_grade(context: CheckContext, columns: tuple[str, ...]) -> CheckResult:
    students = context.grades(tuple(columns))
    return CheckResult(students, students.filter(nw.col("said").is_null()).select("id"))


def unknown_grade(context: CheckContext, columns: tuple[str, ...]) -> CheckResult:
    students = context.grades(tuple(columns)).filter(~nw.col("said").is_null())
    return CheckResult(students, students.filter(nw.col("grade").is_null()).select("id", grade="said"))


def grade_against_age(context: CheckContext, columns: tuple[str, ...], ages: tuple[int, int]) -> CheckResult:
    students = _numbered(context, columns, "dob")
    fits = [
        (nw.col("number") == number)
        & (nw.col("dob") <= years_before(context.as_of, number + ages[0]))
        & (nw.col("dob") > years_before(context.as_of, number + ages[1] + 1))
        for number in _KNOWN
    ]
    return CheckResult(students, students.filter(~nw.any_horizontal(*fits, ignore_nulls=True)).drop("number"))


def grade_against_grad_year(context: CheckContext, columns: tuple[str, ...], years: int) -> CheckResult:
    students = _numbered(context, columns, "grad_year").filter(nw.col("grad_year").str.contains(_YEAR))
    last = _school_year(context.as_of)
    fits = [
        (nw.col("number") == number)
        & nw.col("grad_year").is_in([str(last + 12 - number + off) for off in range(-years, years + 1)])
        for number in _KNOWN
    ]
    return CheckResult(students, students.filter(~nw.any_horizontal(*fits, ignore_nulls=True)).drop("number"))


def graduated_but_enrolled(context: CheckContext) -> CheckResult:
    students = context.objects("persons", "student").filter(~nw.col("grad_year").is_null(), ~nw.col("id").is_null())
    students = students.filter(nw.col("grad_year").str.contains(_YEAR))
    years = students.group_by("id").agg(grad_year=nw.col("grad_year").max())
    seats = context.current("student_in").filter(~nw.col("over")).select(id="source_id", section_id="target_id")
    sections = seats.group_by("id").agg(sections=nw.col("section_id").n_unique())
    enrolled = years.join(sections, on="id", how="inner")
    return CheckResult(enrolled, enrolled.filter(nw.col("grad_year") < str(_school_year(context.as_of))))


def grade_not_of_school(context: CheckContext, columns: tuple[str, ...]) -> CheckResult:
    """Students whose school does not have their grade; a second school, as for one class, does not count."""
    second = nw.when(nw.col("primary") == False).then(nw.lit(1)).otherwise(nw.lit(0)) == 1  # noqa: E712
    members = context.current("member_of").filter(~second).select(id="source_id", org_id="target_id").unique()
    return _outside(context, columns, members, "orgs", "org_id")


def grade_not_of_section(context: CheckContext, columns: tuple[str, ...]) -> CheckResult:
    seats = context.current("student_in").filter(~nw.col("over")).select(id="source_id", section_id="target_id")
    return _outside(context, columns, seats.unique(), "sections", "section_id")


def _outside(context: CheckContext, columns: tuple[str, ...], links: Frame, table: str, key: str) -> CheckResult:
    """Students in an org or a section whose grades are known, and do not have theirs among them."""
    column = next((name for name in columns if context.filled[table].get(name)), None)
    if column is None:
        raise NotApplicable(f"the tenant sends no grades of {table}")
    grades = nw.col(column).cast(nw.String)
    places = once(context.objects(table).select("id", grades=grades)).filter(~nw.col("id").is_null())
    lists = {text: grade_codes(text) for text in context.collect_texts(places, "grades")}
    known = [(text, code) for text, codes in lists.items() for code in codes or ()]
    taught = context.engine.small({"grades": [text for text, _ in known], "grade": [code for _, code in known]})
    places = places.rename({"id": key}).join(taught.select("grades").unique(), on="grades", how="semi")
    students = context.grades(tuple(columns)).filter(~nw.col("number").is_null()).select("id", "grade")
    placed = links.join(students, on="id", how="inner").join(places, on=key, how="inner")
    return CheckResult(placed, placed.join(taught, on=["grades", "grade"], how="anti"))


def _numbered(context: CheckContext, columns: tuple[str, ...], column: str) -> Frame:
    """The students whose grade stands for a number of years, with a value that all of them have: id, grade, number."""
    students = context.objects("persons", "student").filter(~nw.col(column).is_null(), ~nw.col("id").is_null())
    values = students.group_by("id").agg(nw.col(column).min())
    numbered = context.grades(tuple(columns)).filter(~nw.col("number").is_null()).drop("said")
    return numbered.join(values, on="id", how="inner")


def _school_year(day: date) -> int:
    """The year in which the school year ends; one begins in July."""
    return day.year + (day.month >= _JULY)


CHECKS: tuple[Check, ...] = (
    Check(
        "missing_grade",
        "KX-GRD-001",
        "Student without a grade",
        "warning",
        _GROUP,
        ("persons",),
        f"A student has no grade, and others have one. {_SAID}",
        "Products meant for one grade leave the student out, or show everything.",
        missing_grade,
        params=_PARAMS,
    ),
    Check(
        "unknown_grade",
        "KX-GRD-002",
        "Unknown grade",
        "warning",
        _GROUP,
        ("persons",),
        f"The grade is neither a CEDS code (KG, 01 to 13, ...) nor a name that Clever publishes (9). {_SAID}",
        "Products cannot tell which grade it is, and treat the student as if there were none.",
        unknown_grade,
        params=_PARAMS,
        likely="the tenant has codes of its own, which somebody has to translate.",
    ),
    Check(
        "grade_against_age",
        "KX-GRD-003",
        "Grade against age",
        "warning",
        _GROUP,
        ("persons",),
        "On the day of the check (`as_of`), the student is younger or older than the grade's number (0 for KG) plus "
        f"{{ages}} years. {_SAID}",
        "The grade or the date of birth is wrong: the student gets the products for another age.",
        grade_against_age,
        params={**_PARAMS, "ages": (4, 9)},
        needs=("persons.dob",),
        follows=("implausible_age",),
        likely="the grades, or the dates of birth, are not from this school year.",
    ),
    Check(
        "grade_against_grad_year",
        "KX-GRD-004",
        "Grade against graduation year",
        "information",
        _GROUP,
        ("persons",),
        "The student's graduation year is more than {years} years from the one in which the grade would graduate, counted "
        f"from the school year of the check (`as_of`). {_SAID}",
        "Groups and addresses built from the graduation year put the student in a different class than the grade does.",
        grade_against_grad_year,
        params={**_PARAMS, "years": 1},
        needs=("persons.grad_year",),
        follows=("grad_year_against_dob", "grade_against_age"),
        likely="the grades, or the graduation years, are not from this school year.",
    ),
    Check(
        "graduated_but_enrolled",
        "KX-GRD-005",
        "Student who should have graduated and is still enrolled",
        "warning",
        _GROUP,
        ("persons",),
        "The graduation year lies before the school year of the check (`as_of`), and the student is in a section today.",
        "The student keeps a license, and is counted in a class that they left; or the year is wrong.",
        graduated_but_enrolled,
        needs=("persons.grad_year", "student_in"),
        follows=("grad_year_against_dob",),
        likely="the graduation years do not belong to these students' grades.",
    ),
    Check(
        "grade_not_of_school",
        "KX-GRD-006",
        "Student in a grade that the school does not have",
        "warning",
        _GROUP,
        ("persons",),
        "The student's grade is not among the grades of the school that the student is a member of today; a membership "
        f"marked as secondary does not count. {_SAID} The school's grades are in the same columns of orgs.",
        "The grade or the school is wrong: the student gets what is meant for others.",
        grade_not_of_school,
        params=_PARAMS,
        needs=("member_of:student",),
        follows=("two_schools_at_once",),
        likely="the school's grades are from another year.",
    ),
    Check(
        "grade_not_of_section",
        "KX-GRD-007",
        "Student in a grade that the section is not for",
        "information",
        _GROUP,
        ("persons",),
        "The student's grade is not among the grades of a section in which the student is today. "
        f"{_SAID} The section's grades are in the same columns of sections.",
        "The student may be in the wrong class; some students are ahead of their grade on purpose.",
        grade_not_of_section,
        params=_PARAMS,
        needs=("student_in",),
        likely="the grades of sections are not maintained.",
    ),
)
