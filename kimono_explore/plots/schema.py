"""The shape of a tenant's data: the tables, and the relations between them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, PathPatch
from matplotlib.path import Path

from kimono_explore.errors import expect
from kimono_explore.palette import INK, LINE, MISSING, QUIET, TYPE_COLORS
from kimono_explore.plots.fonts import set_words
from kimono_explore.plots.paper import follows_paper
from kimono_explore.plots.style import SMALL, TEXT, axes_or_new, district, heading, join_parts, titled
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import ENDS, TABLE_OF

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes


# The place of each table, in inches, so that no two arrows cross.
_PLACES: dict[str, tuple[float, float]] = {
    "org": (1.2, 3.1),
    "course": (4.0, 4.75),
    "section": (6.1, 3.1),
    "person": (4.0, 1.2),
    "term": (9.0, 1.75),
    "grading_category": (9.0, 4.75),
}
_WIDTH, _HEIGHT, _LANE = 1.9, 0.72, 5.75
_EXPECTED = {(source, relation, target) for relation, ends in ENDS.items() for source, target in ends}


class _Count(NamedTuple):
    source: str
    relation: str
    target: str
    links: int
    broken: int


@follows_paper
def plot_schema(roster: Roster, ax: Axes | None = None, *, dark: bool | None = None) -> Axes:
    """Draw the tables and the relations between them: how many rows were delivered, and how many links lead nowhere.

    Parameters
    ----------
    roster : Roster
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure.
    dark : bool, optional
        Draw on a dark or a white background. Default: follow matplotlib's style, such as
        ``plt.style.use("dark_background")``.

    Returns
    -------
    matplotlib.axes.Axes
        An arrow for each pair of linked tables; undelivered objects are shown in red.

    Examples
    --------
    >>> axes = kx.plot_schema(roster)
    >>> axes.get_title(loc="left")
    'Tables and their links, 2026-27'
    """
    expect("plot_schema", roster, Roster)
    ax = axes_or_new(ax, rows=17.5, width=10.4, dark=dark)
    counts = _counts(roster)
    note = join_parts(district(roster), "" if counts else "no links", "red: an end of the link was not delivered" * any(
        count.broken for count in counts))  # fmt: skip
    heading(ax, titled("Tables and their links", roster), note)
    ax.set_axis_off()
    ax.set_xlim(0, 10.2)
    ax.set_ylim(0, 6.1)
    boxes = {kind: _draw_box(ax, roster, kind) for kind in _PLACES}
    between: defaultdict[tuple[str, str], list[_Count]] = defaultdict(list)
    odd = []
    for count in counts:
        if (count.source, count.relation, count.target) in _EXPECTED:
            between[count.source, count.target].append(count)
        else:
            odd.append(count)
    for (source, target), few in between.items():
        x, y = _draw_arrow(ax, source, target, boxes)
        _draw_counts(ax, x, y, few)
    if odd:
        listed = "; ".join(f"{c.links:,} {c.relation}, {c.source} to {c.target}" for c in odd[:4])
        text = ax.text(0.1, 0.02, "", fontsize=TEXT, color=MISSING, va="bottom")
        set_words(text, f"Not links that the API has: {listed}{', …' * (len(odd) > 4)}".replace("_", " "))
    return ax


def _counts(roster: Roster) -> list[_Count]:
    index, links = roster.index, roster.links
    known = (index.source >= 0) & (index.target >= 0)
    broken = ~known
    broken[known] = index.missing(index.source[known]) | index.missing(index.target[known])
    kinds = links[["source_type", "relation", "target_type"]].assign(broken=broken)
    grouped = kinds.groupby(["source_type", "relation", "target_type"], observed=True)["broken"].agg(["size", "sum"])
    return [
        _Count(str(source), str(relation), str(target), int(row[0]), int(row[1]))
        for (source, relation, target), row in zip(grouped.index, grouped.to_numpy(), strict=True)
    ]


def _draw_box(ax: Axes, roster: Roster, kind: str) -> FancyBboxPatch:
    x, y = _PLACES[kind]
    rows, index = len(roster.table(kind)), roster.index
    box = FancyBboxPatch(
        (x - _WIDTH / 2, y - _HEIGHT / 2), _WIDTH, _HEIGHT, boxstyle="round,pad=0,rounding_size=0.1",
        facecolor="white", edgecolor=TYPE_COLORS[kind] if rows else LINE, linewidth=2.2, zorder=3,
    )  # fmt: skip
    ax.add_patch(box)
    every = np.arange(index.size)
    lost = int((pd.Series(index.type_of(every[index.missing(every)])) == kind).sum()) if index.size else 0
    name = TABLE_OF[kind].replace("_", " ")
    style: dict[str, Any] = {"ha": "center", "va": "center", "zorder": 4}
    ax.text(x, y + 0.13, name, fontsize=TEXT, color=INK if rows else QUIET, **style)
    ax.text(x, y - 0.14, f"{rows:,}", fontsize=TEXT + 2, weight="bold", color=INK if rows else QUIET, **style)
    if lost:
        ax.text(x, y - _HEIGHT / 2 - 0.14, f"{lost:,} not delivered", fontsize=SMALL, color=MISSING, **style)
    return box


def _draw_arrow(ax: Axes, source: str, target: str, boxes: Mapping[str, FancyBboxPatch]) -> tuple[float, float]:
    """Draw an arrow between two tables, and say where its words go."""
    (x, y), (to_x, to_y) = _PLACES[source], _PLACES[target]
    style: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 12, "color": QUIET, "linewidth": 1.1, "zorder": 1}
    if source == target:
        foot = y - _HEIGHT / 2
        loop = FancyArrowPatch(
            (x - 0.85, foot), (x - 0.5, foot), connectionstyle="arc3,rad=2.6", shrinkA=0, shrinkB=0, **style
        )
        ax.add_patch(loop)
        return x - 0.68, foot - 0.72
    if (source, target) == ("grading_category", "org"):
        top = y + _HEIGHT / 2
        way = Path([(x, top), (x, _LANE), (to_x, _LANE), (to_x, to_y + _HEIGHT / 2 + 0.12)])
        ax.add_patch(PathPatch(way, facecolor="none", edgecolor=QUIET, linewidth=1.1, zorder=1))
        end = to_y + _HEIGHT / 2
        ax.add_patch(FancyArrowPatch((to_x, end + 0.3), (to_x, end), shrinkA=0, shrinkB=0, **style))
        return (x + to_x) / 2, _LANE
    ax.add_patch(
        FancyArrowPatch((x, y), (to_x, to_y), patchA=boxes[source], patchB=boxes[target], shrinkA=0, shrinkB=2, **style)
    )
    return (x + to_x) / 2, (y + to_y) / 2


def _draw_counts(ax: Axes, x: float, y: float, counts: list[_Count]) -> None:
    """A line for each relation, with its links that lead nowhere in red."""
    lines = []
    for count in counts:
        lines.append((f"{count.links:,} {count.relation.replace('_', ' ')}", INK))
        if count.broken:
            lines.append((f"{count.broken:,} broken", MISSING))
    for n, (words, color) in enumerate(lines):
        height = y + (len(lines) - 1 - 2 * n) * 0.1
        ax.text(
            x, height, words, fontsize=SMALL + 0.5, color=color, ha="center", va="center", zorder=2.5,
            bbox={"boxstyle": "square,pad=0.12", "facecolor": "white", "edgecolor": "none"},
        )  # fmt: skip
