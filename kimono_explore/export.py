"""Rows as a file for a spreadsheet: CSV and xlsx. No cell becomes a formula, no identifier a number."""

from __future__ import annotations

import csv
import io
import math
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter

from kimono_explore.atomic import atomic_file
from kimono_explore.display import cell_text
from kimono_explore.errors import KimonoError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from xlsxwriter.worksheet import Worksheet

    Told = Callable[[int], None]

_AT_ONCE = 20_000
MOST_ROWS = 1_048_575
"""Rows of a sheet below its header, at most."""
_LONGEST = 32_767
"""Characters in a cell of a sheet, at most."""
_MAYBE = r"^[^\pL\pN]"
"""How a text begins that may be a formula."""
_EXACT = 2**53
_FIRST_DAY = datetime(1900, 3, 1)  # noqa: DTZ001  days of a sheet are of no zone; before it, Excel counts a day too many
_WIDTHS = (8, 60)
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
"""Of the writer: a text stays a text, and no row is kept in memory once it is written."""

TYPES = {
    "csv": "text/csv;charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""What can be made, with its media type."""


def file_of(df: pd.DataFrame, kind: str, told: Told = lambda _: None) -> bytes:
    r"""Rows as the content of a file.

    Parameters
    ----------
    df : pandas.DataFrame
    kind : str
        ``"csv"`` (UTF-8 with a mark at its beginning, by which Excel knows it) or ``"xlsx"``.
    told : callable, optional
        Called with the number of rows that are done, from time to time.

    Raises
    ------
    KimonoError
        There are more rows than a sheet holds.

    Examples
    --------
    >>> file_of(pd.DataFrame({"id": ["007"], "said": ["=1+1"]}), "csv").decode("utf-8-sig")
    '"id","said"\r\n"007","\'=1+1"\r\n'
    """
    return _csv(df, told) if kind == "csv" else _xlsx(df, told)


def save(df: pd.DataFrame, path: str | os.PathLike[str], kind: str) -> None:
    """Write rows to a file that its owner alone can read.

    Raises
    ------
    KimonoError
        The file cannot be written, or there are more rows than it holds.
    """
    content = file_of(df, kind)
    try:
        with atomic_file(path) as new:
            new.write_bytes(content)
    except OSError as error:
        raise KimonoError(f"The rows could not be written to {path}: {error.strerror}. Name another file.") from error


def no_formulas(df: pd.DataFrame) -> pd.DataFrame:
    """A table in which no spreadsheet takes a cell for a formula; missing cells are empty."""
    return df.astype("object").where(df.notna(), "").map(_no_formula)


def _no_formula(cell: object) -> object:
    # As OWASP advises (CSV injection): =, +, -, @, tab and carriage return start a formula in one spreadsheet or another.
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _csv(df: pd.DataFrame, told: Told) -> bytes:
    names = no_formulas(pd.DataFrame([[_written(str(name)) for name in df.columns]]))
    text = io.StringIO(newline="")
    _lines(names, text)
    for start in range(0, len(df), _AT_ONCE):
        part = df.iloc[start : start + _AT_ONCE]
        _lines(pd.DataFrame({n: _guarded(part.iloc[:, n]) for n in range(part.shape[1])}), text)
        told(start + len(part))
    return text.getvalue().encode("utf-8-sig")


def _guarded(values: pd.Series) -> pd.Series:
    """A column without formulas; numbers have none, and few texts begin like one."""
    values = values.reset_index(drop=True)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _days(values)
    texts = isinstance(values.dtype, pd.StringDtype)
    if texts and not pc.any(pc.match_substring_regex(pa.array(values, pa.large_string()), _MAYBE)).as_py():
        return values
    plain = values if texts else values.astype("object").map(_plain, na_action="ignore")
    return no_formulas(plain.to_frame("cells"))["cells"]


def _days(times: pd.Series) -> pd.Series:
    """Times as texts, each different one made once."""
    codes, different = pd.factorize(times)
    words = np.array([*(cell_text(time, seconds=True) for time in different), ""], dtype="object")
    return pd.Series(words[codes])


def _lines(df: pd.DataFrame, text: io.StringIO) -> None:
    df.to_csv(text, header=False, index=False, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")


def _parts(df: pd.DataFrame) -> Iterator[tuple[int, pd.DataFrame]]:
    """Some rows after others, each value as Python has it; names of columns may be there twice, so they get none."""
    for start in range(0, len(df), _AT_ONCE):
        part = df.iloc[start : start + _AT_ONCE].astype("object")
        yield start, part.set_axis(range(part.shape[1]), axis="columns")


def _plain(value: Any) -> Any:  # noqa: ANN401  a cell
    """A number, or a text as it stands on screen."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return _written(cell_text(value, seconds=True))
    return value


def _written(text: str) -> str:
    """A text that a file can hold: halves of characters are spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _xlsx(df: pd.DataFrame, told: Told) -> bytes:
    if len(df) > MOST_ROWS:
        raise KimonoError(
            f"A sheet holds at most {MOST_ROWS:,} rows, and there are {len(df):,}. Filter the rows or use CSV."
        )
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, _OPTIONS) as book:
        sheet = book.add_worksheet("Rows")
        day, time, bold = (book.add_format(how) for how in _FORMATS)
        for column, (name, width) in enumerate(zip(df.columns, _widths(df), strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, _cut(str(name)), bold)
        sheet.freeze_panes(1, 0)
        if len(df.columns):
            sheet.autofilter(0, 0, len(df), len(df.columns) - 1)
        for start, part in _parts(df):
            there = part.notna().to_numpy(dtype=bool)
            for row, values in enumerate(part.itertuples(index=False, name=None)):
                for column, value in enumerate(values):
                    if there[row, column]:
                        _write(sheet, start + row + 1, column, value, day, time)
            told(start + len(part))
    return content.getvalue()


_FORMATS = ({"num_format": "yyyy-mm-dd"}, {"num_format": "yyyy-mm-dd hh:mm:ss"}, {"bold": True})


def _write(sheet: Worksheet, row: int, column: int, value: Any, day: Any, time: Any) -> None:  # noqa: ANN401
    """A cell by what it is: numbers, days and times as such, all else as text."""
    if isinstance(value, str):
        sheet.write_string(row, column, _cut(value))
    elif isinstance(value, (bool, np.bool_)):
        sheet.write_boolean(row, column, bool(value))
    elif isinstance(value, (int, float, np.number)) and _is_exact(value):
        sheet.write_number(row, column, value)
    elif isinstance(value, date) and _moment(value) is not None:
        moment = _moment(value)
        sheet.write_datetime(row, column, moment, day if moment == moment.replace(hour=0, minute=0, second=0) else time)
    else:
        sheet.write_string(row, column, _cut(cell_text(value, seconds=True)))


def _is_exact(value: Any) -> bool:  # noqa: ANN401  a number
    """Whether a sheet, whose numbers are floats, holds it as it is."""
    if isinstance(value, (float, np.floating)):
        return math.isfinite(value)
    return isinstance(value, (int, np.integer)) and abs(float(value)) < _EXACT


@lru_cache(maxsize=10_000)
def _moment(value: date) -> Any:  # noqa: ANN401
    """A day or a time as a sheet holds it, to the second; None where it is too early, or has a zone."""
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001
    if isinstance(moment, pd.Timestamp):
        moment = moment.to_pydatetime(warn=False)
    return None if moment.tzinfo is not None or moment < _FIRST_DAY else moment.replace(microsecond=0)


def _cut(text: str) -> str:
    return _written(text)[:_LONGEST]


def _widths(df: pd.DataFrame) -> list[int]:
    """Of each column, as wide as the longest of its first texts."""
    first = df.head(100).astype("object")
    lengths = [
        max([len(str(name)) + 3, *(len(cell_text(value)) + 1 for value in first.iloc[:, n].dropna())])
        for n, name in enumerate(df.columns)
    ]
    low, high = _WIDTHS
    return [min(high, max(low, length)) for length in lengths]
