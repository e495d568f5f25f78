"""Objects as the API sends them -> columns, links and problems.

Nothing is dropped in silence: a value that does not fit its column, a reference that points nowhere and a row that
is no object each become a row of ``problems``. Pages are turned into Arrow as they come, so that memory holds the
growing tables and one page, not the JSON of a tenant.
"""

from __future__ import annotations

from array import array
from collections import defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kimono_explore.decode.arrow_rows import (
    HELD_UNDER,
    MEMBERSHIP,
    ROLES,
    TYPE_NAMES,
    Numbers,
    Stated,
    Usual,
    UsualRows,
    plain_type,
    to_kind,
)
from kimono_explore.errors import BadResponseError
from kimono_explore.frames import ARROW_TYPES
from kimono_explore.json_text import decode_row, encode
from kimono_explore.schema import OBJECT_TYPES, REFERENCES, TABLES, Column, Problem, Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future

    import msgspec

    from kimono_explore.schema import JSON


class RawLinks(NamedTuple):
    """The links that one table's objects state, each from the object's own side.

    ``near`` is the row of the table that states the link; ``reference`` the index into REFERENCES. Texts that come again
    and again, as ids of the far end do, are dictionaries.
    """

    table: pa.Table
    near: np.ndarray
    reference: np.ndarray


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
        self.problems: list[Problem] = []
        self.sent: set[str] = set()
        self._usual = UsualRows(table)
        self._columns = {column.path: column for column in TABLES[table]}
        self._groups = {path[0] for path in self._columns if len(path) > 1}
        self._references = {r.key: (i, r) for i, r in enumerate(REFERENCES) if r.table == table}
        self._kinds: defaultdict[str, set[type]] = defaultdict(set)
        self._numbers: dict[str, Numbers] = {}
        self._pages: list[dict[str, pa.Array]] = []
        self._sizes: list[int] = []
        self._digests = array("q")
        self._links: list[dict[str, list[object]]] = []
        self._link_pages: list[pa.Table] = []
        self._count = 0
        # The usual rows of two pages are read, outside of Python, while what the page before them holds is put together.
        self._reader = ThreadPoolExecutor(max_workers=_READERS, thread_name_prefix="decode")
        self._under_way: deque[tuple[Sequence[bytes | msgspec.Raw], str, Future[Usual]]] = deque()

    def add(self, rows: Sequence[bytes | msgspec.Raw], where: str = "page") -> None:
        """Decode the rows of one page."""
        self._under_way.append((rows, where, self._reader.submit(self._usual.read_page, rows)))
        if len(self._under_way) > _READERS:
            self._take_in()

    def note_gone(self, rows: Sequence[tuple[int, int]]) -> None:
        """Name rows, by page and position in it, that the server no longer has."""
        while rows and self._under_way:
            self._take_in()
        for page, position in rows:
            ids = self._pages[page]["id"]
            id = ids[position].as_py() if position < len(ids) else None
            self._problem(id, None, None, "a row that was deleted while the list was read; kept")

    def _take_in(self) -> None:
        """Put the oldest page under way together: its usual rows, and its odd ones, read with patience."""
        rows, where, reading = self._under_way.popleft()
        usual = reading.result()
        odd: dict[int, JSON] = {}
        for position in usual.odd:
            try:
                odd[position], replaced = decode_row(rows[position], where)
                if replaced and isinstance(value := odd[position], dict):
                    self._problem(self._shown_id(value), None, None, _REPLACED)
            except BadResponseError as error:
                text = f"a row of {where} cannot be read; left out ({str(error.__cause__)[:200]})"
                shown = bytes(rows[position])[:_SHOWN].decode("utf-8", "replace")
                self._problem(None, None, shown, text)
        for value in odd.values():
            if not isinstance(value, dict):
                self._problem(None, None, value, f"a row of {where} is not an object; left out")
        objects = {position: value for position, value in odd.items() if isinstance(value, dict)}
        kept = np.array([*usual.positions, *objects], dtype=np.int64)
        order = np.argsort(kept)
        row_of = np.argsort(order)
        page = _PageColumns(len(objects))
        links: dict[str, list[object]] = {name: [] for name in _LINK_FIELDS}
        for n, value in enumerate(objects.values()):
            self._row(value, n, self._count + int(row_of[len(usual.positions) + n]), page, links)
        self._digests.extend(hash(bytes(rows[position])) for position in kept[order].tolist())
        for found in usual.numbers:
            self._count_numbers(found)
        ids = usual.columns["id"]
        for n, kind in usual.types:
            self._problem(ids[n].as_py(), "type", kind, "an object of another type than the list's")
        self._pages.append(self._joined(usual, page, order))
        self._sizes.append(len(kept))
        self._link_pages.append(_link_table(links))
        for stated in usual.stated:
            self._link_pages.append(self._linked(stated, ids, row_of[stated.near] + self._count))
        self._count += len(kept)

    def _joined(self, usual: Usual, odd: _PageColumns, order: np.ndarray) -> dict[str, pa.Array]:
        """The columns of a page: its usual rows and its odd ones, in the page's order."""
        size, ids = len(usual.positions), usual.columns["id"]
        arrays = {}
        for column in TABLES[self.table]:
            arrays[column.name] = to_kind(usual.columns[column.name], column, partial(self._cell, ids, column.name))
        for name, values in usual.extras.items():
            self._kinds[name] |= usual.extra_kinds[name]
            if pa.types.is_floating(values.type):
                values = pa.array([None if v is None else as_text(v) for v in values.to_pylist()])
            arrays[name] = values.cast(pa.string())
        if odd.size:
            others = odd.arrays(self._declared_kind)
            for name, kinds in odd.kinds.items():
                self._kinds[name] |= kinds
            for name in {*arrays, *others}:
                dtype = self._declared_kind(name)
                parts = (arrays.get(name, pa.nulls(size, dtype)), others.get(name, pa.nulls(odd.size, dtype)))
                arrays[name] = pa.concat_arrays(parts).take(pa.array(order))
        return arrays

    def _linked(self, stated: Stated, ids: pa.Array, near: np.ndarray) -> pa.Table:
        """The links of usual rows, as a table."""
        key = REFERENCES[stated.reference].key
        self.sent.add(f"{self.table}.{key}")
        columns = {
            "near": pa.array(near, pa.int32()),
            "reference": pa.repeat(pa.scalar(stated.reference, pa.int8()), len(near)),
            **stated.columns,
        }
        for column in MEMBERSHIP:
            cell = partial(self._cell, ids.take(pa.array(stated.near)), f"{key}.{column.path[0]}")
            columns[column.name] = to_kind(columns[column.name], column, cell)
        return pa.table({name: _fitting(columns[name], dtype) for name, dtype in _LINK_FIELDS.items()})

    def _cell(self, ids: pa.Array, name: str, n: int, value: JSON, column: Column) -> object:
        return self._fitted(ids[n].as_py(), name, value, column)

    def _declared_kind(self, name: str) -> pa.DataType:
        return _DECLARED[self.table].get(name, pa.string())

    def _row(
        self, item: dict[str, JSON], position: int, near: int, page: _PageColumns, links: dict[str, list[object]]
    ) -> None:
        sys_values = item.get("$sys")
        inner = sys_values if isinstance(sys_values, dict) else {}
        id = self._id(item, inner)
        values = _Row(id, position, page, self)
        person_type = inner.get("person_type", item.get("person_type"))
        role = ROLES.get(person_type.lower()) if isinstance(person_type, str) else None
        for key, value in item.items():
            if key in self._references:
                if value is not None:
                    self._refer(key, value, _Near(id, near, role), links)
            elif key == "$sys" and (isinstance(value, dict) or value is None):
                values.put_sys(inner)
            elif key == "$ext" and (isinstance(value, dict) or value is None):
                for name, extra in (value or {}).items():
                    values.put_extra(f"ext_{name}", extra)
            elif key in self._groups and (isinstance(value, dict) or value is None):
                values.put_group(key, value or {})
            elif key != "id":
                values.put(key, value)

    def _id(self, item: dict[str, JSON], inner: dict[str, JSON]) -> str | None:
        value = inner.get("id")
        value = item.get("id") if value in (None, "") else value
        if value in (None, ""):
            self._problem(None, "id", None, "no id: the row is kept, and nothing can refer to it")
            return None
        if _is_number(value):
            self._count_numbers(Numbers("id", 1, as_text(value)))
        elif not isinstance(value, str):
            self._problem(as_text(value), "id", value, "an id that is not a text; kept as text")
        if not isinstance(value, str):
            value = as_text(value)
        other = item.get("id")
        if other not in (None, "") and as_text(other) != value:
            self._problem(value, "id", other, "$sys.id and id differ; $sys.id is used")
        return value

    @staticmethod
    def _shown_id(item: dict[str, JSON]) -> str | None:
        id = _id_of(item)
        return None if id is None else as_text(id)

    def _count_numbers(self, found: Numbers) -> None:
        """Numbers where text was declared are kept as text, and told once for a column."""
        before = self._numbers.get(found.column, found._replace(times=0))
        smallest = min(before.example, found.example)
        self._numbers[found.column] = Numbers(found.column, before.times + found.times, smallest)

    def _fitted(self, id: str | None, name: str, value: JSON, column: Column) -> object:
        """The value as its column's kind; what is odd about it is noted under a name."""
        if _is_number(value) and column.kind in ("text", "category"):
            if not column.integer:
                self._count_numbers(Numbers(name, 1, as_text(value)))
            return as_text(value)
        fitted, oddity = fit(value, column)
        if oddity:
            self._problem(id, name, value, oddity)
        return fitted

    def _problem(self, id: str | None, column: str | None, value: JSON, problem: str) -> None:
        self.problems.append(Problem(self.table, id, column, None if value is None else as_text(value), problem))

    def _refer(self, key: str, value: JSON, near: _Near, links: dict[str, list[object]]) -> None:
        index, reference = self._references[key]
        self.sent.add(f"{self.table}.{key}")
        for item in value if isinstance(value, list) else [value]:
            far, oddity = read_reference(item, reference.far_type)
            if far is not None and far.number:
                self._count_numbers(Numbers(key, 1, far.id))
            if oddity:
                self._problem(near.id, key, item, oddity)
            if far is None:
                continue
            if near.id is None:
                self._problem(None, key, item, "a reference from a row without an id; left out")
                continue
            links["near"].append(near.row)
            links["reference"].append(index)
            links["far_id"].append(far.id)
            links["far_type"].append(far.type or reference.far_type)
            self._membership(far.membership, key, near, reference, links)

    def _membership(
        self, membership: dict[str, JSON], key: str, near: _Near, reference: Reference, links: dict[str, list[object]]
    ) -> None:
        for column in MEMBERSHIP:
            field = column.path[0]
            value = self._fitted(near.id, f"{key}.{field}", membership.get(field), column)
            links[column.name].append(value)
        given_role = links["role"][-1]
        role = given_role.lower() if isinstance(given_role, str) else None
        if role is None and reference.relation in (None, "member_of", "student_in", "teacher_in"):
            role = reference.role or _role_of(membership) or near.role
            if role is None and reference.relation is None:
                self._problem(
                    near.id, key, None, "neither the person nor the membership says student or teacher; student assumed"
                )
                role = "student"
        links["role"][-1] = role

    def finish(self) -> Decoded:
        """Everything that was added, as one table; repeated rows found and dealt with."""
        while self._under_way:
            self._take_in()
        self._reader.shutdown()
        declared = [column.name for column in TABLES[self.table]]
        extras = sorted({name for page in self._pages for name in page} - set(declared))
        arrays = {}
        for name in [*declared, *extras]:
            dtype = self._declared_kind(name)
            chunks = [
                page[name] if name in page else pa.nulls(size, dtype)
                for page, size in zip(self._pages, self._sizes, strict=True)
            ]
            column = pa.chunked_array(chunks, dtype)
            arrays[name] = column if name in declared else _typed(column, self._kinds[name])
        self._tell_numbers()
        links = pa.concat_tables(self._link_pages or [_link_table({n: [] for n in _LINK_FIELDS})]).unify_dictionaries()
        self._pages.clear()
        self._link_pages.clear()
        pa.default_memory_pool().release_unused()
        return self._without_repeats(pa.table(arrays), links)

    def _tell_numbers(self) -> None:
        for column, count, example in self._numbers.values():
            lost = "; leading zeros may be lost" if column.endswith("id") or column in self._references else ""
            text = f"numbers or flags where text was expected, such as {example}, kept as text{lost}; value counts them"
            self.problems.append(Problem(self.table, None, column, str(count), text))

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
            self.problems.append(Problem(self.table, None, None, str(len(dropped)), text))
        for id, count in times.items():
            text = f"the id came {count} times with different content; all are kept"
            self.problems.append(Problem(self.table, id, "id", id, text))
        near = links.column("near").to_numpy()
        if dropped:
            kept = np.ones(table.num_rows, dtype=bool)
            kept[dropped] = False
            table = table.filter(pa.array(kept))
            links = links.filter(pa.array(kept[near]))
            near = (np.cumsum(kept) - 1)[links.column("near").to_numpy()]
        raw = RawLinks(links.drop(["near", "reference"]), near, links.column("reference").to_numpy())
        return Decoded(table, raw, self.problems, frozenset(self.sent))


def _repeated(ids: pa.ChunkedArray) -> np.ndarray:
    """The rows whose id another row has too."""
    codes = pc.fill_null(ids.dictionary_encode().combine_chunks().indices, -1).to_numpy()
    return np.flatnonzero((np.bincount(codes + 1)[codes + 1] > 1) & (codes >= 0))


class _Near(NamedTuple):
    """The object that states a link: its id, its row, and the role that its type suggests."""

    id: str | None
    row: int
    role: str | None


class Far(NamedTuple):
    """The other end of a reference: its id, its type where the reference says it, and the membership's own fields."""

    id: str
    type: str | None
    membership: dict[str, JSON]
    number: bool = False
    """The id came as a number."""


def read_reference(item: JSON, far_type: str) -> tuple[Far | None, str | None]:
    """Read a reference in any of its shapes: flat, wrapped in ``$sys``, rolled up, or held by a membership.

    Parameters
    ----------
    item
        The reference as it came.
    far_type : str
        The type it should point to.

    Returns
    -------
    tuple
        What it points to (None where that is not to be found), and what is odd about it.
    """
    if isinstance(item, str) and item:
        return Far(item, None, {}), "a bare id in place of a reference; taken as the id"
    if not isinstance(item, dict):
        return None, "an empty reference" if item in (None, "") else "not a reference"
    for key in HELD_UNDER[far_type]:
        inner = item.get(key)
        if isinstance(inner, dict) and _id_of(inner) is not None:
            # The object is a membership that holds its target: its own $sys.id is the membership's.
            far, oddity = read_reference(inner, far_type)
            return far and far._replace(membership={**far.membership, **_membership_of(item)}), oddity
    id = _id_of(item)
    if id is None:
        return None, "a reference without an id"
    # Nothing else of the object is the membership's: a rolled-up term has a status and dates of its own.
    beside = item.get("$membership")
    own = _membership_of(beside) if isinstance(beside, dict) else {}
    kind = _type_of(item)
    oddity = None if kind in TYPE_NAMES or not kind else "a reference to an unknown type"
    return Far(as_text(id), TYPE_NAMES.get(kind), own, _is_number(id)), oddity


def _membership_of(item: dict[str, JSON]) -> dict[str, JSON]:
    """A membership's own fields: its id and type may stand in ``$sys``, at top level, or in a ``$membership``."""
    beside, inner = item.get("$membership"), item.get("$sys")
    return {
        **(_membership_of(beside) if isinstance(beside, dict) else {}),
        **item,
        **({k: v for k, v in inner.items() if k in ("id", "type", "label")} if isinstance(inner, dict) else {}),
    }


def _id_of(item: dict[str, JSON]) -> JSON:
    inner = item.get("$sys")
    value = inner.get("id") if isinstance(inner, dict) else None
    value = item.get("id") if value in (None, "") else value
    return None if value == "" else value


def _type_of(item: dict[str, JSON]) -> str:
    inner = item.get("$sys")
    value = (inner.get("type") if isinstance(inner, dict) else None) or item.get("type")
    return plain_type(value) if isinstance(value, str) else ""


def _role_of(membership: dict[str, JSON]) -> str | None:
    kind = membership.get("type")
    text = kind.lower() if isinstance(kind, str) else ""
    if "student" in text:
        return "student"
    return "teacher" if "teacher" in text or "staff" in text else None


def fit(value: JSON, column: Column) -> tuple[object, str | None]:
    """Fit a value into its column.

    Returns
    -------
    tuple
        The value as the column's kind (None where it does not fit), and what is odd about it.
    """
    if value is None:
        return None, None
    return _FITS[column.kind](value)


def _is_number(value: JSON) -> bool:
    return isinstance(value, bool | int | float)


def _fit_text(value: JSON) -> tuple[object, str | None]:
    if isinstance(value, str):
        return value, None
    return as_text(value), f"{_JSON_NAMES[type(value)]} where text was expected; kept as text"


def _fit_date(value: JSON) -> tuple[object, str | None]:
    found = read_date(value) if isinstance(value, str) else None
    if found is None and value != "":
        return None, "not a date"
    return found, None


def _fit_time(value: JSON) -> tuple[object, str | None]:
    found = read_time(value) if isinstance(value, str) else None
    if found is None and value != "":
        return None, "not a time"
    return found, None


def _fit_flag(value: JSON) -> tuple[object, str | None]:
    if isinstance(value, bool):
        return value, None
    text = value.strip().lower() if isinstance(value, str) else ""
    if text in ("true", "false"):
        return text == "true", None
    return None, None if value == "" else "neither true nor false"


_FITS: dict[str, Callable[[JSON], tuple[object, str | None]]] = {
    "text": _fit_text,
    "category": _fit_text,
    "date": _fit_date,
    "time": _fit_time,
    "flag": _fit_flag,
}
_JSON_NAMES: dict[type, str] = {
    list: "a list",
    dict: "an object",
}


@lru_cache(maxsize=65536)
def read_date(text: str) -> date | None:
    """An ISO 8601 date, also where a time follows; None if it is not one."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


@lru_cache(maxsize=65536)
def read_time(text: str) -> datetime | None:
    """An ISO 8601 time in UTC, which is assumed where no zone is given; None if it is not one."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def as_text(value: JSON) -> str:
    """A value as text: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else encode(value)


class _PageColumns:
    """The columns of one page while it is read: lists as long as the page."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.lists: dict[str, list[object]] = {}
        self.kinds: defaultdict[str, set[type]] = defaultdict(set)

    def put(self, name: str, position: int, value: object) -> bool:
        """Set a cell; False if it is taken already."""
        column = self.lists.get(name)
        if column is None:
            column = self.lists[name] = [None] * self.size
        if column[position] is not None:
            return False
        column[position] = value
        return True

    def arrays(self, dtype: Callable[[str], pa.DataType]) -> dict[str, pa.Array]:
        return {name: pa.array(values, dtype(name)) for name, values in self.lists.items()}


class _Row:
    """The cells of one object on their way into the page's columns."""

    def __init__(self, id: str | None, position: int, page: _PageColumns, decoder: Decoder) -> None:
        self._id, self._position, self._page, self._decoder = id, position, page, decoder
        if id is not None:
            page.put("id", position, id)

    def put_sys(self, values: dict[str, JSON]) -> None:
        for key, value in values.items():
            if key == "type":
                kind = plain_type(as_text(value)) if value else ""
                if kind and TYPE_NAMES.get(kind) != OBJECT_TYPES[self._decoder.table]:
                    self._odd("type", value, "an object of another type than the list's")
            elif key != "id":
                self._cell(("$sys", key), f"sys_{key}", value)

    def put_group(self, group: str, values: dict[str, JSON]) -> None:
        for key, value in values.items():
            self._cell((group, key), f"{group}_{key}", value)

    def put(self, key: str, value: JSON) -> None:
        # $sys may be null, and what it should hold stand at top level.
        path = ("$sys", key) if ("$sys", key) in self._decoder._columns else (key,)
        if key in self._decoder._groups:
            self._odd(key, value, "not an object")
        self._cell(path, key, value)

    def _cell(self, path: tuple[str, ...], name: str, value: JSON) -> None:
        column = self._decoder._columns.get(path)
        if column is None:
            self.put_extra(name, value)
            return
        fitted = self._decoder._fitted(self._id, column.name, value, column)
        if fitted is not None and not self._page.put(column.name, self._position, fitted):
            self._odd(column.name, value, "a second value for the column; the first is kept")

    def put_extra(self, name: str, value: JSON) -> None:
        if name in _DECLARED[self._decoder.table]:
            if value is not None:
                self._odd(name, value, "a key named like a column of the table; left out")
            return
        self._page.lists.setdefault(name, [None] * self._page.size)
        if value is None:
            return
        self._page.kinds[name].add(type(value))
        if not self._page.put(name, self._position, as_text(value)):
            self._odd(name, value, "a second value for the column; the first is kept")

    def _odd(self, column: str, value: JSON, problem: str) -> None:
        self._decoder._problem(self._id, column, value, problem)


def _typed(column: pa.ChunkedArray, kinds: set[type]) -> pa.ChunkedArray:
    """An extra column takes the type of its values where they all have one; else it stays text."""
    for dtype, allowed in ((pa.bool_(), {bool}), (pa.int64(), {int}), (pa.float64(), {int, float})):
        if kinds and kinds <= allowed:
            try:
                return column.cast(dtype)
            except pa.ArrowInvalid:  # a whole number beyond 64 bits
                return column
    return column


_AGAIN = pa.dictionary(pa.int32(), pa.string())
_LINK_FIELDS: dict[str, pa.DataType] = {
    "near": pa.int32(),
    "reference": pa.int8(),
    "far_type": _AGAIN,
    "far_id": _AGAIN,
    **{column.name: _AGAIN if column.kind == "category" else ARROW_TYPES[column.kind] for column in MEMBERSHIP},
}
_READERS = 2
_REPLACED = "the row holds what JSON or UTF-8 does not allow (NaN, half of a character, other bytes): replaced"
_SHOWN = 10_000  # characters of a row that cannot be read
_DECLARED = {name: {c.name: ARROW_TYPES[c.kind] for c in columns} for name, columns in TABLES.items()}


def _link_table(links: Mapping[str, object]) -> pa.Table:
    return pa.table({name: pa.array(links[name], dtype) for name, dtype in _LINK_FIELDS.items()})


def _fitting(values: pa.Array, dtype: pa.DataType) -> pa.Array:
    return values.dictionary_encode() if dtype == _AGAIN else values


def role_relation(role: str | None) -> str:
    """The relation of a person to a section, by role: ``student_in``, else ``teacher_in``."""
    return "student_in" if (role or "student").lower() == "student" else "teacher_in"
