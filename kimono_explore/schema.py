"""The tables of a roster: their columns and references as data, and how values get their type.

A table is a plain pandas DataFrame. Its declared columns are always there, in the order below; whatever
else a tenant sends (``$ext``, unknown keys) follows as further columns, sorted by name. Text is ``str``
(Arrow-backed, NaN where missing), dates are ``datetime64[us]``, times ``datetime64[us, UTC]``, flags ``boolean``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Kind = Literal["text", "date", "time", "flag", "category"]
Rule = Literal[
    "keep", "drop", "id", "name", "number", "email", "phone", "postal_code", "year", "month", "day", "place", "kind"
]
"""What `pseudonymize` makes of a column; see `kimono_explore.privacy`."""


class Column(NamedTuple):
    """A column: where it is in the JSON object, and of which kind its values are.

    ``integer`` marks text that the API sends as a whole number, such as a school year. A tenant may send it as text, too.
    ``privacy`` says what a pseudonymized copy has in its place; a declared column must name it, and is left empty where
    it does not.
    """

    name: str
    path: tuple[str, ...]
    kind: Kind = "text"
    integer: bool = False
    privacy: Rule | None = None


class Reference(NamedTuple):
    """A key of a JSON object that holds references, and the relation they state.

    ``forward`` is true where the object that holds the key is the link's source. ``relation`` is None for
    ``persons.$sections``: there the person's type or the membership's role decides.
    """

    table: str
    key: str
    relation: str | None
    far_type: str
    forward: bool
    many: bool
    role: str | None = None


def _columns(*own: Column, label: Rule) -> tuple[Column, ...]:
    first = (Column("id", ("$sys", "id"), privacy="id"), Column("label", ("$sys", "label"), privacy=label))
    last = (
        Column("school_year", ("$sys", "school_year"), integer=True, privacy="keep"),
        Column("created_at", ("$sys", "created_at"), "time", privacy="month"),
        Column("updated_at", ("$sys", "updated_at"), "time", privacy="month"),
    )
    return (*first, *own, *last)


TABLES: dict[str, tuple[Column, ...]] = {
    "orgs": _columns(
        Column("org_type", ("$sys", "org_type"), privacy="keep"),
        Column("local_id", ("local_id",), privacy="number"),
        Column("name", ("name",), privacy="name"),
        label="name",
    ),
    "persons": _columns(
        Column("person_type", ("$sys", "person_type"), privacy="keep"),
        Column("local_id", ("local_id",), privacy="number"),
        Column("state_id", ("state_id",), privacy="number"),
        Column("name_last", ("name", "last"), privacy="name"),
        Column("name_first", ("name", "first"), privacy="name"),
        Column("name_middle", ("name", "middle"), privacy="name"),
        Column("address_line1", ("address", "line1"), privacy="name"),
        Column("address_line2", ("address", "line2"), privacy="name"),
        Column("address_line3", ("address", "line3"), privacy="name"),
        Column("address_city", ("address", "city"), privacy="name"),
        Column("address_state", ("address", "state"), privacy="keep"),
        Column("address_postal_code", ("address", "postal_code"), privacy="postal_code"),
        Column("address_country", ("address", "country"), privacy="keep"),
        Column("phone", ("phone",), privacy="phone"),
        Column("email", ("email",), privacy="email"),
        Column("sex", ("sex",), privacy="keep"),
        Column("dob", ("dob",), "date", privacy="year"),
        Column("aup", ("aup",), "flag", privacy="keep"),
        Column("grad_year", ("grad_year",), privacy="keep"),
        label="name",
    ),
    "courses": _columns(
        Column("local_id", ("local_id",), privacy="number"),
        Column("title", ("title",), privacy="keep"),
        Column("description", ("description",), privacy="drop"),
        label="name",
    ),
    "sections": _columns(
        Column("local_id", ("local_id",), privacy="number"),
        Column("title", ("title",), privacy="name"),
        Column("description", ("description",), privacy="drop"),
        label="name",
    ),
    "terms": _columns(
        Column("term_type", ("$sys", "term_type"), privacy="keep"),
        Column("name", ("name",), privacy="keep"),
        Column("description", ("description",), privacy="drop"),
        Column("start_date", ("start_date",), "date", privacy="keep"),
        Column("end_date", ("end_date",), "date", privacy="keep"),
        Column("status", ("status",), privacy="keep"),
        label="keep",
    ),
    "grading_categories": _columns(Column("name", ("name",), privacy="name"), label="name"),
}

OBJECT_TYPES: dict[str, str] = {
    "orgs": "org",
    "persons": "person",
    "courses": "course",
    "sections": "section",
    "terms": "term",
    "grading_categories": "grading_category",
}
"""The table's name -> the type of its objects, as links and graph nodes name it."""

RELATIONS: tuple[str, ...] = (
    "child_of",
    "offered_by",
    "of_course",
    "held_at",
    "in_term",
    "member_of",
    "student_in",
    "teacher_in",
    "graded_in",
    "graded_for",
)

REFERENCES: tuple[Reference, ...] = (
    Reference("orgs", "$parent", "child_of", "org", forward=True, many=False),
    Reference("orgs", "$children", "child_of", "org", forward=False, many=True),
    Reference("orgs", "$students", "member_of", "person", forward=False, many=True, role="student"),
    Reference("orgs", "$teachers", "member_of", "person", forward=False, many=True, role="teacher"),
    Reference("persons", "$schools", "member_of", "org", forward=True, many=True),
    Reference("persons", "$sections", None, "section", forward=True, many=True),
    Reference("courses", "$orgs", "offered_by", "org", forward=True, many=True),
    Reference("courses", "$sections", "of_course", "section", forward=False, many=True),
    Reference("sections", "$terms", "in_term", "term", forward=True, many=True),
    Reference("sections", "$course", "of_course", "course", forward=True, many=False),
    Reference("sections", "$org", "held_at", "org", forward=True, many=False),
    Reference("sections", "$teachers", "teacher_in", "person", forward=False, many=True, role="teacher"),
    Reference("sections", "$students", "student_in", "person", forward=False, many=True, role="student"),
    Reference("terms", "$parent", "child_of", "term", forward=True, many=False),
    Reference("terms", "$children", "child_of", "term", forward=False, many=True),
    Reference("grading_categories", "$term", "graded_for", "term", forward=True, many=False),
    Reference("grading_categories", "$section", "graded_in", "section", forward=True, many=False),
    Reference("grading_categories", "$schools", "graded_for", "org", forward=True, many=True),
)

LINK_COLUMNS: tuple[Column, ...] = (
    Column("source_type", (), "category", privacy="keep"),
    Column("source_id", (), privacy="id"),
    Column("relation", (), "category", privacy="keep"),
    Column("target_type", (), "category", privacy="keep"),
    Column("target_id", (), privacy="id"),
    Column("role", ("role",), "category", privacy="keep"),
    Column("membership_id", ("id",), privacy="id"),
    Column("status", ("status",), "category", privacy="keep"),
    Column("primary", ("primary",), "flag", privacy="keep"),
    Column("grade", ("grade",), "category", privacy="keep"),
    Column("start_date", ("start_date",), "date", privacy="day"),
    Column("end_date", ("end_date",), "date", privacy="day"),
    Column("stated_by", (), "category", privacy="keep"),
)

PROBLEM_COLUMNS: tuple[Column, ...] = (
    Column("table", (), privacy="place"),
    Column("id", (), privacy="id"),
    Column("column", (), privacy="place"),
    Column("value", (), privacy="drop"),
    Column("problem", (), privacy="kind"),
)

_FIXED_CATEGORIES: dict[str, tuple[str, ...]] = {
    "source_type": tuple(OBJECT_TYPES.values()),
    "target_type": tuple(OBJECT_TYPES.values()),
    "relation": RELATIONS,
    "stated_by": ("source", "target", "both"),
}

ARROW_TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "date": pa.date32(),
    "time": pa.timestamp("us", "UTC"),
    "flag": pa.bool_(),
    "category": pa.string(),
}


class Problem(NamedTuple):
    """One row of ``problems``: what did not fit, where, with the value as it came."""

    table: str
    id: str | None
    column: str | None
    value: str | None
    problem: str


def declared(name: str) -> tuple[Column, ...]:
    """The declared columns of one of the six tables, of ``links`` or of ``problems``; none of any other table."""
    if name == "links":
        return LINK_COLUMNS
    return PROBLEM_COLUMNS if name == "problems" else TABLES.get(name, ())


def frame(name: str, columns: Mapping[str, object] | None = None) -> pd.DataFrame:
    """Make a table with the right columns, order and dtypes from what is there.

    Parameters
    ----------
    name : str
        One of the six tables, ``"links"`` or ``"problems"``.
    columns : mapping of str to list, numpy array, pandas Series or Arrow array, optional
        All of one length. Declared columns that are missing become all-missing; others are kept
        behind the declared ones, sorted by name, and are text unless their values have a type.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> frame("terms", {"id": ["t1"], "start_date": ["2026-08-17"]})[["id", "start_date"]]
       id start_date
    0  t1 2026-08-17
    """
    given = dict(columns or {})
    length = max((len(values) for values in given.values()), default=0)  # type: ignore[arg-type]
    kinds = {column.name: column.kind for column in declared(name)}
    arrays: dict[str, pa.Array | pa.ChunkedArray] = {}
    for key, kind in kinds.items():
        values = given.pop(key, None)
        arrays[key] = pa.nulls(length, ARROW_TYPES[kind]) if values is None else _to_arrow(values, ARROW_TYPES[kind])
    for key in sorted(given):
        arrays[key] = _to_arrow(given[key], None)
    return to_pandas(name, pa.table(arrays))


def to_pandas(name: str, columns: pa.Table | Iterable[tuple[str, pa.Array]]) -> pd.DataFrame:
    """Turn an Arrow table, or columns as they are made, into a DataFrame with the dtypes this library promises."""
    named = zip(columns.column_names, columns.columns, strict=True) if isinstance(columns, pa.Table) else columns
    return put_together(name, {key: to_series(name, key, values) for key, values in named})


def put_together(name: str, columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    """A table of its columns: the declared ones in their order, then the others as they come."""
    places = {column.name: place for place, column in enumerate(declared(name))}
    names = sorted(columns, key=lambda key: places.get(key, len(places)))
    return pd.DataFrame(
        {key: columns[key] for key in names}, index=pd.RangeIndex(len(columns[names[0]]) if names else 0)
    )


def to_arrow(name: str, df: pd.DataFrame) -> pa.Table:
    """Turn a DataFrame of this library into Arrow, dates as dates: what Parquet and the sandbox read."""
    kinds = {column.name: column.kind for column in declared(name)}
    return pa.table({key: _to_arrow(df[key], ARROW_TYPES[kinds[key]] if key in kinds else None) for key in df.columns})


def to_series(name: str, key: str, values: pa.Array | pa.ChunkedArray) -> pd.Series:
    """Turn a column of a table into a Series with the dtype this library promises."""
    kind = next((column.kind for column in declared(name) if column.name == key), None)
    categories = _FIXED_CATEGORIES.get(key)
    values = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
    dtype = values.type
    if kind == "category":
        distinct = values.dictionary_encode().combine_chunks()
        found = distinct.dictionary.to_pylist()
        names = pd.Index(list(categories) if categories is not None else sorted(found), dtype="str")
        code_of = np.append(names.get_indexer(found), -1)  # the last one is for what is missing
        codes = code_of[pc.fill_null(distinct.indices, -1).to_numpy()]
        return pd.Series(pd.Categorical.from_codes(codes, categories=names))
    if pa.types.is_boolean(dtype):
        return values.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)
    if pa.types.is_date(dtype):
        return values.cast(pa.timestamp("us")).to_pandas()
    if pa.types.is_timestamp(dtype):
        return values.to_pandas()
    if pa.types.is_integer(dtype):
        return values.to_pandas(types_mapper={dtype: pd.Int64Dtype()}.get)
    if pa.types.is_floating(dtype):
        return values.to_pandas(types_mapper={dtype: pd.Float64Dtype()}.get)
    return _text(values)


def _text(values: pa.ChunkedArray) -> pd.Series:
    # In one piece: to take rows from a column of many pieces costs as much as to read all of it.
    whole = pa.chunked_array([values.cast(pa.large_string()).combine_chunks()], pa.large_string())
    return whole.to_pandas(types_mapper={pa.large_string(): pd.StringDtype(na_value=float("nan"))}.get)


def _to_arrow(values: object, dtype: pa.DataType | None) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, pd.Series):
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = values.astype("str")
        array = pa.array(values, from_pandas=True)
    elif isinstance(values, (pa.Array, pa.ChunkedArray)):
        array = values
    elif dtype is not None and not pa.types.is_string(dtype) and any(isinstance(v, str) for v in values):  # type: ignore[attr-defined]
        array = pa.array(values, pa.string())
    else:
        array = pa.array(values, from_pandas=True)
    if dtype is None:
        return array.cast(pa.string()) if pa.types.is_null(array.type) else array
    return array if array.type == dtype else array.cast(dtype)
