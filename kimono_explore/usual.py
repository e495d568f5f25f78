"""Rows of the usual shape, decoded column by column.

Most rows of a tenant look alike. Structs made from the declared tables and references decode them, and check them, in
C. A row that is odd in any way (another key, another type, an empty id) is refused here and read with patience by
decode.py; both ways give the same columns, links and problems.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kimono_explore.tables import ARROW_TYPES, LINK_COLUMNS, OBJECT_TYPES, REFERENCES, TABLES, Column, Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias

    Row: TypeAlias = Any  # a struct, or a class of structs, made at run time
    Cell = Callable[[int, Any, Column], object]

TYPE_NAMES = {
    "org": "org",
    "lea": "org",
    "school": "org",
    "person": "person",
    "student": "person",
    "teacher": "person",
    "staff": "person",
    "course": "course",
    "section": "section",
    "coursesection": "section",
    "term": "term",
    "gradingcategory": "grading_category",
}
# The keys under which a membership holds the target, by the target's type.
HELD_UNDER: dict[str, tuple[str, ...]] = {
    "org": ("$org", "$school", "$lea"),
    "person": ("$person", "$student", "$teacher", "$staff"),
    "course": ("$course",),
    "section": ("$section",),
    "term": ("$term",),
}
MEMBERSHIP = tuple(column for column in LINK_COLUMNS if column.path)
ROLES = {"student": "student", "teacher": "teacher", "staff": "teacher"}
"""A person's type, in lower case -> the role it suggests."""


def plain_type(text: str) -> str:
    """A type as it is compared: without case, ``RDM:`` and punctuation."""
    return re.sub(r"[^a-z]", "", text.lower().removeprefix("rdm:"))


class _Types(dict[str | None, str | None]):
    """A reference's type as it came -> an object type; "" where it says none, None where nobody knows it."""

    def __missing__(self, text: str | None) -> str | None:
        kind = plain_type(text or "")
        self[text] = found = TYPE_NAMES.get(kind) if kind else ""
        return found


class Stated(NamedTuple):
    """The links that one reference key of a page states, in the page's order."""

    reference: int
    near: np.ndarray
    far_type: list[str]
    far_id: list[str]
    membership: dict[str, list[Any]]
    role: list[str | None]


class UsualRows:
    """Decodes the usual rows of one table.

    Parameters
    ----------
    table : str
        One of the six tables.
    """

    def __init__(self, table: str) -> None:
        self._table = table
        self._references = [(i, r, _attribute(r)) for i, r in enumerate(REFERENCES) if r.table == table]
        self._types = _Types()
        self._far = {reference.far_type: _far_struct(reference.far_type)() for _, reference, _ in self._references}
        struct = _struct_of(table)
        self._blank = struct(sys=_blank_of(struct, "sys"))
        self._groups = {
            group: _blank_of(struct, _identifier(group)) for group in {c.path[0] for c in TABLES[table] if c.path[1:]}
        }
        self._read = msgspec.json.Decoder(struct).decode

    def read(self, row: bytes | msgspec.Raw) -> Row | None:
        """The row as a struct; None where it is odd."""
        try:
            item = self._read(row)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return item if item.sys.id and item.id in (None, "", item.sys.id) else None

    def stated(self, rows: Sequence[Row | None]) -> tuple[list[Stated], set[int]]:
        """The links of the rows, and the rows whose links are odd after all."""
        found, odd = [], set[int]()
        for index, reference, attribute in self._references:
            held = [getattr(row, attribute) if row is not None else None for row in rows]
            if all(many is None for many in held):
                continue
            lists = held if reference.many else [None if one is None else (one,) for one in held]
            near = np.repeat(np.arange(len(rows)), [len(many) if many else 0 for many in lists])
            items = list(chain.from_iterable(many for many in lists if many))
            far = _columns_of(items, self._far[reference.far_type])
            ids, kinds = far["id"], far["type"]
            if any(far["sys"]):  # wrapped references: $sys comes first
                inner = _columns_of([one or _NOTHING for one in far["sys"]], _NOTHING)
                ids = [one or other for one, other in zip(inner["id"], ids, strict=True)]
                kinds = [one or other for one, other in zip(inner["type"], kinds, strict=True)]
            types = [self._types[kind] for kind in kinds]
            membership = _columns_of([one or _NO_MEMBERSHIP for one in far["membership"]], _NO_MEMBERSHIP)
            roles = self._roles(reference, rows, near, membership["role"])
            needs_role = reference.relation is None
            if not all(ids) or None in types or (needs_role and None in roles):
                wrong = [not id or kind is None or (needs_role and role is None)
                         for id, kind, role in zip(ids, types, roles, strict=True)]  # fmt: skip
                odd |= set(near[wrong].tolist())
            far_types = [kind or reference.far_type for kind in types]
            found.append(Stated(index, near, far_types, ids, membership, roles))
        return found, odd

    def columns(self, rows: Sequence[Row | None], cell: Cell) -> dict[str, pa.Array]:
        """The declared columns that the rows fill; ``cell(row, value, column)`` takes what is no date or time."""
        top = _columns_of([self._blank if row is None else row for row in rows], self._blank)
        held = {"": top}
        for group, blank in self._groups.items():
            held[group] = _columns_of([one or blank for one in top[_identifier(group)]], blank)
        arrays = {}
        for column in TABLES[self._table]:
            values = held[column.path[0] if column.path[1:] else ""][column.path[-1]]
            arrays[column.name] = to_array(values, column, cell)
        return arrays

    def extras(self, rows: Sequence[Row | None]) -> dict[str, list[object]]:
        """The values of each key of ``$ext``, as long as the page."""
        columns: dict[str, list[object]] = {}
        for position, row in enumerate(rows):
            if row is not None and row.ext:
                for name, value in row.ext.items():
                    if name not in columns:
                        columns[name] = [None] * len(rows)
                    columns[name][position] = value
        return columns

    def types(self, rows: Sequence[Row | None]) -> list[tuple[int, str]]:
        """The rows that say they are objects of another type, with what they say."""
        said = [(position, row.sys.type) for position, row in enumerate(rows) if row is not None and row.sys.type]
        known = {kind: TYPE_NAMES.get(plain_type(kind)) == OBJECT_TYPES[self._table] for kind in {s for _, s in said}}
        return [(position, kind) for position, kind in said if not known[kind] and plain_type(kind)]

    def _roles(
        self, reference: Reference, rows: Sequence[Row | None], near: np.ndarray, given: list[str | None]
    ) -> list[str | None]:
        if reference.relation not in (None, "member_of", "student_in", "teacher_in"):
            suggested: Iterable[str | None] = [None] * len(near)
        elif reference.role is not None or self._table != "persons":
            suggested = [reference.role] * len(near)
        else:
            of_row = [ROLES.get((row.sys.person_type or "").lower()) if row is not None else None for row in rows]
            suggested = [of_row[position] for position in near.tolist()]
        return [own.lower() if own is not None else role for own, role in zip(given, suggested, strict=True)]


def to_array(values: Sequence[Any], column: Column, cell: Cell) -> pa.Array:
    """The values as the column's kind; where Arrow does not take one, each is fitted by ``cell``."""
    dtype = ARROW_TYPES[column.kind]
    if column.kind not in ("date", "time"):
        return pa.array(values, dtype)
    try:
        array = pa.array(values, pa.string()).cast(dtype)
    except pa.ArrowInvalid:
        array = None
    first = None if array is None else pc.min(array.cast(pa.timestamp("us"))).value
    if array is None or (first is not None and first < _YEAR_ONE):
        return pa.array([cell(position, value, column) for position, value in enumerate(values)], dtype)
    return array


# What Python's dates, and so the patient way, begin with.
_YEAR_ONE = pa.scalar("0001-01-01").cast(pa.timestamp("us")).value
_KINDS: dict[str, Any] = {"flag": bool | None}


def _columns_of(structs: list[Row], like: Row) -> dict[str, list[Any]]:
    """The values of each field of the structs."""
    return {
        name: list(map(attrgetter(name), structs)) for name in like.__struct_fields__ if not name.startswith("held")
    }


def _struct_of(table: str) -> Row:
    """A struct for the objects of a table; what it does not know, it refuses."""
    groups: dict[str, list[tuple[str, Any, Any]]] = {}
    top: list[Any] = [
        ("id", str | None, None),
        ("ext", dict[str, Any] | None, msgspec.field(name="$ext", default=None)),
    ]
    for column in TABLES[table]:
        one = (column.path[-1], _KINDS.get(column.kind, str | None), None)
        (groups.setdefault(column.path[0], []) if column.path[1:] else top).append(one)
    for group, members in groups.items():
        if group == "$sys":
            struct = _define("Sys", [*members, ("type", str | None, None)])
            top.append(("sys", struct, msgspec.field(name="$sys")))
        else:
            top.append((group, _define(group.title(), members) | None, None))
    for reference in REFERENCES:
        if reference.table == table:
            far = _far_struct(reference.far_type)
            kind = list[far] if reference.many else far  # type: ignore[valid-type]
            top.append((_attribute(reference), kind | None, msgspec.field(name=reference.key, default=None)))
    required_last = sorted(top, key=lambda field: len(field) > 2 and field[0] == "sys", reverse=True)
    return _define(table.title(), required_last)


@cache
def _far_struct(far_type: str) -> Row:
    """A struct for references to a type; held by a membership, they are refused."""
    refused = [
        (f"held{n}", msgspec.UnsetType, msgspec.field(name=key, default=msgspec.UNSET))
        for n, key in enumerate(HELD_UNDER[far_type])
    ]
    return msgspec.defstruct(f"To{far_type.title()}", [*_FAR, *refused], gc=False)


def _define(name: str, fields: list[Any]) -> Row:
    return msgspec.defstruct(name, fields, forbid_unknown_fields=True, kw_only=True, gc=False)


def _attribute(reference: Reference) -> str:
    return f"to_{reference.key.removeprefix('$')}"


def _identifier(group: str) -> str:
    return group.removeprefix("$")


def _blank_of(struct: Row, field: str) -> Row:
    """An instance of a field's struct without values."""
    kind = next(f.type for f in msgspec.structs.fields(struct) if f.name == field)
    options = [kind] if isinstance(kind, type) else kind.__args__
    return next(option for option in options if issubclass(option, msgspec.Struct))()


_NAMED = [("id", str | None, None), ("type", str | None, None)]
_Named = msgspec.defstruct("Named", _NAMED, gc=False)
_Membership = msgspec.defstruct(
    "Membership",
    [
        *((column.path[0], _KINDS.get(column.kind, str | None), None) for column in MEMBERSHIP),
        # What a membership says in another way is read with patience.
        ("type", msgspec.UnsetType, msgspec.UNSET),
        ("sys", msgspec.UnsetType, msgspec.field(name="$sys", default=msgspec.UNSET)),
        ("inner", msgspec.UnsetType, msgspec.field(name="$membership", default=msgspec.UNSET)),
    ],
    gc=False,
)
_NOTHING: Row = _Named()
_NO_MEMBERSHIP: Row = _Membership()
_FAR: list[Any] = [
    *_NAMED,
    ("sys", _Named | None, msgspec.field(name="$sys", default=None)),
    ("membership", _Membership | None, msgspec.field(name="$membership", default=None)),
]
