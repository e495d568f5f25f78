"""The tree of orgs, and how many students each has."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from kimono_explore.display import in_grade_order, plural
from kimono_explore.errors import expect
from kimono_explore.palette import MISSING, QUIET, TYPE_COLORS
from kimono_explore.plots.measures import codes_of, grade_span, grades, names, pairs, students_by_org
from kimono_explore.plots.paper import follows_paper
from kimono_explore.plots.style import (
    axes_or_new,
    bars,
    district,
    empty_panel,
    heading,
    join_parts,
    other_row,
    titled,
)
from kimono_explore.roster.roster import Roster

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_MOST_ROWS = 36


class _Row(NamedTuple):
    """An org, or (with ``others``) that many orgs below one."""

    code: int
    depth: int
    own: int
    below: int
    others: int = 0


@follows_paper
def plot_org_tree(roster: Roster, ax: Axes | None = None, *, dark: bool | None = None) -> Axes:
    """Draw the org tree, with each org's students and their grades.

    Parameters
    ----------
    roster : Roster
        If there are more than 36 orgs, the largest are shown, and the others are summarized under their parent.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: a new figure.
    dark : bool, optional
        Draw on a dark or a white background. Default: follow matplotlib's style, such as
        ``plt.style.use("dark_background")``.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> axes = kx.plot_org_tree(roster)
    >>> axes.get_title(loc="left")
    'Orgs and their students, 2026-27'
    """
    expect("plot_org_tree", roster, Roster)
    rows = _rows(roster)
    ax = axes_or_new(ax, len(rows), dark=dark)
    kinds = roster.orgs["org_type"].str.lower().value_counts()
    note = join_parts(
        district(roster), ", ".join(_count_of(str(kind), int(count)) for kind, count in kinds.head(5).items())
    )
    heading(ax, titled("Orgs and their students", roster), note)
    if not rows:
        empty_panel(ax, "no orgs")
        return ax
    spans = _grade_spans(roster)
    labels = names(roster, [row.code for row in rows], 34)
    labels = [other_row(r.others, "org")[0]._replace(depth=r.depth) if r.others else n._replace(depth=r.depth)
              for r, n in zip(rows, labels, strict=True)]  # fmt: skip
    words = [
        join_parts(
            f"{row.own:,}" if row.own or not row.below else "",
            spans.get(row.code, "") if not row.others else "",
            f"{row.below:,} below" if row.below else "",
        )
        for row in rows
    ]
    colors = [
        MISSING if name.missing else QUIET if row.others else TYPE_COLORS["student"]
        for row, name in zip(rows, labels, strict=True)
    ]
    bars(ax, labels, np.array([row.own for row in rows], dtype=np.int64), colors, "students", words)
    return ax


def _count_of(kind: str, count: int) -> str:
    return plural(count, kind.upper() if kind == "lea" else kind.replace("_", " "))


def _rows(roster: Roster) -> list[_Row]:
    """The orgs as a tree, each followed by those below it, the largest first."""
    own = students_by_org(roster)
    links = pairs(roster, "child_of")
    of_orgs = roster.index.type_of(links.source) == "org"
    parent = dict(zip(links.source[of_orgs].tolist(), links.target[of_orgs].tolist(), strict=True))
    every = dict.fromkeys([*codes_of(roster, "org").tolist(), *parent.values(), *own.index.tolist()])
    tops = {code: _topmost(code, parent) for code in every}
    children: defaultdict[int, list[int]] = defaultdict(list)
    for code in every:
        if tops[code] != code:
            children[parent[code]].append(code)
    roots = [code for code in every if tops[code] == code]
    order: list[tuple[int, int]] = []  # each after its parent
    left = [(code, 0) for code in reversed(roots)]
    while left:
        code, depth = left.pop()
        order.append((code, depth))
        left += [(child, depth + 1) for child in children[code]]
    students = {code: int(own.get(code, 0)) for code in every}
    total = dict(students)
    for code, depth in reversed(order):
        if depth:
            total[parent[code]] += total[code]
    depths = dict(order)
    # An org has at least the students of those below it: a parent is kept before its children.
    ranked = sorted(every, key=lambda code: (-total[code], depths[code]))
    kept = set(ranked if len(ranked) <= _MOST_ROWS else ranked[: _MOST_ROWS - 4])
    rows: list[_Row] = []
    left = [(code, 0) for code in sorted(roots, key=lambda c: total[c]) if code in kept]
    while left:
        code, depth = left.pop()
        if depth < 0:  # what is summed up comes after the last child that is shown
            few = [child for child in children[code] if child not in kept]
            rows.append(_Row(code, -depth, sum(total[c] for c in few), 0, len(few)))
            continue
        rows.append(_Row(code, depth, students[code], total[code] - students[code]))
        shown = [child for child in children[code] if child in kept]
        if len(shown) < len(children[code]):
            left.append((code, -depth - 1))
        left += [(child, depth + 1) for child in sorted(shown, key=lambda c: total[c])]
    alone = [code for code in roots if code not in kept]
    if alone:
        rows.append(_Row(alone[0], 0, sum(total[c] for c in alone), 0, len(alone)))
    return rows


def _topmost(code: int, parent: dict[int, int]) -> int:
    """The topmost ancestor of an org; in a ring of parents, the one with the lowest number."""
    way = [code]
    while way[-1] in parent:
        above = parent[way[-1]]
        if above in way:
            return min(way[way.index(above) :])
        way.append(above)
    return way[-1]


def _grade_spans(roster: Roster) -> dict[int, str]:
    """The grades that each org's students are in, from the youngest to the oldest."""
    known = grades(roster).dropna()
    if known.empty:
        return {}
    members = pairs(roster, "member_of", "student")
    ordered = in_grade_order(known.unique().tolist())
    rank = pd.Series(pd.Categorical(known, categories=ordered).codes, index=known.index)
    table = pd.DataFrame({"org": members.target, "rank": rank.reindex(members.source).to_numpy()}).dropna()
    spans = table.groupby("org")["rank"].agg(["min", "max"]).astype(int)
    return {
        int(org): grade_span([ordered[low], ordered[high]])
        for org, low, high in zip(spans.index, spans["min"], spans["max"], strict=True)
    }
