"""Pictures of a report, of the task queue, and of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter

from kimono_explore.compare import Comparison
from kimono_explore.display import plural
from kimono_explore.errors import expect
from kimono_explore.palette import CHANGE_COLORS, INK, LINE, MISSING, QUIET, SEVERITY_COLORS, TASK_COLORS
from kimono_explore.plots.fonts import set_words
from kimono_explore.plots.paper import follows_paper
from kimono_explore.plots.style import (
    ROW,
    SMALL,
    TEXT,
    Name,
    axes_or_new,
    bars,
    count_axis,
    days,
    district,
    empty_panel,
    heading,
    headline,
    heat,
    join_parts,
    legend,
    name_rows,
    new_figure,
    short,
    time_axis,
)
from kimono_explore.quality import Report

if TYPE_CHECKING:
    from datetime import datetime

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_MOST_CHECKS, _MOST_ORGS, _MOST_COLUMNS, _MOST_SYNCS, _BINS = 20, 15, 14, 12, 60


@follows_paper
def plot_quality(report: Report, *, dark: bool | None = None) -> Figure:
    """Draw what the checks found: failed checks by severity, and where they failed.

    Parameters
    ----------
    report : Report
        A report on a roster or a task queue.
    dark : bool, optional
        Draw on a dark or a white background. Default: follow matplotlib's style, such as
        ``plt.style.use("dark_background")``.

    Returns
    -------
    matplotlib.figure.Figure
        The 20 checks with the most findings, most severe first. If findings belong to orgs, the 15 orgs with the most
        findings are shown below, by check.

    Examples
    --------
    >>> figure = kx.plot_quality(kx.check(roster, params={"term_too_long": {"days": 250}}))
    >>> figure.axes[0].get_title(loc="left")
    'Findings by check'
    """
    expect("plot_quality", report, Report)
    failed = report.summary[report.summary["status"] == "failed"]
    rank = failed["severity"].map({name: n for n, name in enumerate(SEVERITY_COLORS)})
    failed = failed.assign(rank=rank).sort_values(["rank", "failed"], ascending=[True, False], kind="stable")
    shown = failed.loc[failed.sort_values("failed", ascending=False, kind="stable").index[:_MOST_CHECKS]]
    shown = shown.sort_values(["rank", "failed"], ascending=[True, False], kind="stable")
    orgs = _by_org(report)
    heights = [max(4, len(shown)) * ROW + 1.3, (max(3, min(len(orgs), _MOST_ORGS)) * ROW + 2.9) if len(orgs) else 0]
    figure = new_figure(10, sum(heights) + 0.5, dark=dark)
    roster = report.roster
    source = (
        district(roster)
        if roster is not None and district(roster)
        else ("" if "://" in report.source else report.source)
    )
    headline(figure, join_parts("Quality", short(source, 50), f"as of {report.as_of}"))
    axes = figure.subplots(2 if len(orgs) else 1, 1, height_ratios=heights if len(orgs) else [1], squeeze=False)[:, 0]
    _draw_checks(axes[0], report, shown, len(failed))
    if len(orgs):
        listed_orgs = orgs.iloc[:_MOST_ORGS]
        by_check = listed_orgs.sum().sort_values(ascending=False, kind="stable")
        listed_orgs = listed_orgs[by_check[by_check > 0].index[:_MOST_COLUMNS]]
        listed_orgs = listed_orgs[listed_orgs.sum(axis=1) > 0]
        note = join_parts(
            plural(len(orgs) - len(listed_orgs), "more org") if len(orgs) > len(listed_orgs) else "",
            plural(int((by_check > 0).sum()) - listed_orgs.shape[1], "more check")
            if (by_check > 0).sum() > listed_orgs.shape[1]
            else "",
        )
        heading(axes[1], "Findings by org and check", note)
        names = [
            Name(short(str(org), 30))
            if isinstance(org, str)
            else Name(f"{short(str(id), 12)} (not delivered)", missing=True)
            for id, org in listed_orgs.index
        ]
        titles = [Name(short(report.title(str(id)), 34)) for id in listed_orgs.columns]
        heat(axes[1], listed_orgs.to_numpy(dtype=np.int64), names, titles, "findings")
    return figure


def _by_org(report: Report) -> pd.DataFrame:
    """Findings by org and check, without those that belong to no org."""
    counts = report.by_org()
    return counts[counts.index.get_level_values("org_id").notna()].drop(columns="total")


def _draw_checks(ax: Axes, report: Report, shown: pd.DataFrame, failed: int) -> None:
    status = report.summary["status"].value_counts()
    note = join_parts(
        *[
            f"{status[name]:,} {name}"
            for name in ("failed", "passed", "not applicable", "could not run")
            if name in status
        ]
    )
    more = f"the {len(shown)} with most findings are shown" if failed > len(shown) else ""
    heading(
        ax,
        "Findings by check",
        join_parts(f"{plural(len(report.summary), 'check')}: {note}" if note else "no checks", more),
    )
    if shown.empty:
        empty_panel(ax, "nothing failed" if "passed" in status else "nothing that a check could look at")
        return
    colors = [SEVERITY_COLORS[severity] for severity in shown["severity"]]
    words = [f"{n:,} ({percent:.2g} %)" if percent < 10 else f"{n:,} ({percent:.0f} %)"
             for n, percent in zip(shown["failed"], shown["percent"], strict=True)]  # fmt: skip
    bars(ax, [Name(short(title, 52)) for title in shown["title"]], shown["failed"], colors, "findings", words)
    ax.set_xlabel("findings (share of what was checked)", color=QUIET, fontsize=TEXT)
    legend(ax, {name: color for name, color in SEVERITY_COLORS.items() if (shown["severity"] == name).any()})


@follows_paper
def plot_tasks(tasks: pd.DataFrame, *, dark: bool | None = None) -> Figure:
    """Draw the task queue over time: tasks by type, and the syncs they belong to.

    Parameters
    ----------
    tasks : pandas.DataFrame
        The tasks, as returned by `load_tasks`.
    dark : bool, optional
        Draw on a dark or a white background. Default: follow matplotlib's style, such as
        ``plt.style.use("dark_background")``.

    Returns
    -------
    matplotlib.figure.Figure
        Bars of tasks by creation time. Below them, the newest 12 syncs, if any, as spans from start to end, in red if
        the end is not in the queue.

    Examples
    --------
    >>> figure = kx.plot_tasks(kx.load_tasks(client))
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['Tasks by type', 'Syncs']
    """
    expect("plot_tasks", tasks, pd.DataFrame)
    dated = tasks[tasks["created_at"].notna()]
    syncs = _syncs(dated)
    heights = [3.6, max(1.4, len(syncs) * ROW + 1.0)]
    figure = new_figure(10, sum(heights) + 0.6 if len(syncs) else 4.4, dark=dark)
    axes = figure.subplots(
        2 if len(syncs) else 1, 1, height_ratios=heights if len(syncs) else [1], sharex=True, squeeze=False
    )[:, 0]
    tenants = tasks["tenant_id"].nunique()
    headline(
        figure,
        join_parts(
            "Task queue", plural(len(tasks), "task"), plural(tenants, "tenant") if tenants > 1 else "", _period(dated)
        ),
    )
    undated = f"{plural(len(tasks) - len(dated), 'task')} without a time left out" if len(dated) < len(tasks) else ""
    heading(axes[0], "Tasks by type", undated)
    if dated.empty:
        empty_panel(axes[0], "no tasks" if tasks.empty else "no task says when it was made")
        return figure
    _draw_task_counts(axes[0], dated)
    if len(syncs):
        _draw_syncs(axes[1], syncs, int((dated["type"] == "sync_event").sum()))
    time_axis(axes[-1], "created (UTC)")
    return figure


def _period(dated: pd.DataFrame) -> str:
    if dated.empty:
        return ""
    first, last = dated["created_at"].min(), dated["created_at"].max()
    return f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _draw_task_counts(ax: Axes, dated: pd.DataFrame) -> None:
    times = days(dated["created_at"])
    low, high = float(times.min()), float(times.max())
    margin = max((high - low) * 0.02, 1 / 1440)
    edges = np.linspace(low - margin, high + margin, _BINS + 1)
    kinds = dated["type"].where(dated["type"].isin(list(TASK_COLORS)), "unknown")
    counts = kinds.value_counts()
    base = np.zeros(_BINS, dtype=np.int64)
    for kind in [name for name in TASK_COLORS if name in counts]:
        heights, _ = np.histogram(times[(kinds == kind).to_numpy()], edges)
        ax.bar(edges[:-1], heights, np.diff(edges), bottom=base, align="edge", color=TASK_COLORS[kind], linewidth=0)
        base += heights
    ax.set_ylim(0, max(1.0, float(base.max())) * 1.08)
    ax.set_xlim(edges[0], edges[-1])
    count_axis(ax, "y", "tasks")
    ax.tick_params(axis="x", labelbottom=False)
    shown = {
        f"{name.replace('_', ' ')} ({counts[name]:,})": color for name, color in TASK_COLORS.items() if name in counts
    }
    legend(ax, shown)


def _syncs(dated: pd.DataFrame) -> pd.DataFrame:
    """The syncs: tenant and group, tasks, start, end (NaT where none is in the queue), first, last, origin; newest last."""
    events = dated[(dated["type"] == "sync_event") & dated["group_id"].notna()]
    if events.empty:
        return pd.DataFrame()
    keys = ["tenant_id", "group_id"]
    action = events["action"].fillna("").str.upper()
    starts = events[action.str.endswith("START")].groupby(keys, dropna=False)["created_at"].min()
    ends = events[action.str.endswith("END")].groupby(keys, dropna=False)["created_at"].max()
    origin = events.groupby(keys, dropna=False)["origin"].first()
    grouped = dated[dated["group_id"].isin(events["group_id"])].groupby(keys, dropna=False)["created_at"]
    spans = grouped.agg(["min", "max", "size"])
    found = pd.DataFrame({"start": starts, "end": ends, "origin": origin}).join(
        spans.rename(columns={"min": "first", "max": "last", "size": "tasks"})
    )
    return found.sort_values("first").tail(_MOST_SYNCS)


def _draw_syncs(ax: Axes, syncs: pd.DataFrame, events: int) -> None:
    heading(ax, "Syncs", f"{plural(events, 'sync event')} in the queue; the end of the red ones is not")
    low, high = ax.get_xlim()
    labels = [Name(short(origin, 16) if isinstance(origin, str) else "sync") for origin in syncs["origin"]]
    name_rows(ax, labels)
    began, ended = days(syncs["start"].fillna(syncs["first"])), days(syncs["end"].fillna(syncs["last"]))
    for row, (first, last, sync) in enumerate(zip(began, ended, syncs.to_dict("records"), strict=True)):
        no_end, no_start = pd.isna(sync["end"]), pd.isna(sync["start"])
        # Even a span of seconds stays visible.
        width = max(last - first, (high - low) * 0.004)
        ax.barh(
            row, width, left=first, height=0.55, color=MISSING if no_end else TASK_COLORS["sync_event"], linewidth=0
        )
        words = join_parts(
            plural(int(sync["tasks"]), "task"), "no end" if no_end else "", "no start" if no_start else ""
        )
        label_left = first + width / 2 > (low + high) / 2
        ax.annotate(
            words, (first if label_left else first + width, row), (-5 if label_left else 5, 0), textcoords="offset points",
            va="center", ha="right" if label_left else "left", fontsize=SMALL, color=MISSING if no_end else INK,
        )  # fmt: skip


@follows_paper
def plot_comparison(diff: Comparison, ax: Axes | None = None, *, dark: bool | None = None) -> Axes:
    """Draw what was added, removed and changed, by table.

    Parameters
    ----------
    diff : Comparison
        A comparison from `compare`.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure.
    dark : bool, optional
        Draw on a dark or a white background. Default: follow matplotlib's style, such as
        ``plt.style.use("dark_background")``.

    Returns
    -------
    matplotlib.axes.Axes
        Removed rows to the left, added and changed rows to the right, with tables and links on one scale. If nothing
        differs, the numbers of identical rows.

    Examples
    --------
    >>> later = kx.Roster(**roster.tables, links=roster.links)
    >>> later.terms = roster.terms.iloc[1:]
    >>> kx.plot_comparison(kx.compare(roster, later)).get_title(loc="left")
    '0 added, 1 removed, 0 changed'
    """
    expect("plot_comparison", diff, Comparison)
    summary = diff.summary
    ax = axes_or_new(ax, len(summary) * 1.4, dark=dark)
    totals = summary[["added", "removed", "changed"]].sum()
    names = f"{district(diff.new)} · " if district(diff.new) else ""
    heading(
        ax,
        ", ".join(f"{int(count):,} {name}" for name, count in totals.items()) if totals.any() else "No difference",
        f"{names}{_time(diff.old.loaded_at)} to {_time(diff.new.loaded_at)}",
    )
    labels = [Name(str(name).replace("_", " ")) for name in summary["table"]]
    if totals.any():
        _draw_differences(ax, summary, labels)
    elif summary["unchanged"].any():
        bars(ax, labels, summary["unchanged"], CHANGE_COLORS["unchanged"], "rows, the same in both")
    else:
        empty_panel(ax, "no difference in any table")
    return ax


def _draw_differences(ax: Axes, summary: pd.DataFrame, labels: list[Name]) -> None:
    """Bars for each table, to the left what was removed, to the right what was added and what changed."""
    rows = np.arange(len(summary))
    removed, added, changed = (summary[name].to_numpy(dtype=np.int64) for name in ("removed", "added", "changed"))
    ax.barh(rows, -removed, height=0.6, color=CHANGE_COLORS["removed"])
    ax.barh(rows, added, height=0.6, color=CHANGE_COLORS["added"])
    ax.barh(rows, changed, left=added, height=0.6, color=CHANGE_COLORS["changed"])
    for row, (n_added, n_removed, n_changed) in enumerate(zip(added, removed, changed, strict=True)):
        _label_difference(ax, row, int(n_added), int(n_removed), int(n_changed))
    name_rows(ax, labels)
    low, high = float(removed.max(initial=0)), float((added + changed).max(initial=0))
    # Leave room for labels on both sides of the bars.
    margin = 0.34 * max(low + high, 1.0)
    ax.set_xlim(-low - margin * (0.45 if low else 0.02), high + margin)
    ax.axvline(0, color=LINE, linewidth=1)
    count_axis(ax, "x", "rows: removed to the left, added and changed to the right")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):,.0f}"))
    drawn = {"removed": removed, "added": added, "changed": changed}
    legend(ax, {name: CHANGE_COLORS[name] for name, values in drawn.items() if values.any()})


def _label_difference(ax: Axes, row: int, added: int, removed: int, changed: int) -> None:
    """Write the numbers of a table at both ends of its bars."""
    if not added and not removed and not changed:
        right = "no difference"
    else:
        right = join_parts(f"+{added:,}" if added else "", f"{changed:,} changed" if changed else "")
    for words, x, side in ((f"\u2212{removed:,}" if removed else "", -removed, -1), (right, added + changed, 1)):
        text = ax.annotate(
            "", (x, row), (5 * side, 0), textcoords="offset points", va="center", fontsize=TEXT,
            ha="left" if side > 0 else "right", color=INK if removed or added or changed else QUIET,
        )  # fmt: skip
        set_words(text, words)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
