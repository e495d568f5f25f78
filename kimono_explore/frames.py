"""Arrow to pandas and back, with the dtypes this library promises.

Text is ``str`` (Arrow-backed, NaN where missing), dates are ``datetime64[us]``, times ``datetime64[us, UTC]``, flags
``boolean``, and text with few distinct values ``category``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kimono_explore.schema import OBJECT_TYPES, RELATIONS, Kind, declared

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence


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


def frame(name: str, columns: Mapping[str, Collection[object]] | None = None) -> pd.DataFrame:
    """Make a table with the right columns, order and dtypes from the columns given.

    Parameters
    ----------
    name : str
        One of the six tables, ``"links"`` or ``"problems"``.
    columns : mapping of str to list, numpy array, pandas Series or Arrow array, optional
        All of one length. Declared columns that are absent are filled with missing values; others are kept
        after the declared ones, sorted by name, and are text unless their values have a type.

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
    length = max((len(values) for values in given.values()), default=0)
    kinds = {column.name: column.kind for column in declared(name)}
    arrays: dict[str, pa.Array | pa.ChunkedArray] = {}
    for key, kind in kinds.items():
        values = given.pop(key, None)
        arrays[key] = pa.nulls(length, ARROW_TYPES[kind]) if values is None else _to_arrow(values, ARROW_TYPES[kind])
    for key in sorted(given):
        arrays[key] = _to_arrow(given[key], None)
    return to_pandas(name, pa.table(arrays))


def add_rows(name: str, df: pd.DataFrame, rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """A table with further rows at its end, with the same dtypes.

    Examples
    --------
    >>> terms = frame("terms", {"id": ["t1"]})
    >>> add_rows("terms", terms, [{"id": "t2", "name": "Fall"}])[["id", "name"]].to_numpy().tolist()
    [['t1', nan], ['t2', 'Fall']]
    """
    if not rows:
        return df.reset_index(drop=True)
    columns = sorted(set().union(*rows))
    new = frame(name, {column: [row.get(column) for row in rows] for column in columns})
    both = pa.concat_tables([to_arrow(name, df), to_arrow(name, new)], promote_options="default")
    return to_pandas(name, both)


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
        # DuckDB gives moments in the time zone of the machine.
        return (values.cast(pa.timestamp(dtype.unit, "UTC")) if dtype.tz else values).to_pandas()
    if pa.types.is_integer(dtype):
        return values.to_pandas(types_mapper={dtype: pd.Int64Dtype()}.get)
    if pa.types.is_floating(dtype):
        return values.to_pandas(types_mapper={dtype: pd.Float64Dtype()}.get)
    return _text(values)


def _text(values: pa.ChunkedArray) -> pd.Series:
    # In one piece: to take rows from a column of many pieces costs as much as to read all of it.
    whole = pa.chunked_array([values.cast(pa.large_string()).combine_chunks()], pa.large_string())
    return whole.to_pandas(types_mapper={pa.large_string(): pd.StringDtype(na_value=float("nan"))}.get)


def _to_arrow(values: Collection[object], dtype: pa.DataType | None) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, pd.Series):
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = values.astype("str")
        array = pa.array(values, from_pandas=True)
    elif isinstance(values, (pa.Array, pa.ChunkedArray)):
        array = values
    elif dtype is not None and not pa.types.is_string(dtype) and any(isinstance(v, str) for v in values):
        array = pa.array(values, pa.string())
    else:
        array = pa.array(values, from_pandas=True)
    if dtype is None:
        return array.cast(pa.string()) if pa.types.is_null(array.type) else array
    return array if array.type == dtype else array.cast(dtype)
