"""A roster as a DuckDB database, read by DuckDB itself."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import duckdb
import pytest

import kimono_explore as kx
from kimono_explore.files.database import VIEWS
from kimono_explore.frames import add_rows
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.schema import TABLES

README = Path(__file__).parents[2] / "README.md"


def test_tables_and_views_say_what_the_roster_says(tmp_path: Path) -> None:
    roster = make_district(60, seed=3)
    gone = roster.links["target_id"][roster.links["relation"] == "student_in"].iloc[0]
    roster.sections = roster.sections[roster.sections["id"] != gone].reset_index(drop=True)
    roster.to_duckdb(tmp_path / "r.duckdb")
    with duckdb.connect(str(tmp_path / "r.duckdb"), read_only=True) as database:
        counts = {
            name: database.sql(f"select count(*) from {name}").fetchall()[0][0] for name in (*TABLES, "links", *VIEWS)
        }
        sizes = dict(database.sql("select section_id, students from section_sizes").fetchall())
    assert {name: counts[name] for name in TABLES} == roster.counts()
    enrolled = roster.links[roster.links["relation"] == "student_in"]
    assert counts["enrollments"] == (enrolled["target_id"] != gone).sum()
    assert sizes == {
        id: enrolled.loc[enrolled["target_id"] == id, "source_id"].nunique() for id in roster.sections["id"]
    }
    ends = roster.links["source_id"].eq(gone) | roster.links["target_id"].eq(gone)
    assert counts["orphans"] == ends.sum()
    assert stat.S_IMODE((tmp_path / "r.duckdb").stat().st_mode) == 0o600


def test_an_older_database_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "r.duckdb"
    kx.Roster().to_duckdb(path)
    roster = kx.Roster(orgs=add_rows("orgs", kx.Roster().orgs, [{"id": "007", 'ext_odd; name"': "x"}]))
    roster.to_duckdb(path)
    with duckdb.connect(str(path), read_only=True) as database:
        assert database.sql("select id from orgs").fetchall() == [("007",)]
    (tmp_path / "notes.txt").write_text("mine")
    for other in (tmp_path / "notes.txt", tmp_path):
        with pytest.raises(kx.BundleError, match="is not a DuckDB database"):
            roster.to_duckdb(other)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_the_five_questions_of_the_readme_have_answers(tmp_path: Path) -> None:
    roster = make_district(60, seed=3)
    lost, idle = roster.sections["id"].iloc[0], roster.persons.query("person_type == 'student'")["id"].iloc[0]
    roster.links = roster.links[~roster.links["relation"].isin(["student_in"]) | (roster.links["source_id"] != idle)]
    roster.links = roster.links[(roster.links["relation"] != "teacher_in") | (roster.links["target_id"] != lost)]
    roster.courses = roster.courses.iloc[1:]
    roster.to_duckdb(tmp_path / "r.duckdb")
    asked = re.search(r"```sql\n(.+?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert asked is not None
    with duckdb.connect(str(tmp_path / "r.duckdb"), read_only=True) as database:
        answers = [database.sql(query).fetchall() for query in re.findall(r"SELECT .+;", asked[1])]
    students, untaught, classless, teachers, orphans = answers
    assert sum(count for _, count in students) >= 60
    assert [section for section, _ in untaught] == [roster.sections["label"].iloc[0]]
    assert classless == [(roster.persons.set_index("id")["label"][idle],)]
    assert teachers
    assert "of_course" in dict(orphans)
