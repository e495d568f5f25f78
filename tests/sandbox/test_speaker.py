"""A roster's objects in each way that servers speak."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from builders import course, lea, link, make, problem, school, section, student, teacher, term

import kimono_explore as kx
from kimono_explore.sandbox.dialect import Dialect
from kimono_explore.sandbox.speaker import Speaker


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
    assert (fall["$sys"]["id"], fall["status"], fall["start_date"]) == ("fall", "Active", "2026-08-17")
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


HOSTILE = ['say "b"', "back\\slash", "tab\tline\nbell\x07", "<script>", "محمد", "👩‍🎓", "", "null", "{}"]


def test_any_text_is_sent_as_it_is() -> None:
    people = [student(f"p{n}", name_last=text, label=text, ext_nick=text) for n, text in enumerate(HOSTILE)]
    made = make(
        *people, section(HOSTILE[0], title=HOSTILE[1]), *(link(f"p{n} student_in s") for n in range(len(HOSTILE)))
    )
    made.links["target_id"] = HOSTILE[0]
    made.links["membership_id"] = HOSTILE
    shown = Speaker(kx.Roster(**made.tables, links=made.links), Dialect()).objects("persons", range(len(HOSTILE)))
    assert [item["name"]["last"] for item in shown] == HOSTILE
    assert [item["$sys"]["label"] for item in shown] == HOSTILE
    assert [item["$ext"] for item in shown] == [{"nick": text} for text in HOSTILE]
    assert [item["$sections"][0]["$membership"]["id"] for item in shown] == HOSTILE
    assert {(item["$sections"][0]["id"], item["$sections"][0]["label"]) for item in shown} == {(HOSTILE[0], HOSTILE[1])}


def test_numbers_moments_and_days_are_sent_as_json_has_them() -> None:
    at = pd.Timestamp("2026-07-08 10:17:00", tz="UTC")
    made = make(
        student("a", created_at=at, dob="2010-02-03", aup=True, school_year="2027", ext_shoe=38, ext_weight=1.5),
        student("b", created_at=at + pd.Timedelta("120us"), school_year="0027"),
        student("c", school_year="26/27", grad_year="2031"),
    )
    first, second, third = Speaker(made, Dialect()).objects("persons", [0, 1, 2])
    assert (first["dob"], first["aup"], first["$ext"]) == ("2010-02-03", True, {"shoe": 38, "weight": 1.5})
    assert (second["dob"], second["aup"], second["$ext"]) == (None, None, {"shoe": None, "weight": None})
    assert [item["$sys"]["created_at"] for item in (first, second)] == [
        "2026-07-08T10:17:00Z",
        "2026-07-08T10:17:00.000120Z",
    ]
    assert [item["$sys"]["school_year"] for item in (first, second, third)] == [2027, "0027", "26/27"]
    assert third["grad_year"] == "2031"
