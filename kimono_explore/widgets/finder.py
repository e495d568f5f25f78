"""The list of a browser: its search, the types to choose from, its filter, and what is said where nothing is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kimono_explore.errors import expect
from kimono_explore.roster.query import words_to_mark
from kimono_explore.schema import TABLE_OF
from kimono_explore.widgets.channel import Channel
from kimono_explore.widgets.controls import Button, Choice, Text
from kimono_explore.widgets.listing import listing, object_types, on_screen
from kimono_explore.widgets.table import DataTable
from kimono_explore.widgets.words import column_words, kind_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pandas as pd

    from kimono_explore.quality import Report
    from kimono_explore.roster.explorable import Explorable
    from kimono_explore.roster.roster import Step
    from kimono_explore.widgets.parts import Panel

_BRIEF = ("name", "kind", "type", "label", "findings")
"""The columns of the list that stay when an object stands beside it."""
_FOUND = ("type", "kind", "label", "school", "grade", "detail", "local_id", "id")
"""The columns of what a search finds, those of people where there are people."""


class Finder:
    """The list of a roster's objects with a search over it, whose controls stand in a panel.

    Parameters
    ----------
    panel : Panel
        It shows what is said and what goes wrong.
    roster : Explorable
    report : Report or None
        Its findings are counted in the list.
    open : callable
        What to do when a person picks a row: it is given the object's id and type.

    Attributes
    ----------
    text, types : Text, Choice
        What is searched for, and of which type.
    results : DataTable
        The list on screen.
    meant, widen : Button
        What else can be searched for, where little or nothing was found.
    table : pandas.DataFrame
        All of the list, as `Browser` promises it.
    """

    def __init__(
        self, panel: Panel, roster: Explorable, report: Report | None, open: Callable[[str, str], object]
    ) -> None:
        self._panel, self._open = panel, open
        self._roster, self._report = roster, report
        self._listings: dict[str, pd.DataFrame] = {}
        self._is_beside = self._is_marking = False
        self.table = roster.search("")
        self.text = Text("Search", placeholder="Search names, titles, e-mails, ids", look="search", width=360)
        self.types = Choice("only", self._kinds())
        said = {"type": kind_words}
        self.results = DataTable(label="Results", height=560, words=column_words, values=said, comm=Channel())
        self.meant = Button("Did you mean", "search", hidden=True)
        self.widen = Button("Search all types", "close", hidden=True)
        self._listen()

    def _listen(self) -> None:
        guarded, later = self._panel.guarded, self._panel.later
        self.text.observe(lambda _: later("search", 0.2, guarded(self._search)), "value")
        self.text.on_enter(guarded(self._open_first))
        self.types.observe(guarded(lambda _: self._search()), "value")
        self.results.observe(guarded(lambda _: self._picked()), "selected_rows")
        self.meant.on_click(guarded(lambda _: self._search_what_was_meant()))
        self.widen.on_click(guarded(lambda _: self._search_wider()))

    # What a person, or a browser, does.

    def search(self, text: str, type: str | None = None) -> None:
        """Search as if the text were typed."""
        expect("search", text, str)
        self.types.value = type or ""
        self.text.value = text
        self._panel.call_off("search")
        self._search()

    def renew(self, roster: Explorable, report: Report | None) -> None:
        """List another roster, or with another report, searched, sorted and filtered as before."""
        self._roster, self._report = roster, report
        self._listings.clear()
        self._panel.call_off("search")
        self.types.options = self._kinds()
        self._search(keep=True)

    def narrow(self, *, beside: bool) -> None:
        """Leave room for an object beside the list, or not."""
        self._is_beside = beside
        self._narrow_list()

    @property
    def filter(self) -> dict[str, list[str]]:
        """What is kept of ``table``: the labels of bars by column."""
        return {str(column): labels for column, labels in self.results.filter.items()}

    @filter.setter  # noqa: A003  the name that was promised; the builtin is not used here
    def filter(self, chosen: Mapping[str, Sequence[str]]) -> None:
        known = {str(name): self.results.bars(at) for at, name in enumerate(self.results.df.columns)}
        for name, labels in chosen.items():
            if name not in known:
                raise ValueError(f"Unknown column {name!r}. Choose one of: {', '.join(known)}.")
            if isinstance(labels, str):
                raise TypeError(f"A filter has lists of labels, such as {{{name!r}: [{labels!r}]}}.")
            for label in labels:
                if label not in known[name]:
                    raise ValueError(f"{label!r} is not a bar of {name}. Choose one of: {', '.join(known[name])}.")
        self.results.clear()
        self._filter_again(chosen)

    @property
    def shown(self) -> pd.DataFrame:
        """The rows of ``table`` that the filter keeps, in the order on screen."""
        return self.table.iloc[self.results.shown.index]

    @property
    def state(self) -> dict[str, Any]:
        """What is searched for and how the list stands, for JSON; set, it comes back as far as the roster has it."""
        return {
            "search": self.text.value,
            "type": self.types.value,
            "filter": self.filter,
            "sort": None if self.results.sorted_by is None else list(self.results.sorted_by),
            "columns": self.results.arrangement,
        }

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        type = state.get("type", "")
        self.search(str(state.get("search", "")), type if type in self.types.values else None)
        self._filter_again(state.get("filter", {}))
        if "sort" in state:
            self._sort_again(state["sort"])
        self.results.arrangement = state.get("columns", {})

    def mark(self, id: str, type: str) -> None:
        """Pick an object in the list, too, where it is listed."""
        mine = (self.table["id"] == id) & (self.table["type"] == type)
        self._is_marking = True
        self.results.pick(row for row in np.flatnonzero(mine).tolist() if row in self.results.shown.index)
        self._is_marking = False

    def left_out(self, ids: list[str]) -> Iterator[tuple[str, str]]:
        """Type and id of each object in ``table`` with one of these ids that the filter leaves out."""
        gone = np.ones(len(self.table), dtype=bool)
        gone[self.results.shown.index] = False
        gone &= self.table["id"].isin(ids).to_numpy(dtype=bool)
        return zip(self.table["type"][gone], self.table["id"][gone], strict=True)

    # What happens then.

    def _kinds(self, found: Mapping[str, int] | None = None) -> list[tuple[str, str]]:
        """The types of objects that the roster has, and how many there are of each, or were found where that is known."""
        counts = self._roster.counts()
        types = object_types(counts)
        many = {type: counts[TABLE_OF[type]] for type in types} if found is None else found
        words = {type: "people" if type == "person" else TABLE_OF[type].replace("_", " ") for type in types}
        return [
            ("all", ""),
            *((f"{words[type]} {many[type]:,}" if type in many else words[type], type) for type in types),
        ]

    def _search(self, *, keep: bool = False) -> None:
        """List what is searched for; where it is to keep them, sorted and filtered as before."""
        text, type = self.text.value, self.types.value or None
        self.meant.hidden = self.widen.hidden = True
        kinds = [type] if type else object_types(self._roster.counts())[:1]
        if not text.strip() and kinds:
            self._show_listing(kinds[0], keep=keep)
        else:
            self._show_found(text, type, keep=keep)
        self._narrow_list()

    def _show_listing(self, type: str, *, keep: bool) -> None:
        self.types.options = self._kinds()
        if type not in self._listings:
            self._say_wait("object")
            self._listings[type] = listing(self._roster.subset_of(type), type, self._report)
        self.table = self._listings[type]
        self.results.fill(on_screen(self.table), keep=keep)
        if not keep:
            self.results.sort(0)
        everything = "" if self.types.value else " A search looks through all types."
        many = self._roster.counts()[TABLE_OF[type]]
        first = f"The first {len(self.table):,} of " if len(self.table) < many else ""
        self._panel.say(f"{first}{kind_words(type, many)}.{everything}")

    def _show_found(self, text: str, type: str | None, *, keep: bool) -> None:
        if text:
            self._say_wait("search")
        self.table = self._of_people(self._roster.search(text, type, limit=200))
        marks = dict.fromkeys(("label", "detail", "local_id", "id"), words_to_mark(text))
        left_out = {name for name in self.table if self.table[name].isna().all()} - {"type", "label", "id"}
        only_people = "kind" in self.table and (self.table["type"] == "person").all()
        left_out |= {"type"} if only_people and "kind" not in left_out else {"kind"}
        self.results.fill(
            self.table[[name for name in _FOUND if name in self.table and name not in left_out]],
            keep=keep,
            marks=marks,
        )
        found, more = self.table.attrs["found"], "more than " if self.table.attrs.get("more") else ""
        shown = f"{more}{found:,} found"
        if found > len(self.table):
            shown += f", {len(self.table)} shown: type more"
        by_type = self.table.attrs["by_type"]
        self.types.options = self._kinds(by_type)
        if found == 0 and text.strip():
            shown = _nothing_found(text, type, by_type)
            self.widen.description = "Search all types" if self._may_be_elsewhere(by_type) else "Clear the search"
            self.widen.hidden = False
        self._panel.say(shown if text.strip() else "")
        self._suggest(self.table.attrs.get("did_you_mean"), type)

    def _may_be_elsewhere(self, by_type: Mapping[str, int]) -> bool:
        """Whether another type than the chosen one matches; on disk, not all have been looked at."""
        return bool(self.types.value) and any(by_type.get(type, 1) for type in self.types.values if type)

    def _search_wider(self) -> None:
        """Look through all types where another one may match; elsewhere list the type again."""
        if self._may_be_elsewhere(self.table.attrs["by_type"]):
            self.search(self.text.value)
        else:
            self.search("", self.types.value)

    def _of_people(self, found: pd.DataFrame) -> pd.DataFrame:
        """What was found, of people with their kind, school and grade, where a list of all of them is at hand."""
        people, here = self._listings.get("person"), found["type"] == "person"
        if people is None or len(people) < self._roster.counts()["persons"] or not here.any():
            return found
        known = people[people["id"].isin(found.loc[here, "id"].dropna())].drop_duplicates("id").set_index("id")
        of_each = known.reindex(found["id"].where(here)).set_axis(found.index)
        return found.assign(**{name: of_each[name] for name in ("kind", "school", "grade") if name in of_each})

    def _suggest(self, meant: str | None, type: str | None) -> None:
        if meant is not None:
            found = self._roster.search(meant, type, limit=1)
            more = "more than " if found.attrs.get("more") else ""
            self.meant.description = f"Did you mean {meant}? It finds {more}{found.attrs['found']:,}."
            self.meant.tooltip = f"Search for {meant}"
            self.meant.hidden = False

    def _search_what_was_meant(self) -> None:
        self.search(str(self.table.attrs.get("did_you_mean") or self.text.value), self.types.value)

    def _sort_again(self, sort: Sequence[Any] | None) -> None:
        """Sort by a column, where it is there; None: as the rows came."""
        name, descending = sort or (None, False)
        names = [None, *map(str, self.results.df.columns)]
        if name in names:
            self.results.sort(None if name is None else names.index(name) - 1, descending=bool(descending))

    def _filter_again(self, filter: Mapping[str, Sequence[str]]) -> None:
        names = [str(name) for name in self.results.df.columns]
        for name, labels in filter.items():
            if name in names:
                bars = self.results.bars(names.index(name))
                self.results.choose(names.index(name), [bars.index(label) for label in labels if label in bars])

    def _narrow_list(self) -> None:
        brief = [column for column, name in enumerate(self.results.df.columns) if name in _BRIEF]
        self.results.show_columns(brief if self._is_beside else None)

    def _open_first(self) -> None:
        """Open the first row of what is searched for by now."""
        if self._panel.call_off("search"):
            self._search()
        first = self.results.shown.index[:1].tolist()
        if first == self.results.selected_rows:
            self._picked()  # somebody may have gone on from there
        else:
            self.results.pick(first)

    def _picked(self) -> None:
        if self.results.selected_rows and not self._is_marking:
            row = self.table.iloc[self.results.selected_rows[0]]
            self._open(row["id"], row["type"])

    def _say_wait(self, step: Step) -> None:
        if text := self._roster.wait_for(step):
            self._panel.say(text)


def _nothing_found(text: str, type: str | None, by_type: Mapping[str, int]) -> str:
    """What was looked for, and what else matches, with counts."""
    others = [
        f"1 {kind_words(other)}" if many == 1 else kind_words(other, many) for other, many in by_type.items() if many
    ]
    told = f"{f'No {kind_words(type)}' if type else 'Nothing'} matches “{text.strip()}”."
    return f"{told} Of other types: {', '.join(others)}." if others else told
