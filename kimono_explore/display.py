"""How values are shown as text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kimono_explore.schema import label_columns

if TYPE_CHECKING:
    import pandas as pd

# C0 and C1, marks and overrides of direction, separators of lines, halves of characters, what nobody sees.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


def printable(text: object, *, lines: bool = False) -> str:
    r"""A text as a terminal can show it: what would steer the terminal, or turn the text around, is spelled out.

    Parameters
    ----------
    text : object
        Anything that came from elsewhere: a label, the words of a server, a path.
    lines : bool, default False
        Leave line ends and tabs as they are.

    Examples
    --------
    >>> print(printable("Ana\x1b[2J\nSilva \u202e"))
    Ana\x1b[2J\nSilva \u202e
    """
    return _UNPRINTABLE.sub(lambda found: found[0] if lines and found[0] in "\n\t" else _spelled(found[0]), str(text))


def printable_frame(df: pd.DataFrame) -> pd.DataFrame:
    """A table whose texts, and names of columns, are `printable`."""
    return df.astype("object").map(_cell).rename(columns=_cell)


def _cell(value: object) -> object:
    return printable(value) if isinstance(value, str) else value


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def display_label(table: str, df: pd.DataFrame) -> pd.Series:
    """A text to show for each row of a table: ``label``, else the columns that make one (`schema.Column`), else NA."""
    first, *more = (df[name] for name in label_columns(table))
    other = first
    if more:
        other = first.fillna("")
        for part in more:
            other = other + " " + part.fillna("")
        other = other.str.strip()
    return df["label"].where(df["label"].notna(), other).replace("", float("nan"))
