"""Rosters are compared in memory and in their files, with the same result."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow.parquet as pq
import pytest
from compare_oracle import plain_comparison
from hypothesis import given, settings
from hypothesis import strategies as st
from rosters import rosters

import kimono_explore as kx
from benchmarks.renewing import renewed
from kimono_explore.frames import frame
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.schema import TABLES

if TYPE_CHECKING:
    from pathlib import Path

NAMES = (*TABLES, "links")


def assert_same(one: kx.Comparison, other: kx.Comparison) -> None:
    pd.testing.assert_frame_equal(one.summary, other.summary)
    pd.testing.assert_frame_equal(one.matches, other.matches)
    pd.testing.assert_frame_equal(one.repeated, other.repeated)
    for name in NAMES:
        for rows in ("added", "removed", "changed", "recreated"):
            left, right = getattr(one, rows)(name), getattr(other, rows)(name)
            # From a file come the categories of the rows that were read.
            pd.testing.assert_frame_equal(left, right, check_categorical=False, obj=f"{rows} {name}")


@pytest.mark.parametrize("match", ["id", "auto"])
def test_folders_are_compared_as_what_is_in_memory(tmp_path: Path, match: str) -> None:
    old = make_district(60, seed=5)
    new, _ = renewed(old, damage=0.1)
    new.persons = pd.concat([new.persons.iloc[5:], old.persons.head(40), old.persons.head(1)], ignore_index=True)
    new.links = pd.concat([new.links, old.links.tail(500)], ignore_index=True)
    for name, roster in (("old", old), ("new", new)):
        roster.save(tmp_path / name)
    stored = kx.open_roster(tmp_path / "old"), kx.open_roster(tmp_path / "new")
    here = kx.compare(*stored, match=match)  # type: ignore[arg-type]
    there = kx.compare(tmp_path / "old", str(tmp_path / "new"), match=match)  # type: ignore[arg-type]
    assert_same(here, there)
    assert_same(here, kx.compare(stored[0], tmp_path / "new", match=match))  # type: ignore[arg-type]
    assert there.old.source == old.source


def test_a_table_of_several_files_is_read_as_one(tmp_path: Path) -> None:
    old = make_district(30, seed=5)
    old.save(tmp_path / "one")
    old.save(tmp_path / "parts")
    file = tmp_path / "parts" / "persons.parquet"
    persons = pq.read_table(file)
    file.unlink()
    (tmp_path / "parts" / "persons").mkdir()
    for part, start in enumerate(range(0, len(persons), 10)):
        pq.write_table(persons.slice(start, 10), tmp_path / "parts" / "persons" / f"part{part:02}.parquet")
    old.persons = old.persons.iloc[[*range(25), 29]].assign(email="x@y")
    diff = kx.compare(tmp_path / "parts", old)
    assert diff.removed("persons")["id"].tolist() == persons["id"].to_pylist()[25:29] + persons["id"].to_pylist()[30:]
    assert kx.compare(tmp_path / "parts", tmp_path / "one").summary["unchanged"].sum() == sum(
        kx.compare(tmp_path / "one", tmp_path / "one").summary["unchanged"]
    )


def test_columns_that_differ_in_case_only_are_two_columns() -> None:
    old = kx.Roster(persons=frame("persons", {"id": ["1"], "ext_a": ["x"], "ext_A": ["y"], 'ext_"; drop': ["z"]}))
    new = kx.Roster(persons=frame("persons", {"id": ["1"], "ext_a": ["x"], "ext_A": ["Y"], 'ext_"; drop': ["Z"]}))
    assert kx.compare(old, new).changed("persons")["column"].tolist() == ['ext_"; drop', "ext_A"]


def test_a_roster_that_is_a_bundle_is_read(tmp_path: Path) -> None:
    roster = make_district(30, seed=5)
    roster.to_oneroster(tmp_path / "bundle.zip")
    diff = kx.compare(tmp_path / "bundle.zip", kx.read_oneroster(tmp_path / "bundle.zip"))
    assert diff.summary[["added", "removed", "changed"]].to_numpy().sum() == 0
    assert diff.summary["unchanged"].sum() > 100


def test_what_is_no_roster_is_said(tmp_path: Path) -> None:
    with pytest.raises(kx.BundleError):
        kx.compare(tmp_path / "nowhere", kx.Roster())
    with pytest.raises(TypeError, match="compare needs a Roster"):
        kx.compare(kx.Roster(), pd.DataFrame())  # type: ignore[arg-type]


def edited(roster: kx.Roster, draw: st.DataObject) -> kx.Roster:
    """The roster with some rows removed, repeated, without an id, or with other values."""
    new = copy.copy(roster)
    for name in NAMES:
        df: pd.DataFrame = getattr(roster, name)
        if not len(df):
            continue
        rows = draw.draw(st.lists(st.integers(0, len(df) - 1), max_size=len(df) + 2), label=f"rows of {name}")
        df = df.iloc[rows].reset_index(drop=True)
        for column in draw.draw(st.sets(st.sampled_from(sorted(df.columns)), max_size=3), label="columns") - {
            "relation"
        }:
            if df[column].dtype == "str" and len(df):
                df = df.copy()
                df.loc[draw.draw(st.integers(0, len(df) - 1)), column] = draw.draw(st.sampled_from([None, "x", "é"]))
        setattr(new, name, df)
    return new


@settings(max_examples=20, deadline=None)
@given(rosters(), st.data())
def test_a_comparison_is_what_plain_python_says(roster: kx.Roster, data: st.DataObject) -> None:
    new = edited(roster, data)
    diff = kx.compare(roster, new)
    for name in NAMES:
        expected = plain_comparison(getattr(roster, name), getattr(new, name), name)
        found = diff.summary.set_index("table").loc[name]
        assert found.to_dict() == expected, name
        assert diff.changed(name).groupby(["column"]).size().sum() >= expected["changed"]
    back = kx.compare(new, roster).summary.rename(columns={"added": "removed", "removed": "added"})
    pd.testing.assert_frame_equal(back[diff.summary.columns], diff.summary)
    assert kx.compare(new, new).summary[["added", "removed", "changed"]].to_numpy().sum() == 0


@pytest.mark.parametrize("odd", ["', '", '", "', ", ", "NULL", "(", "\\", "\x1f", "", "é"])
def test_two_links_are_one_only_if_each_of_their_ends_is_the_same(odd: str) -> None:
    """However the texts of a key are joined, where one ends must not be mistaken."""

    def linked(source: str, target: str) -> kx.Roster:
        row = {"source_type": "person", "source_id": source, "relation": "student_in", "target_type": "section"}
        return kx.Roster(links=frame("links", {name: [value] for name, value in {**row, "target_id": target}.items()}))

    one, other = linked(f"a{odd}b", "c"), linked("a", f"b{odd}c")
    assert kx.compare(one, other).summary.set_index("table").loc["links", ["added", "removed"]].tolist() == [1, 1]
    assert kx.compare(one, one).summary["unchanged"].sum() == 1
