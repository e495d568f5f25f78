"""What `browse` lists at first sight, against an oracle that goes through rows and links one by one."""

from collections import Counter
from typing import Any

import pandas as pd
import pytest
from builders import category, course, lea, link, make, school, section, student, teacher, term
from hypothesis import given, settings
from rosters import rosters

import kimono_explore as kx
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import inject_flaws
from kimono_explore.schema import OBJECT_TYPES, TABLE_OF
from kimono_explore.widgets.listing import listing, object_types, on_screen

HOSTILE = "<img src=x onerror=alert(1)>, \u202eabc"
# Of each type, the columns made of links: relations, the end at which the object is, the type of the other, counted.
LINKED = {
    "person": {
        "school": (["member_of"], 0, "org", False),
        "sections": (["student_in", "teacher_in"], 0, "section", True),
    },
    "section": {
        "course": (["of_course"], 0, "course", False),
        "school": (["held_at"], 0, "org", False),
        "term": (["in_term"], 0, "term", False),
        "students": (["student_in"], 1, "person", True),
        "teachers": (["teacher_in"], 1, "person", False),
    },
    "course": {"school": (["offered_by"], 0, "org", False), "sections": (["of_course"], 1, "section", True)},
    "org": {
        "part of": (["child_of"], 0, "org", False),
        "people": (["member_of"], 1, "person", True),
        "courses": (["offered_by"], 1, "course", True),
        "sections": (["held_at"], 1, "section", True),
    },
    "term": {"part of": (["child_of"], 0, "term", False), "sections": (["in_term"], 1, "section", True)},
    "grading_category": {
        "section": (["graded_in"], 0, "section", False),
        "term": (["graded_for"], 0, "term", False),
        "school": (["graded_for"], 0, "org", False),
    },
}


def text(value: Any) -> str | None:
    return None if value is None or pd.isna(value) or value == "" else str(value)


def label_of(type: str, row: dict[str, Any]) -> str | None:
    made = " ".join(text(row.get(name)) or "" for name in ("name_first", "name_last")).strip()
    own = made if type == "person" else text(row.get("title")) or text(row.get("name"))
    return text(row["label"]) if not pd.isna(row["label"]) else text(own)


Rows = dict[str, list[dict[str, Any]]]


def rows_of(roster: kx.Roster) -> Rows:
    """The rows of each type of object, and the links."""
    tables = {type: roster.table(type) for type in OBJECT_TYPES.values()}
    return {name: df.astype("object").to_dict("records") for name, df in {**tables, "links": roster.links}.items()}


def oracle(rows: Rows, type: str, report: kx.Report | None = None) -> list[dict[str, Any]]:
    links = rows["links"]
    counts = Counter() if report is None else Counter(zip(report.findings["table"], report.findings["id"], strict=True))
    made = []
    for row in rows[type]:
        own: dict[str, Any] = {"type": type, "id": text(row["id"]), "label": label_of(type, row)}
        last, first = ((text(row.get(name)) or "").strip() for name in ("name_last", "name_first"))
        own["name"] = f"{last}, {first}" if last and first else own["label"] or own["id"]
        for name, (relations, end, far_type, counted) in LINKED[type].items():
            ends = ("source", "target") if end == 0 else ("target", "source")
            far = {
                link[f"{ends[1]}_id"]
                for link in links
                if link["relation"] in relations
                and (link[f"{ends[0]}_type"], link[f"{ends[1]}_type"]) == (type, far_type)
                and text(row["id"]) is not None
                and link[f"{ends[0]}_id"] == row["id"]
                and text(link[f"{ends[1]}_id"]) is not None
            }
            own[name] = len(far) if counted else said(far_type, rows[far_type], far)
        if report is not None:
            own["findings"] = (0 if pd.isna(row["id"]) else counts[TABLE_OF[type], row["id"]]) or None
        made.append(own)
    return made


def said(type: str, rows: list[dict[str, Any]], ids: set[str]) -> str | None:
    words, lost = set(), False
    for id in ids:
        found = [row for row in rows if row["id"] == id]
        lost = lost or not found
        words |= {label_of(type, found[0]) or id} if found else set()
    return ", ".join([*sorted(words, key=str.encode), *(["not delivered"] if lost else [])]) or None


def assert_listed(roster: kx.Roster, report: kx.Report | None = None) -> None:
    rows = rows_of(roster)
    for type in OBJECT_TYPES.values():
        listed, expected = listing(roster, type, report), oracle(rows, type, report)
        assert len(listed) == len(roster.table(type))
        assert {"type", "id", "label", "local_id", "detail", "name"} <= set(listed)
        assert listed.columns[-1] == "id"
        for name in expected[0] if expected else ():
            ours = [None if pd.isna(value) else value for value in listed[name]]
            assert ours == [row[name] for row in expected], (type, name)


def odd() -> kx.Roster:
    """Repeated ids, ids that lack, ends that nobody delivered, one link said twice, and names that are none."""
    return make(
        lea(),
        school("pine", name="Pine"),
        school("lincoln", name="Lincoln"),
        school("lincoln", name="Lincoln again"),
        school("other", name="Pine"),
        student("ana", name_last="Silva", ext_grade="10", local_id="7", sex="F"),
        student("ana", name_last="Silva-Berg", ext_grade="9"),
        student("zoe", name_last=HOSTILE, name_first=None),
        student(None, name_last="Nobody"),
        student("eva", name_last=" ", name_first="Eva"),
        teacher("ben", label="Dr. Ben"),
        course("algebra", title=HOSTILE),
        section("algebra-1"),
        section("algebra-2", title=None),
        term("year"),
        term("fall"),
        category("tests"),
        link("ana member_of pine"),
        link("ana member_of lincoln"),
        link("ana member_of other"),
        link("ana member_of gone"),
        link("zoe member_of gone", role="student"),
        link("zoe member_of gone", role="staff"),
        link("zoe member_of gone-too"),
        link("ana student_in algebra-1"),
        link("ana teacher_in algebra-1"),
        link("ana student_in lost"),
        link("ghost teacher_in algebra-1"),
        link("ben teacher_in algebra-1"),
        link("ben teacher_in algebra-2"),
        link("algebra-1 of_course algebra"),
        link("algebra-2 of_course void"),
        link("algebra-1 held_at pine"),
        link("algebra-1 in_term fall"),
        link("algebra-1 in_term year"),
        link("fall child_of year"),
        link("pine child_of district"),
        link("algebra offered_by pine"),
        link("tests graded_in algebra-1"),
        link("tests graded_for fall", types=("grading_category", "term")),
        link("tests graded_for pine", types=("grading_category", "org")),
    )


def test_an_odd_roster_is_listed_row_by_row() -> None:
    roster = odd()
    assert_listed(roster)
    people = listing(roster, "person")
    assert people["school"].tolist()[:3] == ["Lincoln, Pine, not delivered"] * 2 + ["not delivered"]
    assert people["sections"].tolist()[:2] == [2, 2]
    assert people["name"].tolist() == ["Silva, Ana", "Silva-Berg, Ana", HOSTILE, "Nobody, Nobody", "Eva", "Berg, Ben"]
    assert "findings" not in people
    assert listing(roster, "section")["teachers"].tolist() == [
        "Ana Silva, Dr. Ben, not delivered",
        "Dr. Ben",
    ]


@settings(max_examples=25, deadline=None)
@given(roster=rosters())
def test_any_roster_is_listed_row_by_row(roster: kx.Roster) -> None:
    assert_listed(roster)


def test_a_flawed_district_is_listed_with_its_findings() -> None:
    roster, _ = inject_flaws(make_district(30))
    report = kx.check(roster, as_of="2026-10-05", progress=False)
    assert_listed(roster, report)
    assert str(listing(roster, "person", report)["findings"].dtype) == "Int64"


@pytest.fixture(scope="module")
def no_findings() -> kx.Report:
    return kx.check(kx.Roster(), checks=["invalid_email"], progress=False)


@pytest.mark.parametrize("type", OBJECT_TYPES.values())
def test_an_empty_table_is_an_empty_list(type: str, no_findings: kx.Report) -> None:
    for roster in (kx.Roster(), make(link("ana member_of pine"))):
        listed = listing(roster, type, no_findings)
        assert len(listed) == 0
        assert set(listing(odd(), type)) - {"grade"} <= set(listed)
        assert on_screen(listed).columns[-2:].tolist() == ["findings", "id"]


def test_grades_are_in_their_order_and_come_from_memberships_where_nobody_has_one() -> None:
    people = listing(odd(), "person")
    assert people["grade"].astype("object").tolist()[:2] == ["10", "9"]
    assert people["grade"].cat.categories.tolist() == ["9", "10"]
    linked = make(student("ana"), student("ben"), school("pine"), school("elm"),
                  link("ana member_of pine", grade="03"), link("ana member_of elm", grade="KG"))  # fmt: skip
    assert [None if pd.isna(grade) else grade for grade in listing(linked, "person")["grade"]] == ["03, KG", None]
    assert "grade" not in listing(make(student("ana")), "person")
    first = make(
        student("ana", grade="1", ext_grade="2"), student("ben", ext_grade_level="K"), student("eva", grade=" ")
    )
    assert [None if pd.isna(grade) else grade for grade in listing(first, "person")["grade"]] == ["1", "K", None]


def test_on_screen_stands_what_a_person_reads() -> None:
    people = on_screen(listing(odd(), "person"))
    assert people.columns.tolist() == ["name", "kind", "school", "grade", "sex", "sections", "local_id", "id"]
    assert people["kind"].tolist()[:2] == ["student", "student"]
    assert on_screen(listing(odd(), "section")).columns.tolist() == [
        "name", "course", "school", "term", "students", "teachers", "id"]  # fmt: skip


def test_people_come_first() -> None:
    assert object_types({"orgs": 1, "persons": 2, "courses": 0, "sections": 3}) == ["person", "org", "section"]
