"""A small bundle as the tables, links and problems that it becomes."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kimono_explore.errors import BundleError
from kimono_explore.files.oneroster import memberships
from kimono_explore.files.oneroster.read import read_bundle
from kimono_explore.tables import Tables  # noqa: TC001

FILES = {
    "orgs": "sourcedId,name,type\nlea,District,District \nsch,School,school\n",
    "academicSessions": "sourcedId,title,type,startDate,endDate\nyr,Year,schoolYear,2026-08-17,2027-05-28\n",
    "courses": "sourcedId,title\nc1,Art\n",
    "classes": "sourcedId,title,courseSourcedId,schoolSourcedId,termSourcedIds\ns1,Art 1,c1,sch,yr\n",
    "users": "sourcedId,orgSourcedIds,role,givenName,familyName\np1,sch,student,Ana,Silva\np2,sch,teacher,Bo,Berg\n",
    "enrollments": "sourcedId,classSourcedId,userSourcedId,role\ne1,s1,p1,student\n",
}
PROFILES = {
    "users": "sourcedId,givenName,familyName,primaryOrgSourcedId\np1,Ana,Silva,\np2,Bo,Berg,lea\n",
    "manifest": "propertyName,value\noneroster.version,1.2\n",
}
ROLES = "sourcedId,userSourcedId,roleType,role,orgSourcedId,status,beginDate,endDate\n"


class Read:
    """The small bundle with some files replaced (None: left out), read."""

    def __init__(self, folder: Path, **files: str | None) -> None:
        for name, text in (FILES | files).items():
            if text is not None:
                (folder / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
        self.tables: Tables = read_bundle(folder)
        self.told = plain(self.tables.problems)

    def table(self, name: str, *columns: str) -> list[tuple[Any, ...]]:
        return plain(self.tables.tables[name][list(columns)])

    def links(self, relation: str, *columns: str) -> list[tuple[Any, ...]]:
        links = self.tables.links
        return plain(links.loc[links["relation"] == relation, list(columns)])


def plain(df: pd.DataFrame) -> list[tuple[Any, ...]]:
    df = df.astype(object)
    return [tuple(row) for row in df.where(df.notna(), None).to_numpy().tolist()]


def test_a_bundle_is_told_nothing_where_nothing_is_odd(tmp_path: Path) -> None:
    read = Read(tmp_path)
    assert read.told == []
    assert read.tables.source == f"OneRoster bundle {tmp_path.name}"
    assert read.table("orgs", "id", "org_type", "label") == [("lea", "lea", "District"), ("sch", "school", "School")]
    assert read.table("terms", "id", "start_date", "label") == [("yr", pd.Timestamp(2026, 8, 17), "Year")]
    assert read.table("sections", "id", "title", "label") == [("s1", "Art 1", "Art 1")]
    assert read.table("persons", "id", "person_type", "label", "ext_role") == [
        ("p1", "student", "Ana Silva", "student"),
        ("p2", "teacher", "Bo Berg", "teacher"),
    ]
    assert read.table("grading_categories", "id") == []
    assert read.links("student_in", "source_id", "target_id", "role", "membership_id", "stated_by") == [
        ("p1", "s1", "student", "e1", "both")
    ]
    assert read.links("member_of", "source_id", "target_id", "role", "stated_by") == [
        ("p1", "sch", "student", "source"),
        ("p2", "sch", "teacher", "source"),
    ]
    assert read.tables.rollups == frozenset(
        {
            "persons.$schools",
            "persons.$sections",
            "sections.$course",
            "sections.$org",
            "sections.$students",
            "sections.$teachers",
            "sections.$terms",
        }
    )


def test_files_that_lack_and_files_of_no_use_are_told(tmp_path: Path) -> None:
    read = Read(tmp_path, courses=None, enrollments=None, Results="sourcedId\n", lineItems="sourcedId\n")
    assert read.told == [
        ("courses", None, None, None, "courses.csv is missing from the bundle"),
        ("enrollments", None, None, None, "enrollments.csv is missing from the bundle"),
        ("Results", None, None, None, "Results.csv is not part of a roster; left out"),
        ("lineItems", None, None, None, "lineItems.csv is not part of a roster; left out"),
    ]
    assert "persons.$sections" not in read.tables.rollups


def test_a_folder_without_any_file_of_a_roster_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text("sourcedId\n")
    with pytest.raises(BundleError) as caught:
        read_bundle(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} holds none of orgs.csv, academicSessions.csv, courses.csv, classes.csv, users.csv, "
        "enrollments.csv. Is it OneRoster?"
    )


def test_empty_files_and_missing_columns_are_told(tmp_path: Path) -> None:
    read = Read(tmp_path, courses="", enrollments="", orgs="name\nA\n", users="sourcedId,givenName\np1,Ana\n")
    assert read.told == [
        ("orgs", None, "id", None, "orgs.csv has no column sourcedId"),
        ("orgs", None, "type", None, "orgs.csv has no column type"),
        ("courses", None, None, None, "courses.csv is empty"),
        ("persons", None, "familyName", None, "users.csv has no column familyName"),
        ("persons", None, "role", None, "users.csv has no column role"),
        ("persons", None, "orgSourcedIds", None, "users.csv has no column orgSourcedIds"),
        ("links", None, None, None, "enrollments.csv is empty"),
    ]
    assert read.table("orgs", "id", "name", "org_type") == [(None, "A", None)]
    assert read.table("persons", "id", "person_type", "label") == [("p1", None, "Ana")]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("file.users,delta\n", [("file.users", "delta", "users.csv holds only changes")]),
        ("file.roles,BULK \n", [("file.roles", "BULK ", "roles.csv is announced but missing")]),
        ("file.orgs,bulk\nfile.roles,absent\nroles,bulk\nother,absent\n", []),
        ("file.orgs,absent\n", [("file.orgs", "absent", "orgs.csv is announced as absent, and is there; read")]),
        ("oneroster.version,1.1\n,\n", []),
        ("oneroster.version, 1.1.1\n", []),
        ("oneroster.version,3\n", [("oneroster.version", "3", "a version other than 1.1 and 1.2; read as 1.1")]),
    ],
)
def test_what_the_manifest_says_is_compared(tmp_path: Path, rows: str, told: list[tuple[str, str, str]]) -> None:
    read = Read(tmp_path, manifest="propertyName,value\n" + rows)
    assert read.told == [("manifest", None, *row) for row in told]


def test_a_bundle_with_roles_is_of_1_2(tmp_path: Path) -> None:
    roles = {"roles": ROLES + "r1,p1,primary,student,sch,,,\nr2,p2,primary,teacher,lea,,,\n"}
    assert Read(tmp_path, **PROFILES, **roles).told == []
    text = "roles.csv is there, as in OneRoster 1.2, but the manifest does not say 1.2; read as 1.2"
    read = Read(tmp_path, **PROFILES | {"manifest": "propertyName,value\noneroster.version,1.1\n"}, **roles)
    assert read.told == [("manifest", None, "oneroster.version", "1.1", text)]
    read = Read(tmp_path, **PROFILES | {"manifest": "propertyName,value\noneroster.version,2\n"}, **roles)
    other = "a version other than 1.1 and 1.2; read as 1.2"
    assert read.told == [("manifest", None, "oneroster.version", "2", other)]


def test_without_roles_a_bundle_of_1_2_says_so(tmp_path: Path) -> None:
    text = "roles.csv is missing from the bundle, which says it is OneRoster 1.2"
    assert Read(tmp_path, manifest=PROFILES["manifest"]).told == [("roles", None, None, None, text)]


def test_columns_of_any_name_are_kept(tmp_path: Path) -> None:
    read = Read(
        tmp_path,
        courses="sourcedId,title,metadata.credits,credits,ext_own,label\nc1,Art,,2,o,\nc2,Band,3,4,,Brass\n",
    )
    assert read.table("courses", "id", "title", "ext_credits", "ext_own", "label") == [
        ("c1", "Art", "2", "o", "Art"),
        ("c2", "Band", "3", None, "Brass"),
    ]
    text = "credits is a second column for ext_credits; read only where the first is empty"
    assert read.told == [("courses", None, "ext_credits", None, text)]


def test_passwords_are_not_read(tmp_path: Path) -> None:
    users = "sourcedId,orgSourcedIds,role,givenName,familyName,PassWord\np1,sch,student,Ana,Silva,"
    read = Read(tmp_path, users=users + "hunter2\n")
    assert read.told == [("persons", None, "password", None, "users.csv holds passwords; they are not read")]
    assert not [name for name in read.tables.persons.columns if "assword" in name]
    assert Read(tmp_path, users=users + "\n").told == []


def test_parents_are_counted_and_others_are_typed(tmp_path: Path) -> None:
    people = {"p1": "Student", "p2": "parent", "p3": "GUARDIAN", "p4": "parent", "p5": "aide", "p6": "wizard", "p7": ""}
    users = "sourcedId,orgSourcedIds,role,givenName,familyName\n"
    users += "".join(f"{id},sch,{role},A,B\n" for id, role in people.items())
    enrollments = "sourcedId,classSourcedId,userSourcedId,role\n"
    enrollments += "e1,s1,p1,parent\ne2,s1,p2,relative\ne3,s1,p4,parent\n"
    demographics = "sourcedId,sex\np2,male\nghost,male\np1,female\n"
    read = Read(tmp_path, users=users, enrollments=enrollments, demographics=demographics)
    assert read.table("persons", "id", "person_type", "sex") == [
        ("p1", "student", "female"),
        ("p5", "staff", None),
        ("p6", None, None),
        ("p7", None, None),
    ]
    assert [row[2] for row in read.links("member_of", "source_id", "target_id", "role")] == [
        "student",
        *["teacher"] * 3,
    ]
    unknown = "an unknown role; the person type is unknown"
    assert read.told == [
        ("persons", None, "role", "1", "users with the role guardian are left out; value counts them"),
        ("persons", None, "role", "2", "users with the role parent are left out; value counts them"),
        ("persons", "p6", "role", "wizard", unknown),
        ("persons", "p7", "role", None, unknown),
        ("persons", "ghost", None, None, "demographics of somebody who is not in users.csv"),
        ("links", None, "role", "2", "enrollments with the role parent are left out; value counts them"),
        ("links", None, "role", "1", "enrollments with the role relative are left out; value counts them"),
    ]


def test_rows_with_one_id_are_kept_where_they_differ(tmp_path: Path) -> None:
    read = Read(
        tmp_path, courses="sourcedId,title,orgSourcedId\n" + "c1,Art,sch\n" * 3 + "c1,Arts,sch\n,X,sch\n,X,\nc2,Y,\n"
    )
    assert read.table("courses", "id", "title") == [
        ("c1", "Art"),
        ("c1", "Arts"),
        (None, "X"),
        (None, "X"),
        ("c2", "Y"),
    ]
    assert read.links("offered_by", "source_id", "target_id") == [("c1", "sch")]
    nameless = ("courses", None, "id", None, "a row of courses.csv without a sourcedId; kept")
    assert read.told == [
        nameless,
        nameless,
        ("courses", "c1", None, "2", "the row came again, unchanged; value counts the repeats that were dropped"),
        ("courses", "c1", "id", "c1", "the id came 2 times with different content; all are kept"),
        ("courses", None, "orgSourcedId", "sch", "a reference from a row without an id; left out"),
    ]


def test_several_references_in_one_cell_are_several_links(tmp_path: Path) -> None:
    read = Read(tmp_path, users=FILES["users"].replace("p1,sch", 'p1," sch,,lea, sch"'))
    assert read.links("member_of", "source_id", "target_id", "target_type") == [
        ("p1", "lea", "org"),
        ("p1", "sch", "org"),
        ("p2", "sch", "org"),
    ]


def test_what_is_marked_for_deletion_is_kept_and_told(tmp_path: Path) -> None:
    read = Read(tmp_path, courses="sourcedId,status,title\nc1,ToBeDeleted,Art\nc2,active,Band\n")
    assert read.told == [("courses", "c1", "status", "ToBeDeleted", "marked for deletion; kept")]
    assert len(read.tables.courses) == 2


ENROLLED = "sourcedId,classSourcedId,userSourcedId,role,status,primary,beginDate,schoolSourcedId,shoe\n"


def test_enrollments_that_are_odd_are_told(tmp_path: Path) -> None:
    rows = (
        "e1,s1,p1,Student,active,TRUE,2026-08-17,sch,1\n"
        "e1,s1,p1,Student,active,TRUE,2026-08-17,sch,1\n"
        "e1,s1,p2,teacher,,maybe,,,\n"
        "e2,s1,p2,wizard,tobedeleted,false,soon,lea,\n"
        ",s1,p2,,,,,,\n"
        "e3,,p1,student,,,,,\n"
        "e4,s1,,student,,,,,\n"
        "e5,gone,p2,aide,,,,lea,\n"
    )
    read = Read(tmp_path, enrollments=ENROLLED + rows)
    assert read.links("student_in", "membership_id", "role", "status", "primary", "start_date") == [
        ("e1", "student", "active", True, pd.Timestamp(2026, 8, 17))
    ]
    assert sorted(read.links("teacher_in", "membership_id", "target_id", "role", "status", "primary"), key=str) == [
        ("e1", "s1", "teacher", None, None),
        ("e2", "s1", "wizard", "tobedeleted", False),
        ("e5", "gone", "aide", None, None),
        (None, "s1", "teacher", None, None),
    ]
    assert read.told == [
        ("links", None, "shoe", None, "a column of enrollments.csv that links have no place for; left out"),
        ("links", "e1", "primary", "maybe", "neither true nor false"),
        ("links", "e2", "start_date", "soon", "not a date"),
        (
            "links",
            "e1",
            "membership_id",
            "e1",
            "the id of a row of enrollments.csv came again with different content; kept",
        ),
        ("links", "e2", "status", "tobedeleted", "marked for deletion; kept"),
        ("links", None, "membership_id", "1", "rows of enrollments.csv without a sourcedId; kept, value counts them"),
        ("links", "e1", None, "1", "the row came again, unchanged; value counts the repeats that were dropped"),
        ("links", "e2", "role", "wizard", "an unknown role; kept as a teacher role"),
        ("links", "e2", "schoolSourcedId", "lea", "another school than the class's; left out"),
        ("links", None, "role", None, "an enrollment without a role; read as a teacher role"),
        ("links", "e3", None, "p1,None", "an enrollment without a user or class"),
        ("links", "e4", None, "None,s1", "an enrollment without a user or class"),
    ]


def test_dates_of_the_field_are_read_and_told_once(tmp_path: Path) -> None:
    rows = "e1,s1,p1,student,,,8/17/2026,,\ne2,s1,p2,teacher,,,9/1/2026,,\n"
    read = Read(tmp_path, enrollments=ENROLLED.replace(",shoe", ",endDate") + rows)
    assert read.links("student_in", "start_date") == [(pd.Timestamp(2026, 8, 17),)]
    text = "dates are written month first, such as 8/17/2026, not as 2026-08-15; read, value counts them"
    assert read.told == [("links", None, "start_date", "2", text)]


def test_repeats_are_named_so_far_and_then_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memberships, "_NAMED_REPEATS", 2)
    courses = "".join(f"c{n},Art\n" * (n + 1) for n in range(6))
    read = Read(tmp_path, courses="sourcedId,title\n" + courses)
    again = "the row came again, unchanged; value counts the repeats that were dropped"
    assert read.told == [
        ("courses", "c1", None, "1", again),
        ("courses", "c2", None, "2", again),
        ("courses", None, None, "12", "more rows came again, unchanged, and were dropped; value counts them"),
    ]
    assert len(Read(tmp_path, courses="sourcedId,title\nc1,A\nc1,A\nc2,B\nc2,B\n").told) == 2


def test_roles_of_1_2_become_memberships(tmp_path: Path) -> None:
    rows = (
        "r1,p1,Primary,student,sch,,2026-08-17,2027-05-28\n"
        "r2,p2,primary,teacher,sch,,,\n"
        "r3,p2,secondary,aide,lea,tobedeleted,,\n"
        "r4,p1,tertiary,wizard,lea,,,\n"
        "r5,,primary,student,sch,,,\n"
        "r6,p2,primary,parent,sch,,,\n"
        "r7,p2,primary,student,,,,\n"
        "r3,p2,secondary,aide,lea,tobedeleted,,\n"
    )
    rows = rows.replace("-28\n", "-28,9,\n").replace(",\n", ",,,\n").replace(",9,,,", ",9,")
    read = Read(tmp_path, **PROFILES, roles=ROLES.replace("endDate\n", "endDate,shoe,hat\n") + rows)
    shown = ("membership_id", "source_id", "target_id", "role", "primary", "status")
    assert sorted(read.links("member_of", *shown)) == [
        ("r1", "p1", "sch", "student", True, None),
        ("r2", "p2", "sch", "teacher", False, None),
        ("r3", "p2", "lea", "aide", False, "tobedeleted"),
        ("r4", "p1", "lea", "wizard", None, None),
    ]
    (dated,) = [row for row in read.links("member_of", "membership_id", "start_date", "end_date") if row[1] is not None]
    assert dated == ("r1", pd.Timestamp(2026, 8, 17), pd.Timestamp(2027, 5, 28))
    assert read.told == [
        ("links", None, "shoe", None, "a column of roles.csv that links have no place for; left out"),
        ("links", "r3", "status", "tobedeleted", "marked for deletion; kept"),
        ("links", "r3", None, "1", "the row came again, unchanged; value counts the repeats that were dropped"),
        ("links", "r4", "primary", "tertiary", "a roleType that is neither primary nor secondary"),
        ("links", "r4", "role", "wizard", "an unknown role; read as a staff role"),
        ("links", "r5", None, "None,sch", "a role without a user or org; left out"),
        ("links", "r7", None, "p2,None", "a role without a user or org; left out"),
        ("links", None, "role", "1", "rows of roles.csv with the role parent are left out; value counts them"),
        (
            "persons",
            "p1",
            "role",
            "student, wizard",
            "roles of several kinds; the person is known by the primary one: student",
        ),
        (
            "persons",
            "p2",
            "role",
            "teacher, aide, parent, student",
            "roles of several kinds; the person is known by the first, as no single one is primary: teacher",
        ),
    ]
    assert "persons.$schools" in read.tables.rollups


def test_a_person_without_a_role_keeps_that_of_users(tmp_path: Path) -> None:
    users = "sourcedId,role,givenName,familyName,primaryOrgSourcedId\np1,aide,Ana,Silva,sch\np2,,Bo,Berg,\n"
    read = Read(tmp_path, **PROFILES | {"users": users}, roles=ROLES + "r1,p2,primary,teacher,lea,,,\n")
    assert read.table("persons", "id", "person_type", "ext_role") == [
        ("p1", "staff", "aide"),
        ("p2", "teacher", "teacher"),
    ]
    assert "ext_roles" not in read.tables.persons
    assert read.told == [
        (
            "persons",
            "p1",
            "primaryOrgSourcedId",
            "sch",
            "the primary org is one at which roles.csv gives the person no role",
        ),
        ("persons", "p1", "role", "aide", "roles.csv has no role for the person"),
    ]


def test_several_roles_of_a_person_are_kept_in_words(tmp_path: Path) -> None:
    rows = "r1,p1,primary,aide,sch,,,\nr2,p1,secondary,proctor,lea,,,\nr3,p2,primary,teacher,sch,,,\n"
    read = Read(tmp_path, **PROFILES | {"users": PROFILES["users"].replace("lea", "")}, roles=ROLES + rows)
    assert read.table("persons", "ext_role", "ext_roles") == [("aide", "aide, proctor"), ("teacher", None)]
    assert sorted(read.links("member_of", "source_id", "role", "primary")) == [
        ("p1", "aide", True),
        ("p1", "proctor", False),
        ("p2", "teacher", True),
    ]


def test_one_role_that_is_no_students_is_a_teachers_membership(tmp_path: Path) -> None:
    rows = "r1,p1,primary,principal,sch,,,\nr2,p2,primary,Aide,sch,,,\nr3,p2,secondary,proctor,lea,,,\n"
    read = Read(tmp_path, **PROFILES | {"users": PROFILES["users"].replace("lea", "")}, roles=ROLES + rows)
    assert sorted(read.links("member_of", "membership_id", "role")) == [
        ("r1", "teacher"),
        ("r2", "aide"),
        ("r3", "proctor"),
    ]


def test_org_types_are_in_small_letters(tmp_path: Path) -> None:
    read = Read(tmp_path, orgs="sourcedId,name,type\na,A, DISTRICT\nb,B,School\nc,C,\nd,D,Odd\n")
    assert [row[0] for row in read.table("orgs", "org_type")] == ["lea", "school", None, "odd"]


def test_demographics_that_repeat_or_lack_an_id_are_told(tmp_path: Path) -> None:
    rows = "p1,2012-05-01,female,x\np1,2012-05-01,female,x\n,2012-05-01,,\np2,5/13/1980,male,\n"
    read = Read(tmp_path, demographics="sourcedId,birthDate,sex,cityOfBirth\n" + rows)
    assert read.table("persons", "dob", "sex", "ext_cityOfBirth") == [
        (pd.Timestamp(2012, 5, 1), "female", "x"),
        (pd.Timestamp(1980, 5, 13), "male", None),
    ]
    assert read.told == [
        ("persons", None, None, ",2012-05-01,,", "a row of demographics.csv without a sourcedId; left out"),
        ("persons", "p1", None, "1", "the row came again, unchanged; value counts the repeats that were dropped"),
        (
            "persons",
            None,
            "dob",
            "1",
            "dates are written month first, such as 5/13/1980, not as 2026-08-15; read, value counts them",
        ),
    ]
