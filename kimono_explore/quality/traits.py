"""What objects share: their term, course or school, the day on which they were created, or a series of numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import narwhals as nw
import pandas as pd

from kimono_explore.schema import TABLE_OF

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from kimono_explore.quality.context import CheckContext

ENOUGH = 3
"""Fewer objects than this may share something by chance."""
_SHARE = 0.5
"""At least this share of all objects with a value fails, or the value explains nothing."""

_RELATIONS = {
    "in_term": "of the term {}",
    "of_course": "of the course {}",
    "held_at": "at {}",
    "offered_by": "at {}",
    "member_of": "at {}",
    "child_of": "below {}",
}
_HOME = {"section": "held_at", "course": "offered_by", "person": "member_of"}
_CREATED, _SERIES = "created", "series"
_ORDER = [*_RELATIONS, _CREATED, _SERIES]
_NUMBERED = re.compile(r"(.*?)([0-9]{1,15})", re.DOTALL)


class Shared(NamedTuple):
    """Some objects, and what they share in words."""

    ids: frozenset[str]
    words: str


class Traits:
    """What objects of one type are linked with, and how many others share it.

    Parameters
    ----------
    context : CheckContext
    objects : pandas.DataFrame
        type, id: the objects that `shared` may be asked about.
    homes : pandas.DataFrame
        type, id, value: the org from which alone a missing object is referred to.
    """

    def __init__(self, context: CheckContext, objects: pd.DataFrame, homes: pd.DataFrame) -> None:
        self._context = context
        homes = homes.assign(trait=homes["type"].map(_HOME), kind="org").dropna()
        values = [self._linked(objects), self._created(objects), homes]
        self._values = pd.concat(values, ignore_index=True).drop_duplicates()
        self._homes = homes.groupby(["type", "value"])["id"].agg(set).to_dict()
        self._totals: dict[tuple[str, str, str], int] = {}
        self._labels: dict[tuple[str, str], str] = {}
        self._known: dict[tuple[str, str], set[str]] = {}

    def shared(self, type: str, ids: Sequence[str], *, all: bool = False) -> list[Shared]:
        """The objects that share something which few others have, as large groups as there are.

        With ``all``, only what every one of them shares.
        """
        found: list[Shared] = []
        left = set(ids)
        mine = self._values[(self._values["type"] == type) & self._values["id"].isin(left)]
        while len(left) >= ENOUGH:
            best = self._best(type, mine[mine["id"].isin(left)], left, set(ids), len(left) if all else ENOUGH)
            if best is None:
                break
            found.append(best)
            left -= best.ids
        return found

    def _best(self, type: str, values: pd.DataFrame, left: set[str], failing: set[str], least: int) -> Shared | None:
        """The largest group; of equal ones, the first in the order of what is looked at."""
        groups = [
            (str(trait), str(value), str(kind), frozenset(rows["id"]))
            for (trait, value, kind), rows in values.groupby(["trait", "value", "kind"])
        ]
        groups = [group for group in groups if len(group[3]) >= least]
        groups.sort(key=lambda group: (-len(group[3]), _ORDER.index(group[0]), group[1]))
        for trait, value, kind, ids in groups:
            if len(ids) >= _SHARE * self._total(type, trait, value):
                return Shared(ids, self._words(trait, value, kind))
        return self._series(type, left, failing, least)

    def _linked(self, objects: pd.DataFrame) -> pd.DataFrame:
        """What the objects are linked with: type, id, trait, value, kind."""
        few = self._context.engine.small({name: objects[name].tolist() for name in ("type", "id")})
        links = self._context.links(*_RELATIONS).filter(~nw.col("target_id").is_null())
        links = links.select("relation", "target_id", "target_type", type="source_type", id="source_id")
        df = self._context.engine.collect(links.join(few, on=["type", "id"], how="semi").unique())
        names = {"relation": "trait", "target_id": "value", "target_type": "kind"}
        return df.rename(columns=names)[["type", "id", "trait", "value", "kind"]].astype("object")

    def _created(self, objects: pd.DataFrame) -> pd.DataFrame:
        """The day on which each object was created; one that was not delivered has none."""
        parts = []
        for type, ids in objects.groupby("type")["id"]:
            few = self._context.engine.small({"id": ids.tolist()})
            dated = self._context.objects(TABLE_OF[str(type)]).select("id", "created_at").join(few, on="id", how="semi")
            df = self._context.engine.collect(dated).dropna()
            days = df["created_at"].dt.strftime("%Y-%m-%d")
            parts.append(pd.DataFrame({"type": type, "id": df["id"], "trait": _CREATED, "value": days, "kind": ""}))
        empty = pd.DataFrame({name: [] for name in ("type", "id", "trait", "value", "kind")})
        return pd.concat([empty, *parts]).astype("object")

    def _total(self, type: str, trait: str, value: str) -> int:
        """How many objects of the type have the value, failing or not."""
        key = (type, trait, value)
        if key not in self._totals:
            self._totals[key] = self._count(type, trait, value)
        return self._totals[key]

    def _count(self, type: str, trait: str, value: str) -> int:
        if trait == _CREATED:
            return self._days(type).get(value, 0)
        links = self._context.links(trait).filter(nw.col("source_type") == type, nw.col("target_id") == value)
        known = self._context.engine.collect(links.select("source_id").unique())["source_id"].dropna()
        home = self._homes.get((type, value), set()) if trait == _HOME.get(type) else set()
        return len({*known, *home})

    def _days(self, type: str) -> dict[str, int]:
        """How many objects of the type were created on each day."""
        dated = self._context.objects(TABLE_OF[type]).select("id", "created_at").unique()
        days = self._context.engine.collect(dated)["created_at"].dropna().dt.strftime("%Y-%m-%d")
        return {str(day): int(n) for day, n in days.value_counts().items()}

    def _words(self, trait: str, value: str, kind: str) -> str:
        if trait == _CREATED:
            return f"created on {value}"
        return _RELATIONS[trait].format(self._label(kind, value))

    def _label(self, type: str, id: str) -> str:
        if (type, id) not in self._labels:
            objects = self._context.objects(TABLE_OF[type]).filter(nw.col("id") == id).select("label")
            found = self._context.engine.collect(objects)["label"].dropna().sort_values()
            self._labels[type, id] = str(found.iloc[0]) if len(found) else id
        return self._labels[type, id]

    def _series(self, type: str, left: set[str], failing: set[str], least: int) -> Shared | None:
        """Ids that are numbers of one series, where few in between did not fail."""
        for prefix, numbers in _by_prefix(left):
            if len(numbers) < least:
                continue
            low, high = min(numbers), max(numbers)
            known = dict(_by_prefix(self._ids(type, prefix))).get(prefix, {})
            between = {id for number, id in known.items() if low <= number <= high} - failing
            if len(between) <= len(numbers) and high - low < 4 * len(numbers):
                words = f"with the ids {numbers[low]} to {numbers[high]}"
                return Shared(frozenset(numbers.values()), words)
        return None

    def _ids(self, type: str, prefix: str) -> set[str]:
        if (type, prefix) not in self._known:
            objects = self._context.objects(TABLE_OF[type]).select("id")
            named = objects.filter(~nw.col("id").is_null(), nw.col("id").str.starts_with(prefix))
            self._known[type, prefix] = set(self._context.engine.collect(named)["id"])
        return self._known[type, prefix]


def _by_prefix(ids: Iterable[str]) -> list[tuple[str, dict[int, str]]]:
    """Ids that end in a number, by what stands before it, most of them first."""
    found: dict[str, dict[int, str]] = {}
    for id in sorted(ids):
        match = _NUMBERED.fullmatch(id)
        if match:
            found.setdefault(match[1], {})[int(match[2])] = id
    return sorted(found.items(), key=_by_size)


def _by_size(item: tuple[str, dict[int, str]]) -> tuple[Hashable, ...]:
    return -len(item[1]), item[0]
