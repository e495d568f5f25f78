"""What is drawn of a graph: nobody is left out, nothing stands on something else, and what is said is true."""

from __future__ import annotations

import itertools
import random

import networkx as nx
import numpy as np
import pytest

import kimono_explore as kx
from kimono_explore.arranging import LAYER_OF, node_kinds
from kimono_explore.palette import TYPE_COLORS
from kimono_explore.roster.text import fold
from kimono_explore.widgets import scene as scenes
from kimono_explore.widgets.scene import Scene
from kimono_explore.widgets.words import kind_words


def star(students: int, *, missing: int = 0) -> nx.MultiDiGraph[str]:
    """A section with its school and students, the last ones not delivered."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(focus="s")
    graph.add_node("s", type="section", label="Biology", missing=False)
    graph.add_node("o", type="org", label="Lincoln", missing=False)
    graph.add_edge("s", "o", key="held_at", relation="held_at")
    for n in range(students):
        graph.add_node(f"p{n}", type="person", label=f"Ada {n:02}", missing=n >= students - missing)
        graph.add_edge(f"p{n}", "s", key="student_in", relation="student_in")
    return graph


def random_graph(seed: int, size: int) -> nx.MultiDiGraph[str]:
    """Objects of every type with links of every kind, loops, repeated labels and a ring of parents among them."""
    chance = random.Random(seed)
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    types = ["org", "term", "course", "section", "grading_category", "person"]
    for n in range(size):
        graph.add_node(f"n{n}", type=chance.choice(types), label=f"N {n % 7}", missing=chance.random() < 0.1)
    for _ in range(size * 2):
        a, b = f"n{chance.randrange(size)}", f"n{chance.randrange(size)}"
        relation = chance.choice(["child_of", "held_at", "student_in", "teacher_in", "of_course", "in_term"])
        graph.add_edge(a, b, key=relation, relation=relation)
    if size > 1:
        graph.graph["focus"] = "n0"
    return graph


def test_more_than_twelve_that_are_linked_alike_are_one_node_and_twelve_are_not() -> None:
    few, many = Scene(star(12)), Scene(star(13))
    assert len(few.nodes) == 14
    assert few.groups == {}
    assert len(many.nodes) == 3
    data = many.data()
    group = data["counts"].index(13)
    assert data["labels"][group] == "13 students"
    assert data["kinds"][group] == "student"
    assert data["many"][data["from"].index(group)] == 13


def test_what_was_not_delivered_stands_apart_from_what_was() -> None:
    data = Scene(star(40, missing=15)).data()
    said = sorted(zip(data["labels"], data["missing"], strict=True))
    assert ("15 students not delivered", 1) in said
    assert ("25 students", 0) in said


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("size", [0, 1, 2, 40, 400])
@pytest.mark.parametrize("force", [False, True])
def test_nobody_is_left_out_and_no_two_stand_at_one_place(seed: int, size: int, force: bool) -> None:
    graph = random_graph(seed, size)
    scene = Scene(graph, force=force)
    shown = [one for name in scene.nodes for one in scene.groups.get(name, [name])]
    assert sorted(shown) == sorted(graph)
    assert sum(scene.data()["counts"]) == len(graph)
    # Every link is drawn, but those within a group.
    within = sum(scene.group_of.get(a, a) == scene.group_of.get(b, b) for a, b, _ in graph.edges(keys=True))
    assert sum(scene.data()["many"]) == graph.number_of_edges() - within
    assert np.isfinite(scene.places).all()
    if not force:
        assert len({(x, y) for x, y in scene.places.tolist()}) == len(scene.nodes)
        for (x, y), (other_x, other_y) in itertools.combinations(scene.places.tolist(), 2):
            assert x != other_x or abs(y - other_y) >= 29
        kinds = node_kinds(graph)
        lefts = {n: x for n, (x, _) in zip(scene.nodes, scene.places.tolist(), strict=True)}
        for a, b in itertools.combinations(scene.nodes, 2):
            one, other = LAYER_OF[kinds[scene.first(a)]], LAYER_OF[kinds[scene.first(b)]]
            assert one == other or (one < other) == (lefts[a] < lefts[b])


def test_a_large_graph_is_grouped_until_it_can_be_read_and_opens_step_by_step() -> None:
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(focus="o")
    graph.add_node("o", type="org", label="Lincoln", missing=False)
    for s in range(40):
        graph.add_node(f"s{s}", type="section", label=f"Section {s}", missing=False)
        graph.add_edge(f"s{s}", "o", key="held_at", relation="held_at")
        for n in range(20):
            person = f"p{s * 20 + n}"
            graph.add_node(person, type="person", label=f"Ada {person}", missing=False)
            graph.add_edge(person, f"s{s}", key="student_in", relation="student_in")
            graph.add_edge(person, "o", key="member_of", relation="member_of", role="student")
    scene = Scene(graph)
    assert len(scene.nodes) <= scenes.MOST_APART
    assert sum(scene.data()["counts"]) == 841
    people = (
        next(name for name in scene.groups if "|student" in name or "student|" in name)
        if len(scene.nodes) < 40
        else None
    )
    opened = Scene(graph, {people} if people else {scene.group_of["p0"]})
    assert len(opened.nodes) > len(scene.nodes)
    assert sum(opened.data()["counts"]) == 841


def test_findings_are_counted_for_an_object_and_for_a_group() -> None:
    scene = Scene(star(13), findings={"o": 2, "p1": 3, "p2": 1})
    data = scene.data()
    by = dict(zip(data["labels"], zip(data["findings"], data["notes"], strict=True), strict=True))
    assert by == {"Biology": (0, "section"), "Lincoln": (2, "org, 2 findings"), "13 students": (4, "2 with findings")}


def test_the_panel_says_what_a_node_is_linked_with_and_why_one_is_missing() -> None:
    scene = Scene(star(3, missing=1))
    about = scene.info("s")
    assert (about["title"], about["note"], about["alarm"]) == ("Biology", "Section", "")
    assert [row[1] for row in about["rows"]] == ["org: Lincoln", "3 students"]
    gone = scene.info("p2")
    assert gone["title"] == "Student, not delivered"
    assert gone["alarm"] == "Biology names this student. No student with this id came with the roster."
    assert [row[1:] for row in scene.info(None)["rows"]] == [
        ["1 org", "org", 0], ["1 section", "section", 0], ["2 students", "student", 0], ["1 student, not delivered", "student", 1],
    ]  # fmt: skip
    group = Scene(star(20))
    told = group.info(group.group_of["p0"])
    assert (told["title"], told["group"], len(told["rows"]), told["more"]) == ("20 students", True, 8, 12)


def test_search_finds_names_without_accents_and_members_of_groups() -> None:
    graph = star(20)
    graph.nodes["p7"]["label"] = "Zoë Nuñez"
    scene = Scene(graph)
    assert [hit[1:] for hit in scene.find("zoe nunez")] == [["Zoë Nuñez", "student"]]
    assert scene.find("  ") == []
    assert scene.find("nobody") == []
    assert len(scene.find("ada")) == 8
    assert fold("ÉCOLE Straße") == "ecole strasse"


def test_hostile_names_are_data_and_change_no_direction() -> None:
    graph = star(1)
    graph.nodes["p0"]["label"] = "<script>alert(1)</script>\u202eeca\nlp"
    label = Scene(graph).data()["labels"][2]
    assert "<script>" in label
    assert not set(label) & {"\u202e", "\n"}


def test_numbers_have_their_words() -> None:
    assert [kind_words("grading_category", 2), kind_words("staff", 3), kind_words("person", 1_200), kind_words("term")] == [
        "2 grading categories", "3 staff", "1,200 people", "term",
    ]  # fmt: skip


def test_every_type_has_a_place(small_roster: kx.Roster) -> None:
    scene = Scene(kx.build_graph(small_roster))
    assert set(LAYER_OF) == set(TYPE_COLORS)
    assert sum(scene.data()["counts"]) == len(kx.build_graph(small_roster))
