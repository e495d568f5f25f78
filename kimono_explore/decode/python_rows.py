"""The tolerant decoder: rows of any shape, read object by object in Python.

A row that Arrow's JSON reader does not accept comes here. Keys may be where they belong or not, values of any type,
references in any of their shapes: what can be understood is kept, and what is odd about it is noted.

    {"id": 7, "$sys": null, "dob": "2/30", "$schools": ["s1"]}
    ->  id "7", dob missing; a link member_of to s1; notes: 7 is a number, "2/30" is not a date, "s1" is a bare id
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from kimono_explore.decode.raw_links import LINK_FIELDS, link_table
from kimono_explore.decode.references import (
    MEMBERSHIP,
    ROLES,
    TYPE_NAMES,
    id_of,
    plain_type,
    read_reference,
    role_of,
)
from kimono_explore.decode.values import Numbers, as_text, is_number
from kimono_explore.frames import ARROW_TYPES
from kimono_explore.schema import MEMBERSHIPS, OBJECT_TYPES, REFERENCES, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kimono_explore.decode.notes import Notes
    from kimono_explore.schema import JSON, Reference


class PythonPage(NamedTuple):
    """The rows of a page that Python read: their columns, the Python types of undeclared ones, and their links."""

    columns: dict[str, pa.Array]
    kinds: dict[str, set[type]]
    links: pa.Table


class PythonRows:
    """Reads rows of any shape of one table.

    Parameters
    ----------
    table : str
        One of the six tables.
    notes : Notes
        Takes what does not fit.
    """

    def __init__(self, table: str, notes: Notes) -> None:
        self.notes = notes
        self.sent: set[str] = set()
        self.type = OBJECT_TYPES[table]
        self.columns = {column.path: column for column in TABLES[table]}
        self.names = {column.name: ARROW_TYPES[column.kind] for column in TABLES[table]}
        self.groups = {path[0] for path in self.columns if len(path) > 1}
        self._table = table
        self._references = {r.key: (i, r) for i, r in enumerate(REFERENCES) if r.table == table}

    def read_page(self, objects: Iterable[dict[str, JSON]], rows: Iterable[int]) -> PythonPage:
        """Read objects of a page; ``rows`` are their rows in the whole list."""
        objects = list(objects)
        page = _PageColumns(len(objects))
        links: dict[str, list[object]] = {name: [] for name in LINK_FIELDS}
        for position, (item, row) in enumerate(zip(objects, rows, strict=True)):
            self._read(item, position, row, page, links)
        columns = {name: pa.array(values, self.names.get(name, pa.string())) for name, values in page.lists.items()}
        return PythonPage(columns, page.kinds, link_table(links))

    def stated(self, item: dict[str, JSON]) -> tuple[set[str], set[int]]:
        """What an object mentions, even if only as null: its columns, and the positions of its references in REFERENCES."""
        columns, references = set[str](), set[int]()
        for key, value in item.items():
            grouped = (key in ("$sys", "$ext") or key in self.groups) and (isinstance(value, dict) or value is None)
            if key in self._references:
                references |= {self._references[key][0]} if value is not None else set()
            elif grouped:
                within = value if isinstance(value, dict) else self._group(key)
                columns |= {self._name((key, name), f"{key.removeprefix('$')}_{name}") for name in within}
            else:
                columns.add(self._name(("$sys", key) if ("$sys", key) in self.columns else (key,), key))
        return columns - {"", "id", "sys_type"}, references

    def _group(self, key: str) -> list[str]:
        """The keys that a null in place of a group empties; none for ``$sys`` and ``$ext``, whose null means "not sent"."""
        return [] if key in ("$sys", "$ext") else [path[1] for path in self.columns if path[0] == key]

    def _name(self, path: tuple[str, ...], undeclared: str) -> str:
        """The column name of a value; "" for an undeclared key that has the name of a column and is left out."""
        column = self.columns.get(path)
        if column is None:
            return "" if undeclared in self.names else undeclared
        return column.name

    def _read(
        self, item: dict[str, JSON], position: int, row: int, page: _PageColumns, links: dict[str, list[object]]
    ) -> None:
        sys_values = item.get("$sys")
        inner = sys_values if isinstance(sys_values, dict) else {}
        id = self._id(item)
        cells = _Cells(id, position, page, self)
        person_type = inner.get("person_type", item.get("person_type"))
        role = ROLES.get(person_type.lower()) if isinstance(person_type, str) else None
        for key, value in item.items():
            if key in self._references:
                if value is not None:
                    self._refer(key, value, Referrer(id, row, role), links)
            elif key == "$sys" and (isinstance(value, dict) or value is None):
                cells.put_sys(inner)
            elif key == "$ext" and (isinstance(value, dict) or value is None):
                for name, extra in (value or {}).items():
                    cells.put_extra(f"ext_{name}", extra)
            elif key in self.groups and (isinstance(value, dict) or value is None):
                cells.put_group(key, value or {})
            elif key != "id":
                cells.put(key, value)

    def _id(self, item: dict[str, JSON]) -> str | None:
        value = id_of(item)
        if value is None:
            self.notes.add(None, "id", None, "no id: the row is kept, and nothing can refer to it")
            return None
        if is_number(value):
            self.notes.count_numbers(Numbers("id", 1, as_text(value)))
        elif not isinstance(value, str):
            self.notes.add(as_text(value), "id", value, "an id that is not a text; kept as text")
        id, other = as_text(value), item.get("id")
        if other not in (None, "") and as_text(other) != id:
            self.notes.add(id, "id", other, "$sys.id and id differ; $sys.id is used")
        return id

    def _refer(self, key: str, value: JSON, referrer: Referrer, links: dict[str, list[object]]) -> None:
        index, reference = self._references[key]
        self.sent.add(f"{self._table}.{key}")
        for item in value if isinstance(value, list) else [value]:
            target, oddity = read_reference(item, reference.far_type)
            if target is not None and target.number:
                self.notes.count_numbers(Numbers(key, 1, target.id))
            if oddity:
                self.notes.add(referrer.id, key, item, oddity)
            if target is None:
                continue
            if referrer.id is None:
                self.notes.add(None, key, item, "a reference from a row without an id; left out")
                continue
            links["near"].append(referrer.row)
            links["reference"].append(index)
            links["far_id"].append(target.id)
            links["far_type"].append(target.type or reference.far_type)
            self._membership(target.membership, referrer, reference, links)

    def _membership(
        self, membership: dict[str, JSON], referrer: Referrer, reference: Reference, links: dict[str, list[object]]
    ) -> None:
        for column in MEMBERSHIP:
            field = column.path[0]
            value = self.notes.fitted(referrer.id, f"{reference.key}.{field}", membership.get(field), column)
            links[column.name].append(value)
        given_role = links["role"][-1]
        role = given_role.lower() or None if isinstance(given_role, str) else None
        if role is None and reference.relation in (None, *MEMBERSHIPS):
            role = reference.role or role_of(membership) or referrer.role
            if role is None and reference.relation is None:
                text = "neither the person nor the membership has the role student or teacher; student assumed"
                self.notes.add(referrer.id, reference.key, None, text)
                role = "student"
        links["role"][-1] = role


class Referrer(NamedTuple):
    """The object that states a link: its id, its row, and the role that its type suggests."""

    id: str | None
    row: int
    role: str | None


class _PageColumns:
    """The columns of one page while it is read: lists as long as the page."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.lists: dict[str, list[object]] = {}
        self.kinds: defaultdict[str, set[type]] = defaultdict(set)

    def put(self, name: str, position: int, value: object) -> bool:
        """Set a cell; False if it is already taken."""
        column = self.lists.setdefault(name, [None] * self.size)
        if column[position] is not None:
            return False
        column[position] = value
        return True


class _Cells:
    """The cells of one object on their way into the page's columns."""

    def __init__(self, id: str | None, position: int, page: _PageColumns, rows: PythonRows) -> None:
        self._id, self._position, self._page, self._rows = id, position, page, rows
        if id is not None:
            page.put("id", position, id)

    def put_sys(self, values: dict[str, JSON]) -> None:
        """Put the values in ``$sys``."""
        for key, value in values.items():
            if key == "type":
                kind = plain_type(as_text(value)) if value else ""
                if kind and TYPE_NAMES.get(kind) != self._rows.type:
                    self._note("type", value, "an object of another type than the list's")
            elif key != "id":
                self._put(("$sys", key), f"sys_{key}", value)

    def put_group(self, group: str, values: dict[str, JSON]) -> None:
        """Put the values in a group, such as a person's name."""
        for key, value in values.items():
            self._put((group, key), f"{group}_{key}", value)

    def put(self, key: str, value: JSON) -> None:
        """Put a value at top level, which belongs in ``$sys`` if that is null."""
        path = ("$sys", key) if ("$sys", key) in self._rows.columns else (key,)
        if key in self._rows.groups:
            self._note(key, value, "not an object")
        self._put(path, key, value)

    def _put(self, path: tuple[str, ...], name: str, value: JSON) -> None:
        column = self._rows.columns.get(path)
        if column is None:
            self.put_extra(name, value)
            return
        fitted = self._rows.notes.fitted(self._id, column.name, value, column)
        if fitted is not None and not self._page.put(column.name, self._position, fitted):
            self._note(column.name, value, "a second value for the column; the first is kept")

    def put_extra(self, name: str, value: JSON) -> None:
        """Put an undeclared value, as text."""
        if name in self._rows.names:
            if value is not None:
                self._note(name, value, "a key named like a column of the table; left out")
            return
        self._page.lists.setdefault(name, [None] * self._page.size)
        if value is None:
            return
        self._page.kinds[name].add(type(value))
        if not self._page.put(name, self._position, as_text(value)):
            self._note(name, value, "a second value for the column; the first is kept")

    def _note(self, column: str, value: JSON, problem: str) -> None:
        self._rows.notes.add(self._id, column, value, problem)
