"""Each check, on the smallest roster that fails it, on one that passes, and on one that it knows nothing of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from builders import (
    ALL_SENT,
    category,
    check_alone,
    course,
    lea,
    link,
    make,
    problem,
    school,
    section,
    student,
    teacher,
    term,
)

import kimono_explore as kx
from kimono_explore.quality.catalogue import ROSTER_CHECKS
from kimono_explore.schema import TABLES, keys_of

OCTOBER = "2026-10-05"
IN_CLASS = (section(), student(), link("ana student_in algebra-1"))
YEAR = (section(), term(), link("algebra-1 in_term year"), student())
AT_SCHOOL = (school(), student(), link("ana member_of school"))


def with_a_year(name: str, sections: int) -> tuple[Any, ...]:
    """A school with a year of its own, in which are so many sections."""
    own = [f"{name}-{n}" for n in range(sections)]
    linked = [link(f"{id} {end}") for id in own for end in (f"held_at {name}", f"in_term {name}-year")]
    return school(name), term(f"{name}-year"), *map(section, own), *linked


STRAY = (
    *(*with_a_year("west", 9), *with_a_year("east", 5)),
    *(section("stray"), link("stray held_at east"), link("stray in_term west-year")),
)

# check: (the items of a roster that fails it, the objects that fail, the items of one that passes)
CASES: dict[str, tuple[tuple[Any, ...], list[tuple[str, str | None]], tuple[Any, ...]]] = {
    "missing_id": ((("persons", {"id": None, "label": "Ana"}),), [("persons", None)], (student(),)),
    "duplicate_id": ((school("x"), student("x")), [("orgs", "x"), ("persons", "x")], (school("x"), student("y"))),
    "duplicate_local_id": (
        (student("a", local_id="007"), student("b", local_id="007"), teacher("c", local_id="007")),
        [("persons", "a"), ("persons", "b")],
        (student("a", local_id="007"), student("b", local_id="7"), teacher("c", local_id="007")),
    ),
    "duplicate_state_id": (
        (student("a", state_id="9"), teacher("b", state_id="9"), student("c")),
        [("persons", "a"), ("persons", "b")],
        (student("a", state_id="9"), student("c")),
    ),
    "missing_local_id": (
        (student("a", local_id="1"), student("b"), school("s")),
        [("persons", "b")],
        (student("a", local_id="1"), school("s")),
    ),
    "student_missing_state_id": (
        (student("a", state_id="1"), student("b"), teacher("c")),
        [("persons", "b")],
        (student("a", state_id="1"), teacher("c")),
    ),
    "duplicate_email": (
        (student("a", email="A@x.org"), student("b", email="a@x.org ")),
        [("persons", "a"), ("persons", "b")],
        (student("a", email="a@x.org"), student("b", email="b@x.org"), student("c")),
    ),
    "alike_ids": (
        (course("T-1"), course("t_1"), course("007"), course(" 7"), student("7")),
        [("courses", " 7"), ("courses", "007"), ("courses", "T-1"), ("courses", "t_1")],
        (course("T-1"), course("T-11"), course("T1"), student("t-1"), course("70"), course("7")),
    ),
    "id_with_spaces": (
        (course("ALG 1"), student("b "), student("c\u200b")),
        [("persons", "b "), ("persons", "c\u200b"), ("courses", "ALG 1")],
        (course("ALG-1"), student("b")),
    ),
    "refused_id": (
        (course("ALG_1"), student("ñ"), section("a b"), term("x/y")),
        [("persons", "ñ"), ("courses", "ALG_1")],
        (course("ALG-1"), student("0b7F")),
    ),
    "email_elsewhere": (
        (
            *(student(f"p{n}", email=f"p{n}@x.org") for n in range(24)),
            *(student(email="ana@Mail.net"), teacher(email="ben@y.org")),
        ),
        [("persons", "ana")],
        (
            *(student(f"p{n}", email=f"p{n}@X.org") for n in range(30)),
            *(teacher("a", email="a@staff.x.org"), teacher("b", email="b@staff.x.org"), teacher("c", email="c@x")),
            student(email="ana@staff.x.org"),
        ),
    ),
    "possible_duplicate_person": (
        (
            student("a", name_first="José  María", name_last="Núñez", dob="2012-05-01"),
            student("b", name_first="jose maria", name_last="NUNEZ", dob="2012-05-01"),
        ),
        [("persons", "a"), ("persons", "b")],
        (student("a", name_first="José", dob="2012-05-01"), student("b", name_first="José", dob="2012-05-02")),
    ),
    "student_and_staff": (
        (student("a", email="x@x.org"), teacher("b", email="X@x.org")),
        [("persons", "a"), ("persons", "b")],
        (student("a", email="x@x.org"), student("b", email="x@x.org"), teacher("c", email="y@x.org")),
    ),
    "orphan_child_of": (
        (school(), link("school child_of district")),
        [("orgs", "school")],
        (school(), lea(), link("school child_of district")),
    ),
    "orphan_offered_by": (
        (course(), link("algebra offered_by gone")),
        [("courses", "algebra")],
        (course(), school(), link("algebra offered_by school")),
    ),
    "orphan_of_course": (
        (section(), link("algebra-1 of_course gone")),
        [("sections", "algebra-1")],
        (section(), course(), link("algebra-1 of_course algebra")),
    ),
    "orphan_held_at": (
        (section(), link("algebra-1 held_at gone")),
        [("sections", "algebra-1")],
        (section(), school(), link("algebra-1 held_at school")),
    ),
    "orphan_in_term": (
        (section(), link("algebra-1 in_term gone")),
        [("sections", "algebra-1")],
        (section(), term(), link("algebra-1 in_term year")),
    ),
    "orphan_member_of": ((student(), link("ana member_of gone")), [("persons", "ana")], AT_SCHOOL),
    "orphan_student_in": (
        (section(), link("gone student_in algebra-1", stated_by="target")),
        [("sections", "algebra-1")],
        IN_CLASS,
    ),
    "orphan_teacher_in": (
        (teacher(), link("ben teacher_in gone")),
        [("persons", "ben")],
        (teacher(), section(), link("ben teacher_in algebra-1")),
    ),
    "orphan_graded_in": (
        (category(), link("tests graded_in gone")),
        [("grading_categories", "tests")],
        (category(), section(), link("tests graded_in algebra-1")),
    ),
    "orphan_graded_for": (
        (category(), link("tests graded_for gone", types=("grading_category", "org"))),
        [("grading_categories", "tests")],
        (category(), school(), term(), link("tests graded_for school"), link("tests graded_for year")),
    ),
    "one_sided_membership": (
        (section(), student(), link("ana student_in algebra-1", stated_by="target")),
        [("persons", "ana")],
        IN_CLASS,
    ),
    "duplicate_membership": (
        (*IN_CLASS, link("ana student_in algebra-1")),
        [("persons", "ana")],
        (
            section(),
            student(),
            link("ana student_in algebra-1", start_date="2026-08-17", end_date="2026-10-01"),
            link("ana student_in algebra-1", start_date="2027-01-11", end_date="2027-06-04"),
        ),
    ),
    "student_and_teacher_of_section": (
        (*IN_CLASS, link("ana teacher_in algebra-1")),
        [("persons", "ana")],
        (*IN_CLASS, teacher(), link("ben teacher_in algebra-1")),
    ),
    "wrong_target_type": (
        (section(), term(), link("algebra-1 of_course year", types=("section", "term"))),
        [("sections", "algebra-1")],
        (section(), course(), link("algebra-1 of_course algebra")),
    ),
    "membership_ends_before_start": (
        (section(), student(), link("ana student_in algebra-1", start_date="2026-10-01", end_date="2026-09-01")),
        [("persons", "ana")],
        (section(), student(), link("ana student_in algebra-1", start_date="2026-10-01", end_date="2026-10-01")),
    ),
    "enrollment_without_start": (
        (
            section(),
            student("a"),
            student("b"),
            link("a student_in algebra-1"),
            link("b student_in algebra-1", start_date="2026-10-01"),
        ),
        [("persons", "a")],
        (section(), student(), link("ana student_in algebra-1", start_date="2026-10-01")),
    ),
    "enrollment_outside_terms": (
        (
            *(*YEAR, student("b"), student("c")),
            link("ana student_in algebra-1", start_date="2026-07-17"),
            link("b student_in algebra-1", start_date="2026-09-01", end_date="2027-07-05"),
            link("c student_in algebra-1", start_date="2026-08-10", end_date="2026-08-16"),
        ),
        [("persons", "ana"), ("persons", "b"), ("persons", "c")],
        (*YEAR, link("ana student_in algebra-1", start_date="2026-07-18", end_date="2027-07-04")),
    ),
    "ended_but_active": (
        (*YEAR, link("ana student_in algebra-1", status="Active", end_date="2026-10-04")),
        [("persons", "ana")],
        (
            *(*YEAR, student("b"), section("c"), term("fall", "2026-08-17", "2026-10-02"), link("c in_term fall")),
            link("ana student_in algebra-1", status="Historical", end_date="2026-10-04"),
            link("b student_in algebra-1", status="Active", end_date=OCTOBER),
            link("b student_in c", status="Active", end_date="2026-10-02"),
        ),
    ),
    "future_but_active": (
        (*YEAR, link("ana student_in algebra-1", status="active", start_date="2026-10-06")),
        [("persons", "ana")],
        (
            *(*YEAR, student("b"), section("c"), term("spring", "2027-01-04"), link("c in_term spring")),
            link("ana student_in algebra-1", status="Future", start_date="2026-10-06"),
            link("b student_in algebra-1", status="Active", start_date=OCTOBER),
            link("b student_in c", status="Active", start_date="2027-01-04"),
        ),
    ),
    "current_but_inactive": (
        (*YEAR, link("ana student_in algebra-1", status="Historical", start_date=OCTOBER)),
        [("persons", "ana")],
        (
            *(*YEAR, student("b")),
            link("ana student_in algebra-1", status="Active", start_date=OCTOBER),
            link("b student_in algebra-1", status="Historical", start_date="2026-08-17", end_date="2026-10-04"),
        ),
    ),
    "membership_far_ahead": (
        (*AT_SCHOOL[:2], link("ana member_of school", start_date="2027-10-07")),
        [("persons", "ana")],
        (*AT_SCHOOL[:2], link("ana member_of school", start_date="2027-10-06")),
    ),
    "membership_before_birth": (
        (school(), student(dob="2012-05-01"), link("ana member_of school", start_date="2012-04-30")),
        [("persons", "ana")],
        (school(), student(dob="2012-05-01"), link("ana member_of school", start_date="2012-05-01")),
    ),
    "enrollment_without_end": (
        (
            *(section(), student("a"), student("b"), link("a student_in algebra-1")),
            link("b student_in algebra-1", end_date="2027-06-04"),
        ),
        [("persons", "a")],
        (*IN_CLASS[:2], link("ana student_in algebra-1", end_date="2027-06-04")),
    ),
    "unknown_membership_status": (
        (*IN_CLASS[:2], link("ana student_in algebra-1", status="On loan")),
        [("persons", "ana")],
        (*IN_CLASS, *AT_SCHOOL[:1], link("ana member_of school", status=" Active")),
    ),
    "seated_after_leaving_school": (
        (*IN_CLASS, school(), link("algebra-1 held_at school"), link("ana member_of school", end_date="2026-10-04")),
        [("persons", "ana")],
        (
            *(*IN_CLASS, school(), school("b"), link("algebra-1 held_at school")),
            link("ana member_of school", end_date="2026-09-04"),
            link("ana member_of school", start_date="2026-10-01"),
            link("ana member_of b", end_date="2026-09-04"),
        ),
    ),
    "two_schools_at_once": (
        (student(), school("a"), school("b"), link("ana member_of a"), link("ana member_of b", start_date=OCTOBER)),
        [("persons", "ana")],
        (
            *(lea(), school("a"), school("b"), school("c"), student(), student("p"), student("q"), teacher()),
            *(link("ana member_of a", end_date="2026-09-30"), link("ana member_of b", start_date="2026-10-01")),
            *(link("p member_of a"), link("p member_of b", primary=False), link("p member_of district")),
            *(link("q member_of a"), link("q member_of b", status="Historical")),
            *(link("ben member_of a"), link("ben member_of b")),
        ),
    ),
    "enrolled_inactive_student": (
        (section(), student(ext_status="tobedeleted"), link("ana student_in algebra-1")),
        [("persons", "ana")],
        (
            *(section(), student(ext_status="inactive"), student("b", ext_status="active")),
            *(link("ana student_in algebra-1", end_date="2026-09-01"), link("b student_in algebra-1")),
        ),
    ),
    "enrollment_in_inactive_section": (
        (section(ext_status="inactive"), student(), link("ana student_in algebra-1")),
        [("sections", "algebra-1")],
        (
            *(section(ext_status="active"), section("old", ext_status="inactive"), student()),
            *(link("ana student_in algebra-1"), link("ana student_in old", status="Historical")),
        ),
    ),
    "inactive_teacher_of_section": (
        (section(), teacher(ext_status="inactive"), link("ben teacher_in algebra-1")),
        [("persons", "ben")],
        (
            *(section(ext_status="active"), section("old", ext_status="inactive")),
            *(teacher(ext_status="inactive"), teacher("c", ext_status="active")),
            *(link("ben teacher_in old"), link("c teacher_in algebra-1")),
        ),
    ),
    "student_as_teacher": (
        (section(), student(), link("ana teacher_in algebra-1")),
        [("persons", "ana")],
        (
            *(section(), teacher(), student(), link("ben teacher_in algebra-1")),
            link("ana teacher_in algebra-1", role="proctor"),
        ),
    ),
    "teacher_as_student": ((section(), teacher(), link("ben student_in algebra-1")), [("persons", "ben")], IN_CLASS),
    "section_without_one_primary_teacher": (
        (
            *(section("a"), section("b"), section("c"), teacher(), teacher("d")),
            *(link("ben teacher_in a", primary=True), link("ben teacher_in b", primary=True)),
            *(link("d teacher_in b", primary=True), link("d teacher_in c", primary=False)),
        ),
        [("sections", "b"), ("sections", "c")],
        (
            *(section("a"), section("b"), teacher(), teacher("d")),
            *(link("ben teacher_in a", primary=True), link("d teacher_in a", primary=False)),
            link("d teacher_in a", primary=True, end_date="2026-09-01"),
        ),
    ),
    "student_without_one_primary_school": (
        (
            *(school("a"), school("b"), student(), student("p"), student("q")),
            *(link("ana member_of a", primary=True), link("ana member_of b", primary=True)),
            *(link("p member_of a", primary=True), link("q member_of a", primary=False)),
        ),
        [("persons", "ana"), ("persons", "q")],
        (
            *(school("a"), school("b"), student(), student("p"), teacher()),
            *(link("ana member_of a", primary=True), link("ana member_of b", primary=False)),
            *(link("p member_of a", primary=True), link("p member_of b", primary=True, status="Historical")),
            *(link("ben member_of a", primary=False),),
        ),
    ),
    "missing_grade": (
        (student(), student("b", ext_grade="09"), teacher()),
        [("persons", "ana")],
        (student(ext_grade="KG"), school(), student("b"), link("b member_of school", grade="01"), teacher()),
    ),
    "unknown_grade": (
        (student(ext_grades="9th"), student("b", ext_grades="K-5"), student("c", ext_grades="09")),
        [("persons", "ana"), ("persons", "b")],
        (student(ext_grades="kg"), student("b", ext_grades="9"), student("c", ext_grades="UG,Other"), student("d")),
    ),
    "grade_against_age": (
        (
            *(student("a", ext_grade="01", dob="2021-10-06"), student("b", ext_grade="KG", dob="2016-10-05")),
            *(student("c", ext_grade="UG", dob="1900-01-01"), student("d", ext_grade="01")),
        ),
        [("persons", "a"), ("persons", "b")],
        (student("a", ext_grade="01", dob="2021-10-05"), student("b", ext_grade="KG", dob="2016-10-06")),
    ),
    "grade_against_grad_year": (
        (student("a", ext_grade="12", grad_year="2029"), student("b", ext_grade="KG", grad_year="2037")),
        [("persons", "a"), ("persons", "b")],
        (
            *(student("a", ext_grade="12", grad_year="2028"), student("b", ext_grade="KG", grad_year="2038")),
            *(student("c", ext_grade="12", grad_year="soon"), student("d", grad_year="2001")),
        ),
    ),
    "graduated_but_enrolled": (
        (section(), student(grad_year="2026"), link("ana student_in algebra-1")),
        [("persons", "ana")],
        (
            *(section(), student(grad_year="2027"), student("b", grad_year="2020"), student("c", grad_year="soon")),
            *(link("ana student_in algebra-1"), link("b student_in algebra-1", end_date="2026-09-01")),
        ),
    ),
    "grade_not_of_school": (
        (school(ext_grades="KG,01,2"), student(), link("ana member_of school", grade="03")),
        [("persons", "ana")],
        (
            *(school(ext_grades="KG,01,2"), school("b", ext_grades="K-5"), student(), student("p"), student("q")),
            *(link("ana member_of school", grade="2"), link("p member_of b", grade="08")),
            link("q member_of school", grade="08", primary=False),
        ),
    ),
    "grade_not_of_section": (
        (section(ext_grades="09"), student(ext_grade="10"), link("ana student_in algebra-1")),
        [("persons", "ana")],
        (
            *(section(ext_grades="9, 10"), student(ext_grade="10"), student("b", ext_grade="UG")),
            *(link("ana student_in algebra-1"), link("b student_in algebra-1")),
        ),
    ),
    "section_org_not_in_course": (
        (
            *(school("a"), school("b"), course(), section()),
            *(link("algebra offered_by a"), link("algebra-1 of_course algebra"), link("algebra-1 held_at b")),
        ),
        [("sections", "algebra-1")],
        (
            *(lea(), school(), course(), section(), link("school child_of district")),
            *(
                link("algebra offered_by district"),
                link("algebra-1 of_course algebra"),
                link("algebra-1 held_at school"),
            ),
        ),
    ),
    "student_outside_school": (
        (*IN_CLASS, school("a"), school("b"), link("ana member_of a"), link("algebra-1 held_at b")),
        [("persons", "ana")],
        (
            *(*IN_CLASS, lea(), school(), link("school child_of district")),
            *(link("ana member_of school"), link("algebra-1 held_at district")),
        ),
    ),
    "teacher_outside_school": (
        (
            *(teacher(), section(), school("a"), school("b")),
            *(link("ben teacher_in algebra-1"), link("ben member_of a"), link("algebra-1 held_at b")),
        ),
        [("persons", "ben")],
        (
            *(teacher(), section(), school()),
            *(link("ben teacher_in algebra-1"), link("ben member_of school"), link("algebra-1 held_at school")),
        ),
    ),
    "parent_child_mismatch": (
        (lea(), school(), link("school child_of district", stated_by="target")),
        [("orgs", "school")],
        (lea(), school(), link("school child_of district")),
    ),
    "org_cycle": (
        (school("a"), school("b"), link("a child_of b"), link("b child_of a")),
        [("orgs", "a"), ("orgs", "b")],
        (lea(), school(), link("school child_of district")),
    ),
    "term_cycle": (
        (term(), link("year child_of year")),
        [("terms", "year")],
        (term(), term("fall"), link("fall child_of year")),
    ),
    "parent_of_wrong_type": (
        (
            *(lea(), school(), link("district child_of school")),
            *(term("fall", term_type="Semester"), term("q", term_type="quarter"), link("fall child_of q")),
            *(term("s", term_type="semester"), link("s child_of fall")),
        ),
        [("orgs", "district"), ("terms", "fall"), ("terms", "s")],
        (
            *(lea(), school(), link("school child_of district"), school("bus", org_type="annex")),
            *(term(term_type="schoolYear"), term("fall", term_type="semester"), term("x")),
            *(link("fall child_of year"), link("x child_of fall"), link("district child_of bus")),
        ),
    ),
    "section_over_two_years": (
        (*YEAR, term("old", "2025-08-18", "2026-06-05"), link("algebra-1 in_term old")),
        [("sections", "algebra-1")],
        (
            *(*YEAR, term("fall", "2026-08-17", "2026-12-18"), link("algebra-1 in_term fall")),
            *(section("b"), term("long", "2024-08-19", "2026-12-18"), link("b in_term long")),
        ),
    ),
    "term_of_another_school": (
        STRAY,
        [("sections", "stray")],
        # The years of the schools are parts of one that both are in.
        (
            *(*STRAY, term("both"), link("east-year child_of both"), link("west-year child_of both")),
            *(link(f"{school}-{n} in_term both") for school in ("east", "west") for n in range(5)),
        ),
    ),
    "stale_roster": (
        (student(updated_at="2026-07-06T00:00:00Z"), section(updated_at="2026-01-01T00:00:00Z")),
        [("persons", None)],
        (student(updated_at="2025-07-06T00:00:00Z"), section(updated_at="2026-07-07T00:00:00Z")),
    ),
    "created_on_one_day": (
        (*YEAR[:3], *(student(f"p{n}", created_at=f"2026-09-{17 + n % 20 // 11}T08:00:00Z") for n in range(20))),
        [("persons", None)],
        (
            *YEAR[:3],
            *(student(f"p{n}", created_at=f"2026-09-{17 + n % 2}T08:00:00Z") for n in range(20)),
            *(teacher(f"t{n}", created_at="2026-07-01T08:00:00Z") for n in range(20)),
        ),
    ),
    "school_without_parent": (
        (lea(), school()),
        [("orgs", "school")],
        (lea(), school(), link("school child_of district")),
    ),
    "school_below_school": (
        (school("a"), school("b"), link("a child_of b")),
        [("orgs", "a")],
        (lea(), school(), link("school child_of district")),
    ),
    "no_lea": ((school(),), [("orgs", None)], (lea(),)),
    "unknown_org_type": (
        (school("a", org_type="annex"), school("b", org_type=None)),
        [("orgs", "a"), ("orgs", "b")],
        (lea(), school()),
    ),
    "school_without_students": ((school("a"), *AT_SCHOOL), [("orgs", "a")], (lea(), *AT_SCHOOL)),
    "school_without_teachers": (AT_SCHOOL, [("orgs", "school")], (school(), teacher(), link("ben member_of school"))),
    "section_without_teacher": (
        IN_CLASS,
        [("sections", "algebra-1")],
        (teacher(), section(), link("ben teacher_in algebra-1")),
    ),
    "section_without_students": ((section("a"), *IN_CLASS), [("sections", "a")], IN_CLASS),
    "section_without_course": (
        (section(),),
        [("sections", "algebra-1")],
        (section(), course(), link("algebra-1 of_course algebra")),
    ),
    "section_without_term": (
        (section(),),
        [("sections", "algebra-1")],
        (section(), term(), link("algebra-1 in_term year")),
    ),
    "section_without_org": (
        (section(), link("algebra-1 held_at gone")),
        [("sections", "algebra-1")],
        (section(), school(), link("algebra-1 held_at school")),
    ),
    "course_without_sections": (
        (course(),),
        [("courses", "algebra")],
        (section(), course(), link("algebra-1 of_course algebra")),
    ),
    "course_without_org": (
        (course(),),
        [("courses", "algebra")],
        (course(), school(), link("algebra offered_by school")),
    ),
    "term_without_sections": ((term(),), [("terms", "year")], (section(), term(), link("algebra-1 in_term year"))),
    "student_without_school": ((student(), teacher()), [("persons", "ana")], AT_SCHOOL),
    "student_without_sections": ((student(), teacher()), [("persons", "ana")], IN_CLASS),
    "teacher_without_school": (
        (student(), teacher()),
        [("persons", "ben")],
        (school(), teacher(), link("ben member_of school")),
    ),
    "teacher_without_sections": (
        (student(), teacher()),
        [("persons", "ben")],
        (section(), teacher(), link("ben teacher_in algebra-1")),
    ),
    "category_without_section": (
        (category(),),
        [("grading_categories", "tests")],
        (category(), section(), link("tests graded_in algebra-1")),
    ),
    "person_without_name": (
        (student("a", name_first=None, name_last=None), student("b", name_last=None)),
        [("persons", "a")],
        (student("b", name_last=None),),
    ),
    "teacher_without_email": (
        (student(email="a@x.org"), teacher()),
        [("persons", "ben")],
        (teacher(email="b@x.org"), student()),
    ),
    "student_without_dob": (
        (student(), teacher(dob="1980-01-01")),
        [("persons", "ana")],
        (student(dob="2012-05-01"), teacher()),
    ),
    "student_without_email": (
        (student(email="a@x.org"), student("b"), teacher()),
        [("persons", "b")],
        (student(email="a@x.org"), teacher()),
    ),
    "student_without_sex": ((student(sex="F"), student("b")), [("persons", "b")], (student(sex="F"), teacher())),
    "student_without_address": (
        (student(address_line1="1 Elm St"), student("b", address_city="Dundas")),
        [("persons", "b")],
        (student(address_line1="1 Elm St"), teacher()),
    ),
    "student_without_phone": (
        (student(phone="507 555 0100"), student("b"), teacher()),
        [("persons", "b")],
        (student(phone="507 555 0100"), teacher()),
    ),
    "object_without_name": (
        (section(), section("b", title=" "), course("c", title=None), course("d"), term("e", name=None), term()),
        [("courses", "c"), ("sections", "b"), ("terms", "e")],
        (section(), section("b", title=None, label="B"), course("c", title=None)),
    ),
    "school_without_sections": (
        (school(), lea(), section(), link("algebra-1 held_at district")),
        [("orgs", "school")],
        (school(), lea(), section(), link("algebra-1 held_at district"), link("school child_of district")),
    ),
    "school_without_courses": (
        (school("a"), school("b"), course(), link("algebra offered_by b")),
        [("orgs", "a")],
        (school(), lea(), course(), link("algebra offered_by district"), link("school child_of district")),
    ),
    "school_without_terms": (
        (school(), school("b"), section(), term(), link("algebra-1 held_at school")),
        [("orgs", "school")],
        (
            *(school(), school("b"), section(), section("c"), term()),
            *(link("algebra-1 held_at school"), link("c held_at school"), link("c in_term year")),
        ),
    ),
    "lea_without_schools": (
        (lea(), school()),
        [("orgs", "district")],
        (lea(), lea("part"), school(), link("part child_of district"), link("school child_of part")),
    ),
    "small_school": (
        (school(), student(), link("ana member_of school")),
        [("orgs", "school")],
        (
            *(school(), lea(), school("empty"), link("school child_of district")),
            *(student(f"p{n}") for n in range(20)),
            *(teacher(f"t{n}") for n in range(5)),
            *(course(f"c{n}") for n in range(5)),
            *(link(f"p{n} member_of school") for n in range(20)),
            *(link(f"t{n} member_of school") for n in range(5)),
            *(link(f"c{n} offered_by {'district' if n else 'school'}") for n in range(5)),
        ),
    ),
    "bad_value": (
        (student(), problem("persons", "ana", "dob", "31/02/2012", "not a date")),
        [("persons", "ana")],
        (student(), problem("persons", None, None, "403", "the list was refused: 403")),
    ),
    "load_problem": (
        (student(), problem("terms", None, None, "403", "the list was refused: 403")),
        [("terms", None)],
        (student(), problem("persons", "ana", "dob", "31/02/2012", "not a date")),
    ),
    "invalid_email": (
        (student("a", email="a@x"), student("b", email="a b@x.org"), student("c", email=".@x.org")),
        [("persons", "a"), ("persons", "b"), ("persons", "c")],
        (student("a", email="o'neil+1@mail.x.org"), student("b", email="þórr@xn--x.is"), student("c")),
    ),
    "invalid_phone": (
        (student("a", phone="call me"), student("b", phone="555"), student("c", phone="1" * 16)),
        [("persons", "a"), ("persons", "b"), ("persons", "c")],
        (student("a", phone="+1 (507) 555-0123 ext. 9"), student("b", phone="507.555.0123x4"), student("c")),
    ),
    "invalid_postal_code": (
        (student("a", address_postal_code="5505", address_country="US"), student("b", address_postal_code="ABC")),
        [("persons", "a"), ("persons", "b")],
        (
            student("a", address_postal_code="05505-1234", address_country="USA"),
            student("b", address_postal_code="k1a 0b1", address_country="Canada"),
            student("c", address_postal_code="SW1A 1AA", address_country="GB"),
            student("d", address_postal_code="K1A0B1"),
        ),
    ),
    "unknown_state": (
        (student("a", address_state="ON", address_country="US"), student("b", address_state="Q1")),
        [("persons", "a"), ("persons", "b")],
        (
            student("a", address_state="mn"),
            student("b", address_state="Québec", address_country="CA"),
            student("c", address_state="Bayern", address_country="DE"),
            student("d", address_state="North Carolina", address_country="us"),
        ),
    ),
    "unexpected_sex": (
        (student(sex="7"),),
        [("persons", "ana")],
        (student("a", sex="F"), student("b", sex="Male"), student("c")),
    ),
    "untrimmed_text": (
        (student("a", name_last="Silva "), student("b", ext_house="Lynx\u200b"), section("c", title="\tX")),
        [("persons", "a"), ("persons", "b"), ("sections", "c")],
        (
            student("a", name_first="می‌رود", name_last="O'Neil"),
            student("b", ext_house="👩‍🎓"),
            section("c", description="X\n"),
        ),
    ),
    "broken_encoding": (
        (
            student("a", name_first="JosÃ©"),
            student("b", name_first="M\ufffdnoz"),
            student("c", name_first="Åukasz".replace("u", "\u0081u")),
        ),
        [("persons", "a"), ("persons", "b"), ("persons", "c")],
        (
            student("a", name_first="José"),
            student("b", name_first="RENÉ’S"),
            student("c", name_first="Åsa"),
            student("d", name_first="JOÃO"),
        ),
    ),
    "spreadsheet_damage": (
        (
            *(student("1.2E+05"), student("b", local_id="1E+17", name_middle="3-Jan"), teacher("c", ext_room="#N/A")),
            *(section("d", local_id="Mar-01"), section("e", description="#REF!")),
        ),
        [("persons", "1.2E+05"), ("persons", "b"), ("persons", "c"), ("sections", "d")],
        (
            student("1E5", name_last="May-Smith"),
            section("d", local_id="MAR-12", title="#1"),
            section("e", title="1-March"),
        ),
    ),
    "name_too_long": (
        (student("a", name_first="x" * 61), student("b", name_last="y" * 61)),
        [("persons", "a"), ("persons", "b")],
        (student("a", name_first="x" * 60, name_last=None),),
    ),
    "line_break": (
        (student(name_last="Sil\nva"), section(title="Algebra\r1"), course("alg\n1"), lea(name="North\r\nDistrict")),
        [("orgs", "district"), ("persons", "ana"), ("courses", "alg\n1"), ("sections", "algebra-1")],
        (student(name_last="Sil va", address_line1="1 Main St\nUpstairs"), category(name="a\nb"), term()),
    ),
    "placeholder_name": (
        (
            student("a", name_first="Test"),
            student("b", name_last="XXX"),
            student("c", name_first="n/a"),
            student("d", name_first="None", name_last="Null"),
        ),
        [("persons", p) for p in "abcd"],
        (
            student("a", name_first="Chris", name_last="Null"),
            student("b", name_first="王", name_last="Sample"),
            student("c", name_last=None),
        ),
    ),
    "shouting_name": (
        (student("a", name_first="ANA"), student("b", name_last="ÞÓRSSON")),
        [("persons", "a"), ("persons", "b")],
        (student("a", name_first="JT"), student("b", name_first="王小明"), student("c", name_first="McDONALD")),
    ),
    "implausible_age": (
        (student("a", dob="2004-10-04"), student("b", dob="2023-10-06"), teacher("c", dob="2015-01-01")),
        [("persons", "a"), ("persons", "b"), ("persons", "c")],
        (student("a", dob="2004-10-05"), student("b", dob="2023-10-05"), teacher("c", dob="1936-10-05"), student("d")),
    ),
    "grad_year_against_dob": (
        (student("a", dob="2012-05-01", grad_year="2025"), student("b", dob="2012-05-01", grad_year="soon")),
        [("persons", "a"), ("persons", "b")],
        (student("a", dob="2012-05-01", grad_year="2030"), student("b", dob="2012-05-01"), student("c", grad_year="x")),
    ),
    "school_year_outlier": (
        (
            student("a", school_year="2027"),
            student("b", school_year="2027"),
            section("c", school_year="2019"),
            student("d"),
        ),
        [("sections", "c")],
        (student("a", school_year="2027"), section("c", school_year="2027"), student("d")),
    ),
    "term_without_dates": ((term("a", end=None), term("b")), [("terms", "a")], (term(),)),
    "term_ends_before_start": (
        (term(start="2026-09-01", end="2026-08-31"),),
        [("terms", "year")],
        (term(start="2026-09-01", end="2026-09-01"),),
    ),
    "child_term_outside_parent": (
        (term(), term("fall", "2026-08-16", "2026-12-18"), link("fall child_of year")),
        [("terms", "fall")],
        (term(), term("fall", "2026-08-17", "2026-12-18"), link("fall child_of year")),
    ),
    "sibling_terms_overlap": (
        (
            *(term("fall", "2026-08-17", "2026-12-18"), term("spring", "2026-12-18", "2027-06-04")),
            *(section("x"), section("y"), link("x in_term fall"), link("y in_term spring")),
        ),
        [("terms", "fall"), ("terms", "spring")],
        (
            *(
                term("one", "2026-08-17", "2026-12-18"),
                term("other", "2026-08-17", "2026-12-18"),
                term(term_type="year"),
            ),
            *(school("a"), school("b"), section("x"), section("y"), link("x held_at a"), link("y held_at b")),
            *(link("x in_term one"), link("y in_term other")),
        ),
    ),
    "same_name_terms": (
        (term("a", name="Fall"), term("b", name="Fall"), term("c")),
        [("terms", "a"), ("terms", "b")],
        (term("a"), term("b")),
    ),
    "no_current_term": ((term(end="2026-10-04"),), [("terms", None)], (term(end=OCTOBER),)),
    "term_too_long": ((term(start="2024-01-01", end="2026-01-01"),), [("terms", "year")], (term(),)),
    "oversize_section": (
        (section(), *(student(f"p{n}") for n in range(61)), *(link(f"p{n} student_in algebra-1") for n in range(61))),
        [("sections", "algebra-1")],
        (section(), *(student(f"p{n}") for n in range(60)), *(link(f"p{n} student_in algebra-1") for n in range(60))),
    ),
    "undersize_section": (
        IN_CLASS,
        [("sections", "algebra-1")],
        (
            section(),
            section("empty"),
            *(student(f"p{n}") for n in range(4)),
            *(link(f"p{n} student_in algebra-1") for n in range(4)),
        ),
    ),
    "student_overload": (
        (
            *(student(), term(), term("fall"), link("fall child_of year")),
            *(section(f"s{n}") for n in range(13)),
            *(link(f"ana student_in s{n}") for n in range(13)),
            *(link(f"s{n} in_term {'fall' if n < 7 else 'year'}") for n in range(13)),
        ),
        [("persons", "ana")],
        (
            *(student(), term("fall"), term("spring")),
            *(section(f"s{n}") for n in range(13)),
            *(link(f"ana student_in s{n}") for n in range(13)),
            *(link(f"s{n} in_term {'fall' if n < 7 else 'spring'}") for n in range(13)),
        ),
    ),
    "teacher_overload": (
        (
            *(teacher(), term()),
            *(section(f"s{n}") for n in range(13)),
            *(link(f"ben teacher_in s{n}") for n in range(13)),
            *(link(f"s{n} in_term year") for n in range(13)),
        ),
        [("persons", "ben")],
        (teacher(), term(), section(), link("ben teacher_in algebra-1"), link("algebra-1 in_term year")),
    ),
    "same_title_sections": (
        (
            *(
                school(),
                term(),
                section("a", title="Algebra"),
                section("b", title="Algebra"),
                section("c", title="Art"),
            ),
            *(link(f"{s} held_at school") for s in "abc"),
            *(link(f"{s} in_term year") for s in "abc"),
        ),
        [("sections", "a"), ("sections", "b")],
        (
            *(school("x"), school("y"), term(), section("a", title="Algebra"), section("b", title="Algebra")),
            *(link("a held_at x"), link("b held_at y"), link("a in_term year"), link("b in_term year")),
        ),
    ),
}


def run(roster: kx.Roster, check: str, engine: str = "polars") -> tuple[pd.Series, pd.DataFrame]:
    """What a check says. Whom its findings reach is asked of Polars: that DuckDB says the same, `test_quality` shows."""
    if engine == "duckdb":
        report = check_alone(roster, check, as_of=OCTOBER, engine=engine)
    else:
        report = kx.check(roster, [check], as_of=OCTOBER, engine=engine)
    return report.summary.loc[0], report.failures(check)


def objects(failures: pd.DataFrame) -> list[tuple[str, str | None]]:
    return [(t, None if pd.isna(id) else id) for t, id in zip(failures["table"], failures["id"], strict=True)]


def test_every_check_has_a_case() -> None:
    assert list(dict.fromkeys(CASES)) == sorted(CASES, key=list(CASES).index)
    assert set(CASES) == {check.id for check in ROSTER_CHECKS}


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
@pytest.mark.parametrize("check", sorted(CASES))
def test_the_smallest_roster_that_fails(check: str, engine: str) -> None:
    items, wanted, _ = CASES[check]
    row, failures = run(make(*items), check, engine)
    assert (row["status"], row["reason"]) == ("failed", row["reason"])
    assert objects(failures) == wanted
    assert row["failed"] == len(wanted) <= row["checked"]
    assert row["percent"] == pytest.approx(100 * row["failed"] / row["checked"])


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
@pytest.mark.parametrize("check", sorted(CASES))
def test_a_small_roster_that_passes(check: str, engine: str) -> None:
    row, failures = run(make(*CASES[check][2]), check, engine)
    assert (row["status"], row["failed"], len(failures)) == ("passed", 0, 0)
    assert row["checked"] > 0


@pytest.fixture(scope="module")
def of_nothing() -> pd.DataFrame:
    """All checks of an empty roster at once, by id."""
    return kx.check(kx.Roster(), as_of=OCTOBER, engine="polars").summary.set_index("id")


@pytest.mark.parametrize("check", sorted(CASES))
def test_an_empty_roster_passes_nothing(check: str, of_nothing: pd.DataFrame) -> None:
    assert of_nothing.loc[check, "status"] == "not applicable"
    assert of_nothing.loc[check, "reason"]


NEEDS = [(check.id, need) for check in ROSTER_CHECKS for need in check.needs]


@pytest.mark.parametrize(("check", "need"), NEEDS)
def test_without_what_it_needs_a_check_knows_nothing(check: str, need: str) -> None:
    roster = make(*CASES[check][0])
    if "." in need:
        table, column = need.split(".")
        lacking = replace(roster, **{table: roster.tables[table].assign(**{column: pd.Series(dtype="str")})})
        reason = f"the tenant sends no {column} in {table}"
    else:
        keys = keys_of(*need.split(":"))
        assert keys
        lacking = replace(roster, rollups=ALL_SENT - set(keys))
        reason = f"roll-ups not sent: {' or '.join(keys)}"
    row, failures = run(lacking, check)
    assert (row["status"], row["reason"], len(failures)) == ("not applicable", reason, 0)


def test_sides_that_are_not_sent_cannot_differ() -> None:
    items = (section(), student(), link("ana student_in algebra-1", stated_by="source"))
    only_persons = make(*items, without=("sections.$students", "orgs.$students"))
    row, _ = run(only_persons, "one_sided_membership")
    assert (row["status"], row["reason"]) == ("not applicable", "no object or link that the rule is about")
    orgs = make(
        lea(),
        school(),
        link("school child_of district", stated_by="source"),
        without=("orgs.$children", "terms.$children"),
    )
    row, _ = run(orgs, "parent_child_mismatch")
    assert (row["status"], row["reason"]) == ("not applicable", "roll-ups not sent: $parent and $children")


def test_a_list_that_was_refused_makes_no_orphans() -> None:
    refused = problem("courses", None, None, "403", "the list was refused: 403 from rostering/courses")
    row, _ = run(make(section(), link("algebra-1 of_course algebra"), refused), "orphan_of_course")
    assert row["status"] == "not applicable"
    assert row["reason"].startswith("courses were not delivered: the list was refused: 403")


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_an_orphan_says_its_near_miss(engine: str) -> None:
    roster = make(
        section("T1"), section("02-a"), student(), *(link(f"ana student_in {id}") for id in ("t1", "2_A", "no"))
    )
    roster.links.loc[0, "target_id"] = "T1 "
    found = run(roster, "orphan_student_in", engine)[1]
    assert found[["missing_id", "near_id"]].fillna("-").to_numpy().tolist() == [
        ["2_A", "02-a"],
        ["T1 ", "T1"],
        ["no", "-"],
    ]


def test_sizes_far_from_the_courses_own() -> None:
    sizes = {"a": 20, "b": 20, "c": 20, "d": 20, "e": 55, "f": 4}
    items = [course(), *(section(s) for s in sizes), *(link(f"{s} of_course algebra") for s in sizes)]
    items += [student(f"p{n}") for n in range(max(sizes.values()))]
    items += [link(f"p{n} student_in {s}") for s, size in sizes.items() for n in range(size)]
    roster = make(*items)
    large, small = (run(roster, check)[1] for check in ("oversize_section", "undersize_section"))
    assert large[["id", "students", "mean_of_others"]].to_numpy().tolist() == [["e", 55, pytest.approx(84 / 5)]]
    assert small[["id", "students", "mean_of_others"]].to_numpy().tolist() == [["f", 4, 27.0]]
    few = {"undersize_section": {"factor": 0.1}}
    assert kx.check(roster, ["undersize_section"], params=few, engine="polars").summary["status"].tolist() == ["passed"]


def test_every_table_is_looked_at_for_ids() -> None:
    names = dict.fromkeys(TABLES)
    roster = make(lea("x"), student("x"), course("x"), section("x"), term("x"), category("x"))
    assert {table for table, _ in objects(run(roster, "duplicate_id")[1])} == set(names)
