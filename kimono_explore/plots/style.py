"""One look for every picture: title, note, bars, heat map, legend, and the words that name a roster.

A function that returns Axes leaves its figure open in pyplot, as pandas and seaborn do: a notebook shows it when the
cell ends. One that returns a Figure closes it there, so that a notebook shows the returned figure, and only that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from kimono_explore.display import plural
from kimono_explore.palette import INK, LINE, MISSING, QUIET
from kimono_explore.plots.fonts import inches, printable, set_words
from kimono_explore.plots.paper import HEAT_MAP, set_paper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from numpy.typing import ArrayLike, NDArray

    from kimono_explore.roster.lazy import LazyRoster
    from kimono_explore.roster.roster import Roster

WIDTH = 9.0
"""Of a figure, in inches: it fits a page and a slide."""
ROW = 0.27
"""The height of one line of a chart, in inches."""
TITLE, TEXT, SMALL = 13, 9, 8
"""The sizes of type, in points."""


class Name(NamedTuple):
    """The name of a bar, a row or a column; ``missing`` if it was not delivered, ``depth`` in a tree.

    ``others``: how many others it stands for. They get a number and not a bar, which would dwarf the rest.
    """

    text: str
    missing: bool = False
    depth: int = 0
    others: int = 0


def other_row(count: int, noun: str) -> list[Name]:
    """The name of the row for all that are not shown; empty if all are."""
    return [Name(f"other ({plural(count, noun)})", others=count)] if count else []


def axes_or_new(ax: Axes | None, rows: float = 12, width: float = WIDTH, *, dark: bool | None = None) -> Axes:
    """The axes given, or those of a new figure that is tall enough for that number of lines."""
    if ax is None:
        ax = plt.figure(figsize=(width, max(2.6, ROW * rows + 1.5)), layout="constrained").add_subplot()
    figure = ax.get_figure(root=True)
    assert figure is not None
    set_paper(figure, dark=dark)
    return ax


def new_figure(width: float, height: float, *, dark: bool | None = None) -> Figure:
    """A new figure that a notebook shows once, because pyplot does not hold it."""
    # Through pyplot, and closed: a notebook learns to show figures when pyplot makes the first one.
    figure = plt.figure(figsize=(width, height), layout="constrained")
    plt.close(figure)
    set_paper(figure, dark=dark)
    return figure


def headline(figure: Figure, title: str) -> None:
    """The title of a figure of several panels."""
    set_words(figure.suptitle("", x=0.01, ha="left", fontsize=TITLE + 2, weight="bold", color=INK), title)


def heading(ax: Axes, title: str, note: str = "", size: int = TITLE) -> Axes:
    """A title that says what is shown, and under it, quietly, what else to know; the same axes."""
    text = ax.set_title("", loc="left", fontsize=size, weight="bold", color=INK, pad=22 if note else 8)
    set_words(text, short(title, 80))
    if note:
        below = ax.annotate(
            "", (0, 1), (0, 6), xycoords="axes fraction", textcoords="offset points", fontsize=TEXT, color=QUIET
        )
        set_words(below, short(note, 120))
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(LINE)
    ax.tick_params(colors=QUIET, labelcolor=INK, labelsize=TEXT, length=3)
    ax.xaxis.label.set_color(QUIET)
    ax.yaxis.label.set_color(QUIET)
    return ax


def empty_panel(ax: Axes, why: str = "nothing to show") -> None:
    """An empty panel that says why."""
    ax.set_axis_off()
    text = ax.text(0.5, 0.5, "", ha="center", va="center", color=QUIET, transform=ax.transAxes, fontsize=TEXT + 2)
    set_words(text, why)


def bars(
    ax: Axes,
    names: Sequence[Name],
    values: ArrayLike,
    colors: Sequence[str] | str,
    unit: str,
    labels: Sequence[str] | None = None,
) -> BarContainer:
    """Horizontal bars, the first on top, each with its number."""
    numbers = np.asarray(values)
    words = list(labels) if labels is not None else [f"{value:,}" for value in numbers]
    summed = np.array([name.others > 0 for name in names], dtype=bool)
    for n, name in enumerate(names):
        if name.others:
            words[n] = f"{numbers[n]:,} in all, {numbers[n] / name.others:,.0f} each"
    numbers = np.where(summed, 0, numbers)
    drawn = ax.barh(range(len(numbers)), numbers, color=colors, height=0.7)
    for text, shown in zip(ax.bar_label(drawn, words, padding=3, fontsize=TEXT, color=INK), words, strict=True):
        set_words(text, shown)
    name_rows(ax, names)
    most = float(numbers.max()) if len(numbers) else 0
    longest = max((len(text) for text in words), default=1)
    # Leave room for the number beside the longest bar.
    ax.set_xlim(0, max(most, 1) * (1.04 + 0.02 * max(5, longest)))
    count_axis(ax, "x", unit)
    return drawn


def name_rows(ax: Axes, names: Sequence[Name], size: float = TEXT) -> None:
    """The names of rows, the first on top."""
    _name_ticks(ax.yaxis, names, size, 0)
    ax.set_ylim(max(len(names), 4) - 0.4, -0.6)  # a single bar should not fill the figure


def name_columns(ax: Axes, names: Sequence[Name], size: float = TEXT, *, upright: bool = False) -> None:
    """The names of columns, rotated unless ``upright``."""
    _name_ticks(ax.xaxis, names, size, 0 if upright else 90)


def _name_ticks(axis: Axis, names: Sequence[Name], size: float, rotation: float) -> None:
    axis.set_tick_params(length=0)
    axis.set_ticks(range(len(names)))
    words = []
    for tick, name in zip(axis.get_major_ticks(len(names)), names, strict=True):
        tick.label1.set(fontsize=size, color=MISSING if name.missing else INK, rotation=rotation)
        set_words(tick.label1, name.text)
        words.append("\u2003" * name.depth + "\u2514 " * (name.depth > 0) + tick.label1.get_text())
    # Each label keeps its font; its words come from here whenever the axis is drawn.
    axis.set_ticklabels(words)
    if any(name.depth for name in names):  # a tree is read from its left
        axis.set_tick_params(pad=72 * max(inches(text, size) for text in words) + 6)
        for label in axis.get_ticklabels():
            label.set_horizontalalignment("left")


def count_axis(ax: Axes, side: str, unit: str) -> None:
    """An axis of whole numbers with thousands separators and a unit."""
    axis = ax.xaxis if side == "x" else ax.yaxis
    axis.set_major_locator(MaxNLocator(5, integer=True))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.set_label_text(unit, color=QUIET, fontsize=TEXT)


def time_axis(ax: Axes, unit: str = "") -> None:
    """An axis of days since 1970, with dates as short as they can be."""
    locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    ax.xaxis_date()
    ax.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]
    formatter.formats[2] = formatter.zero_formats[3] = "%d %b"  # nothing else says which month a day is in
    ax.xaxis.set_major_formatter(formatter)
    ax.set_xlabel(unit, color=QUIET, fontsize=TEXT)


def days(times: pd.Series) -> NDArray[np.float64]:
    """Times as days since 1970; NaN for missing ones."""
    plain = times.dt.tz_convert(None) if times.dt.tz is not None else times
    return np.asarray(((plain - pd.Timestamp(0)) / pd.Timedelta(days=1)).to_numpy(dtype=float, na_value=np.nan))


def heat(ax: Axes, cells: NDArray[np.int64], rows: Sequence[Name], columns: Sequence[Name], unit: str) -> None:
    """A heat map with its numbers, where they fit, and a scale."""
    shaded = np.where(np.array([[name.others > 0] for name in rows], dtype=bool).reshape(-1, 1), 0, cells)
    most = float(shaded.max(initial=0)) or 1.0
    image = ax.imshow(
        np.ma.masked_equal(shaded, 0), cmap=HEAT_MAP, vmin=0, vmax=most, aspect="auto", interpolation="nearest"
    )
    name_rows(ax, rows, TEXT if len(rows) <= 40 else SMALL)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    upright = max((len(name.text) for name in columns), default=0) * len(columns) < 64
    name_columns(ax, columns, TEXT if len(columns) <= 40 else SMALL, upright=upright)
    if len(columns) <= 20:
        for (y, x), value in np.ndenumerate(cells):
            if value:
                color = "white" if shaded[y, x] > 0.55 * most else QUIET if not shaded[y, x] else INK
                ax.text(x, y, f"{value:,}", ha="center", va="center", fontsize=SMALL, color=color)
    else:
        figure = ax.get_figure(root=True)
        assert figure is not None
        scale = figure.colorbar(image, ax=ax, shrink=0.6, pad=0.02)
        scale.outline.set_visible(False)
        scale.set_label(unit, color=QUIET, fontsize=TEXT)
        scale.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        scale.ax.tick_params(labelsize=SMALL, colors=QUIET, length=0)
    ax.spines[:].set_visible(False)
    ax.set_xticks(np.arange(len(columns) + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=1)
    ax.tick_params(which="minor", length=0)


def legend(ax: Axes, colors: Mapping[str, str]) -> None:
    """A legend of colors, below the axes."""
    key(ax, [Patch(facecolor=color, label=printable(name)) for name, color in colors.items()])


def key(ax: Axes, handles: Sequence[Patch | Line2D], below: float = 0.45) -> None:
    """A legend ``below`` that many inches under the axes, to clear the text there."""
    if handles:
        ax.legend(
            handles=list(handles), loc="upper left", bbox_to_anchor=(0, -below / _height(ax)), ncols=min(len(handles), 5),
            frameon=False, fontsize=TEXT, labelcolor=INK, borderaxespad=0, handlelength=1.4,
        )  # fmt: skip


def _height(ax: Axes) -> float:
    """The approximate height of the axes, in inches."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return max(0.5, float(ax.get_position().height * figure.get_figheight()) - 0.5)


def short(text: str, most: int) -> str:
    """The text, cut to a number of characters."""
    clean = " ".join(text.split())
    return clean if len(clean) <= most else f"{clean[: most - 1].rstrip()}…"


def year(roster: Roster) -> str:
    """The school year as people say it: the API's ``2027`` is 2026-27."""
    said = roster.school_year
    if said is None:
        return ""
    return f"{int(said) - 1}-{said[2:]}" if len(said) == 4 and said.isascii() and said.isdigit() else short(said, 12)


def titled(what: str, roster: Roster) -> str:
    """A title with the school year it is about."""
    return f"{what}, {year(roster)}" if year(roster) else what


def district(roster: Roster | LazyRoster) -> str:
    """The name of the district if one was delivered; else where the roster is from, if that is not an address."""
    kinds = roster.orgs["org_type"].str.lower()
    names = roster.orgs.loc[kinds.isin(["lea", "district"]), "name"].dropna().unique()
    if len(names) == 1:
        return short(str(names[0]), 50)
    if len(names) > 1:
        return plural(len(names), "district")
    source = roster.source
    return "" if "://" in source or source == "made in Python" else short(source, 50)


def join_parts(*words: str) -> str:
    """The non-empty parts, separated by dots."""
    return " · ".join(word for word in words if word)
