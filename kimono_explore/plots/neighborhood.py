"""The neighborhood of an object: layers by type, and one box around those that are linked alike.

Twenty-eight students of one section who go to one school have the same links. They share one box, with one line to the
section and one to the school: nothing is left out, and no line crosses a name.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import networkx as nx
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from kimono_explore.arranging import LAYER_OF, anchors, depths, link_sets, node_kinds
from kimono_explore.display import plural
from kimono_explore.errors import expect
from kimono_explore.palette import INK, LINE, MISSING, QUIET, RELATION_COLORS, TYPE_COLORS
from kimono_explore.plots.fonts import set_words
from kimono_explore.plots.layers import WIDEST, Layout, Mark, arrange, shown
from kimono_explore.plots.paper import follows_paper
from kimono_explore.plots.style import SMALL, TEXT, axes_or_new, empty_panel, heading, join_parts, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes

    Edge = tuple[str, str, str]

_MOST_NODES, _MOST_BOXES = 150, 45
_ROW, _LEAST_WIDTH = 0.25, 7.0  # inches
_TALLEST = 8.0  # inches: with title and legend it fits a slide


@follows_paper
def plot_neighborhood(graph: nx.MultiDiGraph[str], ax: Axes | None = None, *, dark: bool | None = None) -> Axes:
    """Draw a neighborhood in layers by type, from orgs and terms to teachers and students.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        A graph from `neighborhood`. Objects with the same links share a box. If there are more than 150 nodes, or more
        than fit on a slide, the nodes around one section or org are drawn as one group.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure, as large as its labels need.
    dark : bool, optional
        Draw on a dark or a white background. Default: follow matplotlib's style, such as
        ``plt.style.use("dark_background")``.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> axes = kx.plot_neighborhood(kx.neighborhood(roster, roster.sections["id"][0]))
    >>> sorted(text.get_text() for text in axes.get_legend().get_texts())[:2]
    ['course', 'graded for']
    """
    expect("plot_neighborhood", graph, nx.MultiDiGraph)
    marks, edges = _marks(graph)
    focus = graph.graph.get("focus")
    grouped: set[str] = set()
    while True:
        boxes, layers, lines = _boxes(marks, edges, focus)
        layout = arrange([boxes[name] for name in boxes], layers, lines, focus)
        kind = _most_common(marks, grouped, focus)
        if (layout.width <= WIDEST and layout.rows * _ROW <= _TALLEST) or kind is None:
            break
        grouped.add(kind)
        marks, edges = _group_kind(kind, marks, edges, focus)
    width = max(_LEAST_WIDTH, layout.width)
    if ax is None:
        ax = _fitting_axes(
            width, layout.rows * _ROW, len({m.kind for m in marks.values()}) + len({e[2] for e in edges})
        )
    ax = axes_or_new(ax, dark=dark)
    ax.set_xlim(0, width)
    ax.set_ylim(-layout.rows, 0)
    focus_mark = marks.get(focus or "")
    title = f"Around {short(focus_mark.label, 60)}" if focus_mark else f"{len(graph):,} objects"
    left_out = graph.graph.get("left_out", 0)
    heading(ax, join_parts(title, f"{left_out:,} more are left out" if left_out else ""))
    ax.set_axis_off()
    if not marks:
        empty_panel(ax)
        return ax
    for relation, points in layout.curves:
        _draw_line(ax, relation, points)
    for box in layout.places:
        _draw_box(ax, boxes[box], layout, focus)
    _legend(ax, marks.values(), {relation for relation, _ in layout.curves}, width)
    return ax


def _fitting_axes(width: float, height: float, entries: int) -> Axes:
    """Axes of exactly this size in inches, with room for a title and the legend."""
    below = 0.25 + 0.22 * (1 + entries // max(1, int(width / 1.3)))
    size = (width + 0.4, height + below + 0.5)
    figure = plt.figure(figsize=size)
    return figure.add_axes((0.2 / size[0], below / size[1], width / size[0], height / size[1]))


def _marks(graph: nx.MultiDiGraph[str]) -> tuple[dict[str, Mark], set[Edge]]:
    """The marks by name and the relations between them; beyond what can be read, many become a group."""
    kinds = node_kinds(graph)
    marks = {
        name: Mark(name, kinds[name], str(data["label"]), bool(data["missing"]))
        for name, data in graph.nodes(data=True)
    }
    edges = {(source, target, str(relation)) for source, target, relation in graph.edges(keys=True)}
    focus, grouped = graph.graph.get("focus"), set[str]()
    while len(marks) > _MOST_NODES or len(_boxes_of_equals(marks, edges, focus)) > _MOST_BOXES:
        # Group the most frequent kind first, until the picture is readable.
        kind = _most_common(marks, grouped, focus)
        if kind is None:
            break
        grouped.add(kind)
        marks, edges = _group_kind(kind, marks, edges, focus)
    return marks, edges


def _most_common(marks: dict[str, Mark], grouped: set[str], focus: str | None) -> str | None:
    """The most frequent kind among those that are not grouped yet."""
    counts = Counter(mark.kind for mark in marks.values() if mark.kind not in grouped and mark.name != focus)
    return counts.most_common(1)[0][0] if counts else None


def _group_kind(
    kind: str, marks: dict[str, Mark], edges: set[Edge], focus: str | None
) -> tuple[dict[str, Mark], set[Edge]]:
    """The same with all of a kind in groups: those linked with the focus, and those around the node with the most links."""
    kinds = {name: mark.kind for name, mark in marks.items()}
    members_of_kind = [name for name in marks if kinds[name] == kind and name != focus]
    groups: defaultdict[tuple[str, bool], list[str]] = defaultdict(list)
    for name, place in anchors(members_of_kind, link_sets(edges), kinds, focus).items():
        groups[place, marks[name].missing].append(name)
    group_of = {}
    kept = {name: mark for name, mark in marks.items() if mark.kind != kind or name == focus}
    for (place, missing), members in groups.items():
        group = members[0] if len(members) == 1 else f"{kind} group at {place}{' missing' * missing}"
        words = marks[group].label if len(members) == 1 else plural(len(members), kind.replace("_", " "))
        kept[group] = Mark(group, kind, words, missing)
        group_of.update(dict.fromkeys(members, group))
    merged = {(group_of.get(a, a), group_of.get(b, b), relation) for a, b, relation in edges}
    return kept, {edge for edge in merged if edge[0] != edge[1]}


def _boxes(
    marks: dict[str, Mark], edges: Iterable[Edge], focus: str | None
) -> tuple[dict[str, list[Mark]], list[list[str]], set[Edge]]:
    """Boxes of marks with the same links, the layers they are in, and the lines between boxes."""
    boxes = {members[0].name: members for members in _boxes_of_equals(marks, edges, focus)}
    box_of = {mark.name: box for box, members in boxes.items() for mark in members}
    lines = {(box_of[a], box_of[b], relation) for a, b, relation in edges if box_of[a] != box_of[b]}
    depth = depths(boxes, ((a, b) for a, b, relation in lines if relation == "child_of"))
    layers: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    for box, members in boxes.items():
        layers[LAYER_OF[members[0].kind], depth[box]].append(box)
    return boxes, [layers[place] for place in sorted(layers)], lines


def _boxes_of_equals(marks: dict[str, Mark], edges: Iterable[Edge], focus: str | None) -> list[list[Mark]]:
    """Group marks of one kind that have the same links, if there are at least three."""
    links = link_sets(edges)
    found: defaultdict[tuple[object, ...], list[Mark]] = defaultdict(list)
    for mark in sorted(marks.values(), key=lambda mark: (mark.label.casefold(), mark.name)):
        own = mark.name if mark.name == focus else ""
        found[mark.kind, mark.missing, own, frozenset(links[mark.name])].append(mark)
    return [part for group in found.values() for part in ([group] if len(group) > 2 else [[m] for m in group])]


def _draw_line(ax: Axes, relation: str, points: Sequence[tuple[float, float]]) -> None:
    color, style = RELATION_COLORS.get(relation, (QUIET, "-"))
    vertices, codes = [points[0]], [Path.MOVETO]
    for before, after in itertools.pairwise(points):
        middle = (before[0] + after[0]) / 2
        vertices += [(middle, before[1]), (middle, after[1]), after]
        codes += [Path.CURVE4] * 3
    ax.add_patch(
        PathPatch(Path(vertices, codes), facecolor="none", edgecolor=color, linestyle=style, linewidth=1.1, zorder=1)
    )


def _draw_box(ax: Axes, members: Sequence[Mark], layout: Layout, focus: str | None) -> None:
    place = layout.places[members[0].name]
    if len(members) > 1:
        frame = FancyBboxPatch(
            (place.left, place.bottom), place.width, place.height, boxstyle="round,pad=0,rounding_size=0.08",
            facecolor="white", edgecolor=LINE, linewidth=1, mutation_aspect=1 / _ROW, zorder=2,
        )  # fmt: skip
        ax.add_patch(frame)
        words = plural(len(members), members[0].kind.replace("_", " "))
        ax.text(
            place.left + 0.1,
            place.bottom + place.height - 0.55,
            words,
            fontsize=SMALL,
            color=QUIET,
            va="center",
            zorder=4,
        )
    for mark, (x, y) in zip(members, place.cells, strict=True):
        _draw_mark(ax, mark, x, y, focus=mark.name == focus)


def _draw_mark(ax: Axes, mark: Mark, x: float, y: float, *, focus: bool) -> None:
    color = MISSING if mark.missing else TYPE_COLORS[mark.kind]
    ax.scatter(
        [x], [y], s=95 if focus else 38, facecolor="white" if mark.missing else color,
        edgecolor=INK if focus else color, linewidth=2 if focus else 1.2, zorder=3,
    )  # fmt: skip
    text = ax.annotate(
        "", (x, y), (8 if focus else 6, 0), textcoords="offset points", va="center_baseline", fontsize=TEXT, zorder=4,
        weight="bold" if focus else "normal", color=MISSING if mark.missing else INK,
    )  # fmt: skip
    set_words(text, shown(mark))


def _legend(ax: Axes, marks: Iterable[Mark], relations: set[str], width: float) -> None:
    kinds = {mark.kind for mark in marks if not mark.missing}
    handles = [
        Line2D([], [], marker="o", linestyle="", color=TYPE_COLORS[kind], label=kind.replace("_", " "))
        for kind in TYPE_COLORS
        if kind in kinds
    ]
    if any(mark.missing for mark in marks):
        handles.append(
            Line2D([], [], marker="o", linestyle="", markerfacecolor="white", color=MISSING, label="missing")
        )
    for relation, (color, style) in RELATION_COLORS.items():
        if relation in relations:
            handles.append(Line2D([], [], linestyle=style, color=color, label=relation.replace("_", " ")))
    ax.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0, 0), ncols=max(1, int(width / 1.3)), frameon=False,
        fontsize=TEXT, labelcolor=INK, handlelength=1.6, handletextpad=0.5, columnspacing=1.2, borderaxespad=0.4,
    )  # fmt: skip
