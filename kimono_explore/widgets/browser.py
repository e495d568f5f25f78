"""Browse a roster: search, pick an object, follow its relations, go back."""

from __future__ import annotations

import os
from os import PathLike
from typing import TYPE_CHECKING, NamedTuple

import ipywidgets as widgets
import pandas as pd

from kimono_explore.errors import expect
from kimono_explore.files.snapshot import is_snapshot
from kimono_explore.graph import neighborhood, shortest_path
from kimono_explore.html import render
from kimono_explore.quality import Report
from kimono_explore.roster.lazy import LazyRoster
from kimono_explore.roster.open import read_source
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import OBJECT_TYPES, TABLE_OF
from kimono_explore.widgets.network import Network
from kimono_explore.widgets.parts import Panel, chips, line, replace, shorten
from kimono_explore.widgets.table import DataTable
from kimono_explore.widgets.words import LINK_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    import networkx as nx

    from kimono_explore.roster.explorable import Explorable
    from kimono_explore.roster.roster import Description, Step

_MOST_NODES, _MOST_ROWS, _TRAIL = 80, 20, 6


class _Place(NamedTuple):
    """An object that was looked at."""

    id: str
    type: str
    label: str


def browse(roster: Roster | str | os.PathLike[str], report: Report | None = None, id: str | None = None) -> Browser:
    """Browse a roster: search, pick an object, see its fields, relations and findings, follow them, go back.

    Parameters
    ----------
    roster : Roster, str or path
        A roster, a OneRoster bundle, or the folder of a snapshot: that is opened lazily, so that a state needs no
        memory to speak of. Each click then scans its files, and a path is found where it has four links at most.
    report : Report, optional
        Of `check`: each object then shows what was found about it.
    id : str, optional
        The object to begin with.

    Returns
    -------
    Browser
        A widget. ``.selected`` is the id of the object on screen, ``.table`` the DataFrame of what was found,
        ``.related`` that of the relations on screen.

    Examples
    --------
    >>> browser = kx.browse(roster)
    >>> browser.search("mathematics", type="course")
    >>> browser.pick(0)
    >>> browser.selected == browser.table["id"][0]
    True
    """
    expect("browse", roster, Roster, LazyRoster, str, os.PathLike)
    expect("browse", report, Report, None)
    return Browser(roster, report, id)


class Browser(Panel):
    """The widget that `browse` makes.

    Attributes
    ----------
    selected : str or None
        The id of the object on screen.
    table : pandas.DataFrame
        What was found: type, id, label, local_id, detail.
    related : pandas.DataFrame
        The relations on screen, as `Roster.describe` gives them.
    """

    def __init__(
        self, roster: Roster | str | os.PathLike[str], report: Report | None = None, id: str | None = None
    ) -> None:
        super().__init__()
        self.roster: Explorable
        if isinstance(roster, (str, PathLike)):
            self.roster = LazyRoster(roster) if is_snapshot(roster) else read_source(roster)
        else:
            self.roster = roster
        self.report = report
        self.selected: str | None = None
        self.table = self.roster.search("")
        self.related = pd.DataFrame()
        self._description: Description | None = None
        self._places: list[_Place] = []
        self._at = -1
        self._start: _Place | None = None
        self._lay_out()
        if id is not None:
            self.select(id)

    # Built once.

    def _lay_out(self) -> None:
        self._text = widgets.Text(
            description="Search",
            placeholder="name, e-mail, id or title",
            continuous_update=True,
            layout=widgets.Layout(width="360px"),
        )
        types = [
            (f"{name.replace('_', ' ')} {rows:,}", OBJECT_TYPES[name]) for name, rows in self.roster.counts().items()
        ]
        self._types = chips([("all", ""), *[option for option in types if not option[0].endswith(" 0")]], "only")
        self._results = DataTable(label="Results", height=560)
        self._back = self._button("Back", "arrow-left", lambda: self._go(-1))
        self._forward = self._button("Forward", "arrow-right", lambda: self._go(1))
        self._trail = widgets.HBox(layout=widgets.Layout(flex_flow="row wrap"))
        self._head = widgets.HTML(line("Search for something, and pick a row."))
        self._relations = chips([], "relation")
        self._related = DataTable(label="Related objects")
        self._mark = self._button("Path from here", "flag", self._set_start)
        self._connect = self._button("Path to here", "share-alt", self._show_path)
        self._radius = widgets.ToggleButtons(
            options=[("no picture", 0), ("direct", 1), ("two links away", 2)], value=1, style={"button_width": "auto"}
        )
        self._radius.add_class("kx-chips")
        self._network = Network(report=self.report, height=380, panel=False)
        self._network.on_select(self.guarded(self._picked_in_graph))
        self._network.on_expand(self.guarded(self._expand))
        moves = widgets.HBox([self._back, self._forward, self._trail])
        actions = widgets.HBox([self._mark, self._connect, self._radius], layout=widgets.Layout(flex_flow="row wrap"))
        left = widgets.VBox([self._results], layout=widgets.Layout(width="38%", min_width="300px"))
        self._object = widgets.VBox([self._relations, self._related, actions, self._network])
        self._object.layout.display = "none"  # until something is picked
        right = widgets.VBox(
            [moves, self._head, self._object], layout=widgets.Layout(width="62%", padding="0 0 0 16px")
        )
        search = widgets.HBox([self._text, self._types], layout=widgets.Layout(flex_flow="row wrap"))
        self.children = [*self._unseen, search, self._status, widgets.HBox([left, right])]
        self._text.observe(lambda _: self.later("search", 0.2, self.guarded(self._search)), "value")
        self._types.observe(self.guarded(lambda _: self._search()), "value")
        self._results.observe(self.guarded(lambda _: self._picked(self._results, self.table)), "selected_rows")
        self._related.observe(self.guarded(lambda _: self._picked(self._related, self.related)), "selected_rows")
        self._relations.observe(self.guarded(lambda _: self._show_related()), "value")
        self._radius.observe(self.guarded(lambda _: self._show_picture()), "value")
        self._renew_moves()

    def _button(self, text: str, icon: str, action: Callable[[], object]) -> widgets.Button:
        button = widgets.Button(description=text, icon=icon, tooltip=text, layout=widgets.Layout(width="auto"))
        button.on_click(self.guarded(lambda _: action()))
        return button

    # What a person, or a notebook, does.

    def search(self, text: str, type: str | None = None) -> None:
        """Search, as if it were typed; what was found is there at once."""
        self._types.value = type or ""
        self._text.value = text
        self.call_off("search")
        self._search()

    def pick(self, row: int) -> None:
        """Pick a row of the results, as if it were clicked."""
        self._results.pick([row])

    def select(self, id: str, type: str | None = None) -> None:
        """Show an object.

        Raises
        ------
        KeyError
            No object has this id.
        """
        self._show(id, type)

    def _show(self, id: str, type: str | None, *, redraw: bool = True) -> None:
        self._say_wait("object")
        self._visit(id, type, redraw=redraw)
        self.say("")
        assert self._description is not None
        place = _Place(self._description.id, self._description.type, self._description.label)
        if self._at < 0 or self._places[self._at] != place:
            self._places = [*self._places[: self._at + 1], place]
            self._at = len(self._places) - 1
        self._renew_moves()

    def back(self) -> None:
        """Show the object before."""
        self._go(-1)

    def forward(self) -> None:
        """Show the object after, where one went back."""
        self._go(1)

    # What happens then.

    def _search(self) -> None:
        text = self._text.value
        if text:
            self._say_wait("search")
        self.table = self.roster.search(text, self._types.value or None, limit=200)
        self._results.fill(self.table[["type", "label", "detail", "local_id", "id"]])
        found, more = self.table.attrs["found"], "more than " if self.table.attrs.get("more") else ""
        shown = f"{more}{found:,} found"
        if found > len(self.table):
            shown += f", {len(self.table)} shown: type more"
        self.say(shown if text.strip() else "")

    def _picked(self, table: DataTable, rows: pd.DataFrame) -> None:
        if table.selected_rows:
            row = rows.iloc[table.selected_rows[0]]
            self.select(row["id"], row["type"])

    def _go(self, steps: int) -> None:
        if 0 <= self._at + steps < len(self._places):
            self._at += steps
            self._visit(self._places[self._at].id, self._places[self._at].type)
            self._renew_moves()

    def _visit(self, id: str, type: str | None, *, redraw: bool = True) -> None:
        self._description = self._near(id).describe(id, type)
        self.selected = self._description.id
        self._head.value = _head(self._description, self.report)
        self._object.layout.display = None
        relations = self._description.relations
        groups = relations.groupby(["relation", "direction"], observed=True, sort=False).size().reset_index(name="n")
        groups = groups.sort_values(["direction", "n"], ascending=[False, True], kind="stable")
        options = [
            (f"{LINK_NAMES.get((relation, direction), relation)} {n:,}", (relation, direction))
            for relation, direction, n in zip(groups["relation"], groups["direction"], groups["n"], strict=True)
        ]
        with self.hold_trait_notifications():
            self._relations.options = options
            self._relations.value = options[0][1] if options else None
        self._show_related()
        if redraw:
            self._show_picture()

    def _show_related(self) -> None:
        if self._description is None or self._relations.value is None:
            self.related = pd.DataFrame()
        else:
            relation, direction = self._relations.value
            all_of = self._description.relations
            mine = all_of[(all_of["relation"] == relation) & (all_of["direction"] == direction)]
            self.related = mine.sort_values("label", kind="stable").reset_index(drop=True)
        if self.related.empty:
            self._related.fill(pd.DataFrame({"type": [], "label": []}))
            return
        shown = self.related[["type", "label", "role", "status", "start_date", "end_date", "stated_by", "id"]]
        shown = shown.dropna(axis="columns", how="all").assign(
            label=self.related["label"].where(~self.related["missing"], "(not delivered)")
        )
        self._related.fill(shown)

    def _show_picture(self) -> None:
        self._network.layout.display = None if self._radius.value else "none"
        if self._description is not None and self._radius.value:
            self._network.show(self._graph(self._description.id, self._radius.value, self._description.type))

    def _graph(self, id: str, radius: int, type: str | None) -> nx.MultiDiGraph[str]:
        return neighborhood(self.roster.subset_around(id, radius=radius), id, radius, limit=_MOST_NODES, type=type)

    def _picked_in_graph(self, node: str) -> None:
        """The object opens beside the graph, which stays as it is."""
        data = self._network.graph.nodes[node]
        if data["missing"]:
            self.say("This object is named by others, but was not delivered: there is nothing more to show.")
        else:
            self._show(self._id(node), data["type"], redraw=False)

    def _expand(self, node: str) -> None:
        """What a node is linked with is drawn, too."""
        self._network.add(self._graph(self._id(node), 1, self._network.graph.nodes[node]["type"]))

    def _id(self, node: str) -> str:
        """The id of a node, which bears its type before it where objects of two types share the id."""
        type = self._network.graph.nodes[node]["type"]
        plain = node.removeprefix(f"{type}:")
        try:
            self.roster.subset_around(plain, radius=0).index.code(plain, type)
        except KeyError:
            return node
        return plain

    def _set_start(self) -> None:
        if self._at >= 0:
            self._start = self._places[self._at]
            self.say(f"Path from {self._start.label}: now go to another object, and press Path to here.")

    def _show_path(self) -> None:
        if self._start is None or self._at < 0:
            self.say("Go to the first object and press Path from here, then to the second and press Path to here.")
            return
        here = self._places[self._at]
        near = self.roster.subset_around(self._start.id, here.id, radius=2)
        way = shortest_path(near, self._start.id, here.id, self._start.type, here.type)
        if way.empty:
            longest = self.roster.longest_path
            self.say(f"No path{f' of at most {longest} links' if longest else ''} connects the two.")
            return
        self._relations.options = []
        self.related = way
        self._related.fill(way[["type", "label", "relation", "id"]])
        self.say(f"A shortest path: {' - '.join(way['label'])}")

    def _near(self, id: str) -> Roster:
        """A roster that holds what is around an object, as far as the picture goes."""
        return self.roster.subset_around(id, radius=max(1, self._radius.value))

    def _say_wait(self, step: Step) -> None:
        text = self.roster.wait_for(step)
        if text:
            self.say(text)

    def _renew_moves(self) -> None:
        self._back.disabled = self._at <= 0
        self._forward.disabled = self._at >= len(self._places) - 1
        first = max(0, self._at - _TRAIL + 1)
        crumbs = []
        for position in range(first, self._at + 1):
            place = self._places[position]
            text = shorten(place.label, 24)
            crumb = widgets.Button(
                description=text, tooltip=f"{place.type} {place.label}", layout=widgets.Layout(width="auto")
            )
            crumb.style.button_color = "transparent"
            crumb.disabled = position == self._at
            crumb.on_click(self.guarded(lambda _, steps=position - self._at: self._go(steps)))
            crumbs.append(crumb)
        replace(self._trail, crumbs)


def _head(about: Description, report: Report | None) -> str:
    """An object as HTML: what it is, its fields, its ``$ext``, and what was found about it."""
    fields = {str(name): value for name, value in about.fields.items() if name not in ("id", "label")}
    own = {name: value for name, value in fields.items() if not name.startswith("ext_")}
    extra = {name.removeprefix("ext_"): value for name, value in fields.items() if name.startswith("ext_")}
    return render(
        "object.html",
        about=about,
        own=_pairs(own),
        extra=_pairs(extra),
        others=[
            _pairs({str(name): value for name, value in again.items() if name != "id" and not pd.isna(value)})
            for again in about.others.head(_MOST_ROWS).to_dict("records")
        ],
        more=len(about.others) - _MOST_ROWS,
        findings=None if report is None else _findings(about, report),
    )


def _findings(about: Description, report: Report) -> list[dict[str, str]]:
    table = TABLE_OF[about.type]
    found = report.findings[(report.findings["id"] == about.id) & (report.findings["table"] == table)]
    return [
        {"severity": row["severity"], "title": report.title(row["check"]), "detail": row["detail"]}
        for row in found.fillna("").to_dict("records")
    ]


def _pairs(values: dict[str, object]) -> list[tuple[str, str]]:
    """Names and values as texts, days without a time."""
    return [
        (name, str(value.date() if isinstance(value, pd.Timestamp) and value == value.normalize() else value))
        for name, value in values.items()
    ]
