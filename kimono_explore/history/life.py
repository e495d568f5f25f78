"""The history of one object: how it and its links changed from one day in the history to the next."""

from __future__ import annotations

from collections import defaultdict
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kimono_explore.compare import LINK_KEY
from kimono_explore.display import display_label, value_text
from kimono_explore.frames import to_pandas
from kimono_explore.history.versions import FROM, UNTIL
from kimono_explore.schema import OBJECT_TYPES, TABLE_OF

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from kimono_explore.history.segment import Day, Segment

    Row: TypeAlias = Mapping[str, Any]

COLUMNS = ("day", "day_before", "what", "column", "old", "new", "other_type", "other_id")


class Version(NamedTuple):
    """A row with the first and last day on which it was so; its columns have the names of the segment's file."""

    since: date
    until: date
    values: Row


class Life(NamedTuple):
    """Everything the history has on one object."""

    table: str
    id: str
    days: Sequence[Day]
    rows: Sequence[Version]
    links: Sequence[Version]
    labels: Mapping[tuple[str, str], str]
    """The latest labels of the objects at the other ends of its links."""


def read_life(segments: Sequence[Segment], table: str, id: str) -> Life:
    """Read the versions of an object and of its links."""
    rows, links = [], []
    labels: dict[tuple[str, str], str] = {}
    for segment in segments:
        rows += _versions(_where_in(segment.versions(table), "id", [id]))
        found = touching(segment.versions("links"), id, OBJECT_TYPES[table])
        links += _versions(found)
        labels |= _labels(segment, found)
    days = [day for segment in segments for day in segment.days]
    return Life(table, id, days, rows, links, labels)


def touching(links: pa.Table, id: str, type: str | None = None) -> pa.Table:
    """The links with an object at either end."""
    ends = []
    for end in ("source", "target"):
        there = pc.equal(links[f"{end}_id"], id)
        ends.append(pc.and_(there, pc.equal(links[f"{end}_type"], type)) if type else there)
    return links.filter(pc.or_kleene(*ends))


def ends_of(links: pa.Table) -> dict[str, set[str]]:
    """The objects at either end of links: ids by table."""
    found = defaultdict(set)
    for end in ("source", "target"):
        for type, id in zip(links[f"{end}_type"].to_pylist(), links[f"{end}_id"].to_pylist(), strict=True):
            if type in TABLE_OF and id is not None:
                found[TABLE_OF[type]].add(id)
    return found


def _where_in(versions: pa.Table, column: str, values: Sequence[str]) -> pa.Table:
    return versions.filter(pc.is_in(versions[column], pa.array(values, pa.string())))


def _labels(segment: Segment, links: pa.Table) -> dict[tuple[str, str], str]:
    labels: dict[tuple[str, str], str] = {}
    for table, ids in ends_of(links).items():
        there = to_pandas(table, _where_in(segment.versions(table), "id", sorted(ids)).drop_columns([FROM, UNTIL]))
        named = display_label(table, there)
        labels |= {
            (OBJECT_TYPES[table], str(id)): str(label)
            for id, label in zip(there["id"], named, strict=True)
            if pd.notna(label)
        }
    return labels


def _versions(found: pa.Table) -> list[Version]:
    return [Version(row.pop(FROM), row.pop(UNTIL), row) for row in found.to_pylist()]


def stays(life: Life) -> pd.DataFrame:
    """One row per unbroken period in which the object was present: first, last, days (how many are in the history)."""
    periods: list[list[Any]] = []
    was_there = False
    for day in life.days:
        is_there = any(row.since <= day.day <= row.until for row in life.rows)
        if is_there and was_there:
            periods[-1][1:] = [day.day, periods[-1][2] + 1]
        elif is_there:
            periods.append([day.day, day.day, 1])
        was_there = is_there
    df = pd.DataFrame(periods, columns=["first", "last", "days"])
    return df.assign(**{name: as_days(df[name]) for name in ("first", "last")}).astype({"days": "int64"})


def as_days(values: pd.Series) -> pd.Series:
    """Days, with the dtype of dates in all tables."""
    return pd.to_datetime(values).astype("datetime64[us]")


def changes(life: Life) -> pd.DataFrame:
    """One row per value or link that changed, as `History.changes` describes."""
    found: list[Row] = []
    seen = False
    for before, day in zip([None, *life.days], life.days, strict=False):
        if not _may_change(life, before, day):
            continue
        when: dict[str, Any] = {"day": day.day, "day_before": before.day if before else None}
        old, new = (_rows_on(life.rows, one, life.table) for one in (before, day))
        found += [{**when, **row} for row in _row_changes(old, new, seen=seen)]
        seen = seen or bool(new)
        if before:
            sides = (_rows_on(life.links, one, "links") for one in (before, day))
            found += [{**when, **row} for row in _links_changes(life, *sides)]
    df = pd.DataFrame(found, columns=list(COLUMNS))
    texts = dict.fromkeys(COLUMNS[2:], "str")
    return df.assign(**{name: as_days(df[name]) for name in COLUMNS[:2]}).astype(texts)


def _may_change(life: Life, before: Day | None, day: Day) -> bool:
    """Whether any version begins on this day, or ended on the day before: if not, nothing changed."""
    ended = before.day if before else None
    return any(one.since == day.day or one.until == ended for one in (*life.rows, *life.links))


def _rows_on(versions: Sequence[Version], day: Day | None, table: str) -> list[Row]:
    """The rows of a day, with the column names of that day."""
    if day is None:
        return []
    names = day.columns[table]
    kept = [one.values for one in versions if one.since <= day.day <= one.until]
    return [{name: row.get(alias) for name, alias in names.items()} for row in kept]


def _row_changes(old: Sequence[Row], new: Sequence[Row], *, seen: bool) -> Iterator[Row]:
    if bool(old) != bool(new):
        yield {"what": "gone" if old else ("back" if seen else "first seen")}
        return
    for before, after in zip_longest(old, new):
        if before is None or after is None:
            yield {"what": "copy gone" if before else "copy added"}
        else:
            yield from ({"what": "changed"} | row for row in _value_changes(before, after))


def _value_changes(before: Row, after: Row) -> Iterator[dict[str, Any]]:
    """The columns whose values differ, with both values as text."""
    for column in dict.fromkeys([*before, *after]):
        old, new = value_text(before.get(column)), value_text(after.get(column))
        if old != new:
            yield {"column": column, "old": old, "new": new}


def _links_changes(life: Life, old: Sequence[Row], new: Sequence[Row]) -> Iterator[Row]:
    sides: list[dict[tuple[object, ...], list[Row]]] = [defaultdict(list), defaultdict(list)]
    for side, links in zip(sides, (old, new), strict=True):
        for link in links:
            side[tuple(link[name] for name in LINK_KEY)].append(link)
    for key in dict.fromkeys([*sides[0], *sides[1]]):
        for before, after in zip_longest(sides[0].get(key, []), sides[1].get(key, [])):
            yield from _link_changes(life, before, after)


def _link_changes(life: Life, before: Row | None, after: Row | None) -> Iterator[Row]:
    link = before or after or {}
    relation = str(link["relation"])
    own = (OBJECT_TYPES[life.table], life.id)
    ends = [(link[f"{end}_type"], link[f"{end}_id"]) for end in ("source", "target")]
    other = ends[1] if ends[0] == own else ends[0]
    common = {"other_type": other[0], "other_id": other[1]}
    if before is None or after is None:
        name = life.labels.get(other, other[1])
        what = {"what": "link added", "new": name} if before is None else {"what": "link gone", "old": name}
        yield common | what | {"column": relation}
        return
    for row in _value_changes(before, after):
        yield common | {"what": "link changed"} | row | {"column": f"{relation}.{row['column']}"}
