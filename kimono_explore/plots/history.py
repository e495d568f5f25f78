"""A roster over many days: its row counts, what changed, and what checks found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Patch

from kimono_explore.display import plural
from kimono_explore.errors import expect
from kimono_explore.history import History
from kimono_explore.palette import CHANGE_COLORS, LINE, QUIET, SEVERITY_COLORS, TYPE_COLORS
from kimono_explore.plots.paper import follows_paper
from kimono_explore.plots.style import (
    TEXT,
    count_axis,
    days,
    district,
    empty_panel,
    heading,
    headline,
    join_parts,
    key,
    new_figure,
    time_axis,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINE_COLORS = {"persons": TYPE_COLORS["student"], "sections": TYPE_COLORS["section"], "links": QUIET}
_PANEL_HEIGHTS = {"persons": 1.3, "sections": 1.3, "links": 1.3, "changes": 2.3, "findings": 1.9}
_CHANGES = ("added", "changed", "removed")


@follows_paper
def plot_history(history: History, *, dark: bool | None = None) -> Figure:
    """Draw a roster over many days: its row counts, what changed from day to day, and what checks found.

    Parameters
    ----------
    history : History
        A history opened by `kx.history`.
    dark : bool, optional
        Draw on a dark or a white background. Default: follow matplotlib's style, such as
        ``plt.style.use("dark_background")``.

    Returns
    -------
    matplotlib.figure.Figure
        Persons, sections and links as lines, each on its own scale. Below them, the rows added and changed (upward) and
        removed (downward) in all tables, then the findings, if reports were kept. Days without a roster are hatched.

    Examples
    --------
    >>> days = kx.history(tmp_path / "days")
    >>> days.add(roster, "2026-10-05")
    >>> days.add(roster, "2026-10-08")
    >>> [axes.get_title(loc="left") for axes in kx.plot_history(days).axes]
    ['Persons', 'Sections', 'Links', 'Changes by day']
    """
    expect("plot_history", history, History)
    table = history.table()
    panels = [*_LINE_COLORS, "changes", *(["findings"] if table["error"].notna().any() else [])]
    heights = [_PANEL_HEIGHTS[panel] for panel in panels]
    figure = new_figure(10, sum(heights) + 1.6 if len(table) else 3, dark=dark)
    headline(figure, join_parts("History", _district_name(history), plural(len(table), "day")))
    if table.empty:
        ax = figure.add_subplot()
        heading(ax, "No day is kept, so far")
        empty_panel(ax, "history.add(roster) keeps one")
        return figure
    figure.set_layout_engine("constrained", h_pad=0.1)
    axes = figure.subplots(len(panels), 1, height_ratios=heights, sharex=True, squeeze=False)[:, 0]
    x = days(table["day"])
    for ax, panel in zip(axes, panels, strict=True):
        if panel in _LINE_COLORS:
            _draw_counts(ax, x, table[panel], _LINE_COLORS[panel])
        elif panel == "changes":
            _draw_changes(ax, x, table)
        else:
            _draw_findings(ax, x, table)
        _hatch_gaps(ax, x)
        ax.tick_params(axis="x", labelbottom=False)
    axes[-1].tick_params(axis="x", labelbottom=True)
    time_axis(axes[-1])
    margin = 0.01 * (x[-1] + 1 - x[0])
    axes[-1].set_xlim(x[0] - margin, x[-1] + 1 + margin)
    return figure


def _district_name(history: History) -> str:
    kept = history.days
    return district(history.open(kept[-1])) if kept else ""


def _draw_counts(ax: Axes, x: np.ndarray, counts: pd.Series, color: str) -> None:
    """A line that is level for each day and interrupted at days without a roster."""
    values = counts.to_numpy(dtype=np.int64)
    for run in np.split(np.arange(len(x)), np.flatnonzero(np.diff(x) > 1) + 1):
        across, up = np.append(x[run], x[run[-1]] + 1), np.append(values[run], values[run[-1]])
        ax.plot(across, up, color=color, linewidth=2, drawstyle="steps-post", solid_capstyle="butt")
    first, last = int(values[0]), int(values[-1])
    since = f"{last - first:+,} since the first day" if last != first else "as on the first day"
    heading(ax, str(counts.name).title(), f"{last:,} on the last day, {since}", TEXT + 2)
    low, high = float(values.min()), float(values.max())
    ax.set_ylim(low - max(1.0, 0.15 * (high - low)), high + max(1.0, 0.15 * (high - low)))
    count_axis(ax, "y", "")


def _draw_changes(ax: Axes, x: np.ndarray, table: pd.DataFrame) -> None:
    """Bars of a day: added and changed upwards, removed downwards."""
    sums = {
        kind: table[[name for name in table if str(name).endswith(f"_{kind}")]].sum(axis=1).to_numpy(dtype=np.int64)
        for kind in _CHANGES
    }
    bottom = {"added": np.zeros(len(x), np.int64), "changed": sums["added"], "removed": -sums["removed"]}
    for kind, heights in sums.items():
        ax.bar(x, heights, 0.9, bottom=bottom[kind], align="edge", color=CHANGE_COLORS[kind], linewidth=0, label=kind)
    ax.axhline(0, color=LINE, linewidth=1)
    totals = ", ".join(f"{int(sums[kind].sum()):,} {kind}" for kind in ("added", "removed", "changed"))
    heading(ax, "Changes by day", f"rows of all tables and links: {totals}", TEXT + 2)
    count_axis(ax, "y", "")
    if not any(heights.any() for heights in sums.values()):
        ax.set_ylim(-1, 1)  # else the axis counts fractions of rows
    ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
    handles = [Patch(facecolor=CHANGE_COLORS[kind], label=kind) for kind in _CHANGES if sums[kind].any()]
    gap = Patch(facecolor="none", edgecolor=QUIET, hatch="////", linewidth=0, label="no roster")
    key(ax, [*handles, gap] if (np.diff(x) > 1).any() else handles, below=0.1)  # only the last panel has dates below it


def _draw_findings(ax: Axes, x: np.ndarray, table: pd.DataFrame) -> None:
    """Bars of the findings of a day, by severity; the score in words."""
    base = np.zeros(len(x), dtype=np.int64)
    for severity, color in SEVERITY_COLORS.items():
        heights = table[severity].fillna(0).to_numpy(dtype=np.int64)
        ax.bar(x, heights, 0.9, bottom=base, align="edge", color=color, linewidth=0, label=severity)
        base += heights
    scores = table["score"].dropna()
    heading(ax, "Findings by day", f"score of the last report: {scores.iloc[-1]}" if len(scores) else "", TEXT + 2)
    count_axis(ax, "y", "")
    ax.set_ylim(0, max(1.0, float(base.max())) * 1.08)
    key(
        ax,
        [Patch(facecolor=color, label=name) for name, color in SEVERITY_COLORS.items() if table[name].sum()],
        below=0.3,
    )


def _hatch_gaps(ax: Axes, x: np.ndarray) -> None:
    for n in np.flatnonzero(np.diff(x) > 1):
        ax.axvspan(x[n] + 1, x[n + 1], facecolor="none", edgecolor=LINE, hatch="////", linewidth=0, zorder=0)
