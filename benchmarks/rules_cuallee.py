"""The rules that cuallee can say, on Polars. It says how many rows fail, and not which ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from cuallee import Check, CheckLevel

from benchmarks import rulewords as w

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    Rule = tuple[str, str, pl.DataFrame, Check]


# Rules
def new(check: str) -> Check:
    """An empty check of cuallee."""
    return Check(CheckLevel.WARNING, check)


def rules(views: dict[str, pl.DataFrame]) -> Iterator[Rule]:
    """What is checked, its table, the rows and the rule."""
    persons, valid, seats = views["persons"], views["valid"], views["seats"]
    students, staff = (
        persons.filter(pl.col("person_type") == "student"),
        persons.filter(pl.col("person_type") != "student"),
    )

    def complete(check: str, table: str, df: pl.DataFrame, column: str) -> Rule:
        return check, table, df, new(check).is_complete(column)

    def unique(check: str, table: str, df: pl.DataFrame, column: str) -> Rule:
        return check, table, df.drop_nulls(column), new(check).is_unique(column)

    def like(check: str, table: str, df: pl.DataFrame, column: str, pattern: str) -> Rule:
        return check, table, df.drop_nulls(column), new(check).has_pattern(column, pattern)

    def among(check: str, table: str, df: pl.DataFrame, column: str, values: list[str]) -> Rule:
        return check, table, df.drop_nulls(column), new(check).is_contained_in(column, values)

    def ends(relation: str, end: str, when: str | None = None) -> list[str]:
        chosen = valid.filter(pl.col("relation") == relation)
        chosen = chosen.filter(pl.col(when)) if when else chosen
        return chosen[f"{end}_id"].unique().to_list()

    for name in w.TABLE_OF.values():
        yield complete("missing_id", name, views[name], "id")
        yield like("id_with_spaces", name, views[name], "id", w.NO_SPACE)
    for name in w.WITH_LOCAL_ID:
        yield complete("missing_local_id", name, views[name], "local_id")
    for column, check in w.STUDENTS_HAVE.items():
        yield complete(check, "persons", students, column)
    teachers = persons.filter(pl.col("person_type") == "teacher")
    yield complete("teacher_without_email", "persons", teachers, "email")
    yield complete("person_without_name", "persons", persons, "name_key")
    yield unique("duplicate_state_id", "persons", persons, "state_id")
    yield unique("duplicate_email", "persons", persons, "email_folded")
    yield like("invalid_email", "persons", persons, "email", w.EMAIL)
    yield like("email_elsewhere", "persons", students, "email", w.own_domain(students["email"].to_list()))
    yield like("invalid_phone", "persons", persons, "phone", w.PHONE)
    yield like("invalid_postal_code", "persons", persons, "address_postal_code", w.ZIP)
    yield among("unknown_state", "persons", persons, "address_state", w.STATES)
    yield among("unexpected_sex", "persons", persons, "sex", w.SEXES)
    yield among("unknown_grade", "persons", students, "grade", w.GRADES)
    yield among("unknown_org_type", "orgs", views["orgs"], "org_type", ["lea", "school"])
    for name in w.TEXTS:
        usual = views[name]["school_year"].drop_nulls().mode().to_list()
        yield among("school_year_outlier", name, views[name], "school_year", usual)
    for name in ("orgs", "courses", "sections", "terms"):
        yield complete("object_without_name", name, views[name], "called")
    yield among("student_without_school", "persons", students, "id", ends("member_of", "source", "current"))
    yield among("student_without_sections", "persons", students, "id", ends("student_in", "source", "current"))
    yield among("teacher_without_school", "persons", teachers, "id", ends("member_of", "source", "current"))
    yield among("teacher_without_sections", "persons", teachers, "id", ends("teacher_in", "source", "current"))
    sections = views["sections"].drop_nulls("id")
    yield among("section_without_teacher", "sections", sections, "id", ends("teacher_in", "target", "kept"))
    yield among("section_without_students", "sections", sections, "id", ends("student_in", "target", "kept"))
    for column in ("course", "term", "org"):
        yield complete(f"section_without_{column}", "sections", sections, column)
    yield among("course_without_sections", "courses", views["courses"], "id", ends("of_course", "target"))
    yield among("course_without_org", "courses", views["courses"], "id", ends("offered_by", "source"))
    yield among("term_without_sections", "terms", views["terms"], "id", ends("in_term", "target"))
    categories = views["grading_categories"]
    yield among("category_without_section", "grading_categories", categories, "id", ends("graded_in", "source"))
    yield unique("same_name_terms", "terms", views["terms"], "name")
    enrolled = seats.filter(pl.col("relation") == "student_in")
    yield complete("enrollment_without_end", "persons", enrolled, "end_date")
    yield complete("enrollment_without_start", "persons", enrolled, "start_date")
    yield among("unknown_membership_status", "persons", valid, "status", w.STATUSES)
    taught = seats.filter(pl.col("relation") == "teacher_in")
    yield among("student_as_teacher", "persons", taught, "person_type", ["teacher", "staff"])
    yield among("wrong_target_type", "sections", views["links"], "shape", w.SHAPES)
    days = views["terms"].drop_nulls("days").with_columns(pl.col("days").cast(pl.Int64))
    yield "term_too_long", "terms", days, new("term_too_long").is_less_or_equal_than("days", 400)
    yield "term_ends_before_start", "terms", days, new("term_ends_before_start").is_greater_or_equal_than("days", 0)
    for people, low, high in ((students, 3, 22), (staff, 16, 90)):
        aged = people.drop_nulls("age")
        yield "implausible_age", "persons", aged, new("implausible_age").is_between("age", (low, high))


# Results
def _polars(views: dict[str, pd.DataFrame]) -> dict[str, pl.DataFrame]:
    return {name: pl.from_pandas(df) for name, df in views.items()}


def checks(views: dict[str, pd.DataFrame]) -> set[str]:
    """The checks that have a rule."""
    return {check for check, *_ in rules(_polars(views))}


def find(views: dict[str, pd.DataFrame], only: set[str]) -> set[tuple[str, str, str | None]]:
    """Check, table and how many rows fail, as text in place of an id."""
    times: dict[tuple[str, str], int] = {}
    for check, table, df, rule in rules(_polars(views)):
        if len(df) and check in only:
            failed = int(rule.validate(df)["violations"].sum())
            times[check, table] = times.get((check, table), 0) + failed
    return {(check, table, str(failed)) for (check, table), failed in times.items() if failed}
