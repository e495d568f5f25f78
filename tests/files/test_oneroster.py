"""OneRoster bundles: real ones with known figures, and small ones with every oddity."""

import io
import tempfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from bundle_oracle import assert_told
from hypothesis import example, given
from hypothesis import strategies as st
from rosters import BUNDLES, bundle

import kimono_explore as kx

FIGURES = {
    "kimono-minimal": {
        "orgs": 3,
        "persons": 7,
        "courses": 2,
        "sections": 3,
        "terms": 3,
        "student_in": 5,
        "teacher_in": 4,
    },
    "kimono-recommended": {"orgs": 2, "persons": 7, "courses": 2, "sections": 3, "terms": 3, "grading_categories": 2},
    "grandbend-oneroster.zip": {
        "orgs": 4,
        "persons": 1027,
        "courses": 84,
        "sections": 532,
        "terms": 7,
        "student_in": 13440,
        "teacher_in": 532,
    },
    "oulad-oneroster.zip": {
        "orgs": 14,
        "persons": 28785,
        "courses": 7,
        "sections": 22,
        "terms": 4,
        "student_in": 32593,
        "teacher_in": 0,
    },
}


@pytest.mark.parametrize("name", BUNDLES)
def test_real_bundles_have_their_known_figures(name: str) -> None:
    roster = kx.read_oneroster(bundle(name))
    counts = {table: len(df) for table, df in roster.tables.items()} | roster.links["relation"].value_counts().to_dict()
    assert {key: counts[key] for key in FIGURES[name]} == FIGURES[name]


@pytest.mark.parametrize("name", BUNDLES)
@pytest.mark.parametrize("target", ["again", "again.zip"])
def test_a_real_bundle_written_and_read_again_differs_only_as_told(name: str, target: str, tmp_path: Path) -> None:
    # Equality is not to be had: these bundles fill status, which a bulk file must not, write Male for male, name
    # parents who are not part of a roster, and (OULAD) have users without names. All of that is told.
    roster = kx.read_oneroster(bundle(name))
    left_out = roster.to_oneroster(tmp_path / target)
    assert_told(roster, kx.read_oneroster(tmp_path / target), left_out)


def test_grand_bend_is_as_its_readme_says() -> None:
    roster = kx.read_oneroster(bundle("grandbend-oneroster.zip"))
    people = roster.persons["person_type"].value_counts()
    assert people.to_dict() == {"student": 960, "teacher": 56, "staff": 11}
    parents = roster.problems.set_index("column").loc["role"]
    assert (parents["value"], parents["problem"]) == (
        "1872",
        "users with the role parent are left out; value counts them",
    )
    links = roster.links
    assert set(links.loc[links["relation"] == "student_in", "source_id"].value_counts()) == {14}
    sizes = links.loc[links["relation"] == "student_in", "target_id"].value_counts()
    assert (sizes.min(), sizes.max()) == (20, 60)
    assert not roster.index.missing(roster.index.target).any()
    assert roster.persons["id"].iloc[0] == "605372"
    assert roster.persons["dob"].iloc[0] == pd.Timestamp(2005, 6, 12)


def test_oulad_is_as_its_readme_says() -> None:
    roster = kx.read_oneroster(bundle("oulad-oneroster.zip"))
    enrolled = roster.links[roster.links["relation"] == "student_in"]
    assert enrolled["target_id"].value_counts().max() == 2498
    assert enrolled["start_date"].isna().sum() == 45
    assert roster.persons[["name_last", "email"]].isna().all(axis=None)


FILES = {
    "orgs": "sourcedId,name,type,identifier,parentSourcedId\nlea1,District,district,001,\nsch1,School,school,002,lea1\n",
    "academicSessions": "sourcedId,title,type,startDate,endDate,parentSourcedId,schoolYear\n"
    "yr,Year,schoolYear,2026-08-17,2027-05-28,,2027\nfall,Fall,semester,2026-08-17,2026-12-18,yr,2027\n",
    "courses": "sourcedId,title,courseCode,orgSourcedId\nc1,Art,A1,sch1\n",
    "classes": 'sourcedId,title,courseSourcedId,classCode,schoolSourcedId,termSourcedIds\ns1,Art 1,c1,A1-1,sch1,"fall, yr"\n',
    "users": "sourcedId,orgSourcedIds,role,givenName,familyName,identifier,email\n"
    'p1,sch1,student,Ana,Silva,0001,ana@example.org\np2,"sch1,lea1",teacher,Bo,Þórsson,0002,\np3,sch1,parent,Pa,Silva,,\n',
    "enrollments": "sourcedId,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n"
    "e1,s1,sch1,p1,student,,2026-08-17,\ne2,s1,sch1,p2,teacher,TRUE,,\n",
}


@pytest.fixture
def read(tmp_path: Path):
    """Read the small bundle with some files replaced (None: left out)."""

    def read_with(**files: str | bytes | None) -> kx.Roster:
        for name, text in (FILES | files).items():
            if text is not None:
                (tmp_path / f"{name}.csv").write_bytes(text.encode() if isinstance(text, str) else text)
        return kx.read_oneroster(tmp_path)

    return read_with


def told(roster: kx.Roster) -> list[tuple[str | None, ...]]:
    """The problems but for the parent, as (table, id, column, value, problem)."""
    rows = roster.problems.astype(object).where(roster.problems.notna(), None)
    return [tuple(row) for row in rows.to_numpy().tolist() if "role parent" not in row[4]]


def test_a_small_bundle_becomes_a_roster(read) -> None:
    roster = read()
    assert told(roster) == []
    assert roster.orgs[["id", "org_type", "local_id"]].to_numpy().tolist() == [
        ["lea1", "lea", "001"],
        ["sch1", "school", "002"],
    ]
    assert roster.persons[["id", "person_type", "label"]].to_numpy().tolist() == [
        ["p1", "student", "Ana Silva"],
        ["p2", "teacher", "Bo Þórsson"],
    ]
    links = roster.links[["source_id", "relation", "target_id", "stated_by"]].astype(str).to_numpy().tolist()
    assert links == [
        ["sch1", "child_of", "lea1", "source"],
        ["fall", "child_of", "yr", "source"],
        ["c1", "offered_by", "sch1", "source"],
        ["s1", "of_course", "c1", "source"],
        ["s1", "held_at", "sch1", "source"],
        ["s1", "in_term", "yr", "source"],
        ["s1", "in_term", "fall", "source"],
        ["p1", "member_of", "sch1", "source"],
        ["p2", "member_of", "lea1", "source"],
        ["p2", "member_of", "sch1", "source"],
        ["p1", "student_in", "s1", "both"],
        ["p2", "teacher_in", "s1", "both"],
    ]
    teaching = roster.links.iloc[-1]
    assert (bool(teaching["primary"]), teaching["membership_id"]) == (True, "e2")


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_make_no_difference(read, ends: str, mark: str) -> None:
    roster = read(**{name: mark + text.replace("\n", ends) for name, text in FILES.items()})
    assert told(roster) == []
    assert roster.persons["id"].tolist() == ["p1", "p2"]
    assert len(roster.links) == 12


def test_other_encodings_are_read_and_told(read) -> None:
    roster = read(users=FILES["users"].replace("Þórsson", "Müller").encode("cp1252"))
    assert roster.persons["name_last"].tolist() == ["Silva", "Müller"]
    assert [problem[4] for problem in told(roster)] == ["users.csv is not UTF-8; read as Windows-1252"]
    roster = read(users=FILES["users"].encode("utf-16"))
    assert roster.persons["name_last"].tolist() == ["Silva", "Þórsson"]


def test_ragged_rows_are_repaired_and_told(read) -> None:
    roster = read(
        courses="sourcedId,title,courseCode,orgSourcedId\nc1,Art,A1,sch1,\nc2,Band\nc3,Choir,C3,sch1,what,is this\n\n"
    )
    assert roster.courses["title"].tolist() == ["Art", "Band", "Choir"]
    assert told(roster) == [
        ("courses", "c2", None, "c2,Band", "row 3 of courses.csv has 2 cells where 4 were expected"),
        (
            "courses",
            "c3",
            None,
            "c3,Choir,C3,sch1,what,is this",
            "row 4 of courses.csv has 6 cells where 4 were expected",
        ),
    ]


def test_unknown_columns_are_kept_and_headers_come_in_any_case(read) -> None:
    roster = read(courses="SOURCEDID,Title,courseCode,orgSourcedId,Credits,,Credits\nc1,Art,A1,sch1,3,x,4\n")
    assert roster.courses[["id", "title", "ext_Credits"]].to_numpy().tolist() == [["c1", "Art", "3"]]
    text = "rows of courses.csv have cells in a column without a name, or with a repeated name; left out, value counts them"
    assert [problem[4] for problem in told(roster)] == [
        "courses.csv has two columns of this name; the first is read",
        text,
    ]


def test_what_is_marked_for_deletion_is_kept_and_told(read) -> None:
    roster = read(
        courses="sourcedId,status,title,courseCode,orgSourcedId\nc1,tobedeleted,Art,A1,sch1\n",
        enrollments="sourcedId,status,classSourcedId,schoolSourcedId,userSourcedId,role\ne1,ToBeDeleted,s1,sch1,p1,student\n",
    )
    assert roster.courses["ext_status"].tolist() == ["tobedeleted"]
    assert [problem[:4] for problem in told(roster)] == [
        ("courses", "c1", "status", "tobedeleted"),
        ("links", "e1", "status", "ToBeDeleted"),
    ]


def test_duplicate_and_missing_ids_are_told(read) -> None:
    roster = read(
        courses="sourcedId,title,courseCode,orgSourcedId\nc1,Art,A1,sch1\nc1,Art,A1,sch1\nc1,Arts,A1,sch1\n,Band,B1,sch1\n"
    )
    assert roster.courses["title"].tolist() == ["Art", "Arts", "Band"]
    assert [problem[1:] for problem in told(roster)] == [
        (None, "id", None, "a row of courses.csv without a sourcedId; kept"),
        ("c1", None, "1", "the row came again, unchanged; value counts the repeats that were dropped"),
        ("c1", "id", "c1", "the id came 2 times with different content; all are kept"),
        (None, "orgSourcedId", "sch1", "a reference from a row without an id; left out"),
    ]


def test_dates_that_are_none_are_told(read) -> None:
    roster = read(
        demographics="sourcedId,birthDate,sex,countryOfBirthCode\np1,02/03/2015,F,US\np2,1980-01-02,,\nghost,2001-01-01,M,\np3,,,\n"
    )
    assert roster.persons["dob"].tolist() == [pd.NaT, pd.Timestamp(1980, 1, 2)]
    assert roster.persons["sex"].fillna("-").tolist() == ["F", "-"]
    assert roster.persons["ext_countryOfBirthCode"][0] == "US"
    assert told(roster) == [
        ("persons", "ghost", None, None, "demographics of somebody who is not in users.csv"),
        (
            "persons",
            "p1",
            "dob",
            "02/03/2015",
            "not a date that can be known: month first and day first both explain the column; left missing",
        ),
    ]


def test_passwords_are_never_read(read) -> None:
    roster = read(
        users="sourcedId,orgSourcedIds,role,givenName,familyName,password\np1,sch1,student,Ana,Silva,hunter2\n"
    )
    assert "hunter2" not in str(roster.persons.to_numpy().tolist()) + str(roster.problems.to_numpy().tolist())
    assert "users.csv holds passwords; they are not read" in [problem[4] for problem in told(roster)]


def test_roles_make_person_types(read) -> None:
    users = "".join(
        f"u{n},sch1,{role},A,B{n}\n"
        for n, role in enumerate(["Student", "aide", "proctor", "administrator", "wizard", "guardian"])
    )
    roster = read(users="sourcedId,orgSourcedIds,role,givenName,familyName\n" + users, enrollments=None)
    assert roster.persons["person_type"].fillna("-").tolist() == ["student", "staff", "staff", "staff", "-"]
    assert ("persons", "u4", "role", "wizard", "an unknown role; the person type is unknown") in told(roster)
    assert ("enrollments", None, None, None, "enrollments.csv is missing from the bundle") in told(roster)


def test_odd_enrollments_are_told(read) -> None:
    roster = read(
        enrollments="sourcedId,classSourcedId,schoolSourcedId,userSourcedId,role,beginDate,shoeSize\n"
        "e1,s1,sch1,p1,student,soon,42\ne2,s1,elsewhere,p2,Teacher,,\ne3,s1,sch1,p3,parent,,\ne4,,sch1,p1,student,,\n"
        "e5,s1,sch1,gone,student,,\ne5,s1,sch1,gone,student,,\n"
    )
    enrolled = roster.links[roster.links["relation"].isin(["student_in", "teacher_in"])]
    assert enrolled[["membership_id", "source_id", "role"]].astype(str).to_numpy().tolist() == [
        ["e1", "p1", "student"],
        ["e5", "gone", "student"],
        ["e2", "p2", "teacher"],
    ]
    assert [(id, column, value) for _, id, column, value, _ in told(roster)] == [
        (None, "shoeSize", None),
        ("e1", "start_date", "soon"),
        ("e5", None, "1"),
        ("e2", "schoolSourcedId", "elsewhere"),
        ("e4", None, "p1,None"),
    ]


def test_the_manifest_and_files_of_no_use_are_told(read) -> None:
    roster = read(
        manifest="propertyName,value\nmanifest.version,1.0\nfile.users,delta\nfile.categories,bulk\n",
        results="sourcedId\nr1\n",
    )
    assert [problem[4] for problem in told(roster)] == [
        "users.csv holds only changes",
        "categories.csv is announced but missing",
        "results.csv is not part of a roster; left out",
    ]


def test_a_zip_with_a_folder_and_a_macs_leftovers_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for name, text in FILES.items():
            archive.writestr(f"export/{name.upper()}.CSV", text)
            archive.writestr(f"__MACOSX/export/._{name}.csv", b"\x00\x05\x16\x07")
    assert len(kx.read_oneroster(tmp_path / "b.zip").links) == 12


def test_what_is_no_bundle_is_a_clear_error(tmp_path: Path, read) -> None:
    with pytest.raises(kx.BundleError, match="is not a OneRoster bundle"):
        kx.read_oneroster(tmp_path / "nowhere.zip")
    (tmp_path / "text.zip").write_text("hello")
    with pytest.raises(kx.BundleError, match="is not a OneRoster bundle"):
        kx.read_oneroster(tmp_path / "text.zip")
    (tmp_path / "empty").mkdir()
    with pytest.raises(kx.BundleError, match=r"holds none of orgs\.csv"):
        kx.read_oneroster(tmp_path / "empty")
    with pytest.raises(
        kx.BundleError, match=r"users\.csv, line \d+: field larger than field limit .* quote not closed"
    ):
        read(users='sourcedId,role\np1,"student' + "x" * 200_000)


def test_nothing_that_is_no_bundle_is_overwritten(small_roster: kx.Roster, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    for target in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(kx.BundleError, match="nothing was written"):
            small_roster.to_oneroster(target)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_roster_of_the_api_survives_as_far_as_it_says(small_roster: kx.Roster, tmp_path: Path) -> None:
    left_out = small_roster.to_oneroster(tmp_path / "b.zip")
    again = kx.read_oneroster(tmp_path / "b.zip")
    # A bulk bundle has neither a time of change nor a status, and its own words for sex and kind of term.
    other = {"updated_at", "status", "sex", "term_type"}
    for name, df in small_roster.tables.items():
        shared = [column for column in df.columns if column in again.tables[name].columns]
        assert set(df.columns) == set(shared), name
        typed = [c for c in shared if df[c].dtype == again.tables[name][c].dtype and c not in other]
        pd.testing.assert_frame_equal(df[typed], again.tables[name][typed])
    assert_told(small_roster, again, left_out)
    relations = small_roster.links["relation"].value_counts()
    kept = again.links["relation"].value_counts()
    lost = {
        relation: relations[relation] - kept[relation]
        for relation in relations.index
        if relations[relation] != kept[relation]
    }
    assert lost == {"graded_in": relations["graded_in"], "graded_for": relations["graded_for"]}
    assert {problem.removesuffix("; value counts them") for problem in left_out["problem"]} == {
        "OneRoster has no place for graded_in links",
        "OneRoster has no place for graded_for links",
        "memberships of orgs lose their id, status and dates",
        "a bulk bundle has no dateLastModified: left out",
        "a bulk bundle has no status: Active is left out",
        "the status Active of memberships is left out",
        "the grade of memberships is left out",
        "school_year is written as schoolYear",
        "quarter is written as gradingPeriod",
        "M is written as male",
        "F is written as female",
        "was empty; written as scheduled, the standard's usual class",
        "was empty; written as true",
        "was empty; the email address is written",
        "staff has no role of its own in OneRoster; written as aide, the role with the fewest rights",
    }


@given(body=st.binary(max_size=80))
@example(body=b"\x00")
@example(body=b'sourcedId,role\r"a,b\r\n')
@example(body=b"\xff\xfes")
def test_any_bytes_load_or_are_a_clear_error(body: bytes) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(f"{name}.csv", body if name == "users" else text)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "b.zip"
        path.write_bytes(buffer.getvalue())
        try:
            roster = kx.read_oneroster(path)
        except kx.BundleError as error:
            assert "users.csv" in str(error)
        else:
            assert roster.courses["id"].tolist() == ["c1"]
