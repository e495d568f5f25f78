"""What a report remembers: what changed since an earlier one, and what somebody has waived."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from builders import lea, link, make, school, section, student, teacher

import kimono_explore as kx
from kimono_explore.__main__ import main
from kimono_explore.quality.config import Config, read_config
from kimono_explore.tasks import TASK_COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

CHECKS = ["section_without_teacher", "student_without_sections"]


def roster(*without_teacher: str, students: tuple[str, ...] = ("ana",)) -> kx.Roster:
    items = [lea(), school(), teacher(), link("ben member_of school"), section("taught"), link("ben teacher_in taught")]
    items += [section(id) for id in without_teacher]
    return make(*items, *[student(id) for id in students])


def changes(report: kx.Report) -> list[tuple[str, str, str]]:
    assert report.changes is not None
    return [(row.change, row.check, row.id) for row in report.changes.itertuples()]


EXPECTED = [
    ("new", "section_without_teacher", "z"),
    ("fixed", "section_without_teacher", "x"),
    ("still there", "section_without_teacher", "y"),
    ("still there", "student_without_sections", "ana"),
]


@pytest.mark.parametrize("kind", ["report", "json", "snapshot"])
def test_what_changed_since_an_earlier_report(kind: str, tmp_path: Path) -> None:
    before, report = kx.check(roster("x", "y"), CHECKS), kx.check(roster("y", "z"), CHECKS)
    if kind == "report":
        given = report.since(before)
    elif kind == "json":
        before.to_json(tmp_path / "q.json")
        given = report.since(tmp_path / "q.json")
    else:
        roster("x", "y").save(tmp_path / "monday")
        given = report.since(str(tmp_path / "monday"))
    assert given is report.changes
    assert changes(report) == EXPECTED
    assert report.changed == {
        "since": before.as_of.isoformat(),
        "points": 0,
        "new": 1,
        "fixed": 1,
        "still there": 2,
    }


def test_the_page_and_the_note_begin_with_what_changed(tmp_path: Path) -> None:
    before, report = kx.check(roster("x"), CHECKS, as_of="2026-09-28"), kx.check(roster("z"), CHECKS)
    assert "Since" not in report._repr_html_()
    report.since(before)
    line = "Since 2026-09-28: 1 new, 1 fixed, 1 still there."
    assert line in report._repr_html_()
    report.to_html(tmp_path / "q.html")
    page = (tmp_path / "q.html").read_text(encoding="utf-8")
    assert line in page
    assert (
        '<td>Section without a teacher <code>KX-CMP-001</code></td><td class=n data-l="New">1</td><td class=n data-l="Fixed">1</td>'
        '<td class=n data-l="Still there">0</td>'
    ) in page
    report.to_json(tmp_path / "q.json")
    assert json.loads((tmp_path / "q.json").read_text(encoding="utf-8"))["changed"]["new"] == 1


def test_equal_findings_are_counted(tmp_path: Path) -> None:
    one, two = kx.check(roster(students=("a", "b", "b"))), kx.check(roster(students=("a", "b", "b")))
    one.to_json(tmp_path / "q.json")
    two.since(tmp_path / "q.json")
    assert set(two.since(tmp_path / "q.json")["change"]) == {"still there"}
    assert len(two.since(one)) == len(two.findings)


def test_what_was_not_checked_now_is_not_fixed() -> None:
    report = kx.check(roster("x"), CHECKS[:1])
    report.since(kx.check(roster("x"), CHECKS))
    assert changes(report) == [("still there", "section_without_teacher", "x")]


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    report = kx.check(roster())
    for text in ("", "[]", '{"summary": []}', '{"findings": [], "as_of": "2026-10-05", "score": "89"}'):
        (tmp_path / "q.json").write_text(text)
        with pytest.raises(kx.KimonoError, match="is not a report with findings"):
            report.since(tmp_path / "q.json")
    with pytest.raises(kx.KimonoError, match="could not be read"):
        report.since(tmp_path / "none.json")


# quality.toml.

WHOLE = """
[parameters.oversize_section]
bound = 40

[severities]
student_without_sections = "error"

[checks]
off = ["section_without_course", "stale_task"]

[[waived]]
check = "section_without_teacher"
id = "x"
reason = "taught by a guest"
owner = "office"
expires = 2099-12-31

[[waived]]
check = "section_without_teacher"
ids = ["y"]
reason = "summer"
owner = "office"
expires = 2020-01-01
"""


def test_a_file_settles_parameters_severities_checks_and_waivers(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(WHOLE)
    report = kx.check(roster("x", "y"), config=tmp_path / "own.toml")
    summary = report.summary.set_index("id")
    assert summary.loc["student_without_sections", "severity"] == "error"
    assert "section_without_course" not in summary.index
    assert "40" in next(o.rule for o in report.outcomes if o.check.id == "oversize_section")
    assert report.failures("section_without_teacher")["id"].tolist() == ["y"]
    assert report.waived[["id", "reason", "owner", "expires"]].to_numpy().tolist() == [
        ["x", "taught by a guest", "office", "2099-12-31"]
    ]
    assert report.notices == [
        "A waiver of section_without_teacher expired on 2020-01-01 (office: summer): 1 finding is back."
    ]
    assert report.causes["findings"].sum() == len(report.findings) == summary["failed"].sum()
    report.to_html(tmp_path / "q.html")
    assert "expired on 2020-01-01" in (tmp_path / "q.html").read_text(encoding="utf-8")
    # What is waived is not fixed.
    report.since(kx.check(roster("x", "y"), ["section_without_teacher"]))
    assert ("fixed", "section_without_teacher", "x") not in changes(report)


def test_a_waiver_that_covers_nothing_is_said(tmp_path: Path) -> None:
    text = (
        '[[waived]]\ncheck="section_without_teacher"\nid="{}"\nreason="a guest"\nowner="office"\nexpires=2099-01-01\n'
    )
    (tmp_path / "own.toml").write_text(text.format("X "))
    report = kx.check(roster("x"), config=tmp_path / "own.toml")
    told = (
        "A waiver of section_without_teacher (office: a guest) covers no finding: they are fixed, or an id is mistyped."
    )
    assert report.notices == [told]
    assert report.failures("section_without_teacher")["id"].tolist() == ["x"]
    (tmp_path / "own.toml").write_text(text.format("x"))
    assert kx.check(roster("x"), config=tmp_path / "own.toml").notices == []


def test_the_call_counts_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(WHOLE)
    report = kx.check(
        roster(),
        ["oversize_section", "section_without_course"],
        params={"oversize_section": {"bound": 50}},
        config=tmp_path / "own.toml",
    )
    assert report.summary["id"].tolist() == ["oversize_section", "section_without_course"]
    assert "50" in report.outcomes[0].rule


def test_a_check_that_is_waived_whole_passes(tmp_path: Path) -> None:
    waiver = '[[waived]]\ncheck="section_without_teacher"\nreason="r"\nowner="o"\nexpires=2099-01-01\n'
    (tmp_path / "own.toml").write_text(f'[checks]\non = ["section_without_teacher"]\n{waiver}')
    report = kx.check(roster("x", "y"), config=tmp_path / "own.toml")
    assert report.summary[["id", "failed", "status"]].to_numpy().tolist() == [["section_without_teacher", 0, "passed"]]
    assert len(report.waived) == 2
    assert report.causes.empty


def test_the_file_beside_a_snapshot_is_found(tmp_path: Path) -> None:
    roster("x").save(tmp_path / "monday")
    (tmp_path / "quality.toml").write_text('[checks]\non = ["section_without_teacher"]\n')
    assert len(kx.check(tmp_path / "monday").summary) == 1


def test_a_file_for_tasks(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(WHOLE)
    tasks = pd.DataFrame({name: pd.Series(dtype="str") for name in TASK_COLUMNS})
    report = kx.check_tasks(tasks, config=tmp_path / "own.toml")
    assert "stale_task" not in set(report.summary["id"])
    assert (report.score, report.scores.empty) == (None, True)


WAIVER = '[[waived]]\ncheck = "missing_id"\nreason = "r"\nowner = "o"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a =", "is not TOML"),
        ("colour = 1", "the file has an unknown key 'colour'; it may have parameters, severities, checks, waived"),
        ("checks = 1", "[checks] is not a table"),
        ("[checks]\nonly = []", "[checks] has an unknown key 'only'; it may have on, off"),
        ('[checks]\noff = ["nonsense"]', "[checks] off names 'nonsense', which is not a check"),
        ('[checks]\noff = "missing_id"', "[checks] off is not a list of checks"),
        ("[parameters.nonsense]", "[parameters] names 'nonsense', which is not a check"),
        ("[parameters.oversize_section]\nsize = 4", "[parameters.oversize_section] has an unknown key 'size'"),
        ('[parameters.oversize_section]\nbound = "4"', "bound of oversize_section is '4'; its default is"),
        ("[parameters.oversize_section]\nbound = true", "bound of oversize_section is True; its default is"),
        ("[parameters.implausible_age]\nstudents = [3]", "students of implausible_age is (3,); its default is (3, 22)"),
        ('[parameters.implausible_age]\nstudents = ["3", "22"]', "its default is (3, 22)"),
        (
            "[parameters.implausible_age]\nstudents = [22, 3]",
            "students of implausible_age is (22, 3): it ends before it",
        ),
        ("[parameters.unknown_org_type]\nknown = [1]", "known of unknown_org_type is (1,); its default is"),
        ('[severities]\nmissing_id = "bad"', "missing_id has the severity 'bad'; use one of error, warning"),
        ("waived = 1", "waived is not a list: write [[waived]]"),
        (WAIVER, "[[waived]] number 1 has no expires; it needs check, reason, owner, expires"),
        (WAIVER + 'expires = "2026-12-31"', "write a date without quotes"),
        (WAIVER + "expires = 2026-12-31\nids = []", "needs one id, or ids as a list of at least one"),
        (WAIVER + "expires = 2026-12-31\nid = 7", "has a value that is not text"),
        (WAIVER + "expires = 2026-12-31\nuntil = 7", "[[waived]] number 1 has an unknown key 'until'"),
    ],
)
def test_what_nobody_knows_is_said_in_one_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(kx.ConfigurationError) as error:
        read_config(tmp_path / "own.toml")
    assert said in str(error.value)
    assert str(tmp_path / "own.toml") in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_of_notepad_is_read(tmp_path: Path) -> None:
    """Windows writes three bytes before the text."""
    (tmp_path / "own.toml").write_text('[checks]\noff = ["missing_id"]\n', encoding="utf-8-sig")
    assert read_config(tmp_path / "own.toml").off == ("missing_id",)


def test_without_a_file_nothing_is_settled(tmp_path: Path) -> None:
    assert read_config(None) == Config()
    with pytest.raises(kx.ConfigurationError, match="could not be read"):
        read_config(tmp_path / "none.toml")


def test_a_waiver_of_one_org(tmp_path: Path) -> None:
    items = [lea(), school("a"), school("b"), section("x"), section("y"), link("x held_at a"), link("y held_at b")]
    text = '[[waived]]\ncheck="section_without_teacher"\norg="a"\nreason="r"\nowner="o"\nexpires=2099-01-01\n'
    (tmp_path / "own.toml").write_text(text)
    report = kx.check(make(*items), ["section_without_teacher"], config=tmp_path / "own.toml")
    assert report.failures("section_without_teacher")["id"].tolist() == ["y"]


# The command line.


def test_a_roster_of_nothing_does_not_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A nightly job whose export was empty is not a good night."""
    kx.Roster().save(tmp_path / "monday")
    assert main(["check", str(tmp_path / "monday"), "--fail-on", "error"]) == 2
    assert "Nothing was checked" in capsys.readouterr().err


def test_only_what_is_new_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, ids in (("monday", ("x",)), ("tuesday", ("x",)), ("friday", ("x", "z"))):
        roster(*ids).save(tmp_path / name)
    only = ["--only", "section_without_teacher", "--fail-on", "error"]
    assert main(["check", str(tmp_path / "monday"), *only, "--json", str(tmp_path / "q.json")]) == 1
    since = ["--since", str(tmp_path / "q.json")]
    assert main(["check", str(tmp_path / "tuesday"), *only, *since]) == 1
    assert main(["check", str(tmp_path / "tuesday"), *only, *since, "--new-only"]) == 0
    assert "0 new, 0 fixed, 1 still there." in capsys.readouterr().out
    assert main(["check", str(tmp_path / "friday"), *only, "--since", str(tmp_path / "monday"), "--new-only"]) == 1
    assert main(["check", str(tmp_path / "friday"), *only, "--new-only"]) == 2
    assert "--new-only needs --since" in capsys.readouterr().err
    (tmp_path / "own.toml").write_text('[severities]\nsection_without_teacher = "warning"\n')
    assert main(["check", str(tmp_path / "friday"), *only, "--config", str(tmp_path / "own.toml")]) == 0
