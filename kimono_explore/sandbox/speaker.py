"""How the sandbox renders a roster's objects: a page is joined from columns of JSON text, not built object by object."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
import pandas as pd
import polars as pl

from kimono_explore.frames import to_arrow
from kimono_explore.json_text import encode
from kimono_explore.schema import (
    IN_SECTION,
    LINK_COLUMNS,
    MEMBERSHIPS,
    OBJECT_TYPES,
    REFERENCES,
    TABLE_OF,
    TABLES,
    Reference,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from kimono_explore.decode.ids import Codes
    from kimono_explore.roster.roster import Roster
    from kimono_explore.sandbox.dialect import Dialect
    from kimono_explore.schema import JSON

    Rows = NDArray[np.int64]

_MEMBERSHIP_FIELDS = {c.name: c.path[0] for c in LINK_COLUMNS if c.path and c.name not in ("role", "membership_id")}
_PATHS = {table: {column.name: column.path for column in columns} for table, columns in TABLES.items()}
_GROUPS = {table: {path[0] for path in paths.values() if len(path) == 2} - {"$sys"} for table, paths in _PATHS.items()}
_INTEGERS = {table: {column.name for column in columns if column.integer} for table, columns in TABLES.items()}
_HELD_UNDER = {"section": "$section", "org": "$org", "person": "$person"}
_ROLES = ("student", "teacher")
_WHOLE = r"^([1-9]\d{0,8})$"


class Speaker:
    """Renders the objects of a roster in a dialect, a page at a time."""

    def __init__(self, roster: Roster, dialect: Dialect) -> None:
        self.roster, self.dialect, self.index = roster, dialect, roster.index
        self._tables = {name: pl.DataFrame(to_arrow(name, df)) for name, df in roster.tables.items()}
        self._carriers = self._carrying()
        self._as_came = _values_as_they_came(roster)
        links = roster.links
        stated = links["stated_by"].astype("str").to_numpy()
        member = links["relation"].isin(MEMBERSHIPS).to_numpy()
        self._on_source = np.isin(stated, ("source", "both"))
        self._on_target = np.isin(stated, ("target", "both"))
        if dialect.rollups != "as_stated":
            self._on_source = np.where(member, dialect.rollups in ("source", "both"), self._on_source)
            self._on_target = np.where(member, dialect.rollups in ("target", "both"), self._on_target)
        self._kind, self._kinds = _combinations(links, ["relation", "source_type", "target_type", "role"])
        roles = [role for *_, role in self._kinds]
        self._role_numbers = np.array([-1 if role is None else _number(role) for role in roles], dtype=np.int64)
        self._role_texts = pl.Series([f',"role":{encode(role)}' for role in roles], dtype=pl.String)
        self._field, fields = _combinations(links, [*_MEMBERSHIP_FIELDS])
        self._field_texts = pl.Series([_fields(_MEMBERSHIP_FIELDS.values(), one) for one in fields], dtype=pl.String)
        self._membership_ids = pl.DataFrame(to_arrow("links", links[["membership_id"]])).to_series()
        self._roles = self._roles_by_type()

    def objects(self, table: str, rows: Sequence[int]) -> list[dict[str, Any]]:
        """The objects in these rows of a table, with their references."""
        return [msgspec.json.decode(text) for text in self.json(table, rows)]

    def json(self, table: str, rows: Sequence[int] | Rows) -> list[msgspec.Raw]:
        """The same as JSON."""
        rows = np.asarray(rows, dtype=np.int64)
        bare = self._bare(table, rows).str.strip_suffix("}")
        return [msgspec.Raw(text) for text in _joined(bare, *self._references(table, rows), "}").cast(pl.Binary)]

    def _bare(self, table: str, rows: Rows) -> pl.Series:
        """The objects without their references."""
        taken = self._tables[table][rows]
        texts = taken.select(self._expressions[table]).to_series()
        odd = self._odd_cells(table, taken)
        if odd:
            places = sorted(odd)
            texts = texts.scatter(places, [self._mended(table, texts[place], odd[place]) for place in places])
        return texts

    @cached_property
    def _expressions(self) -> dict[str, pl.Expr]:
        """For each table, how to make JSON of its columns."""
        return {table: self._expression(table) for table in self._tables}

    def _expression(self, table: str) -> pl.Expr:
        fields: dict[str, dict[str, pl.Expr]] = {"$sys": {}, "$ext": {}, "": {}}
        for name, dtype in self._tables[table].schema.items():
            *group, key = _path(table, name)
            column = pl.col(name)
            if dtype == pl.Date:
                column = column.cast(pl.String)
            elif isinstance(dtype, pl.Datetime):
                column = column.dt.strftime("%Y-%m-%dT%H:%M:%S%.f" + ("Z" if dtype.time_zone else ""))
            elif self.dialect.school_years == "integer" and name in _INTEGERS[table]:
                column = column.str.extract(_WHOLE).cast(pl.Int64)
            fields.setdefault(group[0] if group else "", {})[key] = column
        own, ext, top = fields.pop("$sys"), fields.pop("$ext"), fields.pop("")
        if self.dialect.ids == "top":
            top |= {"$sys": pl.lit(None), **own}
        else:
            fields["$sys"] = {**own, "type": pl.lit(OBJECT_TYPES[table])}
        if ext:
            fields["$ext"] = ext
        top |= {key: _struct(held) for key, held in fields.items()}
        whole = _struct(top).struct.json_encode()
        return whole if ext else pl.concat_str(whole.str.strip_suffix("}"), pl.lit(',"$ext":{}}'))

    def _odd_cells(self, table: str, taken: pl.DataFrame) -> dict[int, dict[str, JSON]]:
        """What the expression of the table cannot say: by row and column, with the value; without an id, that of id is None."""
        odd: dict[int, dict[str, JSON]] = {}
        for place in taken["id"].is_null().arg_true():
            odd.setdefault(place, {})["id"] = None
        if self.dialect.school_years == "integer":
            for name in _INTEGERS[table] & set(taken.columns):
                for place in (~taken[name].str.contains(_WHOLE)).fill_null(False).arg_true():
                    odd.setdefault(place, {})[name] = taken[name][place]
        for (of, name), values in self._as_came.items():
            if of == table and name in taken.columns:
                here = taken["id"].is_in([str(id) for id in values]) & taken[name].is_null()
                for place in here.fill_null(False).arg_true():
                    odd.setdefault(place, {})[name] = values[taken["id"][place]]
        return odd

    def _mended(self, table: str, text: str, cells: dict[str, JSON]) -> str:
        """The object with these cells."""
        item = msgspec.json.decode(text)
        for name, value in cells.items():
            *group, key = _path(table, name)
            held = item if not group or (group == ["$sys"] and self.dialect.ids == "top") else item[group[0]]
            held[key] = value
            if name == "id":
                del held[key]
        return encode(item)

    def _references(self, table: str, rows: Rows) -> Iterator[pl.Series]:
        """For each key that holds references, what it adds to each object: ``,"$sections":[{...}]``, or null."""
        stated = {forward: self._stated(table, rows, forward) for forward in (True, False)}
        for key, reference in enumerate(REFERENCES):
            if reference.table != table:
                continue
            held = stated[reference.forward].under(key)
            always = reference.many and self._sends(reference)
            if not (always or len(held.links)):
                continue
            shown = pl.DataFrame({"place": held.places, "text": self._shown(reference, held, rows)})
            listed = shown.group_by("place").agg(pl.col("text").str.join(","), pl.len().alias("count"))
            texts = pl.DataFrame({"place": np.arange(len(rows))}).join(
                listed, on="place", how="left", maintain_order="left"
            )
            # More than one where the reference has place for one: a list loses none.
            as_list = pl.concat_str(pl.lit("["), pl.col("text").fill_null(""), pl.lit("]"))
            one = pl.when(pl.lit(reference.many) | (pl.col("count") > 1)).then(as_list).otherwise(pl.col("text"))
            sent = pl.lit(always) | pl.col("text").is_not_null()
            whole = pl.concat_str(pl.lit(f',"{reference.key}":'), one)
            yield texts.select(pl.when(sent).then(whole)).to_series()

    def _stated(self, table: str, rows: Rows, forward: bool) -> _Stated:
        """The links of these rows that the API has a key for, as this side states them."""
        near, far = (self.index.source, self.index.target) if forward else (self.index.target, self.index.source)
        codes = self._carriers[table][rows]
        places = np.argsort(codes, kind="stable")
        places = places[codes[places] >= 0]
        links = self.index.links_from(codes[places]) if forward else self.index.links_to(codes[places])
        links = links[(self._on_source if forward else self._on_target)[links]]
        places = places[np.searchsorted(codes[places], near[links])]
        keys = np.array([_key_for(table, forward, *kind) for kind in self._kinds], dtype=np.int64)
        return _Stated(keys[self._kind[links]], places, links, far[links])

    def _carrying(self) -> dict[str, Rows]:
        """The code of each row of each table; -1 where it has no id, or where an earlier row has the same and carries the links."""
        codes = np.arange(self.index.size)
        types, rows = self.index.kinds(codes), self.index.rows(codes)
        carriers = {name: np.full(len(df), -1, dtype=np.int64) for name, df in self._tables.items()}
        for name, type in OBJECT_TYPES.items():
            own = codes[(types == self.index.types.index(type)) & (rows >= 0)]
            carriers[name][rows[own]] = own
        return carriers

    def _sends(self, reference: Reference) -> bool:
        rollups = self.dialect.rollups
        is_membership = reference.relation in (None, *MEMBERSHIPS)
        if is_membership and rollups != "as_stated":
            return rollups == "both" or rollups == ("source" if reference.forward else "target")
        return f"{reference.table}.{reference.key}" in self.roster.rollups

    def _shape(self, reference: Reference) -> str:
        """The shape in which a reference is sent."""
        if self.dialect.references != "mixed":
            return self.dialect.references
        return "rolled_up" if reference.key in ("$course", "$org", "$terms") else "flat"

    def _shown(self, reference: Reference, stated: _Stated, rows: Rows) -> pl.Series:
        """The references of these links to their far ends."""
        shape = self._shape(reference)
        target = self._flat.gather(stated.far)  # without its last brace
        shown = _joined('{"$sys":', target, "}") if shape in ("wrapped", "rolled_up") else target
        if shape == "rolled_up":
            known = self._whole(stated.far)
            shown = known.zip_with(known.is_not_null(), shown)
        id, fields = self._membership(reference, stated, rows)
        membership = _joined(id, fields)
        inner = _joined(',"$membership":{', membership.str.strip_prefix(","), "}")
        shown = _joined(shown, inner.set(membership == "", ""), "}")
        if shape == "membership" and reference.relation in (None, *MEMBERSHIPS):
            own = _joined(
                '{"$sys":{', id.str.strip_prefix(",").replace("", '"id":null'), ',"type":"Membership"}', fields
            )
            under = pl.Series([_HELD_UNDER.get(type) for type in self.index.type_of(stated.far)], dtype=pl.String)
            held = _joined(own, ',"', under, '":', target, "}}")
            shown = held.zip_with(under.is_not_null(), shown)
        return shown

    def _membership(self, reference: Reference, stated: _Stated, rows: Rows) -> tuple[pl.Series, pl.Series]:
        """The ids and the other fields of these links' memberships: ``,"id":"m1"`` and ``,"status":"Active"``, or empty."""
        ids = _quoted("id", self._membership_ids.gather(stated.links)).fill_null("")
        kinds = self._kind[stated.links]
        numbers = self._role_numbers[kinds]
        by_type = self._roles[rows][stated.places] if reference.table == "persons" else -1
        # A role that nobody would guess.
        told = (numbers >= 0) & (numbers != (by_type if reference.role is None else _number(reference.role)))
        roles = self._role_texts.gather(kinds).set(pl.Series(~told), "")
        return ids, _joined(self._field_texts.gather(self._field[stated.links]), roles)

    def _roles_by_type(self) -> NDArray[np.int64]:
        """The role that each person has by type, as its place in `_ROLES`; -1 for none."""
        kinds = self._tables["persons"]["person_type"].str.to_lowercase()
        return kinds.replace_strict(
            {"student": 0, "teacher": 1, "staff": 1}, default=-1, return_dtype=pl.Int64
        ).to_numpy()

    @cached_property
    def _flat(self) -> pl.Series:
        """A flat reference to each object, by its code, without the last brace."""
        codes = np.arange(self.index.size)
        types, rows = self.index.type_of(codes), self.index.rows(codes)
        parts = [
            _quoted("id", pl.Series(self.index.ids(codes), dtype=pl.String)).str.strip_prefix(","),
            _quoted("type", pl.Series(types, dtype=pl.String)),
            _quoted("label", pl.Series(self.index.labels(codes), dtype=pl.String), known := pl.Series(rows >= 0)),
        ]
        for type, table in TABLE_OF.items():
            if f"{type}_type" in self._tables[table].columns:
                here = known & pl.Series(types == type)
                kinds = self._tables[table][f"{type}_type"].gather(pl.Series(rows).set(~here, None))
                parts.append(_quoted(f"{type}_type", kinds, here))
        return _joined("{", *parts)

    def _whole(self, codes: Codes) -> pl.Series:
        """The objects with these codes that the roster knows, without the last brace; null for the others."""
        different, places = np.unique(codes, return_inverse=True)
        types, rows = self.index.type_of(different), self.index.rows(different)
        texts = pl.Series([None] * len(different), dtype=pl.String)
        for type in {str(type) for type in types[rows >= 0]}:
            here = np.flatnonzero((types == type) & (rows >= 0))
            texts = texts.scatter(here, self._bare(TABLE_OF[type], rows[here]).str.strip_suffix("}"))
        return texts.gather(places)


class _Stated(NamedTuple):
    """Links as one side states them; each has a value in every array."""

    keys: Rows
    """The place in ``REFERENCES`` of the key that holds it; -1 if the API has none."""
    places: Rows
    """The object that holds it, by its place on the page."""
    links: Rows
    far: Codes
    """The code of the object at the far end."""

    def under(self, key: int) -> _Stated:
        """Those of one key."""
        here = self.keys == key
        return _Stated(*(values[here] for values in self))


@cache
def _key_for(table: str, forward: bool, relation: str, source: str, target: str, role: str | None) -> int:
    """The place in ``REFERENCES`` of the key under which this side states a link; -1 if the API has none."""
    far_type = target if forward else source
    stated_by = None if forward and relation in IN_SECTION else relation
    fitting = [
        (place, r)
        for place, r in enumerate(REFERENCES)
        if (r.table, r.forward, r.relation) == (table, forward, stated_by)
    ]
    exact = [(place, r) for place, r in fitting if r.far_type == far_type] or fitting
    if relation == "member_of" and not forward:
        exact = [(place, r) for place, r in exact if (r.role == "student") == (role == "student")]
    return exact[0][0] if exact else -1


def _path(table: str, name: str) -> tuple[str, ...]:
    """The keys that lead to the value of a column."""
    prefix, _, rest = name.partition("_")
    if name in _PATHS[table]:
        return _PATHS[table][name]
    if (prefix == "ext" and "_" in name) or (prefix == "sys" and rest):
        return (f"${prefix}", rest)
    return (prefix, rest) if rest and prefix in _GROUPS[table] else (name,)


def _number(role: str) -> int:
    return _ROLES.index(role) if role in _ROLES else len(_ROLES)


def _combinations(df: pd.DataFrame, names: list[str]) -> tuple[Rows, list[tuple[Any, ...]]]:
    """The combination of values in each row, as a number, and the combinations: None for what is missing."""
    coded = [pd.factorize(df[name]) for name in names]
    shape = [len(values) + 1 for _, values in coded]
    numbers, different = pd.factorize(np.ravel_multi_index([codes + 1 for codes, _ in coded], shape))
    plain = [[None, *(_plain(value) for value in values)] for _, values in coded]
    kinds = zip(*np.unravel_index(different, shape), strict=True)
    return numbers, [tuple(values[place] for values, place in zip(plain, kind, strict=True)) for kind in kinds]


def _fields(names: Iterable[str], values: tuple[Any, ...]) -> str:
    given = zip(names, values, strict=True)
    return "".join(f',"{name}":{encode(value)}' for name, value in given if value is not None)


def _plain(value: object) -> object:
    if isinstance(value, pd.Timestamp):
        return value.date()
    return value.item() if isinstance(value, np.generic) else value


def _struct(fields: dict[str, pl.Expr]) -> pl.Expr:
    return pl.struct([column.alias(key) for key, column in fields.items()])


def _joined(*parts: pl.Series | str) -> pl.Series:
    """Texts put together, row by row, without those that are null."""
    columns = {str(place): part for place, part in enumerate(parts) if isinstance(part, pl.Series)}
    named = [pl.lit(part) if isinstance(part, str) else pl.col(str(place)) for place, part in enumerate(parts)]
    return pl.DataFrame(columns).select(pl.concat_str(named, ignore_nulls=True)).to_series()


def _quoted(key: str, texts: pl.Series, known: pl.Series | None = None) -> pl.Series:
    """Texts as fields of objects: ``,"id":"p1"``; null where there is none, or, given ``known``, only where that is false."""
    known = texts.is_not_null() if known is None else known
    field = pl.struct(pl.col("text").alias(key)).struct.json_encode()
    inner = pl.concat_str(pl.lit(","), field.str.strip_prefix("{").str.strip_suffix("}"))
    return pl.DataFrame({"text": texts, "known": known}).select(pl.when("known").then(inner)).to_series()


def _values_as_they_came(roster: Roster) -> dict[tuple[str, str], dict[object, JSON]]:
    """The values that did not fit their columns, which are served as they were sent: by table and column, then id."""
    problems = roster.problems.dropna(subset=["table", "id", "column", "value"])
    found: dict[tuple[str, str], dict[object, JSON]] = {}
    for table, id, column, value in problems[["table", "id", "column", "value"]].itertuples(index=False):
        if not column.startswith("$"):
            found.setdefault((table, column), {})[id] = value
    return found
