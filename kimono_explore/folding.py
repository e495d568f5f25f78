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


def fold_all(texts: pd.Series) -> pa.Array:
    """Fold a column; missing text becomes empty. Only texts beyond ASCII cost a Python call."""
    column = pa.array(texts, from_pandas=True)
    if isinstance(column, pa.ChunkedArray):  # what pandas has concatenated
        column = column.combine_chunks()
    column = column.cast(pa.large_string()).fill_null("")
    lowered = pc.utf8_lower(column)
    plain = pc.string_is_ascii(column)
    if pc.all(plain).as_py() is not False:
        return lowered
    odd = pa.array([fold(text) for text in column.filter(pc.invert(plain)).to_pylist()], pa.large_string())
    return pc.replace_with_mask(lowered, pc.invert(plain), odd)
