"""The page for people: sentences first, a part for each school, print and small screens."""

import csv
import io
import os
import re
import stat
import zipfile
from pathlib import Path

import pytest
from builders import lea, link, make, school, section, student, teacher

import kimono_explore as kx
from kimono_explore.display import plural
from kimono_explore.quality.advice import (
    _OWN_OWNERS,
    _OWN_STEPS,
    _OWNERS,
    _STEPS,
    INTEGRATION,
    READING,
    SYSTEM,
    next_step,
    owner,
)
from kimono_explore.quality.catalogue import ROSTER_CHECKS, TASK_CHECKS
from kimono_explore.quality.definition import Check
from kimono_explore.quality.words import WHOLE, WORDS, _predicate, sentence

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
        "1 student has an invalid e-mail address. Fix these three first."
    ]
    assert "4 people at 2 schools" in page
    assert "As of Monday, 5 October 2026: the requested day" in page
    assert page.index("<h1>") < page.index("<table")


def test_a_roster_of_nothing_is_not_in_order(tmp_path: Path) -> None:
    report = kx.check(kx.Roster())
    report.to_html(tmp_path / "q.html")
    page = (tmp_path / "q.html").read_text(encoding="utf-8")
    assert "<h1>Nothing was checked" in page
    assert "Nothing to fix" not in page
    assert "nothing was checked" in report._repr_html_()
    with pytest.raises(kx.RosterFailedError, match="Nothing was checked"):
        report.assert_no_errors()


def test_zero_is_not_red_and_what_passed_is_positive(tmp_path: Path) -> None:
    roster = two_schools()
    page = text_of(kx.check(roster, [*FEW, "student_without_sections", "section_without_org"], as_of=OCTOBER), tmp_path)
    assert " information finding" not in page  # where there are none, none are counted
    assert "<li>Every section has a school <code>KX-CMP-005</code>" in page
    assert "Section without a school" not in page


def test_words_are_those_of_checks() -> None:
    known = {check.id for check in (*ROSTER_CHECKS, *TASK_CHECKS)}
    assert set(WORDS) | set(WHOLE) <= known
    assert not set(WORDS) & set(WHOLE)
    assert plural(1, "person") == "1 person"
    assert plural(2, "grading category") == "2 grading categories"


def test_each_school_has_a_part(tmp_path: Path) -> None:
    page = text_of(kx.check(two_schools(), FEW, as_of=OCTOBER), tmp_path)
    assert page.count("<section class=school") == 1
    part = page[page.index("<section class=school") : page.index("<section id=checks>")]
    assert "<h2>Oak School</h2>" in part
    assert "2 sections have no teacher" in part
    assert "1 student has an invalid e-mail address" in part
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
    first = "1 person refers to an org that was not delivered; 1 section has no teacher"
    assert f"<h1>{first}. Fix these two first.</h1>" in page
    assert "<h2>gone</h2>" in page


# A folder.


def hostile() -> kx.Report:
    items = [student(f"p{n:02}", name_first="=1+1", name_last=None, email="@SUM(1)") for n in range(30)]
    return kx.check(make(*items), ["invalid_email"], as_of=OCTOBER)


NAMES = ["index.html", "rows-invalid_email.csv", "rows-invalid_email.xlsx"]


def test_a_folder_has_the_page_and_all_rows_as_tables(tmp_path: Path) -> None:
    hostile().to_html(tmp_path / "report", rows=3)
    folder = tmp_path / "report"
    assert sorted(file.name for file in folder.iterdir()) == NAMES
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'href="(rows-[^"]+)" download', page) == NAMES[1:]
    assert "All 30 rows:" in page
    rows = list(csv.DictReader(io.StringIO((folder / NAMES[1]).read_bytes().decode("utf-8-sig"), newline="")))
    assert len(rows) == 30
    assert rows[0]["label"] == "'=1+1"
    assert rows[0]["email"] == "'@SUM(1)"
    with zipfile.ZipFile(folder / NAMES[2]) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode("utf-8")
    assert "<f>" not in sheet
    assert sheet.count("<row ") == 31


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("there", [True, False])
def test_a_folder_is_its_owners_alone(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "report"
    if there:
        folder.mkdir()
    hostile().to_html(folder)
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert there or stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_exists_keeps_what_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("mine")
    (tmp_path / "rows-of-mine.csv").write_text("mine")
    hostile().to_html(tmp_path)
    assert (tmp_path / "rows-of-mine.csv").exists()  # no report was there before
    (tmp_path / "rows-of-mine.csv").unlink()
    kx.check(two_schools(), ["section_without_teacher"], as_of=OCTOBER).to_html(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "index.html",
        "notes.csv",
        "rows-section_without_teacher.csv",
        "rows-section_without_teacher.xlsx",
    ]


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    folder = tmp_path / "report"
    if there:
        hostile().to_html(folder)
    before = {file.name: file.read_bytes() for file in folder.glob("*")}

    def full(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kimono_explore.quality.folder.file_of", full)
    with pytest.raises(kx.KimonoError, match="No space left"):
        kx.check(two_schools(), FEW, as_of=OCTOBER).to_html(folder)
    assert {file.name: file.read_bytes() for file in folder.glob("*")} == before
    assert folder.exists() is there


def test_a_page_alone_links_to_no_table(tmp_path: Path) -> None:
    page = text_of(hostile(), tmp_path)
    assert "rows-" not in page
    assert [file.name for file in tmp_path.iterdir()] == ["q.html"]


# Print and small screens.


def test_print_and_small_screens_cut_nothing(tmp_path: Path) -> None:
    page = text_of(kx.check(two_schools(), as_of=OCTOBER), tmp_path)
    assert "overflow-x" not in page
    assert "<details" not in page  # what is folded is not printed
    assert "@media print" in page
    assert "@media screen and (prefers-color-scheme: dark)" in page
    tables = re.findall(r"<table[^>]*>", page)
    assert tables
    assert all("cards" in table for table in tables)
    assert page.count("<table") == page.count("<thead>")


def test_what_counts_nothing_is_said_within_a_sentence(tmp_path: Path) -> None:
    roster = make(student("a", email="x"), student("b"), school("elm"))
    page = text_of(kx.check(roster, ["invalid_email", "no_lea"], as_of=OCTOBER), tmp_path)
    assert "<h1>1 student has an invalid e-mail address; there is no district. Fix these two first.</h1>" in page
    assert "Nobody is affected by an error, 1 by a warning." in page


def section_of(page: str, id: str) -> str:
    return page.partition(f"<section id={id}>")[2].partition("</section>")[0]


def test_an_index_leads_from_a_name_to_its_checks(tmp_path: Path) -> None:
    roster = make(student("e", name_first="Éva", email="nobody"), student("b", name_first="<b>", email="nobody"))
    index = section_of(text_of(kx.check(roster, FEW, as_of=OCTOBER), tmp_path), "index")
    assert re.findall("<h3>(.*?)</h3>", index) == ["B", "E"]
    entries = re.findall(
        '<li>(.*?): <a href="#([A-Z]+-[A-Z]+-\\d+)">(.*?)</a>, <a href="#([A-Z]+-[A-Z]+-\\d+)">(.*?)</a></li>', index
    )
    assert entries == [
        (name, "KX-CMP-009", "student without a school", "KX-VAL-003", "invalid e-mail address")
        for name in ("&lt;b&gt; Silva", "Éva Silva")
    ]


def test_an_index_of_more_than_a_thousand_names_says_so(tmp_path: Path) -> None:
    roster = make(*(student(f"s{n:04}") for n in range(1_002)))
    index = section_of(text_of(kx.check(roster, ["student_without_school"], as_of=OCTOBER), tmp_path), "index")
    assert index.count("<li>") == 1_000
    assert "… and 2 more" in index


def test_what_is_waived_says_why_whose_and_until_when(tmp_path: Path) -> None:
    (tmp_path / "quality.toml").write_text(
        '[[waived]]\ncheck = "student_without_school"\nreason = "In <transfer>"\nowner = "R. Okafor"\nexpires = 2027-06-30\n'
    )
    report = kx.check(two_schools(), FEW, as_of=OCTOBER, config=tmp_path / "quality.toml")
    waived = section_of(text_of(report, tmp_path), "waived")
    cells = re.findall("<td[^>]*>(.*?)</td>", waived)
    assert cells == [
        "Student without a school <code>KX-CMP-009</code>", "In &lt;transfer&gt;", "R. Okafor", "2027-06-30", "1",
    ]  # fmt: skip
    assert section_of(text_of(kx.check(two_schools(), FEW, as_of=OCTOBER), tmp_path), "waived") == ""


def test_repairs_stand_on_the_page_once_they_were_asked_for(tmp_path: Path) -> None:
    report = kx.check(make(student(name_last="Silva ")), ["untrimmed_text"], as_of=OCTOBER)
    assert section_of(text_of(report, tmp_path), "repairs") == ""
    repair = report.repairs()["repair"].iloc[0]
    assert f"<b>{repair}</b>" in section_of(text_of(report, tmp_path), "repairs")
    other = kx.check(two_schools(), FEW, as_of=OCTOBER)
    other.repairs()
    assert "None: people must decide what to do" in section_of(text_of(other, tmp_path), "repairs")


def test_the_score_of_earlier_days_is_a_line(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    whole = make(school("elm", name="Elm School"), student("a"), link("a member_of elm"))
    for day, roster in (("2025-09-21", two_schools()), ("2026-09-28", whole), ("2026-10-06", whole)):
        kx.check(roster, FEW, as_of=day).to_json(folder / f"{day}.json")
    (folder / "other.json").write_text("[1, 2]")
    (folder / "broken.json").write_text("{")
    report = kx.check(two_schools(), FEW, as_of=OCTOBER)
    trend = report.trend(folder)
    assert trend["as_of"].astype(str).tolist() == ["2025-09-21", "2026-09-28", "2026-10-05"]
    assert trend["score"].tolist() == [report.score, 100, report.score]
    assert trend[["error", "warning", "information"]].to_numpy().tolist() == [[3, 1, 0], [0, 0, 0], [3, 1, 0]]
    page = text_of(report, tmp_path)
    assert re.findall('<polyline points="(.*?)"', page) == ["6.0,40.0 202.3,14.0 206.0,40.0"]
    assert f"Score of 3 days: {report.score}, 100 and now {report.score}" in page
    assert ">21 September 2025<" in page
    with pytest.raises(kx.KimonoError, match="is not a folder"):
        report.trend(folder / "other.json")


def test_reports_of_another_district_are_no_part_of_a_trend(tmp_path: Path) -> None:
    for name in ("north", "south"):
        roster = make(lea(name), student("a"))
        kx.check(roster, FEW, as_of="2026-09-28").to_json(tmp_path / f"{name}.json")
    assert len(kx.check(make(lea("south"), student("a")), FEW, as_of=OCTOBER).trend(tmp_path)) == 2
    assert len(kx.check(make(lea("west"), student("a")), FEW, as_of=OCTOBER).trend(tmp_path)) == 1


def test_a_check_is_called_by_its_number_wherever_the_page_names_it(tmp_path: Path) -> None:
    report = kx.check(two_schools(), FEW, as_of=OCTOBER)
    kx.check(two_schools(), FEW[1:], as_of=OCTOBER).to_json(tmp_path / "before.json")
    report.since(tmp_path / "before.json")
    page = text_of(report, tmp_path)
    failed = report.summary[report.summary["status"] == "failed"]
    assert len(failed) > 1
    for row in failed.itertuples():
        assert f'<article class=check id="{row.number}">' in page, "a link to it leads to the same check tomorrow"
        assert f"<code>{row.number}</code> <code>{row.id}</code>" in page
        assert f'<a href="#{row.number}"><code>{row.number}</code></a>' in page
        at_a_school = report.failures(row.id)["org_id"].notna().any()
        assert (f"{row.title} <code>{row.number}</code>" in section_of(page, "matrix")) == at_a_school
    assert f"<code>{report.outcome(FEW[0]).check.number}</code>" in section_of(page, "since")


@pytest.mark.parametrize("check", sorted(WORDS))
def test_several_objects_are_spoken_of_in_the_plural(check: str) -> None:
    """ "2 orgs are their own ancestors", not "its own ancestor"."""
    said = _predicate(WORDS[check], 2)
    assert not re.search(
        r"\b(it|its|itself)\b|\band (is|has)\b|\b(with|overlap|like|of) another$|as an? (student|teacher)", said
    )
    assert said.split(" ")[0] not in {"is", "has", "does", "goes", "reaches", "teaches"}


def test_several_lacks_are_one_sentence() -> None:
    report = kx.check(make(school("oak", name="Oak"), section(), link("algebra-1 held_at elsewhere")), as_of=OCTOBER)
    lacking = [sentence(report, n, report.rows(n)) for n in range(len(report.causes))]
    assert "Oak has no students, no teachers, no sections and no courses" in lacking, lacking


def test_a_person_who_was_not_delivered_is_a_person() -> None:
    report = kx.check(make(section(), link("ghost teacher_in algebra-1")), ["orphan_teacher_in"], as_of=OCTOBER)
    assert sentence(report, 0, report.rows(0)) == "1 section refers to a person who was not delivered"


def test_a_check_that_explains_others_counts_its_own() -> None:
    """A student who teaches the class: two checks, one sentence of people."""
    own = (teacher("ana"), section(), link("ana student_in algebra-1"), link("ana teacher_in algebra-1"))
    report = kx.check(make(*own), ["student_and_teacher_of_section", "teacher_as_student"], as_of=OCTOBER)
    told = [sentence(report, n, report.rows(n)) for n in range(len(report.causes))]
    assert told == ["1 teacher is both student and teacher of a section"]


@pytest.mark.parametrize("check", [*ROSTER_CHECKS, *TASK_CHECKS], ids=lambda check: check.id)
def test_every_check_says_what_to_do(check: Check) -> None:
    assert check.group in _STEPS
    assert next_step(check).endswith(".")
    assert owner(check) in (SYSTEM, INTEGRATION, READING)


@pytest.mark.parametrize("check", [*ROSTER_CHECKS, *TASK_CHECKS], ids=lambda check: check.id)
def test_advice_is_about_what_the_check_looks_at(check: Check) -> None:
    """A group's advice suits only those of its checks that are about the same."""
    step = next_step(check)
    assert "bound of the check" not in step or check.params
    assert "Correct the reference" not in step or check.id.startswith("orphan_") or check.id == "wrong_target_type"
    assert "Correct the dates of the term" not in step or "name" not in check.id


def test_no_advice_is_for_a_check_that_is_gone() -> None:
    known = {check.id for check in (*ROSTER_CHECKS, *TASK_CHECKS)}
    assert {*_OWN_STEPS, *_OWN_OWNERS} <= known
    assert {*_STEPS, *_OWNERS} <= {check.group for check in (*ROSTER_CHECKS, *TASK_CHECKS)}
