"""Which differences of two loads the task queue accounts for, and which it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.compare import LINK_KEY, Comparison, compare
from kimono_explore.display import display_label, plural
from kimono_explore.errors import expect
from kimono_explore.forecast.apply import forecast
from kimono_explore.forecast.events import LINKS
from kimono_explore.forecast.link_edits import link_words
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kimono_explore.forecast.apply import Forecast

_KEY = ["table", "id", "what", "column"]
_WHOLE = [*_KEY, "new"]
_COLUMNS = ["table", "id", "label", "what", "column", "old", "new"]


def explain_tasks(
    old: Roster, new: Roster, tasks: pd.DataFrame, ignore: Iterable[str] = ("updated_at", "stated_by")
) -> pd.DataFrame:
    """Show which differences between two loads the task queue explains, and which it does not.

    A difference that no task announces means that an event was lost. A change that a task announces but the new load
    lacks has not been processed yet, or was lost on the way.

    Parameters
    ----------
    old, new : Roster
        Two loads.
    tasks : pandas.DataFrame
        The tasks between the two loads, as returned by `load_tasks`.
    ignore : iterable of str, default ("updated_at", "stated_by")
        Columns whose changes to ignore.

    Returns
    -------
    pandas.DataFrame
        One row per difference: table, id (for a link, its ends, relation and role), label, what (``"added"``,
        ``"removed"``, ``"changed"``), column, old, new, explained (whether a task announces it), arrived (false if a
        task announces it but the new load lacks it), task_id. If an added row differs from what was announced, each
        differing value also has a row. ``attrs["summary"]`` is a summary in words.

    Examples
    --------
    >>> queue = kx.load_tasks(client)
    >>> found = kx.explain_tasks(roster, kx.apply_tasks(roster, queue), queue)
    >>> bool(found["explained"].all())
    True
    >>> kx.explain_tasks(roster, roster, queue.iloc[:0]).attrs["summary"]
    'The loads do not differ, and no task announces a difference.'
    """
    expect("explain_tasks", new, Roster)
    announced = forecast("explain_tasks", old, tasks)
    ignore = tuple(ignore)
    old, new, expected = (_in_order(roster) for roster in (old, new, announced.roster))
    seen = _differences(compare(old, new, ignore))
    to_come = _differences(compare(old, expected, ignore))
    amended = _differences(compare(expected, new, ignore))
    amended = _of_added(amended, seen, to_come)
    seen = pd.concat([seen, amended.assign(old=_missing(amended))], ignore_index=True)
    to_come = pd.concat([to_come, amended.assign(new=amended["old"], old=_missing(amended))], ignore_index=True)
    seen = seen.assign(explained=_is_among(seen, to_come), arrived=True)
    lacking = to_come[~_is_among(to_come, seen)].assign(explained=False, arrived=False)
    found = pd.concat([seen, lacking], ignore_index=True).astype({"explained": "bool", "arrived": "bool"})
    found["task_id"] = _task_ids(found, announced)
    found.attrs["summary"] = _in_words(found, announced.refused)
    return found


def _in_order(roster: Roster) -> Roster:
    """The roster with links that have the same ends in the order of their ids: `compare` pairs them in their order."""
    again = roster.links.duplicated(list(LINK_KEY), keep=False)
    if not again.any():
        return roster
    links = pd.concat([roster.links[~again], roster.links[again].sort_values("membership_id")], ignore_index=True)
    return replace(roster, links=links)


def _differences(diff: Comparison) -> pd.DataFrame:
    """Everything that a comparison found, a row each."""
    parts = []
    for table in (*TABLES, LINKS):
        for what, df in (("added", diff.added(table)), ("removed", diff.removed(table))):
            parts.append(_named(table, df).assign(what=what))
        changed = diff.changed(table)
        label = changed["label"] if table != LINKS else _missing(changed)
        rest = changed[["column", "old", "new"]].assign(what="changed", label=label)
        parts.append(pd.concat([_ids(table, changed), rest], axis=1).assign(table=table))
    return pd.concat(parts, ignore_index=True).reindex(columns=_COLUMNS).astype(dict.fromkeys(_COLUMNS, "str"))


def _named(table: str, df: pd.DataFrame) -> pd.DataFrame:
    label = _missing(df) if table == LINKS else display_label(table, df).astype("str")
    return pd.DataFrame({"table": table, "id": _ids(table, df), "label": label})


def _ids(table: str, df: pd.DataFrame) -> pd.Series:
    if table != LINKS:
        return df["id"]
    columns = [df[name].astype("str") for name in LINK_KEY if not name.endswith("_type")]
    return pd.Series([link_words(*key) for key in zip(*columns, strict=True)], index=df.index, dtype="str", name="id")


def _missing(df: pd.DataFrame) -> pd.Series:
    return pd.Series(float("nan"), index=df.index, dtype="str")


def _of_added(amended: pd.DataFrame, seen: pd.DataFrame, to_come: pd.DataFrame) -> pd.DataFrame:
    """The values of added rows that are others than announced; of what a task does not name, it announces nothing."""
    added = amended[(amended["what"] == "changed") & amended["old"].notna()].assign(what="added")
    both = added.assign(column=_missing(added))
    return added[_is_among(both, seen, _KEY) & _is_among(both, to_come, _KEY)]


def _is_among(rows: pd.DataFrame, others: pd.DataFrame, columns: list[str] = _WHOLE) -> pd.Series:
    """Whether each row is among the others; where one comes more than once, as often as there."""
    keys = [_keys(df[columns]) for df in (rows, others)]
    return pd.Series(pd.MultiIndex.from_frame(keys[0]).isin(pd.MultiIndex.from_frame(keys[1])), index=rows.index)


def _keys(df: pd.DataFrame) -> pd.DataFrame:
    filled = df.astype("object").where(df.notna(), None).map(lambda value: ("",) if value is None else (value,))
    return filled.assign(copy=filled.groupby(list(df.columns)).cumcount())


def _task_ids(found: pd.DataFrame, announced: Forecast) -> pd.Series:
    """The task behind each row that one announces."""
    ids = []
    for table, id, what, column, explained, arrived in found[
        ["table", "id", "what", "column", "explained", "arrived"]
    ].itertuples(index=False):
        named = explained or not arrived
        row = announced.tasks.get((table, id, None))
        value = announced.tasks.get((table, id, column), row) if what != "removed" else row
        ids.append(value if named else None)
    return pd.Series(ids, index=found.index, dtype="str")


def _in_words(found: pd.DataFrame, refused: int) -> str:
    """The result in a sentence or three."""
    seen, lacking = found[found["arrived"]], found[~found["arrived"]]
    if found.empty:
        text = "The loads do not differ, and no task announces a difference."
    else:
        lost = int((~seen["explained"]).sum())
        text = f"{plural(len(seen), 'difference')}: the queue explains {len(seen) - lost:,}"
        text += f", but not the other {lost:,}: events may have been lost." if lost else "."
        if len(lacking):
            text += f" {len(lacking):,} that it announces did not arrive."
    return text + (
        f" {plural(refused, 'task')} could not be applied: see apply_tasks(old, tasks).problems." if refused else ""
    )
