"""Which differences between two loads the task queue explains, and which it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.compare import LINK_KEY, Comparison, compare
from kimono_explore.display import display_label, plural
from kimono_explore.errors import expect, expect_options
from kimono_explore.forecast.apply import forecast
from kimono_explore.forecast.events import LINKS
from kimono_explore.forecast.link_edits import link_words
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kimono_explore.forecast.apply import Forecast

_KEY = ["table", "id", "what", "column"]
_FULL_KEY = [*_KEY, "new"]
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
    expect_options("explain_tasks", "list", ignore=ignore)
    announced = forecast("explain_tasks", old, tasks)
    ignore = tuple(ignore)
    old, new, expected = (_with_sorted_links(roster) for roster in (old, new, announced.roster))
    actual = _differences(compare(old, new, ignore))
    planned = _differences(compare(old, expected, ignore))
    amended = _differences(compare(expected, new, ignore))
    amended = _amended_additions(amended, actual, planned)
    actual = pd.concat([actual, amended.assign(old=_missing(amended))], ignore_index=True)
    planned = pd.concat([planned, amended.assign(new=amended["old"], old=_missing(amended))], ignore_index=True)
    actual = actual.assign(explained=_is_among(actual, planned), arrived=True)
    lacking = planned[~_is_among(planned, actual)].assign(explained=False, arrived=False)
    found = pd.concat([actual, lacking], ignore_index=True).astype({"explained": "bool", "arrived": "bool"})
    found["task_id"] = _task_ids(found, announced)
    found.attrs["summary"] = _in_words(found, announced.refused)
    return found


def _with_sorted_links(roster: Roster) -> Roster:
    """The roster with parallel links sorted by membership id, because `compare` pairs them in their order."""
    parallel = roster.links.duplicated(list(LINK_KEY), keep=False)
    if not parallel.any():
        return roster
    links = pd.concat([roster.links[~parallel], roster.links[parallel].sort_values("membership_id")], ignore_index=True)
    return replace(roster, links=links)


def _differences(diff: Comparison) -> pd.DataFrame:
    """Everything that a comparison found, one row per difference."""
    parts = []
    for table in (*TABLES, LINKS):
        for what, df in (("added", diff.added(table)), ("removed", diff.removed(table))):
            parts.append(_labeled_rows(table, df).assign(what=what))
        changed = diff.changed(table)
        label = changed["label"] if table != LINKS else _missing(changed)
        rest = changed[["column", "old", "new"]].assign(what="changed", label=label)
        parts.append(pd.concat([_ids(table, changed), rest], axis=1).assign(table=table))
    return pd.concat(parts, ignore_index=True).reindex(columns=_COLUMNS).astype(dict.fromkeys(_COLUMNS, "str"))


def _labeled_rows(table: str, df: pd.DataFrame) -> pd.DataFrame:
    label = _missing(df) if table == LINKS else display_label(table, df).astype("str")
    return pd.DataFrame({"table": table, "id": _ids(table, df), "label": label})


def _ids(table: str, df: pd.DataFrame) -> pd.Series:
    if table != LINKS:
        return df["id"]
    columns = [df[name].astype("str") for name in LINK_KEY if not name.endswith("_type")]
    return pd.Series([link_words(*key) for key in zip(*columns, strict=True)], index=df.index, dtype="str", name="id")


def _missing(df: pd.DataFrame) -> pd.Series:
    return pd.Series(float("nan"), index=df.index, dtype="str")


def _amended_additions(amended: pd.DataFrame, actual: pd.DataFrame, planned: pd.DataFrame) -> pd.DataFrame:
    """The values of added rows that differ from those announced; a value that no task names is not announced."""
    added = amended[(amended["what"] == "changed") & amended["old"].notna()].assign(what="added")
    both = added.assign(column=_missing(added))
    return added[_is_among(both, actual, _KEY) & _is_among(both, planned, _KEY)]


def _is_among(rows: pd.DataFrame, others: pd.DataFrame, columns: list[str] = _FULL_KEY) -> pd.Series:
    """Whether each row is among the others; a repeated row as many times as it occurs there."""
    keys = [_keys(df[columns]) for df in (rows, others)]
    return pd.Series(pd.MultiIndex.from_frame(keys[0]).isin(pd.MultiIndex.from_frame(keys[1])), index=rows.index)


def _keys(df: pd.DataFrame) -> pd.DataFrame:
    filled = df.astype("object").where(df.notna(), None).map(lambda value: ("",) if value is None else (value,))
    return filled.assign(copy=filled.groupby(list(df.columns)).cumcount())


def _task_ids(found: pd.DataFrame, announced: Forecast) -> pd.Series:
    """The task behind each row; None for rows that no task announces."""
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
    """The result in one to three sentences."""
    actual, lacking = found[found["arrived"]], found[~found["arrived"]]
    if found.empty:
        text = "The loads do not differ, and no task announces a difference."
    else:
        unexplained = int((~actual["explained"]).sum())
        text = f"{plural(len(actual), 'difference')}: the queue explains {len(actual) - unexplained:,}"
        text += f", but not the other {unexplained:,}: events may have been lost." if unexplained else "."
        if len(lacking):
            text += f" {len(lacking):,} that it announces did not arrive."
    return text + (
        f" {plural(refused, 'task')} could not be applied: see apply_tasks(old, tasks).problems." if refused else ""
    )
