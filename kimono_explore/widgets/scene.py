"""A graph as it is drawn: what is grouped, where everything stands, what is said of it. No widget, only data.

Nobody is left out: more than twelve objects that are linked alike are one node with their number, and beyond 100 nodes so
are those of a type around one school, section or term. A group that is opened shows its members.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import networkx as nx
import numpy as np

from kimono_explore.arranging import LAYER_OF, anchors, depths, link_sets, node_kinds
from kimono_explore.display import printable
from kimono_explore.roster.text import fold
from kimono_explore.widgets.words import LINK_NAMES, kind_words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    Edge = tuple[str, str, str]

MOST_ALIKE, MOST_APART, MOST_FORCE = 12, 100, 2_000
"""More that are linked alike are one node; more nodes are grouped by what they are linked with most; force moves fewer."""
_ALIKE, _AROUND = "\x01", "\x02"  # how the name of a group begins: no id holds such a character
_COLUMN, _DENSE, _SWEEPS, _NAMED = 215, 170, 8, 8


class Member(NamedTuple):
    """What is known of a node of the graph."""

    label: str
    kind: str
    missing: bool
    findings: int


class Scene:
    """A graph, grouped and arranged.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        As `build_graph` or `neighborhood` makes it; or `graph_of_paths`, whose nodes say in which column they stand.
    opened : collection of str
        Groups, by name, whose members are shown.
    findings : mapping of str to int, optional
        How many findings an object has, by its node.
    force : bool, default False
        Arranged by forces, not in layers.
    pinned : mapping of str to (float, float), optional
        Nodes that were put somewhere.
    """

    def __init__(
        self,
        graph: nx.MultiDiGraph[str],
        opened: Collection[str] = (),
        findings: Mapping[str, int] | None = None,
        *,
        force: bool = False,
        pinned: Mapping[str, tuple[float, float]] | None = None,
        faded: Collection[str] = (),
    ) -> None:
        self.graph = graph
        self._faded = {name for name in faded if name in graph}
        self.focus: str | None = graph.graph.get("focus")
        kinds, findings = node_kinds(graph), findings or {}
        self.members = {
            name: Member(
                printable(str(data.get("label") or name)), kinds[name], bool(data.get("missing")), findings.get(name, 0)
            )
            for name, data in graph.nodes(data=True)
        }
        self._edges: list[Edge] = [
            (a, b, str(data.get("relation", key))) for a, b, key, data in graph.edges(keys=True, data=True)
        ]
        self.group_of = self._group(opened)
        self.groups: dict[str, list[str]] = defaultdict(list)
        for name, group in self.group_of.items():
            self.groups[group].append(name)
        self.nodes = list(dict.fromkeys(self.group_of.get(name, name) for name in self.members))
        self._number = {name: n for n, name in enumerate(self.nodes)}
        joined = Counter((self._at(a), self._at(b), relation) for a, b, relation in self._edges)
        self.links = [(a, b, relation, count) for (a, b, relation), count in joined.items() if a != b]
        self.columns, places = self._in_layers()
        if force and len(self.nodes) <= MOST_FORCE:
            self.columns, places = [], self._by_force(places)
        for name, place in (pinned or {}).items():
            if name in self._number:
                places[self._number[name]] = place
        self.places = places

    # Groups.

    def _group(self, opened: Collection[str]) -> dict[str, str]:
        """The group of each node that is in one."""
        links = link_sets(self._edges)
        alike: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
        for name, member in self.members.items():
            if name != self.focus:
                alike[member.kind, member.missing, frozenset(links[name])].append(name)
        found = {}
        for names in alike.values():
            group = _ALIKE + min(names)
            if len(names) > MOST_ALIKE and group not in opened:
                found.update(dict.fromkeys(names, group))
        while True:
            left = len(self.members) - len(found) + len(set(found.values()))
            grouped = {self.members[name].kind for name, group in found.items() if group[0] == _AROUND}
            apart = Counter(m.kind for name, m in self.members.items() if m.kind not in grouped and name != self.focus)
            if left <= MOST_APART or not apart:
                return found
            self._group_around(apart.most_common(1)[0][0], links, opened, found)
            if not any(
                group[0] == _AROUND and self.members[name].kind == apart.most_common(1)[0][0]
                for name, group in found.items()
            ):
                return found

    def _group_around(
        self, kind: str, links: Mapping[str, set[tuple[str, str, bool]]], opened: Collection[str], found: dict[str, str]
    ) -> None:
        """Put all of a kind into groups: by the focus where they are linked with it, or by what has most links."""
        around: defaultdict[str, list[str]] = defaultdict(list)
        kinds = {name: member.kind for name, member in self.members.items()}
        those = [name for name in self.members if kinds[name] == kind and name != self.focus]
        for name, place in anchors(those, links, kinds, self.focus).items():
            around[f"{_AROUND}{kind}|{place}{'|missing' * self.members[name].missing}"].append(name)
        for group, names in around.items():
            if len(names) > 1 and group not in opened:
                found.update(dict.fromkeys(names, group))

    def _at(self, name: str) -> str:
        return self.group_of.get(name, name)

    def first(self, name: str) -> str:
        """The node itself, or the first member of a group."""
        return self.groups[name][0] if name in self.groups else name

    # Places, in pixels at the scale of 1; y grows downwards.

    def _in_layers(self) -> tuple[list[tuple[float, str]], NDArray[np.float64]]:
        """A column for each type, from orgs to students, or for each step of a path; and what stands above each."""
        kinds = [self.members[self.first(name)].kind for name in self.nodes]
        of_type = [LAYER_OF[kind] * 8 + d for kind, d in zip(kinds, self._depths(kinds), strict=True)]
        steps = [self.graph.nodes[self.first(name)].get("step") for name in self.nodes]
        layer = np.array(
            [layer if step is None else step for layer, step in zip(of_type, steps, strict=True)], dtype=int
        )
        rank = self._order(layer)
        present, sizes = np.unique(layer, return_counts=True)
        places = np.zeros((len(self.nodes), 2))
        columns, left = [], 0.0
        tallest = [_rows(size) for size in sizes]
        gap = 104 if max(tallest, default=0) <= 6 else 44 if max(tallest, default=0) <= 40 else 30
        for value, size, rows in zip(present, sizes, tallest, strict=True):
            here = np.flatnonzero(layer == value)
            parts = math.ceil(size / rows)
            step = _DENSE if size <= MOST_APART else 30
            own = rank[here]
            for part in range(parts):
                inside = here[own // rows == part]
                inside = inside[np.argsort(rank[inside])]
                tall = np.array([max(gap, self._height(self.nodes[n])) for n in inside], dtype=float)
                places[inside, 0] = left + part * step
                places[inside, 1] = np.cumsum(tall) - tall / 2 - tall.sum() / 2
            words = list(dict.fromkeys(kind_words(kinds[n], 2).split(" ", 1)[1] for n in here))
            columns.append((left + (parts - 1) * step / 2, " and ".join(words)))
            left += (parts - 1) * step + _COLUMN
        return columns, places

    def _height(self, name: str) -> float:
        """The room that a node needs: a group grows with its number, as shapes.ts draws it."""
        return 2 * min(30.0, 11 + 1.6 * len(self.groups[name]) ** 0.5) + 28 if name in self.groups else 0.0

    def _depths(self, kinds: list[str]) -> list[int]:
        pairs = [(self._number[a], self._number[b]) for a, b, relation, _ in self.links if relation == "child_of"]
        found = depths(range(len(self.nodes)), [(a, b) for a, b in pairs if kinds[a] == kinds[b]])
        return list(found.values())

    def _order(self, layer: NDArray[np.int_]) -> NDArray[np.int_]:
        """The place of each node in its column: near what it is linked with (the barycenters of Sugiyama and others)."""
        ends = np.array([(self._number[a], self._number[b]) for a, b, _, _ in self.links], dtype=int).reshape(-1, 2)
        labels = [self.members[self.first(name)].label.casefold() for name in self.nodes]
        order = sorted(range(len(labels)), key=labels.__getitem__)
        height = np.empty(len(labels))
        height[order] = np.arange(len(labels))
        rank = _ranks(layer, height)
        sizes = np.bincount(layer)[layer] if len(layer) else layer
        degree = np.bincount(ends.ravel(), minlength=len(labels))
        for _ in range(_SWEEPS):
            middle = rank - (sizes - 1) / 2
            total = np.bincount(ends[:, 0], middle[ends[:, 1]], len(labels)) + np.bincount(
                ends[:, 1], middle[ends[:, 0]], len(labels)
            )
            rank = _ranks(layer, np.where(degree > 0, total / np.maximum(degree, 1), middle) + rank * 1e-6)
        return rank

    def _by_force(self, start: NDArray[np.float64]) -> NDArray[np.float64]:
        if len(self.nodes) < 2:
            return start
        plain: nx.Graph[int] = nx.Graph()
        plain.add_nodes_from(range(len(self.nodes)))
        plain.add_edges_from((self._number[a], self._number[b]) for a, b, _, _ in self.links)
        found = nx.spring_layout(plain, seed=1, iterations=60, method="force")
        return np.array([found[n] for n in range(len(self.nodes))]) * 80 * len(self.nodes) ** 0.5

    # What is said.

    def data(self) -> dict[str, Any]:
        """The scene, column by column, as the page gets it."""
        firsts = [self.members[self.first(name)] for name in self.nodes]
        counts = [len(self.groups[name]) if name in self.groups else 1 for name in self.nodes]
        findings = [self._findings(name) for name in self.nodes]
        relations = sorted({relation for _, _, relation, _ in self.links})
        number = {relation: n for n, relation in enumerate(relations)}
        return {
            "ids": self.nodes,
            "labels": [self.label(name) for name in self.nodes],
            "notes": [self._note(name, found) for name, found in zip(self.nodes, findings, strict=True)],
            "kinds": [member.kind for member in firsts],
            "missing": [int(member.missing) for member in firsts],
            "counts": counts,
            "findings": findings,
            "faded": [int(self._faded.issuperset(self.groups.get(name, [name]))) for name in self.nodes],
            "x": self.places[:, 0].round(1).tolist(),
            "y": self.places[:, 1].round(1).tolist(),
            "from": [self._number[a] for a, _, _, _ in self.links],
            "to": [self._number[b] for _, b, _, _ in self.links],
            "relation": [number[relation] for _, _, relation, _ in self.links],
            "relations": [relation.replace("_", " ") for relation in relations],
            "many": [count for _, _, _, count in self.links],
            "columns": [[x, words] for x, words in self.columns],
            "legend": [
                [kind, kind_words(kind)]
                for kind in sorted({m.kind for m in firsts if not m.missing}, key=list(LAYER_OF).index)
            ],
            "focus": self._number.get(self._at(self.focus)) if self.focus in self.members else None,
        }

    def label(self, name: str) -> str:
        """What stands at a node."""
        member = self.members[self.first(name)]
        if name in self.groups:
            return kind_words(member.kind, len(self.groups[name])) + " not delivered" * member.missing
        return f"{kind_words(member.kind).capitalize()} not delivered" if member.missing else member.label

    def _note(self, name: str, findings: int) -> str:
        member = self.members[self.first(name)]
        if name in self.groups:
            with_findings = sum(self.members[one].findings > 0 for one in self.groups[name])
            return f"{with_findings:,} with findings" if with_findings else ""
        words = printable(name)[:8] if member.missing else kind_words(member.kind)
        return f"{words}, {findings:,} finding{'s' * (findings != 1)}" if findings else words

    def _findings(self, name: str) -> int:
        return sum(self.members[one].findings for one in self.groups.get(name, [name]))

    def title(self) -> tuple[str, str]:
        """What stands above the graph: a name, and counts."""
        left_out = self.graph.graph.get("left_out", 0)
        counts = f"{len(self.members):,} object{'s' * (len(self.members) != 1)}, {len(self._edges):,} link{'s' * (len(self._edges) != 1)}"
        more = f"; {left_out:,} more are not drawn" if left_out else ""
        more += f"; the {len(self._faded):,} that the filter leaves out are pale" if self._faded else ""
        if self.focus in self.members:
            return self._name(self.focus), f"and what it is linked with: {counts}{more}"
        return "Graph", counts + more

    def _name(self, name: str) -> str:
        member = self.members[name]
        return f"{kind_words(member.kind).capitalize()}, not delivered" if member.missing else member.label

    def info(self, name: str | None) -> dict[str, Any]:
        """What the panel says of a node, of a group, or of the whole graph."""
        if name in self.groups:
            members = sorted(self.groups[name], key=lambda one: self.members[one].label.casefold())
            return {
                "title": self.label(name), "id": "", "note": "These have the same links." if name[0] == _ALIKE else "A group.",
                "alarm": "", "head": "Among them",
                "rows": [[one, self._name(one), self.members[one].kind, int(self.members[one].missing)] for one in members[:_NAMED]],
                "more": max(0, len(members) - _NAMED), "group": True,
            }  # fmt: skip
        if name in self.members:
            return self._of_one(name)
        counts = Counter((member.kind, member.missing) for member in self.members.values())
        kinds = sorted(counts, key=lambda key: (key[1], list(LAYER_OF).index(key[0])))
        words = [
            f"1 {kind_words(kind)}" if counts[kind, missing] == 1 else kind_words(kind, counts[kind, missing])
            for kind, missing in kinds
        ]
        return {
            "title": "In this graph", "id": "", "note": "", "alarm": "", "head": "",
            "rows": [
                ["", text + ", not delivered" * missing, kind, int(missing)]
                for text, (kind, missing) in zip(words, kinds, strict=True)
            ],
            "more": 0, "group": False,
        }  # fmt: skip

    def _of_one(self, name: str) -> dict[str, Any]:
        member = self.members[name]
        near = [(relation, "to", b) for a, b, relation in self._edges if a == name]
        near += [(relation, "from", a) for a, b, relation in self._edges if b == name]
        alarm = ""
        if member.missing:
            namers = sorted({self.members[other].label for _, _, other in near}, key=str.casefold)
            who = namers[0] if len(namers) == 1 else f"{namers[0]} and {len(namers) - 1:,} more" if namers else "A link"
            verb = "names" if len(namers) <= 1 else "name"
            alarm = f"{who} {verb} this {kind_words(member.kind)}. No {kind_words(member.kind)} with this id came with the roster."
        elif member.findings:
            alarm = f"{member.findings:,} finding{'s' * (member.findings != 1)}"
        groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for relation, direction, other in near:
            groups[relation, direction].append(other)
        rows = []
        for key, others in groups.items():
            words = LINK_NAMES.get(key, key[0].replace("_", " "))
            one = self.members[others[0]]
            if len(others) == 1:
                words = "parent" if key == ("child_of", "to") else kind_words(one.kind)
            text = f"{words}: {self._name(others[0])}" if len(others) == 1 else f"{len(others):,} {words}"
            rows.append([others[0] if len(others) == 1 else "", text, one.kind, int(len(others) == 1 and one.missing)])
        return {
            "title": self._name(name), "id": printable(name), "note": kind_words(member.kind).capitalize(), "alarm": alarm,
            "head": "Linked with", "rows": rows, "more": 0, "group": False,
        }  # fmt: skip

    def find(self, text: str, most: int = 8) -> list[list[str]]:
        """Objects whose name, or id, holds every word that was typed: id, name, type; those that begin so come first."""
        words = fold(text).split()
        if not words:
            return []
        hits = []
        for name, member in self.members.items():
            folded = fold(f"{member.label} {name}")
            if all(word in folded for word in words):
                hits.append((not folded.startswith(words[0]), folded, name))
        return [[name, self._name(name), kind_words(self.members[name].kind)] for _, _, name in sorted(hits)[:most]]


def _rows(size: int) -> int:
    """How many rows a column of a layer has: many stand in several columns."""
    return size if size <= 30 else max(24, math.ceil((size * 1.2) ** 0.5))


def _ranks(layer: NDArray[np.int_], height: NDArray[np.float64]) -> NDArray[np.int_]:
    """The place of each node in its layer, by height."""
    order = np.lexsort((height, layer))
    starts = np.searchsorted(layer[order], layer[order])
    rank = np.empty(len(layer), dtype=int)
    rank[order] = np.arange(len(layer)) - starts
    return rank
