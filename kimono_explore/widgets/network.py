"""A network that can be moved, searched and hovered over."""

from __future__ import annotations

import unicodedata
from collections import defaultdict

import ipywidgets as widgets
import networkx as nx
from ipysigma import Sigma
from ipywidgets.widgets.trait_types import InstanceDict

from kimono_explore.errors import expect
from kimono_explore.graph import node_kinds
from kimono_explore.palette import MISSING, TYPE_COLORS

_MOST_NODES, _MOST_EDGE_LABELS, _MISSING = 50_000, 100, "not delivered"
# From the district down to its students, as rosters are read.
_LAYERS = ("org", "term", "course", "section", "grading_category", "teacher", "staff", "student", "person")
_SIZES = {"org": 9, "course": 7, "term": 6, "section": 7, "teacher": 6}


def show_network(
    graph: nx.MultiDiGraph[str], *, height: int = 500, name: str | None = None, panel: bool = True
) -> Sigma:
    """Show a graph as a network: colour and size by type, a legend, search, details on hover.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        As `build_graph` or `neighborhood` makes it.
    height : int, default 500
        In pixels.
    name : str, optional
        Shown above the counts.
    panel : bool, default True
        Show the search and the legend beside the network.

    Returns
    -------
    ipysigma.Sigma
        A widget. Colours are those of the `plot_` functions: the palette of Okabe and Ito.

    Raises
    ------
    ValueError
        The graph has more than 50,000 nodes, which no screen can show.

    Examples
    --------
    >>> kx.show_network(kx.neighborhood(roster, roster.sections["id"][0]))
    Sigma(nx.MultiDiGraph with ... nodes and ... edges)
    """
    expect("show_network", graph, nx.MultiDiGraph)
    if graph.number_of_nodes() > _MOST_NODES:
        raise ValueError(
            f"{graph.number_of_nodes():,} nodes are more than a screen can show ({_MOST_NODES:,}). "
            "Narrow it: kx.neighborhood(roster, id), or kx.build_graph(roster, types=['org', 'course', 'section'])."
        )
    kinds = node_kinds(graph)
    legend = {node: _MISSING if graph.nodes[node].get("missing") else kind for node, kind in kinds.items()}
    places = _places(kinds)
    shown = type(graph)()
    for node, data in graph.nodes(data=True):
        label = data.get("label") or node
        shown.add_node(node, type=kinds[node], label=visible(str(label)), id=node, **places[node])
    for source, target, relation, data in graph.edges(keys=True, data=True):
        shown.add_edge(source, target, key=relation, relation=data.get("relation", relation))
    focus = graph.graph.get("focus")
    network = Network(
        shown,
        name=name,
        height=height,
        node_label="label",
        node_color=lambda node: legend[node],
        node_color_palette={name: {**TYPE_COLORS, _MISSING: MISSING}[name] for name in sorted(set(legend.values()))},
        node_size=lambda node: 12 if node == focus else _SIZES.get(kinds[node], 5),
        node_size_range=(3, 12),
        # No shapes: ipysigma fetches those from the network, and a roster's page must not call anybody.
        default_edge_color="#C9CED6",
        default_edge_size=0.5,
        # Where the legend lies over the right quarter, the network moves to the left of it.
        camera_state={"x": 0.62 if panel else 0.5, "y": 0.5, "ratio": 1.55 if panel else 1.25, "angle": 0},
        edge_label="relation" if shown.number_of_edges() <= _MOST_EDGE_LABELS else None,
        default_edge_type="arrow",
        label_density=2,
        hide_info_panel=not panel,
        hide_search=not panel,
        background_color="white",
    )
    # In a tab that is not on screen there is no width yet; it is drawn anew when there is.
    network.renderer_settings = {**network.renderer_settings, "allowInvalidContainer": True}
    network.layout = widgets.Layout(width="100%")
    return network


class Network(Sigma):  # type: ignore[misc]
    """A Sigma with the layout of every other widget.

    ipysigma keeps positions in a trait of that name, on which ipywidgets' view fails in the browser. Here nodes carry
    their positions, which ipysigma reads too.
    """

    layout = InstanceDict(widgets.Layout, allow_none=True).tag(sync=True, **widgets.widget_serialization)

    def set_state(self, sync_data: dict[str, object]) -> None:
        """Take what the page sends; the positions that ipysigma saves as its layout stay in the page."""
        super().set_state({name: value for name, value in sync_data.items() if name != "layout"})


def _places(kinds: dict[str, str]) -> dict[str, dict[str, float]]:
    """A column for each type, from orgs on the left to students on the right; many of a type in several columns."""
    layers: dict[str, list[str]] = defaultdict(list)
    for node, kind in kinds.items():
        layers[kind].append(node)
    columns: list[list[str]] = []
    for kind in sorted(layers, key=_LAYERS.index):
        nodes = layers[kind]
        most = max(12, int((len(kinds) * 1.5) ** 0.5))
        columns += [nodes[start : start + most] for start in range(0, len(nodes), most)]
    tallest = max((len(column) for column in columns), default=1)
    width = 2.0 * tallest / max(1, len(columns) - 1)
    return {
        node: {"x": x * width, "y": (len(column) - 1) / 2 - row - _lower(x, len(column), tallest)}
        for x, column in enumerate(columns)
        for row, node in enumerate(column)
    }


def _lower(x: int, size: int, tallest: int) -> float:
    """How much lower a column stands than the middle, so that labels do not run into the nodes to their right."""
    return (x % 4 - 1.5) * tallest / 8 if size <= tallest / 3 else (x % 2) / 2


def visible(text: str) -> str:
    """A label on one line, without characters that change the direction of what follows."""
    return "".join(
        " "
        if unicodedata.category(c) in ("Cc", "Zl", "Zp")
        or c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        else c
        for c in text
    )
