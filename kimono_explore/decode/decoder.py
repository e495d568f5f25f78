"""From objects as the API sends them to columns, links and problems.

Nothing is dropped silently: a value that does not fit its column, a reference that points nowhere and a row that is not
an object each become a row of ``problems``. Pages are turned into Arrow as they arrive, so that memory holds the growing
tables and a page, not the JSON of a whole tenant.
"""

from __future__ import annotations

from array import array
from collections import defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kimono_explore.decode.arrow_rows import ArrowRows
from kimono_explore.decode.notes import Notes
from kimono_explore.decode.python_rows import PythonRows
from kimono_explore.decode.raw_links import LINK_FIELDS, RawLinks, as_declared, link_table
from kimono_explore.decode.references import MEMBERSHIP, id_of
from kimono_explore.decode.values import as_text, to_kind
from kimono_explore.errors import BadResponseError
from kimono_explore.frames import ARROW_TYPES
from kimono_explore.json_text import decode_row
from kimono_explore.schema import REFERENCES, TABLES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    import msgspec

    from kimono_explore.decode.arrow_rows import ArrowPage, StatedLinks
    from kimono_explore.decode.python_rows import PythonPage
    from kimono_explore.schema import JSON, Column, Problem


class Decoded(NamedTuple):
    """A list, decoded: its columns, its links and what did not fit."""

    columns: pa.Table
    links: RawLinks
    problems: list[Problem]
    sent: frozenset[str]


class Decoder:
    """Turns the rows of one list into columns, page by page.

    Parameters
    ----------
    table : str
        One of the six tables.

    Examples
    --------
    >>> decoder = Decoder("orgs")
    >>> decoder.add([b'{"id": "1", "name": "Kimono School District", "$ext": {"region": "West"}}'])
    >>> decoder.finish().columns.select(["id", "name", "ext_region"]).to_pylist()
    [{'id': '1', 'name': 'Kimono School District', 'ext_region': 'West'}]
    """

    def __init__(self, table: str) -> None:
        self.table = table
        self._notes = Notes(table)
        self.problems = self._notes.problems
        self._arrow_rows = ArrowRows(table)
        self._python_rows = PythonRows(table, self._notes)
        self._sent: set[str] = set()
        self._types = {column.name: ARROW_TYPES[column.kind] for column in TABLES[table]}
        self._kinds: defaultdict[str, set[type]] = defaultdict(set)
        self._pages: list[dict[str, pa.Array]] = []
        self._sizes: list[int] = []
        self._digests = array("q")
        self._links: list[pa.Table] = [link_table()]
        self._count = 0
        # Arrow parses two pages outside the GIL while Python joins the page before them.
        self._reader = ThreadPoolExecutor(max_workers=_READERS, thread_name_prefix="decode")
        self._pending: deque[tuple[Sequence[bytes | msgspec.Raw], str, Future[ArrowPage]]] = deque()

    def add(self, rows: Sequence[bytes | msgspec.Raw], where: str = "page") -> None:
        """Decode the rows of one page."""
        self._pending.append((rows, where, self._reader.submit(self._arrow_rows.read_page, rows)))
        if len(self._pending) > _READERS:
            self._finish_oldest()

    def note_gone(self, rows: Sequence[tuple[int, int]]) -> None:
        """Note rows that the server no longer has, by page and position in it."""
        while rows and self._pending:
            self._finish_oldest()
        for page, position in rows:
            ids = self._pages[page]["id"]
            id = ids[position].as_py() if position < len(ids) else None
            self._notes.add(id, None, None, "a row that was deleted while the list was read; kept")

    def _finish_oldest(self) -> None:
        """Finish the oldest pending page: join the rows that Arrow accepted with the odd ones, which Python reads."""
        rows, where, reading = self._pending.popleft()
        accepted = reading.result()
        objects = self._objects(rows, accepted.odd, where)
        kept = np.array([*accepted.positions, *objects], dtype=np.int64)
        order = np.argsort(kept)
        row_of = np.argsort(order) + self._count
        odd = self._python_rows.read_page(objects.values(), row_of[len(accepted.positions) :].tolist())
        self._digests.extend(hash(bytes(rows[position])) for position in kept[order].tolist())
        for found in accepted.numbers:
            self._notes.count_numbers(found)
        ids = accepted.columns["id"]
        for n, kind in accepted.types:
            self._notes.add(ids[n].as_py(), "type", kind, "an object of another type than the list's")
        self._pages.append(self._joined(accepted, odd, order))
        self._sizes.append(len(kept))
        self._links.append(odd.links)
        for stated in accepted.stated:
            self._links.append(self._linked(stated, ids, row_of[stated.near]))
        self._count += len(kept)

    def _objects(
        self, rows: Sequence[bytes | msgspec.Raw], positions: Sequence[int], where: str
    ) -> dict[int, dict[str, JSON]]:
        """The decoded objects at some positions of a page; a row that is not an object is noted and left out."""
        found: dict[int, dict[str, JSON]] = {}
        for position in positions:
            try:
                value, replaced = decode_row(rows[position], where)
            except BadResponseError as error:
                text = f"a row of {where} cannot be read; left out ({str(error.__cause__)[:200]})"
                self._notes.add(None, None, bytes(rows[position])[:_SHOWN].decode("utf-8", "replace"), text)
                continue
            if not isinstance(value, dict):
                self._notes.add(None, None, value, f"a row of {where} is not an object; left out")
                continue
            if replaced:
                id = id_of(value)
                self._notes.add(None if id is None else as_text(id), None, None, _REPLACED)
            found[position] = value
        return found

    def _joined(self, accepted: ArrowPage, odd: PythonPage, order: np.ndarray) -> dict[str, pa.Array]:
        """The columns of a page: the rows that Arrow accepted and the odd ones, in the page's order."""
        size, ids = len(accepted.positions), accepted.columns["id"]
        arrays = {}
        for column in TABLES[self.table]:
            cell = partial(self._cell, ids, column.name)
            arrays[column.name] = to_kind(accepted.columns[column.name], column, cell)
        for name, values in accepted.extras.items():
            self._kinds[name] |= accepted.extra_kinds[name]
            if pa.types.is_floating(values.type):
                values = pa.array([None if v is None else as_text(v) for v in values.to_pylist()])
            arrays[name] = values.cast(pa.string())
        many = len(order) - size
        if many:
            for name, kinds in odd.kinds.items():
                self._kinds[name] |= kinds
            for name in {*arrays, *odd.columns}:
                dtype = self._type_of(name)
                parts = (arrays.get(name, pa.nulls(size, dtype)), odd.columns.get(name, pa.nulls(many, dtype)))
                arrays[name] = pa.concat_arrays(parts).take(pa.array(order))
        return arrays

    def _linked(self, stated: StatedLinks, ids: pa.Array, near: np.ndarray) -> pa.Table:
        """The links of rows that Arrow accepted, as a table."""
        key = REFERENCES[stated.reference].key
        self._sent.add(f"{self.table}.{key}")
        columns = {
            "near": pa.array(near, pa.int32()),
            "reference": pa.repeat(pa.scalar(stated.reference, pa.int8()), len(near)),
            **stated.columns,
        }
        for column in MEMBERSHIP:
            cell = partial(self._cell, ids.take(pa.array(stated.near)), f"{key}.{column.path[0]}")
            columns[column.name] = to_kind(columns[column.name], column, cell)
        return pa.table({name: as_declared(columns[name], dtype) for name, dtype in LINK_FIELDS.items()})

    def _cell(self, ids: pa.Array, name: str, n: int, value: JSON, column: Column) -> object:
        return self._notes.fitted(ids[n].as_py(), name, value, column)

    def _type_of(self, name: str) -> pa.DataType:
        return self._types.get(name, pa.string())

    def finish(self) -> Decoded:
        """Everything that was added, as one table; repeated rows found and dealt with."""
        while self._pending:
            self._finish_oldest()
        self._reader.shutdown()
        extras = sorted({name for page in self._pages for name in page} - set(self._types))
        arrays = {}
        for name in [*self._types, *extras]:
            dtype = self._type_of(name)
            chunks = [
                page[name] if name in page else pa.nulls(size, dtype)
                for page, size in zip(self._pages, self._sizes, strict=True)
            ]
            column = pa.chunked_array(chunks, dtype)
            arrays[name] = column if name in self._types else _typed(column, self._kinds[name])
        self._notes.report_numbers()
        links = pa.concat_tables(self._links).unify_dictionaries()
        self._pages.clear()
        self._links.clear()
        pa.default_memory_pool().release_unused()
        return self._without_repeats(pa.table(arrays), links)

    def _without_repeats(self, table: pa.Table, links: pa.Table) -> Decoded:
        """Drop rows that came twice unchanged (the data moved between two pages); keep and list those that differ."""
        first: dict[str, int] = {}
        digests: dict[str, set[int]] = {}
        dropped: list[int] = []
        times: dict[str, int] = {}
        ids = table.column("id")
        for row in _repeated(ids).tolist():
            id = ids[row].as_py()
            if first.setdefault(id, row) == row:
                continue
            known = digests.setdefault(id, {self._digests[first[id]]})
            if self._digests[row] in known:
                dropped.append(row)
            else:
                known.add(self._digests[row])
                times[id] = len(known)
        if dropped:
            text = "rows that came again, unchanged, were dropped: the data moved while it was read; value counts them"
            self._notes.add(None, None, str(len(dropped)), text)
        for id, count in times.items():
            text = f"the id came {count} times with different content; all are kept"
            self._notes.add(id, "id", id, text)
        near = links.column("near").to_numpy()
        if dropped:
            kept = np.ones(table.num_rows, dtype=bool)
            kept[dropped] = False
            table = table.filter(pa.array(kept))
            links = links.filter(pa.array(kept[near]))
            near = (np.cumsum(kept) - 1)[links.column("near").to_numpy()]
        raw = RawLinks(links.drop(["near", "reference"]), near, links.column("reference").to_numpy())
        return Decoded(table, raw, self.problems, frozenset(self._sent | self._python_rows.sent))


def _repeated(ids: pa.ChunkedArray) -> np.ndarray:
    """The rows that share their id with another row."""
    codes = pc.fill_null(ids.dictionary_encode().combine_chunks().indices, -1).to_numpy()
    return np.flatnonzero((np.bincount(codes + 1)[codes + 1] > 1) & (codes >= 0))


def _typed(column: pa.ChunkedArray, kinds: set[type]) -> pa.ChunkedArray:
    """The column cast to the type that all its values have; unchanged (text) if they have several types."""
    for dtype, allowed in ((pa.bool_(), {bool}), (pa.int64(), {int}), (pa.float64(), {int, float})):
        if kinds and kinds <= allowed:
            try:
                return column.cast(dtype)
            except pa.ArrowInvalid:  # a whole number beyond 64 bits
                return column
    return column


_READERS = 2


_REPLACED = "the row holds what JSON or UTF-8 does not allow (NaN, half of a character, other bytes): replaced"


_SHOWN = 10_000  # characters of a row that cannot be read
