"""How the sandbox speaks: the ways in which real servers differ, and how they render a roster's objects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from kimono_explore.frames import to_arrow
from kimono_explore.schema import LINK_COLUMNS, MEMBERSHIPS, OBJECT_TYPES, REFERENCES, TABLE_OF, TABLES, Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kimono_explore.roster.roster import Roster
    from kimono_explore.schema import JSON

    Object = dict[str, object]
    Layout = dict[str, int | dict[str, int]]


@dataclass(frozen=True)
class Dialect:
    """The ways in which servers differ. The defaults are what vendors' clients see in production.

    Attributes
    ----------
    paging : bool, default True
        Lists include ``paging`` with ``next``.
    finds : {"mixed", "bare", "wrapped"}, default "mixed"
        Single objects are returned bare or wrapped in ``data``. Mixed: orgs wrapped, all others bare.
    references : {"mixed", "flat", "wrapped", "rolled_up", "membership"}, default "mixed"
        The shape of references. Mixed: flat, with a section's course, org and terms rolled up.
    rollups : {"as_stated", "source", "target", "both", "none"}, default "as_stated"
        Which side states a membership (a person's sections and schools, or a section's and an org's people). As stated:
        the side or sides named in ``links.stated_by``. None: neither side.
    tasks : {"1.0.0", "2.0.0", "3.0.0"}, default "2.0.0"
        The wire version of tasks if the request does not name one.
    ids : {"sys", "top"}, default "sys"
        Ids are in ``$sys``, or at the top level with ``$sys: null``.
    school_years : {"integer", "text"}, default "integer"
        ``$sys.school_year`` is a whole number, as in Kimono's own OpenAPI document, or text.
    max_page_size : int, default 1000
        Larger pages are limited to this size.
    """

    paging: bool = True
    finds: Literal["mixed", "bare", "wrapped"] = "mixed"
    references: Literal["mixed", "flat", "wrapped", "rolled_up", "membership"] = "mixed"
    rollups: Literal["as_stated", "source", "target", "both", "none"] = "as_stated"
    tasks: Literal["1.0.0", "2.0.0", "3.0.0"] = "2.0.0"
    ids: Literal["sys", "top"] = "sys"
    max_page_size: int = 1000
    school_years: Literal["integer", "text"] = "integer"


_MEMBERSHIP_FIELDS = {c.name: c.path[0] for c in LINK_COLUMNS if c.path and c.name != "role"}
_PATHS = {table: {column.name: column.path for column in columns} for table, columns in TABLES.items()}
_GROUPS = {table: {path[0] for path in paths.values() if len(path) == 2} - {"$sys"} for table, paths in _PATHS.items()}
_INTEGERS = {table: {column.name for column in columns if column.integer} for table, columns in TABLES.items()}
_HELD_UNDER = {"section": "$section", "org": "$org", "person": "$person"}


class Speaker:
    """Renders the objects of a roster in a dialect, a page at a time."""

    def __init__(self, roster: Roster, dialect: Dialect) -> None:
        self.roster, self.dialect, self.index = roster, dialect, roster.index
        self._tables = {name: to_arrow(name, df) for name, df in roster.tables.items()}
        self._layouts = {name: _layout(name, table.column_names) for name, table in self._tables.items()}
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
        links = self._stated(table, forward, positions, near, far)
        whole = self._rolled_up([link.target for link in links if self._shape(link.reference) == "rolled_up"])
        for link in links:
            item, reference, shown = link.near, link.reference, self._reference(link, whole)
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

    def _stated(
        self, table: str, forward: bool, positions: np.ndarray, near: list[Object | None], far: np.ndarray
    ) -> list[_Link]:
        """The links in these rows that the API has a key for, as this side states them."""
        taken = self._links.take(positions)
        relations = taken.column("relation").to_pylist()
        types = taken.column("target_type" if forward else "source_type").to_pylist()
        roles = taken.column("role").to_pylist()
        memberships: list[Object] = [{} for _ in relations]
        for name, field in _MEMBERSHIP_FIELDS.items():
            column = taken.column(name)
            if column.null_count < len(column):
                for membership, value in zip(memberships, column.to_pylist(), strict=True):
                    if value is not None:
                        membership[field] = value
        found = []
        for item, relation, type, role, membership, target in zip(
            near, relations, types, roles, memberships, self._targets(far), strict=True
        ):
            reference = _reference_for(table, forward, relation, type, role == "student")
            if item is None or reference is None:
                continue
            if role is not None and role != (reference.role or _role_of(item)):
                membership["role"] = role
            found.append(_Link(item, reference, relation, target, membership))
        return found

    def _sends(self, reference: Reference) -> bool:
        rollups = self.dialect.rollups
        is_membership = reference.relation in (None, *MEMBERSHIPS)
        if is_membership and rollups != "as_stated":
            return rollups == "both" or rollups == ("source" if reference.forward else "target")
        return f"{reference.table}.{reference.key}" in self.roster.rollups

    def _bare(self, table: str, rows: Sequence[int]) -> list[Object]:
        """The objects without their references."""
        taken = self._tables[table].take(np.asarray(rows, dtype=np.int64))
        ids = taken.column("id").to_pylist()
        columns = [self._values(table, name, taken.column(name).to_pylist(), ids) for name in taken.column_names]
        return [self._nest(table, values) for values in zip(*columns, strict=True)]

    def _values(self, table: str, name: str, values: list[object], ids: list[object]) -> list[object]:
        """The values of a column as they are sent."""
        as_came = self._as_came.get((table, name))
        if as_came:
            values = [as_came.get(id) if value is None else value for id, value in zip(ids, values, strict=True)]
        if self.dialect.school_years == "integer" and name in _INTEGERS[table]:
            values = [int(v) if isinstance(v, str) and re.fullmatch(r"[1-9]\d{0,8}", v) else v for v in values]
        return values

    def _nest(self, table: str, values: tuple[object, ...]) -> Object:
        item: Object = {
            key: values[place] if isinstance(place, int) else {inner: values[i] for inner, i in place.items()}
            for key, place in self._layouts[table].items()
        }
        own = item["$sys"]
        assert isinstance(own, dict)
        if own["id"] is None:
            del own["id"]
        if self.dialect.ids == "top":
            item["$sys"] = None
            item.update(own)
        else:
            own["type"] = OBJECT_TYPES[table]
        return item

    def _targets(self, codes: np.ndarray) -> list[_Target]:
        """What is referred to, with the fields that a flat reference has."""
        types, ids, rows = self.index.type_of(codes), self.index.ids(codes), self.index.rows(codes)
        labels = self.index.labels(codes)
        fields: list[Object] = [{"id": id, "type": type} for id, type in zip(ids, types, strict=True)]
        for i in np.flatnonzero(rows >= 0):
            fields[i]["label"] = labels[i]
        for type, table in TABLE_OF.items():
            kind = f"{type}_type"
            if kind in self._tables[table].column_names:
                here = np.flatnonzero((types == type) & (rows >= 0))
                for i, value in zip(here, self._tables[table].column(kind).take(rows[here]).to_pylist(), strict=True):
                    fields[i][kind] = value
        return [_Target(type, row, own) for type, row, own in zip(types, rows.tolist(), fields, strict=True)]

    def _rolled_up(self, targets: list[_Target]) -> dict[tuple[str, int], Object]:
        """Those of them that the roster knows, as whole objects, by type and row."""
        rows: dict[str, list[int]] = {}
        for type, row in {(target.type, target.row) for target in targets if target.row >= 0}:
            rows.setdefault(type, []).append(row)
        return {
            (type, row): item
            for type, those in rows.items()
            for row, item in zip(those, self._bare(TABLE_OF[type], those), strict=True)
        }

    def _shape(self, reference: Reference) -> str:
        """The shape in which a reference is sent."""
        if self.dialect.references != "mixed":
            return self.dialect.references
        return "rolled_up" if reference.key in ("$course", "$org", "$terms") else "flat"

    def _reference(self, link: _Link, whole: dict[tuple[str, int], Object]) -> Object:
        shape, target, membership = self._shape(link.reference), link.target, link.membership
        if shape == "membership" and link.relation in MEMBERSHIPS and target.type in _HELD_UNDER:
            own = {"$sys": {"id": membership.pop("id", None), "type": "Membership"}}
            return {**own, **membership, _HELD_UNDER[target.type]: target.fields}
        shown: Object = {"$sys": target.fields} if shape in ("wrapped", "rolled_up") else target.fields
        if shape == "rolled_up":
            shown = whole.get((target.type, target.row), shown)
        return {**shown, "$membership": membership} if membership else shown


class _Target(NamedTuple):
    type: str
    row: int
    fields: Object


class _Link(NamedTuple):
    near: Object
    reference: Reference
    relation: str
    target: _Target
    membership: Object


@cache
def _reference_for(table: str, forward: bool, relation: str, far_type: str, student: bool) -> Reference | None:
    """The key under which this side states a link; None if the API has none."""
    fitting = [r for r in REFERENCES if r.table == table and r.forward == forward and r.states(relation)]
    exact = [r for r in fitting if r.far_type == far_type] or fitting
    if relation == "member_of" and not forward:
        exact = [r for r in exact if (r.role == "student") == student]
    return exact[0] if exact else None


def _layout(table: str, names: list[str]) -> Layout:
    """Where the values of a row stand in its object: ``{"$ext": {}, "$sys": {"id": 0}, "name": {"last": 2}, "dob": 3}``."""
    layout: Layout = {"$ext": {}, "$sys": {}}
    for place, name in enumerate(names):
        *group, key = _path(table, name)
        if group:
            held = layout.setdefault(group[0], {})
            assert isinstance(held, dict)
            held[key] = place
        else:
            layout[key] = place
    return layout


def _path(table: str, name: str) -> tuple[str, ...]:
    """The keys that lead to the value of a column."""
    prefix, _, rest = name.partition("_")
    if name in _PATHS[table]:
        return _PATHS[table][name]
    if (prefix == "ext" and "_" in name) or (prefix == "sys" and rest):
        return (f"${prefix}", rest)
    return (prefix, rest) if rest and prefix in _GROUPS[table] else (name,)


def _role_of(person: Object) -> str | None:
    inner = person.get("$sys")
    kind = inner.get("person_type") if isinstance(inner, dict) else person.get("person_type")
    text = kind.lower() if isinstance(kind, str) else ""
    return "student" if text == "student" else "teacher" if text in ("teacher", "staff") else None


def _values_as_they_came(roster: Roster) -> dict[tuple[str, str], dict[object, JSON]]:
    """The values that did not fit their columns, which are served as they were sent: by table and column, then id."""
    problems = roster.problems.dropna(subset=["table", "id", "column", "value"])
    found: dict[tuple[str, str], dict[object, JSON]] = {}
    for table, id, column, value in problems[["table", "id", "column", "value"]].itertuples(index=False):
        if not column.startswith("$"):
            found.setdefault((table, column), {})[id] = value
    return found
