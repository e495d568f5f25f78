"""The links that events touch, edited one event at a time; all others stay as they are."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain, count
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kimono_explore.decode.references import role_relation
from kimono_explore.frames import frame, to_arrow
from kimono_explore.schema import LINK_COLUMNS, OBJECT_TYPES, REFERENCES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from kimono_explore.schema import Reference

    Values = dict[str, object]
    End = tuple[str, str]

_NAMES = tuple(column.name for column in LINK_COLUMNS)
_ENDS_AND_RELATION = ("source_type", "source_id", "relation", "target_type", "target_id")


def link_words(source: object, relation: object, target: object, role: object) -> str:
    """A link in words: its two ends, the relation and the role."""
    return f"{source} {relation} {target} ({role if isinstance(role, str) else '–'})"


class LinkEdits:
    """A working copy of the links of some objects, or with some membership ids.

    Parameters
    ----------
    links : pandas.DataFrame
    around : collection of str
        Ids of objects whose links are copied.
    memberships : collection of str
        Ids of memberships whose links are copied.
    rollups : frozenset of str
        The references that the tenant sends, which decide who states a new link.
    exists : callable
        Whether an object, given as type and id, exists; one that does not cannot state a link.

    Attributes
    ----------
    events : dict of str to int
        A link in words -> the number of the last event that added, changed or removed it.
    """

    def __init__(
        self,
        links: pd.DataFrame,
        around: Collection[str],
        memberships: Collection[str],
        rollups: frozenset[str],
        exists: Callable[[End], bool],
    ) -> None:
        self.events: dict[str, int] = {}
        self._links, self._rollups, self._exists = links, rollups, exists
        self._held: dict[int, Values] = {}
        self._rows: dict[int, int] = {}  # copied links that are unchanged -> their rows
        self._dropped_rows: list[int] = []
        self._numbers = count()
        self._by_end: defaultdict[End, set[int]] = defaultdict(set)
        self._by_membership: defaultdict[str, set[int]] = defaultdict(set)
        for row, values in self._select(around, memberships):
            self._rows[self._store(values)] = row

    def _select(self, around: Collection[str], memberships: Collection[str]) -> Iterable[tuple[int, Values]]:
        found = np.zeros(len(self._links), dtype=bool)
        for column, ids in (("source_id", around), ("target_id", around), ("membership_id", memberships)):
            if ids:
                found |= self._links[column].isin(list(ids)).to_numpy()
        rows = np.flatnonzero(found)
        values = to_arrow("links", self._links.iloc[rows].loc[:, list(_NAMES)]).to_pylist()
        return zip(rows.tolist(), values, strict=True)

    def values(self, number: int) -> Values:
        """The values of a copied link."""
        return self._held[number]

    def find(self, values: Values) -> int | None:
        """The link with a membership's id; else the one with its ends, if either has no id; else None."""
        id = values.get("membership_id")
        named = [n for n in self._by_membership[str(id)] if self._held[n]["target_type"] == values["target_type"]]
        if named:
            return min(named)
        return self._match(self._by_end[_ends_of(values)[0]], values)

    def _match(self, numbers: Iterable[int], values: Values) -> int | None:
        """Among some links, the one with the same ends and relation whose membership id is the same or unknown."""
        alike = [n for n in sorted(numbers) if all(self._held[n][name] == values[name] for name in _ENDS_AND_RELATION)]
        id = values.get("membership_id")
        same = (n for n in alike if id is not None and self._held[n]["membership_id"] == id)
        fitting = (n for n in alike if id is None or self._held[n]["membership_id"] is None)
        return next(chain(same, fitting), None)

    def add(self, values: Values, event: int, side: str | None = None) -> None:
        """Add a link; ``side`` is the end that states it, if one does."""
        complete = {**dict.fromkeys(_NAMES), **values}
        self._store({**complete, "stated_by": self._stated_by(complete, side)})
        self._record_event(complete, event)

    def change(self, number: int, values: Values, event: int) -> None:
        """Set values of a link."""
        held = self._held[number]
        if any(held[name] != value for name, value in values.items()):
            self.drop(number, event)
            held = {**held, **values}
            self._store(held)
        self._record_event(held, event)

    def drop(self, number: int, event: int) -> None:
        """Remove a link."""
        values = self._held.pop(number)
        for end in _ends_of(values):
            self._by_end[end].discard(number)
        self._by_membership[str(values["membership_id"])].discard(number)
        if number in self._rows:
            self._dropped_rows.append(self._rows.pop(number))
        self._record_event(values, event)

    def drop_around(self, end: End, event: int) -> None:
        """Remove all links of an object."""
        for number in sorted(self._by_end[end]):
            self.drop(number, event)

    def state(self, near: End, place: int, stated: Iterable[Values], event: int) -> None:
        """Replace the links that an object has under a reference, given by its index in ``REFERENCES``, by those stated now."""
        reference = REFERENCES[place]
        side = "source" if reference.forward else "target"
        left = {n for n in self._by_end[near] if _is_stated_under(self._held[n], near, reference)}
        for values_stated in stated:
            values = _link_of(near, reference, values_stated)
            found = self._match(left, values)
            if found is None:
                self.add(values, event, side)
                continue
            left.discard(found)
            held = self._held[found]
            # Either end may state a link; a role is left out because one that was not sent is only guessed.
            given = {name: value for name, value in values.items() if value is not None and name != "role"}
            by = side if held["stated_by"] in (side, None) else "both"
            self.change(found, {**given, "stated_by": by}, event)
        for number in sorted(left):
            self.drop(number, event)

    def result(self) -> pd.DataFrame:
        """All links; added and changed ones come last."""
        return _merge_links(
            self._links, self._dropped_rows, [values for n, values in self._held.items() if n not in self._rows]
        )

    def _store(self, values: Values) -> int:
        number = next(self._numbers)
        self._held[number] = values
        for end in _ends_of(values):
            self._by_end[end].add(number)
        if values["membership_id"] is not None:
            self._by_membership[str(values["membership_id"])].add(number)
        return number

    def _record_event(self, values: Values, event: int) -> None:
        self.events[link_words(*(values[name] for name in ("source_id", "relation", "target_id", "role")))] = event

    def _stated_by(self, values: Values, side: str | None) -> str:
        """Which ends state a link: those whose references the tenant sends, and ``side``, which stated it."""
        sides = {side} if side else set()
        source, target = _ends_of(values)
        for reference in REFERENCES:
            near = source if reference.forward else target
            if (
                f"{reference.table}.{reference.key}" in self._rollups
                and OBJECT_TYPES[reference.table] == near[0]
                and _is_stated_under(values, near, reference)
                and self._exists(near)
            ):
                sides.add("source" if reference.forward else "target")
        return "both" if len(sides) > 1 else next(iter(sides), "source")


def _link_of(near: End, reference: Reference, said: Values) -> Values:
    """The link that an object states, with source and target in the reference's direction."""
    far = (str(said["far_type"]), str(said["far_id"]))
    source, target = (near, far) if reference.forward else (far, near)
    role = said["role"] if isinstance(said["role"], str) else None
    return {
        **{name: value for name, value in said.items() if name in _NAMES},
        "source_type": source[0],
        "source_id": source[1],
        "target_type": target[0],
        "target_id": target[1],
        "relation": reference.relation or role_relation(role),
    }


def _ends_of(values: Values) -> tuple[End, End]:
    return (
        (str(values["source_type"]), str(values["source_id"])),
        (str(values["target_type"]), str(values["target_id"])),
    )


def _is_stated_under(values: Values, near: End, reference: Reference) -> bool:
    """Whether a link is one that an object states under this reference."""
    source, target = _ends_of(values)
    own, far = (source, target) if reference.forward else (target, source)
    return own == near and far[0] == reference.far_type and _has_relation(values, reference)


def _has_relation(values: Values, reference: Reference) -> bool:
    relation = str(values["relation"])
    if (
        relation == "member_of"
        and reference.role is not None
        and (values["role"] == "student") != (reference.role == "student")
    ):
        return False
    return reference.states(relation)


def _merge_links(links: pd.DataFrame, gone: list[int], new: list[Values]) -> pd.DataFrame:
    """The links without the rows that are gone, and with the new ones at the end."""
    if not gone and not new:
        return links.copy(deep=False)
    added = frame("links", {name: [values[name] for values in new] for name in _NAMES})
    kept = np.delete(np.arange(len(links)), gone)
    columns = {}
    for name in links.columns:
        old = links[name].take(kept) if gone else links[name]
        more = added[name] if name in added else pd.Series(np.nan, index=added.index, dtype=old.dtype)
        columns[name] = _append(old, more)
    return pd.DataFrame(columns)


def _append(old: pd.Series, new: pd.Series) -> pd.Series:
    if new.empty:
        return old.reset_index(drop=True)
    if isinstance(old.dtype, pd.CategoricalDtype) and isinstance(new.dtype, pd.CategoricalDtype):
        names = old.cat.categories
        if not new.cat.categories.isin(names).all():
            names = names.union(new.cat.categories).sort_values()
        old, new = old.cat.set_categories(names), new.cat.set_categories(names)
    return pd.concat([old, new], ignore_index=True)
