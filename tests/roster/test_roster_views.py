"""What a roster shows of itself: one object, its search, its overview, and what a browser waits for."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from builders import course, lea, link, make, problem, school, section, student, teacher, term

import kimono_explore as kx
from kimono_explore.frames import frame
from kimono_explore.roster import roster as module
from kimono_explore.roster.roster import Description


@pytest.fixture
def small() -> kx.Roster:
    made = make(
        lea(),
        school(),
        student("ana", label="Ana Silva", email="ana@x.org", school_year="2026"),
        teacher("ben", school_year="2026"),
        course(school_year="2027"),
        section(),
        term(end="2028-06-01"),
        link("school child_of district"),
        link("ana student_in algebra-1", membership_id="m1", grade="7"),
        link("ben teacher_in algebra-1"),
        link("algebra-1 of_course gone"),
        problem("persons", "ana", "dob", "x", "not a date"),
        problem("orgs", None, None, None, "page 2 holds rows, though page 1 was empty: rows may be missing"),
        problem("orgs", "x", None, None, "rows may be missing"),
        problem("orgs", None, "id", None, "rows may be missing"),
        problem("terms", None, None, None, "something else"),
    )
    made.loaded_at = dt.datetime(2026, 8, 17, 6, 5, tzinfo=dt.UTC)
    return made


def test_a_table_is_known_by_its_name_and_its_type(small: kx.Roster) -> None:
    assert small.table("person") is small.persons
    assert small.table("grading_categories") is small.grading_categories


def test_what_may_be_missing_is_told_apart(small: kx.Roster) -> None:
    assert small.incomplete["table"].tolist() == ["orgs"]
    assert small.incomplete["problem"].str.startswith("page 2 holds rows").tolist() == [True]
    assert small.incomplete.index.tolist() == [0]


@pytest.mark.parametrize("text", [
    "the list was refused: 403 from rostering/terms",
    "page 3 is empty, yet promises a next page: taken for the end of the list",
    "page 3 is empty, yet promises a next page: treated as the end of the list",
    "whether rows moved while the list was read could not be looked at: 500",
    "whether rows moved while the list was read could not be checked: 500",
    "page 2 repeats rows; some may be missing",
    "the server ended the list early: rows may be missing",
])  # fmt: skip
def test_a_snapshot_of_an_earlier_version_is_as_incomplete_as_it_was(text: str) -> None:
    kept = kx.Roster(problems=frame("problems", {"table": ["terms"], "problem": [text]}))
    assert kept.incomplete["problem"].tolist() == [text]


def test_a_roster_is_one_line(small: kx.Roster) -> None:
    assert repr(small) == (
        "<Roster: 2 orgs, 2 persons, 1 courses, 1 sections, 1 terms, 0 grading categories; 4 links, 5 problems; "
        "from a test, 2026-08-17 06:05 UTC>"
    )


def test_an_overview_counts_rows_cells_links_and_problems(small: kx.Roster) -> None:
    seen = small.overview()
    assert seen.index.tolist() == ["orgs", "persons", "courses", "sections", "terms", "grading_categories"]
    assert seen["rows"].tolist() == [2, 2, 1, 1, 1, 0]
    assert seen["links"].tolist() == [2, 2, 1, 3, 0, 0]
    assert seen["problems"].tolist() == [3, 1, 0, 0, 1, 0]
    # id, type, first and last name and the year of both; label and email of one
    assert seen["complete"].tolist()[:2] == [1.0, pytest.approx(12 / 14)]
    assert np.isnan(seen["complete"]["grading_categories"])
    assert list(seen.columns) == ["rows", "complete", "links", "problems"]


def test_an_overview_as_html(small: kx.Roster) -> None:
    html = small._repr_html_()
    assert "100%" in html
    assert "86%" in html
    assert ">–<" in html
    assert "NaN" not in html
    assert "2026-08-17 06:05" in html


def test_the_school_year_is_the_one_that_most_carry(small: kx.Roster) -> None:
    assert small.school_year == "2026"
    assert make(term(), term("b", end="2028-06-01"), term("c", end="2028-05-01")).school_year == "2028"
    assert make(student()).school_year is None


def test_an_object_is_described_with_both_ends_of_its_links(small: kx.Roster) -> None:
    seen = small.describe("algebra-1")
    assert (seen.type, seen.id, seen.label) == ("section", "algebra-1", "algebra-1")
    assert seen.fields.to_dict() == {"id": "algebra-1", "title": "algebra-1"}
    shown = seen.relations[["relation", "direction", "type", "id", "label", "missing"]].astype(object)
    assert sorted(map(tuple, shown.to_numpy().tolist())) == [
        ("of_course", "to", "course", "gone", "gone", True),
        ("student_in", "from", "person", "ana", "Ana Silva", False),
        ("teacher_in", "from", "person", "ben", "Ben Berg", False),
    ]
    assert seen.relations.set_index("id").loc["ana", ["membership_id", "grade"]].tolist() == ["m1", "7"]
    assert list(seen.relations.columns[6:]) == list(small.links.loc[:, "role":].columns)
    assert seen.relations.index.tolist() == [0, 1, 2]
    assert len(seen.others) == 0
    assert repr(seen) == "<section 'algebra-1' (algebra-1): of_course 1, student_in 1, teacher_in 1>"


def test_what_links_lead_to_is_described_though_it_is_missing(small: kx.Roster) -> None:
    seen = small.describe("gone")
    assert (seen.type, seen.label, len(seen.fields), len(seen.others)) == ("course", "gone", 0, 0)
    assert seen.relations["id"].tolist() == ["algebra-1"]
    with pytest.raises(IndexError, match=r"row=1: 0 rows have the id 'gone'; they are counted from 0\."):
        small.describe("gone", row=1)
    with pytest.raises(KeyError):
        small.describe("nowhere")


def test_rows_that_share_an_id_are_described_one_by_one() -> None:
    made = make(
        student("x", label="One"), student("x", name_first="Two"), student("x", name_first=None, name_last=None)
    )
    first, second, third = (made.describe("x", row=row) for row in range(3))
    assert [seen.label for seen in (first, second, third)] == ["One", "Two Silva", "x"]
    assert first.others.index.tolist() == [1, 2]
    assert second.others.index.tolist() == [0, 2]
    assert second.fields["name_first"] == "Two"
    for row in (-1, 3):
        with pytest.raises(IndexError, match=rf"row={row}: 3 rows have the id 'x'"):
            made.describe("x", row=row)


def test_a_type_tells_objects_of_one_id_apart() -> None:
    made = make(student("x"), section("x"))
    assert made.describe("x", "section").fields["title"] == "x"
    with pytest.raises(ValueError, match="x"):
        made.describe("x")


def test_an_object_without_relations_says_so(small: kx.Roster) -> None:
    assert repr(small.describe("year")) == "<term 'year' (year): no relations>"


@pytest.mark.parametrize(("links", "more"), [(50, False), (51, True), (53, True)])
def test_a_description_shows_fifty_links(links: int, more: bool) -> None:
    people = [student(f"p{n:02}") for n in range(links)]
    seen = make(section(), *people, *(link(f"p{n:02} student_in algebra-1") for n in range(links))).describe(
        "algebra-1"
    )
    html = seen._repr_html_()
    assert html.count("student_in") == 50
    assert (f"{links - 50} more" in html) is more
    assert repr(seen).endswith(f"student_in {links}>")


def test_a_description_is_frozen(small: kx.Roster) -> None:
    seen = small.describe("ana")
    with pytest.raises(AttributeError):
        seen.label = "other"  # type: ignore[misc]
    empty = Description("a", "b", "c", pd.Series(dtype=object), pd.DataFrame())
    assert (len(empty.others), empty.others is Description("a", "b", "c", empty.fields, empty.relations).others) == (
        0,
        False,
    )


@pytest.mark.parametrize(
    ("text", "type", "found"),
    [
        ("silva", None, ["ana"]),
        ("ANA x.org", "person", ["ana"]),
        ("algebra", "courses", ["algebra"]),
        ("algebra", "section", ["algebra-1"]),
        ("algebra", None, ["algebra", "algebra-1"]),
        ("ana", "term", []),
        ("", None, []),
    ],
)
def test_objects_are_found_by_words_and_type(small: kx.Roster, text: str, type: str | None, found: list[str]) -> None:
    result = small.search(text, type)
    assert (result["id"].tolist(), result.attrs["found"]) == (found, len(found))


def test_a_search_gives_fifty_and_counts_all_and_ranks_a_thousand() -> None:
    made = make(*(course(f"c{n:04}", title="about art") for n in range(1000)), course("last", title="Art"))
    found = made.search("art")
    assert (len(found), found.attrs["found"], found["id"][0]) == (50, 1001, "c0000")
    assert made.search("art", limit=1001)["id"][0] == "last"
    assert len(made.search("art", limit=3)) == 3


def test_a_browser_waits_for_a_first_search_and_for_many_links(
    small: kx.Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert small.wait_for("search") == "Preparing the search, once ..."
    small.search("ana")
    assert small.wait_for("search") is None
    assert small.wait_for("object") is None
    monkeypatch.setattr(module, "_MANY_LINKS", 4)
    assert small.wait_for("object") is None
    monkeypatch.setattr(module, "_MANY_LINKS", 3)
    assert small.wait_for("object") == "Indexing the links, once ..."
    assert small.index is small.index
    assert small.wait_for("object") is None


def test_all_of_a_roster_is_at_hand(small: kx.Roster) -> None:
    assert small.subset_around("ana", radius=0) is small
    assert small.longest_path is None


@pytest.mark.parametrize("private", [True, False])
def test_what_is_written_is_the_owners_alone_unless_said_otherwise(
    small: kx.Roster, tmp_path: Path, private: bool
) -> None:
    small.save(tmp_path / "a", private=private)
    small.to_oneroster(tmp_path / "b", private=private)
    small.save(tmp_path / "c")
    small.to_oneroster(tmp_path / "d")
    assert [(tmp_path / name).stat().st_mode & 0o077 == 0 for name in "abcd"] == [private, private, True, True]
    with pytest.raises(ValueError, match="Unknown OneRoster version"):
        small.to_oneroster(tmp_path / "e", "3")


def test_a_row_of_an_id_that_is_not_there_is_an_error(small: kx.Roster) -> None:
    with pytest.raises(IndexError, match="row=1: 1 rows have the id 'ana'"):
        small.describe("ana", row=1)
    with pytest.raises(IndexError, match="row=3: 1 rows"):
        small.describe("ana", row=3)


def test_of_two_school_years_as_frequent_the_earlier_counts() -> None:
    made = make(student("ana", school_year="2027"), student("ben", school_year="2026"))
    assert made.school_year == "2026"


def test_relations_are_counted_in_the_order_in_which_they_came() -> None:
    made = make(
        lea(), school(), student("ana"), section(), link("ana student_in algebra-1"), link("ana member_of school")
    )
    assert repr(made.describe("ana")).endswith("(ana): student_in 1, member_of 1>")


def test_a_description_as_html_numbers_no_rows(small: kx.Roster) -> None:
    html = small.describe("ana")._repr_html_()
    relations = html[html.index("relation") :]
    assert "<th>0</th>" not in relations
    assert "student_in" in relations


def test_an_object_without_links_has_no_relations() -> None:
    made = make(student("ana"))
    assert repr(made.describe("ana")).endswith("(ana): no relations>")


def test_relations_have_the_columns_of_a_link_and_no_others(small: kx.Roster) -> None:
    own = ["relation", "direction", "type", "id", "label", "missing"]
    links = small.links.columns.tolist()
    assert small.describe("ana").relations.columns.tolist() == own + links[links.index("role") :]


def test_of_two_rows_of_an_id_each_has_its_own_label() -> None:
    made = make(student("ana", label="Ana Silva"), student("ana", label="Anna Sylva"))
    assert [made.describe("ana", row=row).label for row in (0, 1)] == ["Ana Silva", "Anna Sylva"]
