"""The graph to work in: what is asked of it, by a person or a page, and what it then shows."""

from __future__ import annotations

from typing import Any

import networkx as nx
import pytest

import kimono_explore as kx
from kimono_explore.palette import TYPE_COLORS


@pytest.fixture
def network(small_roster: kx.Roster) -> Any:
    """A section, its students in a group."""
    sizes = small_roster.links[small_roster.links["relation"] == "student_in"]["target_id"].value_counts()
    graph = kx.neighborhood(small_roster, str(sizes.index[0]))
    made = kx.show_network(graph)
    assert sizes.iloc[0] > 12
    return made


def group_of(network: Any) -> str:
    return next(name for name in network.scene["ids"] if name[0] == "\x01")


def heard(network: Any, **message: object) -> list[dict[str, Any]]:
    """What is sent back to a message of the page."""
    sent: list[dict[str, Any]] = []
    network.send = lambda content, buffers=None: sent.append(content)
    network._hear(network, message, [])
    return sent


def test_it_begins_with_the_object_in_the_middle(network: Any) -> None:
    focus = network.graph.graph["focus"]
    assert network.selected == focus
    assert network.info["title"] == network.graph.nodes[focus]["label"]
    assert network.heading[1].startswith(f"and what it is linked with: {len(network.graph)} objects")
    assert network.colors["student"][0] == TYPE_COLORS["student"]


def test_a_group_opens_and_undo_closes_it(network: Any) -> None:
    before = network.scene["ids"]
    size = network.scene["counts"][before.index(group_of(network))]
    network.open_group(group_of(network))
    assert len(network.scene["ids"]) == len(before) - 1 + size
    assert network.undoable
    network.undo()
    assert network.scene["ids"] == before
    assert not network.undoable
    network.undo()
    assert network.scene["ids"] == before


def test_to_select_a_member_opens_its_group(network: Any) -> None:
    member = network.info and next(n for n, g in network._scene.group_of.items() if g == group_of(network))
    network.select(member)
    assert network.selected == member
    assert member in network.scene["ids"]
    assert network.info["id"] == member
    with pytest.raises(KeyError, match="no node 'nobody'"):
        network.select("nobody")


def test_what_the_page_asks_is_done(network: Any) -> None:
    picked, expanded = [], []
    network.on_select(picked.append)
    network.on_expand(expanded.append)
    node = network.scene["ids"][1]
    heard(network, do="select", node=node)
    heard(network, do="expand", node=node)
    assert (network.selected, picked, expanded) == (node, [node], [node])
    heard(network, do="pin", node=node, x=12, y=-5)
    at = network.scene["ids"].index(node)
    assert (network.scene["x"][at], network.scene["y"][at]) == (12, -5)
    group = group_of(network)
    heard(network, do="select", node=group)
    assert (network.selected, network.info["group"], picked) == (group, True, [node])
    heard(network, do="expand", node=group)
    assert group not in network.scene["ids"]
    assert network.selected is None
    heard(network, do="arrange", force=True)
    assert network.force
    assert network.scene["columns"] == []
    heard(network, do="undo")
    assert not network.force
    name = network.graph.nodes[node]["label"]
    sent = heard(network, do="find", text=name, number=7)
    assert sent[0]["find"] == 7
    assert sent[0]["hits"][0][:2] == [node, name]


@pytest.mark.parametrize(
    "message", [{}, {"do": "select", "node": "gone"}, {"do": "pin", "node": "gone"}, {"do": "boil"}, {"do": "expand"}]
)
def test_what_cannot_be_done_changes_nothing(network: Any, message: dict[str, object]) -> None:
    before, selected = network.scene, network.selected
    assert heard(network, **message) == []
    assert (network.scene, network.selected, network.undoable) == (before, selected, False)


def test_more_can_be_added_and_taken_back(network: Any, small_roster: kx.Roster) -> None:
    more = kx.neighborhood(small_roster, str(small_roster.orgs["id"][0]), limit=30)
    before = set(network.graph)
    network.add(more)
    assert set(network.graph) == before | set(more)
    assert network.graph.graph["focus"] in before
    network.undo()
    assert set(network.graph) == before


def test_findings_of_two_types_that_share_an_id_stay_apart() -> None:
    from kimono_explore.frames import frame

    orgs = frame("orgs", {"id": ["7"], "name": ["Lincoln"]})
    persons = frame("persons", {"id": ["7"], "person_type": ["student"], "email": ["no address"]})
    roster = kx.Roster(orgs=orgs, persons=persons)
    report = kx.check(roster)
    wrong = report.findings[report.findings["id"] == "7"].groupby("table", observed=True).size()
    network = kx.show_network(kx.build_graph(roster), report=report)
    found = dict(zip(network.scene["kinds"], network.scene["findings"], strict=True))
    assert found == {"org": int(wrong.get("orgs", 0)), "person": int(wrong.get("persons", 0))}
    assert found["person"] > 0


def test_too_many_for_the_screen_and_for_forces() -> None:
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for n in range(2_001):
        graph.add_node(str(n), type="section", label=str(n), missing=False)
        graph.add_edge(str(n), str((n + 1) % 2_001), key="held_at", relation="held_at")
    network = kx.show_network(graph)
    if len(network.scene["ids"]) > 2_000:
        assert network.heading[2] is False
        with pytest.raises(ValueError, match="at most 2,000"):
            network.arrange(force=True)
    large: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    large.add_nodes_from(range(50_001))
    with pytest.raises(ValueError, match="50,001 nodes are more"):
        kx.show_network(large)


def test_nothing_is_a_graph_too() -> None:
    network = kx.show_network(nx.MultiDiGraph())
    assert (network.scene["ids"], network.selected, network.info["rows"]) == ([], None, [])
    assert repr(network) == "Network(0 nodes, 0 edges)"
