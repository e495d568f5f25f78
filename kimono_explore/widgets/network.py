"""A graph to work in: pan, zoom, search, select, open groups, pin, undo. Python decides what is drawn, the page draws it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import anywidget
import networkx as nx
import traitlets

from kimono_explore.errors import expect
from kimono_explore.html import render
from kimono_explore.palette import MISSING, TYPE_COLORS, TYPE_OUTLINES
from kimono_explore.quality import Report
from kimono_explore.schema import TABLE_OF
from kimono_explore.widgets.channel import AFTERWARDS
from kimono_explore.widgets.picture import Pictured
from kimono_explore.widgets.scene import MOST_FORCE, Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from comm.base_comm import BaseComm

_MOST_NODES, _MOST_UNDO = 50_000, 50
_FAR = 1e9
"""Pixels from the middle, where nothing can be pinned any more."""
_STATIC = Path(__file__).parent / "static"


def show_network(
    graph: nx.MultiDiGraph[str],
    *,
    report: Report | None = None,
    height: int = 520,
    name: str | None = None,
    panel: bool = True,
) -> Network:
    """Show an interactive graph: search by name, select, open groups, drag, zoom, save as PNG or SVG.

    More than twelve objects with the same links are grouped into one node that shows their number. In graphs of more
    than 100 nodes, so are objects of one type around the same object. Nobody is left out: a double-click or the space
    bar opens a group.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        A graph from `build_graph` or `neighborhood`.
    report : Report, optional
        A report from `check`: objects with findings are marked with a red dot.
    height : int, default 520
        The height in pixels.
    name : str, optional
        The name shown above the counts. Default: the object at the center.
    panel : bool, default True
        Show the details of the selected object beside the graph.

    Returns
    -------
    Network
        A widget. ``.selected`` is the selected node, or None. Colors match those of the ``plot_`` functions.

    Raises
    ------
    ValueError
        The graph has more than 50,000 nodes, which is more than a screen can show.

    Examples
    --------
    >>> network = kx.show_network(kx.neighborhood(roster, roster.sections["id"][0]))
    >>> network.selected == roster.sections["id"][0]
    True
    """
    expect("show_network", graph, nx.MultiDiGraph)
    expect("show_network", report, Report, None)
    if graph.number_of_nodes() > _MOST_NODES:
        raise ValueError(
            f"{graph.number_of_nodes():,} nodes are more than a screen can show ({_MOST_NODES:,}). "
            "Narrow it: kx.neighborhood(roster, id), or kx.build_graph(roster, types=['org', 'course', 'section'])."
        )
    return Network(graph, report, height=height, name=name, panel=panel)


class _State(NamedTuple):
    """What can be undone."""

    graph: nx.MultiDiGraph[str]
    opened: frozenset[str]
    pinned: dict[str, tuple[float, float]]
    force: bool


class Network(Pictured, anywidget.AnyWidget):
    """The widget returned by `show_network`.

    Attributes
    ----------
    selected : str or None
        The selected node.
    graph : networkx.MultiDiGraph
        The graph that is drawn, including anything added.
    hidden : bool
        Whether the widget is hidden within a panel.
    """

    kind: ClassVar[str] = "graph"
    _esm = _STATIC / "graph.js"
    _css = _STATIC / "graph.css"

    scene = traitlets.Dict().tag(sync=True)
    info = traitlets.Dict().tag(sync=True)
    heading: traitlets.List[Any] = traitlets.List().tag(sync=True)
    selected = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    undoable = traitlets.Bool(False).tag(sync=True)
    force = traitlets.Bool(False).tag(sync=True)
    height = traitlets.Int(520).tag(sync=True)
    panel = traitlets.Bool(True).tag(sync=True)
    colors = traitlets.Dict().tag(sync=True)
    hidden = traitlets.Bool(False)

    def __init__(
        self,
        graph: nx.MultiDiGraph[str] | None = None,
        report: Report | None = None,
        *,
        height: int = 520,
        name: str | None = None,
        panel: bool = True,
        comm: BaseComm | None = None,
    ) -> None:
        colors = {kind: [color, *TYPE_OUTLINES[kind]] for kind, color in TYPE_COLORS.items()}
        colors["missing"] = [MISSING, MISSING, "#FF8D83"]
        super().__init__(height=height, panel=panel, colors=colors, comm=comm)
        self._name, self.report = name, report
        self._picked: list[Callable[[str], object]] = []
        self._expanded: list[Callable[[str], object]] = []
        self._faded = frozenset[str]()
        self.show(nx.MultiDiGraph() if graph is None else graph)
        self.observe(lambda _: self._renew_info(), "selected")
        self.on_msg(self._hear)

    def __repr__(self) -> str:
        return f"Network({self.graph.number_of_nodes():,} nodes, {self.graph.number_of_edges():,} edges)"

    # What a person, or a notebook, does.

    def show(self, graph: nx.MultiDiGraph[str], name: str | None = None) -> None:
        """Show another graph. Earlier steps can then no longer be undone."""
        self.graph, self._opened = graph, frozenset[str]()
        self._pinned: dict[str, tuple[float, float]] = {}
        self._before: list[_State] = []
        self._name = name or self._name
        self._findings = self._count_findings(graph)
        focus = graph.graph.get("focus")
        with self.hold_sync():
            self.force, self.undoable = False, False
            self._draw()
            self.selected = focus if focus in graph else None
            self._renew_info()

    def add(self, graph: nx.MultiDiGraph[str]) -> None:
        """Add another graph's nodes and links to those already drawn."""
        self._keep()
        focus = dict(self.graph.graph)
        both: nx.MultiDiGraph[str] = self.graph.copy()
        both.update(graph)
        both.graph.update(focus)
        both.graph["left_out"] = max(one.graph.get("left_out", 0) for one in (self.graph, graph))
        self.graph = both
        self._findings = self._count_findings(self.graph)
        self._draw()

    def fade(self, nodes: Iterable[str]) -> None:
        """Draw these objects pale; a group, where all in it are."""
        faded = frozenset(nodes)
        if faded != self._faded:
            self._faded = faded
            self._draw()

    def open_group(self, node: str) -> None:
        """Open the group that contains a node, or a group given by its own name.

        Raises
        ------
        KeyError
            The node is unknown.
        """
        self._keep()
        while (group := self._group(node)) is not None:
            self._opened |= {group}
            self._make()
            if group == node:
                break
        self._draw()

    def undo(self) -> None:
        """Undo the last step: a group opened, an object expanded or moved, or a changed arrangement."""
        if self._before:
            self.graph, self._opened, self._pinned, force = self._before.pop()
            self._findings = self._count_findings(self.graph)
            self.force, self.undoable = force, bool(self._before)
            self._draw()

    def arrange(self, *, force: bool) -> None:
        """Arrange the nodes with a force layout, or in layers by type.

        Raises
        ------
        ValueError
            There are more than 2,000 nodes: a force layout would take minutes.
        """
        if force and len(self._scene.nodes) > MOST_FORCE:
            raise ValueError(
                f"A force layout arranges at most {MOST_FORCE:,} nodes; there are {len(self._scene.nodes):,}."
            )
        self._keep()
        self._pinned, self.force = {}, force
        self._draw()

    def pin(self, node: str, x: float, y: float) -> None:
        """Pin a node to a position, in pixels at a scale of 1."""
        self._keep()
        self._pinned = {**self._pinned, node: (x, y)}
        self._draw()

    def find(self, text: str) -> list[list[str]]:
        """Return up to eight objects, group members included, whose name or id contains the text: node, name, type."""
        return self._scene.find(text)

    def select(self, node: str) -> None:
        """Select an object, opening the group that contains it."""
        if self._group(node) not in (None, node):
            self.open_group(node)
        self.selected = node

    def as_html(self) -> str:
        """Describe in words what the graph shows, for the widget's static picture."""
        return render("picture_graph.html", heading=self.heading, info=self.info)

    def on_select(self, function: Callable[[str], object]) -> None:
        """Register a function to call with each node that a person selects in the graph, except groups."""
        self._picked.append(function)

    def on_expand(self, function: Callable[[str], object]) -> None:
        """Register a function to call with each node that a person asks to expand."""
        self._expanded.append(function)

    # What happens then.

    def _group(self, node: str) -> str | None:
        if node in self._scene.groups:
            return node
        if node not in self.graph:
            raise KeyError(f"The graph has no node {node!r}.")
        return self._scene.group_of.get(node)

    def _keep(self) -> None:
        self._before = [*self._before, _State(self.graph, self._opened, self._pinned, self.force)][-_MOST_UNDO:]
        self.undoable = True

    def _make(self) -> None:
        self._scene = Scene(
            self.graph, self._opened, self._findings, force=self.force, pinned=self._pinned, faded=self._faded
        )

    def _draw(self) -> None:
        self._make()
        with self.hold_sync():
            title, counts = self._scene.title()
            self.heading = [self._name or title, counts, len(self._scene.nodes) <= MOST_FORCE]
            self.scene = self._scene.data()
            if self.selected is not None and self.selected not in self._scene.nodes:
                group = self._scene.group_of.get(self.selected)
                self.selected = group
            self._renew_info()

    def _renew_info(self) -> None:
        self.info = self._scene.info(self.selected)

    def _count_findings(self, graph: nx.MultiDiGraph[str]) -> dict[str, int]:
        """How many findings each node has: by table and id, as two types can share an id."""
        if self.report is None:
            return {}
        counts = self.report.findings.groupby(["table", "id"], observed=True).size()
        found = {}
        for name, data in graph.nodes(data=True):
            kind = str(data["type"])
            number = counts.get((TABLE_OF[kind], str(name).removeprefix(f"{kind}:")), 0)
            if number:
                found[name] = int(number)
        return found

    def _hear(self, _: object, message: object, __: object) -> None:
        """What the page asks; what it cannot know, or what is not there any more, does nothing."""
        if not isinstance(message, dict):
            return
        what, node = message.get("do"), str(message.get("node", ""))
        if what == "find":
            self.send({"find": message.get("number"), "hits": self.find(str(message.get("text", "")))})
            self._push()
        elif what == "undo":
            self.undo()
        elif what == "arrange":
            if not message.get("force") or len(self._scene.nodes) <= MOST_FORCE:
                self.arrange(force=bool(message.get("force")))
        elif node in self._scene.groups and what in ("expand", "open"):
            self.open_group(node)
        elif node in self.graph:
            if what == "pin":
                self._pin(node, message.get("x"), message.get("y"))
            elif what == "select":
                self.select(node)
                for function in self._picked:
                    function(node)
            elif what == "expand":
                for function in self._expanded:
                    function(node)
        elif node in self._scene.groups and what == "select":
            self.selected = node
        elif node in self._scene.groups and what == "pin":
            self._pin(node, message.get("x"), message.get("y"))

    def _pin(self, node: str, x: object, y: object) -> None:
        if all(type(place) in (int, float) and abs(place) < _FAR for place in (x, y)):  # type: ignore[arg-type]
            self.pin(node, float(x), float(y))  # type: ignore[arg-type]

    def _push(self) -> None:
        """A second message makes the server pass the first one on at once (Nagle's algorithm waits 40 ms otherwise)."""
        try:
            asyncio.get_running_loop().call_later(AFTERWARDS, self.send, {})
        except RuntimeError:
            return
