"""The life of an object in words: what changed of it and of its links from one kept day to the next."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from kimono_explore.display import listed, plural
from kimono_explore.html import render
from kimono_explore.schema import ENDS
from kimono_explore.widgets.days import short_day
from kimono_explore.widgets.parts import shorten
from kimono_explore.widgets.words import LINK_NAMES, column_words

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping
    from datetime import date

    import pandas as pd

    Event = Mapping[Hashable, Any]

MOST = 50
"""Events that are told, the newest ones."""
_LONGEST = 80
_NEXT = timedelta(days=1)
_MIDNIGHT = " 00:00:00"
_OF_LINKS = ("link added", "link gone")
_OF_ROWS = {
    "first seen": "first seen",
    "gone": "gone from the roster",
    "back": "back in the roster",
    "copy added": "another row with this id appeared",
    "copy gone": "one of the rows with this id is gone",
}
_OF_PEOPLE = {
    ("student_in", "to"): ("joined {}", "left {}"),
    ("teacher_in", "to"): ("began to teach {}", "stopped teaching {}"),
    ("member_of", "to"): ("joined {}", "left {}"),
    ("student_in", "from"): ("{} joined", "{} left"),
    ("teacher_in", "from"): ("{} began to teach it", "{} stopped teaching it"),
    ("member_of", "from"): ("{} joined", "{} left"),
}
"""What is said of links that came and of those that went, by the direction in which `LINK_NAMES` follows it."""


def life_html(changes: pd.DataFrame, type: str, names: Mapping[tuple[str, str], str]) -> str:
    """The life of an object as HTML, the newest day first.

    Parameters
    ----------
    changes : pandas.DataFrame
        Of `History.changes`.
    type : str
        That of the object.
    names : mapping
        What the objects are called that it is linked with, by type and id, besides those that the changes name.
    """
    days = [
        {"day": short_day(day), "after": _gap(day, before), "lines": lines}
        for day, before, lines in tell(changes, type, names, MOST)
    ]
    many = f"{plural(len(changes), 'change')} on {plural(changes['day'].nunique(), 'day')}"
    return render("life.html", days=days, many=many, more=max(0, len(changes) - MOST))


def tell(
    changes: pd.DataFrame, type: str, names: Mapping[tuple[str, str], str], most: int | None = None
) -> Iterator[tuple[date, date | None, list[str]]]:
    """What changed, the newest day first: the day, the kept one before it, and the words; of some changes at most."""
    events = changes.sort_values("day", ascending=False, kind="stable").astype(object)
    rows = events.where(events.notna(), None).to_dict("records")
    called = {**names, **_named(rows)}
    for (day, before), of_day in groupby(rows[:most], key=lambda event: (event["day"], event["day_before"])):
        yield day.date(), None if before is None else before.date(), _lines(of_day, type, called)


def _lines(events: Iterable[Event], type: str, names: Mapping[tuple[str, str], str]) -> list[str]:
    """What changed on a day; links that came or went alike are one line."""
    lines: dict[str, list[str]] = {}
    for event in events:
        if event["what"] in _OF_LINKS:
            lines.setdefault(_phrase(event, type), []).append(_value(_other(event, names)))
        else:
            lines[_words(event, names)] = []
    return [line.replace("{}", listed(others), 1) if others else line for line, others in lines.items()]


def _named(events: Iterable[Event]) -> dict[tuple[str, str], str]:
    """What the links that came and went call their other ends."""
    return {
        (event["other_type"], event["other_id"]): event["new"] or event["old"]
        for event in events
        if event["what"] in _OF_LINKS
    }


def _other(event: Event, names: Mapping[tuple[str, str], str]) -> str | None:
    return names.get((event["other_type"], event["other_id"])) or event["other_id"]


def _gap(day: date, before: date | None) -> str:
    """When it may have happened earlier, as days are missing."""
    return "" if before is None or day - before <= _NEXT else f"after {short_day(before)}"


def _words(event: Event, names: Mapping[tuple[str, str], str]) -> str:
    """What changed of the object, or of a link."""
    what = event["what"]
    if what == "first seen" and event["day_before"] is None:
        return "first seen, as this is the first day in the history"
    if what in _OF_ROWS:
        return _OF_ROWS[what]
    change = f"{_value(event['old'])} → {_value(event['new'])}"
    if what == "changed":
        return f"{_column(event['column'])}: {change}"
    return f"{_value(_other(event, names))}, {_column(event['column'].partition('.')[2])}: {change}"


def _phrase(event: Event, type: str) -> str:
    """What is said of a link that came or went, with ``{}`` for its other end."""
    relation, came = event["column"], event["what"] == "link added"
    direction = _direction(relation, type, event["other_type"])
    if (relation, direction) in _OF_PEOPLE:
        return _OF_PEOPLE[relation, direction][0 if came else 1]
    kind = LINK_NAMES.get((relation, direction), "parent or child" if not direction else relation)
    return f"{kind}: {{}} {'added' if came else 'gone'}"


def _direction(relation: str, type: str, other: str | None) -> str:
    """How the relation is followed from the object; "" where both ends are of one type, so that nobody knows."""
    if type == other:
        return ""
    return "to" if (type, other) in ENDS.get(relation, ()) else "from"


def _column(name: str) -> str:
    return column_words(name.removeprefix("ext_"))


def _value(text: str | None) -> str:
    return "none" if text is None else shorten(str(text).removesuffix(_MIDNIGHT), _LONGEST)
