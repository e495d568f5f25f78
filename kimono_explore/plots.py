"""Pictures of a roster: the whole at a glance, and the neighborhood of one object.

A function that returns Axes leaves its figure open in pyplot, as pandas and seaborn do: a notebook shows it when the
cell ends. One that returns a Figure closes it there, so that a notebook shows the returned figure, and only that.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib import font_manager
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from kimono_explore.graph import node_kinds
from kimono_explore.palette import INK, LINE, MISSING, QUIET, TYPE_COLORS
from kimono_explore.tables import RELATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    import networkx as nx
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    from kimono_explore.roster import Roster

_MOST_SCHOOLS = 15
_MOST_NODES = 150


def plot_overview(roster: Roster) -> Figure:
    """The roster at a glance: objects by type, students by school, section sizes, links by relation.

    Parameters
    ----------
    roster : Roster

    Returns
    -------
    matplotlib.figure.Figure
        Four panels. Links whose other end was not delivered are drawn in red.

    Examples
    --------
    >>> [axes.get_title(loc="left") for axes in kx.plot_overview(roster).axes]
    ['Objects by type', 'Students by school', 'Students per section', 'Links by relation']
    """
    figure = plt.figure(figsize=(12, 8), layout="constrained")
    plt.close(figure)
    (types, schools), (sizes, links) = figure.subplots(2, 2)
    year = f" · school year {roster.school_year}" if roster.school_year else ""
    _title(figure.suptitle("", x=0.01, ha="left", fontsize=14, weight="bold", color=INK), f"{roster.source}{year}")
    counts = _counts_by_type(roster)
    _bars(types, "Objects by type", counts, [_color(name) for name in counts.index], "objects")
    by_school = _students_by_school(roster)
    _bars(schools, "Students by school", by_school, [TYPE_COLORS["student"]] * len(by_school), "students")
    _section_sizes(sizes, roster)
    _links_by_relation(links, roster)
    return figure


def plot_neighborhood(graph: nx.MultiDiGraph[str], ax: Axes | None = None) -> Axes:
    """A neighborhood, layered by type: orgs, courses, sections, staff and students, terms.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        As `neighborhood` makes it. Beyond 150 nodes, the people around one section or org are drawn as one group.
    ax : matplotlib.axes.Axes, optional
        Where to draw; default: a new figure, tall enough for its labels.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> axes = kx.plot_neighborhood(kx.neighborhood(roster, roster.sections["id"][0]))
    >>> sorted(text.get_text() for text in axes.get_legend().get_texts())[:2]
    ['course', 'grading category']
    """
    marks, edges = _marks(graph)
    columns = _columns(marks)
    rows = max((len(column) for column in columns), default=1)
    if ax is None:
        size = (max(7.0, 2.6 * len(columns)), max(3.2, 0.27 * rows + 1.3))
        ax = plt.subplots(figsize=size, layout="constrained")[1]
    place = _place(columns, edges, graph.graph.get("focus"))
    segments = [(place[a], place[b]) for a, b in edges if a in place and b in place]
    ax.add_collection(LineCollection(segments, colors=LINE, linewidths=0.7, zorder=1))
    for name, (x, y) in place.items():
        _draw_mark(ax, marks[name], x, y, focus=name == graph.graph.get("focus"))
    _legend(ax, marks.values())
    focus = marks.get(graph.graph.get("focus", ""))
    left_out = graph.graph.get("left_out", 0)
    note = f" · {left_out:,} more are left out" if left_out else ""
    title = f"Around {focus.label}{note}" if focus else f"{len(graph):,} objects{note}"
    _title(ax.set_title("", loc="left", fontsize=12, weight="bold", color=INK), _short(title, 90))
    ax.set_xlim(-0.15, max(len(columns) - 1, 0) + 0.95)
    ax.set_ylim(-rows - 0.2, 1)
    ax.set_axis_off()
    return ax


def _counts_by_type(roster: Roster) -> pd.Series[int]:
    kinds = roster.persons["person_type"].str.lower()
    counts = {
        "orgs": len(roster.orgs),
        "courses": len(roster.courses),
        "sections": len(roster.sections),
        "students": int((kinds == "student").sum()),
        "teachers": int((kinds == "teacher").sum()),
        "staff": int((kinds == "staff").sum()),
        "other persons": int((~kinds.isin(["student", "teacher", "staff"])).sum()),
        "terms": len(roster.terms),
        "grading categories": len(roster.grading_categories),
    }
    return pd.Series({name: count for name, count in counts.items() if count}, dtype="int64")


def _color(name: str) -> str:
    return TYPE_COLORS.get(name, TYPE_COLORS.get(name.removesuffix("s"), QUIET))


def _students_by_school(roster: Roster) -> pd.Series[int]:
    links = roster.links
    members = links[(links["relation"] == "member_of") & (links["role"] == "student")]
    counts = members.drop_duplicates(["source_id", "target_id"])["target_id"].value_counts()
    names = roster.orgs.drop_duplicates("id").set_index("id")["name"]
    counts.index = pd.Index([names.get(id) if isinstance(names.get(id), str) else id for id in counts.index])
    if len(counts) > _MOST_SCHOOLS:
        rest = counts.iloc[_MOST_SCHOOLS - 1 :]
        other = pd.Series({f"other ({len(rest):,} schools)": int(rest.sum())})
        counts = pd.concat([counts.iloc[: _MOST_SCHOOLS - 1], other])
    return counts


def _section_sizes(ax: Axes, roster: Roster) -> None:
    links = roster.links
    enrolled = links[links["relation"] == "student_in"].drop_duplicates(["source_id", "target_id"])
    sizes = roster.sections["id"].dropna().map(enrolled["target_id"].value_counts()).fillna(0).astype(int)
    _heading(ax, "Students per section")
    if not len(sizes):
        _nothing(ax)
        return
    top = int(sizes.max()) + 1
    step = max(1, math.ceil(top / 40))
    ax.hist(
        sizes,
        bins=np.arange(0, top + step, step).tolist(),
        color=TYPE_COLORS["section"],
        edgecolor="white",
        linewidth=0.5,
    )
    median = float(sizes.median())
    ax.axvline(median + step / 2, color=INK, linewidth=1, linestyle="--")
    ax.annotate(
        f"median {median:g}",
        (median + step / 2, 1),
        (4, -4),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        va="top",
        fontsize=9,
        color=INK,
    )
    ax.set_xlabel("students", color=QUIET)
    ax.set_ylabel("sections", color=QUIET)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))


def _links_by_relation(ax: Axes, roster: Roster) -> None:
    index = roster.index
    relation = roster.links["relation"].astype("str").to_numpy(dtype=object)
    known = (index.source >= 0) & (index.target >= 0)
    broken = ~known
    broken[known] = index.missing(index.source[known]) | index.missing(index.target[known])
    names = [name for name in RELATIONS if (relation == name).any()]
    whole = pd.Series({name: int(((relation == name) & ~broken).sum()) for name in names}, dtype="int64")
    missing = pd.Series({name: int(((relation == name) & broken).sum()) for name in names}, dtype="int64")
    _bars(ax, "Links by relation", whole + missing, [QUIET] * len(names), "links")
    if int(missing.sum()):
        ax.barh(range(len(names)), missing, color=MISSING, height=0.7, label="an end is missing")
        ax.legend(frameon=False, loc="lower right", fontsize=9)


def _bars(ax: Axes, title: str, counts: pd.Series[int], colors: list[str], unit: str) -> None:
    _heading(ax, title)
    if not len(counts):
        _nothing(ax)
        return
    bars = ax.barh(range(len(counts)), counts, color=colors, height=0.7)
    ax.bar_label(bars, [f"{value:,}" for value in counts], padding=3, fontsize=9, color=INK)
    ax.set_yticks(range(len(counts)), [_printable(_short(str(name), 30)) for name in counts.index], fontsize=9)
    for label in ax.get_yticklabels():
        label.set_parse_math(False)
    ax.invert_yaxis()
    ax.set_xlim(0, float(counts.max()) * 1.18 or 1)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    ax.set_xlabel(unit, color=QUIET)


def _heading(ax: Axes, title: str) -> None:
    ax.set_title(title, loc="left", fontsize=11, weight="bold", color=INK)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(colors=QUIET, labelcolor=INK, labelsize=9)


def _nothing(ax: Axes) -> None:
    ax.set_axis_off()
    ax.text(0.5, 0.5, "nothing to show", ha="center", va="center", color=QUIET, transform=ax.transAxes)


class _Mark(NamedTuple):
    """What is drawn for a node, or for a group of people."""

    name: str
    kind: str
    label: str
    missing: bool


_LAYERS = ("org", "course", "section", "teacher", "student", "person", "term", "grading_category")


def _marks(graph: nx.MultiDiGraph[str]) -> tuple[dict[str, _Mark], set[tuple[str, str]]]:
    """The marks by name and the lines between them; many people become a group for each way they are linked."""
    kinds = node_kinds(graph)
    marks = {
        name: _Mark(name, kinds[name], str(data["label"]), bool(data["missing"]))
        for name, data in graph.nodes(data=True)
    }
    edges = {(source, target) for source, target in graph.edges()}
    if len(marks) <= _MOST_NODES:
        return marks, edges
    focus = graph.graph.get("focus")
    around: defaultdict[str, set[str]] = defaultdict(set)
    for source, target in edges:
        around[source].add(target)
        around[target].add(source)
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    # What there is most of is grouped first, until what is left can be read.
    by_kind: defaultdict[str, list[str]] = defaultdict(list)
    for name, mark in marks.items():
        if name != focus and not mark.missing:
            by_kind[mark.kind].append(name)
    left = len(marks)
    for kind in sorted(by_kind, key=lambda kind: -len(by_kind[kind])):
        if left <= _MOST_NODES:
            break
        for name in by_kind[kind]:
            anchors = sorted(other for other in around[name] if marks[other].kind != kind)
            anchor = focus if focus in anchors else anchors[0] if anchors else ""
            groups[kind, str(anchor)].append(name)
        left -= len(by_kind[kind])
    into = {}
    for (kind, anchor), names in groups.items():
        group = f"{kind} group at {anchor}"
        marks[group] = _Mark(
            group, kind, f"{len(names):,} {kind.replace('_', ' ')}{'s' if len(names) != 1 else ''}", missing=False
        )
        into.update(dict.fromkeys(names, group))
    for name in into:
        del marks[name]
    return marks, {(into.get(a, a), into.get(b, b)) for a, b in edges}


def _columns(marks: dict[str, _Mark]) -> list[list[_Mark]]:
    """The layers from left to right; a long one takes several columns."""
    most = max(12, math.ceil(math.sqrt(6 * len(marks))))
    columns = []
    for kind in _LAYERS:
        layer = sorted((m for m in marks.values() if m.kind == kind), key=lambda m: (m.missing, m.label, m.name))
        count = math.ceil(len(layer) / most)
        size = math.ceil(len(layer) / count) if count else 0
        columns += [layer[n : n + size] for n in range(0, len(layer), size)] if size else []
    return columns


def _place(
    columns: list[list[_Mark]], edges: Iterable[tuple[str, str]], focus: str | None
) -> dict[str, tuple[float, float]]:
    """Where each mark is; a layer is ordered by where its neighbors to the left are, which cuts crossings."""
    around: defaultdict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        around[source].append(target)
        around[target].append(source)
    rows = max((len(column) for column in columns), default=1)
    place: dict[str, tuple[float, float]] = {}
    for x, column in enumerate(columns):

        def height(mark: _Mark) -> float:
            known = [place[other][1] for other in around[mark.name] if other in place]
            return -sum(known) / len(known) if known else 0.0

        ordered = sorted(column, key=height) if len({m.kind for m in column}) == 1 and len(column) < 60 else column
        if focus is not None and len(ordered) > 1:
            ordered = [m for m in ordered if m.name != focus]
            middle = [m for m in column if m.name == focus]
            ordered[len(ordered) // 2 : len(ordered) // 2] = middle
        gap = rows / len(ordered) if ordered else 0
        for n, mark in enumerate(ordered):
            place[mark.name] = (float(x), -(n + 0.5) * gap)
    return place


def _draw_mark(ax: Axes, mark: _Mark, x: float, y: float, *, focus: bool) -> None:
    color = MISSING if mark.missing else TYPE_COLORS[mark.kind]
    face = "white" if mark.missing else color
    size = 110 if focus else 45
    ax.scatter(
        [x], [y], s=size, facecolor=face, edgecolor=INK if focus else color, linewidth=2 if focus else 1.2, zorder=3
    )
    label = f"{_short(mark.label, 24)}{' (missing)' if mark.missing else ''}"
    text = ax.annotate(
        "", (x, y), (8 if focus else 6, 0), textcoords="offset points", va="center", fontsize=8.5, zorder=4,
        weight="bold" if focus else "normal", color=MISSING if mark.missing else INK,
        bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
    )  # fmt: skip
    _title(text, label)


def _legend(ax: Axes, marks: Iterable[_Mark]) -> None:
    shown = {mark.kind for mark in marks if not mark.missing}
    handles = [
        Line2D([], [], marker="o", linestyle="", color=TYPE_COLORS[kind], label=kind.replace("_", " "))
        for kind in _LAYERS
        if kind in shown
    ]
    if any(mark.missing for mark in marks):
        handles.append(
            Line2D([], [], marker="o", linestyle="", markerfacecolor="white", color=MISSING, label="missing")
        )
    if handles:
        ax.legend(
            handles=handles,
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            ncols=len(handles),
            frameon=False,
            fontsize=9,
        )


def _title(text: Text, words: str) -> None:
    """Set a text that is data: a dollar sign is no formula, and a letter no font has is shown as a box."""
    text.set_parse_math(False)
    text.set_text(_printable(words))


def _short(text: str, most: int) -> str:
    clean = " ".join(text.split())
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"


def _printable(text: str) -> str:
    """The text with letters that no installed font has as boxes: matplotlib would warn of each of them."""
    known = _glyphs()
    return "".join(c if ord(c) in known else "\u25a1" for c in text)


def _glyphs() -> set[int]:
    if not _GLYPHS:
        font = font_manager.get_font(font_manager.findfont("DejaVu Sans"))
        _GLYPHS.update(font.get_charmap())
    return _GLYPHS


_GLYPHS: set[int] = set()
