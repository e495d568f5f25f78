"""A roster as a networkx graph: all of it, or the neighborhood of one object.

Both read ``roster.index``, where objects are numbers; a neighborhood never builds the graph of the whole roster.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import networkx as nx
import numpy as np
import pandas as pd

from kimono_explore.errors import expect, expect_options
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import OBJECT_TYPES, RELATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from kimono_explore.roster.index import LinkIndex

_AT_A_TIME = 100_000
_HUB = 100  # links: what has more connects everybody with everybody
# Where not all neighbors fit, the few that give the others their place come first.
_ORDER = ("org", "term", "course", "section", "grading_category", "person")


def build_graph(
    roster: Roster, types: Iterable[str] | None = None, relations: Iterable[str] | None = None
) -> nx.MultiDiGraph[str]:
    """Build the graph of a roster.

    Parameters
    ----------
    roster : Roster
    types : iterable of str, optional
        Include only objects of these types: ``"org"``, ``"person"``, ``"course"``, ``"section"``, ``"term"``,
        ``"grading_category"`` (or the tables' names). Default: all.
    relations : iterable of str, optional
        Include only links of these relations. Default: all.

    Returns
    -------
    networkx.MultiDiGraph
        One node per object, named by its id (``type:id`` if objects of two types share an id), with ``type``, ``label``
        and ``missing`` (true if the object is referenced by a link but was not delivered). One edge per relation
        between two objects, keyed by the relation, with ``relation`` and ``role``; repeated links become one edge.

    Raises
    ------
    ValueError
        A type or relation is unknown.

    Examples
    --------
    >>> graph = kx.build_graph(roster, types=["org", "section"])
    >>> sorted({relation for _, _, relation in graph.edges(keys=True)})
    ['child_of', 'held_at']
    """
    expect("build_graph", roster, Roster)
    expect_options("build_graph", "list", or_none=True, types=types, relations=relations)
    index = roster.index
    wanted = _known("type", types, tuple(OBJECT_TYPES.values()), OBJECT_TYPES)
    nodes = np.arange(index.size)
    rows = np.flatnonzero((index.source >= 0) & (index.target >= 0))
    if relations is not None:
        kept = roster.links["relation"].isin(_known("relation", relations, RELATIONS)).to_numpy()
        rows = rows[kept[rows]]
    if types is not None:
        chosen = np.isin(index.type_of(nodes).astype(str), wanted)
        nodes = nodes[chosen]
        rows = rows[chosen[index.source[rows]] & chosen[index.target[rows]]]
    return _graph(roster, nodes, rows)


def neighborhood(
    roster: Roster, id: str, radius: int = 1, limit: int = 500, type: str | None = None
) -> nx.MultiDiGraph[str]:
    """Build the graph around one object.

    Parameters
    ----------
    roster : Roster
    id : str
        The object at the center.
    radius : int, default 1
        How many links away from the center to go, in either direction.
    limit : int, default 500
        The maximum number of nodes. The nearest are kept first; at equal distance, orgs, terms, courses and sections
        come before people, and staff before students.
    type : str, optional
        Needed only if objects of two types share the id.

    Returns
    -------
    networkx.MultiDiGraph
        A graph as returned by `build_graph`, with every link between its nodes. ``graph.graph`` holds ``focus`` (the
        node at the center), ``radius``, ``truncated`` and ``left_out`` (the number of nodes that the limit excluded).

    Raises
    ------
    KeyError
        No object has this id.
    ValueError
        Objects of several types have this id, and no type was given.

    Examples
    --------
    >>> around = kx.neighborhood(roster, roster.sections["id"][0])
    >>> around.graph["focus"] == roster.sections["id"][0], around.graph["left_out"]
    (True, 0)
    """
    expect("neighborhood", roster, Roster)
    expect_options("neighborhood", "whole number", radius=radius, limit=limit)
    if radius < 0 or limit < 1:
        raise ValueError("radius must be 0 or more, and limit 1 or more.")
    index = roster.index
    focus = index.code(id, type)
    found = np.array([focus])
    ring = found
    left_out = 0
    for _ in range(radius):
        ring = _ring(roster, ring, found)
        room = limit - len(found)
        left_out += max(0, len(ring) - room)
        ring = ring[:room]
        found = np.concatenate([found, ring])
        if not len(ring):
            break
    outgoing = index.links_from(found)
    rows = outgoing[np.isin(index.target[outgoing], found)]
    graph = _graph(roster, found, np.sort(rows))
    graph.graph.update(focus=str(index.name([focus])[0]), radius=radius, truncated=left_out > 0, left_out=int(left_out))
    return graph


def _ring(roster: Roster, codes: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.int64]:
    """The neighbors of these nodes that were not found before, the most telling first."""
    index = roster.index
    onward, back = index.links_from(codes), index.links_to(codes)
    near = np.concatenate([index.target[onward], index.source[back]])
    teaching = roster.links["relation"].iloc[np.concatenate([onward, back])] == "teacher_in"
    near, first = np.unique(near, return_index=True)
    new = (near >= 0) & ~np.isin(near, found)
    near, first = near[new], first[new]
    rank = pd.Series(index.type_of(near)).map({t: n for n, t in enumerate(_ORDER)}).to_numpy(dtype=float)
    return near[np.lexsort((first, ~teaching.to_numpy()[first], rank))].astype(np.int64)


def shortest_path(
    roster: Roster,
    source: str,
    target: str,
    source_type: str | None = None,
    target_type: str | None = None,
    *,
    avoid_hubs: bool = True,
    count: int = 1,
) -> pd.DataFrame:
    """Find how two objects are connected: a shortest path along the links, in either direction.

    Parameters
    ----------
    roster : Roster
    source, target : str
        The ids of the two ends.
    source_type, target_type : str, optional
        Needed only if objects of two types share the id.
    avoid_hubs : bool, default True
        Go through terms, districts and objects with more than 100 links only if there is no other path: it means little
        that two students are in the same term. False: take the fewest links, whatever lies between.
    count : int, default 1
        The maximum number of paths to return, shortest first. No two paths share an object between the ends.

    Returns
    -------
    pandas.DataFrame
        One row per object on the path, including both ends: type, id, label, and the relation and direction (``"to"``
        or ``"from"``) of the link to the next object, which are missing in the last row. Empty if there is no path. If
        ``count`` is greater than 1, a first column, way, numbers the paths from 1. ``attrs["hubs"]`` names the hubs
        that the first path could not avoid.

    Raises
    ------
    KeyError
        No object has this id.

    Examples
    --------
    >>> way = kx.shortest_path(roster, roster.persons["id"][0], roster.courses["id"][0])
    >>> way["type"].iloc[[0, -1]].tolist()
    ['person', 'course']
    """
    expect("shortest_path", roster, Roster)
    expect_options("shortest_path", "whole number", count=count)
    if count < 1:
        raise ValueError("count must be 1 or more.")
    index = roster.index
    start, end = index.code(source, source_type), index.code(target, target_type)
    avoided: Iterable[NDArray[np.bool_] | None] = _avoided(index, start, end) if avoid_hubs else (None,)
    for closed in avoided:
        ways = _ways(index, start, end, closed, count)
        if ways:
            break
    tables = [_way_table(roster, *way) for way in ways or [([], [])]]
    if count > 1:
        tables = [table.assign(way=n)[["way", *table.columns]] for n, table in enumerate(tables, 1)]
    found = pd.concat(tables, ignore_index=True)
    between = np.array(ways[0][0][1:-1] if ways and avoid_hubs else [], dtype=np.int64)
    found.attrs["hubs"] = index.labels(between[_hubs(index)[between]]).tolist()
    return found


def graph_of_paths(roster: Roster, paths: pd.DataFrame) -> nx.MultiDiGraph[str]:
    """Return the graph of several paths between two objects, to be drawn from one end to the other.

    Parameters
    ----------
    roster : Roster
    paths : pandas.DataFrame
        From `shortest_path` with ``count`` greater than 1.

    Returns
    -------
    networkx.MultiDiGraph
        As from `build_graph`, but only the objects and links of the paths. The attribute ``step`` of a node is its
        place on its path, from 0; the other end has the last place of the longest path.
    """
    index = roster.index
    codes = index.codes(paths["type"], paths["id"]).astype(np.int64)
    graph = _graph(roster, pd.unique(codes), np.array([], dtype=np.int64))
    names = index.name(codes).tolist()
    steps = paths.groupby("way").cumcount().tolist()
    for here, there, step, relation, direction in zip(
        names, [*names[1:], ""], steps, paths["relation"], paths["direction"], strict=True
    ):
        is_end = pd.isna(relation)
        graph.nodes[here]["step"] = max(steps) if is_end else step
        if not is_end:
            source, target = (here, there) if direction == "to" else (there, here)
            graph.add_edge(source, target, relation, relation=relation, role=None)
    return graph


def _avoided(index: LinkIndex, start: int, end: int) -> Iterator[NDArray[np.bool_] | None]:
    """Which objects to avoid: terms, districts and hubs; if that leaves no path, only terms and districts; then none."""
    part = index.parts[[start, end]]
    if part[0] == part[1] or index.broad[[start, end]].any():
        yield _hubs(index)
        yield index.broad
    yield None


def _hubs(index: LinkIndex) -> NDArray[np.bool_]:
    return index.broad | (index.degrees() > _HUB)


def _ways(
    index: LinkIndex, start: int, end: int, avoided: NDArray[np.bool_] | None, count: int
) -> list[tuple[list[int], list[int]]]:
    """Shortest paths that share nothing between the ends: the objects of each, and the links between them."""
    ways: list[tuple[list[int], list[int]]] = []
    closed = np.zeros(index.size, dtype=bool) if avoided is None else avoided.copy()
    closed[[start, end]] = False
    taken = np.array([], dtype=np.int64)
    while len(ways) < count:
        way = _way(index, start, end, closed, taken)
        if way is None:
            break
        ways.append(way)
        if start == end:
            break
        # The next one goes through nothing that this one went through; where it was one link, no such link is taken.
        closed[way[0][1:-1]] = True
        if len(way[1]) == 1:
            one, other = (np.concatenate([index.links_from([code]), index.links_to([code])]) for code in (start, end))
            taken = np.intersect1d(one, other)
    return ways


def _way(
    index: LinkIndex, start: int, end: int, closed: NDArray[np.bool_], taken: NDArray[np.int64]
) -> tuple[list[int], list[int]] | None:
    """A shortest path that enters no object that is closed, and goes along no link that is taken."""
    # From both ends in turn, the side with the smaller ring first: one side alone soon holds half the roster.
    sides = [_Widening(index, start, closed, taken), _Widening(index, end, closed, taken)]
    met = np.array([start] if start == end else [], dtype=np.int64)
    while not len(met) and len(sides[0].ring) and len(sides[1].ring):
        one, other = sorted(sides, key=lambda side: len(side.ring))
        one.widen()
        met = one.ring[other.came_from[one.ring] >= 0]
    if not len(met):
        return None
    (there, by), (back, back_by) = (side.way(int(met[0])) for side in sides)
    return [*there[::-1], *back[1:]], [*by[::-1], *back_by]


def _way_table(roster: Roster, objects: list[int], links: list[int]) -> pd.DataFrame:
    index = roster.index
    codes, rows = np.array(objects, dtype=np.int64), np.array(links, dtype=np.int64)
    forward = index.source[rows] == codes[:-1] if len(codes) else np.array([], dtype=bool)
    last = [None] if len(codes) else []
    columns = {
        "type": index.type_of(codes),
        "id": index.ids(codes),
        "label": index.labels(codes),
        "relation": [*roster.links["relation"].iloc[rows].astype("str"), *last],
        "direction": [*np.where(forward, "to", "from"), *last],
    }
    return pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in columns.items()})


class _Widening:
    """All objects within a number of links from one, and how each was reached."""

    def __init__(self, index: LinkIndex, start: int, closed: NDArray[np.bool_], taken: NDArray[np.int64]) -> None:
        self._index, self._closed, self._taken = index, closed, taken
        self.came_from = np.full(index.size, -1, dtype=np.int32)
        self._by = np.full(index.size, -1, dtype=np.int32)
        self._first = np.empty(index.size, dtype=np.int64)
        self.came_from[start] = start
        self.ring = np.array([start])

    def widen(self) -> None:
        """One link further."""
        index = self._index
        onward, back = index.links_from(self.ring), index.links_to(self.ring)
        near, links = np.concatenate([index.target[onward], index.source[back]]), np.concatenate([onward, back])
        new = (near >= 0) & (self.came_from[near] < 0) & ~self._closed[near]
        if len(self._taken):
            new &= ~np.isin(links, self._taken)
        near, links = near[new], links[new]
        # Of several links to one object the first counts: written backwards, it is the last to be written.
        place = np.arange(len(near))
        self._first[near[::-1]] = place[::-1]
        once = np.flatnonzero(self._first[near] == place)
        once = once[np.argsort(near[once])]
        self.ring, links = near[once].astype(np.int64), links[once]
        self.came_from[self.ring] = np.where(index.source[links] == self.ring, index.target[links], index.source[links])
        self._by[self.ring] = links

    def way(self, code: int) -> tuple[list[int], list[int]]:
        """The objects from this one back to the start, and the links between them."""
        codes, rows = [code], []
        while self.came_from[codes[-1]] != codes[-1]:
            rows.append(int(self._by[codes[-1]]))
            codes.append(int(self.came_from[codes[-1]]))
        return codes, rows


def summarize_graph(graph: nx.MultiDiGraph[str], hubs: int = 10) -> pd.DataFrame:
    """Summarize a graph.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        A graph from `build_graph` or `neighborhood`.
    hubs : int, default 10
        How many of the best-connected nodes to list.

    Returns
    -------
    pandas.DataFrame
        With columns measure, name, label, value. The measures are ``nodes``, ``missing`` and ``isolated`` by type,
        ``edges`` by relation, ``components`` (the count, and the size of the largest), and ``hub`` by node, with its
        degree.

    Examples
    --------
    >>> summary = kx.summarize_graph(kx.build_graph(roster))
    >>> int(summary.query("measure == 'nodes' and name == 'person'")["value"].iloc[0]) == len(roster.persons)
    True
    """
    expect("summarize_graph", graph, nx.MultiDiGraph)
    described = {name: (data["type"], data["label"], data["missing"]) for name, data in graph.nodes(data=True)}
    nodes = pd.DataFrame.from_dict(described, orient="index", columns=["type", "label", "missing"])
    types, missing = nodes["type"].astype("str"), nodes["missing"].astype("bool")
    degree = pd.Series(dict(graph.degree()), dtype="int64")
    relations = pd.Series([key for _, _, key in graph.edges(keys=True)], dtype="str")
    sizes = [len(part) for part in nx.weakly_connected_components(graph)]
    parts = [
        _rows("nodes", types.value_counts()),
        _rows("missing", types[missing].value_counts()),
        _rows("isolated", types[degree == 0].value_counts()),
        _rows("edges", relations.value_counts()),
        _rows("components", pd.Series({"count": len(sizes), "largest": max(sizes, default=0)})),
        _rows("hub", degree.nlargest(hubs)),
    ]
    summary = pd.concat(parts, ignore_index=True)
    shown = summary["name"].map(nodes["label"].to_dict()).where(summary["measure"] == "hub")
    summary.insert(2, "label", shown.astype("str"))
    return summary


def _rows(measure: str, counts: pd.Series[int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "measure": pd.Series([measure] * len(counts), dtype="str"),
            "name": pd.Series([str(name) for name in counts.index], dtype="str"),
            "value": pd.Series(counts.to_numpy(), dtype="int64"),
        }
    )


def _graph(roster: Roster, nodes: NDArray[np.int64], rows: NDArray[np.int64]) -> nx.MultiDiGraph[str]:
    index = roster.index
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(source=roster.source)
    names = np.empty(index.size, dtype=object)
    names[nodes] = index.name(nodes)
    relations, roles = _shared(roster.links["relation"]), _shared(roster.links["role"])
    with _without_collection():
        described = zip(index.type_of(nodes), index.labels(nodes), index.missing(nodes).tolist(), strict=True)
        graph.add_nodes_from(
            (name, {"type": kind, "label": label, "missing": missing})
            for name, (kind, label, missing) in zip(names[nodes], described, strict=True)
        )
        for start in range(0, len(rows), _AT_A_TIME):
            part = rows[start : start + _AT_A_TIME]
            ends = names[index.source[part]], names[index.target[part]]
            for source, target, relation, role in zip(*ends, relations(part), roles(part), strict=True):
                # One by one: add_edges_from makes a view of the graph for each edge, which takes half as long again.
                graph.add_edge(source, target, relation, relation=relation, role=role)
    return graph


def _shared(column: pd.Series) -> Callable[[NDArray[np.int64]], NDArray[np.object_]]:
    """The values of a category column at some rows; equal texts are one object."""
    texts = np.array([*column.cat.categories, None], dtype=object)
    codes = cast("pd.Categorical", column.array).codes  # column.cat.codes would be a copy
    return lambda rows: texts[codes[rows]]


@contextmanager
def _without_collection() -> Iterator[None]:
    """Switch off garbage collection while many objects are made and all are kept: it would find nothing."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _known(
    what: str, given: Iterable[str] | None, allowed: tuple[str, ...], other_names: dict[str, str] | None = None
) -> list[str]:
    names = [(other_names or {}).get(name, name) for name in (given or ())]
    unknown = [name for name in names if name not in allowed]
    if unknown:
        raise ValueError(f"Unknown {what} {unknown[0]!r}. Choose one of: {', '.join(allowed)}.")
    return names
