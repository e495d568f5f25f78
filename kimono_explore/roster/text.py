"""Text folded for comparison: case, accents and runs of spaces make no difference."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import pandas as pd

# Letters that Unicode does not decompose, as people type them who lack the key.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "’": "'"})


def fold(text: str) -> str:
    """Fold one text.

    Examples
    --------
    >>> fold("  Þórr  O’NEIL ")
    "thorr o'neil"
    """
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def plain_texts(texts: pd.Series) -> pa.LargeStringArray:
    """A column as Arrow text in one piece; missing text becomes empty."""
    column = pa.array(texts, from_pandas=True)
    if isinstance(column, pa.ChunkedArray):  # what pandas has concatenated
        column = column.combine_chunks()
    return column.cast(pa.large_string()).fill_null("")


def fold_all(texts: pd.Series | pa.LargeStringArray) -> pa.Array:
    """Fold a column; missing text becomes empty. Only distinct texts beyond ASCII cost a Python call."""
    column = texts if isinstance(texts, pa.LargeStringArray) else plain_texts(texts)
    lowered = pc.ascii_lower(column)
    plain = pc.string_is_ascii(column)
    if pc.all(plain).as_py() is not False:
        return lowered
    odd = pc.invert(plain)
    distinct = column.filter(odd).dictionary_encode()
    folded = pa.array([fold(text) for text in distinct.dictionary.to_pylist()], pa.large_string())
    return pc.replace_with_mask(lowered, odd, folded.take(distinct.indices))
