"""The message names nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from builders import Item, lea, link, make, school, section, student, teacher

import kimono_explore as kx
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import inject_flaws
from kimono_explore.schema import OBJECT_TYPES
from kimono_explore.tasks import TASK_COLUMNS

if TYPE_CHECKING:
    from pathlib import Path


def district() -> list[Item]:
    items: list[Item] = [
        lea(),
        school(),
        section("x"),
        link("x held_at school"),
        teacher(),
        link("ben member_of school"),
    ]
    items += [item for n in range(40) for item in (student(f"p{n}"), link(f"p{n} member_of school"))]
    return items + [link(f"p{n} student_in x") for n in range(12)]


def test_counts_in_a_few_lines() -> None:
    checks = ["section_without_teacher", "student_without_sections"]
    report = kx.check(make(*district()), checks, as_of="2026-10-05")
    assert report.message("Cannon\nRiver", "https://example.org/q.html").splitlines() == [
        "Cannon River, as of Monday, 5 October 2026",
        "Score: 53 of 100. 12 of 41 people are affected by an error.",
        "Fix first:",
        "1. 1 section has no teacher. Affected: 12 students. For: student information system.",
        "2. 28 students have no sections. Affected: 28 students. For: integration.",
        "0 of 2 checks passed.",
        "Report: https://example.org/q.html",
        "This message names nobody. The report does: share it only with those who need it.",
    ]
    report.since(kx.check(make(*district()[:-2]), checks, as_of="2026-09-28"))
    text = report.message()
    assert "Score: 53 of 100, down 4." in text
    assert "Since 2026-09-28: 0 new, 2 fixed, 29 still there." in text


def test_what_is_wrong_with_a_school_is_a_sentence() -> None:
    items = (lea(), school(), link("school child_of district"), section("x"), link("x held_at school"))
    text = kx.check(make(*items)).message()
    assert "1. 1 school has no students, no teachers, no courses and no terms. For:" in text


def test_one_waiver_is_one(tmp_path: Path) -> None:
    items, text = (lea(), section("x"), section("y")), ""
    for id, year in (("x", 2020), ("y", 2099)):
        text += f'[[waived]]\ncheck="section_without_teacher"\nid="{id}"\nreason="r"\nowner="o"\nexpires={year}-01-01\n'
    (tmp_path / "own.toml").write_text(text)
    report = kx.check(make(*items), ["section_without_teacher"], config=tmp_path / "own.toml")
    assert "1 finding is waived. 1 waiver needs a look." in report.message()


def test_few_people_are_not_counted_out() -> None:
    items = [item for item in district() if not str(item[1].get("source_id")).startswith("p1")]
    text = kx.check(make(*items), ["section_without_teacher"]).message()
    assert "A few people are affected by an error." in text
    assert "Affected" not in text
    missing = [lea(), section("x"), *[link(f"gone{n} student_in x", role="student") for n in range(2)]]
    assert "1. A few people were not delivered. For: integration." in kx.check(make(*missing)).message()
    nameless = [lea(), student("a", name_first=None, name_last=None)]
    assert "1. A few students have no name. For:" in kx.check(make(*nameless), ["person_without_name"]).message()


def hostile() -> kx.Roster:
    """A district with flaws of every kind, whose people's names stand in every text of every table."""
    roster, _ = inject_flaws(make_district(100))
    names = (roster.persons["name_first"].fillna("") + " " + roster.persons["name_last"].fillna("")).tolist()
    for table in OBJECT_TYPES:
        df = getattr(roster, table)
        for column in ("label", "name", "title", "local_id"):
            if column in df:
                df[column] = pd.Series([names[n % len(names)] for n in range(len(df))], index=df.index, dtype="str")
    return roster


@pytest.mark.parametrize("html", [False, True])
def test_no_word_of_a_hostile_roster_is_in_it(html: bool) -> None:
    roster = hostile()
    report = kx.check(roster, as_of="2026-10-05")
    report.since(report)
    text = report.message("Cannon River", "https://example.org/q", html=html)
    words = {
        str(word) for name in ("name_first", "name_last", "email", "phone") for word in roster.persons[name].dropna()
    }
    ids = {str(id) for table in OBJECT_TYPES for id in getattr(roster, table)["id"].dropna()}
    ids |= {str(id) for end in ("source_id", "target_id") for id in roster.links[end].dropna()}
    found = {word for word in words | ids if len(word.strip()) > 2 and word.strip() in text}
    assert not found
    assert html or len(text.splitlines()) <= 10


def test_the_page_for_mail_escapes() -> None:
    text = kx.check(make(lea())).message("<b>", 'https://example.org/"<', html=True)
    assert "<b>&lt;b&gt;, as of" in text
    assert 'href="https://example.org/&#34;&lt;"' in text
    assert "<script" not in text


@pytest.mark.parametrize("html", [False, True])
def test_a_roster_of_nothing_is_not_in_order(html: bool) -> None:
    text = kx.check(kx.Roster()).message(html=html)
    assert "Nothing was checked" in text
    assert "Nothing to fix" not in text


def test_a_task_queue_has_a_message() -> None:
    tasks = pd.DataFrame({name: pd.Series(dtype="str") for name in TASK_COLUMNS})
    text = kx.check_tasks(tasks).message()
    assert "Score" not in text
    assert "Nothing to fix: no check failed." in text
