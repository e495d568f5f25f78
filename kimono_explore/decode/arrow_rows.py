"""Rows that Arrow's JSON reader accepts, from JSON into Arrow without a Python object in between.

Most rows of a tenant look alike. Arrow's JSON reader takes them strictly: it is told the declared columns and
references, refuses a value of another type, and shows undeclared keys. A row that is odd in any way is left to the tolerant decoder
of python_rows.py; both ways give the same columns, links and problems.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json

from kimono_explore.decode.references import HELD_UNDER, MEMBERSHIP, ROLES, object_type
from kimono_explore.decode.values import Numbers, truth
from kimono_explore.json_text import encode
from kimono_explore.schema import MEMBERSHIPS, OBJECT_TYPES, REFERENCES, TABLES, Column, Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import msgspec
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    Rows = NDArray[np.int64]


class StatedLinks(NamedTuple):
    """The links that one reference key states: for each, its row among the accepted ones, and its columns."""

    reference: int
    near: Rows
    columns: dict[str, pa.Array]


class ArrowPage(NamedTuple):
    """The rows of a page that Arrow accepted, column by column, with values as they were sent; and which rows are odd.

    ``extras`` holds what is not declared, of ``$ext`` and beside it, ``extra_kinds`` the Python types of its values;
    ``types`` the rows that say they are objects of another type; ``numbers`` how many numbers and flags stand where text
    was declared. Rows are counted among the accepted ones, but for ``positions`` and ``odd``.
    """

    positions: list[int]
    odd: list[int]
    columns: dict[str, pa.Array]
    extras: dict[str, pa.Array]
    extra_kinds: dict[str, set[type]]
    stated: list[StatedLinks]
    types: list[tuple[int, str]]
    numbers: list[Numbers]


class ArrowRows:
    """Reads the rows of one table that Arrow's JSON reader accepts.

    Parameters
    ----------
    table : str
        One of the six tables.
    """

    def __init__(self, table: str) -> None:
        self._table = table
        self._references = [(i, reference) for i, reference in enumerate(REFERENCES) if reference.table == table]
        self._flat = [c.name for c in TABLES[table] if c.path[0] == "$sys" and c.name != "id"]
        self._declared = _fields_of(table)
        self._expected = dict(self._declared)
        self._expect_integers(pa.int64())
        # Arrow does not read a number where text is expected. Keys under which one was met are read with the number in quotes,
        # after a mark that nobody can send on purpose: {"local_id": 12} -> {"local_id": "kx-5b1e...-12"}.
        self._mark = f"kx-{secrets.token_hex(8)}-"
        self._quoted: frozenset[str] = frozenset()
        self._quote: re.Pattern[bytes] | None = None

    def read_page(self, rows: Sequence[bytes | msgspec.Raw]) -> ArrowPage:
        """The rows of a page that Arrow accepts."""
        page, positions = self._sift(rows)
        stated, odd = self._stated(page)
        extras, strange = self._extras(page)
        odd |= strange | self._contradictory(page)
        if odd.any():
            keep = pa.array(~odd)
            page, extras = page.filter(keep), {name: values.filter(keep) for name, values in extras.items()}
            positions = np.array(positions)[~odd].tolist()
            stated, _ = self._stated(page)
        left = sorted(set(range(len(rows))).difference(positions))
        numbers: list[Numbers] = []
        columns = {name: self._unmarked(name, values, numbers) for name, values in self._columns(page).items()}
        for statement in stated:
            key = REFERENCES[statement.reference].key
            for name in ("far_id", *_MEMBERSHIP_KEYS):
                within = key if name == "far_id" else f"{key}.{_MEMBERSHIP_KEYS[name]}"
                statement.columns[name] = self._unmarked(within, statement.columns[name], numbers)
        kinds = {name: self._kinds(values) for name, values in extras.items()}
        extras = {name: self._unmarked(name, values, []) for name, values in extras.items()}
        numbers = [found for found in numbers if found.column not in _INTEGERS]
        return ArrowPage(positions, left, columns, extras, kinds, stated, self._types(page), numbers)

    def _sift(self, rows: Sequence[bytes | msgspec.Raw]) -> tuple[pa.StructArray, list[int]]:
        """The rows that Arrow reads together, and their positions."""
        # A row that is not an object can crash Arrow: apache/arrow#47409.
        positions = [n for n, row in enumerate(rows) if memoryview(row)[0] == _BRACE]
        text = b"".join(rows)
        lines = b"\n" in text or b"\r" in text
        sound = 0
        # If more rows are odd, or Arrow does not say which, the tolerant decoder is faster.
        while len(positions) > _MIN_SHARE * len(rows):
            try:
                page = self.parse([rows[n] for n in positions[sound:]], lines=lines)
            except pa.ArrowInvalid as error:
                if self._expect_other_type(str(error)):
                    continue
                place = re.search(r" in row (\d+)$", str(error))
                if place is None:
                    break
                sound += int(place[1])
                del positions[sound]
                continue
            if not sound:
                return page, positions
            sound = 0
        return self.parse([]), []

    def parse(self, rows: Sequence[bytes | msgspec.Raw], *, lines: bool = True) -> pa.StructArray:
        """The rows as Arrow reads them; ``lines`` says that a row may go over several lines.

        Raises
        ------
        pyarrow.ArrowInvalid
            A row is not as declared; the error says which, where Arrow knows.
        """
        if not rows:
            return pa.array([], pa.struct(list(self._declared.values())))
        text = b"\n".join(rows)
        if self._quote is not None:
            text = self._quote.sub(rb'"\1"\2"' + self._mark.encode() + rb'\3"', text)
        found = arrow_json.read_json(
            pa.BufferReader(text),
            arrow_json.ReadOptions(use_threads=False, block_size=len(text) + 1),
            arrow_json.ParseOptions(
                explicit_schema=pa.schema(list(self._expected.values())),
                unexpected_field_behavior="infer",
                newlines_in_values=lines,
            ),
        )
        if found.num_rows != len(rows):
            raise pa.ArrowInvalid("rows were lost")
        if self._expect_text(found.schema):
            return self.parse(rows, lines=lines)
        found.validate(full=True)
        return pa.StructArray.from_arrays(
            [column.combine_chunks() for column in found.columns], fields=list(found.schema)
        )

    def _expect_other_type(self, error: str) -> bool:
        """From now on, expect the type that Arrow's error names. False if the rows cannot be read that way."""
        found = re.search(r"Column\(/(.+)\) changed from (\w+) to (\w+) in row", error)
        if found is None or not {found[2], found[3]} <= {"string", "number", "boolean"}:
            return False
        path = found[1].split("/")
        expected = self._expected_at(path)
        if expected == pa.int64():
            self._expect_integers(pa.string())  # a tenant that sends school years as text
            return True
        if path[-1] in self._quoted or len(self._quoted) > _MOST_QUOTED or (expected or pa.string()) != pa.string():
            return False
        if expected is None:
            groups = [name for name, field in self._expected.items() if pa.types.is_struct(field.type)]
            if path[1:] and (path[0] not in groups or len(path) > 2):
                return False
            self._expect(path, pa.string())
        self._quoted |= {path[-1]}
        names = b"|".join(re.escape(encode(name)[1:-1].encode()) for name in sorted(self._quoted))
        # Within a text, each quotation mark follows a backslash: no key can be found there.
        self._quote = re.compile(rb'"(' + names + rb')"(\s*:\s*)(-?[1-9][0-9]{0,17}|0|true|false)(?=\s*[,}])')
        return True

    def _expected_at(self, path: Sequence[str]) -> pa.DataType | None:
        """The type that Arrow is told to expect at a path; None if no type is declared there."""
        dtype: pa.DataType = pa.struct(list(self._expected.values()))
        for name in path:
            if name == "[]":
                dtype = dtype.value_type
            elif pa.types.is_struct(dtype) and dtype.get_field_index(name) >= 0:
                dtype = dtype.field(name).type
            else:
                return None
        return dtype

    def _expect_integers(self, dtype: pa.DataType) -> None:
        for column in TABLES[self._table]:
            if column.integer:
                self._expect(column.path, dtype)
                self._expect(column.path[-1:], dtype)  # $sys may be null, with its values beside it

    def _expect(self, path: Sequence[str], dtype: pa.DataType) -> None:
        """Change the expected type of a key at top level, or one level below."""
        name, *rest = path
        if rest:
            members = {field.name: field for field in self._expected[name].type}
            dtype = pa.struct(list((members | {rest[0]: pa.field(rest[0], dtype)}).values()))
        self._expected = self._expected | {name: pa.field(name, dtype)}

    def _expect_text(self, found: pa.Schema) -> bool:
        """Expect text wherever Arrow took undeclared text for times. True if it took any."""
        many = 0
        for field in found:
            if pa.types.is_timestamp(field.type):
                self._expect([field.name], pa.string())
                many += 1
            elif field.name in self._expected and pa.types.is_struct(field.type):
                times = [inner.name for inner in field.type if pa.types.is_timestamp(inner.type)]
                for name in times:
                    self._expect([field.name, name], pa.string())
                many += len(times)
        return many > 0

    def _marked(self, values: pa.Array) -> Mask:
        """Which values are numbers or flags that were read in quotes."""
        if not self._quoted or not pa.types.is_string(values.type):
            return np.zeros(len(values), dtype=bool)
        return truth(pc.starts_with(values, self._mark))

    def _untextual(self, values: Mapping[str, pa.Array], columns: Sequence[Column]) -> list[pa.Array]:
        """The columns in which a number makes the row odd; elsewhere it is a text whose quotes are missing."""
        return [values[c.name] for c in columns if c.kind not in ("text", "category") or c.name in _READ_AS_TYPES]

    def _kinds(self, values: pa.Array) -> set[type]:
        """The Python types of an undeclared column's values."""
        if values.null_count == len(values):
            return set()
        marked = self._marked(values)
        if not marked.any():
            return {_PYTHON_TYPES[values.type]}
        flags = truth(pc.is_in(values, pa.array([f"{self._mark}true", f"{self._mark}false"])))
        texts = truth(values.is_valid()) & ~marked
        return {kind for kind, there in ((bool, flags), (int, marked & ~flags), (str, texts)) if there.any()}

    def _unmarked(self, name: str, values: pa.Array, numbers: list[Numbers]) -> pa.Array:
        """The values as text; ``numbers`` counts those that were numbers."""
        if pa.types.is_integer(values.type):
            return values.cast(pa.string())
        marked = self._marked(values)
        if not marked.any():
            return values
        smallest = pc.min(values.filter(pa.array(marked))).as_py()
        numbers.append(Numbers(name, int(marked.sum()), smallest.removeprefix(self._mark)))
        return pc.replace_substring(values, self._mark, "", max_replacements=1)

    def _stated(self, page: pa.StructArray) -> tuple[list[StatedLinks], Mask]:
        """The links of the rows, by reference, and which rows' links are odd."""
        stated = []
        odd = np.zeros(len(page), dtype=bool)
        for index, reference in self._references:
            held = _field(page, reference.key)
            if held.null_count == len(held):
                continue
            # $schools of two rows: [s1, s2], [s3]  ->  items s1 s2 s3, near 0 0 1
            items = held.flatten() if reference.many else held.drop_null()
            rows = pc.list_parent_indices(held) if reference.many else pc.indices_nonzero(held.is_valid())
            near = rows.to_numpy().astype(np.int64)
            ids, kinds = (_filled(items, "$sys", name, or_else=name) for name in ("id", "type"))
            types = _mapped(kinds, object_type)
            membership = {column.name: _field(items, "$membership", column.path[0]) for column in MEMBERSHIP}
            membership["role"] = self._roles(reference, page, near, membership["role"])
            wrong = [ids.is_null(), pc.and_(kinds.is_valid(), types.is_null())]
            wrong += [pa.array(self._marked(column)) for column in self._untextual(membership, MEMBERSHIP)]
            wrong += [_field(items, key).is_valid() for key in HELD_UNDER[reference.far_type] if _has(items, key)]
            inner = _field(items, "$membership")
            wrong += [_field(inner, key).is_valid() for key in ("type", "$sys", "$membership") if _has(inner, key)]
            if reference.relation is None:
                wrong += [_empty_is_null(membership["role"]).is_null()]
            for mask in wrong:
                odd[near[truth(mask)]] = True
            far_types = pc.fill_null(_empty_is_null(types), reference.far_type)
            stated.append(StatedLinks(index, near, {"far_type": far_types, "far_id": ids, **membership}))
        return stated, odd

    def _roles(self, reference: Reference, page: pa.StructArray, near: Rows, given: pa.Array) -> pa.Array:
        roles = _mapped(given, lambda role: role.lower() or None)
        if reference.relation not in (None, *MEMBERSHIPS):
            return roles
        if reference.role is not None or self._table != "persons":
            return roles if reference.role is None else pc.fill_null(roles, reference.role)
        suggested = _mapped(self._values(page, ("$sys", "person_type")), lambda kind: ROLES.get(kind.lower()))
        return pc.coalesce(roles, suggested.take(pa.array(near)))

    def _extras(self, page: pa.StructArray) -> tuple[dict[str, pa.Array], Mask]:
        """The undeclared values of the rows, by column, and which rows they make odd."""
        extras: dict[str, pa.Array] = {}
        odd = np.zeros(len(page), dtype=bool)
        taken = {column.name for column in TABLES[self._table]}
        for name, values in self._undeclared(page):
            if name in taken or not _is_plain(values.type):
                odd |= truth(values.is_valid())
                if name in extras:
                    odd |= truth(extras[name].is_valid())
                continue
            taken.add(name)
            extras[name] = values
            if pa.types.is_floating(values.type):
                # It may have been written as a whole number, and one too long for a float.
                odd |= truth(pc.or_(pc.equal(values, pc.floor(values)), pc.invert(pc.is_finite(values))))
        return extras, odd

    def _undeclared(self, page: pa.StructArray) -> Iterator[tuple[str, pa.Array]]:
        for field in page.type:
            declared = self._declared.get(field.name)
            if declared is None:
                yield field.name, _field(page, field.name)
            elif pa.types.is_struct(declared.type) and field.name not in {r.key for _, r in self._references}:
                known = {inner.name for inner in declared.type}
                for inner in field.type:
                    if inner.name not in known:
                        yield f"{field.name.removeprefix('$')}_{inner.name}", _field(page, field.name, inner.name)

    def _contradictory(self, page: pa.StructArray) -> Mask:
        """Which rows have no id, two different ids, or values next to ``$sys`` that belong in it."""
        inner, outer = (_empty_is_null(_field(page, *path)) for path in (("$sys", "id"), ("id",)))
        odd = truth(pc.and_(inner.is_null(), outer.is_null())) | truth(pc.not_equal(inner, outer))
        values = {column.name: self._values(page, column.path) for column in TABLES[self._table]}
        for column in (_field(page, "$sys", "type"), *self._untextual(values, TABLES[self._table])):
            odd |= self._marked(column)
        beside = [truth(_field(page, name).is_valid()) for name in self._flat]
        return odd | (np.logical_or.reduce(beside) & truth(_field(page, "$sys").is_valid()))

    def _columns(self, page: pa.StructArray) -> dict[str, pa.Array]:
        return {column.name: self._values(page, column.path) for column in TABLES[self._table]}

    def _values(self, page: pa.StructArray, path: tuple[str, ...]) -> pa.Array:
        if path == ("$sys", "id"):
            return _filled(page, *path, or_else="id")
        values = _field(page, *path)
        beside = _field(page, path[1]) if path[0] == "$sys" else None
        return values if beside is None or beside.null_count == len(page) else pc.coalesce(values, beside)

    def _types(self, page: pa.StructArray) -> list[tuple[int, str]]:
        said = _field(page, "$sys", "type")
        kinds = _mapped(said, object_type)
        fine = pc.is_in(pc.fill_null(kinds, "?"), pa.array([OBJECT_TYPES[self._table], ""]))
        wrong = np.flatnonzero(truth(pc.and_(said.is_valid(), pc.invert(fine))))
        return [(int(row), said[int(row)].as_py()) for row in wrong]


_MIN_SHARE = 0.75


_MOST_QUOTED = 50  # keys whose numbers are put into quotes


_INTEGERS = frozenset(column.name for columns in TABLES.values() for column in columns if column.integer)


_MEMBERSHIP_KEYS = {column.name: column.path[0] for column in MEMBERSHIP}


_READ_AS_TYPES = ("person_type", "role")


_PYTHON_TYPES: dict[pa.DataType, type] = {pa.string(): str, pa.bool_(): bool, pa.int64(): int, pa.float64(): float}


_BRACE = ord("{")


def _fields_of(table: str) -> dict[str, pa.Field]:
    """The declared fields of a table's objects, including those of ``$sys`` at top level, where some servers send them."""
    groups: dict[str, list[pa.Field]] = {"$sys": [pa.field("type", pa.string())], "$ext": []}
    top = {"id": pa.field("id", pa.string())}
    for column in TABLES[table]:
        name = column.path[-1]
        if column.path[1:]:
            groups.setdefault(column.path[0], []).append(pa.field(name, _as_it_comes(column)))
        if column.path[0] in ("$sys", name):
            top[name] = pa.field(name, _as_it_comes(column))
    top |= {name: pa.field(name, pa.struct(members)) for name, members in groups.items()}
    membership = pa.struct([(column.path[0], _as_it_comes(column)) for column in MEMBERSHIP])
    named = [("id", pa.string()), ("type", pa.string())]
    far = pa.struct([*named, ("$sys", pa.struct(named)), ("$membership", membership)])
    references = [reference for reference in REFERENCES if reference.table == table]
    return top | {r.key: pa.field(r.key, pa.list_(far) if r.many else far) for r in references}


def _as_it_comes(column: Column) -> pa.DataType:
    return pa.bool_() if column.kind == "flag" else pa.string()


def _is_plain(dtype: pa.DataType) -> bool:
    kinds = (pa.types.is_null, pa.types.is_string, pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating)
    return any(is_kind(dtype) for is_kind in kinds)


def _has(structs: pa.StructArray | pa.Field, name: str) -> bool:
    return structs.type.get_field_index(name) >= 0


def _field(structs: pa.StructArray, *path: str) -> pa.Array:
    """The values at a path; null where any struct on the way is."""
    for name in path:
        structs = pc.struct_field(structs, [structs.type.get_field_index(name)])
    return structs


def _filled(structs: pa.StructArray, *path: str, or_else: str) -> pa.Array:
    """The texts at a path, or those of another field where it is empty; null where both are."""
    first, second = _empty_is_null(_field(structs, *path)), _empty_is_null(_field(structs, or_else))
    if first.null_count == len(first):
        return second
    return first if first.null_count == 0 else pc.coalesce(first, second)


def _empty_is_null(texts: pa.Array) -> pa.Array:
    empty = pc.equal(texts, "")
    return pc.if_else(empty, None, texts) if pc.any(empty).as_py() else texts


def _mapped(texts: pa.Array, function: Callable[[str], str | None]) -> pa.Array:
    """The function applied to each text; it is called only once for equal texts."""
    distinct = texts.dictionary_encode()
    return pa.array([function(text) for text in distinct.dictionary.to_pylist()], pa.string()).take(distinct.indices)
