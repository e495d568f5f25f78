"""The rules that Pointblank can say, on Polars; each step is named after the check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pointblank as pb
import polars as pl

from benchmarks import rulewords as w

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    Pre = Callable[[pl.DataFrame], pl.DataFrame]


# Rules
def only(column: str, *values: object) -> Pre:
    """The rows with one of the values."""
    return lambda df: df.filter(pl.col(column).is_in(values))


def known(*columns: str) -> Pre:
    """The rows in which none of the columns is missing."""
    return lambda df: df.drop_nulls(columns)


def current(*conditions: pl.Expr) -> Pre:
    """The seats of the day for which the conditions hold."""
    return lambda df: df.filter(pl.col("current"), *conditions)


def active(condition: pl.Expr) -> Pre:
    """The seats that are said to be active, for which the condition holds."""
    return lambda df: df.filter(pl.col("status") == "active", condition)


def rules(views: dict[str, pl.DataFrame]) -> Iterator[pb.Validate]:
    """A validation for each table."""
    persons, links, valid, sections = (views[name] for name in ("persons", "links", "valid", "sections"))
    students, staff = (
        persons.filter(pl.col("person_type") == "student"),
        persons.filter(pl.col("person_type") != "student"),
    )

    def ends(relation: str, end: str, role: str | None = None, when: str | None = None) -> list[str]:
        chosen = valid.filter(pl.col("relation") == relation)
        chosen = chosen.filter(pl.col(when)) if when else chosen
        chosen = chosen.filter(pl.col("role") == role) if role else chosen
        return chosen[f"{end}_id"].unique().to_list()

    yield (
        pb.Validate(views["objects"])
        .col_vals_not_null("id", brief="missing_id")
        .rows_distinct("id", pre=known("id"), brief="duplicate_id")
        .col_vals_regex("id", w.NO_SPACE, na_pass=True, brief="id_with_spaces")
        .col_vals_regex("id", w.APPLE, na_pass=True, pre=only("table", *w.WITH_LOCAL_ID), brief="refused_id")
    )
    yield pb.Validate(views["distinct_ids"]).rows_distinct(["table", "id_key"], brief="alike_ids")
    for name in w.WITH_LOCAL_ID:
        yield pb.Validate(views[name]).col_vals_not_null("local_id", brief="missing_local_id")
    yield pb.Validate(views["orgs"]).rows_distinct("local_id", pre=known("local_id"), brief="duplicate_local_id")
    yield pb.Validate(views["offered"]).rows_distinct(
        ["local_id", "target_id"],
        pre=lambda df: df.drop_nulls("local_id").unique(["pair"]),
        brief="duplicate_local_id",
    )
    check = pb.Validate(students)
    for column, name in w.STUDENTS_HAVE.items():
        check = check.col_vals_not_null(column, brief=name)
    for column in w.IDENTIFIERS:
        check = check.col_vals_not_in_set(
            column, staff[column].drop_nulls().to_list(), pre=known(column), brief="student_and_staff"
        )
    yield (
        check.col_vals_in_set(
            "id", ends("member_of", "source", when="current"), pre=known("id"), brief="student_without_school"
        )
        .col_vals_in_set(
            "id", ends("student_in", "source", when="current"), pre=known("id"), brief="student_without_sections"
        )
        .col_vals_in_set("grade", w.GRADES, pre=known("grade"), brief="unknown_grade")
        .col_vals_between("age", 3, 22, na_pass=True, brief="implausible_age")
        .col_vals_between("graduates_at", 16, 21, na_pass=True, brief="grad_year_against_dob")
        .col_vals_regex("email", w.own_domain(students["email"].to_list()), na_pass=True, brief="email_elsewhere")
    )
    check = pb.Validate(staff).col_vals_between("age", 16, 90, na_pass=True, brief="implausible_age")
    for column in w.IDENTIFIERS:
        check = check.col_vals_not_in_set(
            column, students[column].drop_nulls().to_list(), pre=known(column), brief="student_and_staff"
        )
    yield check
    teachers = lambda df: df.filter(pl.col("person_type") == "teacher").drop_nulls("id")  # noqa: E731
    yield (
        pb.Validate(persons)
        .col_vals_not_null("email", pre=only("person_type", "teacher"), brief="teacher_without_email")
        .col_vals_in_set(
            "id", ends("member_of", "source", when="current"), pre=teachers, brief="teacher_without_school"
        )
        .col_vals_in_set(
            "id", ends("teacher_in", "source", when="current"), pre=teachers, brief="teacher_without_sections"
        )
        .col_vals_not_null("name_key", brief="person_without_name")
        .rows_distinct(["local_id", "person_type"], pre=known("local_id"), brief="duplicate_local_id")
        .rows_distinct("state_id", pre=known("state_id"), brief="duplicate_state_id")
        .rows_distinct("email_folded", pre=known("email_folded"), brief="duplicate_email")
        .rows_distinct(["name_key", "dob"], pre=known("name_key", "dob"), brief="possible_duplicate_person")
        .col_vals_regex("email", w.EMAIL, na_pass=True, brief="invalid_email")
        .col_vals_regex("phone", w.PHONE, na_pass=True, brief="invalid_phone")
        .col_vals_regex("address_postal_code", w.ZIP, na_pass=True, brief="invalid_postal_code")
        .col_vals_in_set("address_state", w.STATES, pre=known("address_state"), brief="unknown_state")
        .col_vals_in_set("sex", w.SEXES, pre=known("sex"), brief="unexpected_sex")
        .col_vals_regex(
            ["name_first", "name_last"], w.PLACEHOLDER, na_pass=True, inverse=True, brief="placeholder_name"
        )
        .col_vals_regex(["name_first", "name_last"], w.SHOUTING, na_pass=True, inverse=True, brief="shouting_name")
        .col_vals_regex(["name_first", "name_last"], w.SHORT, na_pass=True, brief="name_too_long")
    )
    for name, wanted in w.TEXTS.items():
        columns = [column for column in wanted if column in views[name].columns]
        yield (
            pb.Validate(views[name])
            .col_vals_regex(columns, w.TRIMMED, na_pass=True, brief="untrimmed_text")
            .col_vals_regex(columns, w.BROKEN, na_pass=True, inverse=True, brief="broken_encoding")
            .col_vals_regex(columns, w.DAMAGED, na_pass=True, inverse=True, brief="spreadsheet_damage")
        )
        usual = views[name]["school_year"].drop_nulls().mode().to_list()
        yield pb.Validate(views[name]).col_vals_in_set(
            "school_year", usual, pre=known("school_year"), brief="school_year_outlier"
        )
    yield (
        pb.Validate(sections)
        .col_vals_in_set(
            "id", ends("teacher_in", "target", when="kept"), pre=known("id"), brief="section_without_teacher"
        )
        .col_vals_in_set(
            "id", ends("student_in", "target", when="kept"), pre=known("id"), brief="section_without_students"
        )
        .col_vals_not_null("course", pre=known("id"), brief="section_without_course")
        .col_vals_not_null("term", pre=known("id"), brief="section_without_term")
        .col_vals_not_null("org", pre=known("id"), brief="section_without_org")
        .rows_distinct(["local_id", "org", "term"], pre=known("local_id", "org", "term"), brief="duplicate_local_id")
        .rows_distinct(["title", "org", "term"], pre=known("title", "org", "term"), brief="same_title_sections")
        .col_vals_in_set(
            "course_org",
            views["offered"]["pair"].to_list(),
            pre=only("offered_somewhere", True),
            brief="section_org_not_in_course",
        )
        .col_vals_le("students", 60, brief="oversize_section")
        .col_vals_ge("students", 4, pre=lambda df: df.filter(pl.col("students") > 0), brief="undersize_section")
    )
    for name in ("orgs", "courses", "sections", "terms"):
        yield pb.Validate(views[name]).col_vals_not_null("called", brief="object_without_name")
    yield (
        pb.Validate(views["courses"])
        .col_vals_in_set("id", ends("of_course", "target"), pre=known("id"), brief="course_without_sections")
        .col_vals_in_set("id", ends("offered_by", "source"), pre=known("id"), brief="course_without_org")
    )
    yield pb.Validate(views["grading_categories"]).col_vals_in_set(
        "id", ends("graded_in", "source"), pre=known("id"), brief="category_without_section"
    )
    yield (
        pb.Validate(views["terms"])
        .col_vals_in_set("id", ends("in_term", "target"), pre=known("id"), brief="term_without_sections")
        .col_vals_not_null(["start_date", "end_date"], brief="term_without_dates")
        .col_vals_ge("days", 0, na_pass=True, brief="term_ends_before_start")
        .col_vals_le("days", 400, na_pass=True, brief="term_too_long")
        .rows_distinct("name", pre=known("name"), brief="same_name_terms")
    )
    yield (
        pb.Validate(views["child_terms"])
        .col_vals_ge("start_date", pb.col("parent_start_date"), na_pass=True, brief="child_term_outside_parent")
        .col_vals_le("end_date", pb.col("parent_end_date"), na_pass=True, brief="child_term_outside_parent")
    )
    schools = only("org_type", "school")
    yield (
        pb.Validate(views["orgs"])
        .col_vals_in_set("org_type", ["lea", "school"], pre=known("org_type"), brief="unknown_org_type")
        .col_vals_in_set("id", ends("child_of", "source"), pre=schools, brief="school_without_parent")
        .col_vals_in_set(
            "id", ends("member_of", "target", "student", when="current"), pre=schools, brief="school_without_students"
        )
        .col_vals_in_set(
            "id", ends("member_of", "target", "teacher", when="current"), pre=schools, brief="school_without_teachers"
        )
        .col_vals_in_set("id", ends("held_at", "target"), pre=schools, brief="school_without_sections")
        .col_vals_in_set("id", ends("offered_by", "target"), pre=schools, brief="school_without_courses")
    )
    objects = [f"{kind} {id}" for kind, table in w.TABLE_OF.items() for id in views[table]["id"].drop_nulls()]
    for relation in w.RELATIONS:
        yield pb.Validate(links.filter(pl.col("relation") == relation)).col_vals_in_set(
            ["source_key", "target_key"], objects, brief=f"orphan_{relation}"
        )
    teaching = valid.filter(pl.col("relation") == "teacher_in")["pair"].to_list()
    enrolled = only("relation", "student_in")
    yield (
        pb.Validate(valid)
        .col_vals_in_set("stated_by", ["both"], pre=only("relation", *w.MEMBERSHIPS), brief="one_sided_membership")
        .col_vals_in_set("stated_by", ["both"], pre=only("relation", "child_of"), brief="parent_child_mismatch")
        .rows_distinct(["relation", "pair"], pre=only("relation", *w.MEMBERSHIPS), brief="duplicate_membership")
        .col_vals_not_in_set("pair", teaching, pre=enrolled, brief="student_and_teacher_of_section")
        .col_vals_in_set("status", w.STATUSES, pre=known("status"), brief="unknown_membership_status")
        .col_vals_not_in_set(
            "status",
            ["historical", "inactive", "future"],
            pre=lambda df: df.filter(pl.col("dated")).drop_nulls(["status", "start_date", "end_date"]),
            brief="current_but_inactive",
        )
        .col_vals_ge("end_date", pb.col("start_date"), na_pass=True, brief="membership_ends_before_start")
    )
    yield pb.Validate(links).col_vals_in_set("shape", w.SHAPES, brief="wrong_target_type")
    members = valid.filter(pl.col("relation") == "member_of")["pair"].to_list()
    taught, open_section = (
        pl.col("relation") == "teacher_in",
        ~pl.col("section_status").is_in(w.INACTIVE).fill_null(False),
    )
    yield (
        pb.Validate(views["seats"])
        .col_vals_not_null("start_date", pre=enrolled, brief="enrollment_without_start")
        .col_vals_not_null("end_date", pre=enrolled, brief="enrollment_without_end")
        .col_vals_ge("start_date", pb.col("earliest"), na_pass=True, pre=enrolled, brief="enrollment_outside_terms")
        .col_vals_le("end_date", pb.col("latest"), na_pass=True, pre=enrolled, brief="enrollment_outside_terms")
        .col_vals_ge(
            "end_date", w.TODAY, na_pass=True, pre=active(pl.col("closes") >= w.TODAY), brief="ended_but_active"
        )
        .col_vals_le(
            "start_date", w.TODAY, na_pass=True, pre=active(pl.col("opens") <= w.TODAY), brief="future_but_active"
        )
        .col_vals_le("start_date", w.FAR_AHEAD, na_pass=True, brief="membership_far_ahead")
        .col_vals_ge("start_date", pb.col("dob"), na_pass=True, brief="membership_before_birth")
        .col_vals_in_set(
            "person_type", ["teacher", "staff"], pre=only("relation", "teacher_in"), brief="student_as_teacher"
        )
        .col_vals_in_set("person_type", ["student"], pre=enrolled, brief="teacher_as_student")
        .col_vals_in_set(
            "person_org", members, pre=lambda df: enrolled(df).drop_nulls("org"), brief="student_outside_school"
        )
        .col_vals_in_set(
            "person_org",
            members,
            pre=lambda df: df.filter(taught).drop_nulls("org"),
            brief="teacher_outside_school",
        )
        .col_vals_not_in_set(
            "person_status",
            w.INACTIVE,
            pre=current(~taught, pl.col("person_status").is_not_null()),
            brief="enrolled_inactive_student",
        )
        .col_vals_not_in_set(
            "person_status",
            w.INACTIVE,
            pre=current(taught, open_section, pl.col("person_status").is_not_null()),
            brief="inactive_teacher_of_section",
        )
        .col_vals_ge(
            "grad_year",
            w.SCHOOL_YEAR,
            pre=current(~taught),
            na_pass=True,
            brief="graduated_but_enrolled",
        )
    )
    yield pb.Validate(
        views["seats"].with_columns(pl.lit("sections").alias("table"), id=pl.col("target_id"))
    ).col_vals_not_in_set(
        "section_status",
        w.INACTIVE,
        pre=current(~taught, pl.col("section_status").is_not_null()),
        brief="enrollment_in_inactive_section",
    )


# Results
def _polars(views: dict[str, pd.DataFrame]) -> dict[str, pl.DataFrame]:
    return {name: pl.from_pandas(df) for name, df in views.items()}


def checks(views: dict[str, pd.DataFrame]) -> set[str]:
    """The checks that have a rule."""
    return {step.brief for validation in rules(_polars(views)) for step in validation.validation_info}


def find(views: dict[str, pd.DataFrame], only: set[str]) -> set[tuple[str, str, str | None]]:
    """Check, table and id of every row that fails."""
    found = set()
    for rule in rules(_polars(views)):
        if only.isdisjoint(step.brief for step in rule.validation_info):
            continue
        validation = rule.interrogate(extract_limit=10**9)
        for number, extract in validation.get_data_extracts().items():
            if extract is not None and len(extract):
                step = validation.validation_info[number - 1]
                if not {"table", "id"} <= set(
                    extract.columns
                ):  # rows_distinct keeps its own columns only, and the rows' numbers
                    seen = step.pre(validation.data) if step.pre else validation.data
                    extract = seen[(extract["_row_num_"] - 1).to_list()]
                check = step.brief
                found |= {(check, table, id) for table, id in extract.select("table", "id").rows()}
    return found
