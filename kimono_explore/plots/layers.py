"""Boxes in layers, from left to right: a lane for each line that passes a layer, few crossings, and no overlaps.

The method is that of Sugiyama, Tagawa and Toda (1981): lines that pass a layer get a place in it as boxes do; a layer is
ordered by where its neighbors are; then each layer takes the places nearest to what it is linked with.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import isotonic_regression

from kimono_explore.display import plural
from kimono_explore.plots.fonts import inches, printable
from kimono_explore.plots.style import SMALL, TEXT, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Edge = tuple[str, str, str]

MOST_LETTERS = 34
WIDEST = 15.5  # inches: with title and legend it fits a slide
_GAP, _NARROW_GAP = 0.8, 0.45  # inches between layers: room for a curve, and what is left where many do not fit
_DOT = 0.22  # inches for the dot before a label
_TALLEST = 14  # rows in a box, before it takes another column
_SWEEPS = 8


class Mark(NamedTuple):
    """What is drawn for a node, or for a group of nodes."""

    name: str
    kind: str
    label: str
    missing: bool


class Place(NamedTuple):
    """Where a box is: x in inches, y in rows, and the dots of its members."""

    left: float
    bottom: float
    width: float
    height: float
    cells: list[tuple[float, float]]


class Layout(NamedTuple):
    """Where everything is."""

    width: float
    rows: float
    places: dict[str, Place]
    curves: list[tuple[str, list[tuple[float, float]]]]


class _Size(NamedTuple):
    columns: int
    rows: int
    cell: float
    width: float
    height: float


def arrange(
    boxes: Sequence[Sequence[Mark]], layers: Sequence[Sequence[str]], lines: Iterable[Edge], focus: str | None
) -> Layout:
    """Find a place for every box and a route for every line.

    Parameters
    ----------
    boxes : sequence of sequences of Mark
        A box is named by its first member.
    layers : sequence of sequences of str
        The names of the boxes, from left to right.
    lines : iterable of (str, str, str)
        Two boxes and their relation.
    focus : str or None
        The mark whose label is bold.
    """
    sizes = {box[0].name: _size(box, focus) for box in boxes}
    members = {box[0].name: len(box) for box in boxes}
    order = [list(layer) for layer in layers]
    level = {name: n for n, layer in enumerate(order) for name in layer}
    routes = _routes(sorted(lines), level, order)
    heights = {name: size.height for name, size in sizes.items()}
    centers = _centers(order, routes, heights)
    lefts, total = _columns(order, sizes)
    top = max((centers[n] + heights.get(n, 0.7) / 2 for layer in order for n in layer), default=0)
    low = min((centers[n] - heights.get(n, 0.7) / 2 for layer in order for n in layer), default=-8)
    widest = [max((sizes[n].width for n in layer if n in sizes), default=0.0) for layer in order]
    places = {}
    for name, size in sizes.items():
        n = level[name]
        y = centers[name] - top - 0.25
        places[name] = Place(
            lefts[n], y - size.height / 2, size.width, size.height, _cells(members[name], size, lefts[n], y)
        )
    curves = []
    for relation, route in routes:
        points: list[tuple[float, float]] = []
        if len(route) == 2 and level[route[0]] == level[route[1]]:
            x, ends = lefts[level[route[0]]], [centers[name] - top - 0.25 for name in route]
            curves.append((relation, [(x, ends[0]), (x - 0.4, sum(ends) / 2), (x, ends[1])]))
            continue
        for step, name in enumerate(route):
            n, y = _level(name, level), centers[name] - top - 0.25
            right = lefts[n] + (sizes[name].width if name in sizes else widest[n])
            if step:
                points.append((lefts[n] + (0.02 if name in sizes else 0), y))
            if step < len(route) - 1:
                # First past the widest box of the layer, then on along the route.
                points += [(right, y), (lefts[n] + widest[n], y)]
        curves.append((relation, points))
    return Layout(total, max(4.0, top - low + 0.5), places, curves)


def shown(mark: Mark, most: int = MOST_LETTERS) -> str:
    """The label of a mark."""
    return (
        f"{short(printable(mark.label), most - 10)} (missing)" if mark.missing else short(printable(mark.label), most)
    )


def _size(box: Sequence[Mark], focus: str | None) -> _Size:
    cell = max(inches(shown(mark), TEXT) for mark in box) + _DOT + 0.12
    if len(box) == 1:
        return _Size(1, 1, cell, cell * (1.15 if box[0].name == focus else 1.0), 1.0)  # bold letters are wider
    columns = math.ceil(len(box) / _TALLEST)
    rows = math.ceil(len(box) / columns)
    # The line above the names says how many there are.
    words = inches(plural(len(box), box[0].kind.replace("_", " ")), SMALL) + 0.25
    return _Size(columns, rows, cell, max(columns * cell + 0.1, words), rows + 1.5)


def _cells(count: int, size: _Size, left: float, y: float) -> list[tuple[float, float]]:
    """The dots of a box, down one column and then the next; below a line for the count, where there are several."""
    if count == 1:
        return [(left + 0.1, y)]
    first = y + size.height / 2 - 1.6
    return [(left + 0.15 + (n // size.rows) * size.cell, first - n % size.rows) for n in range(count)]


def _routes(lines: Iterable[Edge], level: dict[str, int], order: list[list[str]]) -> list[tuple[str, list[str]]]:
    """The route of each line from left to right, by lanes in the layers between; lines from one left end share lanes."""
    lanes: set[str] = set()
    routes = []
    for one, other, relation in lines:
        left, right = sorted((one, other), key=lambda name: level[name])
        route = [left]
        for n in range(level[left] + 1, level[right]):
            lane = f"{n}|{relation}|{left}"
            if lane not in lanes:
                lanes.add(lane)
                order[n].append(lane)
            route.append(lane)
        routes.append((relation, [*route, right]))
    return routes


def _level(name: str, level: dict[str, int]) -> int:
    return level[name] if name in level else int(name.split("|", 1)[0])


def _centers(
    order: list[list[str]], routes: Sequence[tuple[str, list[str]]], heights: dict[str, float]
) -> dict[str, float]:
    """The vertical center of each box and lane, after sweeps from left to right and back."""
    neighbors: defaultdict[str, list[str]] = defaultdict(list)
    for _, route in routes:
        for one, other in itertools.pairwise(route):
            neighbors[one].append(other)
            neighbors[other].append(one)
    centers: dict[str, float] = {}
    for layer in order:
        _stack(layer, heights, centers, dict.fromkeys(layer, 0.0))
    level = {name: n for n, layer in enumerate(order) for name in layer}
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for layer in order if forward else reversed(order):
            wanted = {}
            for name in layer:
                near = [o for o in neighbors[name] if (level[o] < level[name]) == forward and level[o] != level[name]]
                near = near if near and sweep < _SWEEPS - 2 else neighbors[name] or near
                wanted[name] = sum(centers[o] for o in near) / len(near) if near else centers[name]
            layer.sort(key=lambda name: -wanted[name])
            _stack(layer, heights, centers, wanted)
    return centers


def _stack(
    layer: Sequence[str], heights: dict[str, float], centers: dict[str, float], wanted: dict[str, float]
) -> None:
    """Place a layer without overlaps, in its order, as close as possible to the wanted centers."""
    if not layer:
        return
    heights_in_layer = np.array([heights.get(name, 0.7) + 0.25 for name in layer])
    offset = -(np.cumsum(heights_in_layer) - heights_in_layer / 2)
    wished = np.array([wanted[name] for name in layer])
    shifted = isotonic_regression(wished - offset, increasing=False).x
    centers.update(zip(layer, (shifted + offset).tolist(), strict=True))


def _columns(order: Sequence[Sequence[str]], sizes: dict[str, _Size]) -> tuple[list[float], float]:
    """Where each layer begins, and where the last one ends."""
    widths = [max((sizes[name].width for name in layer if name in sizes), default=0.3) for layer in order]
    spare = WIDEST - 0.2 - sum(widths)
    gap = min(_GAP, max(_NARROW_GAP, spare / max(1, len(order) - 1)))
    lefts, x = [], 0.1
    for width in widths:
        lefts.append(x)
        x += width + gap
    return lefts, x - gap + 0.1
