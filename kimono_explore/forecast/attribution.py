"""Which task is responsible for each object that a forecast changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kimono_explore.compare import LINK_KEY, Comparison
from kimono_explore.forecast.events import LINKS, SIDE_EFFECTS
from kimono_explore.forecast.link_edits import link_words
from kimono_explore.schema import TABLE_OF, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from kimono_explore.forecast.apply import Forecast
    from kimono_explore.roster.roster import Roster

    Object = tuple[str, str]


class _Change(NamedTuple):
    """A task's change to an object; ``substantive`` if it is more than a time stamp, or who states a link."""

    substantive: bool
    number: int
    task: str | None


def attribute_tasks(old: Roster, announced: Forecast, diff: Comparison, order: Mapping[str, int]) -> dict[Object, str]:
    """The last task that made a difference to each object or membership, or to its links.

    Parameters
    ----------
    old : Roster
        The roster before the forecast.
    announced : Forecast
    diff : Comparison
        From ``old`` to the forecast.
    order : mapping of str to int
        The position of each task among the events.

    Returns
    -------
    dict of tuple to str
        Table and id -> id of the task. Objects changed by a task without an id are left out, as its place is unknown.
    """
    changes: dict[Object, list[_Change]] = {}
    for object, substantive, task in _object_changes(old, announced, diff):
        changes.setdefault(object, []).append(_Change(substantive, order.get(task or "", -1), task))
    found = {object: _last_task(some) for object, some in changes.items()}
    return {object: task for object, task in found.items() if task is not None}


def _last_task(changes: list[_Change]) -> str | None:
    """The last of the tasks; None if one of them has no id, as it may have been the last."""
    counted = [change for change in changes if change.substantive] or changes
    return (
        None if any(change.task is None for change in counted) else max(counted, key=lambda change: change.number).task
    )


def _object_changes(old: Roster, announced: Forecast, diff: Comparison) -> Iterator[tuple[Object, bool, str | None]]:
    """Each object with a task that changed it or one of its links, and whether the change is more than a side effect."""
    tasks = announced.tasks
    for table in TABLES:
        for df in (diff.added(table), diff.removed(table)):
            for id in df["id"].dropna():
                yield (table, id), True, tasks.get((table, id, None))
        changed = diff.changed(table).dropna(subset=["id"])
        for id, column in changed[["id", "column"]].itertuples(index=False):
            task = tasks.get((table, id, column), tasks.get((table, id, None)))
            yield (table, id), column not in SIDE_EFFECTS, task
    new_problems = _new_problems(old, announced.roster)
    for table, id, column in new_problems:
        if table != LINKS:
            yield (table, id), True, tasks.get((table, id, column))
    memberships = {id for table, id, _ in new_problems if table == LINKS}
    for link in _links(announced.roster.links[announced.roster.links["membership_id"].isin(memberships)]):
        yield (LINKS, str(link.membership_id)), True, tasks.get((LINKS, link.words, None))
    for link, substantive in _changed_links(diff, (old.links, announced.roster.links)):
        task = tasks.get((LINKS, link.words, None))
        yield (TABLE_OF[link.source_type], link.source_id), substantive, task
        yield (TABLE_OF[link.target_type], link.target_id), substantive, task
        if link.membership_id is not None:
            yield (LINKS, link.membership_id), substantive, task


class _Link(NamedTuple):
    """What identifies a link, and the id of its membership."""

    source_type: str
    source_id: str
    relation: str
    target_type: str
    target_id: str
    role: str | None
    membership_id: str | None

    @property
    def words(self) -> str:
        return link_words(self.source_id, self.relation, self.target_id, self.role)


def _new_problems(old: Roster, new: Roster) -> set[tuple[str, str, str]]:
    """Table, id and column of the values of events that could not be read; `compare` misses those missing before."""
    columns = ["table", "id", "column", "value", "problem"]
    rows = [
        set(roster.problems[columns].dropna(subset=columns[:3]).itertuples(index=False, name=None))
        for roster in (new, old)
    ]
    return {(table, id, column) for table, id, column, *_ in rows[0] - rows[1]}


def _changed_links(diff: Comparison, both: tuple[pd.DataFrame, pd.DataFrame]) -> Iterator[tuple[_Link, bool]]:
    """Each link that differs, and whether the change is more than a side effect."""
    for df in (diff.added(LINKS), diff.removed(LINKS)):
        for link in _links(df):
            yield link, True
    changed = diff.changed(LINKS)
    substantive = ~changed["column"].isin(SIDE_EFFECTS)
    for is_substantive, rows in ((True, changed[substantive]), (False, changed[~substantive])):
        keys = set(_links(rows.assign(membership_id=None)))
        for links in both if keys else ():
            candidates = links[links["source_id"].isin({key.source_id for key in keys})]
            for link in _links(candidates):
                if link._replace(membership_id=None) in keys:
                    yield link, is_substantive


def _links(df: pd.DataFrame) -> Iterator[_Link]:
    keys = df[[*LINK_KEY, "membership_id"]].astype("object")
    keys = keys.dropna(subset=["source_type", "source_id", "target_type", "target_id"])
    named = keys[list(_Link._fields)].where(keys.notna(), None)
    return (_Link(*row) for row in named.itertuples(index=False))
