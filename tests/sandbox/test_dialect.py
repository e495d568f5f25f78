"""A roster's objects in each way that servers speak."""

from __future__ import annotations

from typing import Any

import pytest
from builders import course, lea, link, make, problem, school, section, student, teacher, term

from kimono_explore.sandbox.dialect import Dialect, Speaker


def speaker(**ways: Any) -> Speaker:
    return Speaker(
        make(
            lea(),
            school(label="Oak"),
            student("ana", label="Ana S.", school_year="2027", ext_bus="7", sys_batch="b1", dob=None),
            teacher("ben"),
            course("algebra"),
            section("s", title="S"),
            term("fall", status="Active"),
            link("school child_of district"),
            link("ana member_of school", stated_by="source"),
            link("ana student_in s", stated_by="target", membership_id="m1", status="Active"),
            link("ben teacher_in s", stated_by="both"),
            link("s of_course algebra", stated_by="source"),
            link("s in_term fall", stated_by="source"),
            link("s in_term gone", stated_by="source"),
            problem("persons", "ana", "dob", "2/30", "not a date"),
        ),
        Dialect(**ways),
    )


def objects(table: str, row: int, **ways: Any) -> dict[str, Any]:
    return speaker(**ways).objects(table, [row])[0]


def test_an_object_is_nested_as_the_api_does() -> None:
    ana = objects("persons", 0)
    assert ana["$sys"] == {
        "id": "ana",
        "type": "person",
        "label": "Ana S.",
        "person_type": "student",
        "school_year": 2027,
        "created_at": None,
        "updated_at": None,
        "batch": "b1",
    }
    assert ana["$ext"] == {"bus": "7"}
    assert ana["name"] == {"last": "Silva", "first": "Ana", "middle": None}
    assert ana["dob"] == "2/30"


def test_ids_and_school_years_the_other_way() -> None:
    ana = objects("persons", 0, ids="top", school_years="text")
    assert (ana["$sys"], ana["id"], ana["person_type"], ana["school_year"]) == (None, "ana", "student", "2027")
    assert "type" not in ana


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


@pytest.mark.parametrize(
    ("rollups", "of_ana", "of_section", "of_school"),
    [
        ("as_stated", [], ["ana"], []),
        ("source", ["s"], None, None),
        ("target", None, ["ana"], ["ana"]),
        ("both", ["s"], ["ana"], ["ana"]),
        ("none", None, None, None),
    ],
)
def test_who_states_a_membership(
    rollups: str, of_ana: list[str] | None, of_section: list[str] | None, of_school: list[str] | None
) -> None:
    ana, s, oak = (
        objects(table, row, rollups=rollups) for table, row in (("persons", 0), ("sections", 0), ("orgs", 1))
    )
    found = [item.get(key) for item, key in ((ana, "$sections"), (s, "$students"), (oak, "$students"))]
    assert [None if items is None else ids(items) for items in found] == [of_ana, of_section, of_school]
    assert s["$course"]["$sys"]["id"] == "algebra"


MEMBERSHIP = {"id": "m1", "status": "Active"}
FLAT = {"id": "ana", "type": "person", "label": "Ana S.", "person_type": "student"}


@pytest.mark.parametrize(
    ("references", "shown"),
    [
        ("mixed", {**FLAT, "$membership": MEMBERSHIP}),
        ("flat", {**FLAT, "$membership": MEMBERSHIP}),
        ("wrapped", {"$sys": FLAT, "$membership": MEMBERSHIP}),
        ("membership", {"$sys": {"id": "m1", "type": "Membership"}, "status": "Active", "$person": FLAT}),
    ],
)
def test_a_reference_has_the_shape_of_the_dialect(references: str, shown: dict[str, Any]) -> None:
    assert objects("sections", 0, references=references)["$students"] == [shown]


def test_terms_are_rolled_up_and_what_is_missing_is_named() -> None:
    s = objects("sections", 0)
    fall, gone = s["$terms"]
    assert (fall["$sys"]["id"], fall["status"], fall["start_date"].isoformat()) == ("fall", "Active", "2026-08-17")
    assert gone == {"$sys": {"id": "gone", "type": "term"}}
    assert objects("sections", 0, references="flat")["$terms"][0]["id"] == "fall"
    assert objects("sections", 0, references="rolled_up")["$students"][0]["$sys"]["id"] == "ana"


def test_one_reference_where_there_is_one_and_a_list_where_there_are_more() -> None:
    assert objects("orgs", 1)["$parent"]["id"] == "district"
    assert ids(objects("orgs", 0)["$children"]) == ["school"]
    made = make(section("s"), link("s of_course a"), link("s of_course b"))
    shown = Speaker(made, Dialect(references="flat")).objects("sections", [0])[0]
    assert ids(shown["$course"]) == ["a", "b"]


def test_a_role_is_told_where_nobody_could_guess_it() -> None:
    made = make(
        student("ana"), section("s"), link("ana student_in s", role="aide"), link("ana teacher_in s", role="teacher")
    )
    of_section = Speaker(made, Dialect()).objects("sections", [0])[0]
    assert of_section["$students"][0]["$membership"] == {"role": "aide"}
    assert "$membership" not in of_section["$teachers"][0]
    of_person = Speaker(made, Dialect()).objects("persons", [0])[0]["$sections"]
    assert [item["$membership"]["role"] for item in of_person] == ["aide", "teacher"]


def test_an_id_that_came_twice_has_its_links_once() -> None:
    made = make(student("ana"), student("ana"), student(None), section("s"), link("ana student_in s"))
    first, second, nobody = Speaker(made, Dialect()).objects("persons", [0, 1, 2])
    assert (ids(first["$sections"]), second["$sections"], nobody["$sections"]) == (["s"], [], [])
    assert "id" not in nobody["$sys"]
