"""Bundles with something wrong in them: each reads with problems that name it, or is a `BundleError`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from builders import course, link, make, problem, school, section, student
from test_oneroster import FILES

import kimono_explore as kx
from kimono_explore.files.oneroster.dates import read_dates
from kimono_explore.schema import TABLES

if TYPE_CHECKING:
    from pathlib import Path

ENROLLMENTS = "sourcedId,status,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate\n"
ABOUT_LOADING = ["bad_value", "load_problem", "missing_id", "duplicate_id"]


@pytest.fixture
def load(tmp_path: Path):
    """Read the small bundle of test_oneroster with some files replaced (None: left out)."""

    def load_with(**files: str | bytes | None) -> kx.Roster:
        for name, text in (FILES | files).items():
            if text is not None:
                (tmp_path / f"{name}.csv").write_bytes(text.encode() if isinstance(text, str) else text)
        return kx.read_oneroster(tmp_path)

    return load_with


ODD_ENROLLMENTS = [
    ("tobedeleted,s1,sch1,p1,student,,", "status"),
    (",s1,sch1,p1,student,,soon", "start_date"),
    (",s1,sch1,p1,student,maybe,", "primary"),
    (",s1,sch1,p1,student,,\n{id},,s1,sch1,p1,student,true,", "membership_id"),
    (",s1,elsewhere,p1,student,,", "schoolSourcedId"),
]


@pytest.mark.parametrize(
    ("engine", "odd"),
    [*(("polars", [one]) for one in ODD_ENROLLMENTS), ("duckdb", ODD_ENROLLMENTS)],  # DuckDB takes ten seconds
    ids=[*(column for _, column in ODD_ENROLLMENTS), "duckdb"],
)
def test_a_check_ends_where_an_enrollment_is_odd(load, odd: list[tuple[str, str]], engine: str) -> None:
    rows = "".join(f"e{n},{row.format(id=f'e{n}')}\n" for n, (row, _) in enumerate(odd, 1))
    report = kx.check(load(enrollments=ENROLLMENTS + rows), engine=engine)
    assert "could not run" not in set(report.summary["status"])
    kept = ("status", "membership_id")  # nothing of these is lost
    for check in ("load_problem", "bad_value"):
        found = report.failures(check)
        found = found[found["id"].notna()]
        assert found[["table", "id", "label", "org_id", "org", "column"]].to_numpy().tolist() == [
            ["links", f"e{n}", "Ana Silva - Art 1", "sch1", "School", column]
            for n, (_, column) in enumerate(odd, 1)
            if (column in kept) == (check == "load_problem")
        ]
    causes = report.causes.set_index("cause")["stage"]
    if any(column not in kept for _, column in odd):
        assert causes["A value that its column cannot hold (links)"] == "memberships"


SHAPES = [
    problem(table, id, column, "x", text)
    for table in (*TABLES, "links", "users", "manifest", "enrollments", "made up", "")
    for id in ("ana", "nobody", None)
    for column, text in (("dob", "not a date"), (None, "a row with 2 cells"), ("id", "an id that is no text; kept"))
]


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_every_problem_reaches_exactly_one_check(engine: str) -> None:
    roster = make(
        school(), student(), course(), section(), link("ana student_in algebra-1", membership_id="m1"), *SHAPES
    )
    assert len(SHAPES) == 108
    report = kx.check(roster, ABOUT_LOADING, engine=engine)
    found = [tuple(row) for id in ABOUT_LOADING[:2] for row in _rows(report.failures(id))]
    assert sorted(found, key=str) == sorted((tuple(row) for row in _rows(roster.problems)), key=str)
    assert report.by_org()["total"].sum() == len(SHAPES)


def test_what_concerns_ids_alone_is_found_by_the_checks_of_ids(load) -> None:
    roster = load(courses="sourcedId,title,courseCode\nc1,Art,\nc1,Arts,\n,Band,\n")
    report = kx.check(roster, ABOUT_LOADING)
    failed = report.summary.set_index("id")["failed"].to_dict()
    assert failed == {"bad_value": 0, "load_problem": 1, "missing_id": 1, "duplicate_id": 2}  # 1: the parent left out


def test_a_problem_about_empty_tables_is_found() -> None:
    roster = make(problem("terms", None, None, None, "the list was refused"))
    assert kx.check(roster, ["load_problem"]).summary["failed"].tolist() == [1]


MONTH_FIRST = "month first"
BOTH = "not a date that can be known: month first and day first both explain the column; left missing"
MIXED = "not a date that can be known: the column has dates that are written month first, and others day first; left missing"


@pytest.mark.parametrize(
    ("written", "dates", "forms", "oddities"),
    [
        (["8/15/2026", "9/1/2026"], ["2026-08-15", "2026-09-01"], (MONTH_FIRST,), []),
        (["15/8/2026", "1/9/2026"], ["2026-08-15", "2026-09-01"], ("day first",), []),
        (["15.8.2026", None], ["2026-08-15", None], ("day first",), []),
        (["8/15/26", "9/1/27"], ["2026-08-15", "2027-09-01"], ("month first with two-digit years",), []),
        (["8/15/2026 12:00:00 AM", "9/1/2026 12:00:00 AM"], ["2026-08-15", "2026-09-01"], (MONTH_FIRST,), []),
        (["2026-2-01", "2026/8/15"], ["2026-02-01", "2026-08-15"], ("year first",), []),
        (["20260815", "2026-09-01"], ["2026-08-15", "2026-09-01"], ("as eight digits",), []),
        (["8/5/2026", "9/1/2026"], [None, None], (), [BOTH, BOTH]),
        (["8/8/2026", "9/1/2026"], ["2026-08-08", None], ("with day and month alike",), [BOTH]),
        (["8/15/2026", "15/8/2026", "1/2/2026"], [None, None, None], (), [MIXED, MIXED, MIXED]),
        (
            ["8/15/2026", "13/13/2026", "soon", "2/30/2026"],
            ["2026-08-15", None, None, None],
            (MONTH_FIRST,),
            3 * ["not a date"],
        ),
        (["2026-08-15", "2026-08-15T00:00:00Z"], ["2026-08-15", "2026-08-15"], (), []),
        ([" 2026-08-15 ", None], ["2026-08-15", None], ("with spaces around them",), []),
        (["２０２６-8-1", "46249"], [None, None], (), 2 * ["not a date"]),
    ],
)
def test_dates_are_read_where_one_order_explains_the_column(written, dates, forms, oddities) -> None:
    read = read_dates(written)
    assert [None if day is None else str(day) for day in read.values] == dates
    assert [oddity for oddity in read.oddities if oddity] == oddities
    assert read.forms == forms


def test_nobody_is_born_after_today() -> None:
    assert [str(day) for day in read_dates(["8/15/12", "8/15/68", "12/31/99"], birth=True).values] == [
        "2012-08-15",
        "1968-08-15",
        "1999-12-31",
    ]


def test_dates_of_the_field_are_named_once_for_each_column(load) -> None:
    rows = "".join(f"e{n},,s1,sch1,p1,student,,8/{n}/2026\n" for n in range(1, 32))
    roster = load(
        enrollments=ENROLLMENTS + rows,
        demographics="sourcedId,birthDate\np1,3/4/2015\np3,12/31/1980\n",  # a parent's date decides as well
    )
    assert roster.links["start_date"].max() == pd.Timestamp(2026, 8, 31)
    assert roster.persons["dob"][0] == pd.Timestamp(2015, 3, 4)
    found = roster.problems[roster.problems["column"].isin(["start_date", "dob"])]
    assert _rows(found) == [
        [
            "persons",
            None,
            "dob",
            "1",
            "dates are written month first, such as 3/4/2015, not as 2026-08-15; read, value counts them",
        ],
        [
            "links",
            None,
            "start_date",
            "31",
            "dates are written month first, such as 8/1/2026, not as 2026-08-15; read, value counts them",
        ],
    ]


def test_times_are_read_in_the_order_of_the_column(load) -> None:
    roster = load(courses="sourcedId,dateLastModified,title\nc1,8/15/2026 3:04:05 PM,Art\n")
    assert roster.courses["updated_at"][0] == pd.Timestamp("2026-08-15 15:04:05", tz="UTC")


def test_demographics_that_differ_are_left_missing(load) -> None:
    births = "".join(f"p1,2015-0{n}-01,F,US\n" for n in (1, 2, 3, 4, 1, 2, 3))
    roster = load(demographics="sourcedId,birthDate,sex,countryOfBirthCode\n" + births + "p2,1980-01-02,M,\np2,,M,CA\n")
    persons = roster.persons.set_index("id")
    assert persons["dob"].tolist() == [pd.NaT, pd.Timestamp(1980, 1, 2)]
    assert persons["sex"].tolist() == ["F", "M"]
    assert persons["ext_countryOfBirthCode"].tolist() == ["US", "CA"]
    text = "rows of demographics.csv differ: value names what they hold; where they contradict each other, the cell is left missing"
    assert _rows(roster.problems[roster.problems["table"] == "persons"])[1:] == [
        ["persons", "p1", None, "birthDate: 2015-01-01, 2015-02-01, 2015-03-01, 2015-04-01", f"4 {text}"],
        ["persons", "p2", None, "birthDate: 1980-01-02, (empty); countryOfBirthCode: (empty), CA", f"2 {text}"],
        ["persons", "p1", None, "3", "the row came again, unchanged; value counts the repeats that were dropped"],
    ]


def test_nobody_gets_the_demographics_of_another(load) -> None:
    roster = load(demographics="sourcedId,birthDate\nP1,2015-01-01\n p2,1980-01-01\n,1990-01-01\np11,2016-01-01\n")
    assert roster.persons["dob"].isna().all()
    assert _rows(roster.problems[roster.problems["table"] == "persons"])[1:] == [
        ["persons", None, None, ",1990-01-01", "a row of demographics.csv without a sourcedId; left out"],
        *[
            ["persons", id, None, None, "demographics of somebody who is not in users.csv"]
            for id in (" p2", "P1", "p11")
        ],
    ]


def test_repeats_are_named_by_id_up_to_a_bound(load) -> None:
    rows = "".join(f"c{n},Art,sch1\n" * 3 for n in range(1002))
    roster = load(courses="sourcedId,title,orgSourcedId\n" + rows)
    assert len(roster.courses) == 1002
    found = roster.problems[roster.problems["table"] == "courses"]
    assert len(found) == 1001
    assert _rows(found)[0][1:4] == ["c0", None, "2"]
    assert _rows(found)[-1] == [
        "courses", None, None, "4", "more rows came again, unchanged, and were dropped; value counts them",
    ]  # fmt: skip


def test_an_enrollment_that_differs_in_any_column_is_no_repeat(load) -> None:
    roster = load(enrollments=ENROLLMENTS + "e1,,s1,sch1,p1,student,,\ne1,,s1,lea1,p1,student,,\n")
    assert roster.links["relation"].value_counts()["student_in"] == 2
    assert [row[:3] for row in _rows(roster.problems[roster.problems["table"] == "links"])] == [
        ["links", "e1", "membership_id"],
        ["links", "e1", "schoolSourcedId"],
    ]


def _rows(df: pd.DataFrame) -> list[list[object]]:
    columns = ["table", "id", "column", "value", "problem"]
    return df[columns].astype(object).where(df[columns].notna(), None).to_numpy().tolist()
