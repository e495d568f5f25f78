"""Bad bundles, one a line: each reads with its oddity named in ``problems``, or is a `BundleError` that names it.

None may end in any other exception, and `kx.check` ends on all that can be read.
"""

from __future__ import annotations

import pytest
from test_bundle_faults import load  # noqa: F401
from test_oneroster import FILES

import kimono_explore as kx

ENROLLED = "sourcedId,status,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n"
PEOPLE = "sourcedId,orgSourcedIds,role,givenName,familyName\n"
TERMS = "sourcedId,title,type,startDate,endDate,schoolYear\n"
ROLES = "sourcedId,userSourcedId,roleType,role,orgSourcedId\n"


def without(name: str, column: str) -> str:
    """A file of the small bundle under another header, so that the column is not there."""
    return FILES[name].replace(column, "other", 1)


TOLD: dict[str, tuple[dict[str, str | bytes | None], str]] = {
    "no orgs": ({"orgs": None}, "orgs.csv is missing from the bundle"),
    "no users": ({"users": None}, "users.csv is missing from the bundle"),
    "no enrollments": ({"enrollments": None}, "enrollments.csv is missing from the bundle"),
    "empty file": ({"courses": ""}, "courses.csv is empty"),
    "empty users": ({"users": ""}, "users.csv is empty"),
    "only blank lines": ({"classes": "\n\n\r\n"}, "classes.csv is empty"),
    "orgs without type": ({"orgs": without("orgs", "type")}, "orgs.csv has no column type"),
    "orgs without id": ({"orgs": without("orgs", "sourcedId")}, "orgs.csv has no column sourcedId"),
    "users without id": ({"users": without("users", "sourcedId")}, "users.csv has no column sourcedId"),
    "users without role": ({"users": without("users", "role")}, "users.csv has no column role"),
    "users without orgs": ({"users": without("users", "orgSourcedIds")}, "users.csv has no column orgSourcedIds"),
    "classes without course": (
        {"classes": without("classes", "courseSourcedId")},
        "classes.csv has no column courseSourcedId",
    ),
    "terms without dates": (
        {"academicSessions": without("academicSessions", "startDate")},
        "academicSessions.csv has no column startDate",
    ),
    "enrollments without user": (
        {"enrollments": without("enrollments", "userSourcedId")},
        "an enrollment without a user or class",
    ),
    "enrollments without id": (
        {"enrollments": without("enrollments", "sourcedId")},
        "enrollments.csv has no column sourcedId",
    ),
    "demographics without id": (
        {"demographics": "birthDate\n2015-01-01\n"},
        "demographics.csv has no column sourcedId",
    ),
    "semicolons": ({"users": FILES["users"].replace(",", ";")}, "users.csv has semicolons between its cells"),
    "tabs": ({"courses": FILES["courses"].replace(",", "\t")}, "courses.csv has tabs between its cells"),
    "bars": ({"courses": FILES["courses"].replace(",", "|")}, "courses.csv has vertical bars between its cells"),
    "cp1252": ({"users": FILES["users"].encode("utf-8").replace("Þ".encode(), b"\xde")}, "read as Windows-1252"),
    "utf-16 le, no mark": ({"users": FILES["users"].encode("utf-16-le")}, "users.csv is UTF-16 without a byte order"),
    "utf-16 be, no mark": ({"users": FILES["users"].encode("utf-16-be")}, "users.csv is UTF-16 without a byte order"),
    "utf-32 le, no mark": ({"users": FILES["users"].encode("utf-32-le")}, "users.csv is UTF-32 without a byte order"),
    "utf-32 be, no mark": ({"users": FILES["users"].encode("utf-32-be")}, "users.csv is UTF-32 without a byte order"),
    "short row": ({"courses": "sourcedId,title,orgSourcedId\nc1\n"}, "row 2 of courses.csv has 1 cells"),
    "long row": ({"courses": "sourcedId,title,orgSourcedId\nc1,Art,sch1,x\n"}, "row 2 of courses.csv has 4 cells"),
    "column twice": ({"courses": "sourcedId,title,Title,orgSourcedId\nc1,A,B,\n"}, "two columns of this name"),
    "same column as metadata": (
        {"courses": "sourcedId,title,metadata.credits,credits\nc1,A,1,2\n"},
        "is a second column for ext_credits",
    ),
    "no id in a row": ({"courses": "sourcedId,title\n,Art\n"}, "a row of courses.csv without a sourcedId"),
    "same row again": ({"orgs": FILES["orgs"] + "lea1,District,district,001,\n"}, "the row came again, unchanged"),
    "same id again": ({"orgs": FILES["orgs"] + "lea1,Other,district,001,\n"}, "with different content; all are kept"),
    "same person again": ({"users": FILES["users"] + "p1,sch1,teacher,Al,Berg,,\n"}, "with different content"),
    "role unknown": ({"users": PEOPLE + "p1,sch1,wizard,Ana,Silva\n"}, "an unknown role"),
    "passwords": ({"users": "sourcedId,role,Password\np1,student,hunter2\n"}, "users.csv holds passwords"),
    "term dates": ({"academicSessions": TERMS + "t,T,term,8/15/2026,5/31/2027,2027\n"}, "are written month first"),
    "ambiguous dates": ({"academicSessions": TERMS + "t,T,term,8/5/2026,5/3/2027,2027\n"}, "both explain the column"),
    "impossible date": ({"academicSessions": TERMS + "t,T,term,2026-02-30,2027-05-28,2027\n"}, "not a date"),
    "enrolled tobedeleted": ({"enrollments": ENROLLED + "e1,tobedeleted,s1,sch1,p1,student,,,\n"}, "marked for"),
    "enrolled date": ({"enrollments": ENROLLED + "e1,,s1,sch1,p1,student,,8/1/2015,\n"}, "both explain the column"),
    "enrolled maybe": ({"enrollments": ENROLLED + "e1,,s1,sch1,p1,student,maybe,,\n"}, "neither true nor false"),
    "enrolled again": (
        {"enrollments": ENROLLED + "e1,,s1,sch1,p1,student,,,\ne1,,s1,sch1,p2,teacher,,,\n"},
        "came again with different content",
    ),
    "enrolled elsewhere": (
        {"enrollments": ENROLLED + "e1,,s1,lea1,p1,student,,,\n"},
        "another school than the class's",
    ),
    "enrolled without id": ({"enrollments": ENROLLED + ",,s1,sch1,p1,student,,,\n"}, "without a sourcedId; kept"),
    "enrolled without role": ({"enrollments": ENROLLED + "e1,,s1,sch1,p1,,,,\n"}, "an enrollment without a role"),
    "enrolled wizard": ({"enrollments": ENROLLED + "e1,,s1,sch1,p1,wizard,,,\n"}, "an unknown role; kept as"),
    "births differ": ({"demographics": "sourcedId,birthDate\np1,2015-01-01\np1,2016-01-01\n"}, "contradict each other"),
    "demographics deleted": (
        {"demographics": "sourcedId,status,sex\np1,tobedeleted,F\n"},
        "marked for deletion in demographics.csv",
    ),
    "delta": ({"manifest": "propertyName,value\nfile.users,delta\n"}, "users.csv holds only changes"),
    "absent": ({"manifest": "propertyName,value\nfile.users,absent\n"}, "users.csv is announced as absent, and is"),
    "manifest of semicolons": ({"manifest": "propertyName;value\nfile.x;bulk\n"}, "x.csv is announced but missing"),
    "version": ({"manifest": "propertyName,value\noneroster.version,1.0\n"}, "a version other than 1.1 and 1.2"),
    "role without org": ({"roles": ROLES + "r1,p1,primary,student,\n"}, "a role without a user or org; left out"),
    "roleType": ({"roles": ROLES + "r1,p1,main,student,sch1\n"}, "neither primary nor secondary"),
    "role of 1.2 unknown": (
        {"roles": ROLES + "r1,p1,primary,ext:coach,sch1\n"},
        "an unknown role; read as a staff role",
    ),
    "quote not closed in the last row": (
        {"courses": 'sourcedId,title,orgSourcedId\nc1,Art,sch1\nc2,"Band,sch1'},
        "courses.csv, line 3: a quote is opened here and not closed",
    ),
}

REFUSED: dict[str, tuple[dict[str, str | bytes | None], str]] = {
    "nothing": (dict.fromkeys(FILES), "holds none of orgs.csv"),
    "quote that swallows the rest": (
        {"courses": 'sourcedId,title\nc1,Art\nc2,"Band\nc3,Choir\nc4,Drama\n'},
        "courses.csv, line 3: a quote is opened here and not closed",
    ),
    "quote that swallows a row": (
        {"users": PEOPLE + 'p1,"sch1,student,Ana,Silva\np2,"sch1,lea1",teacher,Bo,Berg\n'},
        "users.csv, line 2: a quote is opened here and not closed",
    ),
    "quote after a cell of two lines": (
        {"courses": 'sourcedId,title\nc1,"Art\nand craft"\nc2,"Band\nc3,Choir\n'},
        "courses.csv, line 4: a quote is opened here and not closed",
    ),
    "quote and a very long cell": (
        {"courses": 'sourcedId,title\nc1,"' + "x" * 200_000},
        "courses.csv, line 2: field larger than field limit",
    ),
    "utf-16 that is none": ({"users": b"\xff\xfea"}, "users.csv begins like UTF-16 and is not"),
    "utf-32 that is none": ({"users": b"\xff\xfe\x00\x00a"}, "users.csv begins like UTF-32 and is not"),
    "too many cells": ({"users": PEOPLE + "p1" + "," * 20_000}, "users.csv, line 2: too many cells"),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_is_odd_is_told_and_checked(load, name: str) -> None:  # noqa: F811
    files, told = TOLD[name]
    roster = load(**files)
    assert [text for text in roster.problems["problem"] if told in text], roster.problems["problem"].tolist()
    assert "hunter2" not in roster.problems.to_csv() + roster.persons.to_csv()
    if files.keys() & {"users"} and isinstance(files["users"], bytes):
        assert roster.persons["id"].tolist() == ["p1", "p2"]
        assert roster.persons["name_last"].tolist()[0] == "Silva"
    checks = ["missing_id", "duplicate_id", "duplicate_local_id", "bad_value", "load_problem", "unknown_org_type"]
    report = kx.check(roster, checks)
    assert "could not run" not in set(report.summary["status"])
    told_by = len(report.failures("bad_value")) + len(report.failures("load_problem"))
    about_ids = roster.problems["problem"].str.contains("^the id came|without a sourcedId; kept$", regex=True)
    assert told_by == len(roster.problems) - about_ids.sum()


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_a_clear_error(load, name: str) -> None:  # noqa: F811
    files, told = REFUSED[name]
    with pytest.raises(kx.BundleError) as error:
        load(**files)
    assert told in str(error.value)
