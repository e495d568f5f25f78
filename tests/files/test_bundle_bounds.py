"""What a bundle may not be: too large, ambiguous, torn; and bundles of OneRoster 1.2."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from test_bundle_faults import load  # noqa: F401
from test_oneroster import FILES

import kimono_explore as kx
from kimono_explore.files.oneroster import bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Load = Callable[..., kx.Roster]

BOMB = """
import resource, sys, time
import kimono_explore as kx
kx.read_oneroster  # what it imports is not its own
began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    kx.read_oneroster(sys.argv[1])
except kx.BundleError as error:
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    print(time.perf_counter() - began < 2, grown < 300, error)
"""


def bomb(path: Path, gib: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in FILES.items():
            if name != "users":
                archive.writestr(f"{name}.csv", text)
        with archive.open("users.csv", "w", force_zip64=True) as file:
            for _ in range(gib * 64):
                file.write(b"," * 2**24)


@pytest.mark.parametrize("gib", [1])
def test_a_zip_bomb_ends_soon_and_small(tmp_path: Path, gib: int) -> None:
    bomb(tmp_path / "b.zip", gib)
    done = subprocess.run(
        [sys.executable, "-c", BOMB, str(tmp_path / "b.zip")], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.startswith("True True users.csv in ")
    assert "expands more than 200-fold when opened" in done.stdout


def test_headers_of_a_zip_are_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb(tmp_path / "b.zip", 1)
    opened = zipfile.ZipFile.infolist

    def lying(self: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
        for entry in opened(self):
            entry.compress_size = entry.file_size if entry.filename == "users.csv" else entry.compress_size
        return opened(self)

    monkeypatch.setattr(zipfile.ZipFile, "infolist", lying)
    with pytest.raises(kx.BundleError, match=r"users\.csv in .* expands more than 200-fold"):
        kx.read_oneroster(tmp_path / "b.zip")


def test_max_bytes_bounds_all_files_together(load: Load, tmp_path: Path) -> None:  # noqa: F811
    load()
    size = sum(len(text.encode()) for text in FILES.values())
    assert len(kx.read_oneroster(tmp_path, max_bytes=size).persons) == 2
    with pytest.raises(kx.BundleError, match=r"holds more than \d+ bytes of CSV.* max_bytes="):
        kx.read_oneroster(tmp_path, max_bytes=size - 1)


def test_files_and_cells_are_bounded(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    with pytest.raises(kx.BundleError, match=r"courses\.csv, line 2: too many cells"):
        load(courses="sourcedId,title\nc1" + "," * 20_000 + "\n")
    monkeypatch.setattr(bundle, "MAX_CELLS", 30)
    with pytest.raises(kx.BundleError, match="too many cells"):
        load(courses=None)
    monkeypatch.setattr(bundle, "MAX_ENTRIES", 3)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for n in range(4):
            archive.writestr(f"{n}.txt", "")
    with pytest.raises(kx.BundleError, match="holds 4 files; a bundle has at most 3"):
        kx.read_oneroster(tmp_path / "b.zip")


@pytest.mark.parametrize("other", ["users.csv", "USERS.CSV", "old/users.csv"])
def test_two_files_of_one_name_are_refused(tmp_path: Path, other: str) -> None:
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for name, text in FILES.items():
            archive.writestr(f"{name}.csv", text)
        if other == "users.csv":
            with pytest.warns(UserWarning, match="Duplicate name"):
                archive.writestr(other, FILES["users"])
        else:
            archive.writestr(other, FILES["users"])
    with pytest.raises(kx.BundleError) as told:
        kx.read_oneroster(tmp_path / "b.zip")
    assert f"{other} and users.csv: " in str(told.value) or f"users.csv and {other}: " in str(told.value)


def test_two_files_of_one_name_in_a_folder_are_refused(load: Load, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "Users.csv").write_text(FILES["users"])
    with pytest.raises(kx.BundleError, match=r"holds old/Users\.csv and users\.csv"):
        load()
    (tmp_path / "old" / "Users.csv").rename(tmp_path / "old" / "notes.csv")
    (tmp_path / "notes.csv").write_text("a,b\n")
    assert len(load().persons) == 2  # what is not read may come twice


MANIFEST = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\nfile.users,bulk\nfile.roles,bulk\n"
USERS = (
    "sourcedId,givenName,familyName,username,preferredGivenName,pronouns,primaryOrgSourcedId,password\n"
    "p1,Ana,Silva,ana,Annie,she/her,sch1,\n"
    "p2,Bo,Berg,bo,,,sch1,\n"
    "p3,Pa,Silva,pa,,,,\n"
    "p4,Cy,Dahl,cy,,,lea1,\n"
    "p5,No,Body,no,,,,\n"
)
ROLES = (
    "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId,userProfileSourcedId\n"
    "r1,,,p1,primary,student,2026-08-17,2027-05-28,sch1,\n"
    "r2,tobedeleted,,p2,secondary,principal,,,sch1,\n"
    "r3,,,p2,primary,teacher,8/17/2026,,sch1,\n"
    "r4,,,p3,primary,parent,,,sch1,\n"
    "r5,,,p4,primary,student,,,sch1,\n"
    "r6,,,p4,primary,aide,,,lea1,\n"
)


def test_a_bundle_of_1_2_is_read(load: Load) -> None:  # noqa: F811
    roster = load(manifest=MANIFEST, users=USERS, roles=ROLES, userProfiles="sourcedId\nup1\n")
    persons = roster.persons.astype(object).where(roster.persons.notna(), None)
    shown = ["id", "person_type", "label", "ext_role", "ext_roles", "ext_preferredGivenName", "ext_pronouns"]
    assert persons[shown].to_numpy().tolist() == [
        ["p1", "student", "Ana Silva", "student", None, "Annie", "she/her"],
        ["p2", "teacher", "Bo Berg", "teacher", "principal, teacher", None, None],
        ["p4", "staff", "Cy Dahl", "aide", "student, aide", None, None],
        ["p5", None, "No Body", None, None, None, None],
    ]
    links = roster.links[roster.links["relation"] == "member_of"]
    links = links[["source_id", "target_id", "role", "membership_id", "status", "primary", "start_date", "end_date"]]
    assert links.astype(str).fillna("nan").to_numpy().tolist() == [
        ["p1", "sch1", "student", "r1", "nan", "True", "2026-08-17", "2027-05-28"],
        ["p2", "sch1", "principal", "r2", "tobedeleted", "False", "nan", "nan"],
        ["p2", "sch1", "teacher", "r3", "nan", "True", "2026-08-17", "nan"],
        ["p4", "lea1", "aide", "r6", "nan", "True", "nan", "nan"],
        ["p4", "sch1", "student", "r5", "nan", "False", "nan", "nan"],
    ]
    problems = roster.problems.astype(object).where(roster.problems.notna(), None)
    one = "roles of several kinds; the person is known by the primary one: "
    assert sorted(problems.to_numpy().tolist(), key=str) == sorted(
        [
            ["persons", "p2", "role", "principal, teacher", one + "teacher"],
            ["persons", "p4", "role", "student, aide", one + "aide"],
            ["persons", "p5", "role", None, "roles.csv has no role for the person"],
            ["persons", "p5", "role", None, "an unknown role; the person type is unknown"],
            ["persons", None, "role", "1", "users with the role parent are left out; value counts them"],
            ["links", None, "role", "1", "rows of roles.csv with the role parent are left out; value counts them"],
            ["links", "r2", "status", "tobedeleted", "marked for deletion; kept"],
            [
                "links",
                None,
                "start_date",
                "1",
                "dates are written month first, such as 8/17/2026, not as 2026-08-15; read, value counts them",
            ],
            ["userProfiles", None, None, None, "userProfiles.csv is not part of a roster; left out"],
        ],
        key=str,
    )
    report = kx.check(roster)
    assert "could not run" not in set(report.summary["status"])


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {"manifest": MANIFEST, "users": USERS},
            "roles.csv is missing from the bundle, which says it is OneRoster 1.2",
        ),
        (
            {"users": USERS, "roles": ROLES},
            "roles.csv is there, as in OneRoster 1.2, but the manifest does not say 1.2; read as 1.2",
        ),
        ({"manifest": "propertyName,value\noneroster.version,2.0\n"}, "a version other than 1.1 and 1.2; read as 1.1"),
    ],
)
def test_a_version_that_does_not_fit_is_told(load: Load, files: dict[str, str], told: str) -> None:  # noqa: F811
    assert told in load(**files).problems["problem"].tolist()


def test_a_tie_between_student_and_staff_is_told(load: Load) -> None:  # noqa: F811
    roles = (
        "sourcedId,userSourcedId,roleType,role,orgSourcedId\nr1,p1,primary,student,sch1\nr2,p1,primary,teacher,lea1\n"
    )
    users = "sourcedId,givenName,familyName\np1,Ana,Silva\n"
    roster = load(manifest=MANIFEST, users=users, roles=roles)
    assert roster.persons["person_type"].tolist() == ["student"]
    text = "roles of several kinds; the person is known by the first, as no single one is primary: student"
    assert roster.problems.set_index("column").loc["role"][["id", "value", "problem"]].tolist() == [
        "p1",
        "student, teacher",
        text,
    ]
