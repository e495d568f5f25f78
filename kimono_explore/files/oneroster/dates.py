"""Dates in all the forms that real bundles use: read a whole column at a time, and never guessed.

OneRoster asks for ``2026-08-15``. If a column holds other forms, they are read if exactly one order of day and month
explains all of them; if both do, or neither, the values are ambiguous and stay missing.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from kimono_explore.decode.values import read_date, read_time

if TYPE_CHECKING:
    from collections.abc import Sequence

Order = Literal["month first", "day first"]
ORDERS: tuple[Order, ...] = ("month first", "day first")
PIVOT = 70
"""Two-digit years below it are of this century, the others of the last one; no birth is later than today."""

_TIME = r"(?:[ T]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?(?: ?(?P<half>[AaPp])\.?[Mm]\.?| ?Z)?)?"
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})(?P<sep>[-/.])(?P<a>\d{1,2})(?P=sep)(?P<b>\d{1,2})" + _TIME, re.ASCII)
_YEAR_LAST = re.compile(r"(?P<a>\d{1,2})(?P<sep>[-/.])(?P<b>\d{1,2})(?P=sep)(?P<year>\d{4}|\d{2})" + _TIME, re.ASCII)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?", re.ASCII | re.DOTALL)


class DatesRead(NamedTuple):
    """A column of dates.

    Attributes
    ----------
    values : list
        Dates, or times for a column of times; None if the value is empty or ambiguous.
    oddities : list
        For each value what is wrong with it, or None.
    forms : tuple of str
        The forms, other than OneRoster's, in which the values that were read are written.
    written_so : int
        How many values are written in these forms.
    example : str or None
        The first of them.
    """

    values: list[object]
    oddities: list[str | None]
    forms: tuple[str, ...]
    written_so: int
    example: str | None


def read_dates(
    values: Sequence[str | None], kind: str = "date", whole: Sequence[str | None] | None = None, birth: bool = False
) -> DatesRead:
    """Read a column of dates or times.

    Parameters
    ----------
    values : sequence of str or None
    kind : {"date", "time"}
    whole : sequence of str or None, optional
        The whole column of the file, if ``values`` are only a part: it decides about the order.
    birth : bool, default False
        The dates are of birth: none is later than today.

    Examples
    --------
    >>> read_dates(["8/15/2026", "9/1/2026"]).values
    [datetime.date(2026, 8, 15), datetime.date(2026, 9, 1)]
    >>> read_dates(["8/5/2026", "9/1/2026"]).oddities[0]
    'not a date that can be known: month first and day first both explain the column; left missing'
    """
    plain = read_date if kind == "date" else read_time
    order, reason = _order([value for value in (whole or values) if value])
    found: list[object] = []
    oddities: list[str | None] = []
    forms: Counter[str] = Counter()
    example = None
    for value in values:
        if not value:
            found.append(None)
            oddities.append(None)
            continue
        text = value.strip()
        exact = plain(value)
        form = None if exact is not None and _ISO.fullmatch(value) else _form(text, order)
        moment: object = exact
        if exact is None:
            moment = _one(text, order, birth)
            if isinstance(moment, datetime) and kind == "date":
                moment = moment.date()
        found.append(moment)
        if moment is not None:
            oddities.append(None)
            if form:
                forms[form] += 1
                example = example or value
        elif reason and any(_in_order(text, each, birth) for each in ORDERS):
            oddities.append(f"not a {kind} that can be known: {reason}; left missing")
        else:
            oddities.append(f"not a {kind}")
    return DatesRead(found, oddities, tuple(forms), forms.total(), example)


def _order(values: list[str]) -> tuple[Order | None, str | None]:
    """The one order of day and month that explains all values; otherwise why it cannot be known."""
    texts = {value.strip() for value in values}
    texts = {text for text in texts if _YEAR_LAST.fullmatch(text)}
    both = [[_in_order(text, order) for order in ORDERS] for text in texts]
    both = [pair for pair in both if any(pair)]  # what is a date in no order says nothing about the others
    fits = [all(pair[n] for pair in both) for n in range(2)]
    if not both or all(fits):
        return None, "month first and day first both explain the column" if both else None
    if not any(fits):
        return None, "the column has dates that are written month first, and others day first"
    return ORDERS[fits.index(True)], None


def _one(text: str, order: Order | None, birth: bool) -> datetime | None:
    found = _YEAR_FIRST.fullmatch(text)
    if found:
        return _moment(found, int(found["year"]), int(found["a"]), int(found["b"]))
    if not _YEAR_LAST.fullmatch(text):
        day = read_date(text)  # what has spaces around it
        return datetime.combine(day, time(), UTC) if day else None
    if order:
        return _in_order(text, order, birth)
    # The same in either order, so nothing is guessed: 8/8/2026.
    either = {_in_order(text, each, birth) for each in ORDERS}
    return either.pop() if len(either) == 1 else None


@lru_cache(maxsize=65536)
def _in_order(text: str, order: Order, birth: bool = False) -> datetime | None:
    found = _YEAR_LAST.fullmatch(text)
    if not found:
        return None
    month, day = (int(found[name]) for name in (("a", "b") if order == "month first" else ("b", "a")))
    year = int(found["year"])
    if len(found["year"]) == 2:
        year += 2000 if year < PIVOT or birth else 1900
        if birth and (year, month, day) > date.today().timetuple()[:3]:  # noqa: DTZ011
            year -= 100
    return _moment(found, year, month, day)


def _moment(found: re.Match[str], year: int, month: int, day: int) -> datetime | None:
    hour = int(found["hour"] or 0)
    if found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found["half"] in "pP" else 0)
    try:
        return datetime(year, month, day, hour, int(found["minute"] or 0), int(found["second"] or 0), tzinfo=UTC)
    except ValueError:
        return None


def _form(text: str, order: Order | None) -> str:
    if _ISO.fullmatch(text):
        return "with spaces around them"
    if text.isdigit():
        return "as eight digits"
    years = _YEAR_LAST.fullmatch(text)
    if not years:
        return "year first" if _YEAR_FIRST.fullmatch(text) else "in another form"
    return (order or "with day and month alike") + (" with two-digit years" if len(years["year"]) == 2 else "")
