"""A snapshot looked at where it lies says what the whole roster says."""

from pathlib import Path

import networkx as nx
import pandas as pd
import pytest

import kimono_explore as kx
from kimono_explore.roster import lazy
from kimono_explore.roster.lazy import LazyRoster
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.district.state import write_state
from kimono_explore.sandbox.flaws.catalogue import inject_flaws
from kimono_explore.schema import TABLE_OF
from kimono_explore.widgets.listing import listing
from tests.plot_rosters import drawn_roster

NAMES = ("district", "hostile", "one school")


@pytest.fixture(scope="module", params=NAMES)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[kx.Roster, LazyRoster]:
    whole = inject_flaws(make_district(300))[0] if request.param == "district" else drawn_roster(request.param)
    folder = tmp_path_factory.mktemp("stored") / "snapshot"
    whole.save(folder)
    return whole, LazyRoster(folder)


def some_objects(roster: kx.Roster, step: int = 40) -> list[tuple[str, str]]:
    """Objects of every type, and an end of a link that no table holds, if there is one."""
    index = roster.index
    codes = sorted({*range(0, index.size, max(1, index.size // step)), index.size - 1})
    return list(zip(index.type_of(codes), index.ids(codes), strict=True))


def test_it_counts_what_is_there(both: tuple[kx.Roster, LazyRoster]) -> None:
    whole, stored = both
    assert stored.counts() == whole.counts()
    assert f"{len(whole.persons):,} persons" in repr(stored)


def test_an_object_is_described_as_in_the_whole_roster(both: tuple[kx.Roster, LazyRoster]) -> None:
    whole, stored = both
    for type, id in some_objects(whole):
        ours, theirs = stored.subset_around(id).describe(id, type), whole.describe(id, type)
        assert (ours.type, ours.id, ours.label) == (theirs.type, theirs.id, theirs.label)
        pd.testing.assert_series_equal(ours.fields, theirs.fields, check_names=False)
        columns = [*theirs.relations.columns]
        left, right = (each.relations.sort_values(columns, ignore_index=True) for each in (ours, theirs))
        pd.testing.assert_frame_equal(left, right, check_categorical=False)


@pytest.mark.parametrize("radius", [1, 2])
def test_neighborhoods_are_those_of_the_whole_roster(both: tuple[kx.Roster, LazyRoster], radius: int) -> None:
    whole, stored = both
    for type, id in some_objects(whole, 12):
        ours = kx.neighborhood(stored.subset_around(id, radius=radius), id, radius, limit=10_000, type=type)
        theirs = kx.neighborhood(whole, id, radius, limit=10_000, type=type)
        assert dict(ours.nodes(data="label")) == dict(theirs.nodes(data="label"))
        assert sorted(ours.edges(keys=True)) == sorted(theirs.edges(keys=True))
        assert ours.graph["left_out"] == theirs.graph["left_out"] == 0


def test_a_short_path_is_found(both: tuple[kx.Roster, LazyRoster]) -> None:
    whole, stored = both
    graph = nx.Graph(kx.build_graph(whole))
    (start_type, start), *others = some_objects(whole, 8)
    for type, id in others:
        theirs = kx.shortest_path(whole, start, id, start_type, type, avoid_hubs=False)
        names = whole.index.name([whole.index.code(start, start_type), whole.index.code(id, type)])
        linked = nx.has_path(graph, *names)
        assert len(theirs) == (nx.shortest_path_length(graph, *names) + 1 if linked else 0)
        if linked and len(theirs) <= 5:
            near = stored.subset_around(start, id, radius=2)
            ours = kx.shortest_path(near, start, id, start_type, type, avoid_hubs=False)
            assert len(ours) == len(theirs)


@pytest.mark.parametrize(
    "text", ["garcia", "math", "GARCÍA", "00", "o'", "@example", "<script>", "z z z", "é", " ", "%", "'; --"]
)
def test_it_is_searched_like_the_whole_roster(both: tuple[kx.Roster, LazyRoster], text: str) -> None:
    whole, stored = both
    ours, theirs = (roster.search(text, limit=10_000 if roster is whole else 500) for roster in (stored, whole))
    many = theirs["type"].value_counts().max() > 1000
    assert ours.attrs["more"] == many
    if not many:
        assert ours.attrs["found"] == len(theirs)
        pd.testing.assert_frame_equal(ours, whole.search(text, limit=500))
    assert stored.search(text, type="course")["type"].isin(["course"]).all()


def test_a_snapshot_is_read_whole_to_browse_it(tmp_path: Path) -> None:
    whole = make_district(60)
    whole.save(tmp_path / "district")
    browser = kx.browse(tmp_path / "district")
    assert isinstance(browser.roster, kx.Roster)
    assert len(browser.table) == len(whole.persons)


def test_a_state_of_several_files_is_browsed_lazily(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_state(tmp_path / "state", students=600, district_size=300)
    monkeypatch.setattr(lazy, "MOST_IN_MEMORY", 500)
    browser = kx.browse(tmp_path / "state")
    assert isinstance(browser.roster, LazyRoster)
    assert len(browser.table) == browser.roster.counts()["persons"] > 500
    browser.search("mathematics", type="course")
    assert browser.table["type"].unique().tolist() == ["course"]
    browser.pick(0)
    assert browser.selected == browser.table["id"][0]
    assert set(browser.related["relation"]) <= {"offered_by", "of_course"}
    assert len(browser.related) > 0


@pytest.mark.parametrize("type", sorted(TABLE_OF))
def test_the_objects_of_a_type_are_listed_as_of_the_whole_roster(
    both: tuple[kx.Roster, LazyRoster], type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, stored = both
    monkeypatch.setattr(lazy, "FIRST", 10_000)
    report = kx.check(whole, ["orphan_student_in", "section_without_teacher"])
    ours, theirs = (listing(roster.subset_of(type), type, report) for roster in (stored, whole))
    pd.testing.assert_frame_equal(ours, theirs)


def test_of_very_many_the_first_are_listed_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy, "FIRST", 20)
    whole = make_district(300)
    whole.save(tmp_path / "district")
    browser = kx.browse(LazyRoster(tmp_path / "district"))
    assert browser.table["id"].tolist() == whole.persons["id"].head(20).tolist()
    everything = listing(whole, "person").head(20)
    for column in ("name", "school", "sections"):
        assert browser.table[column].tolist() == everything[column].tolist()
    assert f"The first 20 of {len(whole.persons):,} people" in browser._status.value
    browser.search("", type="term")
    assert len(browser.table) == len(whole.terms)
    assert "first" not in browser._status.value


def test_what_is_no_snapshot_is_said(tmp_path: Path) -> None:
    make_district(20).save(tmp_path / "snapshot")
    (tmp_path / "snapshot" / "terms.parquet").unlink()
    with pytest.raises(kx.BundleError, match="not a complete snapshot"):
        LazyRoster(tmp_path / "snapshot")
    with pytest.raises(kx.BundleError):
        kx.browse(tmp_path)
    stored = make_district(20)
    stored.save(tmp_path / "other")
    with pytest.raises(KeyError, match="No object has the id"):
        LazyRoster(tmp_path / "other").subset_around("nobody").describe("nobody")
