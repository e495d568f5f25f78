"""The quality widget: the score, the causes, the rows of one, and the checks one click away."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import kimono_explore as kx
from kimono_explore.errors import ConfigurationError
from kimono_explore.quality import words
from kimono_explore.quality.config import waivers_of
from kimono_explore.sandbox.flaws.catalogue import inject_flaws
from kimono_explore.widgets.controls import walk
from kimono_explore.widgets.table import DataTable

if TYPE_CHECKING:
    from pathlib import Path

    from kimono_explore.quality import CheckContext, CheckResult
    from kimono_explore.widgets.quality import QualityInspector


@pytest.fixture(scope="module")
def report(small_roster: kx.Roster) -> kx.Report:
    return kx.check(inject_flaws(small_roster)[0], as_of="2026-10-05")


def shown(inspector: QualityInspector) -> set[str]:
    return {table.label for table in walk(inspector, hidden=False) if isinstance(table, DataTable)}


def test_first_comes_the_score_a_sentence_and_the_causes(report: kx.Report) -> None:
    inspector = kx.inspect_quality(report)
    first = inspector._score.value
    whole = report.scores.iloc[0]
    assert f"<b>{report.score}</b> of 100" in first
    assert f"{whole['errors']} of {whole['people']} people are affected by an error" in first
    assert shown(inspector) == {"Causes", "Failing rows"}  # the most urgent is open
    assert (inspector.cause, inspector._tables["causes"].selected_rows) == (0, [0])
    pd.testing.assert_frame_equal(inspector.table, report.rows(0))
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
    inspector._tables["causes"].pick([row])
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
    assert inspector._tables["causes"].selected_rows == [several]
    with pytest.raises(KeyError, match="no cause 9999"):
        inspector.select_cause(9999)
    assert inspector.cause == several


def test_the_checks_are_one_click_away(report: kx.Report) -> None:
    inspector = kx.inspect_quality(report)
    inspector.select_cause(0)
    inspector._list.take("checks")
    assert (inspector._tables["causes"].hidden, inspector._tables["checks"].hidden) == (True, False)
    assert (inspector.cause, inspector._picked.hidden) == (None, True)
    assert inspector._tables["checks"].df["number"].tolist() == inspector.checks["number"].tolist()
    inspector._list.take("causes")
    inspector.select("invalid_email")
    assert "<code>KX-VAL-003</code>" in inspector._about.value
    assert shown(inspector) == {"Checks", "Failing rows"}
    assert inspector.checks["id"].iloc[inspector._tables["checks"].selected_rows[0]] == "invalid_email"
    inspector.select_cause(0)
    assert (inspector.cause, inspector.check, inspector._tables["checks"].hidden) == (0, None, True)


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
    assert "<b>100</b> of 100" in inspector._score.value
    assert "Nobody is affected by an error." in inspector._score.value
    assert (len(inspector.causes), inspector._tables["causes"].view["total"]) == (0, 0)


def test_of_a_roster_of_nothing_the_widget_does_not_say_that_all_is_well() -> None:
    inspector = kx.inspect_quality(kx.check(kx.Roster()))
    first = inspector._score.value
    assert ("passed" in inspector._tables, inspector._other.hidden) == (False, True)  # nothing passed, either
    assert "Nothing was checked: no check found anything to look at. Is the roster empty?" in first
    assert "of 100" not in first


def test_where_nobody_can_be_reached_the_sentence_says_what_to_fix() -> None:
    with kx.sandbox(students=20) as box:
        late = kx.check_tasks(kx.load_tasks(box.client), now="2026-10-05T12:00:00Z")
    inspector = kx.inspect_quality(late)
    assert "of 100" not in inspector._score.value
    assert f"{inspector.causes['sentence'].iloc[0]}. Fix this first." in inspector._score.value


def test_an_address_keeps_the_place_in_the_report(report: kx.Report) -> None:
    inspector = kx.inspect_quality(report)
    assert inspector.address == {}
    org_id = report.findings["org_id"].dropna().iloc[0]
    inspector.filter(org_id=org_id)
    inspector.select_cause(int(inspector.causes["number"].iloc[0]))
    inspector.pick(0)
    assert set(inspector.address) == {"school", "row"}  # the first cause is open where nothing else is said
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


# What is new, schools, what passed, what did not run, what is waived


def test_after_since_the_widget_tells_what_is_new(small_roster: kx.Roster) -> None:
    flawed = inject_flaws(small_roster)[0]
    report = kx.check(flawed, as_of="2026-10-05")
    assert kx.inspect_quality(report)._change.hidden
    report.since(kx.check(flawed, exclude=["invalid_email", "untrimmed_text"], as_of="2026-09-28"))
    inspector = kx.inspect_quality(report)
    changes = report.changes
    assert changes is not None
    new = changes[changes["change"] == "new"]
    assert f"<b>Since 2026-09-28: {len(new)} new, 0 fixed" in inspector._score.value
    inspector.filter(change="new")
    assert inspector.checks.set_index("id")["failed"].to_dict() == new["check"].value_counts().to_dict()
    assert inspector.causes["findings"].sum() == len(new)
    inspector.select("invalid_email")
    assert sorted(inspector.table["id"]) == sorted(new.loc[new["check"] == "invalid_email", "id"])
    inspector.filter(change="still there")
    assert set(inspector.checks["id"]) == set(report.findings["check"]) - set(new["check"])
    inspector.filter()
    said = inspector.causes.set_index("number")["new"]
    flags = pd.Series(report.are_new).groupby(report.numbers).agg(["sum", "size"])
    for number, (fresh, every) in flags.iterrows():
        assert said[number] == ("new" if fresh == every else f"{fresh} new" if fresh else "")
    assert {"new", ""} <= set(said)


def test_a_school_of_the_list_narrows_everything_to_itself(report: kx.Report) -> None:
    inspector = kx.inspect_quality(report)
    totals = report.findings["org_id"].value_counts()
    schools = inspector.schools.set_index("id")
    assert schools.loc[totals.index, "findings"].to_dict() == totals.to_dict()
    scores = report.scores[report.scores["scope"] == "school"].set_index("id")
    pd.testing.assert_series_equal(schools.loc[scores.index, "score"], scores["score"], check_index_type=False)
    gone = report.findings.loc[report.findings["org"].isna(), "org_id"].dropna().iloc[0]
    assert schools.loc[gone, "org"] == f"{gone} (not delivered)"
    inspector._list.take("schools")
    assert shown(inspector) == {"Schools"}
    inspector._tables["schools"].pick([1])
    assert (inspector._list.value, inspector._org.value) == ("causes", schools.index[1])
    assert inspector.causes["findings"].sum() == totals[schools.index[1]]


def test_what_passed_and_what_did_not_run_are_lists_of_their_own(report: kx.Report) -> None:
    inspector = kx.inspect_quality(report)
    for name, status in (("passed", ["passed"]), ("not run", ["not applicable", "could not run"])):
        inspector._list.take(name)
        frame = inspector._frames[name]
        assert set(frame["id"]) == set(report.summary.loc[report.summary["status"].isin(status), "id"])
        inspector._tables[name].pick([0])
        assert (inspector.check, inspector._rows.hidden) == (frame["id"].iloc[0], True)
        assert report.title(frame["id"].iloc[0]) in inspector._about.value
    passed = inspector._lists.make("passed", inspector._chosen).set_index("id")["title"]
    assert passed.to_dict() == {
        o.check.id: words.passed(o) or o.check.title for o in report.outcomes if o.status == "passed"
    }


def test_checks_that_could_not_run_are_said_above_everything(small_roster: kx.Roster) -> None:
    @kx.define_check("breaks", title="Breaks", severity="error", tables=["orgs"], rule="-", why="-")
    def breaks(context: CheckContext) -> CheckResult:
        raise ZeroDivisionError("on purpose")

    report = kx.check(small_roster, ["breaks", "invalid_email"], as_of="2026-10-05")
    inspector = kx.inspect_quality(report)
    banner = next(part for part in walk(inspector) if getattr(part, "look", "") == "warn")
    assert (
        "1 check could not run; the score counts the others. ZeroDivisionError: on purpose" in banner.children[0].value
    )
    banner.children[1].click()
    assert inspector._frames["not run"]["id"].tolist() == ["breaks"]
    assert "not run" not in kx.inspect_quality(kx.check(small_roster, ["invalid_email"]))._tables


def test_an_empty_list_says_what_keeps_it_empty_and_leads_back(report: kx.Report, small_roster: kx.Roster) -> None:
    inspector = kx.inspect_quality(report)
    assert inspector._none.hidden
    errors = report.findings[report.findings["severity"] == "error"]
    lone = next(id for id in report.findings["org_id"].dropna().unique() if id not in set(errors["org_id"]))
    inspector.filter("error", lone)
    assert (len(inspector.causes), inspector.cause, inspector._none.hidden) == (0, None, False)
    assert "None of the causes is left by these filters." in inspector._nothing.value
    inspector._other.click()
    assert len(inspector.causes) == len(report.causes)
    fine = kx.inspect_quality(kx.check(small_roster, as_of="2026-10-05"))
    assert "Nothing to fix: no check failed." in fine._nothing.value
    fine._other.click()
    assert fine._list.value == "passed"


# What it writes


def test_the_report_is_saved_where_somebody_says(small_roster: kx.Roster, tmp_path: Path) -> None:
    report = kx.check(inject_flaws(small_roster)[0], ["invalid_email", "untrimmed_text"], as_of="2026-10-05")
    inspector = kx.inspect_quality(report)
    form = inspector._saving
    assert form.hidden
    form._opens.click()
    assert (form.hidden, form.path.value) == (False, "report-2026-10-05.html")
    for name in ("report.html", "report.json", "report.csv", "folder"):
        form._opens.click()
        form.path.take(str(tmp_path / name))
        assert form.do.description == "Save the report"
        form.do.click()
        assert form.hidden
        assert f"The report was saved as {tmp_path / name}." in inspector._status.value
    report.to_html(tmp_path / "again.html")
    assert (tmp_path / "report.html").read_bytes() == (tmp_path / "again.html").read_bytes()
    assert (tmp_path / "folder" / "index.html").is_file()
    assert {(tmp_path / f"report.{kind}").stat().st_mode & 0o777 for kind in ("html", "json", "csv")} == {0o600}
    assert report.since(tmp_path / "report.json")["change"].unique().tolist() == ["still there"]
    form._opens.click()
    form.path.take(str(tmp_path / "report.csv"))
    assert form.do.description == "Replace the file"
    form._cancel.click()
    assert form.hidden


@pytest.mark.parametrize("name", ["", "report.pdf", "gone/report.html"])
def test_a_report_that_cannot_be_saved_leaves_its_form_open(report: kx.Report, tmp_path: Path, name: str) -> None:
    inspector = kx.inspect_quality(report)
    inspector._saving._opens.click()
    inspector._saving.path.take(name and str(tmp_path / name))
    inspector._saving.path.enter()
    assert not inspector._saving.hidden
    assert 'role="alert"' in inspector._status.value
    assert list(tmp_path.iterdir()) == []


def test_findings_on_screen_are_waived_in_quality_toml(small_roster: kx.Roster, tmp_path: Path) -> None:
    flawed = inject_flaws(small_roster)[0]
    file = tmp_path / "quality.toml"
    file.write_text("# ours\n[severities]\ninvalid_email = 'error'", encoding="utf-8")
    file.chmod(0o640)
    report = kx.check(flawed, as_of="2026-10-05", config=file)
    inspector = kx.inspect_quality(report)
    inspector.select("invalid_email")
    form = inspector._waiving
    inspector._waive.click()
    assert (form.file.value, form.expires.value, form.do.disabled) == (str(file), "2027-01-03", True)
    form.reason.take('as "agreed"\x7f, with Åsa')
    form.owner.take("Ada")
    assert not form.do.disabled
    assert form.do.description == f"Waive {len(inspector.table)} findings"
    assert "expires = 2027-01-03" in form.preview.value
    form.do.click()
    assert "waived in" in inspector._status.value
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    assert told["severities"] == {"invalid_email": "error"}
    assert told["waived"][0]["reason"] == 'as "agreed"\x7f, with Åsa'
    assert file.read_text(encoding="utf-8").startswith("# ours\n")
    assert file.stat().st_mode & 0o777 == 0o640
    again = kx.check(flawed, as_of="2026-10-05", config=file)
    assert "invalid_email" not in set(again.findings["check"])
    assert sorted(again.waived["id"]) == sorted(inspector.table["id"])
    waived = kx.inspect_quality(again)
    waived._list.take("waived")
    assert waived._frames["waived"]["owner"].unique().tolist() == ["Ada"]
    waived._tables["waived"].pick([0])
    assert waived.browser is not None
    assert waived.browser.selected == again.waived["id"].iloc[0]


@pytest.mark.parametrize(
    ("before", "day", "said"),
    [
        ("waived = []", "2027-01-03", "A waiver cannot be added to"),
        ("[wavied]", "2027-01-03", "wavied"),
        ("", "tomorrow", "Write the day until which it is waived as 2027-01-03."),
    ],
)
def test_a_file_that_cannot_take_a_waiver_stays_as_it_is(
    report: kx.Report, tmp_path: Path, before: str, day: str, said: str
) -> None:
    file = tmp_path / "quality.toml"
    file.write_text(before, encoding="utf-8")
    inspector = kx.inspect_quality(report)
    inspector.select("invalid_email")
    inspector._waive.click()
    form = inspector._waiving
    for field, value in ((form.reason, "x"), (form.owner, "x"), (form.file, str(file)), (form.expires, day)):
        field.take(value)
    form.reason.enter()
    assert said in inspector._status.value + form.preview.value
    assert (file.read_text(encoding="utf-8"), form.hidden) == (before, False)
    assert [one.name for one in tmp_path.iterdir()] == ["quality.toml"]


def test_findings_that_no_id_tells_apart_are_not_waived_one_by_one(report: kx.Report) -> None:
    nameless = report.findings.assign(id=pd.Series([None] * len(report.findings), dtype="str"))
    with pytest.raises(ConfigurationError, match="A finding without an id cannot be waived by itself"):
        waivers_of(nameless, "x", "x", report.as_of)
    many = pd.concat([report.findings.dropna(subset=["id"])] * 5)
    with pytest.raises(ConfigurationError, match="too many to waive one by one"):
        waivers_of(many, "x", "x", report.as_of)
