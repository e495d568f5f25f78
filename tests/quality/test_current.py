"""What counts as current on a day, and which checks ask for it."""

from __future__ import annotations

from typing import Any

import pytest
from builders import Item, check_alone, lea, link, make, school, section, student, teacher, term

from kimono_explore.quality.catalogue import ROSTER_CHECKS

OCTOBER = "2026-10-05"
FALL, SPRING = term("fall", "2026-08-17", "2026-12-18"), term("spring", "2027-01-04", "2027-06-04")
CLASS = (teacher(), section(), FALL, SPRING, section("later"), link("later in_term spring"))
WITH_TEACHER = "section_without_teacher"

pytestmark = pytest.mark.parametrize("engine", ["duckdb", "polars"])


def failing(check: str, *items: Item, engine: str, as_of: str = OCTOBER, **params: Any) -> list[str]:
    report = check_alone(make(*items), check, as_of=as_of, engine=engine, params={check: params})
    return report.failures(check)["id"].tolist()


def without_teacher(membership: dict[str, Any], engine: str, term: str = "fall", as_of: str = OCTOBER) -> bool:
    items = (*CLASS, link(f"algebra-1 in_term {term}"), link("ben teacher_in algebra-1", **membership))
    return "algebra-1" in failing(WITH_TEACHER, *items, engine=engine, as_of=as_of)


@pytest.mark.parametrize(
    "membership",
    [
        {},
        {"status": "Active"},
        {"status": "On loan"},
        {"start_date": OCTOBER},
        {"end_date": OCTOBER},
        {"status": " ACTIVE ", "start_date": "2026-08-17", "end_date": "2026-12-18"},
    ],
)
def test_these_are_current(membership: dict[str, Any], engine: str) -> None:
    assert not without_teacher(membership, engine)


@pytest.mark.parametrize(
    "membership",
    [
        {"start_date": "2026-08-17", "end_date": "2026-08-20"},
        {"end_date": "2026-10-04"},
        {"start_date": "2026-10-06"},
        *({"status": status} for status in ("Historical", "inactive", "tobedeleted", "Future")),
    ],
)
def test_these_are_not_current(membership: dict[str, Any], engine: str) -> None:
    assert without_teacher(membership, engine)


def test_a_section_that_has_not_begun_is_looked_at_before_the_fact(engine: str) -> None:
    assert not without_teacher({"start_date": "2027-01-04", "end_date": "2027-06-04"}, engine, "spring")
    assert without_teacher({"start_date": "2026-08-17", "end_date": "2026-08-20"}, engine, "spring")


def test_what_begins_later_counts_where_nobody_knows_when_the_section_does(engine: str) -> None:
    items = (*CLASS[:2], link("ben teacher_in algebra-1", start_date="2027-01-04"))
    assert failing(WITH_TEACHER, *items, engine=engine) == []


def test_a_section_that_is_over_keeps_the_people_it_had(engine: str) -> None:
    ended = {"status": "Historical", "start_date": "2026-08-17", "end_date": "2026-12-18"}
    assert not without_teacher(ended, engine, as_of="2027-02-01")


def test_a_person_of_sections_that_are_over_has_none_today(engine: str) -> None:
    items = (*CLASS, link("algebra-1 in_term fall"), link("ben teacher_in algebra-1"))
    assert failing("teacher_without_sections", *items, engine=engine) == []
    assert failing("teacher_without_sections", *items, engine=engine, as_of="2027-02-01") == ["ben"]
    # In the holidays nobody expects a class.
    assert failing("teacher_without_sections", *items, engine=engine, as_of="2027-07-01") == []


def test_all_can_be_counted(engine: str) -> None:
    items = (*CLASS[:2], link("ben teacher_in algebra-1", end_date="2026-08-20"))
    assert failing(WITH_TEACHER, *items, engine=engine) == ["algebra-1"]
    assert failing(WITH_TEACHER, *items, engine=engine, current_only=False) == []


LEFT = {"start_date": "2026-08-17", "end_date": "2026-09-30"}


@pytest.mark.parametrize(
    ("check", "items", "wanted"),
    [
        ("section_without_students", (section(), student(), link("ana student_in algebra-1", **LEFT)), "algebra-1"),
        ("student_without_sections", (section(), student(), link("ana student_in algebra-1", **LEFT)), "ana"),
        ("student_without_school", (school(), student(), link("ana member_of school", **LEFT)), "ana"),
        ("teacher_without_school", (school(), teacher(), link("ben member_of school", **LEFT)), "ben"),
        ("school_without_students", (school(), student(), link("ana member_of school", **LEFT)), "school"),
        ("school_without_teachers", (school(), teacher(), link("ben member_of school", **LEFT)), "school"),
    ],
)
def test_every_check_that_asks_who_is_there_asks_who_is_there_today(
    check: str, items: tuple[Item, ...], wanted: str, engine: str
) -> None:
    assert failing(check, lea(), *items, engine=engine) == [wanted]
    assert failing(check, lea(), *items, engine=engine, current_only=False) == []


def test_a_section_is_as_large_as_it_is_today(engine: str) -> None:
    items = (section(), *(student(f"p{n}") for n in range(5)))
    seats = [link(f"p{n} student_in algebra-1", **(LEFT if n < 2 else {})) for n in range(5)]
    assert failing("undersize_section", *items, *seats, engine=engine) == ["algebra-1"]
    assert failing("undersize_section", *items, *seats, engine=engine, current_only=False) == []


def test_the_catalogue_says_where_it_is_asked(engine: str) -> None:
    del engine
    asked = {check.id for check in ROSTER_CHECKS if "current_only" in check.params}
    assert {WITH_TEACHER, "section_without_students", "student_without_school", "oversize_section"} < asked
    assert all("current_only" in check.rule for check in ROSTER_CHECKS if check.id in asked)
