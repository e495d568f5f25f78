"""A table to look at, sort, filter and pick from: the rows stay in Python, the page asks for those on screen."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import numpy as np
import pandas as pd
import traitlets
from traitlets import Bunch

from kimono_explore.display import cell_text, printable
from kimono_explore.errors import KimonoError
from kimono_explore.export import TYPES, file_of, save
from kimono_explore.html import frame_html, render
from kimono_explore.widgets.channel import AFTERWARDS
from kimono_explore.widgets.columns import Columns
from kimono_explore.widgets.crossfilter import Crossfilter
from kimono_explore.widgets.picture import Pictured
from kimono_explore.widgets.words import capital

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from comm.base_comm import BaseComm
    from numpy.typing import NDArray

    from kimono_explore.widgets.bins import Bins

PAGE = 200
"""Rows that the page asks for at a time."""
NARROW = 1_080
"""Pixels below which the spare columns of a table are left out."""
_PART = 4_000_000
"""Bytes of a file that are sent at a time."""
_STATIC = Path(__file__).parent / "static"
_SAMPLE = 100
_AT_ONCE = 40
"""Rows that come with a change, so that nothing is blank until the page has asked."""


class DataTable(Pictured, anywidget.AnyWidget):
    """A table to pick rows from, by mouse or keyboard. Every text is shown as text.

    Each header shows how its column is made up. A click on a bar keeps its rows only, and the bars of all columns follow.

    Parameters
    ----------
    df : pandas.DataFrame, optional
        Of any size: the page gets 200 rows at a time.
    label : str, default "Table"
        What a screen reader calls it.
    many : bool, default False
        Whether several rows can be picked.
    height : int, default 330
        Of the rows and their header at most, in pixels.
    words : callable, optional
        What a column is called on screen, by its name. Default: its name.
    values : mapping of str to callable, optional
        What the values of a column are called on screen, by its name. `filter`, `code` and files have the values as they are.
    comm : comm.base_comm.BaseComm, optional
        How it reaches its page: a `Channel` where a panel shows it. Default: a connection of its own.

    Attributes
    ----------
    selected_rows : list of int
        Positions in ``df`` of the rows that are picked.
    spare : tuple of str
        Columns that are left out where it is narrow; each is one click away, and a file has them.
    file : str
        What its files are called, without an ending. Default: as the label.
    hidden : bool
        Whether it is off the screen, in a panel.
    added : bool
        Whether the last row was picked beside others, or as the first of some: by Space, or with Ctrl or Shift.
    """

    kind: ClassVar[str] = "table"
    _esm = _STATIC / "table.js"
    _css = _STATIC / "table.css"

    label = traitlets.Unicode("Table").tag(sync=True)
    many = traitlets.Bool(False).tag(sync=True)
    height = traitlets.Int(330).tag(sync=True)
    view = traitlets.Dict().tag(sync=True)
    selected_rows = traitlets.List(traitlets.Int()).tag(sync=True)
    hidden = traitlets.Bool(False)

    def __init__(
        self,
        df: pd.DataFrame | None = None,
        label: str = "Table",
        *,
        many: bool = False,
        height: int = 330,
        words: Callable[[str], str] | None = None,
        values: Mapping[str, Callable[[str], str]] | None = None,
        comm: BaseComm | None = None,
    ) -> None:
        self._words, self._values = words, dict(values or {})
        self.file = ""
        self.spare: tuple[str, ...] = ()
        self._is_narrow = False
        self._offered: list[int] | None = None
        super().__init__(label=label, many=many, height=height, comm=comm)
        self._version = self._filled = self._ordered = 0
        self._saving = self._stopped = self.added = False
        self._sorted_by: tuple[int, bool] | None = None
        self.df = pd.DataFrame()
        self._marks: dict[str, Sequence[str]] = {}
        self._before: tuple[str, Callable[[], None]] | None = None
        self._layouts: dict[tuple[str, ...], Columns] = {}
        self._take(pd.DataFrame() if df is None else df)
        self.on_msg(self._hear)

    def __repr__(self) -> str:
        return f"DataTable({self.label!r}, {len(self.df):,} rows)"

    # What a person, or a notebook, does.

    def fill(self, df: pd.DataFrame, *, keep: bool = False, marks: Mapping[str, Sequence[str]] | None = None) -> None:
        """Show these rows; nothing is picked.

        Parameters
        ----------
        df : pandas.DataFrame
        keep : bool, default False
            Sorted and filtered as before, where columns of the same name are there.
        marks : mapping of str to sequence of str, optional
            Words to mark in the cells of a column, by its name; folded (`kimono_explore.roster.text.fold`).
        """
        self._marks = dict(marks or {})
        self._take(df, self._bars if keep else None)

    def _take(self, df: pd.DataFrame, before: Crossfilter | None = None) -> None:
        sort = None if before is None else self._sorted_by
        name = self.df.columns[sort[0]] if sort else ""
        self.df = df
        self._filled += 1
        self._bars = Crossfilter(df, before)
        self._sorted_by = None
        self._order = self._shown = np.arange(len(df))
        names = df.columns.tolist()
        if sort is not None and names.count(name) == 1:
            self._sort(names.index(name), descending=sort[1])
        self._columns = [
            {**_describe(names[column], df.iloc[:, column], self._texts(names[column], df.iloc[:_SAMPLE, column]))}
            | self._called(names[column])
            for column in range(df.shape[1])
        ]
        self._layout = self._layouts.setdefault(tuple(map(str, names)), Columns(names))
        self._offered = None
        self._offer()
        with self.hold_sync():
            self.selected_rows = []
            self._renew(ordered=before is None)

    def pick(self, rows: Iterable[int]) -> None:
        """Pick rows by their position in ``df``, as if they were clicked; those that are not there cannot be."""
        picked = [int(row) for row in rows if 0 <= row < len(self.df)]
        self.selected_rows = picked if self.many else picked[:1]

    def show_columns(self, columns: Iterable[int] | None = None) -> None:
        """Show only these columns, given by position, in this order, and those that somebody chose; None: all.

        What is picked, sorted or filtered stays.
        """
        self._offered = None if columns is None else list(columns)
        self._offer()
        self._renew(ordered=False)

    def _offer(self) -> None:
        names = self._layout.names
        self._layout.offer(self._offered)
        spared = [column for column, name in enumerate(names) if self._is_narrow and name in self.spare]
        self._layout.spared = frozenset(spared)
        self._place_columns()

    @property
    def arrangement(self) -> dict[str, Any]:
        """What was chosen of the columns, for JSON: ``shown``, ``hidden`` and ``pinned`` names, ``widths`` in pixels.

        It stays when the table is filled with the same columns again. Set, it brings the same back.
        """
        return self._layout.arrangement

    @arrangement.setter
    def arrangement(self, chosen: dict[str, Any]) -> None:
        self._layout.arrangement = chosen
        self._place_columns()
        self._renew(ordered=False)

    def _place_columns(self) -> None:
        """The page counts columns as they stand on screen; those that are not come behind."""
        shown = self._layout.shown
        self._wide = len(shown)
        self._places = [*shown, *(column for column in range(self.df.shape[1]) if column not in shown)]

    def sort(self, column: int | None, *, descending: bool = False) -> None:
        """Sort by a column, given by its position; None: as the rows came. What is missing comes last."""
        if column is not None and not 0 <= column < self.df.shape[1]:
            return
        self._sort(column, descending=descending)
        self._renew()

    @property
    def sorted_by(self) -> tuple[str, bool] | None:
        """The name of the column that the rows are sorted by, and whether from high to low; None: as they came."""
        return None if self._sorted_by is None else (str(self.df.columns[self._sorted_by[0]]), self._sorted_by[1])

    def _sort(self, column: int | None, *, descending: bool) -> None:
        self._sorted_by = None if column is None else (column, descending)
        self._order = (
            np.arange(len(self.df))
            if column is None
            else sort_positions(self.df.iloc[:, column], descending=descending)
        )

    def choose(self, column: int, bars: Iterable[int]) -> None:
        """Keep only the rows in these bars of a column, all given by position; no bars: all rows of it again.

        What is picked and not there any more is not picked.
        """
        if 0 <= column < self.df.shape[1]:
            self._bars.choose(column, bars)
            self._narrow()

    def clear(self) -> None:
        """Show all rows again."""
        self._bars.chosen.clear()
        self._narrow()
        if self._before is not None:
            self._before[1]()

    def narrowed(self, words: str, undo: Callable[[], None]) -> None:
        """Say in the sentence of the filter what a filter outside of the table keeps; with no words, nothing.

        Parameters
        ----------
        words : str
        undo : callable
            Takes that filter away.
        """
        before, self._before = self._before, (words, undo) if words else None
        if (before or ("",))[0] != words:
            self._renew(ordered=False)

    def bars(self, column: int) -> list[str]:
        """The labels of a column's bars."""
        return list(self._bars.bins[column].labels)

    @property
    def filter(self) -> dict[Any, list[str]]:
        """What is chosen: the labels of bars by the name of their column."""
        return self._bars.filter

    @property
    def sentence(self) -> str:
        """The filter as words: ``"grade is 9 or 10; school is Lincoln"``."""
        return self._bars.sentence

    @property
    def code(self) -> str:
        """The filter as an expression of pandas, on a table named df."""
        return self._bars.code

    @property
    def shown(self) -> pd.DataFrame:
        """The rows that are left, in the order on screen."""
        return self.df.iloc[self._shown]

    @property
    def on_screen(self) -> pd.DataFrame:
        """The rows that are left, in the order and with the columns on screen."""
        return self.df.iloc[self._shown, self._places[: self._wide]]

    @property
    def to_save(self) -> pd.DataFrame:
        """What a file holds: ``on_screen``, with the columns that are left out for lack of room, too."""
        return self.df.iloc[self._shown, self._layout.shown_with_room]

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write ``to_save`` as CSV that its owner alone can read.

        It is UTF-8 with a mark by which Excel knows it. A cell that a spreadsheet would take for a formula is written
        with an apostrophe before it.

        Parameters
        ----------
        path : str or path

        Raises
        ------
        KimonoError
            The file cannot be written.
        """
        save(self.to_save, path, "csv")

    def to_xlsx(self, path: str | os.PathLike[str]) -> None:
        """Write ``to_save`` as a workbook that its owner alone can read; texts, such as ids, stay texts.

        Parameters
        ----------
        path : str or path

        Raises
        ------
        KimonoError
            The file cannot be written, or there are more rows than a sheet holds.
        """
        save(self.to_save, path, "xlsx")

    def page(self, start: int, rows: int = PAGE) -> dict[str, Any]:
        """Some of the rows on screen: their positions in ``df``, and each cell as text, or None where it is missing."""
        start = max(0, start)
        positions = self._shown[start : start + max(0, min(rows, PAGE))]
        part = self.df.iloc[positions, self._places[: self._wide]]
        cells = [self._texts(name, part.iloc[:, column]) for column, name in enumerate(part.columns)]
        rows_of = [list(row) for row in zip(*cells, strict=True)] if cells else [[] for _ in positions]
        return {"start": start, "at": positions.tolist(), "rows": rows_of}

    def as_html(self, rows: int = 20) -> str:
        """The first rows on screen, for the widget's picture of itself."""
        if self.df.empty:
            return ""
        first = self.on_screen.head(rows)
        cells = [[text or "" for text in self._texts(name, first.iloc[:, at])] for at, name in enumerate(first.columns)]
        titles = [self._called(str(name))["title"] for name in first.columns]
        shown = pd.DataFrame(dict(enumerate(cells)), index=range(len(first))).set_axis(titles, axis="columns")
        said = (
            f"{len(self._shown):,} of {len(self.df):,} rows"
            if len(self._shown) < len(self.df)
            else f"{len(self.df):,} rows"
        )
        said += f", the first {len(first)} below" if len(first) < len(self._shown) else ""
        sentence = "; ".join(words for _, words in self._parts())
        said += f"; {printable(sentence)}" if sentence else ""
        return render("picture_table.html", label=self.label, said=said, rows=frame_html(shown, index=False))

    # What happens then.

    def _narrow(self) -> None:
        left = self._bars.rows()
        with self.hold_sync():
            self.selected_rows = [row for row in self.selected_rows if left[row]]
            self._renew()

    def _renew(self, *, ordered: bool = True) -> None:
        """Tell the page what there is now; the pages it holds are of before. It goes to the top where rows have moved."""
        left = self._bars.rows()
        self._shown = self._order[left[self._order]]
        self._version += 1
        self._ordered += ordered
        totals, counts = self._bars.totals, self._bars.counts()
        columns = [
            {
                **self._columns[column],
                **self._how(column),
                "marks": [printable(word) for word in self._marks.get(str(self.df.columns[column]), ())],
                "kind": bins.kind,
                "different": bins.different,
                "bars": [
                    {"label": label, "total": total, "left": now}
                    for label, total, now in zip(bins.labels, totals[column], counts[column], strict=True)
                ],
                "missing": bins.has_missing,
                "other": bins.has_other,
                "chosen": self._bars.chosen.get(column, []),
            }
            for column, bins in ((column, self._in_words(column)) for column in self._places[: self._wide])
        ]
        sort = self._sorted_by
        self.view = {
            "version": self._version,
            "filled": self._filled,
            "ordered": self._ordered,
            "first": self.page(0, _AT_ONCE),
            "total": len(self.df),
            "left": len(self._shown),
            "columns": columns,
            "sort": None if sort is None else [self._places.index(sort[0]), sort[1]],
            "parts": [
                *([] if self._before is None else [[-1, printable(self._before[0])]]),
                *([self._places.index(column), words] for column, words in self._parts()),
            ],
            "code": printable(self.code),
            "menu": [
                {"name": name, **self._called(name), "shown": column in self._places[: self._wide], **self._how(column)}
                for column, name in enumerate(self._layout.names)
            ],
        }

    def _parts(self) -> list[tuple[int, str]]:
        """The filter as words, column by column."""
        return self._bars.parts(self._words, [self._in_words(column) for column in range(self.df.shape[1])])

    def _in_words(self, column: int) -> Bins:
        """The bars of a column, their values as they are called."""
        bins, words = self._bars.bins[column], self._values.get(str(self.df.columns[column]))
        if words is None or bins.kind != "value":
            return bins
        values = len(bins.edges)
        return bins._replace(labels=[*map(words, bins.labels[:values]), *bins.labels[values:]])

    def _texts(self, name: object, values: pd.Series) -> Sequence[str | None]:
        """The cells of a column as they are shown."""
        words, texts = self._values.get(str(name)), _texts(values)
        return texts if words is None else [text if text is None else words(text) for text in texts]

    def _called(self, name: object) -> dict[str, str]:
        """What a column is called: in a header, and in a sentence."""
        plain = printable(name)
        words = self._words(plain) if self._words else plain
        return {"title": capital(words) if self._words else words, "words": words}

    def _how(self, column: int) -> dict[str, Any]:
        """How a column stands on screen; ``at`` is its position in ``df``."""
        layout = self._layout
        return {"at": column, "pinned": column in layout.pinned, "wide": layout.widths.get(column)}

    def _hear(self, _: object, message: object, __: object) -> None:
        """Do what the page asks for; unknown messages are ignored."""
        if not isinstance(message, dict):
            return
        act = self._acts.get(str(message.get("kind")))
        if act is not None:
            act(self, message)

    def _answer_page(self, message: dict[str, Any]) -> None:
        start, request = message.get("start"), message.get("request")
        if isinstance(start, int) and isinstance(request, int):
            self.send({"kind": "page", "request": request, "version": self._version, **self.page(start)})
            with suppress(RuntimeError):  # no loop, no server that waits
                asyncio.get_running_loop().call_later(AFTERWARDS, self.send, {})

    def _answer_sort(self, message: dict[str, Any]) -> None:
        column = message.get("column")
        if column is None or isinstance(column, int):
            self.sort(self._place(column), descending=bool(message.get("descending")))

    def _place(self, column: Any) -> Any:  # noqa: ANN401  whatever a page sends
        """The position in ``df`` of a column as the page counts it; of none that is there, the number itself."""
        return self._places[column] if column is not None and 0 <= column < len(self._places) else column

    def _answer_filter(self, message: dict[str, Any]) -> None:
        column, bars = message.get("column"), message.get("bars")
        if column == -1 and not bars and self._before is not None:
            self._before[1]()
        elif isinstance(column, int) and isinstance(bars, list):
            self.choose(self._place(column), [bar for bar in bars if isinstance(bar, int)])

    def _answer_pick(self, message: dict[str, Any]) -> None:
        """Pick rows, unless they are of what was shown before; picked again, they are told of again."""
        rows = message.get("rows")
        if message.get("filled") != self._filled or not isinstance(rows, list):
            return
        before, self.added = self.selected_rows, message.get("add") is True
        self.pick([row for row in rows if isinstance(row, int)])
        if self.selected_rows == before:
            again = {"name": "selected_rows", "old": before, "new": before, "owner": self, "type": "change"}
            self.notify_change(Bunch(again))

    def _answer_range(self, message: dict[str, Any]) -> None:
        """Pick what is on screen from one place to another: the page may not know all of these rows."""
        first, last = message.get("first"), message.get("last")
        if message.get("version") == self._version and isinstance(first, int) and isinstance(last, int):
            self.added = True
            low, high = sorted((first, last))
            self.pick(self._shown[max(0, low) : high + 1].tolist())

    def _answer_column(self, message: dict[str, Any]) -> None:
        """Show, pin or widen a column, unless it is of a table that was shown before."""
        column, width = message.get("at"), message.get("width")
        if message.get("filled") != self._filled or not isinstance(column, int) or not 0 <= column < self.df.shape[1]:
            return
        if "width" in message and (width is None or isinstance(width, int)):
            self._layout.widen(column, width)
            columns = [{**one, **self._how(one["at"])} for one in self.view["columns"]]
            self.view = {**self.view, "columns": columns}  # no row is another, so the page keeps those that it has
            return
        if isinstance(message.get("shown"), bool):
            self._layout.show(column, shown=message["shown"])
        if isinstance(message.get("pinned"), bool):
            self._layout.pin(column, pinned=message["pinned"])
        self._place_columns()
        self._renew(ordered=False)

    def _answer_room(self, message: dict[str, Any]) -> None:
        """Take note of how wide the table is in the page that was sized last."""
        width = message.get("width")
        if isinstance(width, int) and width > 0 and (width < NARROW) != self._is_narrow:
            self._is_narrow = width < NARROW
            if self.spare:
                self._offer()
                self._renew(ordered=False)

    def _answer_save(self, message: dict[str, Any]) -> None:
        """Make a file of what is to be saved, beside the event loop where one runs; the page hears how far it is."""
        kind, rows = message.get("as"), self.to_save
        if kind not in TYPES or self._saving:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._hand_over(kind, _made(rows, kind, lambda _: None))
            return
        self._saving, self._stopped = True, False
        self.send({"kind": "making", "as": kind, "done": 0, "of": len(rows)})

        def told(done: int) -> None:
            if self._stopped:
                raise KimonoError("Stopped: no file was made.")
            loop.call_soon_threadsafe(self.send, {"kind": "making", "as": kind, "done": done, "of": len(rows)})

        future = loop.run_in_executor(None, _made, rows, kind, told)
        future.add_done_callback(lambda done: self._hand_over(kind, done.result()))

    def _answer_stop(self, _: dict[str, Any]) -> None:
        """Let be the file that is being made: its maker hears of it after the rows that it is at."""
        self._stopped = True

    def _hand_over(self, kind: str, made: bytes | KimonoError) -> None:
        """Send a file in parts, none so long that a host refuses it."""
        self._saving = False
        if isinstance(made, KimonoError):
            self.send({"kind": "file", "as": kind, "error": str(made)})
            return
        parts = [made[at : at + _PART] for at in range(0, len(made), _PART)]
        about = {
            "kind": "file",
            "as": kind,
            "name": f"{_file_name(self.file or self.label)}.{kind}",
            "type": TYPES[kind],
        }
        for number, part in enumerate(parts):
            self.send({**about, "part": number, "parts": len(parts)}, buffers=[part])
        with suppress(RuntimeError):  # no loop, no server that waits
            asyncio.get_running_loop().call_later(AFTERWARDS, self.send, {})

    _acts: dict[str, Callable[[DataTable, dict[str, Any]], None]] = {  # noqa: RUF012
        "page": _answer_page,
        "sort": _answer_sort,
        "filter": _answer_filter,
        "clear": lambda self, _: self.clear(),
        "pick": _answer_pick,
        "range": _answer_range,
        "room": _answer_room,
        "save": _answer_save,
        "stop": _answer_stop,
        "column": _answer_column,
    }


def _made(rows: pd.DataFrame, kind: str, told: Callable[[int], None]) -> bytes | KimonoError:
    """A file, or why there is none: an error raised beside the event loop would be lost."""
    try:
        return file_of(rows, kind, told)
    except KimonoError as error:
        return error
    except Exception as error:  # noqa: BLE001  whatever a cell holds, somebody waits for an answer
        return KimonoError(f"The file could not be created ({type(error).__name__}: {error}).")


def _file_name(label: str) -> str:
    return "-".join(re.findall(r"\w+", label.lower())) or "table"


def sort_positions(values: pd.Series, *, descending: bool = False) -> NDArray[np.int64]:
    """Positions of rows in the order of a column: stable, texts without regard to case and accents, missing last."""
    plain = values.reset_index(drop=True)
    in_order = isinstance(plain.dtype, pd.CategoricalDtype) and plain.cat.ordered
    number = pd.api.types.is_numeric_dtype(plain.dtype) or pd.api.types.is_datetime64_any_dtype(plain.dtype)
    keys = plain if in_order or number else _ranks(plain)
    ordered = keys.sort_values(ascending=not descending, kind="stable", na_position="last")
    return ordered.index.to_numpy()


def _ranks(values: pd.Series) -> pd.Series:
    """Places of texts, and of what else cannot be compared, among each other; of different ones only once."""
    missing = values.isna().to_numpy(dtype=bool)
    if pd.api.types.is_string_dtype(values.dtype) and values.dtype != object:
        texts = values.astype("object").where(~missing, "")
    else:
        texts = values.astype("object").where(~missing, "").map(_text)
    codes, uniques = pd.factorize(texts)
    place = np.empty(len(uniques), dtype="float64")
    place[sorted(range(len(uniques)), key=[_key(text) for text in uniques].__getitem__)] = np.arange(len(uniques))
    ranks = place[codes]
    ranks[missing] = np.nan
    return pd.Series(ranks)


def _key(text: str) -> tuple[str, str]:
    if text.isascii():
        return text.lower(), text
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return bare.casefold(), text


def _describe(name: object, values: pd.Series, first: Sequence[str | None]) -> dict[str, Any]:
    """What the page must know of a column to lay it out, given its first cells."""
    number = pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)
    lengths = [len(text) for text in first if text is not None]
    is_id = isinstance(name, str) and (name == "id" or name.endswith("_id"))
    return {"name": printable(name), "number": bool(number), "id": is_id, "width": max([0, *lengths])}


def _texts(values: pd.Series) -> Sequence[str | None]:
    there = values.notna().to_numpy(dtype=bool)
    return [_text(value) if has else None for value, has in zip(values.tolist(), there, strict=True)]


def _text(value: object) -> str:
    return printable(cell_text(value, seconds=True), lines=True)
