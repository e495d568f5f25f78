"""Findings by what explains them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from builders import Item, lea, link, make, school, section, student, teacher, term

import kimono_explore as kx
from kimono_explore.quality.causes import COLUMNS, group_by_cause
from kimono_explore.quality.definition import Check
from kimono_explore.quality.outcome import Outcome
from kimono_explore.quality.words import sentence
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import inject_flaws
from kimono_explore.tasks import TASK_COLUMNS


def check(id: str, *tables: str, severity: Any = "error", group: str = "Values", **more: Any) -> Check:
    return Check(
        id, None, id.capitalize(), severity, group, tables or ("persons",), "", "", lambda context: 1 / 0, **more
    )


def outcome(of: Check, *failures: dict[str, Any]) -> Outcome:
    return Outcome(of, "", failures=pd.DataFrame(list(failures)), failed=len(failures))


def person(id: str, **more: Any) -> dict[str, Any]:
    return {"table": "persons", "id": id, "label": id.title(), "person_type": "student", **more}


SHOWN = ["stage", "cause", "severity", "objects", "findings", "checks", "where", "type", "id"]


def causes(*outcomes: Outcome) -> list[list[Any]]:
    explained = group_by_cause(outcomes)
    df = explained.causes
    assert tuple(df.columns) == COLUMNS
    assert len(explained.numbers) == sum(len(outcome.failures) for outcome in outcomes)
    return df[SHOWN].astype("object").where(df[SHOWN].notna(), None).to_numpy().tolist()


def test_nothing_found_is_an_empty_table() -> None:
    assert causes() == []
    assert causes(Outcome(check("a"), "")) == []


def test_findings_of_one_check_are_one_cause_for_each_kind_of_object() -> None:
    both = check("both", "persons", "orgs", severity="warning")
    found = causes(
        outcome(
            both,
            person("ana", org_id="s", org="School"),
            person("ben", person_type="teacher", org_id="s", org="School"),
            person("cleo", org_id="t", org="Other"),
            {"table": "orgs", "id": "s"},
        )
    )
    assert found == [
        ["students", "Both (students)", "warning", 2, 2, "both", None, None, None],
        ["orgs", "Both (orgs)", "warning", 1, 1, "both", None, None, None],
        ["staff", "Both (teachers)", "warning", 1, 1, "both", "School", None, None],
    ]


def test_what_was_not_delivered_explains_what_refers_to_it() -> None:
    orphan = check("orphan", severity="warning")
    none = check("none", severity="error")
    gone = {"missing_type": "section", "missing_id": "s9"}
    found = causes(
        outcome(
            orphan,
            person("ana", **gone, org_id="s", org="School"),
            person("ben", missing_type="person", missing_id="p9", role="teacher"),
        ),
        outcome(
            none, person("ana", **gone), person("cleo", missing_type="org", missing_id="o9", org_id="s", org="School")
        ),
    )
    assert found == [
        ["sections", "Section s9 was not delivered", "error", 1, 2, "orphan, none", "School", "section", "s9"],
        ["orgs", "Org o9 was not delivered", "error", 1, 1, "none", None, "org", "o9"],
        ["staff", "Person p9 was not delivered", "warning", 1, 1, "orphan", None, "person", "p9"],
    ]


def test_what_was_probably_meant_is_said() -> None:
    """Quotes show the space that nobody would see."""
    of = ("links", {"source_id": "x", "relation": "in_term", "target_id": "T1 ", "types": None})
    report = kx.check(make(section("x"), term("T1"), of), ["orphan_in_term"])
    assert report.causes["cause"].tolist() == ["Term 'T1 ' was not delivered, and 'T1' exists"]


def test_a_consequence_is_told_under_what_explains_it() -> None:
    first, second, third = check("first"), check("second", follows=("first",)), check("third", follows=("second",))
    found = causes(
        outcome(third, person("ana"), person("ben")),
        outcome(second, person("ana"), person("ben")),
        outcome(first, person("ana")),
    )
    assert [[row[1], row[2], row[4], row[5]] for row in found] == [
        ["First", "error", 3, "third, second, first"],
        ["Second", "error", 2, "third, second"],
    ]


def test_a_school_that_is_at_fault_explains_what_is_wrong_in_it() -> None:
    empty = check("empty", "orgs", severity="error")
    alone = check("alone", severity="information", follows_school=("empty",))
    found = causes(
        outcome(empty, {"table": "orgs", "id": "s", "label": "Oak School", "org_id": "s", "org": "Oak School"}),
        outcome(alone, person("ana", org_id="s", org="Oak School"), person("ben", org_id="t", org="Elm")),
    )
    assert found == [
        ["orgs", "Oak School: empty", "error", 1, 2, "empty, alone", "Oak School", "org", "s"],
        ["students", "Alone", "information", 1, 1, "alone", "Elm", None, None],
    ]


def test_errors_come_first_and_then_what_explains_most() -> None:
    rows = [
        outcome(check("zz", severity="warning"), person("a")),
        outcome(check("yy", severity="error"), person("a")),
        outcome(check("xx", severity="warning"), person("a"), person("b")),
        outcome(check("ww", severity="information"), *[person(f"p{n}") for n in range(40)]),
        outcome(check("links", group="References"), *[person(f"p{n}") for n in range(3)]),
        outcome(check("term", "terms", severity="warning"), {"table": "terms", "id": "t"}),
    ]
    assert [row[1] for row in causes(*rows)] == ["Links", "Yy", "Xx", "Term", "Zz", "Ww"]


# On rosters.


def absent_sections(count: int = 100) -> list[Item]:
    """Sections of the autumn term that were not delivered, 25 students in each, 4 sections a student; one of spring is."""
    items: list[Item] = [lea(), school(), term("autumn"), term("spring"), section("s"), link("s held_at school")]
    items += [link("s in_term spring"), teacher(), link("ben member_of school"), link("ben teacher_in s")]
    for number in range(count * 25 // 4):
        items += [student(f"p{number}"), link(f"p{number} member_of school"), link(f"p{number} student_in s")]
    items += [link(f"x{n // 25} in_term autumn") for n in range(0, count * 25, 25)]
    items += [link(f"p{n // 4} student_in x{n % count}") for n in range(count * 25)]
    return items


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_hundred_sections_of_one_term_are_one_cause(engine: str) -> None:
    report = kx.check(make(*absent_sections()), ["orphan_student_in", "orphan_in_term"], engine=engine)
    assert len(report.causes) == 1
    cause = report.causes.loc[0]
    assert cause["cause"] == (
        "100 sections of the term autumn were not delivered: 2,500 enrollments and 625 students depend on them"
    )
    assert cause[["objects", "findings", "students", "teachers", "sections", "schools"]].tolist() == [
        100,
        2600,
        625,
        0,
        100,
        1,
    ]
    assert cause[["severity", "owner", "type"]].tolist() == ["error", "integration", "section"]
    assert cause["consequence"] == "A student does not see a class, or nobody does."
    assert pd.isna(cause["id"])
    assert len(report.rows(0)) == 2600
    assert set(report.rows(0)["check"]) == {"orphan_student_in", "orphan_in_term"}
    with pytest.raises(KeyError, match=r"no cause 1; report\.causes has 1, from 0"):
        report.rows(1)


def test_objects_that_share_nothing_stay_apart() -> None:
    ids = ["birch", "cedar", "elm"]
    items = [lea(), *[school(f"at {id}") for id in ids]]
    items += [item for id in ids for item in (student(f"of {id}"), link(f"of-{id} student_in {id}"))]
    items += [student(f"of-{id}") for id in ids] + [link(f"of-{id} member_of at-{id}") for id in ids]
    report = kx.check(make(*items), ["orphan_student_in"])
    assert report.causes["cause"].tolist() == [f"Section {id} was not delivered" for id in ids]
    assert report.causes["students"].tolist() == [1, 1, 1]


def test_two_missing_sections_are_two_causes() -> None:
    items = [lea(), school(), student(), link("ana student_in x1"), link("ana student_in x2")]
    items += [link("ana member_of school")]
    assert len(kx.check(make(*items), ["orphan_student_in"]).causes) == 2


@pytest.mark.parametrize(
    ("delivered", "shared"),
    [
        (range(0), "with the ids x10 to x14"),
        (range(5, 9), "with the ids x10 to x14"),
        (range(15, 40), "with the ids x10 to x14"),
    ],
)
def test_a_series_of_numbers(delivered: range, shared: str) -> None:
    items = [lea(), *[section(f"x{n}") for n in delivered]]
    items += [student(f"p{n}") for n in range(5)] + [link(f"p{n} student_in x{10 + n}") for n in range(5)]
    found = kx.check(make(*items), ["orphan_student_in"]).causes
    assert found["cause"].tolist() == [
        f"5 sections {shared} were not delivered: 5 enrollments and 5 students depend on them"
    ]


def test_a_series_with_many_others_in_between_is_none() -> None:
    items = [lea(), *[section(f"x{n}") for n in range(1, 12) if n % 3]]
    items += [student(f"p{n}") for n in range(4)] + [link(f"p{n} student_in x{3 * n}") for n in range(4)]
    assert len(kx.check(make(*items), ["orphan_student_in"]).causes) == 4


def test_a_check_says_what_its_objects_share() -> None:
    day = pd.Timestamp("2026-09-28T02:10:00Z")
    items = [lea(), school(), student("old", created_at=day - pd.Timedelta(days=30)), link("old member_of school")]
    items += [student(f"new{n}", created_at=day) for n in range(4)]
    causes = kx.check(make(*items), ["student_without_school"]).causes
    assert causes["cause"].tolist() == ["Student without a school: all created on 2026-09-28"]
    assert causes.loc[0, "consequence"] == "The student has access to no school's products."


def test_people_are_counted_once_however_many_rows_name_them() -> None:
    items = [lea(), school(), teacher(), link("ben member_of school"), *[section(f"s{n}") for n in range(3)]]
    for number in range(3):
        items += [link(f"s{number} held_at school"), link(f"ben teacher_in s{number}")] * 2
        items += [link(f"p{n} student_in s{number}") for n in range(4)] * 2
    items += [item for n in range(4) for item in (student(f"p{n}"), student(f"p{n}"), link(f"p{n} member_of school"))]
    causes = kx.check(make(*items), ["section_without_term"]).causes
    assert causes[["objects", "findings", "students", "teachers", "sections", "schools"]].to_numpy().tolist() == [
        [3, 3, 4, 1, 3, 1]
    ]


def test_a_missing_student_does_not_reach_the_class_and_a_missing_teacher_does() -> None:
    items = [lea(), school(), section("s"), link("s held_at school"), student(), link("ana student_in s")]
    items += [link("gone student_in s", role="student"), link("away teacher_in s", role="teacher")]
    causes = kx.check(make(*items), ["orphan_student_in", "orphan_teacher_in"]).causes.set_index("id")
    assert causes.loc["gone", ["students", "teachers", "sections", "schools"]].tolist() == [1, 0, 1, 1]
    assert causes.loc["away", ["students", "teachers", "sections", "schools"]].tolist() == [1, 1, 1, 1]


def test_two_warnings_do_not_stand_above_a_thousand_errors() -> None:
    items = [lea(), school(), *[school(f"empty{n}") for n in range(2)], *[section(f"s{n}") for n in range(1055)]]
    found = kx.check(make(*items), ["school_without_students", "section_without_course"]).causes
    assert found.loc[0, ["severity", "findings"]].tolist() == ["error", 1055]


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_on_a_district(seed: int) -> None:
    roster, _ = inject_flaws(make_district(100, seed=seed))
    report = kx.check(roster, as_of="2026-10-05")
    assert report.causes["findings"].sum() == len(report.findings)
    rows = pd.concat([report.rows(number) for number in range(len(report.causes))])
    assert len(rows) == len(report.findings)
    for number, cause in report.causes.iterrows():
        mine = report.rows(int(str(number)))
        assert len(mine) == cause["findings"]
        assert ", ".join(mine["check"].unique()) == cause["checks"]


def test_tasks_have_causes_without_people() -> None:
    tasks = pd.DataFrame({name: pd.Series(dtype="str") for name in TASK_COLUMNS})
    assert kx.check_tasks(tasks).causes.empty


def test_tables_that_were_made_anew_are_one_cause() -> None:
    year = (term("fall", start_date="2026-08-20", end_date="2027-06-10"), section("a"), link("a in_term fall"))
    again = {"created_at": "2026-11-03T08:00:00Z"}
    items = [*year, *(student(f"p{n}", **again) for n in range(30)), *(section(f"s{n}", **again) for n in range(30))]
    report = kx.check(make(*items), ["created_on_one_day"], as_of="2026-11-10")
    assert len(report.findings) == 2
    assert report.causes["cause"].tolist() == ["Most of a table was created on one late day"]
    said = sentence(report, 0, report.rows(0))
    assert said == "2 tables were mostly created on one day, late in the school year"


def test_students_without_a_grade_at_one_school_are_one_cause() -> None:
    people = [student(f"p{n}", ext_grade=None if n < 12 else "07") for n in range(40)]
    homes = [link(f"p{n} member_of {'oak' if n < 12 else 'elm'}") for n in range(40)]
    roster = make(school("oak", name="Oak"), school("elm", name="Elm"), *people, *homes)
    report = kx.check(roster, ["missing_grade"], as_of="2026-10-05")
    assert report.causes["cause"].tolist() == ["Student without a grade: all at Oak"]


def test_schools_that_lack_the_same_are_one_cause() -> None:
    empty = [school(f"e{n}", name=f"Empty {n}") for n in range(3)]
    below = [link(f"e{n} child_of district") for n in range(3)]
    full = [school("oak"), section("a"), link("a held_at oak"), *(link(f"p{n} member_of oak") for n in range(2))]
    people = [student("p0"), teacher("p1")]
    report = kx.check(make(lea(), *empty, *below, *full, *people), as_of="2026-10-05")
    lacks = [n for n, checks in enumerate(report.causes["checks"]) if "school_without_" in checks]
    whole = report.causes.loc[lacks]
    whole = whole[whole["objects"] > 1]
    assert len(whole) == 1, report.causes[["cause", "findings"]]
    lacking = ("students", "teachers", "sections", "courses")
    assert {f"school_without_{what}" for what in lacking} <= set(whole["checks"].iloc[0].split(", "))
