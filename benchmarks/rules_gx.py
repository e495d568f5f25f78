"""The rules that Great Expectations can say, on pandas; the check stands in an expectation's `meta`."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

import pandas as pd

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # it would report its use
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations as gx

from benchmarks import rulewords as w

if TYPE_CHECKING:
    from collections.abc import Iterator

    Expectation = gx.expectations.Expectation

E = gx.expectations


# Rules
def said(check: str, rows: str | None = None) -> dict[str, object]:
    """What every expectation has: the name of the check, and which rows it is about."""
    return {"meta": {"check": check}, **({"row_condition": rows, "condition_parser": "pandas"} if rows else {})}


def filled(column: str, check: str, rows: str | None = None) -> Expectation:
    """No cell is empty."""
    return E.ExpectColumnValuesToNotBeNull(column=column, **said(check, rows))


def among(column: str, values: list[object], check: str, rows: str | None = None) -> Expectation:
    """Each value, but for empty cells, is one of these."""
    return E.ExpectColumnValuesToBeInSet(column=column, value_set=values, **said(check, rows))


def not_among(column: str, values: list[object], check: str, rows: str | None = None) -> Expectation:
    """No value is one of these."""
    return E.ExpectColumnValuesToNotBeInSet(column=column, value_set=values, **said(check, rows))


def like(column: str, pattern: str, check: str, rows: str | None = None) -> Expectation:
    """Each value looks like this."""
    return E.ExpectColumnValuesToMatchRegex(column=column, regex=pattern, **said(check, rows))


def unlike(column: str, pattern: str, check: str) -> Expectation:
    """No value has this in it."""
    return E.ExpectColumnValuesToNotMatchRegex(column=column, regex=pattern, **said(check))


def between(column: str, low: object, high: object, check: str, rows: str | None = None) -> Expectation:
    """Each value is in the range."""
    return E.ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high, **said(check, rows))


def single(columns: list[str], check: str, rows: str | None = None) -> Expectation:
    """No value, or row of values, comes twice."""
    if len(columns) == 1:
        return E.ExpectColumnValuesToBeUnique(column=columns[0], **said(check, rows))
    return E.ExpectCompoundColumnsToBeUnique(
        column_list=columns, ignore_row_if="any_value_is_missing", **said(check, rows)
    )


def not_before(later: str, earlier: str, check: str, rows: str | None = None) -> Expectation:
    """Of two days of a row the one is not before the other."""
    return E.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A=later, column_B=earlier, or_equal=True, ignore_row_if="either_value_is_missing", **said(check, rows)
    )


def rules(views: dict[str, pd.DataFrame]) -> Iterator[tuple[pd.DataFrame, list[Expectation]]]:
    """The expectations of each table."""
    persons, valid, offered = views["persons"], views["valid"], views["offered"]
    student, teacher = 'person_type == "student"', 'person_type == "teacher"'
    students, staff = persons.query(student), persons.query(f"not ({student})")

    def ends(relation: str, end: str, role: str | None = None, when: str | None = None) -> list[object]:
        chosen = valid[valid["relation"] == relation]
        chosen = chosen[chosen[when]] if when else chosen
        chosen = chosen[chosen["role"] == role] if role else chosen
        return chosen[f"{end}_id"].unique().tolist()

    yield (
        views["objects"],
        [
            filled("id", "missing_id"),
            single(["id"], "duplicate_id"),
            like("id", w.NO_SPACE, "id_with_spaces"),
            like("id", w.APPLE, "refused_id", f"table in {list(w.WITH_LOCAL_ID)}"),
        ],
    )
    yield views["distinct_ids"], [single(["table", "id_key"], "alike_ids")]
    for name in w.WITH_LOCAL_ID:
        yield views[name], [filled("local_id", "missing_local_id")]
    yield views["orgs"], [single(["local_id"], "duplicate_local_id")]
    yield offered.drop_duplicates("pair"), [single(["local_id", "target_id"], "duplicate_local_id")]
    yield (
        persons,
        [
            *[filled(column, check, student) for column, check in w.STUDENTS_HAVE.items()],
            *[not_among(c, staff[c].dropna().tolist(), "student_and_staff", student) for c in w.IDENTIFIERS],
            *[
                not_among(c, students[c].dropna().tolist(), "student_and_staff", f"not ({student})")
                for c in w.IDENTIFIERS
            ],
            among("id", ends("member_of", "source", when="current"), "student_without_school", student),
            among("id", ends("student_in", "source", when="current"), "student_without_sections", student),
            among("grade", w.GRADES, "unknown_grade", student),
            between("age", 3, 22, "implausible_age", student),
            between("age", 16, 90, "implausible_age", f"not ({student})"),
            between("graduates_at", 16, 21, "grad_year_against_dob", student),
            like("email", w.own_domain(students["email"]), "email_elsewhere", student),
            filled("email", "teacher_without_email", teacher),
            among("id", ends("member_of", "source", when="current"), "teacher_without_school", teacher),
            among("id", ends("teacher_in", "source", when="current"), "teacher_without_sections", teacher),
            filled("name_key", "person_without_name"),
            single(["local_id", "person_type"], "duplicate_local_id"),
            single(["state_id"], "duplicate_state_id"),
            single(["email_folded"], "duplicate_email"),
            single(["name_key", "dob"], "possible_duplicate_person"),
            like("email", w.EMAIL, "invalid_email"),
            like("phone", w.PHONE, "invalid_phone"),
            like("address_postal_code", w.ZIP, "invalid_postal_code"),
            among("address_state", w.STATES, "unknown_state"),
            among("sex", w.SEXES, "unexpected_sex"),
            *[unlike(column, w.PLACEHOLDER, "placeholder_name") for column in ("name_first", "name_last")],
            *[unlike(column, w.SHOUTING, "shouting_name") for column in ("name_first", "name_last")],
            *[like(column, w.SHORT, "name_too_long") for column in ("name_first", "name_last")],
        ],
    )
    for name, wanted in w.TEXTS.items():
        columns = [c for c in wanted if c in views[name] and views[name][c].notna().any()]
        yield (
            views[name],
            [
                *[like(column, w.TRIMMED, "untrimmed_text") for column in columns],
                *[unlike(column, w.BROKEN, "broken_encoding") for column in columns],
                *[unlike(column, w.DAMAGED, "spreadsheet_damage") for column in columns],
                among("school_year", views[name]["school_year"].mode().tolist(), "school_year_outlier"),
            ],
        )
    yield (
        views["sections"],
        [
            among("id", ends("teacher_in", "target", when="kept"), "section_without_teacher"),
            among("id", ends("student_in", "target", when="kept"), "section_without_students"),
            filled("course", "section_without_course", "id.notna()"),
            filled("term", "section_without_term", "id.notna()"),
            filled("org", "section_without_org", "id.notna()"),
            single(["local_id", "org", "term"], "duplicate_local_id"),
            single(["title", "org", "term"], "same_title_sections"),
            among("course_org", offered["pair"].tolist(), "section_org_not_in_course", "offered_somewhere"),
            between("students", None, 60, "oversize_section"),
            between("students", 4, None, "undersize_section", "students > 0"),
        ],
    )
    for name in ("orgs", "courses", "sections", "terms"):
        yield views[name], [filled("called", "object_without_name")]
    yield (
        views["courses"],
        [
            among("id", ends("of_course", "target"), "course_without_sections"),
            among("id", ends("offered_by", "source"), "course_without_org"),
        ],
    )
    yield views["grading_categories"], [among("id", ends("graded_in", "source"), "category_without_section")]
    yield (
        views["terms"],
        [
            among("id", ends("in_term", "target"), "term_without_sections"),
            filled("start_date", "term_without_dates"),
            filled("end_date", "term_without_dates"),
            between("days", 0, None, "term_ends_before_start"),
            between("days", None, 400, "term_too_long"),
            single(["name"], "same_name_terms"),
        ],
    )
    yield (
        views["child_terms"],
        [
            not_before("start_date", "parent_start_date", "child_term_outside_parent"),
            not_before("parent_end_date", "end_date", "child_term_outside_parent"),
        ],
    )
    school = 'org_type == "school"'
    yield (
        views["orgs"],
        [
            among("org_type", ["lea", "school"], "unknown_org_type"),
            among("id", ends("child_of", "source"), "school_without_parent", school),
            among("id", ends("member_of", "target", "student", when="current"), "school_without_students", school),
            among("id", ends("member_of", "target", "teacher", when="current"), "school_without_teachers", school),
            among("id", ends("held_at", "target"), "school_without_sections", school),
            among("id", ends("offered_by", "target"), "school_without_courses", school),
        ],
    )
    objects = [f"{kind} {id}" for kind, table in w.TABLE_OF.items() for id in views[table]["id"].dropna()]
    for relation in w.RELATIONS:
        rows = f'relation == "{relation}"'
        yield (
            views["links"].query(rows),
            [among(end, objects, f"orphan_{relation}") for end in ("source_key", "target_key")],
        )
    yield views["links"], [among("shape", w.SHAPES, "wrong_target_type")]
    membership, enrolled, taught = (
        f"relation in {list(w.MEMBERSHIPS)}",
        'relation == "student_in"',
        'relation == "teacher_in"',
    )
    teaching = valid.query(taught)["pair"].tolist()
    yield (
        valid,
        [
            among("stated_by", ["both"], "one_sided_membership", membership),
            among("stated_by", ["both"], "parent_child_mismatch", 'relation == "child_of"'),
            single(["relation", "pair"], "duplicate_membership", membership),
            not_among("pair", teaching, "student_and_teacher_of_section", enrolled),
            among("status", w.STATUSES, "unknown_membership_status"),
            not_among(
                "status",
                ["historical", "inactive", "future"],
                "current_but_inactive",
                "dated & start_date.notna() & end_date.notna()",
            ),
            not_before("end_date", "start_date", "membership_ends_before_start"),
        ],
    )
    members = valid.query('relation == "member_of"')["pair"].tolist()
    yield (
        views["seats"],
        [
            filled("start_date", "enrollment_without_start", enrolled),
            filled("end_date", "enrollment_without_end", enrolled),
            not_before("start_date", "earliest", "enrollment_outside_terms", enrolled),
            not_before("latest", "end_date", "enrollment_outside_terms", enrolled),
            between("end_date", w.TODAY, None, "ended_but_active", f'status == "active" & closes >= "{w.TODAY}"'),
            between("start_date", None, w.TODAY, "future_but_active", f'status == "active" & opens <= "{w.TODAY}"'),
            between("start_date", None, w.FAR_AHEAD, "membership_far_ahead"),
            not_before("start_date", "dob", "membership_before_birth"),
            among("person_type", ["teacher", "staff"], "student_as_teacher", taught),
            among("person_type", ["student"], "teacher_as_student", enrolled),
            among("person_org", members, "student_outside_school", enrolled),
            among("person_org", members, "teacher_outside_school", taught),
            not_among("person_status", w.INACTIVE, "enrolled_inactive_student", f"current & {enrolled}"),
            not_among(
                "person_status",
                w.INACTIVE,
                "inactive_teacher_of_section",
                f"current & {taught} & section_status not in {w.INACTIVE}",
            ),
            between("grad_year", w.SCHOOL_YEAR, None, "graduated_but_enrolled", f"current & {enrolled}"),
        ],
    )
    yield (
        views["seats"].assign(table="sections", id=views["seats"]["target_id"]),
        [not_among("section_status", w.INACTIVE, "enrollment_in_inactive_section", f"current & {enrolled}")],
    )


# Results
def checks(views: dict[str, pd.DataFrame]) -> set[str]:
    """The checks that have a rule."""
    return {expectation.meta["check"] for _, suite in rules(views) for expectation in suite}


def find(views: dict[str, pd.DataFrame], only: set[str]) -> set[tuple[str, str, str | None]]:
    """Check, table and id of every row that fails."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("roster")
    shown = {"result_format": "COMPLETE", "unexpected_index_column_names": ["table", "id"]}
    found = set()
    for number, (df, every) in enumerate(rules(views)):
        suite = [expectation for expectation in every if expectation.meta["check"] in only]
        if df.empty or not suite:
            continue
        batches = source.add_dataframe_asset(f"table {number}").add_batch_definition_whole_dataframe("all")
        batch = batches.get_batch({"dataframe": df.reset_index(drop=True)})
        outcome = batch.validate(gx.ExpectationSuite(name=f"rules {number}", expectations=suite), result_format=shown)
        for result in outcome.results:
            if result.exception_info.get("raised_exception", "raised_exception" not in result.exception_info):
                raise RuntimeError(f"{result.expectation_config.meta}: {result.exception_info}")
            check = result.expectation_config.meta["check"]
            for row in result.result.get("unexpected_index_list") or ():
                found.add((check, row["table"], None if pd.isna(row["id"]) else row["id"]))
    return found
