"""How the sandbox speaks: the ways in which real servers differ, and how they render a roster's objects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from kimono_explore.frames import to_arrow
from kimono_explore.schema import LINK_COLUMNS, MEMBERSHIPS, OBJECT_TYPES, REFERENCES, TABLE_OF, TABLES, Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kimono_explore.roster.roster import Roster
    from kimono_explore.schema import JSON

    Object = dict[str, object]


@dataclass(frozen=True)
class Dialect:
    """The choices in which servers differ; the defaults are what vendors' clients read in production.

    Attributes
    ----------
    paging : bool, default True
        Lists carry ``paging`` with ``next``.
    finds : {"mixed", "bare", "wrapped"}, default "mixed"
        Found objects are bare, or wrapped in ``data``; mixed: orgs wrapped, all others bare.
    references : {"mixed", "flat", "wrapped", "rolled_up", "membership"}, default "mixed"
        The shape of references; mixed: flat, and a section's course, org and terms rolled up.
    rollups : {"as_stated", "source", "target", "both", "none"}, default "as_stated"
        Which side states a membership (a person's sections and schools, a section's and an org's people); as stated:
        the side or sides that ``links.stated_by`` names. None leaves both out.
    tasks : {"1.0.0", "2.0.0", "3.0.0"}, default "2.0.0"
        The wire version of tasks if a request does not name one.
    ids : {"sys", "top"}, default "sys"
        Ids are in ``$sys``, or at top level with ``$sys: null``.
    school_years : {"integer", "text"}, default "integer"
        ``$sys.school_year`` is a whole number, as in Kimono's own OpenAPI document, or text.
    max_page_size : int, default 1000
        Longer pages are cut to this size.
    """

    paging: bool = True
    finds: Literal["mixed", "bare", "wrapped"] = "mixed"
    references: Literal["mixed", "flat", "wrapped", "rolled_up", "membership"] = "mixed"
    rollups: Literal["as_stated", "source", "target", "both", "none"] = "as_stated"
    tasks: Literal["1.0.0", "2.0.0", "3.0.0"] = "2.0.0"
    ids: Literal["sys", "top"] = "sys"
    max_page_size: int = 1000
    school_years: Literal["integer", "text"] = "integer"


_MEMBERSHIP_COLUMNS = tuple(column for column in LINK_COLUMNS if column.path)
_HELD_UNDER = {"section": "$section", "org": "$org", "person": "$person"}


class Speaker:
    """Renders the objects of a roster in a dialect, a page at a time."""

    def __init__(self, roster: Roster, dialect: Dialect) -> None:
        self.roster, self.dialect, self.index = roster, dialect, roster.index
        self._tables = {name: to_arrow(name, df) for name, df in roster.tables.items()}
        self._links = to_arrow("links", roster.links)
        stated = roster.links["stated_by"].astype("str").to_numpy()
        member = roster.links["relation"].isin(MEMBERSHIPS).to_numpy()
        self._on_source = np.isin(stated, ("source", "both"))
        self._on_target = np.isin(stated, ("target", "both"))
        if dialect.rollups != "as_stated":
            self._on_source = np.where(member, dialect.rollups in ("source", "both"), self._on_source)
            self._on_target = np.where(member, dialect.rollups in ("target", "both"), self._on_target)
        self._as_came = _values_as_they_came(roster)

    def objects(self, table: str, rows: Sequence[int]) -> list[Object]:
        """The objects in these rows of a table, with their references."""
        found = self._bare(table, rows)
        references = [r for r in REFERENCES if r.table == table]
        for item in found:
            for reference in references:
                if reference.many and self._sends(reference):
                    item[reference.key] = []
        kind = OBJECT_TYPES[table]
        first = {int(row): item for row, item in zip(rows, found, strict=True)}
        ids = self.roster.tables[table]["id"].iloc[list(rows)]
        named = ids.dropna()
        codes = np.unique(self.index.codes(pd.Series(kind, index=named.index), named))
        # Where an id came twice, the first row carries the links.
        owners = dict(zip(codes.tolist(), self.index.rows(codes).tolist(), strict=True))
        for forward in (True, False):
            positions = self.index.links_from(codes) if forward else self.index.links_to(codes)
            positions = positions[(self._on_source if forward else self._on_target)[positions]]
            near = (self.index.source if forward else self.index.target)[positions]
            far = (self.index.target if forward else self.index.source)[positions]
            self._put_references(table, forward, positions, [first.get(owners[int(c)]) for c in near], far)
        return found

    def _put_references(
        self, table: str, forward: bool, positions: np.ndarray, near: list[Object | None], far: np.ndarray
    ) -> None:
        links = self._links.take(positions).to_pylist()
        types, ids, labels = self.index.type_of(far), self.index.ids(far), self.index.labels(far)
        missing = self.index.missing(far)
        rows = self.index.rows(far)
        for i, (item, link) in enumerate(zip(near, links, strict=True)):
            reference = _reference_for(table, forward, link)
            if item is None or reference is None:
                continue
            target = _Target(types[i], ids[i], None if missing[i] else labels[i], int(rows[i]))
            shown = self._reference(reference, link, target, item)
            if reference.many:
                held = item.setdefault(reference.key, [])
                assert isinstance(held, list)
                held.append(shown)
            elif reference.key in item:
                # More than one where the reference has place for one: a list loses none.
                earlier = item[reference.key]
                item[reference.key] = [*(earlier if isinstance(earlier, list) else [earlier]), shown]
            else:
                item[reference.key] = shown

    def _sends(self, reference: Reference) -> bool:
        rollups = self.dialect.rollups
        is_membership = reference.relation in (None, *MEMBERSHIPS)
        if is_membership and rollups != "as_stated":
            return rollups == "both" or rollups == ("source" if reference.forward else "target")
        return f"{reference.table}.{reference.key}" in self.roster.rollups

    def _bare(self, table: str, rows: Sequence[int]) -> list[Object]:
        """The objects without their references."""
        records = self._tables[table].take(np.asarray(rows, dtype=np.int64)).to_pylist()
        return [self._nest(table, record) for record in records]

    def _nest(self, table: str, record: dict[str, object]) -> Object:
        inner: Object = {"id": record["id"], "type": OBJECT_TYPES[table]}
        extra: Object = {}
        item: Object = {"$ext": extra, "$sys": inner}
        paths = {column.name: column.path for column in TABLES[table]}
        integers = {
            column.name for column in TABLES[table] if column.integer and self.dialect.school_years == "integer"
        }
        groups = {path[0] for path in paths.values() if len(path) == 2 and path[0] != "$sys"}
        for name, value in record.items():
            prefix, _, rest = name.partition("_")
            if name in paths:
                path: tuple[str, ...] = paths[name]
            elif prefix == "ext" and "_" in name:
                path = ("$ext", rest)
            elif prefix == "sys" and rest:
                path = ("$sys", rest)
            else:
                path = (prefix, rest) if prefix in groups and rest else (name,)
            if value is None and isinstance(record["id"], str):
                value = self._as_came.get((table, record["id"], name))
            if name in integers and isinstance(value, str) and re.fullmatch(r"[1-9]\d{0,8}", value):
                value = int(value)
            place = item
            if len(path) == 2:
                held = item.setdefault(path[0], {})
                assert isinstance(held, dict)
                place = held
            place[path[-1]] = value
        if inner["id"] is None:
            del inner["id"]
        if self.dialect.ids == "top":
            item["$sys"] = None
            item.update({key: value for key, value in inner.items() if key != "type"})
        return item

    def _reference(self, reference: Reference, link: dict[str, object], target: _Target, near: Object) -> Object:
        shape = self.dialect.references
        if shape == "mixed":
            shape = "rolled_up" if reference.key in ("$course", "$org", "$terms") else "flat"
        membership = {
            column.path[0]: link[column.name]
            for column in _MEMBERSHIP_COLUMNS
            if link[column.name] is not None and column.name != "role"
        }
        if link["role"] is not None and link["role"] != (reference.role or _role_of(near)):
            membership["role"] = link["role"]
        flat = self._flat(target)
        if shape == "membership" and link["relation"] in MEMBERSHIPS and target.type in _HELD_UNDER:
            own = {"$sys": {"id": membership.pop("id", None), "type": "Membership"}}
            return {**own, **membership, _HELD_UNDER[target.type]: flat}
        if shape == "rolled_up" and target.row >= 0:
            shown = self._bare(TABLE_OF[target.type], [target.row])[0]
        elif shape in ("wrapped", "rolled_up"):
            shown = {"$sys": flat}
        else:
            shown = flat
        return {**shown, "$membership": membership} if membership else shown

    def _flat(self, target: _Target) -> Object:
        flat: Object = {"id": target.id, "type": target.type}
        if target.label is not None:
            flat["label"] = target.label
        kind = f"{target.type}_type"
        table = self._tables[TABLE_OF[target.type]]
        if target.row >= 0 and kind in table.column_names:
            flat[kind] = table.column(kind)[target.row].as_py()
        return flat


@dataclass(frozen=True)
class _Target:
    type: str
    id: str
    label: str | None
    row: int


def _reference_for(table: str, forward: bool, link: dict[str, object]) -> Reference | None:
    """The key under which this side states a link; None if the API has none."""
    fitting = [r for r in REFERENCES if r.table == table and r.forward == forward]
    relation = link["relation"]
    if forward and relation in ("student_in", "teacher_in"):
        relation = None
    fitting = [r for r in fitting if r.relation == relation]
    far = link["target_type"] if forward else link["source_type"]
    exact = [r for r in fitting if r.far_type == far] or fitting
    if relation == "member_of" and not forward:
        exact = [r for r in exact if (r.role == "student") == (link["role"] == "student")]
    return exact[0] if exact else None


def _role_of(person: Object) -> str | None:
    inner = person.get("$sys")
    kind = inner.get("person_type") if isinstance(inner, dict) else person.get("person_type")
    text = kind.lower() if isinstance(kind, str) else ""
    return "student" if text == "student" else "teacher" if text in ("teacher", "staff") else None


def _values_as_they_came(roster: Roster) -> dict[tuple[str, str, str], JSON]:
    """The values that did not fit their columns, which are served as they were sent."""
    problems = roster.problems.dropna(subset=["table", "id", "column", "value"])
    return {
        (table, id, column): value
        for table, id, column, value in problems[["table", "id", "column", "value"]].itertuples(index=False)
        if not column.startswith("$")
    }
