"""The page for people: sentences first, a part for each school, print and small screens."""

import re
from pathlib import Path

import pytest
from builders import link, make, school, section, student, teacher

import kimono_explore as kx
from kimono_explore.quality.catalogue import ROSTER_CHECKS, TASK_CHECKS
from kimono_explore.quality.words import WHOLE, WORDS, counted

OCTOBER = "2026-10-05"


def text_of(report: kx.Report, folder: Path) -> str:
    report.to_html(folder / "q.html")
    return (folder / "q.html").read_text(encoding="utf-8")


def two_schools() -> kx.Roster:
    """Two sections of Oak without a teacher, a student without a school, another without an e-mail address that can be one."""
    return make(
        school("elm", name="Elm School"),
        school("oak", name="Oak School"),
        student("a", name_first="Ada", email="a@b.org"),
        student("b", name_first="Ben", email="nobody"),
        student("c", name_first="Cleo", email="c@b.org"),
        teacher("t", name_first="Tom"),
        section("s1"),
        section("s2"),
        section("s3"),
        link("a member_of elm"),
        link("b member_of oak"),
        link("t member_of elm"),
        link("t teacher_in s3"),
        link("s1 held_at oak"),
        link("s2 held_at oak"),
        link("s3 held_at elm"),
        link("a student_in s3"),
        link("b student_in s1"),
    )


FEW = ["section_without_teacher", "student_without_school", "invalid_email"]


def test_the_first_screen_is_a_sentence(tmp_path: Path) -> None:
    page = text_of(kx.check(two_schools(), FEW, as_of=OCTOBER), tmp_path)
    heading = re.findall(r"<h1>(.*?)</h1>", page)
    assert heading == [
        "2 sections have no teacher; 1 student has no school; "
        "1 student has an e-mail address that cannot be one. Fix these three first."
    ]
    assert "4 people at 2 schools" in page
    assert "As of Monday, 5 October 2026: the day that was asked for" in page
    assert page.index("<h1>") < page.index("<table")


def test_zero_is_not_red_and_what_passed_is_positive(tmp_path: Path) -> None:
    roster = two_schools()
    own = kx.define_check(
        "no_x", lambda df: df["id"] == "x", table="sections", title="Section called x", rule="It is x."
    )
    page = text_of(kx.check(roster, [*FEW, "student_without_sections", "section_without_org"], as_of=OCTOBER), tmp_path)
    assert '<b class="zero">0</b> information findings' in page
    assert "<li>Every section has a school <code>section_without_org</code>" in page
    assert "Section without a school" not in page


def test_words_are_those_of_checks() -> None:
    known = {check.id for check in (*ROSTER_CHECKS, *TASK_CHECKS)}
    assert set(WORDS) | set(WHOLE) <= known
    assert not set(WORDS) & set(WHOLE)
    assert counted(1, "person") == "1 person"
    assert counted(2, "grading category") == "2 grading categories"


def test_each_school_has_a_part(tmp_path: Path) -> None:
    page = text_of(kx.check(two_schools(), FEW, as_of=OCTOBER), tmp_path)
    assert page.count("<section class=school") == 1
    part = page[page.index("<section class=school") : page.index("<section id=checks>")]
    assert "<h2>Oak School</h2>" in part
    assert "2 sections have no teacher" in part
    assert "1 student has an e-mail address that cannot be one" in part
    assert "Ben" in part
    assert "Cleo" not in part
    assert "Ada" not in part
    assert '<a href="#school-1">Oak School</a>' in page


@pytest.mark.parametrize("rows", [1, 20])
def test_every_link_leads_somewhere(tmp_path: Path, rows: int) -> None:
    report = kx.check(two_schools(), as_of=OCTOBER)
    report.since(kx.check(make(school()), as_of="2026-09-28"))
    report.to_html(tmp_path / "q.html", rows=rows)
    page = (tmp_path / "q.html").read_text(encoding="utf-8")
    targets = re.findall(r'href="#([^"]+)"', page)
    assert len(targets) > 10
    assert set(targets) <= set(re.findall(r'\bid="?([\w-]+)"?', page))


def test_a_school_that_was_not_delivered_has_its_id(tmp_path: Path) -> None:
    roster = make(
        student("a"),
        student("b"),
        section("s"),
        link("a member_of gone", types=("person", "org")),
        link("s held_at gone", types=("section", "org")),
    )
    page = text_of(kx.check(roster, ["orphan_member_of", "section_without_teacher"], as_of=OCTOBER), tmp_path)
    assert "<h1>1 person refers to an org that was not delivered. Fix this first.</h1>" in page
    assert "<h2>gone</h2>" in page
