"""OneRoster bundles as they are written: judged by an independent checker, and read again."""

from __future__ import annotations

import csv
import importlib.util
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from bundle_oracle import assert_told
from hypothesis import Phase, given, settings
from rosters import BUNDLES, bundle, rosters

import kimono_explore as kx
from kimono_explore.oneroster.standard import MANIFEST, STANDARD, VERSIONS
from kimono_explore.tables import frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

API = Path(__file__).parents[2] / "shared" / "api"
CHECKER = API / "check_oneroster.py"


@pytest.fixture(scope="module")
def facts() -> dict:
    """What the standard says, or a skip that says why."""
    path = API / "oneroster-csv.json"
    if not path.exists():
        pytest.skip("the facts of the standard are not here: ../shared/api/oneroster-csv.json")
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def flawed() -> Iterator[kx.Roster]:
    with kx.sandbox(students=200) as box:
        yield box.roster


def refused(path: Path, version: str) -> list[str]:
    """What the independent checker has against a bundle."""
    if not CHECKER.exists():
        pytest.skip("the checker is not here: ../shared/api/check_oneroster.py")
    command = [sys.executable, str(CHECKER), str(path), "--version", version, "--summary"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.splitlines()


def written(path: Path) -> dict[str, list[dict[str, str]]]:
    """The files of a written zip, as rows."""
    with zipfile.ZipFile(path) as archive:
        texts = {name.removesuffix(".csv"): archive.read(name).decode("utf-8") for name in archive.namelist()}
    return {name: list(csv.DictReader(text.splitlines(keepends=True))) for name, text in texts.items()}


def told(left_out: pd.DataFrame) -> list[tuple[str | None, ...]]:
    rows = left_out.astype(object).where(left_out.notna(), None)
    return [tuple(row) for row in rows.to_numpy().tolist()]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_declared_layout_is_the_standards(version: str, facts: dict) -> None:
    files = facts[version]["files"]
    for name, cells in STANDARD[version].items():
        theirs = files[f"{name}.csv"]["columns"]
        if theirs is None:  # of the gradebook the facts know the names only
            assert name == "categories"
            continue
        ours = [
            {
                "name": cell.name,
                "required": cell.required,
                "type": cell.kind + (" list" if cell.many else ""),
                "enum": sorted(cell.enum),
                "extensible": cell.extensible,
                "references": (f"{cell.refers}.csv" if cell.refers else None, cell.of_type or None),
                "item": cell.item or None,
                "same": cell.same_length_as or None,
            }
            for cell in cells
        ]
        assert ours == [
            {
                "name": column["name"],
                "required": column["required"],
                "type": column["type"],
                "enum": sorted(column["enum"] or ()),
                "extensible": column.get("extensible", False),
                "references": (
                    (column["references"] or {}).get("file"),
                    (column["references"] or {}).get("where", {}).get("type"),
                ),
                "item": column.get("item_pattern"),
                "same": column.get("same_length_as"),
            }
            for column in theirs
        ], name
    needed = [p["name"] for p in facts[version]["manifest"]["properties"] if p["required"]]
    assert ["manifest.version", "oneroster.version", *(f"file.{name}" for name in MANIFEST[version])] == needed


@pytest.mark.parametrize("version", VERSIONS)
def test_a_district_without_flaws_is_accepted(small_roster: kx.Roster, version: str, tmp_path: Path) -> None:
    small_roster.to_oneroster(tmp_path / "b.zip", version=version)
    assert refused(tmp_path / "b.zip", version) == []
    counts = {name: len(rows) for name, rows in written(tmp_path / "b.zip").items()}
    assert counts["users"] == len(small_roster.persons)
    assert counts["enrollments"] == small_roster.links["relation"].isin(["student_in", "teacher_in"]).sum()


def assert_round_trip(roster: kx.Roster, folder: Path) -> None:
    """1.1 and 1.2 are accepted, and what is read again differs only where it is told."""
    for version in VERSIONS:
        left_out = roster.to_oneroster(folder / f"{version}.zip", version=version)
        assert refused(folder / f"{version}.zip", version) == []
        if version == "1.1":
            assert_told(roster, kx.read_oneroster(folder / "1.1.zip"), left_out)


def test_a_district_without_flaws_comes_back(small_roster: kx.Roster, tmp_path: Path) -> None:
    assert_round_trip(small_roster, tmp_path)


def test_a_district_with_flaws_is_accepted_and_comes_back(flawed: kx.Roster, tmp_path: Path) -> None:
    assert_round_trip(flawed, tmp_path)


@pytest.mark.parametrize("name", BUNDLES)
def test_a_real_bundle_is_accepted_and_comes_back(name: str, tmp_path: Path) -> None:
    assert_round_trip(kx.read_oneroster(bundle(name)), tmp_path)


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    if not CHECKER.exists():
        pytest.skip("the checker is not here: ../shared/api/check_oneroster.py")
    spec = importlib.util.spec_from_file_location("check_oneroster", CHECKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def writable(roster: kx.Roster) -> kx.Roster:
    """The same roster with ids that OneRoster allows and what it requires, so that most rows are written."""
    allowed = str.maketrans("Ø?#%", "x/-.")
    tables = {}
    for name, df in roster.tables.items():
        df = df.assign(id=df["id"].str.translate(allowed))
        for column in ("name", "title", "name_first", "name_last"):
            if column in df.columns:
                df[column] = df[column].fillna("Name")
        if name == "orgs":
            df["org_type"] = ["school", "LEA"] * (len(df) // 2) + ["School"] * (len(df) % 2)
        if name == "terms":
            df["term_type"] = "School Year"
            df["start_date"] = df["start_date"].fillna(pd.Timestamp(2026, 8, 17))
            df["end_date"] = df["end_date"].fillna(pd.Timestamp(2027, 6, 4))
        tables[name] = frame(name, dict(df.items()))
    links = roster.links.copy()
    for column in ("source_id", "target_id", "membership_id"):
        links[column] = links[column].str.translate(allowed)
    return kx.Roster(**tables, links=frame("links", dict(links.items())))


@pytest.mark.parametrize("version", VERSIONS)
@settings(max_examples=40, phases=[Phase.explicit, Phase.generate])  # to shrink such a roster takes minutes
@given(roster=rosters() | rosters().map(writable))
def test_any_roster_is_accepted_and_comes_back(version: str, checker: ModuleType, roster: kx.Roster) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "b.zip"
        left_out = roster.to_oneroster(path, version=version)
        checker.violations.clear()
        checker.check(checker.read_bundle(path), version)
        assert checker.violations == []
        names = {"orgs", "academicSessions", "courses", "classes", "users", "enrollments"}
        if version == "1.1" and names & set(written(path)):
            assert_told(roster, kx.read_oneroster(path), left_out)


def test_whole_numbers_stay_whole_where_one_is_missing(tmp_path: Path) -> None:
    orgs = frame(
        "orgs", {"id": ["a", "b"], "name": ["A", "B"], "org_type": ["school"] * 2, "ext_seats": [2**60 + 1, None]}
    )
    kx.Roster(orgs=orgs).to_oneroster(tmp_path / "b.zip")
    assert [row["metadata.seats"] for row in written(tmp_path / "b.zip")["orgs"]] == ["1152921504606846977", ""]
