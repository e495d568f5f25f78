"""A roster of a few objects as the bundle that is written of it, and what is told of the rest."""

import csv
import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from builders import Item, category, course, lea, link, make, problem, school, section, student, teacher, term

from kimono_explore.errors import BundleError
from kimono_explore.files.oneroster import write
from kimono_explore.files.oneroster.standard import MANIFEST, STANDARD
from kimono_explore.files.oneroster.write import write_oneroster

PERSON = {"ext_username": "ana", "ext_enabledUser": "true"}
TEACHER = {"ext_username": "ben", "ext_enabledUser": "true"}
YEAR = term(school_year="2027", term_type="schoolYear", label="year")
PLACES: tuple[Item, ...] = (
    lea(label="district"),
    school(label="school"),
    YEAR,
    course(label="algebra"),
    section(ext_classType="scheduled", label="algebra-1"),
    link("school child_of district"),
    link("algebra offered_by school"),
    link("algebra-1 of_course algebra"),
    link("algebra-1 held_at school"),
    link("algebra-1 in_term year"),
)
MEMBERS = (link("ana member_of school"), link("ben member_of school"))
PEOPLE = (student(**PERSON), teacher(**TEACHER))


class Written:
    """What `write_oneroster` wrote of some items, and told."""

    def __init__(self, folder: Path, *items: Item, version: str = "1.1") -> None:
        df = write_oneroster(make(*items), folder / "out", version).astype(object)
        self.told = [tuple(row) for row in df.where(df.notna(), None).to_numpy().tolist()]
        self.files = {}
        for path in (folder / "out").iterdir():
            with path.open(encoding="utf-8", newline="") as file:
                self.files[path.stem] = list(csv.DictReader(file))

    def cells(self, file: str, *names: str) -> list[tuple[str, ...]]:
        return [tuple(row[name] for name in names) for row in self.files.get(file, [])]


def test_a_roster_that_fits_is_written_without_a_word(tmp_path: Path) -> None:
    enrolled = link("ana student_in algebra-1", membership_id="e1", primary=True, start_date="2026-08-17")
    out = Written(tmp_path, *PLACES, *PEOPLE, *MEMBERS, enrolled)
    assert out.told == []
    assert out.cells("orgs", "sourcedId", "name", "type", "parentSourcedId", "status", "dateLastModified") == [
        ("district", "district", "district", "", "", ""),
        ("school", "school", "school", "district", "", ""),
    ]
    assert out.cells("academicSessions", "sourcedId", "title", "type", "startDate", "endDate", "schoolYear") == [
        ("year", "year", "schoolYear", "2026-08-17", "2027-06-04", "2027")
    ]
    assert out.cells("courses", "sourcedId", "title", "orgSourcedId") == [("algebra", "algebra", "school")]
    assert out.cells("classes", "sourcedId", "courseSourcedId", "schoolSourcedId", "termSourcedIds", "classType") == [
        ("algebra-1", "algebra", "school", "year", "scheduled")
    ]
    assert out.cells("users", "sourcedId", "role", "username", "enabledUser", "givenName", "orgSourcedIds") == [
        ("ana", "student", "ana", "true", "Ana", "school"),
        ("ben", "teacher", "ben", "true", "Ben", "school"),
    ]
    assert out.cells("enrollments", *(cell.name for cell in STANDARD["1.1"]["enrollments"])) == [
        ("e1", "", "", "algebra-1", "school", "ana", "student", "true", "2026-08-17", "")
    ]
    there = {"academicSessions", "classes", "courses", "enrollments", "orgs", "users"}
    assert out.cells("manifest", "propertyName", "value") == [
        ("manifest.version", "1.0"),
        ("oneroster.version", "1.1"),
        *((f"file.{name}", "bulk" if name in there else "absent") for name in MANIFEST["1.1"]),
    ]
    assert set(out.files) == there | {"manifest"}


def test_what_is_required_is_filled_by_rules_that_are_told(tmp_path: Path) -> None:
    out = Written(
        tmp_path,
        *PLACES[:2],
        term("fall", "2026-08-17", "2026-12-18", name=None, label="Fall\nTerm"),
        term("spring", "2027-01-10", "2027-07-31"),
        term("summer", "2027-08-01", "2027-08-20"),
        course(title=None, label="Algebra"),
        section(),
        *PLACES[5:9],
        link("algebra-1 in_term fall"),
        student(email="a@x.org"),
        student("ben", email="B@x.org"),
        student("cy", email="b@X.org"),
        student("di", email=" "),
        *(link(f"{id} member_of school") for id in ("ana", "ben", "cy", "di")),
    )
    assert out.cells("academicSessions", "title", "schoolYear") == [
        ("Fall Term", "2027"),
        ("spring", "2027"),
        ("summer", "2028"),
    ]
    assert out.cells("courses", "title") == [("Algebra",)]
    assert out.cells("classes", "classType") == [("scheduled",)]
    assert out.cells("users", "username", "enabledUser") == [(id, "true") for id in ("a@x.org", "ben", "cy", "di")]
    by_end = "was empty; the year of the end date is written, or the next one if it is after July"
    name = "was empty, and no email address is this person's only; the id is written"
    assert sorted(row for row in out.told if row[2] not in ("term_type", "enabledUser")) == sorted([
        ("terms", "fall", "name", "Fall Term", "was empty; the label is written"),
        ("terms", "fall", "school_year", "2027", by_end),
        ("terms", "spring", "school_year", "2027", by_end),
        ("terms", "summer", "school_year", "2028", by_end),
        ("terms", "fall", "label", "Fall\nTerm", "line breaks are written as spaces"),
        ("courses", "algebra", "title", "Algebra", "was empty; the label is written"),
        ("sections", "algebra-1", "classType", "scheduled", "was empty; written as scheduled, the standard's usual class"),
        ("persons", "ana", "username", "a@x.org", "was empty; the email address is written"),
        *(("persons", id, "username", id, name) for id in ("ben", "cy", "di")),
    ], key=str)  # fmt: skip
    assert [row for row in out.told if row[2] == "enabledUser"] == [
        ("persons", id, "enabledUser", "true", "was empty; written as true") for id in ("ana", "ben", "cy", "di")
    ]


def test_school_years_are_of_the_session_around_or_in_other_forms(tmp_path: Path) -> None:
    out = Written(
        tmp_path,
        term("a", school_year="2026-27"),
        term("b", school_year="1999/2000"),
        term("c", school_year="soon"),
        term("d", school_year="2028 "),
        term("in-a"),
        term("in-in-a"),
        term("loop"),
        term("loop-2"),
        term("in-gone"),
        *(link(f"{one} child_of {other}") for one, other in (
            ("in-a", "a"), ("in-in-a", "in-a"), ("loop", "loop-2"), ("loop-2", "loop"), ("in-gone", "gone"))),
    )  # fmt: skip
    assert out.cells("academicSessions", "sourcedId", "schoolYear", "parentSourcedId") == [
        ("a", "2027", ""),
        ("b", "2000", ""),
        ("in-a", "2027", "a"),
        ("in-in-a", "2027", "in-a"),
        ("loop", "2027", "loop-2"),
        ("loop-2", "2027", "loop"),
        ("in-gone", "2027", ""),
    ]
    around, by_end = (
        "was empty; that of the session around it is written",
        "was empty; the year of the end date is written, or the next one if it is after July",
    )
    assert [row[1:] for row in out.told if row[2] == "school_year"] == [
        ("c", "school_year", "soon", "academicSessions.csv requires schoolYear and there is none that fits: the row is left out"),
        ("d", "school_year", "2028 ", "academicSessions.csv requires schoolYear and there is none that fits: the row is left out"),
        ("a", "school_year", "2026-27", "is written as the year in which it ends"),
        ("b", "school_year", "1999/2000", "is written as the year in which it ends"),
        ("in-a", "school_year", "2027", around),
        ("in-in-a", "school_year", "2027", around),
        *((id, "school_year", "2027", by_end) for id in ("loop", "loop-2", "in-gone")),
    ]  # fmt: skip


def test_what_is_marked_for_deletion_and_what_has_a_status_is_told(tmp_path: Path) -> None:
    out = Written(
        tmp_path,
        lea(ext_status="active", updated_at=dt.datetime(2026, 8, 1, tzinfo=dt.UTC), label="district"),
        school(ext_status="ToBeDeleted", updated_at=dt.datetime(2026, 8, 1, tzinfo=dt.UTC), label="school"),
        *PEOPLE,
        link("ana member_of district", status="Active"),
        link("ben member_of district", status="tobedeleted", membership_id="m"),
    )
    assert out.cells("orgs", "sourcedId", "status") == [("district", "")]
    assert out.cells("users", "sourcedId") == [("ana",)]
    gone = "a bulk bundle does not hold what is marked for deletion"
    assert out.told == [
        ("orgs", None, "updated_at", "1",
         "a bulk bundle has no dateLastModified: left out; value counts them"),
        ("orgs", None, "ext_status", "1", "a bulk bundle has no status: active is left out; value counts them"),
        ("links", None, "status", "1", "the status Active of memberships is left out; value counts them"),
        ("links", "m", "status", "ben,district", f"{gone}: left out"),
        ("orgs", "school", "ext_status", "ToBeDeleted", f"{gone}: the row is left out"),
        ("persons", "ben", "orgSourcedIds", None,
         "users.csv requires orgSourcedIds and there is none that fits: the row is left out"),
    ]  # fmt: skip


def test_links_that_lead_nowhere_or_have_no_place_are_told(tmp_path: Path) -> None:
    out = Written(
        tmp_path,
        *PLACES,
        *PEOPLE,
        *MEMBERS,
        category(label="tests"),
        link("tests graded_in algebra-1"),
        link("tests graded_for year"),
        link("nobody member_of school"),
        link("ana member_of a,b"),
        link("school child_of year", types=("org", "term")),
        link("ana student_in algebra-1", membership_id="e1", grade="7", status="x"),
    )
    place = "OneRoster has no place for"
    assert sorted(out.told) == sorted(
        [
            ("links", None, "relation", "1", f"{place} graded_in links; value counts them"),
            ("links", None, "relation", "1", f"{place} graded_for links; value counts them"),
            ("links", None, "status", "1", "the status x of memberships is left out; value counts them"),
            ("links", None, "grade", "1", "the grade of memberships is left out; value counts them"),
            ("orgs", "school", "parentSourcedId", "year", f"child_of leads to an object of type term: {place} it"),
            (
                "persons",
                "nobody",
                "orgSourcedIds",
                "school",
                "a member_of link of an object that is not there: left out",
            ),
            ("persons", "ana", "orgSourcedIds", "a,b", "an id with a comma in it: the reference is left out"),
        ]
    )
    assert out.cells("users", "orgSourcedIds") == [("school",), ("school",)]
    assert out.cells("categories", "sourcedId", "title") == [("tests", "tests")]


def test_memberships_of_orgs_lose_what_1_1_has_no_place_for(tmp_path: Path) -> None:
    members = (
        link("ana member_of school", membership_id="m"),
        link("ana member_of district", start_date="2026-08-17"),
        link("ben member_of school", end_date="2027-08-17"),
        link("ben member_of district"),
    )
    out = Written(tmp_path, *PLACES, *PEOPLE, *members)
    text = "memberships of orgs lose their id, status and dates; value counts them"
    assert out.told == [("links", None, "member_of", "3", text)]
    assert out.cells("users", "orgSourcedIds") == [("school,district",), ("school,district",)]


def test_what_oneroster_has_no_column_for_becomes_metadata(tmp_path: Path) -> None:
    out = Written(
        tmp_path,
        lea(ext_seats=5, ext_name="other", ext_note="a\nb", created_at=dt.datetime(2026, 8, 1, tzinfo=dt.UTC),
            label="Own", ext_password="x", ext_open=True),
    )  # fmt: skip
    row = out.files["orgs"][0]
    assert {key: value for key, value in row.items() if key.startswith("metadata.")} == {
        "metadata.label": "Own",
        "metadata.created_at": row["metadata.created_at"],
        "metadata.seats": "5",
        "metadata.ext_name": "other",
        "metadata.note": "a b",
        "metadata.open": "true",
    }
    assert row["metadata.created_at"].startswith("2026-08-01T00:00:00")
    assert out.told == [
        ("orgs", None, "ext_password", "1", "passwords are never written: left out; value counts them"),
        ("orgs", "district", "ext_note", "a\nb", "line breaks are written as spaces"),
    ]


def test_what_was_not_read_is_told_unless_the_cell_is_filled(tmp_path: Path) -> None:
    out = Written(
        tmp_path,
        *PLACES[:2],
        student(**PERSON),
        teacher(**TEACHER, dob="1980-01-01"),
        *MEMBERS,
        problem("persons", "ana", "dob", "soon", "not a date"),
        problem("persons", "ben", "dob", "soon", "not a date"),
        problem("persons", "ana", "dob", None, "not a date"),
        problem("links", None, "primary", "maybe", "neither true nor false"),
        problem("persons", "ana", "aup", "maybe", "another problem"),
    )
    text = "when it was read, so the roster does not hold it"
    assert out.told == [
        ("persons", "ana", "dob", "soon", f"not a date {text}"),
        ("links", None, "primary", "maybe", f"neither true nor false {text}"),
    ]
    assert out.cells("demographics", "sourcedId", "birthDate") == [("ben", "1980-01-01")]


def test_demographics_are_a_file_of_their_own(tmp_path: Path) -> None:
    out = Written(
        tmp_path,
        *PLACES[:2],
        student(**PERSON, dob="2012-05-01", sex="F", ext_asian="TRUE", ext_cityOfBirth="Lima"),
        teacher(**TEACHER),
        student("left-out", sex="male"),
        *MEMBERS,
    )
    assert out.cells("demographics", "sourcedId", "birthDate", "sex", "asian", "cityOfBirth") == [
        ("ana", "2012-05-01", "female", "true", "Lima")
    ]
    assert [row[1:4] for row in out.told if row[2] in ("sex", "ext_asian")] == [
        ("ana", "sex", "F"),
        ("ana", "ext_asian", "TRUE"),
    ]


@pytest.mark.parametrize(
    ("person_type", "ext_role", "role", "told"),
    [
        ("teacher", None, "teacher", []),
        ("Student", None, "student", [("person_type", "Student", "Student is written as student")]),
        ("staff", None, "aide", [
            ("person_type", "staff", "staff has no role of its own in OneRoster; written as aide, the role with the fewest rights"),
        ]),
        ("staff", "proctor", "proctor", []),
        ("staff", "Principal", "administrator", [("ext_role", "Principal", "Principal is written as administrator")]),
        ("teacher", "wizard", "teacher", [
            ("ext_role", "wizard", "is not one of administrator, aide, guardian, parent, proctor, relative, student, teacher: left out")]),
        (None, None, "student", [("person_type", "student", "was empty; the role in the person's classes is written")]),
    ],
)  # fmt: skip
def test_a_role_of_1_1_is_the_given_one_or_by_type_or_by_classes(
    tmp_path: Path, person_type: str | None, ext_role: str | None, role: str, told: list[tuple[str, str, str]]
) -> None:
    more = {} if ext_role is None else {"ext_role": ext_role}
    out = Written(
        tmp_path, *PLACES,
        ("persons", {**student(**PERSON, **more)[1], "person_type": person_type}),
        link("ana member_of school"), link("ana student_in algebra-1", membership_id="e"),
    )  # fmt: skip
    assert out.cells("users", "role") == [(role,)]
    assert [row[2:] for row in out.told if row[0] == "persons"] == told


def test_who_learns_and_teaches_has_no_role_by_classes(tmp_path: Path) -> None:
    out = Written(
        tmp_path, *PLACES, ("persons", {**student(**PERSON)[1], "person_type": None}),
        link("ana member_of school"), link("ana student_in algebra-1"), link("ana teacher_in algebra-1"),
    )  # fmt: skip
    assert "users" not in out.files


ENROLLED = (*PLACES, *PEOPLE, *MEMBERS)


@pytest.mark.parametrize(
    ("sentence", "fields", "role", "told"),
    [
        ("ana student_in algebra-1", {}, "student", None),
        ("ana student_in algebra-1", {"role": None}, "student", None),
        ("ana student_in algebra-1", {"role": "Student"}, "student", ("role", "Student", "Student is written as student")),
        ("ana student_in algebra-1", {"role": "teacher"}, "student",
         ("role", "teacher", "teacher of a student_in link is written as student")),
        ("ben teacher_in algebra-1", {"role": "student"}, "teacher",
         ("role", "student", "student of a teacher_in link is written as teacher")),
        ("ben teacher_in algebra-1", {"role": "proctor"}, "proctor", None),
        ("ben teacher_in algebra-1", {"role": "aide"}, None,
         ("role", "ben,algebra-1", "aide is not one of administrator, proctor, student, teacher: an enrollment: left out")),
        ("nobody student_in algebra-1", {}, None,
         ("source_id", "nobody,algebra-1", "an enrollment whose user is not in users.csv: left out")),
        ("ana student_in nothing", {}, None,
         ("target_id", "ana,nothing", "an enrollment whose class is not in classes.csv: left out")),
        ("ana student_in algebra-1", {"types": ("person", "org")}, None,
         ("relation", "ana,algebra-1", "an enrollment that is not of a person in a section: left out")),
    ],
)  # fmt: skip
def test_an_enrollment_has_a_role_of_the_standard(
    tmp_path: Path, sentence: str, fields: dict[str, Any], role: str | None, told: tuple[str, str, str] | None
) -> None:
    out = Written(
        tmp_path, *ENROLLED, link(sentence, membership_id="e1", primary=False, end_date="2027-01-01", **fields)
    )
    assert out.cells("enrollments", "sourcedId", "role", "primary", "beginDate", "endDate") == (
        [] if role is None else [("e1", role, "false", "", "2027-01-01")]
    )
    assert out.told == ([] if told is None else [("links", "e1", *told)])


def test_another_role_in_1_2_is_written_as_an_extension(tmp_path: Path) -> None:
    out = Written(
        tmp_path, *ENROLLED, link("ben teacher_in algebra-1", membership_id="e1", role="Co  Teacher"), version="1.2"
    )
    assert out.cells("enrollments", "role") == [("ext:Co Teacher",)]


def test_ids_of_enrollments_are_their_own_or_made_of_what_they_say(tmp_path: Path) -> None:
    links = (
        link("ana student_in algebra-1", membership_id="e1"),
        link("ben teacher_in algebra-1", membership_id="e1"),
        link("ben teacher_in algebra-1", membership_id="e:2"),
        link("ben teacher_in algebra-1"),
        link("ben teacher_in algebra-1"),
        link("ben teacher_in algebra-1", start_date="2026-08-17"),
    )
    out = Written(tmp_path / "a", *ENROLLED, *links)
    ids = [id for (id,) in out.cells("enrollments", "sourcedId")]
    assert ids[0] == "e1"
    assert (len(ids), len(set(ids))) == (5, 5)
    made = "in enrollments.csv its id is built from its user, place and role"
    assert out.told == [
        ("links", "e1", "membership_id", "ben,algebra-1", "the id of an enrollment came again; its first row is written: left out"),
        ("links", ids[1], "membership_id", "e:2", f"a membership with an id that OneRoster does not allow; {made}"),
        *(("links", id, "membership_id", None, f"a membership without an id; {made}") for id in ids[2:]),
    ]  # fmt: skip
    again = Written(
        tmp_path / "b", *ENROLLED, *links[:2], link("ana student_in algebra-1", membership_id=ids[1]), *links[2:]
    )
    assert [id for (id,) in again.cells("enrollments", "sourcedId")] == ["e1", ids[1], ids[2], ids[3],
                                                                        again.files["enrollments"][4]["sourcedId"], ids[4]]  # fmt: skip


def roles(out: Written) -> list[tuple[str, ...]]:
    return out.cells("roles", "userSourcedId", "roleType", "role", "orgSourcedId")


def test_1_2_has_a_role_a_person_and_org(tmp_path: Path) -> None:
    out = Written(
        tmp_path,
        *PLACES,
        *PEOPLE,
        ("persons", {**teacher("cy")[1], "person_type": "administrator"}),
        ("persons", {**teacher("di")[1], "person_type": "staff"}),
        ("persons", {**teacher("ed")[1], "person_type": "Site Admin"}),
        ("persons", {**teacher("fe")[1], "person_type": "co  chair"}),
        ("persons", {**teacher("gil")[1], "person_type": None}),
        ("persons", {**teacher("hal")[1], "person_type": "teacher"}),
        link("ana member_of school", membership_id="m1", start_date="2026-08-17", end_date="2027-06-04"),
        link("ben member_of school", membership_id="m2"),
        link("ben member_of school", membership_id="m3"),
        link("cy member_of school", membership_id="m4"),
        link("cy member_of district", membership_id="m5"),
        link("di member_of school", membership_id="m6"),
        link("ed member_of school", membership_id="m7"),
        link("fe member_of school", membership_id="m8"),
        link("gil member_of school", membership_id="m9", role=None),
        link("ana member_of gone", membership_id="m10"),
        link("nobody member_of school", membership_id="m11"),
        version="1.2",
    )
    assert roles(out) == [
        ("ana", "primary", "student", "school"),
        ("ben", "primary", "teacher", "school"),
        ("cy", "primary", "siteAdministrator", "school"),
        ("cy", "primary", "districtAdministrator", "district"),
        ("di", "primary", "aide", "school"),
        ("ed", "primary", "siteAdministrator", "school"),
        ("fe", "primary", "ext:co chair", "school"),
    ]
    assert out.cells("roles", "sourcedId", "beginDate", "endDate")[0] == ("m1", "2026-08-17", "2027-06-04")
    left = "left out"
    assert [row for row in out.told if row[2] not in ("ext_username", "ext_enabledUser", "username", "enabledUser")] == [
        ("links", "m3", "role", "ben,school", f"a membership that is stated twice: {left}"),
        ("persons", "cy", "person_type", "administrator", "administrator is written as siteAdministrator"),
        ("persons", "cy", "person_type", "administrator", "administrator is written as districtAdministrator"),
        ("persons", "di", "person_type", "staff",
         "staff has no role of its own in OneRoster; written as aide, the role with the fewest rights"),
        ("persons", "ed", "person_type", "Site Admin", "Site Admin is written as siteAdministrator"),
        ("persons", "fe", "person_type", "co  chair", "co  chair is written as ext:co chair"),
        ("links", "m9", "role", "gil,school", f"a membership without a role: {left}"),
        ("links", "m10", "target_id", "ana,gone", f"a membership whose org is not in orgs.csv: {left}"),
        ("links", "m11", "source_id", "nobody,school", f"a membership whose user is not in users.csv: {left}"),
        ("persons", "hal", "person_type", "teacher",
         f"OneRoster 1.2 has a role only at an org, and the person has none: {left}"),
    ]  # fmt: skip


def test_several_roles_at_one_org_are_one_primary_and_others(tmp_path: Path) -> None:
    out = Written(
        tmp_path,
        *PLACES,
        teacher(**TEACHER),
        ("persons", {**teacher("cy")[1], "person_type": None}),
        link("ben member_of school", membership_id="m1", role="teacher"),
        link("ben member_of school", membership_id="m2", role="aide"),
        link("cy member_of school", membership_id="m3", role="aide"),
        link("cy teacher_in algebra-1", membership_id="e1"),
        version="1.2",
    )
    assert roles(out) == [
        ("ben", "primary", "teacher", "school"),
        ("ben", "secondary", "aide", "school"),
        ("cy", "primary", "aide", "school"),
    ]


def test_a_role_that_a_reader_assumed_counts_less_than_the_classes(tmp_path: Path) -> None:
    out = Written(
        tmp_path,
        *PLACES,
        ("persons", {**teacher("cy")[1], "person_type": None}),
        link("cy member_of school", membership_id="m3", role="teacher", stated_by="source"),
        link("cy student_in algebra-1", membership_id="e1"),
        version="1.2",
    )
    assert roles(out) == [("cy", "primary", "student", "school")]


def test_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^Unknown OneRoster version '2'; choose 1\.1 or 1\.2\.$"):
        write_oneroster(make(), tmp_path / "out", "2")


@pytest.mark.parametrize("name", ["folder", "b.zip", "B.ZIP"])
@pytest.mark.parametrize("private", [True, False])
def test_a_bundle_is_its_owners_alone_unless_said_otherwise(tmp_path: Path, name: str, private: bool) -> None:
    write_oneroster(make(*PLACES), tmp_path / name, private=private)
    assert ((tmp_path / name).stat().st_mode & 0o077 == 0) is private
    write_oneroster(make(*PLACES), tmp_path / name)
    assert (tmp_path / name).stat().st_mode & 0o077 == 0
    if name != "folder":
        with zipfile.ZipFile(tmp_path / name) as archive:
            assert archive.namelist()[0] == "manifest.csv"
            assert archive.read("courses.csv").decode().splitlines()[1].startswith("algebra,")
            assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_DEFLATED}
    else:
        assert (tmp_path / name / "courses.csv").read_bytes().count(b"\r\n") == 2


def test_nothing_else_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    (tmp_path / "text.zip").write_text("no zip")
    (tmp_path / "dir.zip").mkdir()
    for path in (tmp_path / "mine", tmp_path / "mine" / "letter.txt", tmp_path / "text.zip", tmp_path / "dir.zip"):
        with pytest.raises(BundleError) as caught:
            write_oneroster(make(), path)
        text = f"{path} is not empty and is not a bundle; nothing was written. Name a new folder or zip."
        assert str(caught.value) == text
    assert (tmp_path / "text.zip").read_text() == "no zip"
    with zipfile.ZipFile(tmp_path / "letter", "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(BundleError):
        write_oneroster(make(), tmp_path / "letter")  # a zip that is not called one


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BundleError, match=r"could not be written: .*The previous contents are intact\."):
        write_oneroster(make(), tmp_path / "file" / "out")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, None), (pd.NA, None), (float("nan"), None), ("", None), ("a", "a"), (True, "true"), (False, "false"),
     (0, "0"), (2.5, "2.5"), (dt.date(2026, 8, 17), "2026-08-17")],
)  # fmt: skip
def test_a_cell_is_text(value: object, text: str | None) -> None:
    assert write._cell(value) == text
