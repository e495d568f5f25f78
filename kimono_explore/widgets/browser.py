"""Browse a roster: search, pick an object, follow its relations, go back."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from kimono_explore.display import plural
from kimono_explore.errors import ConfigurationError, KimonoError, expect, expect_options
from kimono_explore.graph import graph_of_paths, neighborhood, shortest_path
from kimono_explore.history.kept import History, day_of, history
from kimono_explore.history.segment import is_history
from kimono_explore.html import render
from kimono_explore.quality import Report
from kimono_explore.questions import dependents, shared_classes
from kimono_explore.roster.lazy import LazyRoster, open_to_browse
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import TABLE_OF
from kimono_explore.widgets.channel import Channel
from kimono_explore.widgets.controls import Button, Choice, Column, Html, Row
from kimono_explore.widgets.days import DayPicker, long_day
from kimono_explore.widgets.finder import Finder
from kimono_explore.widgets.life import life_html
from kimono_explore.widgets.network import Network
from kimono_explore.widgets.object_html import object_html
from kimono_explore.widgets.parts import Panel, line, shorten
from kimono_explore.widgets.rerun import Runs
from kimono_explore.widgets.table import DataTable
from kimono_explore.widgets.words import LINK_NAMES, column_words, kind_words, value_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    import networkx as nx

    from kimono_explore.roster.explorable import Explorable
    from kimono_explore.roster.roster import Description

_MOST_NODES, _TRAIL, _MOST_WAYS = 5_000, 6, 3


class _Place(NamedTuple):
    """An object that was looked at."""

    id: str
    type: str
    label: str


def browse(
    roster: Roster | History | str | os.PathLike[str], report: Report | None = None, id: str | None = None
) -> Browser:
    """Browse a roster: list all people, search, pick an object, see its fields, relations and findings, and go back.

    Parameters
    ----------
    roster : Roster, History, str or path
        A roster, a OneRoster bundle, or a snapshot folder. A snapshot with more than a million people, or a
        `LazyRoster`, stays on disk, so that even a statewide roster needs hardly any memory. Then only the first 1,000
        objects of a type are listed, each click scans the files, and paths are found only up to four links long. For a
        `history` or its folder, the last day is shown, with a menu of all days, and each object also shows its history.
    report : Report, optional
        A report from `check`: each object then shows its findings. Not allowed with a history, which spans many days.
    id : str, optional
        The id of the object to show first.

    Returns
    -------
    Browser
        A widget. ``.selected`` is the id of the object on screen, ``.table`` the DataFrame of the list or search
        results, and ``.related`` the DataFrame of the relations on screen. ``.state`` is all of this as a small dict.
        For a history, set ``.day`` to change the day; the search, filters and object are kept. A notebook cell that is run
        again without ``id`` shows what it showed before.

    Raises
    ------
    ValueError
        The history has no days yet, or was given together with a report.

    Examples
    --------
    >>> browser = kx.browse(roster)
    >>> browser.search("mathematics", type="course")
    >>> browser.pick(0)
    >>> browser.selected == browser.table["id"][0]
    True
    >>> days = kx.history(tmp_path / "browsed")
    >>> days.add(roster, "2026-10-05")
    >>> days.add(roster, "2026-10-06")
    >>> browser = kx.browse(days)
    >>> browser.day = "2026-10-05"
    >>> browser.day
    datetime.date(2026, 10, 5)
    """
    expect("browse", roster, Roster, LazyRoster, History, str, os.PathLike)
    expect("browse", report, Report, None)
    expect("browse with id=", id, str, None)
    if isinstance(roster, str | os.PathLike) and is_history(Path(roster)):
        roster = history(roster)
    browser = Browser(roster, report, id)
    before = _runs.predecessor(browser)
    if before is not None and id is None:
        browser.state = before.state
    return browser


_runs: Runs[Browser] = Runs()


class Browser(Panel):
    """The widget returned by `browse`.

    Attributes
    ----------
    selected : str or None
        The id of the object on screen.
    table : pandas.DataFrame
        The list or search results: type, id, label, local_id, detail, and of people kind, school and grade. Without a
        search, also the other columns of the list (`kimono_explore.widgets.listing.listing`), in the order of the
        roster's table.
    filter : dict
        What is kept of the table: labels of bars by column. It can be set, too.
    shown : pandas.DataFrame
        The rows of ``table`` that the filter keeps, in the order on screen.
    related : pandas.DataFrame
        The relations on screen, as returned by `Roster.describe`; or the result of `shared_classes`, `dependents` or
        `shortest_path`, with type, id and label.
    report : Report or None
        The report whose findings are shown. It can be set later, so a roster can be browsed while it is being checked.
    day : datetime.date or None
        The day on screen, if a history is browsed.
    state : dict
        What is on screen. It can be saved as JSON and set again.
    """

    def __init__(
        self,
        roster: Explorable | History | str | os.PathLike[str],
        report: Report | None = None,
        id: str | None = None,
    ) -> None:
        super().__init__()
        self.history = roster if isinstance(roster, History) else None
        self._days = DayPicker(self.guarded(self._open_day))
        self._days.hidden = self.history is None
        self.roster = self._open_last(roster, report) if isinstance(roster, History) else _opened(roster)
        self._report = report
        self.selected: str | None = None
        self.finder = Finder(self, self.roster, report, self._open)
        self.related = pd.DataFrame()
        self._description: Description | None = None
        self._places: list[_Place] = []
        self._at = -1
        self._start: _Place | None = None
        self._path_from: _Place | None = None
        self._make_controls()
        self._renew_moves()
        self._lay_out()
        self._listen()
        self.search("")
        if id is not None:
            self.select(id)

    def _open_last(self, history: History, report: Report | None) -> Roster:
        days = history.days
        if not days:
            raise ValueError(f"{history.folder} has no days yet; history.add(roster) adds one.")
        _expect_no_report(report)
        self._days.show(days, days[-1])
        return history.open(days[-1])

    # Built once.

    def _make_controls(self) -> None:
        self._back = self._button("Back", "left", lambda: self._go(-1))
        self._forward = self._button("Forward", "right", lambda: self._go(1))
        self._trail = Row([self._crumb(place) for place in range(_TRAIL)])
        self._head = Html(line("Pick a row."))
        self._relations = Choice("relation")
        self._related = DataTable(
            label="Related objects", words=column_words, values={"type": kind_words}, comm=Channel()
        )
        self._shares = self._button("Who shares most classes", "people", self._show_shared)
        self._lost = self._button("What would be lost without it", "trash", self._show_lost)
        self._tell_life = self._button("History", "undo", self._open_life, hidden=self.history is None)
        self._life = Html(hidden=True)
        self._leave = self._button("Close", "close", self.show_list)
        self._mark = self._button("Path from here", "flag", self._set_start)
        self._connect = self._button("Path to here", "path", self._show_path)
        self._radius = Choice("graph", [("no picture", 0), ("direct", 1), ("two links away", 2)], value=1)
        self._network = Network(report=self.report, height=380, panel=False, comm=Channel())

    def _lay_out(self) -> None:
        self._list = Column([self.finder.results], share=1)
        self._around = Column(
            [self._relations, self._related, Row([self._mark, self._connect, self._radius]), self._network]
        )
        self._object = Column(
            [
                Row([self._back, self._forward, self._leave, self._trail]),
                self._head,
                Row([self._shares, self._lost, self._tell_life]),
                self._life,
                self._around,
            ],
            share=2,
            hidden=True,  # until something is picked
        )
        self.children = [
            self._days,
            Row([self.finder.text, self.finder.types]),
            Row([self._status, self.finder.meant, self.finder.widen]),
            Row([self._list, self._object], look="split"),
        ]

    def _listen(self) -> None:
        self._network.on_select(self.guarded(self._picked_in_graph))
        self._network.on_expand(self.guarded(self._expand))
        self.finder.results.observe(self.guarded(lambda _: self._fade()), "view")
        self._related.observe(self.guarded(lambda _: self._picked_related()), "selected_rows")
        self._relations.observe(self.guarded(lambda _: self._show_related()), "value")
        self._radius.observe(self.guarded(lambda _: self._show_picture()), "value")

    def _button(self, text: str, icon: str, action: Callable[[], object], **facts: Any) -> Button:  # noqa: ANN401
        button = Button(text, icon, **facts)
        button.on_click(self.guarded(lambda _: action()))
        return button

    def _crumb(self, place: int) -> Button:
        """One of the objects that were looked at, the last ones."""
        return self._button("", "", lambda: self._go(self._first_crumb + place - self._at), look="crumb", hidden=True)

    # What a person, or a notebook, does.

    def search(self, text: str, type: str | None = None) -> None:
        """Search as if the text were typed. The results are available immediately."""
        self.finder.search(text, type)

    def pick(self, row: int) -> None:
        """Pick a row of the results as if it were clicked."""
        expect_options("pick", "whole number", row=row)
        self.finder.results.pick([row])

    def select(self, id: str, type: str | None = None) -> None:
        """Show an object.

        Raises
        ------
        KeyError
            No object has this id.
        """
        self._show(id, type)

    def _show(self, id: str, type: str | None, *, redraw: bool = True) -> None:
        if text := self.roster.wait_for("object"):
            self.say(text)
        self._visit(id, type, redraw=redraw)
        self.say("")
        assert self._description is not None
        place = _Place(self._description.id, self._description.type, self._description.label)
        if self._at < 0 or self._places[self._at] != place:
            self._places = [*self._places[: self._at + 1], place]
            self._at = len(self._places) - 1
        self._renew_moves()
        self._renew_life()

    def show_list(self) -> None:
        """Close the object, so that the list takes up the whole width again."""
        self.selected, self._description, self._path_from, self.related = None, None, None, pd.DataFrame()
        self.finder.results.pick([])
        self._share_width(alone=True)

    @property
    def report(self) -> Report | None:
        """The report whose findings are shown with the objects. Set it to show another.

        Raises
        ------
        ValueError
            A history is being browsed.
        """
        return self._report

    @report.setter
    def report(self, report: Report | None) -> None:
        if self.history is not None:
            _expect_no_report(report)
        self._report = self._network.report = report
        self._renew_all()

    @property
    def day(self) -> date | None:
        """The day of a history on screen. Set it to show another day; the search, filters and object are kept.

        Raises
        ------
        ConfigurationError
            The browsed roster is not a history.
        ValueError
            The history does not have this day.
        """
        return self._days.day

    @day.setter
    def day(self, day: str | date) -> None:
        self._open_day(day)

    def _open_day(self, day: str | date) -> None:
        if self.history is None:
            raise ConfigurationError("This is a single roster without days; kx.browse(kx.history(folder)) shows days.")
        when = day_of(day)
        self.say(f"Opening {long_day(when)} …")
        try:
            self.roster = self.history.open(when)
            self._days.show(self.history.days, when)
        except BaseException:
            self._days.take_back()
            self.say("")
            raise
        self._renew_all()

    def _renew_all(self) -> None:
        """Show another day, or another report, as the one before was shown."""
        self.finder.renew(self.roster, self.report)
        if self.selected is not None:
            relation = self._relations.value
            self._visit_place()
            self._choose_relation(relation)
            place = self._places[self._at]
            self.finder.mark(place.id, place.type)

    @property
    def table(self) -> pd.DataFrame:
        """The list or search results."""
        return self.finder.table

    @property
    def filter(self) -> dict[str, list[str]]:
        """What is kept of ``table``: the labels of bars by column, such as ``{"grade": ["09", "10"]}``.

        Set it to filter the list; an empty dict shows all rows.

        Raises
        ------
        ValueError
            The list has no such column, or the column no such bar.
        TypeError
            The labels of a column are a text, not a list.
        """
        return self.finder.filter

    @filter.setter  # noqa: A003  the name that was promised; the builtin is not used here
    def filter(self, chosen: Mapping[str, Sequence[str]]) -> None:
        self.finder.filter = chosen

    @property
    def shown(self) -> pd.DataFrame:
        """The rows of ``table`` that the filter keeps, in the order on screen."""
        return self.finder.shown

    @property
    def state(self) -> dict[str, Any]:
        """What is on screen, as a small dict for JSON. It holds ids and typed text.

        Set it to restore the same view; anything that the roster no longer holds is left out.
        """
        return {
            "day": None if self.day is None else str(self.day),
            **self.finder.state,
            "places": [[place.type, place.id] for place in self._places],
            "at": self._at,
            "open": self.selected is not None,
            "life": not self._life.hidden,
            "radius": self._radius.value,
            "relation": None if self._relations.value is None else list(self._relations.value),
            "start": _named(self._start),
            "path": _named(self._path_from),
        }

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        expect_options("Browser", "dict", state=state)
        self._day_again(state.get("day"))
        self.finder.state = state
        radius = state.get("radius", 1)
        self._radius.value = radius if radius in self._radius.values else 1
        self.show_list()
        self._life.hidden = self.history is None or not state.get("life")
        at = int(state.get("at", -1))
        self._places, self._at = [], -1
        for number, named in enumerate(state.get("places", [])):
            place = self._place(named)
            if place is not None:
                self._places.append(place)
                self._at += number <= at
        if self._places and state.get("open"):
            self._at = max(0, self._at)
            self._visit_place()
            self._choose_relation(state.get("relation"))
            self._path_again(state.get("path"))
        self._start = self._place(state.get("start"))
        self._renew_moves()

    def _path_again(self, start: Sequence[str] | None) -> None:
        """Show the path to the object on screen, where both ends are still there."""
        self._start = self._place(start)
        if self._description is not None and self._start and self._label(self._start.id, self._start.type) is not None:
            self._show_path()

    def _place(self, named: Sequence[str] | None) -> _Place | None:
        """The object of a type and an id, where the roster knows it."""
        type, id = named or ("", "")
        label = self._label_on_any_day(id, type) if id else None
        return None if label is None else _Place(id, type, label)

    def _day_again(self, day: str | None) -> None:
        """Open a day, where it is kept."""
        if self.history is not None and day is not None and day in map(str, self.history.days):
            self.day = day

    def _choose_relation(self, relation: Sequence[str] | None) -> None:
        """Show these related objects, where there are any."""
        if relation is not None and tuple(relation) in self._relations.values:
            self._relations.value = tuple(relation)

    def _label(self, id: str, type: str) -> str | None:
        """What an object is called; None where the roster does not know it."""
        index = self.roster.subset_around(id, radius=0).index
        try:
            return str(index.labels([index.code(id, type)])[0])
        except KeyError:
            return None

    def _label_on_any_day(self, id: str, type: str) -> str | None:
        """What an object is called, or was when it was last seen; None where no day knows it."""
        label = self._label(id, type)
        if label is not None or self.history is None:
            return label
        try:
            last = self.history.stays(TABLE_OF[type], id)["last"].iloc[-1]
        except KeyError:
            return None
        return str(self.history.open(last).describe(id, type).label)

    def back(self) -> None:
        """Show the previous object."""
        self._go(-1)

    def forward(self) -> None:
        """Show the next object, after going back."""
        self._go(1)

    # What happens then.

    def _share_width(self, *, alone: bool) -> None:
        """The list takes the whole width, or leaves the larger part to the object."""
        self._object.hidden = alone
        self.finder.narrow(beside=not alone)

    def _picked_related(self) -> None:
        if self._related.selected_rows:
            row = self.related.iloc[self._related.selected_rows[0]]
            self._open(row["id"], row["type"])

    def _open(self, id: str, type: str) -> None:
        self.select(id, type)
        self._object.reveal()

    def _go(self, steps: int) -> None:
        if 0 <= self._at + steps < len(self._places):
            self._at += steps
            self._visit_place()

    def _visit_place(self) -> None:
        """Show the object where one is; of a day without it, that it is not there."""
        place = self._places[self._at]
        if self.history is not None and self._label(place.id, place.type) is None:
            self._show_absence(place)
        else:
            self._visit(place.id, place.type)
            assert self._description is not None
            self._places[self._at] = place._replace(label=self._description.label)
        self._renew_moves()
        self._renew_life()

    def _show_absence(self, place: _Place) -> None:
        assert self.day is not None
        self.selected, self._description, self._path_from, self.related = place.id, None, None, pd.DataFrame()
        kind, day = value_words(place.type), long_day(self.day)
        self._head.value = render("absent.html", label=place.label, kind=kind, id=place.id, day=day)
        self._shares.hidden = self._lost.hidden = self._around.hidden = True
        self._share_width(alone=False)
        self.say(f"{place.label} is not in the roster on {day}.")  # where it is narrow, the list stands before it

    def _open_life(self) -> None:
        self._life.hidden = not self._life.hidden
        self._renew_life()

    def _renew_life(self) -> None:
        """Tell the life of the object, where somebody wants to see it."""
        self._tell_life.description = "History" if self._life.hidden else "Hide history"
        if self.history is None or self._life.hidden:
            return
        place, about = self._places[self._at], self._description
        self._life.value = ""
        try:
            changes = self.history.changes(TABLE_OF[place.type], place.id)
        except KeyError as error:  # others name it, but no day has it
            self._life.value = line(str(error.args[0]))
        except KimonoError as error:
            self.show_error(error)
        else:
            self._life.value = life_html(changes, place.type, {} if about is None else _names(about))

    def _visit(self, id: str, type: str | None, *, redraw: bool = True) -> None:
        self._description = self._near(id).describe(id, type)
        self.selected = self._description.id
        self._head.value = object_html(self._description, self.report)
        self._shares.hidden = self._description.type != "person"
        self._lost.hidden = self._around.hidden = False
        if self._object.hidden:
            self._share_width(alone=False)
        relations = self._description.relations
        groups = relations.groupby(["relation", "direction"], observed=True, sort=False).size().reset_index(name="n")
        groups = groups.sort_values(["direction", "n"], ascending=[False, True], kind="stable")
        options = [
            (f"{LINK_NAMES.get((relation, direction), relation)} {n:,}", (relation, direction))
            for relation, direction, n in zip(groups["relation"], groups["direction"], groups["n"], strict=True)
        ]
        with self._relations.hold_trait_notifications():
            self._relations.options = options
            self._relations.value = options[0][1] if options else None
        self._show_related()
        if redraw:
            self._show_picture()

    def _show_related(self) -> None:
        self._path_from = None
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
        # What says nothing is left to the menu of columns.
        plain = {"stated_by"} if shown["stated_by"].eq("both").all() else set()
        plain |= {"role"} if len(shown) > 1 and "role" in shown and shown["role"].nunique(dropna=False) == 1 else set()
        self._related.show_columns(n for n, name in enumerate(shown) if name not in plain)

    def _show_shared(self) -> None:
        if self._description is not None:
            shared = shared_classes(self.roster.subset_around(self._description.id, radius=2), self._description.id)
            named = shared.rename(columns={"person_id": "id", "name": "label"}).assign(type="person")
            self._answer(named, ["label", "person_type", "classes", "sections", "id"])
            self.say(f"{plural(len(named), 'person')} in the same classes.")

    def _show_lost(self) -> None:
        if self._description is not None:
            about = self._description
            lost = dependents(self.roster.subset_around(about.id, radius=2), about.id, about.type)
            self._answer(lost, ["type", "label", "relation", "lost", "id"])
            nothing = (
                "Nothing depends on it alone." if lost.empty else f"{len(lost):,} would be left without any other."
            )
            self.say(nothing)

    def _answer(self, related: pd.DataFrame, columns: list[str]) -> None:
        """Show what answers a question in place of a relation."""
        self._relations.value = None
        self._path_from = None
        self.related = related
        self._related.fill(related[columns])

    def _show_picture(self) -> None:
        self._network.hidden = not self._radius.value
        if self._description is not None and self._radius.value:
            about = self._description
            self._network.show(self._graph(about.id, self._radius.value, about.type), about.label)
            self._fade()

    def _fade(self) -> None:
        """What the filter of the list leaves out is pale in the picture."""
        drawn = {
            (str(data["type"]), node.removeprefix(f"{data['type']}:")): node
            for node, data in self._network.graph.nodes(data=True)
        }
        left_out = self.finder.left_out([id for _, id in drawn])
        self._network.fade(drawn[one] for one in left_out if one in drawn)

    def _graph(self, id: str, radius: int, type: str | None) -> nx.MultiDiGraph[str]:
        return neighborhood(self.roster.subset_around(id, radius=radius), id, radius, limit=_MOST_NODES, type=type)

    def _picked_in_graph(self, node: str) -> None:
        """The object opens beside the graph, which stays as it is."""
        data = self._network.graph.nodes[node]
        if data["missing"]:
            self.say("This object is referenced by others, but was not delivered: there is nothing more to show.")
        else:
            self._show(self._id(node), data["type"], redraw=False)

    def _expand(self, node: str) -> None:
        """What a node is linked with is drawn, too."""
        self._network.add(self._graph(self._id(node), 1, self._network.graph.nodes[node]["type"]))
        self._fade()

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
        ends = self._start.id, here.id, self._start.type, here.type
        ways = shortest_path(near, *ends, count=_MOST_WAYS)
        if ways.empty:
            longest = self.roster.longest_path
            self.say(f"No path{f' of at most {longest} links' if longest else ''} connects the two.")
            return
        direct = shortest_path(near, *ends, avoid_hubs=False)
        self._relations.options = []
        self._path_from = self._start
        self.related = ways
        shown = (
            ways[["way", "type", "label", "relation", "id"]]
            if ways["way"].max() > 1
            else ways[["type", "label", "relation", "id"]]
        )
        self._related.fill(shown.assign(relation=ways["relation"].str.replace("_", " ")))
        if self._radius.value:
            self._network.show(graph_of_paths(near, ways), f"{self._start.label} and {here.label}")
            self._fade()
        self.say(_told_ways(ways, direct))

    def _near(self, id: str) -> Roster:
        """A roster that holds what is around an object, as far as the picture goes."""
        return self.roster.subset_around(id, radius=max(1, self._radius.value))

    def _renew_moves(self) -> None:
        self._back.disabled = self._at <= 0
        self._forward.disabled = self._at >= len(self._places) - 1
        for number, crumb in enumerate(self._trail.children, self._first_crumb):
            crumb.hidden = number > self._at
            crumb.disabled = number == self._at
            if number <= self._at:
                place = self._places[number]
                crumb.description, crumb.tooltip = shorten(place.label, 24), f"{place.type} {place.label}"

    @property
    def _first_crumb(self) -> int:
        return max(0, self._at - _TRAIL + 1)


def _named(place: _Place | None) -> list[str] | None:
    return None if place is None else [place.type, place.id]


def _opened(roster: Explorable | str | os.PathLike[str]) -> Explorable:
    return open_to_browse(roster) if isinstance(roster, (str, PathLike)) else roster


def _names(about: Description) -> dict[tuple[str, str], str]:
    """What the objects are called that an object is linked with, by type and id."""
    near = about.relations
    return dict(zip(zip(near["type"], near["id"], strict=True), near["label"].astype(str), strict=True))


def _told_ways(ways: pd.DataFrame, direct: pd.DataFrame) -> str:
    """The best path, how many others there are, and which hubs were avoided: a path through them says little."""
    best, more = ways[ways["way"] == 1], int(ways["way"].max()) - 1
    told = f"A shortest path: {' → '.join(best['label'])}."
    if more:
        told += f" {'Another way is' if more == 1 else f'{more} other ways are'} listed and drawn below."
    if len(direct) < len(best):
        told += f" A shorter one, through {' and '.join(direct['label'].iloc[1:-1])}, says little and was avoided."
    elif hubs := ways.attrs["hubs"]:
        told += f" Only {' and '.join(hubs)} {'connects' if len(hubs) == 1 else 'connect'} the two."
    return told


def _expect_no_report(report: Report | None) -> None:
    if report is not None:
        raise ValueError("A report covers one day: use browse(history.open(day), report) instead.")
