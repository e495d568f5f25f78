"""Mistakes, planted in a roster on purpose, with a list of where they are, so that checks can be proven right.

`FLAWS` has a row for each kind: the check that should find it, and what is done to the roster. Every row uses objects
that no other row has touched, and lists whatever else follows from it: a section whose course is not delivered also has
no course. What is wrong with a link is listed under the link's source, or where that was not delivered, its target.
Where a rule can be read in two ways, nothing is planted that the two readings see differently. A roster without a
suitable object does not get that flaw.

`WHOLE` has those that concern a whole roster or table: each would colour everything that is said of a roster, so that one
of them is planted only where it is asked for. ``no_current_term`` is in neither: where no term holds the day of the check, all
memberships, ages and grades are of another year as well, and nobody could list what follows from that.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pandas as pd

from kimono_explore.errors import ConfigurationError
from kimono_explore.sandbox.flaws import grades, injectors, memberships, whole
from kimono_explore.sandbox.flaws.editor import RosterEditor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kimono_explore.roster.roster import Roster
    from kimono_explore.sandbox.flaws.editor import Inject


class Flaw(NamedTuple):
    """A kind of mistake: the id of the check that finds it, and the function that plants a few."""

    check: str
    inject: Inject


def inject_flaws(roster: Roster, seed: int = 7, also: str | None = None) -> tuple[Roster, pd.DataFrame]:
    """Plant a few mistakes of every kind.

    Parameters
    ----------
    roster : Roster
        Stays as it is.
    seed : int, default 7
        The same seed plants the same mistakes.
    also : str, optional
        A mistake of the whole roster to plant besides: the check of a row of `WHOLE`, such as ``"stale_roster"``.

    Returns
    -------
    Roster
        With the mistakes. A value that its column cannot hold is missing there, and listed in ``problems``.
    pandas.DataFrame
        What checks should find, one row for every failing object: check, table, id, note.

    Examples
    --------
    >>> from kimono_explore.sandbox.district.build import make_district
    >>> flawed, planted = inject_flaws(make_district(500))
    >>> planted.loc[planted["check"] == "invalid_email", "note"].tolist()
    ["email: 'jane.doe(at)example.org'", "email: 'no-at-sign.example.org'"]
    """
    editor = RosterEditor(roster, seed)
    for flaw in (*FLAWS, *_whole(also)):
        flaw.inject(editor, flaw.check)
    tables, links, problems, planted = editor.result()
    order = {flaw.check: position for position, flaw in reversed(list(enumerate((*FLAWS, *WHOLE))))}
    planted = planted.sort_values("check", key=lambda checks: checks.map(order), kind="stable", ignore_index=True)
    flawed = replace(
        roster,
        **cast("dict[str, Any]", tables),
        links=links,
        problems=problems,
        source=f"{roster.source}, with planted flaws",
    )
    return flawed, planted


def _whole(check: str | None) -> list[Flaw]:
    """The mistake of the whole roster that the check finds; nothing where none is asked for."""
    known = {flaw.check: flaw for flaw in WHOLE}
    if check is not None and check not in known:
        raise ConfigurationError(f"No mistake of a whole roster for {check!r}. There are: {', '.join(known)}.")
    return [] if check is None else [known[check]]


def _cells(
    table: str, kind: str | None, *changes: Mapping[str, object], also: tuple[str, ...] = (), plain: bool = False
) -> Inject:
    """One object for each change, which gives new values to some of its cells; a callable makes one from the old value."""

    def inject(editor: RosterEditor, check: str) -> None:
        for row, change in zip(editor.pick(table, len(changes), kind, plain=plain), changes, strict=False):
            old = editor.tables[table].iloc[row]
            values = {column: value(old[column]) if callable(value) else value for column, value in change.items()}
            shown = "; ".join(f"{c}: {v.date() if isinstance(v, pd.Timestamp) else v!r}" for c, v in values.items())
            for name in (check, *also):
                editor.note(name, table, row, shown)
            editor.set(table, row, **values)

    return inject


def _as_it_came(column: str, problem: str, *values: str, also: str | None = None) -> Inject:
    """Values of students that their column cannot hold: the cell is empty, and the value is in ``problems``."""

    def inject(editor: RosterEditor, check: str) -> None:
        for row, value in zip(editor.pick("persons", len(values), "student"), values, strict=False):
            editor.problem("persons", editor.id("persons", row), column, value, problem)
            for name in filter(None, (check, also)):
                editor.note(name, "persons", row, f"{column}: {value!r}")
            editor.set("persons", row, **{column: None})

    return inject


def _shared(table: str, column: str, kind: str | None, *apart: str) -> Inject:
    """Two objects with one value; both are of one kind and agree in what is named in ``apart``."""

    def inject(editor: RosterEditor, check: str) -> None:
        rows = editor.pair(table, list(apart), kind)
        for row in rows:
            editor.set(table, row, **{column: editor.tables[table][column].iloc[rows[0]]})
            editor.note(check, table, row, f"two with one {column}")

    return inject


def _same_person(editor: RosterEditor, check: str) -> None:
    """One child registered twice, once typed without accents and capitals."""
    rows = editor.pair("persons", ["grad_year"], "student")
    for row in rows[1:]:
        one = editor.tables["persons"].iloc[rows[0]]
        names = {c: _typed(one[c]) for c in ("name_first", "name_middle", "name_last") if isinstance(one[c], str)}
        editor.set("persons", row, **{"name_middle": None, **names, "dob": one["dob"]})
    for row in rows:
        editor.note(check, "persons", row, "the same name and birthday twice")


def _typed(name: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.lower()) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", plain)


def _student_and_staff(editor: RosterEditor, check: str) -> None:
    students, teachers = editor.pick("persons", 2, "student"), editor.pick("persons", 2, "teacher")
    for student, teacher in zip(students, teachers, strict=False):
        editor.set("persons", student, local_id=editor.tables["persons"]["local_id"].iloc[teacher])
        for row in (student, teacher):
            editor.note(check, "persons", row, "a student and a teacher with one local id")


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


_DAY = pd.Timedelta(days=1)
_NAMES = ("name_first", "name_middle", "name_last")

_AGES: list[dict[str, object]] = [{"dob": pd.Timestamp(1979, 3, 1)}, {"dob": pd.Timestamp(2025, 2, 3)}]


FLAWS: tuple[Flaw, ...] = (
    # Identity
    Flaw("missing_id", injectors.missing_id),
    Flaw("duplicate_id", injectors.duplicate_id),
    Flaw("duplicate_local_id", _shared("persons", "local_id", "student")),
    Flaw("duplicate_local_id", _shared("sections", "local_id", None, "school", "term")),
    Flaw("duplicate_state_id", _shared("persons", "state_id", "student")),
    Flaw("missing_local_id", _cells("persons", "student", {"local_id": None}, {"local_id": None})),
    Flaw("missing_local_id", _cells("sections", None, {"local_id": None})),
    Flaw("missing_local_id", _cells("courses", None, {"local_id": None})),
    Flaw("student_missing_state_id", _cells("persons", "student", {"state_id": None}, {"state_id": None})),
    Flaw("duplicate_email", _shared("persons", "email", "student")),
    Flaw("possible_duplicate_person", _same_person),
    Flaw("student_and_staff", _student_and_staff),
    Flaw("alike_ids", injectors.odd_ids("RBT-0417", "rbt.0417")),
    Flaw("id_with_spaces", injectors.odd_ids("JRN 0512", "DRM 06 13")),
    Flaw("refused_id", injectors.odd_ids("ART/0714")),
    Flaw("email_elsewhere", _cells("persons", "student", {"email": "private.address@mail.example.net"})),
    # References
    Flaw("orphan_child_of", injectors.term("Transfer Session")),
    Flaw("orphan_offered_by", injectors.missing_end("offered_by", "courses", None, "org")),
    Flaw("orphan_of_course", injectors.orphan_of_course),
    Flaw("orphan_in_term", injectors.missing_end("in_term", "sections", None, "term")),
    Flaw("orphan_member_of", injectors.missing_end("member_of", "persons", "student", "org", "student")),
    Flaw("orphan_student_in", injectors.missing_end("student_in", "persons", "student", "section", "student")),
    Flaw("orphan_student_in", injectors.missing_source("student_in", "student")),
    Flaw("orphan_teacher_in", injectors.missing_end("teacher_in", "persons", "teacher", "section", "teacher")),
    Flaw("orphan_teacher_in", injectors.missing_source("teacher_in", "teacher")),
    Flaw("orphan_graded_in", injectors.orphan_graded),
    Flaw("orphan_graded_for", injectors.missing_end("graded_for", "grading_categories", None, "org")),
    Flaw("orphan_held_at", injectors.school_not_delivered),
    Flaw("one_sided_membership", injectors.one_sided),
    Flaw("duplicate_membership", injectors.twice),
    Flaw("student_and_teacher_of_section", injectors.student_and_teacher),
    Flaw("wrong_target_type", injectors.wrong_type),
    # Agreement
    Flaw("section_org_not_in_course", injectors.section_org_not_in_course),
    Flaw("student_outside_school", injectors.outside_school("student_in", "student")),
    Flaw("teacher_outside_school", injectors.outside_school("teacher_in", "teacher")),
    Flaw("parent_child_mismatch", injectors.parent_child_mismatch),
    # Structure
    Flaw("org_cycle", injectors.org_cycle),
    Flaw("term_cycle", injectors.term_cycle),
    Flaw("school_without_parent", injectors.no_parent),
    Flaw("unknown_org_type", injectors.new_orgs("annex", "Bus Garage", "Boathouse")),
    Flaw(
        "school_without_students", injectors.new_orgs("school", "Harbor Online School", also=injectors.EMPTY_SCHOOL[1:])
    ),
    Flaw("parent_of_wrong_type", injectors.quarter_below_period),
    Flaw("section_over_two_years", injectors.over_two_years),
    # Completeness
    Flaw("section_without_teacher", injectors.no_teacher),
    Flaw("section_without_students", injectors.new_section(0)),
    Flaw("section_without_course", injectors.cut("of_course", "sections")),
    Flaw("section_without_term", injectors.cut("in_term", "sections")),
    Flaw("section_without_org", injectors.cut("held_at", "sections")),
    Flaw("course_without_sections", injectors.new_courses(offered=True)),
    Flaw("course_without_org", injectors.new_courses(offered=False)),
    Flaw("term_without_sections", injectors.term("Short Session")),
    Flaw("student_without_school", injectors.no_school),
    Flaw("student_without_sections", injectors.no_sections),
    Flaw("teacher_without_school", injectors.new_teachers(school=False)),
    Flaw("teacher_without_sections", injectors.new_teachers(school=True)),
    Flaw("person_without_name", _cells("persons", "student", *[dict.fromkeys(_NAMES)] * 2)),
    Flaw("teacher_without_email", _cells("persons", "teacher", {"email": None}, {"email": None})),
    Flaw("student_without_dob", _cells("persons", "student", {"dob": None}, {"dob": None})),
    Flaw("student_without_email", _cells("persons", "student", {"email": None}, {"email": None})),
    Flaw("student_without_sex", _cells("persons", "student", {"sex": None}, {"sex": None})),
    Flaw("student_without_address", _cells("persons", "student", {"address_line1": None})),
    Flaw("student_without_phone", _cells("persons", "student", {"phone": None})),
    Flaw("object_without_name", _cells("sections", None, {"title": None, "label": None})),
    Flaw("object_without_name", _cells("courses", None, {"title": None, "label": None})),
    Flaw("school_without_terms", injectors.school_without_terms),
    Flaw("category_without_section", injectors.cut("graded_in", "grading_categories")),
    # Values
    Flaw("bad_value", _as_it_came("dob", "not a date", "31/02/2012", "unknown", also="student_without_dob")),
    Flaw("bad_value", _as_it_came("updated_at", "not a time", "yesterday")),
    Flaw("bad_value", _as_it_came("aup", "neither true nor false", "maybe")),
    Flaw("bad_value", injectors.term_start),
    Flaw(
        "invalid_email",
        _cells("persons", "student", {"email": "jane.doe(at)example.org"}, {"email": "no-at-sign.example.org"}),
    ),
    Flaw("invalid_phone", _cells("persons", "student", {"phone": "call after six"}, {"phone": "555"})),
    Flaw(
        "invalid_postal_code",
        _cells("persons", "student", {"address_postal_code": "5505"}, {"address_postal_code": "ABCDE"}),
    ),
    Flaw("unknown_state", _cells("persons", "student", {"address_state": "ZQ"}, {"address_state": "Q1"})),
    Flaw("unexpected_sex", _cells("persons", "student", {"sex": "?"}, {"sex": "7"})),
    Flaw("untrimmed_text", _cells("persons", "student", {"name_last": lambda name: f"{name} "})),
    Flaw("untrimmed_text", _cells("persons", "teacher", {"address_city": lambda city: f"{city}\u200b"})),
    Flaw("untrimmed_text", _cells("sections", None, {"title": lambda title: f"\t{title}"})),
    Flaw(
        "broken_encoding",
        _cells("persons", "student", {"name_first": "JosÃ©", "name_last": "NuÃ±ez"}, {"name_last": "Mu\ufffdoz"}),
    ),
    Flaw("spreadsheet_damage", _cells("persons", "student", {"local_id": "1.04E+07"}, {"address_line2": "#REF!"})),
    Flaw("spreadsheet_damage", _cells("sections", None, {"ext_period": "1-Mar"})),
    Flaw("name_too_long", _cells("persons", "student", {"name_last": "-".join(["Montgomery"] * 6)})),
    Flaw(
        "placeholder_name",
        _cells(
            "persons",
            "student",
            {"name_first": "Test", "name_last": "Test"},
            {"name_first": "Unknown", "name_last": "Unknown"},
            {"name_first": "xxx", "name_last": "xxx"},
        ),
    ),
    Flaw("shouting_name", _cells("persons", "student", *[{"name_first": _upper, "name_last": _upper}] * 2, plain=True)),
    Flaw("implausible_age", _cells("persons", "student", *_AGES, also=("grad_year_against_dob", "grade_against_age"))),
    Flaw("implausible_age", _cells("persons", "teacher", {"dob": pd.Timestamp(1919, 5, 5)})),
    Flaw("grad_year_against_dob", grades.grad_year_against_dob),
    Flaw("school_year_outlier", _cells("persons", "student", {"school_year": "2019"})),
    Flaw("school_year_outlier", _cells("sections", None, {"school_year": "2019"})),
    Flaw("same_title_sections", _shared("sections", "title", None, "course", "school", "term")),
    # Dates
    Flaw("term_without_dates", injectors.term("Open Session")),
    Flaw("term_ends_before_start", injectors.term("Backward Session")),
    Flaw("child_term_outside_parent", injectors.term("Late Session")),
    Flaw("term_too_long", injectors.term("Records of the Eighties")),
    # Grades
    Flaw("missing_grade", grades.said(None)),
    Flaw("unknown_grade", grades.said("9th", "Junior")),
    Flaw("grade_against_age", grades.too_young),
    Flaw("grade_against_grad_year", grades.two_years_late),
    Flaw("graduated_but_enrolled", grades.graduated),
    Flaw("grade_not_of_school", grades.not_of_school),
    Flaw("grade_not_of_section", grades.not_of_section),
    # Load: last, because it seats people in sections that nothing else has touched.
    Flaw("undersize_section", injectors.new_section(2)),
    Flaw("oversize_section", injectors.oversize),
    Flaw("student_overload", injectors.overload("student_in", "student", 18)),
    Flaw("teacher_overload", injectors.overload("teacher_in", "teacher", 18)),
    Flaw("sibling_terms_overlap", injectors.siblings),
    # Memberships: after all others, which therefore stay as they are.
    Flaw(
        "enrollment_outside_terms",
        memberships.enrollments(
            lambda first, _: {"start_date": first - 60 * _DAY},
            lambda _, last: {"end_date": last + 60 * _DAY},
        ),
    ),
    Flaw("ended_but_active", memberships.enrollments(*[lambda first, _: {"end_date": first + 3 * _DAY}] * 2)),
    Flaw("future_but_active", memberships.enrollments(*[lambda _, last: {"start_date": last - 30 * _DAY}] * 2)),
    Flaw("current_but_inactive", memberships.enrollments(*[lambda *_: {"status": "Historical"}] * 2)),
    Flaw(
        "membership_far_ahead",
        memberships.enrollments(
            *[lambda first, last: {"start_date": first + 1096 * _DAY, "end_date": last + 1096 * _DAY}] * 2,
            also=("future_but_active", "enrollment_outside_terms"),
        ),
    ),
    Flaw(
        "membership_before_birth",
        memberships.enrollments(
            *[lambda *_: {"start_date": pd.Timestamp(1970, 1, 1)}] * 2, also=("enrollment_outside_terms",), born=True
        ),
    ),
    Flaw("enrollment_without_end", memberships.enrollments(*[lambda *_: {"end_date": None}] * 2)),
    Flaw("unknown_membership_status", memberships.enrollments(*[lambda *_: {"status": "Tentative"}] * 2)),
    Flaw("seated_after_leaving_school", memberships.seated_after_leaving),
    Flaw("two_schools_at_once", memberships.two_schools),
    Flaw("enrolled_inactive_student", memberships.inactive("student")),
    Flaw("inactive_teacher_of_section", memberships.inactive("teacher")),
    Flaw("enrollment_in_inactive_section", memberships.inactive_sections),
    Flaw("student_as_teacher", memberships.student_as_teacher),
    Flaw("teacher_as_student", memberships.teacher_as_student),
    Flaw("section_without_one_primary_teacher", memberships.primary_teachers),
    Flaw("student_without_one_primary_school", memberships.no_primary_school),
    Flaw("enrollment_without_start", memberships.enrollments(*[lambda *_: {"start_date": None}] * 2)),
    Flaw(
        "membership_ends_before_start",
        memberships.enrollments(
            *[lambda first, _: {"start_date": first + 10 * _DAY, "end_date": first + 3 * _DAY}] * 2,
            also=("ended_but_active",),
        ),
    ),
    # New rows, last of all: what is picked before them stays the same.
    Flaw("school_below_school", injectors.school_below_school),
    Flaw("same_name_terms", injectors.same_name_terms),
    Flaw("line_break", _cells("sections", None, {"title": lambda title: f"{title}\n(new)"}, also=("untrimmed_text",))),
)
"""Every kind of mistake that is planted; adding one is adding a row."""

WHOLE: tuple[Flaw, ...] = (
    Flaw("stale_roster", whole.nothing_updated),
    Flaw("created_on_one_day", whole.created_on_one_day),
    Flaw("lea_without_schools", whole.second_district),
    Flaw("no_lea", whole.no_district),
    Flaw("load_problem", whole.refused_list),
    Flaw("term_of_another_school", whole.sessions_of_two_schools),
)
"""The mistakes of a whole roster or table, of which one is planted where it is asked for, after all others."""
