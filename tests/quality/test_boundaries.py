"""Checks with a bound, on both sides of it."""

from __future__ import annotations

from typing import Any

import pytest
from builders import check_alone, course, lea, link, make, school, section, student, teacher, term


def failing(check: str, *items: Any, engine: str = "polars") -> list[str]:
    """The ids that fail the check."""
    outcome = check_alone(make(*items), check, engine=engine).outcomes[0]
    assert outcome.status in ("passed", "failed")
    return sorted(outcome.failures["id"].tolist())


FALL, SPRING = (
    {"start_date": "2026-08-17", "end_date": "2026-12-18"},
    {"start_date": "2027-01-11", "end_date": "2027-06-04"},
)


@pytest.mark.parametrize(
    ("memberships", "fails"),
    [
        ([{}], False),
        ([{}, {}], True),
        ([FALL, SPRING], False),
        ([SPRING, FALL], False),
        # The day on which one ends and the next begins is in both.
        ([FALL, {"start_date": "2026-12-18", "end_date": "2027-06-04"}], True),
        ([FALL, {"start_date": "2026-12-19", "end_date": "2027-06-04"}], False),
        ([FALL, {"start_date": "2026-12-17"}], True),
        ([FALL, {"start_date": "2027-01-11"}], False),
        ([{"start_date": "2026-08-17"}, {"start_date": "2027-01-11"}], True),
        ([{"end_date": "2026-12-18"}, {"end_date": "2027-06-04"}], True),
        # Of three, that some follow each other says nothing.
        ([FALL, SPRING, {"start_date": "2028-01-11", "end_date": "2028-06-04"}], True),
        ([{"role": "student"}, {"role": "aide"}], False),
    ],
)
def test_one_membership_several_times(memberships: list[dict[str, Any]], fails: bool) -> None:
    links = [link("ana student_in s", **fields) for fields in memberships]
    assert failing("duplicate_membership", section("s"), student("ana"), *links) == (["ana"] if fails else [])


def test_memberships_of_two_sections_or_people_are_not_one() -> None:
    links = [link("ana student_in s"), link("ana student_in t"), link("ben teacher_in s"), link("ben member_of h")]
    items = (section("s"), section("t"), student("ana"), teacher("ben"), school("h"))
    assert failing("duplicate_membership", *items, *links) == []
    assert failing("duplicate_membership", *items, *links, link("ben member_of h")) == ["ben"]


def sections(*sizes: int) -> list[Any]:
    """A course with sections of these sizes; the section's id is its place."""
    items: list[Any] = [course("c")]
    for n, size in enumerate(sizes):
        items += [section(str(n)), link(f"{n} of_course c")]
        items += [link(f"p{n}-{k} student_in {n}") for k in range(size)]
    return [*items, *[student(f"p{n}-{k}") for n, size in enumerate(sizes) for k in range(size)]]


@pytest.mark.parametrize(
    ("sizes", "large"),
    [
        ([60], []),
        ([61], ["0"]),
        # 40 is two and a half times 16: more than that fails, in a course of five sections.
        ([40, 16, 16, 16, 16], []),
        ([41, 16, 16, 16, 16], ["0"]),
        ([40, 16, 16, 16, 15], ["0"]),
        ([41, 16, 16, 16], []),
        ([39, 10, 10, 10, 10], []),
        ([40, 10, 10, 10, 10], ["0"]),
    ],
)
def test_sections_with_very_many_students(sizes: list[int], large: list[str]) -> None:
    assert failing("oversize_section", *sections(*sizes)) == large


@pytest.mark.parametrize(
    ("sizes", "small"),
    [
        ([4], []),
        ([3], ["0"]),
        # 5 is a fifth of 25: fewer than that fails, in a course of five sections.
        ([5, 25, 25, 25, 25], []),
        ([5, 25, 25, 25, 26], ["0"]),
        ([5, 26, 26, 26], []),
        ([10, 51, 51, 51, 51], ["0"]),
        ([11, 56, 56, 56, 56], []),
    ],
)
def test_sections_with_very_few_students(sizes: list[int], small: list[str]) -> None:
    assert failing("undersize_section", *sections(*sizes)) == small


def sections_in(school_id: str, term_id: str, count: int) -> list[Any]:
    """So many sections of a school in a term."""
    ids = [f"{school_id}-{term_id}-{n}" for n in range(count)]
    return [
        item for id in ids for item in (section(id), link(f"{id} held_at {school_id}"), link(f"{id} in_term {term_id}"))
    ]


TERMS = (term("w", term_type="semester"), term("e", term_type="semester"))
SCHOOLS = (school("west"), school("east"))


@pytest.mark.parametrize(
    ("west", "east", "stray", "fails"),
    [
        (9, 5, 1, True),
        # Eight of nine are less than 90 %.
        (8, 5, 1, False),
        (9, 4, 1, False),
        (18, 5, 2, True),
        (17, 5, 2, False),
        # Two schools share the term.
        (9, 5, 9, False),
        (9, 5, 0, False),
    ],
)
@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_whose_a_term_is(west: int, east: int, stray: int, fails: bool, engine: str) -> None:
    items = [*sections_in("west", "w", west), *sections_in("east", "e", east), *sections_in("east", "w", stray)]
    found = failing("term_of_another_school", *TERMS, *SCHOOLS, *items, engine=engine)
    assert found == ([f"east-w-{n}" for n in range(stray)] if fails else [])


def test_terms_of_another_kind_or_of_a_district_are_nobodys_own() -> None:
    items = [*sections_in("west", "w", 9), *sections_in("east", "e", 5), *sections_in("east", "w", 1)]
    trimester = (term("w", term_type="semester"), term("e", term_type="trimester"))
    assert failing("term_of_another_school", *trimester, *SCHOOLS, *items) == []
    assert failing("term_of_another_school", *TERMS, lea("west"), school("east"), *items) == []
    assert failing("term_of_another_school", *TERMS, school("west"), lea("east"), *items) == []


def test_a_term_counts_with_what_is_above_and_below_it() -> None:
    """As in Grand Bend: a semester for each school, and one year above them in which no section is."""
    items = [*sections_in("west", "w", 9), *sections_in("east", "e", 5), *sections_in("east", "w", 1)]
    year = (term("year", term_type="schoolYear"), link("w child_of year"), link("e child_of year"))
    assert failing("term_of_another_school", *TERMS, *SCHOOLS, *items, *year) == ["east-w-0"]
    assert failing("term_of_another_school", *TERMS, *SCHOOLS, *items, *year, *sections_in("east", "year", 1)) == []
    quarter = (term("q", term_type="quarter"), link("q child_of w"))
    assert failing("term_of_another_school", *TERMS, *SCHOOLS, *items, *quarter, *sections_in("east", "q", 1)) == []
