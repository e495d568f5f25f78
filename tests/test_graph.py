"""The graph of a roster, and the neighborhood of one object."""

from pathlib import Path

import networkx as nx
import pytest
from rosters import bundle

import kimono_explore as kx
from kimono_explore.frames import frame
from kimono_explore.roster.index import LinkIndex


def made(links: list[tuple[str, str, str, str, str, str | None]], **tables: dict[str, list[str]]) -> kx.Roster:
    names = ("source_type", "source_id", "relation", "target_type", "target_id", "role")
    columns = {name: [link[n] for link in links] for n, name in enumerate(names)}
    return kx.Roster(**{name: frame(name, df) for name, df in tables.items()}, links=frame("links", columns))


@pytest.fixture
def roster() -> kx.Roster:
    """One school, one section, its teacher and three students, and an orphaned term."""
    return made(
        [
            ("section", "s1", "held_at", "org", "o1", None),
            ("section", "s1", "in_term", "term", "gone", None),
            ("person", "t1", "teacher_in", "section", "s1", "teacher"),
            *(("person", f"p{n}", "student_in", "section", "s1", "student") for n in range(3)),
            *(("person", f"p{n}", "member_of", "org", "o1", "student") for n in range(3)),
        ],
        orgs={"id": ["o1"], "name": ["North"]},
        sections={"id": ["s1", "s1", "s2"], "title": ["Art", "Art again", "Band"]},
        persons={"id": ["t1", "p0", "p1", "p2"], "name_first": ["Bo", "A", "B", "C"]},
    )


def test_nodes_carry_type_label_and_missing(roster: kx.Roster) -> None:
    graph = kx.build_graph(roster)
    assert isinstance(graph, nx.MultiDiGraph)
    assert dict(graph.nodes(data=True)) == {
        "o1": {"type": "org", "label": "North", "missing": False},
        "s1": {"type": "section", "label": "Art", "missing": False},
        "s2": {"type": "section", "label": "Band", "missing": False},
        "t1": {"type": "person", "label": "Bo", "missing": False},
        **{f"p{n}": {"type": "person", "label": "ABC"[n], "missing": False} for n in range(3)},
        "gone": {"type": "term", "label": "gone", "missing": True},
    }


def test_edges_are_keyed_by_relation_and_carry_the_role(roster: kx.Roster) -> None:
    graph = kx.build_graph(roster)
    assert graph.number_of_edges() == len(roster.links)
    assert graph.edges["t1", "s1", "teacher_in"] == {"relation": "teacher_in", "role": "teacher"}
    assert graph.edges["s1", "o1", "held_at"] == {"relation": "held_at", "role": None}


def test_a_link_that_repeats_is_one_edge() -> None:
    twice = made([("person", "p1", "student_in", "section", "s1", "student")] * 2)
    assert kx.build_graph(twice).number_of_edges() == 1


def test_objects_of_two_types_with_one_id_are_two_nodes() -> None:
    shared = made(
        [("course", "x", "offered_by", "org", "x", None)],
        orgs={"id": ["x"], "name": ["O"]},
        courses={"id": ["x"], "title": ["C"]},
    )
    graph = kx.build_graph(shared)
    assert sorted(graph.edges(keys=True)) == [("course:x", "org:x", "offered_by")]
    assert kx.neighborhood(shared, "x", type="org").graph["focus"] == "org:x"


def test_types_and_relations_narrow_the_graph(roster: kx.Roster) -> None:
    assert set(kx.build_graph(roster, types=["sections", "org"]).edges(keys=True)) == {("s1", "o1", "held_at")}
    narrowed = kx.build_graph(roster, relations=["in_term"])
    assert (narrowed.number_of_edges(), narrowed.number_of_nodes()) == (1, 8)
    with pytest.raises(ValueError, match=r"Unknown type 'pupil'. Choose one of: org, person"):
        kx.build_graph(roster, types=["pupil"])
    with pytest.raises(ValueError, match="Unknown relation 'likes'"):
        kx.build_graph(roster, relations=["likes"])


def test_an_empty_roster_is_an_empty_graph() -> None:
    assert len(kx.build_graph(kx.Roster())) == 0
    assert kx.summarize_graph(kx.build_graph(kx.Roster()))["value"].tolist() == [0, 0]


def test_a_neighborhood_is_the_ego_graph(small_roster: kx.Roster) -> None:
    whole = kx.build_graph(small_roster)
    for id in (small_roster.sections["id"][0], small_roster.persons["id"][0], small_roster.orgs["id"][1]):
        for radius in (0, 1, 2):
            near = kx.neighborhood(small_roster, id, radius=radius, limit=10_000)
            ego = nx.ego_graph(whole, id, radius=radius, undirected=True)
            assert set(near.nodes) == set(ego.nodes)
            assert set(near.edges(keys=True)) == set(ego.edges(keys=True))
            assert dict(near.nodes(data=True)) == dict(ego.nodes(data=True))
            assert near.graph["left_out"] == 0


def test_the_limit_keeps_what_tells_most_and_says_what_it_left_out(roster: kx.Roster) -> None:
    near = kx.neighborhood(roster, "s1", limit=4)
    assert list(near.nodes) == ["s1", "o1", "gone", "t1"]
    assert (near.graph["truncated"], near.graph["left_out"], near.graph["focus"]) == (True, 3, "s1")


def test_an_unknown_id_says_how_to_find_one(roster: kx.Roster) -> None:
    with pytest.raises(KeyError, match=r"roster\.search"):
        kx.neighborhood(roster, "nobody")


def test_a_summary_counts(roster: kx.Roster) -> None:
    summary = kx.summarize_graph(kx.build_graph(roster), hubs=1)
    found = {(row.measure, row.name_): row.value for row in summary.rename(columns={"name": "name_"}).itertuples()}
    assert found == {
        ("nodes", "person"): 4,
        ("nodes", "section"): 2,
        ("nodes", "org"): 1,
        ("nodes", "term"): 1,
        ("missing", "term"): 1,
        ("isolated", "section"): 1,
        ("edges", "student_in"): 3,
        ("edges", "member_of"): 3,
        ("edges", "held_at"): 1,
        ("edges", "in_term"): 1,
        ("edges", "teacher_in"): 1,
        ("components", "count"): 2,
        ("components", "largest"): 7,
        ("hub", "s1"): 6,
    }
    assert summary.loc[summary["measure"] == "hub", "label"].tolist() == ["Art"]


def test_grand_bend_as_a_graph() -> None:
    roster = kx.read_oneroster(bundle("grandbend-oneroster.zip"))
    graph = kx.build_graph(roster)
    assert graph.number_of_nodes() == 4 + 1027 + 84 + 532 + 7
    assert graph.number_of_edges() == len(roster.links)
    assert not any(missing for _, missing in graph.nodes(data="missing"))


def test_the_index_knows_positions_of_links(roster: kx.Roster, tmp_path: Path) -> None:
    index = LinkIndex(roster.tables, roster.links)
    section = index.code("s1")
    assert roster.links["relation"].iloc[index.links_from([section])].tolist() == ["held_at", "in_term"]
    assert roster.links["source_id"].iloc[index.links_to([section])].tolist() == ["t1", "p0", "p1", "p2"]
    both = index.links_from([index.code("p0"), index.code("p2")])
    assert roster.links["source_id"].iloc[both].tolist() == ["p0", "p0", "p2", "p2"]
    assert index.rows([section, index.code("s2"), index.code("gone")]).tolist() == [0, 2, -1]
