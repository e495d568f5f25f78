"""How values are shown as text."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kimono_explore.schema import OBJECT_TYPES, label_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

# C0 and C1, marks and overrides of direction, line separators, lone surrogates, invisible characters.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")

_BEFORE_FIRST = ("IT", "PR", "PK", "TK", "KG", "K")  # OneRoster's codes, youngest first


def printable(text: object, *, lines: bool = False) -> str:
    r"""A text that is safe to show on a terminal: characters that control it or reverse the text are spelled out.

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
    return df.astype("object").map(printable_cell).rename(columns=printable_cell)


def printable_cell(value: Any) -> Any:  # noqa: ANN401  names and cells of any kind
    """A value of a table: a text `printable`, anything else as it is."""
    return printable(value) if isinstance(value, str) else value


FIELD_WORDS = {
    "name_last": "last name",
    "name_first": "first name",
    "name_middle": "middle name",
    "address_line1": "street",
    "address_line2": "street, second line",
    "address_line3": "street, third line",
    "address_city": "city",
    "address_state": "state",
    "address_postal_code": "postal code",
    "address_country": "country",
    "email": "e-mail",
    "dob": "date of birth",
    "aup": "use policy accepted",
    "grad_year": "graduation year",
}
"""Fields of a roster as a person calls them, where the name alone will not do."""


DAY_FORMAT, TIME_FORMAT = "%Y-%m-%d", "%Y-%m-%d %H:%M:%S"
"""A day, and a day with its time, as differences show them; pandas, Python and DuckDB read these formats alike."""


def value_text(value: object) -> str | None:
    """A single value as differences show it; None if it is missing."""
    if value is None:
        return None
    return f"{value:{TIME_FORMAT}}" if isinstance(value, datetime) else str(value)


def value_texts(values: pd.Series) -> pd.Series:
    """A column as differences show it: days without a time if all of its values are days, NA as NA."""
    from pandas.api.types import is_datetime64_any_dtype

    if is_datetime64_any_dtype(values.dtype):
        known = values.dropna()
        are_days = bool((known == known.dt.normalize()).all())
        return values.dt.strftime(DAY_FORMAT if are_days else TIME_FORMAT).astype("str")
    return values.astype("str").where(values.notna())


def cell_text(value: object, *, seconds: bool = False, rounded: bool = False) -> str:
    """A cell as a person reads it: dates without a time of day.

    The caller says what its readers need: a report shows minutes and rounded numbers, for people who fix things; a
    widget shows ``seconds`` and exact numbers, for people who look at what was sent. Old and new values of a task are
    JSON and remain so (`kimono_explore.widgets.task_html`).

    Parameters
    ----------
    value : object
        Not missing.
    seconds : bool, default False
        Show the seconds of a time.
    rounded : bool, default False
        Show whole numbers without a point, others with one digit after it.
    """
    from pandas import Timestamp

    if isinstance(value, Timestamp):
        if value == value.normalize():
            return str(value.date())
        return f"{value:{TIME_FORMAT}}" if seconds else f"{value:%Y-%m-%d %H:%M}"
    if rounded and isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else f"{value:.1f}"
    return str(value)


def plural(count: int, noun: str) -> str:
    """A number and its noun: ``1 school``, ``1,200 schools``, ``19 grading categories``."""
    return f"{count:,} {noun if count == 1 else several(noun)}"


def several(noun: str) -> str:
    """The plural of a noun: ``schools``, ``people``, ``grading categories``."""
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"


_IRREGULAR = {"staff": "staff", "person": "people", "member of staff": "members of staff"}


def noun(kind: str) -> str:
    """What one object of a table, or of a kind that is counted, is called: ``grading category``, ``student``."""
    return _COUNTED_KINDS.get(kind) or OBJECT_TYPES[kind].replace("_", " ")


_COUNTED_KINDS = {"students": "student", "teachers": "teacher", "enrollments": "enrollment", "schools": "school"}


def listed(words: Iterable[str]) -> str:
    """Words as a sentence lists them: ``"a"``, ``"a and b"``, ``"a, b and c"``; "" where there are none."""
    every = list(words)
    return " and ".join(filter(None, [", ".join(every[:-1]), *every[-1:]]))


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


def in_grade_order(said: Sequence[str]) -> list[str]:
    """Grades from the youngest to the oldest, then what is not a grade."""
    return sorted(said, key=_grade_rank)


def _grade_rank(grade: str) -> tuple[int, int, str]:
    word = grade.upper()
    if word in _BEFORE_FIRST:
        return 0, _BEFORE_FIRST.index(word), ""
    return (1, int(word), "") if word.isascii() and word.isdigit() and len(word) < 5 else (2, 0, grade)
