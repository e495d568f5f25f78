"""What a system downstream refuses: for each rule the smallest roster that fails it, and one that passes."""

from __future__ import annotations

from typing import Literal

import pytest
from builders import course, lea, link, make, school, section, student, teacher

import kimono_explore as kx
from kimono_explore.gate.targets import RULES

Target = Literal["clever", "google", "sds", "canvas", "apple"]

WHOLE = make(school(), course(), section(), link("algebra-1 of_course algebra"), link("algebra-1 held_at school"))
LONG = "x" * 255
REFUSALS: dict[str, tuple[Target, kx.Roster, list[tuple[str, str | None, str]], kx.Roster]] = {
    "clever-unique-id": ("clever", make(student(), student()), [("persons", "ana", "id")], make(student(), student("eva"))),
    "clever-empty-section": (
        "clever", make(section()), [("sections", "algebra-1", "student_in")],
        make(section(), student(), link("ana student_in algebra-1")),
    ),
    "google-email": (
        "google", make(student(), teacher(email="  ")), [("persons", "ana", "email"), ("persons", "ben", "email")],
        make(student(email="ana@example.org"), ("persons", {"id": "eva", "person_type": "contact"})),
    ),
    "google-alias": ("google", make(section(), section()), [("sections", "algebra-1", "id")], make(section())),
    "google-alias-length": (
        "google", make(section(LONG)), [("sections", LONG, "id")], make(section(LONG[:254])),
    ),
    "google-name": (
        "google", make(section(title=None), section("b", title="y" * 751)),
        [("sections", "algebra-1", "label"), ("sections", "b", "label")], make(section(title="y" * 750)),
    ),
    "sds-unique-id": (
        "sds", make(course(), course()), [("courses", "algebra", "id"), ("courses", "algebra", "id")],
        make(course(), course("Algebra")),
    ),
    "sds-org": (
        "sds", make(school(name=None), lea(org_type=None)), [("orgs", "school", "label"), ("orgs", "district", "org_type")],
        make(school(), lea()),
    ),
    "sds-line-break": (
        "sds", make(student(name_last="Sil\nva"), course("alg\n1", title="Algebra")),
        [("courses", "alg\n1", "id"), ("persons", "ana", "name_last")], make(student(name_last="Sil va"), course("alg 1")),
    ),
    "canvas-unique-id": (
        "canvas", make(student(), student()), [("persons", "ana", "id"), ("persons", "ana", "id")], make(student()),
    ),
    "canvas-section": (
        "canvas", make(section(title=None), link("algebra-1 of_course gone")),
        [("sections", "algebra-1", "of_course"), ("sections", "algebra-1", "label")], WHOLE,
    ),
    "canvas-course": ("canvas", make(course(title=" ")), [("courses", "algebra", "label")], make(course())),
    "apple-class": (
        "apple", make(section(), school(), course(), link("algebra-1 of_course algebra")),
        [("sections", "algebra-1", "held_at")], WHOLE,
    ),
    "apple-student": (
        "apple", make(student(name_first=None)), [("persons", "ana", "member_of"), ("persons", "ana", "name_first")],
        make(student(), school(), link("ana member_of school")),
    ),
    "apple-staff": (
        "apple", make(teacher(name_last="")), [("persons", "ben", "member_of"), ("persons", "ben", "name_last")],
        make(teacher(), school(), link("ben member_of school")),
    ),
    "apple-location": ("apple", make(school(name=None), lea(name=None)), [("orgs", "school", "label")], make(school())),
    "apple-person-id": (
        "apple", make(teacher(), teacher()), [("persons", "ben", "id"), ("persons", "ben", "id")], make(teacher()),
    ),
    "apple-id-characters": (
        "apple", make(course("ALG_1")), [("courses", "ALG_1", "id")], make(course("ALG-1"), course(None)),
    ),
}  # fmt: skip
"""For each rule the smallest roster of which something is refused, what that is, and one that passes."""


def test_every_rule_that_refuses_has_a_case() -> None:
    assert [rule.id for rule in RULES if rule.refuses] == list(REFUSALS)


@pytest.mark.parametrize("rule", REFUSALS)
def test_a_rule_refuses_what_breaks_it_and_nothing_else(rule: str) -> None:
    target, failing, expected, passing = REFUSALS[rule]
    found = kx.rehearse(failing, failing, target)
    rows = found.refused[found.refused["rule"] == rule]
    assert [tuple(row) for row in rows[["table", "id", "column"]].to_numpy()] == expected
    assert set(rows["source"]) == set(found.rules.loc[found.rules["rule"] == rule, "source"])
    assert "refuses " in found.headline
    assert rule not in kx.rehearse(passing, passing, target).refused["rule"].tolist()


def test_a_relation_that_was_not_sent_breaks_no_rule() -> None:
    silent = make(
        section(), without=("courses.$sections", "sections.$course", "sections.$students", "persons.$sections")
    )
    assert "clever-empty-section" not in kx.rehearse(silent, silent, "clever").refused["rule"].tolist()
    assert "of_course" not in kx.rehearse(silent, silent, "canvas").refused["column"].tolist()


def test_what_is_refused_says_its_value() -> None:
    roster = make(course("ALG_1"))
    refused = kx.rehearse(roster, roster, "apple").refused
    assert refused.loc[refused["rule"] == "apple-id-characters", ["label", "value"]].to_numpy().tolist() == [
        ["ALG_1", "ALG_1"]
    ]
