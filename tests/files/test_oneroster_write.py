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
from kimono_explore.files.oneroster.standard import MANIFEST, STANDARD, VERSIONS
from kimono_explore.frames import frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

API = Path(__file__).parents[3] / "shared" / "api"
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
        assert_told(roster, kx.read_oneroster(folder / f"{version}.zip"), left_out)


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
@settings(max_examples=20, phases=[Phase.explicit, Phase.generate])  # to shrink such a roster takes minutes
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


FILES = {
    "orgs": "sourcedId,name,type\nlea1,District,district\nsch1,School,school\nsch2,Other School,school\n",
    "academicSessions": "sourcedId,title,type,startDate,endDate,schoolYear\nyr,Year,schoolYear,2026-08-17,2027-05-28,2027\n",
    "courses": "sourcedId,title,orgSourcedId\nc1,Art,sch1\n",
    "classes": "sourcedId,title,courseSourcedId,schoolSourcedId,termSourcedIds,classType\ns1,Art 1,c1,sch1,yr,scheduled\n",
    "users": "sourcedId,orgSourcedIds,role,username,enabledUser,givenName,familyName\n"
    'p1,sch1,student,ana,true,Ana,Silva\np2,"sch1,lea1",teacher,bo,true,Bo,Pak\n',
    "enrollments": "sourcedId,classSourcedId,userSourcedId,role\ne1,s1,p1,student\ne2,s1,p2,teacher\n",
}


def small(folder: Path, **files: str) -> kx.Roster:
    """The small bundle with some files replaced."""
    folder.mkdir(exist_ok=True)
    for name, text in (FILES | files).items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    return kx.read_oneroster(folder)


def out(roster: kx.Roster, tmp_path: Path, version: str = "1.1") -> tuple[dict[str, list[dict[str, str]]], list[tuple]]:
    left_out = roster.to_oneroster(tmp_path / "out.zip", version=version)
    assert refused(tmp_path / "out.zip", version) == []
    return written(tmp_path / "out.zip"), told(left_out)


def test_a_small_bundle_is_written_without_a_word(tmp_path: Path) -> None:
    files, left_out = out(small(tmp_path / "in"), tmp_path)
    assert left_out == []
    assert list(files["users"][0]) == [cell.name for cell in STANDARD["1.1"]["users"]]
    assert [(row["sourcedId"], row["orgSourcedIds"], row["role"]) for row in files["users"]] == [
        ("p1", "sch1", "student"),
        ("p2", "lea1,sch1", "teacher"),
    ]
    absent = {row["propertyName"] for row in files["manifest"] if row["value"] == "absent"}
    assert {"file.demographics", "file.categories", "file.results"} <= absent


def test_ids_that_repeat_make_no_memberships(tmp_path: Path) -> None:
    users = FILES["users"] + "p1,sch2,student,eva,true,Eva,Lund\n"
    roster = small(tmp_path / "in", users=users)
    files, left_out = out(roster, tmp_path)
    assert [row["givenName"] for row in files["users"]] == ["Ana", "Bo"]
    again = kx.read_oneroster(tmp_path / "out.zip")
    of_p1 = [
        roster.links.query("source_id == 'p1' and relation == 'member_of'")["target_id"].tolist(),
        again.links.query("source_id == 'p1' and relation == 'member_of'")["target_id"].tolist(),
    ]
    assert of_p1 == [["sch1", "sch2"], ["sch1", "sch2"]]
    assert left_out == [("persons", "p1", "id", "p1", "an earlier row with this id is written: the row is left out")]


def test_made_ids_never_meet_real_ones(tmp_path: Path) -> None:
    text = (
        "sourcedId,classSourcedId,userSourcedId,role\n,s1,p1,student\nenrollment-0,s1,p2,teacher\ne:3,s1,p1,student\n"
    )
    roster = small(tmp_path / "in", enrollments=text)
    files, left_out = out(roster, tmp_path)
    ids = [row["sourcedId"] for row in files["enrollments"]]
    assert len(set(ids)) == 3
    assert "enrollment-0" in ids
    made = [id for id in ids if id != "enrollment-0"]
    assert [(id, column, value) for _, id, column, value, _ in left_out] == [
        (made[0], "membership_id", None),
        (made[1], "membership_id", "e:3"),
    ]
    again, _ = out(roster, tmp_path)
    assert [row["sourcedId"] for row in again["enrollments"]] == ids


def test_what_could_not_be_read_is_told_when_it_is_written(tmp_path: Path) -> None:
    people = "".join(f"q{n},sch1,student,u{n},true,A,B\n" for n in range(30))
    born = "sourcedId,birthDate,sex\np1,02/03/2015,F\n" + "".join(f"q{n},soon,\n" for n in range(30))
    _, left_out = out(small(tmp_path / "in", users=FILES["users"] + people, demographics=born), tmp_path)
    text = "not a date when it was read, so the roster does not hold it"
    assert left_out == [
        ("persons", None, "dob", "31", f"{text}; value counts them"),
        ("persons", "p1", "sex", "F", "F is written as female"),
    ]


def test_what_is_marked_for_deletion_is_not_in_a_bulk_bundle(tmp_path: Path) -> None:
    users = "sourcedId,status,orgSourcedIds,role,username,enabledUser,givenName,familyName\n"
    users += "p1,ToBeDeleted,sch1,student,ana,true,Ana,Silva\np2,active,sch1,teacher,bo,true,Bo,Pak\n"
    enrollments = (
        "sourcedId,status,classSourcedId,userSourcedId,role\ne1,active,s1,p1,student\ne2,tobedeleted,s1,p2,teacher\n"
    )
    files, left_out = out(small(tmp_path / "in", users=users, enrollments=enrollments), tmp_path)
    assert [row["sourcedId"] for row in files["users"]] == ["p2"]
    assert "enrollments" not in files
    gone = "a bulk bundle does not hold what is marked for deletion"
    assert ("persons", "p1", "ext_status", "ToBeDeleted", f"{gone}: the row is left out") in left_out
    assert ("links", "e2", "status", "p2,s1", f"{gone}: left out") in left_out
    assert ("links", "e1", "source_id", "p1,s1", "an enrollment whose user is not in users.csv: left out") in left_out


def test_references_into_nothing_are_left_out_and_told(tmp_path: Path) -> None:
    users = FILES["users"].replace('"sch1,lea1"', '"sch1,gone"') + "p3,gone,student,c,true,Cy,Ode\n"
    enrollments = FILES["enrollments"] + "e3,nowhere,p1,student\n"
    files, left_out = out(small(tmp_path / "in", users=users, enrollments=enrollments), tmp_path)
    assert [(row["sourcedId"], row["orgSourcedIds"]) for row in files["users"]] == [("p1", "sch1"), ("p2", "sch1")]
    assert left_out == [
        (
            "persons",
            "p3",
            "orgSourcedIds",
            "gone",
            "users.csv requires orgSourcedIds and there is none that fits: the row is left out",
        ),
        ("persons", "p2", "orgSourcedIds", "gone", "is not in orgs.csv: the reference is left out"),
        ("links", "e3", "target_id", "p1,nowhere", "an enrollment whose class is not in classes.csv: left out"),
    ]


def test_words_of_any_case_are_the_standards(tmp_path: Path) -> None:
    terms = "sourcedId,title,type,startDate,endDate,schoolYear\n"
    terms += "yr,Year,School Year,2026-08-17,2027-05-28,2026-27\nq,Q1,odd,2026-08-17,2026-10-01,2027\n"
    roster = small(tmp_path / "in", academicSessions=terms, users=FILES["users"].replace("true", "TRUE"))
    files, left_out = out(roster, tmp_path)
    assert [(row["type"], row["schoolYear"]) for row in files["academicSessions"]] == [("schoolYear", "2027")]
    assert {row["enabledUser"] for row in files["users"]} == {"true"}
    assert ("terms", "yr", "term_type", "School Year", "School Year is written as schoolYear") in left_out
    assert ("terms", "yr", "school_year", "2026-27", "is written as the year in which it ends") in left_out
    newer, left_out = out(roster, tmp_path, "1.2")
    assert [row["type"] for row in newer["academicSessions"]] == ["schoolYear", "ext:odd"]
    assert ("terms", "q", "term_type", "odd", "odd is written as ext:odd") in left_out


def test_a_cell_is_one_line_and_is_not_altered_else(tmp_path: Path) -> None:
    courses = 'sourcedId,title,orgSourcedId,room\nc1,"Art\r\nand ""Craft"", =1+1",sch1,=cmd\n'
    files, left_out = out(small(tmp_path / "in", courses=courses), tmp_path)
    row = files["courses"][0]
    assert (row["title"], row["metadata.room"]) == ('Art and "Craft", =1+1', "=cmd")
    assert [problem for *_, problem in left_out] == ["line breaks are written as spaces"] * len(left_out)
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        text = archive.read("courses.csv").decode()
    assert text.count("\r\n") == text.count("\n") == 2


def test_1_2_has_a_role_a_person_and_org(tmp_path: Path) -> None:
    users = FILES["users"] + "p3,lea1,administrator,cy,true,Cy,Ode\np4,gone,student,di,true,Di,Fox\n"
    files, left_out = out(small(tmp_path / "in", users=users), tmp_path, "1.2")
    assert list(files["roles"][0]) == [cell.name for cell in STANDARD["1.2"]["roles"]]
    assert [(row["userSourcedId"], row["orgSourcedId"], row["roleType"], row["role"]) for row in files["roles"]] == [
        ("p1", "sch1", "primary", "student"),
        ("p2", "lea1", "primary", "teacher"),
        ("p2", "sch1", "primary", "teacher"),
        ("p3", "lea1", "primary", "districtAdministrator"),
    ]
    assert list(files["users"][0]) == [cell.name for cell in STANDARD["1.2"]["users"]]
    assert [row["sourcedId"] for row in files["users"]] == ["p1", "p2", "p3", "p4"]
    assert ("oneroster.version", "1.2") in [(row["propertyName"], row["value"]) for row in files["manifest"]]
    assert ("links", None, "target_id", "p4,gone", "a membership whose org is not in orgs.csv: left out") in left_out


def test_another_version_is_a_clear_error(small_roster: kx.Roster, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Unknown OneRoster version '1\.0'; choose 1\.1 or 1\.2"):
        small_roster.to_oneroster(tmp_path / "b.zip", version="1.0")
    assert list(tmp_path.iterdir()) == []


def test_passwords_are_never_written(tmp_path: Path) -> None:
    people = {"id": ["p1"], "name_first": ["A"], "name_last": ["B"], "ext_password": ["hunter2"]}
    roster = small(tmp_path / "in")
    roster.persons = frame("persons", people)
    left_out = roster.to_oneroster(tmp_path / "out")
    text = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    assert "hunter2" not in text + str(told(left_out))
    assert ("persons", None, "ext_password", "1", "passwords are never written: left out; value counts them") in told(
        left_out
    )


@pytest.mark.parametrize("target", ["b.zip", "b"])
def test_a_bundle_is_replaced_whole_or_not_at_all(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roster = small(tmp_path / "in")
    roster.to_oneroster(tmp_path / target)
    modes = {oct(path.stat().st_mode & 0o777) for path in [tmp_path / target, *(tmp_path / target).glob("*")]}
    assert modes == ({"0o600"} if target == "b.zip" else {"0o700", "0o600"})

    def fails(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("zipfile.ZipFile.writestr", fails)
    monkeypatch.setattr("pathlib.Path.write_text", fails)
    with pytest.raises(kx.BundleError, match="disk is full"):
        kx.Roster().to_oneroster(tmp_path / target)
    monkeypatch.undo()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["in", target])
    assert kx.read_oneroster(tmp_path / target).persons["id"].tolist() == ["p1", "p2"]
    kx.Roster(orgs=roster.orgs).to_oneroster(tmp_path / target)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["in", target])
    assert len(kx.read_oneroster(tmp_path / target).persons) == 0


def test_true_in_capitals_is_told_as_what_it_is_written(tmp_path: Path) -> None:
    users = FILES["users"].replace("ana,true", "ana,TRUE").replace("bo,true", "bo,maybe")
    files, left_out = out(small(tmp_path / "in", users=users), tmp_path)
    assert [(row["sourcedId"], row["enabledUser"]) for row in files["users"]] == [("p1", "true")]
    assert left_out[:2] == [
        (
            "persons",
            "p2",
            "ext_enabledUser",
            "maybe",
            "users.csv requires enabledUser and there is none that fits: the row is left out",
        ),
        ("persons", "p1", "ext_enabledUser", "TRUE", "TRUE is written as true"),
    ]


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    small(tmp_path / "in").to_oneroster(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert len(kx.read_oneroster(tmp_path / "real").persons) == 2
