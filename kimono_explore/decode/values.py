"""Values converted to the kind of their column: what fits, what is odd about the rest, and how many were numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kimono_explore.frames import ARROW_TYPES
from kimono_explore.json_text import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from kimono_explore.schema import JSON, Column

    Cell = Callable[[int, Any, Column], object]


class Numbers(NamedTuple):
    """Numbers and flags sent where text was declared: the column, how many, and one of them."""

    column: str
    times: int
    example: str


def to_kind(values: pa.Array, column: Column, cell: Cell) -> pa.Array:
    """The values as the column's kind; where Arrow does not read a date or a time as Python does, by ``cell``."""
    dtype = ARROW_TYPES[column.kind]
    if values.type == dtype:
        return values
    array = _cast(values, dtype)
    if array is not None:
        return array
    shaped = pc.match_substring_regex(values, _SHAPES[column.kind])
    array = _cast(pc.if_else(shaped, values, None), dtype)
    others = range(len(values)) if array is None else np.flatnonzero(truth(pc.invert(shaped))).tolist()
    fitted = pa.array([cell(n, values[n].as_py(), column) for n in others], dtype)
    return fitted if array is None else pc.replace_with_mask(array, pc.invert(pc.fill_null(shaped, True)), fitted)


def _cast(texts: pa.Array, dtype: pa.DataType) -> pa.Array | None:
    """The texts as dates or times; None if one of them is neither, or is too early for Python's dates."""
    try:
        array = texts.cast(dtype)
    except pa.ArrowInvalid:
        return None
    first = pc.min(array.cast(pa.timestamp("us"))).value
    return None if first is not None and first < _YEAR_ONE else array


_SHAPES = {"date": r"^\d{4}-\d\d-\d\d$", "time": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}


# The earliest year of Python's dates, and so of the tolerant decoder's.
_YEAR_ONE = pa.scalar("0001-01-01").cast(pa.timestamp("us")).value


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


def is_number(value: JSON) -> bool:
    """Whether a value is a number or a flag."""
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
    """An ISO 8601 date, even if a time follows; None if it is not one."""
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
    """An ISO 8601 time, in UTC, which is assumed if no zone is given; None if it is not one."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def as_text(value: JSON) -> str:
    """A value as text: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else encode(value)


def truth(mask: pa.Array) -> NDArray[np.bool_]:
    """An Arrow mask as a numpy mask; unknown is false."""
    return np.asarray(pc.fill_null(mask, False).to_numpy(zero_copy_only=False))
