"""OneRoster 1.2: reader and writer agree, and several roles at one org are several memberships."""

from pathlib import Path

import pytest
from bundle_oracle import assert_told
from rosters import assert_equal
from test_oneroster import FILES

import kimono_explore as kx

MANIFEST = "propertyName,value\nmanifest.version,1.0\noneroster.version,1.2\nfile.users,bulk\nfile.roles,bulk\n"
USERS = "sourcedId,enabledUser,username,givenName,familyName,primaryOrgSourcedId\n" + "".join(
    f"p{n},true,u{n},Ana,Silva,\n" for n in range(1, 5)
)
ROLES = """sourcedId,userSourcedId,roleType,role,orgSourcedId
r1,p1,primary,student,sch1
r2,p2,primary,teacher,sch1
r3,p2,secondary,aide,sch1
r4,p3,primary,aide,sch1
r5,p3,secondary,teacher,sch1
r6,p4,primary,student,sch1
r7,p4,secondary,proctor,sch1
"""


def read(folder: Path, **files: str) -> kx.Roster:
    folder.mkdir()
    for name, text in (FILES | {"manifest": MANIFEST, "users": USERS} | files).items():
        if text is not None:
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return kx.read_oneroster(folder)


def memberships(roster: kx.Roster) -> list[tuple[str, str, str]]:
    links = roster.links[roster.links["relation"] == "member_of"]
    return sorted(links[["source_id", "role", "membership_id"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_several_roles_at_one_org_are_several_memberships(tmp_path: Path, engine: str) -> None:
    roster = read(tmp_path / "in", roles=ROLES)
    assert memberships(roster) == [
        ("p1", "student", "r1"),
        ("p2", "aide", "r3"),
        ("p2", "teacher", "r2"),
        ("p3", "aide", "r4"),
        ("p3", "teacher", "r5"),
        ("p4", "proctor", "r7"),
        ("p4", "student", "r6"),
    ]
    summary = kx.check(roster, engine=engine, checks=["duplicate_membership"]).summary
    assert summary["failed"].tolist() == [0]


def test_roles_at_several_orgs_come_back_as_they_were(tmp_path: Path) -> None:
    orgs = FILES["orgs"].rstrip("\n") + "\nsch2,Second,school,2,lea1\n"
    rows = "r1,p2,primary,aide,sch1\nr2,p2,primary,teacher,sch2\nr3,p1,primary,student,sch1\n"
    roster = read(tmp_path / "in", orgs=orgs, roles=ROLES.split("\n")[0] + "\n" + rows)
    expected = [("p1", "student", "r3"), ("p2", "aide", "r1"), ("p2", "teacher", "r2")]
    assert memberships(roster) == expected
    roster.to_oneroster(tmp_path / "b.zip", version="1.2")
    assert memberships(kx.read_oneroster(tmp_path / "b.zip")) == expected


def test_a_role_that_came_twice_is_a_membership_that_came_twice(tmp_path: Path) -> None:
    roster = read(tmp_path / "in", roles=ROLES + "r8,p1,secondary,student,sch1\n")
    summary = kx.check(roster, checks=["duplicate_membership"]).summary
    assert summary["failed"].tolist() == [1]


def test_several_roles_come_back(tmp_path: Path) -> None:
    roster = read(tmp_path / "in", roles=ROLES)
    left_out = roster.to_oneroster(tmp_path / "b.zip", version="1.2")
    again = kx.read_oneroster(tmp_path / "b.zip")
    assert_told(roster, again, left_out)
    assert [row[0] for row in memberships(again)] == [row[0] for row in memberships(roster)]
    assert set(memberships(again)) >= {("p2", "aide", "r3"), ("p3", "teacher", "r5"), ("p4", "proctor", "r7")}
    problems = roster.problems["problem"].str.contains("no place for")
    assert not problems.any()


def test_what_was_read_and_written_once_stays_as_it_is(small_roster: kx.Roster, tmp_path: Path) -> None:
    small_roster.to_oneroster(tmp_path / "1.zip", version="1.2")
    once = kx.read_oneroster(tmp_path / "1.zip")
    once.to_oneroster(tmp_path / "2.zip", version="1.2")
    assert_equal(once, kx.read_oneroster(tmp_path / "2.zip"))
    assert once.problems.empty
