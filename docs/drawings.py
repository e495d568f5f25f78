"""The drawings of ARCHITECTURE.md, made from the code: rooms and who imports whom, and the way of a page.

python docs/drawings.py           writes docs/images/layers.svg and docs/images/way.svg
"""

from __future__ import annotations

import itertools
import re
from html import escape
from pathlib import Path

import grimp
import networkx as nx

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
_INK, _LINE, _BOX, _CIRCLE = "#1f2933", "#7b8794", "#eef2f7", "#c1121f"
_STEP = re.compile(r"^\d+\. `([\w.]+)`: (.+?)(?=\n\d+\. |\s*\Z)", re.MULTILINE | re.DOTALL)


def rooms() -> nx.DiGraph[str]:
    """The modules and packages at the top, and who imports whom; imports for type checkers and in functions count."""
    modules = grimp.build_graph("kimono_explore", cache_dir=None)
    for child in modules.find_children("kimono_explore"):
        modules.squash_module(child)
    tops = {child: child.rpartition(".")[2] for child in modules.find_children("kimono_explore")}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(tops.values())
    for child, name in tops.items():
        imported = modules.find_modules_directly_imported_by(child) & (tops.keys() - {child})
        graph.add_edges_from((name, tops[far]) for far in imported)
    return graph


def floors(graph: nx.DiGraph[str]) -> list[list[str]]:
    """The rooms by floor, the highest first: each stands above all that it imports; a circle shares a floor."""
    circles = nx.condensation(graph)
    height: dict[int, int] = {}
    for node in reversed(list(nx.topological_sort(circles))):
        height[node] = 1 + max((height[below] for below in circles.successors(node)), default=-1)
    rows: list[list[str]] = [[] for _ in range(max(height.values()) + 1)]
    for node, floor in height.items():
        rows[floor] += circles.nodes[node]["members"]
    return [sorted(row) for row in reversed(rows)]


def layers_svg(graph: nx.DiGraph[str]) -> str:
    """The rooms on their floors, an arrow for each import that others do not imply; those of a circle are red."""
    rows = floors(graph)
    width, row_height = max(sum(_width(name) + 24 for name in row) for row in rows) + 40, 84
    at: dict[str, tuple[float, float]] = {}
    boxes = []
    for floor, row in enumerate(rows):
        x = (width - sum(_width(name) + 24 for name in row)) / 2 + 12
        for name in row:
            at[name] = (x + _width(name) / 2, floor * row_height + 20)
            boxes.append(_box(x, floor * row_height + 20, _width(name), name))
            x += _width(name) + 24
    arrows = []
    direct = nx.transitive_reduction(nx.condensation(graph)).edges
    number = nx.condensation(graph).graph["mapping"]
    for near, far in sorted(graph.edges):
        if number[near] != number[far] and (number[near], number[far]) not in direct:
            continue
        (x1, y1), (x2, y2) = at[near], at[far]
        color = _CIRCLE if number[near] == number[far] else _LINE
        bend = (y1 + y2 + 34) / 2
        path = f"M{x1:.0f} {y1 + 34:.0f} C{x1:.0f} {bend:.0f} {x2:.0f} {bend:.0f} {x2:.0f} {y2 - 3:.0f}"
        arrows.append(f'<path d="{path}" fill="none" stroke="{color}" stroke-opacity=".8" marker-end="url(#tip)"/>')
    return _svg(width, len(rows) * row_height, [*arrows, *boxes])


def steps() -> list[tuple[str, str]]:
    """The way of a page, as ARCHITECTURE.md tells it: the function, and what it does."""
    text = (
        (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## The way of a page")[2].partition("\n!")[0]
    )
    return [(name, " ".join(told.split())) for name, told in _STEP.findall(text)]


def way_svg(way: list[tuple[str, str]]) -> str:
    """The way of a page through the rooms: a column a room, a dot a step."""
    names = list(dict.fromkeys(function.split(".")[0] for function, _ in way))
    left = {name: 60 + 110 * n for n, name in enumerate(names)}
    body = [
        f'<text x="{x}" y="26" text-anchor="middle" font-weight="600">{escape(name)}</text>'
        f'<line x1="{x}" x2="{x}" y1="36" y2="{40 + 34 * len(way)}" stroke="{_LINE}" stroke-opacity=".3"/>'
        for name, x in left.items()
    ]
    points = [(left[function.split(".")[0]], 54 + 34 * n) for n, (function, _) in enumerate(way)]
    body += [
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{_LINE}" stroke-width="2"/>'
        for (x1, y1), (x2, y2) in itertools.pairwise(points)
    ]
    edge = max(left.values()) + 40
    for (x, y), (function, _) in zip(points, way, strict=True):
        body.append(f'<circle cx="{x}" cy="{y}" r="6" fill="#0072b2"/>')
        body.append(f'<text x="{edge}" y="{y + 4}" fill="{_INK}">{escape(function.partition(".")[2])}</text>')
    return _svg(edge + 330, 54 + 34 * len(way), body)


def _width(name: str) -> int:
    return 8 * len(name) + 20


def _box(x: float, y: float, width: float, name: str) -> str:
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{width}" height="34" rx="6" fill="{_BOX}" stroke="{_LINE}"/>'
        f'<text x="{x + width / 2:.0f}" y="{y + 22:.0f}" text-anchor="middle">{escape(name)}</text>'
    )


def _svg(width: float, height: float, body: list[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="{_INK}"><defs><marker id="tip" markerWidth="7" '
        f'markerHeight="7" refX="5" refY="3" orient="auto"><path d="M0 0 L6 3 L0 6" fill="none" stroke="{_LINE}"/></marker>'
        '</defs><rect width="100%" height="100%" rx="8" fill="#fff"/>'
    )
    return "\n".join([head, *body, "</svg>", ""])


if __name__ == "__main__":
    (IMAGES / "layers.svg").write_text(layers_svg(rooms()), encoding="utf-8")
    (IMAGES / "way.svg").write_text(way_svg(steps()), encoding="utf-8")
