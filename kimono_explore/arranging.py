"""What every drawing of a graph asks of it: the kind of each node, its column, what it is linked with, and how deep it stands."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import networkx as nx

    Edge = tuple[str, str, str]
    Link = tuple[str, str, bool]
"""An edge as its source, its target and its relation; a link of a node as relation, other end, and whether it leads there."""

Node = TypeVar("Node", str, int)
_DEEPEST = 4

LAYER_OF: dict[str, int] = {
    "org": 0, "term": 0, "course": 1, "section": 2, "grading_category": 3, "teacher": 3, "staff": 3, "student": 4,
    "person": 4,
}  # fmt: skip
"""From the district on the left to its people on the right, by the kinds of `node_kinds`: how a roster is drawn."""


def node_kinds(graph: nx.MultiDiGraph[str]) -> dict[str, str]:
    """The type of each node; for persons ``"teacher"`` or ``"student"`` if a link says which."""
    roles: dict[str, set[object]] = {}
    for source, _, relation, data in graph.edges(keys=True, data=True):
        said = {"teacher_in": "teacher", "student_in": "student"}.get(str(relation), data.get("role"))
        roles.setdefault(source, set()).add(said)
    kinds = {}
    for name, data in graph.nodes(data=True):
        said_of = roles.get(name, set()) if data["type"] == "person" else set()
        kinds[name] = next((role for role in ("teacher", "student") if role in said_of), str(data["type"]))
    return kinds


def link_sets(edges: Iterable[Edge]) -> defaultdict[str, set[Link]]:
    """The links of each node. Nodes of one kind with equal sets are linked alike."""
    links: defaultdict[str, set[Link]] = defaultdict(set)
    for source, target, relation in edges:
        links[source].add((relation, target, True))
        links[target].add((relation, source, False))
    return links


def anchors(
    names: Iterable[str], links: Mapping[str, set[Link]], kinds: Mapping[str, str], focus: str | None
) -> dict[str, str]:
    """What each node is grouped around: the focus, if the two are linked; else the neighbor of another kind that has most.

    ``""`` for a node that has no neighbor of another kind.
    """
    neighbors = {name: {other for _, other, _ in found} for name, found in links.items()}
    size = {name: len(found) for name, found in neighbors.items()}
    around = {}
    for name in names:
        others = sorted(other for other in neighbors.get(name, ()) if kinds[other] != kinds[name])
        around[name] = focus if focus in others else max(others, key=size.__getitem__, default="")
    return around


def depths(nodes: Iterable[Node], children: Iterable[tuple[Node, Node]]) -> dict[Node, int]:
    """How far below a parent of its own kind each node stands, given pairs of child and parent; a ring ends somewhere."""
    depth, pairs = dict.fromkeys(nodes, 0), list(children)
    for _ in range(_DEEPEST):
        for child, parent in pairs:
            depth[child] = max(depth[child], min(_DEEPEST, depth[parent] + 1))
    return depth
