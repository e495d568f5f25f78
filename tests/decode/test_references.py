"""References in each of their shapes, and types and roles in the words of the schema."""

from typing import Any

import pytest

from kimono_explore.decode.references import (
    ReferenceTarget,
    id_of,
    object_type,
    plain_type,
    read_reference,
    role_of,
    role_relation,
)


@pytest.mark.parametrize(
    ("came", "kind"),
    [
        ("RDM:COURSE_SECTION", "section"),
        ("Course Section", "section"),
        ("rdm:Student", "person"),
        ("staff", "person"),
        ("LEA", "org"),
        ("grading_category", "grading_category"),
        ("robot", None),
        ("", ""),
        (None, ""),
        ("123", ""),
    ],
)
def test_a_type_is_known_whatever_its_case_and_punctuation(came: str | None, kind: str | None) -> None:
    assert object_type(came) == kind


def test_only_a_leading_mark_is_cut_off_a_type() -> None:
    assert plain_type("RDM:Lea-9") == "lea"
    assert plain_type("xRDM:lea") == "xrdmlea"


@pytest.mark.parametrize(
    ("item", "id"),
    [
        ({"id": "a"}, "a"),
        ({"$sys": {"id": "b"}, "id": "a"}, "b"),
        ({"$sys": {"id": ""}, "id": "a"}, "a"),
        ({"$sys": {"id": None}, "id": "a"}, "a"),
        ({"$sys": "b", "id": "a"}, "a"),
        ({"id": 0}, 0),
        ({"id": ""}, None),
        ({"$sys": {"id": ""}}, None),
        ({}, None),
    ],
)
def test_an_id_stands_in_sys_or_at_top_level(item: dict[str, Any], id: object) -> None:
    assert id_of(item) == id


@pytest.mark.parametrize(
    ("item", "target"),
    [
        ({"id": "s1", "type": "section"}, ReferenceTarget("s1", "section", {})),
        ({"$sys": {"id": "s1", "type": "RDM:COURSE_SECTION"}}, ReferenceTarget("s1", "section", {})),
        ({"id": "s1"}, ReferenceTarget("s1", None, {})),
        ({"id": 7}, ReferenceTarget("7", None, {}, True)),
        ({"id": "s1", "status": "Ended"}, ReferenceTarget("s1", None, {})),
        ({"id": "s1", "$membership": {"id": "m1"}}, ReferenceTarget("s1", None, {"id": "m1"})),
        ({"id": "s1", "$membership": "m1"}, ReferenceTarget("s1", None, {})),
        ({"id": "s1", "type": 5}, ReferenceTarget("s1", None, {})),
        ({"$sys": {"type": ""}, "id": "s1", "type": "term"}, ReferenceTarget("s1", "term", {})),
    ],
)
def test_a_reference_is_read_in_each_of_its_shapes(item: Any, target: ReferenceTarget) -> None:
    assert read_reference(item, "section") == (target, None)


@pytest.mark.parametrize(
    ("item", "target", "oddity"),
    [
        ("s1", ReferenceTarget("s1", None, {}), "a bare id in place of a reference; taken as the id"),
        ("", None, "an empty reference"),
        (None, None, "an empty reference"),
        (7, None, "not a reference"),
        (False, None, "not a reference"),
        ({}, None, "a reference without an id"),
        ({"type": "section"}, None, "a reference without an id"),
        ({"id": "s1", "type": "robot"}, ReferenceTarget("s1", None, {}), "a reference to an unknown type"),
    ],
)
def test_what_is_odd_about_a_reference_is_told(item: Any, target: ReferenceTarget | None, oddity: str) -> None:
    assert read_reference(item, "section") == (target, oddity)


def test_a_membership_holds_its_target() -> None:
    item = {
        "$sys": {"id": "m1", "type": "Membership", "label": "x", "app": 1},
        "status": "Active",
        "$section": {"id": "s1"},
    }
    target, oddity = read_reference(item, "section")
    assert oddity is None
    assert target is not None
    assert (target.id, target.type, target.number) == ("s1", None, False)
    kept = {key: target.membership.get(key) for key in ("id", "type", "label", "status", "app")}
    assert kept == {"id": "m1", "type": "Membership", "label": "x", "status": "Active", "app": None}


def test_a_membership_without_a_target_is_a_plain_reference() -> None:
    assert read_reference({"id": "s1", "$section": {"name": "x"}}, "section")[0] == ReferenceTarget("s1", None, {})
    assert read_reference({"id": "s1", "$section": "x"}, "section")[0] == ReferenceTarget("s1", None, {})
    assert read_reference({"id": "s1", "$org": {"id": "o1"}}, "section")[0] == ReferenceTarget("s1", None, {})


def test_the_first_key_that_holds_a_target_counts() -> None:
    item = {"id": "m1", "$school": {"id": "o2"}, "$org": {"id": ""}, "$lea": {"id": "o3"}}
    target, _ = read_reference(item, "org")
    assert target is not None
    assert target.id == "o2"


def test_fields_of_a_membership_beside_it_give_way_to_its_own() -> None:
    item = {
        "id": "m1",
        "$membership": {"id": "m0", "role": "student"},
        "$section": {"id": "s1", "$membership": {"grade": "07"}},
    }
    target, _ = read_reference(item, "section")
    assert target is not None
    assert {key: target.membership.get(key) for key in ("id", "role", "grade")} == {
        "id": "m1",
        "role": "student",
        "grade": "07",
    }


@pytest.mark.parametrize(
    ("membership", "role"),
    [
        ({"type": "StudentMembership"}, "student"),
        ({"type": "RDM:TEACHER"}, "teacher"),
        ({"type": "staff"}, "teacher"),
        ({"type": "other"}, None),
        ({"type": 5}, None),
        ({}, None),
    ],
)
def test_a_membership_says_a_role_by_its_type(membership: dict[str, Any], role: str | None) -> None:
    assert role_of(membership) == role


@pytest.mark.parametrize(
    ("role", "relation"),
    [
        ("student", "student_in"),
        ("Student", "student_in"),
        (None, "student_in"),
        ("", "student_in"),
        ("aide", "teacher_in"),
        ("teacher", "teacher_in"),
    ],
)
def test_only_students_are_students_of_a_section(role: str | None, relation: str) -> None:
    assert role_relation(role) == relation
