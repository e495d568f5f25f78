"""The quality widget: the score, the causes, the rows of one, and the checks one click away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

import kimono_explore as kx
from kimono_explore.sandbox.flaws.catalogue import inject_flaws

if TYPE_CHECKING:
    from pathlib import Path

    from kimono_explore.widgets.quality import QualityInspector


@pytest.fixture(scope="module")
def report(small_roster: kx.Roster) -> kx.Report:
    return kx.check(inject_flaws(small_roster)[0], as_of="2026-10-05")


def shown(inspector: QualityInspector) -> set[str]:
    return {table.label for table in (inspector._causes, inspector._checks, inspector._rows) if not table.hidden}


def test_first_comes_the_score_a_sentence_and_the_causes(report: kx.Report) -> None:
    inspector = kx.inspect_quality(report)
    first = inspector.children[0].value
    whole = report.scores.iloc[0]
    assert f"<b>{report.score}</b> of 100" in first
    assert f"{whole['errors']} of {whole['people']} people are affected by an error" in first
    assert shown(inspector) == {"Causes"}
    assert inspector.causes["number"].tolist() == list(range(len(report.causes)))
    pd.testing.assert_frame_equal(
        inspector.causes[report.causes.columns.tolist()], report.causes.reset_index(drop=True)
    )


def test_causes_have_the_words_of_the_page(report: kx.Report, tmp_path: Path) -> None:
    report.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    inspector = kx.inspect_quality(report)
    for cause in inspector.causes.head(10).to_dict("records"):
        assert cause["sentence"].replace("'", "&#39;") in page
        assert cause["who"] in page
    inspector.select_cause(0)
    for question in ("Who is affected", "What they will see", "Owner", "Next step"):
        assert f"<dt>{question}</dt>" in page
        assert f"<dt>{question}</dt>" in inspector._about.value


def test_a_cause_shows_its_rows_and_a_row_its_object(report: kx.Report) -> None:
    inspector = kx.inspect_quality(report)
    number = int(report.causes["checks"].eq("invalid_email").to_numpy().argmax())
    row = inspector.causes.index[inspector.causes["number"] == number][0]
    inspector._causes.pick([row])
    assert (inspector.cause, inspector.check) == (number, None)
    pd.testing.assert_frame_equal(inspector.table, report.rows(number))
    assert shown(inspector) == {"Causes", "Failing rows"}
    inspector.pick(0)
    assert inspector.browser is not None
    assert inspector.browser.selected == report.rows(number)["id"].iloc[0]


def test_rows_of_several_checks_say_which_failed(report: kx.Report) -> None:
    several = int(report.causes["checks"].str.contains(", ").to_numpy().argmax())
    inspector = kx.inspect_quality(report)
    inspector.select_cause(several)
    assert inspector._rows.df["check"].tolist() == [report.title(id) for id in report.rows(several)["check"]]
    assert inspector._causes.selected_rows == [several]
    with pytest.raises(KeyError, match="no cause 9999"):
        inspector.select_cause(9999)
    assert inspector.cause == several


def test_the_checks_are_one_click_away(report: kx.Report) -> None:
    inspector = kx.inspect_quality(report)
    inspector.select_cause(0)
    inspector._list.take("checks")
    assert (inspector._causes.hidden, inspector._checks.hidden) == (True, False)
    assert (inspector.cause, inspector._picked.hidden) == (None, True)
    assert inspector._checks.df["number"].tolist() == inspector.checks["number"].tolist()
    inspector._list.take("causes")
    inspector.select("invalid_email")
    assert "<code>KX-VAL-003</code>" in inspector._about.value
    assert shown(inspector) == {"Checks", "Failing rows"}
    assert inspector.checks["id"].iloc[inspector._checks.selected_rows[0]] == "invalid_email"
    inspector.select_cause(0)
    assert (inspector.cause, inspector.check, inspector._checks.hidden) == (0, None, True)


def test_a_school_narrows_causes_and_their_rows(report: kx.Report) -> None:
    inspector = kx.inspect_quality(report)
    org_id = report.findings["org_id"].dropna().iloc[0]
    mine = report.findings[report.findings["org_id"] == org_id]
    inspector.filter(org_id=org_id)
    assert inspector.causes["findings"].sum() == len(mine)
    inspector.select_cause(int(inspector.causes["number"].iloc[0]))
    assert inspector.table["org_id"].unique().tolist() == [org_id]
    assert len(inspector.table) == inspector.causes["findings"].iloc[0]


def test_where_all_is_well_the_widget_says_so(small_roster: kx.Roster) -> None:
    inspector = kx.inspect_quality(kx.check(small_roster, as_of="2026-10-05"))
    assert "<b>100</b> of 100" in inspector.children[0].value
    assert "Nobody is affected by an error." in inspector.children[0].value
    assert (len(inspector.causes), inspector._causes.view["total"]) == (0, 0)


def test_of_a_roster_of_nothing_the_widget_does_not_say_that_all_is_well() -> None:
    first = kx.inspect_quality(kx.check(kx.Roster())).children[0].value
    assert "Nothing was checked: no check found anything to look at. Is the roster empty?" in first
    assert "of 100" not in first


def test_where_nobody_can_be_reached_the_sentence_says_what_to_fix() -> None:
    with kx.sandbox(students=20) as box:
        late = kx.check_tasks(kx.load_tasks(box.client), now="2026-10-05T12:00:00Z")
    inspector = kx.inspect_quality(late)
    assert "of 100" not in inspector.children[0].value
    assert f"{inspector.causes['sentence'].iloc[0]}. Fix this first." in inspector.children[0].value


def test_an_address_keeps_the_place_in_the_report(report: kx.Report) -> None:
    inspector = kx.inspect_quality(report)
    assert inspector.address == {}
    org_id = report.findings["org_id"].dropna().iloc[0]
    inspector.filter(org_id=org_id)
    inspector.select_cause(int(inspector.causes["number"].iloc[0]))
    inspector.pick(0)
    assert set(inspector.address) == {"school", "cause", "row"}
    other = kx.inspect_quality(report)
    other.address = inspector.address
    assert other.address == inspector.address
    pd.testing.assert_frame_equal(other.table, inspector.table)
    inspector.filter("warning")
    inspector.select("invalid_email")
    other.address = inspector.address
    assert (other.check, other.address) == ("invalid_email", inspector.address)
    third = kx.inspect_quality(report)
    third.address = {"list": "x", "school": "gone", "cause": "9999", "check": "no such", "row": "1" * 30}
    assert third.address == {}
