"""The roster at a glance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kimono_explore.display import plural
from kimono_explore.errors import expect
from kimono_explore.palette import INK, MISSING, QUIET, TYPE_COLORS
from kimono_explore.plots.measures import names, section_sizes, students_by_org, top
from kimono_explore.plots.paper import follows_paper
from kimono_explore.plots.style import (
    TEXT,
    Name,
    bars,
    count_axis,
    district,
    empty_panel,
    heading,
    headline,
    join_parts,
    new_figure,
    other_row,
    year,
)
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import RELATIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_MOST_SCHOOLS = 15


@follows_paper
def plot_overview(roster: Roster, *, dark: bool | None = None) -> Figure:
    """Draw the roster at a glance: objects by type, students by school, section sizes, links by relation.

    Parameters
    ----------
    roster : Roster
    dark : bool, optional
        Draw on a dark or a white background. Default: follow matplotlib's style, such as
        ``plt.style.use("dark_background")``.

    Returns
    -------
    matplotlib.figure.Figure
        Four panels. Links with an undelivered end are red.

    Examples
    --------
    >>> [axes.get_title(loc="left") for axes in kx.plot_overview(roster).axes]
    ['Objects by type', 'Students by school', 'Students per section', 'Links by relation']
    """
    expect("plot_overview", roster, Roster)
    figure = new_figure(12, 8, dark=dark)
    (types, schools), (sizes, links) = figure.subplots(2, 2)
    counts = counts_by_type(roster)
    people = plural(counts.get("students", 0), "student") if len(counts) else "an empty roster"
    headline(figure, join_parts(district(roster) or "Roster", year(roster), people))
    _draw_types(types, counts)
    _draw_schools(schools, roster)
    draw_sizes(sizes, section_sizes(roster).to_numpy(), "Students per section", "students", "sections", "section", 11)
    _draw_relations(links, roster)
    return figure


def counts_by_type(roster: Roster) -> pd.Series[int]:
    """How many objects of each type there are, persons by what they are; types without any are left out."""
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


def draw_sizes(
    ax: Axes, sizes: np.ndarray, title: str, unit: str, things: str, kind: str, size: int, note: str = ""
) -> None:
    """How many things have how much, with the median."""
    heading(ax, title, note, size)
    if not len(sizes):
        empty_panel(ax)
        return
    highest = int(sizes.max()) + 1
    step = max(1, math.ceil(highest / 40))
    edges = np.arange(0, highest + step, step)
    heights, _ = np.histogram(sizes, bins=edges)
    ax.bar(edges[:-1], heights, step, align="edge", color=TYPE_COLORS[kind], edgecolor="white", linewidth=0.5)
    # The bar of a whole number is drawn to the right of it.
    median = float(np.median(sizes)) + step / 2 * (step == 1)
    ax.axvline(median, color=INK, linewidth=1, linestyle="--")
    right = median > 0.7 * edges[-1]
    ax.annotate(
        f"median {float(np.median(sizes)):,g}", (median, 1), (-4 if right else 4, 0), xycoords=("data", "axes fraction"),
        textcoords="offset points", va="top", ha="right" if right else "left", fontsize=TEXT, color=INK,
    )  # fmt: skip
    # Room for the words above the bars.
    ax.set_ylim(0, max(1.0, float(heights.max())) * 1.15)
    count_axis(ax, "x", unit)
    count_axis(ax, "y", things)


def _draw_types(ax: Axes, counts: pd.Series[int]) -> None:
    heading(ax, "Objects by type", size=11)
    if not len(counts):
        empty_panel(ax)
        return
    bars(ax, [Name(str(name)) for name in counts.index], counts, [_color(name) for name in counts.index], "objects")


def _color(name: str) -> str:
    kind = {"grading categories": "grading_category", "other persons": "grading_category"}.get(name)
    return TYPE_COLORS[kind or (name if name in TYPE_COLORS else name.removesuffix("s"))]


def _draw_schools(ax: Axes, roster: Roster) -> None:
    heading(ax, "Students by school", size=11)
    shown, rest = top(students_by_org(roster), _MOST_SCHOOLS)
    if not len(shown):
        empty_panel(ax)
        return
    labels, values = names(roster, shown.index.to_numpy()), shown.tolist()
    colors = [MISSING if name.missing else TYPE_COLORS["student"] for name in labels]
    labels += other_row(len(rest), "school")
    values += [int(rest.sum())] * (len(rest) > 0)
    bars(ax, labels, values, colors + [QUIET] * (len(rest) > 0), "students")


def _draw_relations(ax: Axes, roster: Roster) -> None:
    index = roster.index
    known = (index.source >= 0) & (index.target >= 0)
    broken = ~known
    broken[known] = index.missing(index.source[known]) | index.missing(index.target[known])
    relation = roster.links["relation"].astype(pd.CategoricalDtype(list(RELATIONS))).cat.codes.to_numpy()
    total = np.bincount(relation[relation >= 0], minlength=len(RELATIONS))
    missing = np.bincount(relation[broken & (relation >= 0)], minlength=len(RELATIONS))
    there = np.flatnonzero(total)
    heading(ax, "Links by relation", "in red: an end was not delivered" if missing.any() else "", size=11)
    if not len(there):
        empty_panel(ax)
        return
    labels = [Name(RELATIONS[n].replace("_", " ")) for n in there]
    words = [f"{total[n]:,}" + (f" ({missing[n]:,} broken)" if missing[n] else "") for n in there]
    bars(ax, labels, total[there], QUIET, "links", words)
    ax.barh(range(len(there)), missing[there], color=MISSING, height=0.7)
    # A few of thousands are too thin to see: the words are red, too.
    for text in ax.texts:
        if text.get_text().endswith(" broken)"):
            text.set_color(MISSING)
