"""The score: worked by hand, and what may not change it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pandas as pd
from builders import Item, lea, link, make, school, section, student, teacher
from hypothesis import given, settings
from hypothesis import strategies as st

import kimono_explore as kx
from kimono_explore.quality.score import make_scores, score_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SECTION, PERSON = ["section_without_teacher"], ["section_without_teacher", "student_without_sections"]


def two_schools() -> list[Item]:
    """Oak: 8 students, 5 of them in a section without a teacher, 2 in one with, 1 in none; Elm: 1 student, in none."""
    items: list[Item] = [lea(), school("oak"), school("elm"), section("x"), section("y"), teacher()]
    items += [link("x held_at oak"), link("y held_at oak"), link("ben member_of oak"), link("ben teacher_in y")]
    for number in range(8):
        items += [student(f"p{number}"), link(f"p{number} member_of oak")]
    items += [link(f"p{number} student_in x") for number in range(5)]
    items += [link("p5 student_in y"), link("p6 student_in y"), student("q"), link("q member_of elm")]
    return items


def scores(report: kx.Report, scope: str) -> dict[str, list[int]]:
    df = report.scores[report.scores["scope"] == scope]
    return {str(row.id): [row.people, row.errors, row.warnings, row.score] for row in df.itertuples()}


def test_the_example_of_the_documentation() -> None:
    """10 people: an error reaches 5 students, a warning 2 others: 100 * (10 - 5 - 2 / 4) / 10 = 45."""
    report = kx.check(make(*two_schools()), PERSON)
    assert report.score == 45
    assert report.scores.loc[0, ["scope", "people", "errors", "warnings", "score"]].tolist() == [
        "district",
        10,
        5,
        2,
        45,
    ]
    # Oak: 9 people, 5 errors, 1 warning: 100 * 3.75 / 9 = 41.67. Elm: 1 person with a warning.
    assert scores(report, "school") == {"elm": [1, 0, 1, 75], "oak": [9, 5, 1, 41]}
    assert scores(report, "table")["sections"] == [10, 5, 0, 50]
    assert scores(report, "table")["persons"] == [10, 0, 2, 95]
    assert scores(report, "table")["terms"] == [10, 0, 0, 100]
    assert report.scores.loc[report.scores["scope"] == "school", "name"].tolist() == ["elm", "oak"]
    assert "; score 45 of 100>" in repr(report)
    assert "score <strong>45</strong> of 100" in report._repr_html_()


def test_the_page_has_the_score(tmp_path: Path) -> None:
    kx.check(make(*two_schools()), PERSON).to_html(tmp_path / "q.html")
    text = (tmp_path / "q.html").read_text(encoding="utf-8")
    assert "<b>45</b> of 100" in text
    assert "5 students, 1 section, 1 school" in text


def test_three_engines_agree() -> None:
    roster = make(*two_schools())
    pd.testing.assert_frame_equal(kx.check(roster, PERSON).scores, kx.check(roster, PERSON, engine="duckdb").scores)


def test_what_was_not_checked_has_no_score() -> None:
    """With all checks switched off, or none that applies, nobody knows whom something harms."""
    roster = make(*two_schools())
    for checks in ([], ["student_without_dob"]):
        report = kx.check(roster, checks)
        assert (report.unchecked, report.score, report.scores.empty) == (True, None, True)
    assert not kx.check(roster, PERSON).unchecked


def test_nobody_has_no_score() -> None:
    report = kx.check(make(lea()), SECTION)
    assert report.score is None
    assert report.scores.empty
    assert "score" not in repr(report)
    assert make_scores(None, {}).empty
    assert score_of(0, 0, 0) is None


@settings(max_examples=15)
@given(more=st.integers(0, 30), sections=st.integers(0, 10))
def test_what_passes_elsewhere_does_not_change_a_school(more: int, sections: int) -> None:
    added: list[Item] = [item for n in range(more) for item in (student(f"n{n}"), link(f"n{n} member_of elm"))]
    added += [item for n in range(sections) for item in (section(f"s{n}"), link(f"ben teacher_in s{n}"))]
    report = kx.check(make(*two_schools(), *added), SECTION)
    assert scores(report, "school")["oak"] == oak_alone()


@cache
def oak_alone() -> list[int]:
    return scores(kx.check(make(*two_schools()), SECTION), "school")["oak"]


@settings(max_examples=15)
@given(st.lists(st.sampled_from(["p0", "p6", "p7", "q", "x", "y"]), max_size=4), st.sampled_from(["p5", "q", "y"]))
def test_another_finding_never_raises_a_score(broken: Sequence[str], also: str) -> None:
    fewer, more = damaged(frozenset(broken)), damaged(frozenset({*broken, also}))
    for scope in ("district", "school", "table"):
        after = scores(more, scope)
        assert all(after[id][3] <= row[3] for id, row in scores(fewer, scope).items())


@cache
def damaged(ids: frozenset[str]) -> kx.Report:
    """The two schools, where the names of these people and the teachers of these sections are taken away."""
    items = [
        (table, {**row, "name_first": None, "name_last": None} if row.get("id") in ids and table == "persons" else row)
        for table, row in two_schools()
        if not ("y" in ids and row.get("relation") == "teacher_in")
    ]
    return kx.check(make(*items), ["section_without_teacher", "person_without_name", "duplicate_id"])


@given(st.integers(1, 500), st.data())
def test_the_formula_is_monotonous(people: int, data: st.DataObject) -> None:
    errors = data.draw(st.integers(0, people))
    warnings = data.draw(st.integers(0, people - errors))
    score = score_of(people, errors, warnings)
    assert score is not None
    assert 0 <= score <= 100
    assert (score == 100) == (not errors and not warnings)
    if warnings:
        worse = score_of(people, errors + 1, warnings - 1)
        assert worse is not None
        assert worse <= score
