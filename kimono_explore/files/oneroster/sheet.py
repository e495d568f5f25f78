"""One file of a bundle on its way out: cells that are made to fit the standard, and reports on those that do not.

A cell that does not fit is emptied; a row that then lacks something the standard requires is left out. Both are reported,
but for a row that is left out, not its single cells.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from kimono_explore.files.oneroster.standard import GUID, Cell
from kimono_explore.frames import frame
from kimono_explore.schema import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable

FEW = 20
"""At most this many of a kind are reported one by one; if there are more, one row counts them."""
BREAKS = re.compile("[\x00\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]+")
SYNONYMS: dict[str, dict[str, str]] = {
    "orgs.type": {"lea": "district", "sea": "state"},
    "academicSessions.type": {"quarter": "gradingPeriod", "trimester": "term", "session": "term"},
    "demographics.sex": {"m": "male", "f": "female"},
}
"""File and column -> a value as it is folded -> the standard's word for it."""
SILENT = {("orgs.type", "lea"), ("orgs.type", "sea")}


class Notes:
    """What is left out, derived or written in other words."""

    def __init__(self) -> None:
        self._rows: list[Problem] = []
        self._alike: defaultdict[tuple[str, str | None, str], list[Problem]] = defaultdict(list)

    def add(self, table: str, id: str | None, column: str | None, value: str | None, problem: str) -> None:
        """Report one cell or row; many of a kind become one row that counts them."""
        self._alike[table, column, problem].append(Problem(table, id, column, value, problem))

    def count(self, table: str, column: str | None, number: int, problem: str) -> None:
        """Report how many there are, if any."""
        if number:
            self._rows.append(Problem(table, None, column, str(number), f"{problem}; value counts them"))

    def frame(self) -> pd.DataFrame:
        """Everything that was reported, as a table."""
        rows = list(self._rows)
        for (table, column, problem), alike in self._alike.items():
            if len(alike) > FEW:
                rows.append(Problem(table, None, column, str(len(alike)), f"{problem}; value counts them"))
            else:
                rows.extend(alike)
        return frame("problems", {name: [row[n] for row in rows] for n, name in enumerate(Problem._fields)})


def fold(text: str) -> str:
    """A word of an enumeration for comparison: without case, blanks and punctuation."""
    return re.sub(r"[\W_]+", "", text.lower())


def blank(values: pd.Series) -> pd.Series:
    """True where a cell holds nothing that a reader would take for a value."""
    return values.isna() | (values.fillna("").str.strip() == "")


def one_line(text: str) -> str:
    """The text without what a reader might take for the end of a line."""
    return BREAKS.sub(" ", text)


class Sheet:
    """The rows of one file.

    Parameters
    ----------
    file, table : str
        The standard's name of the file, and the table under which its rows are reported.
    ids : pandas.Series
        The objects' ids as text, None where there is none; its index is that of every column.
    notes : Notes
    """

    def __init__(self, file: str, table: str, ids: pd.Series, cells: tuple[Cell, ...], notes: Notes) -> None:
        self.file, self.table, self.notes, self.ids = file, table, notes, ids
        self.layout = cells
        self.columns: dict[str, pd.Series] = {cell.name: self.empty() for cell in cells}
        self.columns["sourcedId"] = ids
        self.ours: dict[str, str] = {"sourcedId": "id"}  # the names that the roster has for the columns
        self.given: dict[str, pd.Series] = {}
        self.out = pd.Series(False, index=ids.index)
        self._pending: list[tuple[Any, str, str | None, str]] = []

    def empty(self) -> pd.Series:
        """A column without values."""
        return pd.Series([None] * len(self.ids), index=self.ids.index, dtype="object")

    def put(self, name: str, values: pd.Series, ours: str | None = None) -> None:
        """Fill a column, and keep the original values for reports."""
        self.columns[name] = values.astype("object").where(values.notna(), None)
        self.given.setdefault(name, self.columns[name])
        if ours is not None:
            self.ours[name] = ours

    def tell(self, name: str, where: pd.Series, problem: str | Callable[[str], str]) -> None:
        """Report cells of a column with their original values; only rows that are written are reported."""
        column, given = self.ours.get(name, name), self.given.get(name, self.columns[name])
        for row, value in given[where].items():
            text = problem if isinstance(problem, str) else problem(value)
            self._pending.append((row, column, value, text))

    def say(self, row: Hashable, column: str, value: str | None, problem: str) -> None:
        """Report one cell, if its row is written."""
        self._pending.append((row, column, value, problem))

    def fill(self, name: str, where: pd.Series, values: pd.Series | str, problem: str) -> None:
        """Fill empty cells by a rule, and report it."""
        values = pd.Series(values, index=self.ids.index, dtype="object") if isinstance(values, str) else values
        where = where & self.columns[name].isna() & values.notna()
        column = self.ours.get(name, name)
        self._pending.extend((row, column, value, problem) for row, value in values[where].items())
        self.columns[name] = self.columns[name].where(~where, values).astype("object")

    def leave_out(self, where: pd.Series, name: str, problem: str) -> None:
        """Leave rows out and report why; only the first reason counts."""
        where = where & ~self.out
        given = self.given.get(name, self.columns[name])
        column = self.ours.get(name, name)
        for id, value in zip(self.ids[where], given[where], strict=True):
            self.notes.add(self.table, id, column, value, f"{problem}: the row is left out")
        self.out |= where

    def fit(self) -> None:
        """Make every cell fit its column, except for references."""
        for cell in self.layout[1:]:
            values = self.columns[cell.name]
            if cell.kind == "guid" or values.isna().all():
                continue
            self.given.setdefault(cell.name, values)
            if cell.kind == "enum":
                self._words(cell, values)
            elif cell.kind == "boolean":
                lower = values.str.lower()
                self._cells(cell.name, lower.where(lower.isin(["true", "false"])), _flag)
            elif cell.kind == "string":
                self._text(cell, values)
        self._same_length()

    def _cells(self, name: str, fitted: pd.Series, problem: str | Callable[[str], str], *, quiet: bool = False) -> None:
        """Replace a column's values, and report the changes."""
        before = self.columns[name]
        fitted = fitted.astype("object").where(fitted.notna(), None)
        if not quiet:
            self.tell(name, before.notna() & (before != fitted), problem)
        self.columns[name] = fitted

    def _text(self, cell: Cell, values: pd.Series) -> None:
        single = values.map(one_line, na_action="ignore")
        self._cells(cell.name, single, "line breaks are written as spaces")
        if cell.many:
            listed = self.columns[cell.name].map(lambda text: _items(text, cell.item), na_action="ignore")
            self._cells(
                cell.name,
                listed.where(listed != ""),
                "the list holds items that the standard has no place for: left out",
            )

    def _words(self, cell: Cell, values: pd.Series) -> None:
        place = f"{self.file}.{cell.name}"
        words = {fold(word): word for word in cell.enum} | SYNONYMS.get(place, {})
        found: dict[str, str | None] = {}
        for value in values.dropna().unique():
            word = value if value in cell.enum else words.get(fold(value))
            if word is None and cell.extensible and value.strip():
                clean = one_line(value)
                word = clean if re.fullmatch("ext:.+", clean) else f"ext:{clean}"
            found[value] = word
        fitted = values.map(found, na_action="ignore")
        before = values.notna() & (values != fitted)
        silent = values.map(lambda value: (place, value) in SILENT, na_action="ignore").fillna(False).astype("bool")
        self.tell(cell.name, before & fitted.notna() & ~silent, lambda value: f"{value} is written as {found[value]}")
        self.tell(cell.name, before & fitted.isna(), f"is not one of {', '.join(cell.enum)}: left out")
        self.columns[cell.name] = fitted.astype("object").where(fitted.notna(), None)

    def _same_length(self) -> None:
        for cell in self.layout:
            if cell.same_length_as:
                ours, theirs = self.columns[cell.name], self.columns[cell.same_length_as]
                differ = ours.notna() & theirs.notna() & (ours.str.count(",") != theirs.str.count(","))
                self.tell(cell.name, differ, f"not as many items as {cell.same_length_as}: left out")
                self.columns[cell.name] = ours.where(~differ, None)

    def refer(self, name: str, known: Mapping[str, str | None] | Collection[str], *, of_type: str = "") -> None:
        """Keep those ids in a column that are found; only the first in a column that takes one."""
        cell = next(cell for cell in self.layout if cell.name == name)
        column = self.ours.get(name, name)
        self.given.setdefault(name, self.columns[name])
        types = known if isinstance(known, Mapping) else {}
        kept: dict[Hashable, str | None] = {}
        for row, text in self.columns[name].dropna().items():
            ids = list(dict.fromkeys(part for part in (part.strip() for part in text.split(",")) if part))
            fitting = [id for id in ids if id in known and (not of_type or types.get(id) == of_type)]
            for id in ids:
                if id not in fitting:
                    what = f"is not in {cell.refers}.csv" + (f" with the type {of_type}" if of_type else "")
                    self.say(row, column, id, f"{what}: the reference is left out")
            if not cell.many and len(fitting) > 1:
                self.say(row, column, ",".join(fitting[1:]), "OneRoster allows only one; the first is written")
                fitting = fitting[:1]
            kept[row] = ",".join(fitting) or None
        self.columns[name] = pd.Series([kept.get(row) for row in self.ids.index], index=self.ids.index, dtype="object")

    def check_rows(self) -> None:
        """Leave out rows whose id does not fit or came before, and rows that lack what the standard requires."""
        self.leave_out(self.ids.isna(), "sourcedId", "an object without an id")
        bad = self.ids.map(lambda text: GUID.fullmatch(text) is None, na_action="ignore").fillna(False).astype("bool")
        text = "an id holds other characters than OneRoster allows (A-Z a-z 0-9 . - _ / @), or more than 255"
        self.leave_out(bad, "sourcedId", text)
        for cell in self.layout[1:]:
            if cell.required:
                self.leave_out(
                    blank(self.columns[cell.name]),
                    cell.name,
                    f"{self.file}.csv requires {cell.name} and there is none that fits",
                )
        again = self.ids.where(~self.out).duplicated() & ~self.out
        self.leave_out(again, "sourcedId", "an earlier row with this id is written")

    def rows(self, extra: Mapping[str, pd.Series] | None = None) -> pd.DataFrame:
        """The rows as they are written; reports what is pending."""
        for row, column, value, problem in self._pending:
            if not self.out[row]:
                self.notes.add(self.table, self.ids[row], column, value, problem)
        return pd.DataFrame({**self.columns, **(extra or {})}, dtype="object", index=self.ids.index)[~self.out]


def _flag(given: str) -> str:
    lower = given.lower()
    return f"{given} is written as {lower}" if lower in ("true", "false") else "is neither true nor false: left out"


def _items(text: str, pattern: str) -> str:
    items = [item for item in text.split(",") if item.strip()]
    return ",".join(item for item in items if not pattern or re.fullmatch(pattern, item))
