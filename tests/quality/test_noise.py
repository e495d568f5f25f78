"""What was said and was not true, or a hundred times where once is enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from builders import lea, link, make, problem, school, section, student, teacher, term

import kimono_explore as kx
from kimono_explore.sandbox.district.build import make_district

OCTOBER = "2026-10-05"
DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there")
USED = (section(), term("fall", "2010-08-23", "2010-12-17"), term("spring", "2011-01-04", "2011-05-27"))
LINKED = (*USED, link("algebra-1 in_term spring"))


def loaded(roster: kx.Roster, day: str) -> kx.Roster:
    return replace(roster, loaded_at=datetime.fromisoformat(day).replace(tzinfo=UTC))


# The day of the check.


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_the_day_of_the_check_is_one_of_the_rosters_own_year(engine: str) -> None:
    report = kx.check(loaded(make(*LINKED), "2026-11-28"), ["no_current_term"], engine=engine)
    assert report.as_of == date(2011, 3, 16)
    assert report.as_of_reason == "no term that is used includes 2026-11-28, the day of loading: a day in spring"
    assert report.as_of_reason in repr(report).splitlines()[0]
    # That nothing goes on today is still said.
    assert report.summary["status"].tolist() == ["failed"]


def test_the_day_of_loading_counts_where_a_term_holds_it() -> None:
    report = kx.check(loaded(make(*LINKED), "2011-02-01"), ["no_current_term"])
    assert (report.as_of, report.as_of_reason) == (date(2011, 2, 1), "")
    given = kx.check(loaded(make(*LINKED), "2011-02-01"), ["no_current_term"], as_of="2026-01-01")
    assert (given.as_of, given.as_of_reason) == (date(2026, 1, 1), "")
    assert kx.check(loaded(kx.Roster(), "2011-02-01"), ["no_current_term"]).as_of == date(2011, 2, 1)


def test_the_page_says_which_day_it_is_in_its_first_line(tmp_path: Path) -> None:
    report = kx.check(loaded(make(*LINKED), "2026-11-28"), ["no_current_term"])
    report.to_html(tmp_path / "page.html")
    assert report.as_of_reason in (tmp_path / "page.html").read_text("utf-8")
    assert report.as_of_reason in report._repr_html_()


# Whether a roster is fresh.


@pytest.mark.parametrize("day", ["2026-10-05", "2026-11-28", "2027-03-01", "2027-07-20", "2030-01-01"])
def test_a_made_up_district_is_fresh_on_the_day_it_is_made(day: str) -> None:
    district = make_district(20, today=date.fromisoformat(day))
    assert kx.check(loaded(district, day), ["stale_roster"]).summary["status"].tolist() == ["passed"]
    later = (datetime.fromisoformat(day) + timedelta(days=91)).date().isoformat()
    assert kx.check(loaded(district, later), ["stale_roster"]).summary["status"].tolist() == ["failed"]


def test_the_sandbox_is_fresh_today(small_roster: kx.Roster) -> None:
    assert kx.check(small_roster, ["stale_roster"]).summary["status"].tolist() == ["passed"]


def test_all_but_one_cell_of_a_made_up_district_follows_from_its_seed() -> None:
    one, other = (make_district(20, today=date(year, 1, 1)) for year in (2027, 2028))
    for name, df in one.tables.items():
        cells = df.compare(other.tables[name])
        assert cells.shape == ((1, 2) if name == "orgs" else (0, 0)), name
    pd.testing.assert_frame_equal(one.links, other.links)


@needs_data
def test_the_students_of_2010_are_of_age_in_2010() -> None:
    report = kx.check(DATA / "grandbend-oneroster.zip", ["implausible_age"])
    assert report.as_of.year in (2010, 2011)
    assert report.summary.loc[0, "failed"] <= 1


# A school year needs a majority.


def test_without_a_majority_no_school_year_is_odd() -> None:
    years = [term(year, school_year=year) for year in ("2013", "2014", "2015")]
    row = kx.check(make(*years, term("x", school_year="2014")), ["school_year_outlier"]).summary.loc[0]
    assert (row["status"], row["reason"]) == (
        "not applicable",
        "no school year is that of more than half of the objects",
    )


# Terms that nobody uses.


def test_terms_that_nobody_uses_may_overlap() -> None:
    terms = (term("a", "2026-08-17", "2026-12-18"), term("b", "2026-12-01", "2027-01-18"))
    used = (*terms, section(), section("x"), link("algebra-1 in_term a"), link("x in_term b"))
    assert kx.check(make(*used), ["sibling_terms_overlap"]).summary.loc[0, "failed"] == 2
    half = (*terms, section(), link("algebra-1 in_term a"))
    assert kx.check(make(*half), ["sibling_terms_overlap"]).summary["status"].tolist() == ["passed"]


# Two series of numbers.


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_two_series_of_numbers_that_are_merely_alike_join_nobody(engine: str) -> None:
    students = [student(f"s{n}", local_id=f"{n:04d}") for n in range(1, 60)]
    staff = [teacher(f"t{n}", local_id=f"{n:04d}") for n in range(1, 20)]
    same = (student("x", email="x@x.org"), teacher("y", email="x@x.org"))
    report = kx.check(make(*students, *staff, *same), ["student_and_staff"], engine=engine)
    assert report.failures("student_and_staff")["id"].tolist() == ["x", "y"]
    one = (student("x", local_id="9999"), teacher("y", local_id="9999"))
    apart = [teacher(f"t{n}", local_id=f"{n + 9000:04d}") for n in range(1, 20)]
    report = kx.check(make(*students, *apart, *one), ["student_and_staff"], engine=engine)
    assert report.failures("student_and_staff")["id"].tolist() == ["x", "y"]


# Sent, and not understood.


def test_what_was_sent_and_could_not_be_read_was_sent() -> None:
    bad = [problem("persons", "ana", "dob", value, "not a date") for value in ("1/5/12", "x")]
    row = kx.check(make(student(), *bad), ["student_without_dob"]).summary.loc[0]
    assert row["reason"] == "none of the 2 values of dob in persons could be read"


# A pattern.


def test_students_of_other_years_are_not_a_setting_of_the_export() -> None:
    """As in OULAD, which holds four terms at once: most students are in sections of the three others."""
    items = [
        section("now"),
        term("now", "2026-08-17", "2027-06-04"),
        section("then"),
        term("then", "2024-08-17", "2025-06-04"),
    ]
    items += [link("now in_term now"), link("then in_term then")]
    for number in range(30):
        items += [student(f"p{number}"), link(f"p{number} student_in {'now' if number < 5 else 'then'}")]
    report = kx.check(make(*items), ["student_without_sections"], as_of="2026-10-05")
    assert "25 of 30, so one cause is likely: their sections are over on that day" in str(
        report.summary.loc[0, "reason"]
    )


def test_what_fails_for_most_is_said_once_with_its_likely_reason() -> None:
    people = [(student if n % 2 else teacher)(f"p{n}", dob="1899-01-01") for n in range(40)]
    roster = make(lea(), school(), *people, student("ok", dob="2012-01-01"))
    report = kx.check(roster, ["implausible_age"], as_of=OCTOBER)
    reason = report.summary.loc[0, "reason"]
    assert reason.startswith("40 of 41, so one cause is likely: ")
    assert report.causes["cause"].tolist() == [f"Implausible age: {reason}"]
    assert report.causes["findings"].tolist() == [40]
    few = kx.check(make(*people[:3]), ["implausible_age"], as_of=OCTOBER)
    assert few.summary["reason"].isna().all()
    assert len(few.causes) == 2
