"""May a roster go live: incidents are alarmed, with the right school and reason; ordinary days and rollovers are not."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import stat
from typing import TYPE_CHECKING

import nights
import numpy as np
import pandas as pd
import pytest
from nights import INCIDENTS, later, ordinary, rollover, without

import kimono_explore as kx
from kimono_explore.__main__ import main
from kimono_explore.frames import add_rows
from kimono_explore.gate.baseline import usual_shares, usual_words
from kimono_explore.gate.limits import Limits, read_limits
from kimono_explore.gate.measures import measure, members, schools
from kimono_explore.sandbox.district.build import make_district

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


NIGHTS = int(os.environ.get("KIMONO_SEEDS", "2"))
"""Ordinary days, rollovers, and half as many of each incident."""


@pytest.fixture(scope="module")
def district() -> kx.Roster:
    return make_district(400, seed=7)


def test_the_same_roster_is_an_ordinary_load(district: kx.Roster) -> None:
    verdict = kx.gate(district, later(district))
    assert (verdict.verdict, verdict.exit_code, verdict.reasons, verdict.notes) == ("go", 0, [], ())
    assert verdict.headline == "An ordinary load: nothing removed, nothing added"


@pytest.mark.parametrize("seed", range(NIGHTS))
def test_an_ordinary_day_is_no_alarm(district: kx.Roster, seed: int) -> None:
    verdict = kx.gate(district, ordinary(district, np.random.default_rng(seed)).roster)
    assert verdict.to_frame()["sentence"].tolist() == []
    assert verdict.headline.startswith("An ordinary load: ")


@pytest.mark.parametrize("seed", range(NIGHTS))
def test_a_new_school_year_is_no_alarm(district: kx.Roster, seed: int) -> None:
    verdict = kx.gate(district, rollover(district, np.random.default_rng(seed)).roster)
    assert verdict.to_frame()["sentence"].tolist() == []
    assert [sign for sign in verdict.signs if not sign.holds] == []


@pytest.mark.parametrize("seed", range(max(1, NIGHTS // 2)))
@pytest.mark.parametrize("incident", INCIDENTS)
def test_an_incident_is_alarmed_with_its_school_and_reason(
    district: kx.Roster, incident: Callable[[kx.Roster, np.random.Generator], nights.Night], seed: int
) -> None:
    night = incident(district, np.random.default_rng(seed))
    verdict = kx.gate(district, night.roster)
    found = {(reason.rule, reason.school_id) for reason in verdict.reasons}
    assert {(rule, night.school) for rule in night.rules} <= found
    if night.school:
        assert {school for _, school in found} == {night.school}
        assert str(schools(district)[night.school]) in verdict.headline
    assert verdict.verdict == (
        "stop" if {"empty-table", "students-gone", "students-unknown"} & set(night.rules) else "hold"
    )
    assert verdict.exit_code in (1, 3)
    assert json.loads(json.dumps(verdict.to_dict()))["reasons"][0]["rule"] == verdict.reasons[0].rule


def test_an_incident_at_rollover_is_seen(district: kx.Roster) -> None:
    chance = np.random.default_rng(2)
    new = rollover(district, chance).roster
    school = nights.some_school(new, chance)
    verdict = kx.gate(district, without(new, [school]))
    assert ("school-gone", school) in {(reason.rule, reason.school_id) for reason in verdict.reasons}


def test_sections_that_end_in_the_middle_of_a_year_are_no_rollover(district: kx.Roster) -> None:
    new = rollover(district, np.random.default_rng(2)).roster
    new.loaded_at = district.loaded_at
    verdict = kx.gate(district, new)
    assert verdict.verdict == "stop"
    assert [sign.words for sign in verdict.signs if not sign.holds] == ["The terms of the old school year are over"]


def test_what_an_incomplete_load_lacks_is_not_deleted(district: kx.Roster) -> None:
    new = without(district, nights.students(district).iloc[:100])
    new.problems = add_rows(
        "problems", new.problems, [{"table": "persons", "problem": "the list ended early: rows may be missing"}]
    )
    if new.incomplete.empty:
        new.problems = new.problems.assign(problem=_a_text_of_incomplete())
    verdict = kx.gate(district, new)
    assert verdict.verdict == "stop"
    assert {reason.rule for reason in verdict.reasons} == {"incomplete-load"}
    with pytest.raises(kx.ConfigurationError, match="is a stop and cannot be let through"):
        verdict.let_through("incomplete-load", because="we are in a hurry")


def _a_text_of_incomplete() -> str:
    from kimono_explore.problems import INCOMPLETE

    return next(iter(INCOMPLETE))


def test_a_few_leavers_whom_the_source_still_enrolls_are_a_hold_and_no_stop() -> None:
    large = make_district(700, seed=3)
    new = without(large, nights.students(large).iloc[:6], links=False)
    verdict = kx.gate(large, new)
    assert [(reason.rule, reason.level) for reason in verdict.reasons] == [("students-unknown", "hold")]
    assert verdict.let_through("students-unknown", because="They left; enrollments end tonight").verdict == "go"


def test_a_teacher_who_goes_back_and_forth_is_seen_over_several_loads(district: kx.Roster) -> None:
    flipped = nights.primary_flips(district, np.random.default_rng(3))
    days = [district, later(flipped.roster), later(district)]
    assert kx.gate(days[2], later(district)).verdict == "go"
    verdict = kx.gate(days[2], later(district, 3), before=days[:2])
    assert {(reason.rule, reason.school_id) for reason in verdict.reasons} == {("primary-teachers", flipped.school)}
    assert "within 4 loads" in verdict.headline


def test_measures_count_every_fate_once(district: kx.Roster) -> None:
    new = nights.joined(without(district, nights.students(district).iloc[:7]), 3, np.random.default_rng(1))
    found = measure(kx.compare(district, new, match="auto"), district, new, (members(district), members(new)))
    whole = found[found["school"].isna()].set_index("kind")
    students = whole.loc["students", ["before", "after", "removed", "added", "recreated"]]
    assert students.tolist() == [400, 396, 7, 3, 0]
    assert (found["before"] - found["removed"] + found["added"] == found["after"]).all()
    enrollments = [len(df.query("relation == 'student_in'")) for df in (district.links, new.links)]
    assert whole.loc["enrollments", ["before", "after"]].tolist() == enrollments


def test_a_small_school_may_lose_a_few(district: kx.Roster) -> None:
    limits = Limits()
    new = without(district, nights.students(district).iloc[: limits.least - 1])
    assert kx.gate(district, new).verdict == "go"


def test_one_reason_at_one_school_for_one_load_is_let_through(district: kx.Roster, tmp_path: Path) -> None:
    night = nights.calendar_rebuilt(district, np.random.default_rng(1))
    district.save(tmp_path / "mon")
    night.roster.save(tmp_path / "tue")
    name = str(schools(district)[night.school])
    verdict = kx.gate(tmp_path / "mon", tmp_path / "tue")
    assert {reason.rule for reason in verdict.reasons} == {"sections-recreated", "enrollments-recreated"}
    once = verdict.let_through("sections-recreated", school=name, because="New calendar", log=tmp_path / "gate.log")
    assert once.verdict == "hold"
    twice = once.let_through(
        "enrollments-recreated", school=night.school, because="the same", log=tmp_path / "gate.log"
    )
    assert (twice.verdict, len(twice.reasons)) == ("go", 2)
    assert "apart from what was let through" in twice.headline
    assert kx.gate(tmp_path / "mon", tmp_path / "tue").verdict == "go"
    assert stat.S_IMODE((tmp_path / "gate.log").stat().st_mode) == 0o600
    lines = [json.loads(line) for line in (tmp_path / "gate.log").read_text().splitlines()]
    assert [(line["rule"], line["because"], line["load"]) for line in lines] == [
        ("sections-recreated", "New calendar", verdict.load),
        ("enrollments-recreated", "the same", verdict.load),
    ]
    night.roster.save(tmp_path / "tue")  # the same roster, loaded again, is another load
    assert kx.gate(tmp_path / "mon", tmp_path / "tue").verdict == "hold"


@pytest.mark.parametrize(
    ("rule", "school", "because", "message"),
    [
        ("sections-removed", None, "x", "No reason 'sections-removed' of the whole district"),
        (
            "courses-recreated",
            "Nowhere",
            "x",
            "at Nowhere holds this load. Its reasons: courses-recreated at the district",
        ),
        ("courses-recreated", None, " ", "Say why with because="),
    ],
)
def test_what_cannot_be_let_through_says_why(
    district: kx.Roster, rule: str, school: str | None, because: str, message: str
) -> None:
    verdict = kx.gate(district, nights.courses_recreated(district, np.random.default_rng(1)).roster)
    with pytest.raises(kx.ConfigurationError, match=message):
        verdict.let_through(rule, school=school, because=because)


def test_limits_are_read_from_the_file_beside_the_snapshot(district: kx.Roster, tmp_path: Path) -> None:
    new = without(district, district.sections["id"].iloc[:40])
    for name, roster in (("mon", district), ("tue", new)):
        roster.save(tmp_path / name)
    assert kx.gate(tmp_path / "mon", tmp_path / "tue").verdict == "hold"
    (tmp_path / "quality.toml").write_text("[gate]\nremoved = 0.9\nenrollments_removed = 1\n")
    assert kx.gate(tmp_path / "mon", tmp_path / "tue").verdict == "go"
    assert kx.check(tmp_path / "mon", ["missing_id"]).outcomes[0].status == "passed"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"remove": 0.1}, "unknown key 'remove'"),
        ({"removed": 10}, "it needs a share"),
        ({"removed": True}, "it needs a share"),
        ({"removed": "0.1"}, "it needs a share"),
        ({"least": 0}, "integer >= 1"),
        ({"least": 2.5}, "integer >= 1"),
    ],
)
def test_a_limit_that_is_none_is_named(given: dict[str, object], message: str) -> None:
    with pytest.raises(kx.ConfigurationError, match=message):
        read_limits(given, "quality.toml")


def test_the_command_line_says_it_with_its_exit_code(
    district: kx.Roster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    night = nights.calendar_rebuilt(district, np.random.default_rng(1))
    for name, roster in (("mon", district), ("tue", night.roster), ("down", without(district, district.persons["id"]))):
        roster.save(tmp_path / name)
    mon, tue, down = (str(tmp_path / name) for name in ("mon", "tue", "down"))
    assert main(["gate", mon, mon]) == 0
    assert main(["gate", mon, down]) == 3
    assert "STOP  " in capsys.readouterr().out
    assert main(["gate", mon, tue, "--html", str(tmp_path / "v.html"), "--json", str(tmp_path / "v.json")]) == 1
    assert json.loads((tmp_path / "v.json").read_text())["verdict"] == "hold"
    assert main(["gate", mon, str(tmp_path / "nowhere")]) == 2
    assert main(["gate", mon, tue, "--because", "x"]) == 2
    assert main(["gate", mon, tue, "--as-of", "soon"]) == 2
    school = str(schools(district)[night.school])
    accept = ["--school", school, "--because", "New calendar"]
    assert main(["gate", mon, tue, "--accept", "sections-recreated", *accept]) == 1
    assert main(["gate", mon, tue, "--accept", "enrollments-recreated", *accept]) == 0
    assert "let through: New calendar" in capsys.readouterr().out


def test_a_reason_says_what_is_usual(district: kx.Roster, tmp_path: Path) -> None:
    def day(name: str, roster: kx.Roster) -> Path:
        kx.gate(district, roster).to_json(tmp_path / name)
        return tmp_path / name

    school = next(iter(schools(district).index))
    sections = nights.at_school(district, "held_at", school)
    one_less = without(district, [sections.iloc[0]])
    seen = [
        day("1.json", district),
        day("2.json", one_less),
        day("3.json", nights.calendar_rebuilt(district, np.random.default_rng(1)).roster),
    ]
    (tmp_path / "4.json").write_text("{}")
    with pytest.warns(kx.KimonoWarning, match=r"4\.json is not a verdict and was left out"):
        verdict = kx.gate(district, without(district, sections.iloc[:8]), usual=[*seen, tmp_path / "4.json"])
    reason = next(reason for reason in verdict.reasons if reason.rule == "sections-removed")
    assert reason.school_id == school
    assert reason.usual == (0.0, 1 / len(sections))
    verdict.to_html(tmp_path / "v.html")
    page = (tmp_path / "v.html").read_text()
    assert f'data-l="Usual day">{usual_words(reason.usual)}</td>' in page
    assert "Usual day" not in kx.gate(district, without(district, sections.iloc[:8])).to_frame().to_string()
    assert verdict.to_dict()["reasons"][0]["usual"] == reason.usual
    assert usual_shares([]) == {}


def test_the_page_escapes_and_names_no_person(district: kx.Roster, tmp_path: Path) -> None:
    night = nights.calendar_rebuilt(district, np.random.default_rng(1))
    evil = "<script>alert(1)</script>"
    for roster in (old := later(district), night.roster):
        roster.orgs = roster.orgs.assign(name=evil, label=evil)
    verdict = kx.gate(old, night.roster)
    verdict.to_html(tmp_path / "v.html")
    page = (tmp_path / "v.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not [name for name in district.persons["email"].dropna() if name in page or name in verdict.message()]
    assert stat.S_IMODE((tmp_path / "v.html").stat().st_mode) == 0o600


def test_the_command_to_copy_takes_a_school_for_nothing_but_its_name(district: kx.Roster, tmp_path: Path) -> None:
    night = nights.calendar_rebuilt(district, np.random.default_rng(1))
    evil = "O'Hara $(touch owned) `id` \"; id"
    for roster in (old := later(district), night.roster):
        roster.orgs = roster.orgs.assign(name=evil, label=evil)
    kx.gate(old, night.roster).to_html(tmp_path / "v.html")
    command = re.search(r"kimono-explore gate OLD NEW[^<]+", html.unescape((tmp_path / "v.html").read_text()))
    assert command is not None
    assert f"--school {shlex.quote(evil)} --because" in command[0]


def test_empty_and_odd_rosters_have_a_verdict(district: kx.Roster) -> None:
    assert kx.gate(kx.Roster(), kx.Roster()).verdict == "go"
    first = kx.gate(kx.Roster(), district)
    assert first.verdict == "go"
    assert kx.gate(district, kx.Roster()).verdict == "stop"
    odd = later(district)
    odd.persons = pd.concat([odd.persons, odd.persons.head(5).assign(id=None, person_type=None)], ignore_index=True)
    odd.links = pd.concat([odd.links, odd.links.head(5).assign(source_id=None)], ignore_index=True)
    assert kx.gate(district, odd).verdict == "go"
    with pytest.raises(TypeError, match="gate needs a Roster"):
        kx.gate(district, None)  # type: ignore[arg-type]


def test_a_load_that_goes_says_all_that_happened(district: kx.Roster) -> None:
    chance = np.random.default_rng(1)
    few = nights.renamed(district, "sections", district.sections["id"].iloc[:3], chance)
    assert kx.gate(district, few).headline == "An ordinary load: 3 sections came back under new ids"
    fewer = kx.gate(district, without(district, district.courses["id"].iloc[:1])).headline
    assert "1 course ended" in fewer
    renamed = district.persons.assign(name_last=district.persons["name_last"].where(district.persons.index > 0, "X"))
    assert kx.gate(district, later(district, persons=renamed)).headline == "An ordinary load: 1 student changed"


def test_a_column_that_teachers_lose_is_seen(district: kx.Roster) -> None:
    teachers = district.persons.index[district.persons["person_type"] == "teacher"]
    persons = district.persons.copy()
    persons.loc[teachers[::2], "email"] = None
    found = kx.gate(district, later(district, persons=persons)).reasons
    assert {reason.rule for reason in found} == {"column-emptied"}
    assert all("teachers" in reason.sentence and "email" in reason.sentence for reason in found)


def test_a_damaged_log_keeps_no_load_from_its_verdict(district: kx.Roster, tmp_path: Path) -> None:
    night = nights.calendar_rebuilt(district, np.random.default_rng(1))
    district.save(tmp_path / "mon")
    night.roster.save(tmp_path / "tue")
    log = tmp_path / "gate.log"
    verdict = kx.gate(tmp_path / "mon", tmp_path / "tue")
    odd = [{"rule": "sections-recreated", "school": night.school, "because": 5, "load": verdict.load}]
    odd += [{"rule": "nothing-such", "school": None, "because": "x", "load": verdict.load}]
    log.write_bytes(b"\xff\xfe\n" + b"".join(json.dumps(entry).encode() + b"\n" for entry in odd) + b'{"when')
    assert kx.gate(tmp_path / "mon", tmp_path / "tue").verdict == "hold"
    for reason in verdict.reasons:
        verdict.let_through(reason.rule, school=reason.school_id, because="New calendar", log=log)
    assert kx.gate(tmp_path / "mon", tmp_path / "tue").verdict == "go"
    assert kx.gate(tmp_path / "tue", tmp_path / "tue").verdict == "go"  # what was let through is no reason here


def test_wrong_arguments_are_named(district: kx.Roster) -> None:
    assert kx.gate(district, district, before=district).verdict == "go"  # type: ignore[arg-type]
    with pytest.raises(kx.BundleError, match="nowhere"):
        kx.gate(district, district, before="nowhere")
    with pytest.raises(kx.ConfigurationError, match="as_of=5 is not a date"):
        kx.gate(district, district, as_of=5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="let_through needs"):
        kx.gate(district, kx.Roster()).let_through("empty-table", because=None)  # type: ignore[arg-type]
