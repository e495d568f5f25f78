"""Ids that stand on several rows: no check counts more than there is, and every row can be seen."""

from __future__ import annotations

import pytest
from builders import category, course, lea, link, make, school, section, student, teacher, term

import kimono_explore as kx
from kimono_explore.quality.catalogue import ROSTER_CHECKS
from kimono_explore.widgets.object_html import object_html


def repeated() -> kx.Roster:
    """Two of everything under one id, and every link twice."""
    links = [
        link(sentence, membership_id=str(n))
        for n in range(2)
        for sentence in (
            "school child_of district",
            "fall child_of year",
            "algebra offered_by school",
            "algebra-1 of_course algebra",
            "algebra-1 held_at school",
            "algebra-1 in_term fall",
            "ana member_of school",
            "ben member_of school",
            "ana student_in algebra-1",
            "ben teacher_in algebra-1",
            "tests graded_in algebra-1",
        )
    ]
    return make(
        *[lea(local_id="1", label=f"District {n}") for n in range(2)],
        *[school(local_id="2", label=f"School {n}") for n in range(2)],
        *[term(label=f"Year {n}", end=f"2027-06-0{n + 1}") for n in range(2)],
        *[term("fall", start="2026-08-01", end="2027-07-01", label=f"Fall {n}") for n in range(2)],
        *[course(local_id="3", label=f"Algebra {n}") for n in range(2)],
        *[section(local_id="4", label=f"Section {n}") for n in range(2)],
        *[
            student(local_id="5", state_id="9", email="a@x.org", dob="2015-01-01", label=f"Ana {n}", aup=bool(n))
            for n in range(2)
        ],
        *[teacher(local_id="6", email="b@x.org", dob="1980-01-01", label=f"Ben {n}", ext_room=[None, "7"][n]) for n in range(2)],
        *[category(label=f"Tests {n}") for n in range(2)],
        *links,
    )  # fmt: skip


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_no_check_counts_more_than_there_is(engine: str) -> None:
    roster = repeated()
    report = kx.check(roster, engine=engine, as_of="2026-10-05")
    summary = report.summary.set_index("id")
    assert "could not run" not in set(summary["status"])
    assert summary.index[summary["failed"] > summary["checked"]].tolist() == []
    rows = roster.counts() | {"links": len(roster.links)}
    for check in ROSTER_CHECKS:
        most = len(roster.links) if check.group == "References" else sum(rows[table] for table in check.tables)
        assert summary.loc[check.id, "failed"] <= most, check.id
    alone = [
        "duplicate_local_id",
        "duplicate_state_id",
        "duplicate_email",
        "possible_duplicate_person",
        "same_name_terms",
    ]
    assert summary.loc[alone, "failed"].tolist() == [0] * 5  # one id is one object: duplicate_id tells of it
    assert summary.loc["child_term_outside_parent", "failed"] == 2


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_rows_of_one_id_are_shown_each_with_what_differs(engine: str) -> None:
    found = kx.check(repeated(), ["duplicate_id"], engine=engine).failures("duplicate_id")
    shown = found[found["id"].isin(["ana", "ben", "fall"])]
    assert shown[["table", "id", "label", "times", "differ"]].to_numpy().tolist() == [
        ["persons", "ana", "Ana 0", 2, "label, aup"],
        ["persons", "ana", "Ana 1", 2, "label, aup"],
        ["persons", "ben", "Ben 0", 2, "label, ext_room"],
        ["persons", "ben", "Ben 1", 2, "label, ext_room"],
        ["terms", "fall", "Fall 0", 2, "label"],
        ["terms", "fall", "Fall 1", 2, "label"],
    ]


def test_two_courses_with_one_local_id_are_two_findings() -> None:
    items = [course(id, local_id="3") for id in ("a", "b")]
    links = [link(f"{id} offered_by school") for id in "ab" for _ in range(2)]
    found = kx.check(make(lea(), school(), *items, *links), ["duplicate_local_id"])
    assert found.summary["failed"].tolist() == [2]
    assert found.failures("duplicate_local_id")["times"].tolist() == [2, 2]


def test_every_row_of_a_repeated_id_can_be_opened() -> None:
    roster = repeated()
    first, second = roster.describe("ana"), roster.describe("ana", row=1)
    assert [first.label, second.label] == ["Ana 0", "Ana 1"]
    assert [first.fields["aup"], second.fields["aup"]] == [False, True]
    assert [first.others["label"].tolist(), second.others["label"].tolist()] == [["Ana 1"], ["Ana 0"]]
    assert len(first.relations) == len(second.relations) == 4
    assert "1 more with this id" in first._repr_html_()
    for row in (2, -1):
        with pytest.raises(IndexError, match=f"row={row}: 2 rows have the id 'ana'"):
            roster.describe("ana", row=row)


def test_an_id_of_one_row_has_no_others() -> None:
    roster = make(lea(), school(), link("school child_of gone"))
    assert len(roster.describe("school").others) == 0
    gone = roster.describe("gone")
    assert (len(gone.others), len(gone.fields)) == (0, 0)
    with pytest.raises(IndexError, match="row=1: 1 rows have the id 'school'"):
        roster.describe("school", row=1)


def test_the_browser_says_in_what_rows_of_one_id_differ() -> None:
    page = object_html(repeated().describe("ben"), None)
    assert "<h3>Ben 0</h3>" in page
    assert "2 rows have this id. They differ in:" in page
    assert "<tr><th>Name</th><td>Ben 0</td><td>Ben 1</td></tr>" in page
    assert "<tr><th>Room</th><td>–</td><td>7</td></tr>" in page
    assert "<th>Last name</th>" not in page.partition("They differ in:")[2]
    same = make(lea(), school(), school(), link("school child_of district"))
    assert "2 rows have this id, and all of them say the same." in object_html(same.describe("school"), None)
    many = make(lea(), *(school(name=f"School {n}") for n in range(9)), link("school child_of district"))
    page = object_html(many.describe("school"), None)
    assert "<td>School 0</td><td>School 1</td><td>School 2</td><td>School 3</td></tr>" in page
    assert "5 more rows are not shown." in page
