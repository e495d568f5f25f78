"""The life of an object in words: what changed of it and of its links from one kept day to the next."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from kimono_explore.html import render
from kimono_explore.schema import ENDS
from kimono_explore.widgets.days import short_day
from kimono_explore.widgets.parts import shorten
from kimono_explore.widgets.words import LINK_NAMES, column_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    import pandas as pd

    Event = Mapping[str, Any]

MOST = 50
"""Events that are told, the newest ones."""
_LONGEST = 80
_NEXT = timedelta(days=1)
_MIDNIGHT = " 00:00:00"
_OF_ROWS = {
    "first seen": "first seen",
    "gone": "gone from the roster",
    "back": "back in the roster",
    "copy added": "another row with this id came",
    "copy gone": "one of the rows with this id is gone",
}
_OF_PEOPLE = {
    ("student_in", "to"): ("joined {}", "left {}"),
    ("teacher_in", "to"): ("began to teach {}", "no longer teaches {}"),
    ("member_of", "to"): ("joined {}", "left {}"),
    ("student_in", "from"): ("{} joined", "{} left"),
    ("teacher_in", "from"): ("{} began to teach it", "{} no longer teaches it"),
    ("member_of", "from"): ("{} joined", "{} left"),
}
"""What is said of a link that came and of one that went, by the direction in which `LINK_NAMES` follows it."""


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
    told = list(tell(changes, type, names))
    days = [
        {"day": short_day(day), "after": _gap(day, before), "events": [text for *_, text in events]}
        for (day, before), events in groupby(told[:MOST], key=lambda event: event[:2])
    ]
    return render("life.html", days=days, more=max(0, len(told) - MOST))


def tell(
    changes: pd.DataFrame, type: str, names: Mapping[tuple[str, str], str]
) -> Iterator[tuple[date, date | None, str]]:
    """What changed, the newest day first: the day, the kept one before it, and the words."""
    events = changes.sort_values("day", ascending=False, kind="stable").astype(object)
    rows = events.where(events.notna(), None).to_dict("records")
    called = {**names, **_named(rows)}
    for event in rows:
        before = event["day_before"]
        yield event["day"].date(), None if before is None else before.date(), _words(event, type, called)


def _named(events: list[Any]) -> dict[tuple[str, str], str]:
    """What the links that came and went call their other ends."""
    return {
        (event["other_type"], event["other_id"]): event["new"] or event["old"]
        for event in events
        if event["what"] in ("link added", "link gone")
    }


def _gap(day: date, before: date | None) -> str:
    """When it may have happened earlier, as days are missing."""
    return "" if before is None or day - before <= _NEXT else f"after {short_day(before)}"


def _words(event: Event, type: str, names: Mapping[tuple[str, str], str]) -> str:
    what = event["what"]
    if what == "changed":
        return f"{_column(event['column'])}: {_value(event['old'])} → {_value(event['new'])}"
    if what == "first seen" and event["day_before"] is None:
        return "first seen, as this is the first day that is kept"
    if what in _OF_ROWS:
        return _OF_ROWS[what]
    relation, _, column = event["column"].partition(".")
    other = names.get((event["other_type"], event["other_id"])) or event["other_id"]
    if what == "link changed":
        return f"{_value(other)}, {_column(column)}: {_value(event['old'])} → {_value(event['new'])}"
    return _of_link(relation, _direction(relation, type, event["other_type"]), _value(other), came=what == "link added")


def _of_link(relation: str, direction: str | None, other: str, *, came: bool) -> str:
    phrases = _OF_PEOPLE.get((relation, direction or ""))
    if phrases is not None:
        return phrases[0 if came else 1].format(other)
    kind = "parent or child" if direction is None else LINK_NAMES.get((relation, direction), relation)
    return f"{kind}: {other} {'added' if came else 'gone'}"


def _direction(relation: str, type: str, other: str | None) -> str | None:
    """How the relation is followed from the object; None where both ends are of one type."""
    if type == other:
        return None
    return "to" if (type, other) in ENDS.get(relation, ()) else "from"


def _column(name: str) -> str:
    return column_words(name.removeprefix("ext_"))


def _value(text: str | None) -> str:
    return "none" if text is None else shorten(str(text).removesuffix(_MIDNIGHT), _LONGEST)
