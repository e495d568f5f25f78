"""A snapshot looked at where it lies, on a roster of a few objects."""

from pathlib import Path

import pytest
from builders import course, lea, link, make, school, section, student

import kimono_explore as kx
from kimono_explore.frames import frame
from kimono_explore.roster.lazy import LazyRoster


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> LazyRoster:
    """A chain: ana - algebra-1 - algebra - school - district, and ben alone."""
    folder = tmp_path_factory.mktemp("lazy") / "monday"
    make(
        lea(),
        school(name="Łódź Middle"),
        student("ana", name_last="Núñez", email="Ana@Example.org"),
        student("ben", label="Banana Ben", local_id="42"),
        course("algebra", title="Algebra"),
        section("algebra-1", title="Analysis"),
        link("ana student_in algebra-1"),
        link("algebra-1 of_course algebra"),
        link("algebra offered_by school"),
        link("school child_of district"),
    ).save(folder)
    return LazyRoster(folder)


def test_rows_are_counted(stored: LazyRoster) -> None:
    assert stored.counts() == {
        "orgs": 2,
        "persons": 2,
        "courses": 1,
        "sections": 1,
        "terms": 0,
        "grading_categories": 0,
    }
    assert repr(stored).startswith(
        "<LazyRoster: 2 orgs, 2 persons, 1 courses, 1 sections, 0 terms, 0 grading categories; from a test, "
    )


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("ana", ["ana", "algebra-1", "ben"]),
        ("ANA nunez", ["ana"]),
        ("lodz", ["school"]),
        ("42", ["ben"]),
        ("example.ORG", ["ana"]),
        ("algebra", ["algebra", "algebra-1"]),
        ("zz", []),
        (" ", []),
    ],
)
def test_words_are_found_as_in_a_whole_roster(stored: LazyRoster, text: str, ids: list[str]) -> None:
    found = stored.search(text)
    assert sorted(found["id"]) == sorted(ids)
    assert (found.attrs["found"], found.attrs["more"]) == (len(ids), False)


def test_a_search_may_be_of_one_type_and_of_so_many(stored: LazyRoster) -> None:
    assert stored.search("ana", "person")["id"].tolist() == ["ana", "ben"]
    assert stored.search("ana", "persons")["id"].tolist() == ["ana", "ben"]
    assert stored.search("ana", "term")["id"].tolist() == []
    assert stored.search("ana", limit=2).attrs["found"] == 3
    assert len(stored.search("ana", limit=2)) == 2


def test_more_than_the_most_is_said(stored: LazyRoster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kimono_explore.roster.lazy._MOST_FOUND", 1)
    found = stored.search("ana", "person", limit=1)
    assert (len(found), found.attrs["found"], found.attrs["more"]) == (1, 2, True)
    assert stored.search("ana", "person", limit=2).attrs["more"] is False
    assert stored.search("ana", "section", limit=1).attrs["more"] is False


@pytest.mark.parametrize(
    ("ids", "radius", "around"),
    [
        (("ana",), 0, {"ana"}),
        (("ana",), 1, {"ana", "algebra-1"}),
        (("person:ana",), 1, {"ana", "algebra-1"}),
        (("ana",), 2, {"ana", "algebra-1", "algebra"}),
        (("algebra",), 1, {"algebra-1", "algebra", "school"}),
        (("ana", "district"), 1, {"ana", "algebra-1", "district", "school"}),
        (("ben",), 3, {"ben"}),
        (("nobody",), 1, set()),
    ],
)
def test_what_is_around_an_object(stored: LazyRoster, ids: tuple[str, ...], radius: int, around: set[str]) -> None:
    near = stored.subset_around(*ids, radius=radius)
    assert {id for df in near.tables.values() for id in df["id"]} == around
    assert (near.source, near.loaded_at) == ("a test", stored._manifest.loaded_at)


def test_links_lie_between_what_is_around(stored: LazyRoster) -> None:
    near = stored.subset_around("algebra")
    assert sorted(near.links["source_id"]) == ["algebra", "algebra-1"]
    assert near.rollups == stored._manifest.rollups
    assert stored.subset_around("algebra") is near


def test_a_folder_that_lacks_a_table_is_no_snapshot(tmp_path: Path) -> None:
    make(student()).save(tmp_path / "a")
    (tmp_path / "a" / "links.parquet").unlink()
    with pytest.raises(kx.BundleError, match="is not a complete snapshot"):
        LazyRoster(tmp_path / "a")
    with pytest.raises(kx.BundleError, match="is not a complete snapshot"):
        LazyRoster(tmp_path / "b")


def test_a_search_shows_fifty_and_counts_to_a_thousand(tmp_path: Path) -> None:
    people = frame("persons", {"id": [f"p{n}" for n in range(1001)], "label": ["Kim"] * 1001})
    kx.Roster(persons=people).save(tmp_path / "many")
    found = LazyRoster(tmp_path / "many").search("kim")
    assert (len(found), found.attrs["found"], found.attrs["more"]) == (50, 1001, True)
    kx.Roster(persons=people[:1000]).save(tmp_path / "fewer")
    assert LazyRoster(tmp_path / "fewer").search("kim").attrs["more"] is False


def test_a_table_may_be_a_folder_of_files(tmp_path: Path) -> None:
    make(student("ana"), student("ben")).save(tmp_path / "a")
    folder = tmp_path / "a" / "persons" / "district=1"
    folder.mkdir(parents=True)
    (tmp_path / "a" / "persons.parquet").rename(folder / "0.parquet")
    stored = LazyRoster(tmp_path / "a")
    assert stored.counts()["persons"] == 2
    assert stored.search("ben")["id"].tolist() == ["ben"]
