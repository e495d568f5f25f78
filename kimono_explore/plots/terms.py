"""Terms over time: what contains what, where they overlap, and where there are gaps."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from kimono_explore.display import plural
from kimono_explore.errors import expect
from kimono_explore.palette import INK, LINE, MISSING, QUIET, TYPE_COLORS
from kimono_explore.plots.measures import codes_of, names, pairs
from kimono_explore.plots.paper import follows_paper
from kimono_explore.plots.style import (
    SMALL,
    Name,
    axes_or_new,
    days,
    district,
    empty_panel,
    heading,
    join_parts,
    key,
    name_rows,
    short,
    time_axis,
    titled,
)
from kimono_explore.roster.roster import Roster

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_MOST_ROWS, _LETTERS = 40, 30
_WINDOW, _NEARBY = 6 * 366, 200  # days
_WEEKEND = 3


class _Term(NamedTuple):
    code: int
    depth: int
    parent: int
    kind: str
    start: float
    end: float
    sections: int


@follows_paper
def plot_terms(roster: Roster, today: date | None = None, ax: Axes | None = None, *, dark: bool | None = None) -> Axes:
    """Draw terms as bars over time, each below its parent, with the number of sections.

    Parameters
    ----------
    roster : Roster
        If there are more than 40 terms, those with the most sections are shown.
    today : datetime.date, optional
        The day marked by the dashed line. Default: today, in UTC.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure.
    dark : bool, optional
        Draw on a dark or a white background. Default: follow matplotlib's style, such as
        ``plt.style.use("dark_background")``.

    Returns
    -------
    matplotlib.axes.Axes
        Among terms of the same type and parent, overlapping days are red, and gaps longer than a weekend are hatched.
        Terms of different schools with the same dates do not count as overlapping.

    Examples
    --------
    >>> axes = kx.plot_terms(roster)
    >>> [label.get_text().split()[-1] for label in axes.get_yticklabels()][:3]
    ['2026-2027', '1', '1']
    """
    expect("plot_terms", roster, Roster)
    terms = _terms(roster)
    shown = _largest(terms)
    ax = axes_or_new(ax, len(shown) + 1, dark=dark)
    left_out = (
        f"{plural(len(terms) - len(shown), 'term')} with fewer sections left out" if len(shown) < len(terms) else ""
    )
    heading(ax, titled("Terms and their sections", roster), join_parts(district(roster), left_out))
    if not shown:
        empty_panel(ax, "no terms")
        return ax
    low, high = _window(shown)
    kinds = {term.kind: None for term in shown if not np.isnan(term.start)}
    shades = dict(zip(kinds, np.linspace(1, 0.35, len(kinds)), strict=True))
    labels = _labels(roster, shown)
    name_rows(ax, [name._replace(depth=term.depth) for name, term in zip(labels, shown, strict=True)])
    for row, term in enumerate(shown):
        _draw_term(ax, row, term, shades.get(term.kind, 1.0), low, high)
    marks = _draw_overlaps_and_gaps(ax, shown, low, high)
    day = float(pd.Timestamp(today or datetime.now(UTC).date()).timestamp()) / 86400
    handles: list[Patch | Line2D] = [
        Patch(facecolor=TYPE_COLORS["term"], alpha=alpha, label=kind.replace("_", " ") or "term")
        for kind, alpha in shades.items()
    ]
    handles += marks
    if low <= day <= high:
        ax.axvline(day, color=INK, linewidth=1, linestyle="--", zorder=4)
        handles.append(Line2D([], [], color=INK, linewidth=1, linestyle="--", label="today"))
    ax.set_xlim(low, high + (high - low) * 0.14)
    time_axis(ax)
    ax.grid(axis="x", color=LINE, linewidth=0.5)
    ax.set_axisbelow(True)
    key(ax, handles)
    return ax


def _terms(roster: Roster) -> list[_Term]:
    """The terms as a tree: each followed by those below it, in the order of their dates."""
    codes = codes_of(roster, "term")
    table = roster.terms[roster.terms["id"].notna()].drop_duplicates("id")
    held = pairs(roster, "in_term")
    sections = np.bincount(held.target, minlength=max(1, roster.index.size))
    links = pairs(roster, "child_of")
    of_terms = roster.index.type_of(links.source) == "term"
    parent = dict(zip(links.source[of_terms].tolist(), links.target[of_terms].tolist(), strict=True))
    starts, ends = (days(table[column]).tolist() for column in ("start_date", "end_date"))
    kinds = table["term_type"].fillna("").tolist()
    dates = {int(code): (kind, start, end) for code, kind, start, end in zip(codes, kinds, starts, ends, strict=True)}
    children: defaultdict[int, list[int]] = defaultdict(list)
    for code in dates:
        children[parent.get(code, -1) if parent.get(code, -1) in dates else -1].append(code)
    found: dict[int, _Term] = {}

    def walk(code: int, depth: int) -> None:
        if code in found or depth > 9:
            return
        kind, start, end = dates[code]
        found[code] = _Term(code, depth, parent.get(code, -1), kind, start, end, int(sections[code]))
        for child in sorted(children[code], key=in_time):
            walk(child, depth + 1)

    def in_time(code: int) -> tuple[float, float]:
        _, start, end = dates[code]
        first = end if np.isnan(start) else start
        return (np.inf if np.isnan(first) else first, -end)

    for code in sorted(children[-1], key=in_time):
        walk(code, 0)
    for code in dates:  # terms in a ring of parents
        walk(code, 0)
    return list(found.values())


def _largest(terms: list[_Term]) -> list[_Term]:
    """The terms with the most sections, in the order of the tree."""
    kept = {term.code for term in sorted(terms, key=lambda term: (-term.sections, term.depth))[:_MOST_ROWS]}
    return [term for term in terms if term.code in kept]


def _labels(roster: Roster, terms: list[_Term]) -> list[Name]:
    """The name of each term; where several share one, with their school, else their dates, else a number."""
    codes = [term.code for term in terms]
    labels = names(roster, codes)
    plain_labels = [str(label) for label in roster.index.labels(codes)]
    schools = _schools(roster)
    rows_by_label: defaultdict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(plain_labels):
        if not labels[row].missing:
            rows_by_label[short(label, _LETTERS)].append(row)
    for label, rows in rows_by_label.items():
        if len(rows) < 2:
            continue
        by_school = [schools.get(terms[row].code, "") for row in rows]
        by_date = [_span(terms[row]) for row in rows]
        by_both = [join_parts(*parts) for parts in zip(by_school, by_date, strict=True)]
        by_school = [school or day for school, day in zip(by_school, by_date, strict=True)]
        # Use what distinguishes most of them, and number those still alike.
        distinct = max((by_school, by_date, by_both), key=lambda words: len(set(words)))
        repeats = Counter(distinct)
        seen: Counter[str] = Counter()
        for row, words in zip(rows, distinct, strict=True):
            seen[words] += 1
            number = str(seen[words]) if repeats[words] > 1 or not words else ""
            labels[row] = Name(f"{short(label, 20)} ({join_parts(words, number)})")
    return labels


def _schools(roster: Roster) -> dict[int, str]:
    """The name of the one org that holds all sections of a term, by the term's code."""
    held, inside = pairs(roster, "held_at"), pairs(roster, "in_term")
    both = pd.DataFrame({"section": inside.source, "term": inside.target}).merge(
        pd.DataFrame({"section": held.source, "org": held.target}), on="section"
    )
    orgs = both.groupby("term")["org"].agg(["nunique", "first"])
    orgs = orgs[orgs["nunique"] == 1]
    labels = roster.index.labels(orgs["first"].to_numpy(dtype=np.int64))
    return {int(term): short(str(label), 24) for term, label in zip(orgs.index, labels, strict=True)}


def _span(term: _Term) -> str:
    known = [day for day in (term.start, term.end) if not np.isnan(day)]
    return " to ".join(dict.fromkeys(f"{pd.Timestamp(day, unit='D'):%b %Y}" for day in known))


def _window(terms: list[_Term]) -> tuple[float, float]:
    """The days to show: those of terms with sections, and of terms close to them, but no date far from the others."""
    ends = np.array([[t.start, t.end] for t in terms], dtype=float)
    if np.isnan(ends).all():
        today = datetime.now(UTC).timestamp() // 86400
        return today - 180, today + 180
    # If one end is unknown, use the other.
    spans = np.where(np.isnan(ends), ends[:, ::-1], ends)
    in_use = spans[[term.sections > 0 for term in terms]]
    in_use = in_use[~np.isnan(in_use).any(axis=1)]
    shown = in_use if len(in_use) else spans[~np.isnan(spans).any(axis=1)]
    middle = float(np.median(shown))
    shown = shown[np.abs(shown - middle).max(axis=1) < _WINDOW] if len(shown) > 1 else shown
    low, high = (float(shown.min()), float(shown.max())) if len(shown) else (middle - 180, middle + 180)
    nearby = spans[(spans[:, 0] > low - _NEARBY) & (spans[:, 1] < high + _NEARBY)]
    if len(nearby):
        low, high = min(low, float(nearby.min())), max(high, float(nearby.max()))
    margin = max(5.0, (high - low) * 0.02)
    return low - margin, high + margin


def _draw_term(ax: Axes, row: int, term: _Term, shade: float, low: float, high: float) -> None:
    end, start = term.end + 1, term.start  # a term ends when its last day ends
    words, color, x = (plural(term.sections, "section") if term.sections else ""), INK, end
    if np.isnan(start) or np.isnan(term.end):
        words, color = join_parts("no dates" if np.isnan(start) and np.isnan(term.end) else
                             "no start date" if np.isnan(start) else "no end date", words), MISSING  # fmt: skip
        x = low if np.isnan(start) and np.isnan(term.end) else end if np.isnan(start) else start
    elif end <= start:
        words, color, x = join_parts("ends before it starts", words), MISSING, start
        ax.barh(row, start - end, left=end, height=0.5, facecolor="none", edgecolor=MISSING, zorder=2)
    elif end < low or start > high:
        span = " to ".join(dict.fromkeys(f"{pd.Timestamp(day, unit='D'):%Y}" for day in (start, term.end)))
        words, color, x = join_parts(f"{'← ' * (end < low)}{span}{' →' * (start > high)}", words), QUIET, low
    else:
        ax.barh(row, end - start, left=start, height=0.6, color=TYPE_COLORS["term"], alpha=shade, zorder=2, linewidth=0)
    x = min(max(x, low), high)
    ax.annotate(
        words, (x, row), (4, 0), textcoords="offset points", va="center", fontsize=SMALL, color=color, zorder=5,
        bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
    )  # fmt: skip


def _draw_overlaps_and_gaps(ax: Axes, terms: list[_Term], low: float, high: float) -> list[Patch]:
    """Draw overlaps and gaps among terms of one type and parent; return the legend entries."""
    siblings: defaultdict[tuple[int, str], list[tuple[int, _Term]]] = defaultdict(list)
    for row, term in enumerate(terms):
        if low <= term.start <= term.end <= high:  # False for NaN
            siblings[term.parent, term.kind].append((row, term))
    overlap = gap = False
    for group in siblings.values():
        ordered = sorted(group, key=lambda pair: (pair[1].start, pair[1].end))
        latest = -np.inf
        last = None
        for row, term in ordered:
            if (term.start, term.end) == last:
                continue
            last = (term.start, term.end)
            if term.start <= latest:
                overlap = True
                end = min(latest, term.end) + 1
                ax.barh(row, end - term.start, left=term.start, height=0.6, color=MISSING, zorder=3)
            elif latest > -np.inf and term.start - latest - 1 > _WEEKEND and term.start - latest < 200:
                gap = True
                ax.barh(
                    row, term.start - latest - 1, left=latest + 1, height=0.6, facecolor="none", edgecolor=QUIET,
                    hatch="////", linewidth=0, zorder=2,
                )  # fmt: skip
            latest = max(latest, term.end)
    found = [Patch(facecolor=MISSING, label="overlap")] if overlap else []
    return found + ([Patch(facecolor="none", edgecolor=QUIET, hatch="////", linewidth=0, label="gap")] if gap else [])
