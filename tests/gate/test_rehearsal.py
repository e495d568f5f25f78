"""A rehearsal: a class under a new id is closed and created empty, exactly its students are named, and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args, get_type_hints

import numpy as np
import pandas as pd
import pytest
from builders import course, link, make, school, section, student, teacher
from nights import at_school, calendar_rebuilt, later, ordinary, without

import kimono_explore as kx
from kimono_explore.frames import add_rows
from kimono_explore.gate.targets import TARGETS
from kimono_explore.problems import INCOMPLETE
from kimono_explore.sandbox.district.build import make_district

if TYPE_CHECKING:
    from pathlib import Path

Target = Literal["clever", "google", "sds", "canvas", "apple"]
ALL: tuple[Target, ...] = get_args(Target)
ENDED = {target: TARGETS[target].what for target in ALL}


@pytest.fixture(scope="module")
def district() -> kx.Roster:
    return make_district(400, seed=7)


def fates(rehearsal: kx.Rehearsal) -> dict[str, set[str]]:
    return {str(what): set(rows["section_id"]) for what, rows in rehearsal.classes.groupby("what")}


def small(*more: tuple[str, dict[str, object]], section_id: str = "algebra-1", **of_section: object) -> kx.Roster:
    return make(
        school(), course(), section(section_id, local_id="7", **of_section), student(), teacher(),
        link(f"{section_id} of_course algebra"), link(f"{section_id} held_at school"), link(f"ana student_in {section_id}"),
        link(f"ben teacher_in {section_id}"), link("ana member_of school"), *more,
    )  # fmt: skip


def test_the_targets_are_those_of_the_signature() -> None:
    assert get_args(get_type_hints(kx.rehearse)["target"]) == tuple(TARGETS)


@pytest.mark.parametrize("target", ALL)
def test_a_rebuilt_calendar_closes_exactly_its_classes_and_names_exactly_their_students(
    district: kx.Roster, target: Target
) -> None:
    night = calendar_rebuilt(district, np.random.default_rng(1))
    assert night.school
    ours, again = (set(at_school(roster, "held_at", night.school)) for roster in (district, night.roster))
    links = district.links[district.links["target_id"].isin(ours)]
    rehearsal = kx.rehearse(district, night.roster, target)
    assert fates(rehearsal) == {ENDED[target]: ours, "created empty": again}
    assert set(rehearsal.students["person_id"]) == set(links.loc[links["relation"] == "student_in", "source_id"])
    assert rehearsal.students["person_id"].is_unique
    closed = rehearsal.classes[rehearsal.classes["what"] == ENDED[target]]
    assert set(closed["new_id"]) == again
    assert closed["students"].sum() == (links["relation"] == "student_in").sum()
    assert closed["teachers"].sum() == (links["relation"] == "teacher_in").sum()
    assert rehearsal.classes["school"].nunique() == 1
    assert f"creates {len(again)} new empty ones" in rehearsal.headline


@pytest.mark.parametrize("target", ALL)
def test_the_same_roster_loses_nothing_and_nothing_of_it_is_refused(district: kx.Roster, target: Target) -> None:
    rehearsal = kx.rehearse(district, later(district), target)
    assert (len(rehearsal.classes), len(rehearsal.students), len(rehearsal.refused)) == (0, 0, 0)
    assert rehearsal.headline.endswith(" no class and refuses nothing")


def test_on_an_ordinary_day_classes_lose_members_and_none_is_closed(district: kx.Roster) -> None:
    new = ordinary(district, np.random.default_rng(1)).roster
    rehearsal = kx.rehearse(district, new, "sds")
    assert set(fates(rehearsal)) == {"loses members"}
    ends = ["source_id", "target_id"]
    before, after = (
        set(map(tuple, r.links.loc[r.links["relation"] == "student_in", ends].to_numpy())) for r in (district, new)
    )
    assert set(rehearsal.students["person_id"]) == {person for person, _ in before - after}
    assert fates(rehearsal)["loses members"] >= {section for _, section in before - after}
    assert rehearsal.classes["students"].sum() == len(before - after)


def test_who_loses_which_class() -> None:
    rehearsal = kx.rehearse(small(), small(section_id="new-1", title="algebra-1"), "canvas")
    both = {"label": "algebra-1", "school": "school", "students": 1, "teachers": 1}
    assert rehearsal.classes.drop(columns="new_id").to_dict("records") == [
        {"section_id": "algebra-1", "what": "closed", **both},
        {"section_id": "new-1", "what": "created empty", **both},
    ]
    assert rehearsal.classes["new_id"][0] == "new-1"
    assert pd.isna(rehearsal.classes["new_id"][1])
    assert rehearsal.students.to_dict("records") == [
        {"person_id": "ana", "label": "Ana Silva", "school": "school", "classes": "algebra-1"}
    ]
    assert rehearsal.headline == "Canvas closes 1 class and creates 1 new empty one; 1 student loses a class"
    assert repr(rehearsal) == f"<Rehearsal: {rehearsal.headline}>"


def test_a_class_that_is_gone_for_good_is_closed_and_not_created() -> None:
    rehearsal = kx.rehearse(small(), without(small(), ["algebra-1"]), "apple")
    assert fates(rehearsal) == {"closed": {"algebra-1"}}
    assert rehearsal.classes["new_id"].isna().all()
    assert rehearsal.students["person_id"].tolist() == ["ana"]


def test_a_section_that_is_not_delivered_is_closed_though_links_still_name_it() -> None:
    rehearsal = kx.rehearse(small(), without(small(), ["algebra-1"], links=False), "clever")
    assert fates(rehearsal) == {"closed": {"algebra-1"}}
    assert rehearsal.students["person_id"].tolist() == ["ana"]


def test_a_new_class_is_no_loss() -> None:
    new = small(section("physics-1"), link("ana student_in physics-1"))
    assert kx.rehearse(small(), new, "sds").headline == "School Data Sync closes no class and refuses nothing"


def test_a_teacher_who_leaves_a_class_is_a_member_lost() -> None:
    new = small()
    new.links = new.links[new.links["relation"] != "teacher_in"].reset_index(drop=True)
    rehearsal = kx.rehearse(small(), new, "google")
    assert rehearsal.classes[["what", "students", "teachers"]].to_numpy().tolist() == [["loses members", 0, 1]]
    assert rehearsal.students.empty


@pytest.mark.parametrize("target", ["blackboard", "Clever", "", None, ["clever"]])
def test_an_unknown_target_is_answered_in_one_line(target: object) -> None:
    with pytest.raises(ValueError, match=r"^Unknown target .*\. Choose one of: clever, google, sds, canvas, apple\.$"):
        kx.rehearse(kx.Roster(), kx.Roster(), target)  # type: ignore[arg-type]


@pytest.mark.parametrize("target", ALL)
def test_empty_and_odd_rosters(target: Target, district: kx.Roster) -> None:
    empty = kx.rehearse(kx.Roster(), kx.Roster(), target)
    assert (len(empty.classes), len(empty.students), len(empty.refused)) == (0, 0, 0)
    assert kx.rehearse(kx.Roster(), district, target).classes.empty
    everything = kx.rehearse(district, kx.Roster(), target)
    assert everything.count(ENDED[target]) == len(district.sections)
    odd = make(
        section(None), student(None), school(None), section("a"), section("a"), student("b"), student("b"),
        link("b student_in a"), link("b student_in gone"), link("gone student_in a"),
    )  # fmt: skip
    rehearsal = kx.rehearse(odd, kx.Roster(), target)
    assert rehearsal.classes["section_id"].tolist() == ["a"]
    assert rehearsal.students["person_id"].tolist() == ["b"]
    assert rehearsal.classes["students"].tolist() == [1]
    assert "no school" in rehearsal._repr_html_()
    for found in (empty, everything, rehearsal, kx.rehearse(odd, odd, target)):
        assert list(found.classes.dtypes.astype(str)) == ["str"] * 5 + ["int64"] * 2
        assert set(found.students.dtypes.astype(str)) == set(found.refused.dtypes.astype(str)) == {"str"}


def test_an_incomplete_load_is_said(district: kx.Roster) -> None:
    new = without(district, district.sections["id"].iloc[:3])
    new.problems = add_rows("problems", new.problems, [{"table": "sections", "problem": next(iter(INCOMPLETE))}])
    assert kx.rehearse(district, new, "canvas").headline.endswith("; the load was not complete")


def test_snapshots_are_rehearsed_as_rosters_are(tmp_path: Path) -> None:
    small().save(tmp_path / "old")
    without(small(), ["algebra-1"]).save(tmp_path / "new")
    assert kx.rehearse(tmp_path / "old", str(tmp_path / "new"), "clever").count("closed") == 1


def test_the_notebook_shows_the_sentence_and_the_sources_and_escapes_names() -> None:
    old = small(school("b", name="<b>"), section("x"), link("x held_at b"))
    shown = kx.rehearse(old, without(old, ["x", "algebra-1"]), "apple")._repr_html_()
    assert "Apple School Manager closes 2 classes" in shown
    assert "&lt;b&gt;" in shown
    assert "https://support.apple.com/" in shown


def test_the_page_of_a_hold_has_a_row_for_each_system_and_names_nobody(district: kx.Roster, tmp_path: Path) -> None:
    night = calendar_rebuilt(district, np.random.default_rng(1))
    kx.gate(district, night.roster).to_html(tmp_path / "hold.html")
    page = (tmp_path / "hold.html").read_text(encoding="utf-8")
    assert page.count("<strong>", page.index("Rehearsal: what"), page.index("<section id=steps>")) == len(TARGETS)
    closed = kx.rehearse(district, night.roster, "apple")
    count = f'data-l="Students affected">{len(closed.students):,}<'
    assert page.count(count) == len(TARGETS)
    assert page.count('data-l="Closed">0<') == 1
    assert not [name for name in closed.students["label"] if name in page]
    kx.gate(district, later(district)).to_html(tmp_path / "go.html")
    assert "Rehearsal: what" not in (tmp_path / "go.html").read_text(encoding="utf-8")
