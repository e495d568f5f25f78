"""Which task is behind each object that a forecast changes."""

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


class _Touch(NamedTuple):
    """That a task changed an object; ``plain`` where it is more than the time, or who states a link."""

    plain: bool
    number: int
    task: str | None


def tasks_behind(old: Roster, announced: Forecast, diff: Comparison, order: Mapping[str, int]) -> dict[Object, str]:
    """The last task that made a difference to each object or membership, or to its links.

    Parameters
    ----------
    old : Roster
        The roster given.
    announced : Forecast
    diff : Comparison
        Of both.
    order : mapping of str to int
        The place of each task among the events.

    Returns
    -------
    dict of tuple to str
        Table and id -> id of the task. What a task without an id changed is left out, as nobody knows which came last.
    """
    touches: dict[Object, list[_Touch]] = {}
    for object, plain, task in _touched(old, announced, diff):
        touches.setdefault(object, []).append(_Touch(plain, order.get(task or "", -1), task))
    found = {object: _last(some) for object, some in touches.items()}
    return {object: task for object, task in found.items() if task is not None}


def _last(touches: list[_Touch]) -> str | None:
    """The last of the tasks; None where one of them has no id, as nobody knows whether it was the last."""
    counted = [touch for touch in touches if touch.plain] or touches
    return None if any(touch.task is None for touch in counted) else max(counted, key=lambda touch: touch.number).task


def _touched(old: Roster, announced: Forecast, diff: Comparison) -> Iterator[tuple[Object, bool, str | None]]:
    """Each object with a task that changed it or one of its links, and whether it is more than a side effect."""
    tasks = announced.tasks
    for table in TABLES:
        for df in (diff.added(table), diff.removed(table)):
            for id in df["id"].dropna():
                yield (table, id), True, tasks.get((table, id, None))
        changed = diff.changed(table).dropna(subset=["id"])
        for id, column in changed[["id", "column"]].itertuples(index=False):
            task = tasks.get((table, id, column), tasks.get((table, id, None)))
            yield (table, id), column not in SIDE_EFFECTS, task
    odd = _new_problems(old, announced.roster)
    for table, id, column in odd:
        if table != LINKS:
            yield (table, id), True, tasks.get((table, id, column))
    odd_links = {id for table, id, _ in odd if table == LINKS}
    for link in _links(announced.roster.links[announced.roster.links["membership_id"].isin(odd_links)]):
        yield (LINKS, str(link.membership_id)), True, tasks.get((LINKS, link.words, None))
    for link, plain in _changed_links(diff, (old.links, announced.roster.links)):
        task = tasks.get((LINKS, link.words, None))
        yield (TABLE_OF[link.source_type], link.source_id), plain, task
        yield (TABLE_OF[link.target_type], link.target_id), plain, task
        if link.membership_id is not None:
            yield (LINKS, link.membership_id), plain, task


class _Link(NamedTuple):
    """What identifies a link, and its membership."""

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
    """Table, id and column of what did not fit in the data of events: its value is missing, as it may have been before."""
    columns = ["table", "id", "column", "value", "problem"]
    rows = [
        set(roster.problems[columns].dropna(subset=columns[:3]).itertuples(index=False, name=None))
        for roster in (new, old)
    ]
    return {(table, id, column) for table, id, column, *_ in rows[0] - rows[1]}


def _changed_links(diff: Comparison, both: tuple[pd.DataFrame, pd.DataFrame]) -> Iterator[tuple[_Link, bool]]:
    for df in (diff.added(LINKS), diff.removed(LINKS)):
        for link in _links(df):
            yield link, True
    changed = diff.changed(LINKS)
    plain = ~changed["column"].isin(SIDE_EFFECTS)
    for told, rows in ((True, changed[plain]), (False, changed[~plain])):
        keys = set(_links(rows.assign(membership_id=None)))
        for links in both if keys else ():
            near = links[links["source_id"].isin({key.source_id for key in keys})]
            for link in _links(near):
                if link._replace(membership_id=None) in keys:
                    yield link, told


def _links(df: pd.DataFrame) -> Iterator[_Link]:
    texts = df[[*LINK_KEY, "membership_id"]].astype("object")
    texts = texts.dropna(subset=["source_type", "source_id", "target_type", "target_id"])
    named = texts[list(_Link._fields)].where(texts.notna(), None)
    return (_Link(*row) for row in named.itertuples(index=False))
