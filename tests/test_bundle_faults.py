"""Bundles with something wrong in them: each reads with problems that name it, or is a `BundleError`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from literals import course, link, make, problem, school, section, student
from test_oneroster import FILES

import kimono_explore as kx
from kimono_explore.tables import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

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


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        ("e1,tobedeleted,s1,sch1,p1,student,,", "status"),
        ("e1,,s1,sch1,p1,student,,soon", "start_date"),
        ("e1,,s1,sch1,p1,student,maybe,", "primary"),
        ("e1,,s1,sch1,p1,student,,\ne1,,s1,sch1,p1,student,true,", "membership_id"),
        ("e1,,s1,elsewhere,p1,student,,", "schoolSourcedId"),
    ],
)
@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
def test_a_check_ends_where_an_enrollment_is_odd(load, rows: str, column: str, engine: str) -> None:
    report = kx.check(load(enrollments=ENROLLMENTS + rows + "\n"), engine=engine)
    assert "could not run" not in set(report.summary["status"])
    found = report.failures("bad_value")
    assert found[["table", "id", "label", "org_id", "org", "column"]].to_numpy().tolist() == [
        ["links", "e1", "Ana Silva - Art 1", "sch1", "School", column]
    ]
    causes = report.causes.set_index("cause")["stage"]
    assert causes["A value that its column cannot hold (links)"] == "memberships"


SHAPES = [
    problem(table, id, column, "x", text)
    for table in (*TABLES, "links", "users", "manifest", "enrollments", "made up", "")
    for id in ("ana", "nobody", None)
    for column, text in (("dob", "not a date"), (None, "a row with 2 cells"), ("id", "an id that is no text; kept"))
]


@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
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


def _rows(df: pd.DataFrame) -> list[list[object]]:
    columns = ["table", "id", "column", "value", "problem"]
    return df[columns].astype(object).where(df[columns].notna(), None).to_numpy().tolist()
