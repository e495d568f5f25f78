"""What the checks will find once the task queue is processed: findings that it creates and clears, by task and sync."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.compare import Comparison, compare
from kimono_explore.display import listed, noun, plural
from kimono_explore.errors import expect
from kimono_explore.forecast.apply import HARMLESS, forecast
from kimono_explore.forecast.attribution import attribute_tasks
from kimono_explore.forecast.events import read_events
from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.quality.run import check
from kimono_explore.schema import IN_SECTION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from kimono_explore.quality.definition import Parameter
    from kimono_explore.quality.report import Report
    from kimono_explore.roster.roster import Roster

_DONE = {"added": ("is added", "are added"), "removed": ("is removed", "are removed"), "changed": ("changes", "change")}
_OF_PERSONS = _DONE | {"added": ("joins", "join"), "removed": ("leaves", "leave")}


@dataclass(frozen=True, eq=False)
class ComingFindings:
    """How the task queue will change a roster and its findings.

    Attributes
    ----------
    roster : Roster
        The future roster, as returned by `apply_tasks`.
    created, cleared : pandas.DataFrame
        Findings that will appear, and findings that will disappear: the columns of `Report.findings`, then task_id and
        group_id (the last task that changed the object or its links, and the sync of that task; null if unknown).
    summary : pandas.DataFrame
        One row per table, and one for the links: table, added, removed, changed.
    by_sync : pandas.DataFrame
        One row per sync: group_id, events, created, cleared. The last row, with a null group_id, counts the events that
        belong to no sync and the findings whose sync is unknown.
    refused : pandas.DataFrame
        The events that cannot be applied, as rows of ``roster.problems``.
    words : str
        A sentence that says what will change.
    now, then : Report
        The two reports that were compared.
    """

    roster: Roster
    created: pd.DataFrame
    cleared: pd.DataFrame
    summary: pd.DataFrame
    by_sync: pd.DataFrame
    refused: pd.DataFrame
    words: str
    now: Report = field(repr=False)
    then: Report = field(repr=False)

    def __repr__(self) -> str:
        counts = (
            f"{len(self.created):,} created, {len(self.cleared):,} cleared, {len(self.refused):,} tasks not applied"
        )
        return f"<ComingFindings: {counts}>"


def forecast_findings(
    roster: Roster,
    tasks: pd.DataFrame,
    checks: Iterable[str] | None = None,
    *,
    exclude: Iterable[str] = (),
    params: Mapping[str, Mapping[str, Parameter]] | None = None,
    config: str | os.PathLike[str] | None = None,
    as_of: date | str | None = None,
) -> ComingFindings:
    """Forecast which findings the task queue will create and clear, by task and by sync.

    The roster is checked both as it is now and as `apply_tasks` predicts it. Nothing is sent to the server.

    Parameters
    ----------
    roster : Roster
    tasks : pandas.DataFrame
        The task queue, as returned by `load_tasks`. If it holds several tenants, use
        ``load_tasks(client, tenant_id=...)``.
    checks, exclude, params, config
        As in `check`.
    as_of : date or str, optional
        The day that counts as today in both reports. Default: as in `check`, for each report.

    Returns
    -------
    ComingFindings
        With ``.created``, ``.cleared``, ``.by_sync``, ``.summary``, ``.words``, ``.refused`` and ``.roster``.

    Notes
    -----
    As in `Report.since`, two findings are the same if their check, table, id and failing values are. A finding whose
    values change is therefore both cleared and created, and a check with nothing left to look at clears nothing. An
    event that cannot be applied is not a finding; it is listed in ``.refused``.

    Examples
    --------
    >>> queue = kx.load_tasks(client)
    >>> coming = kx.forecast_findings(roster, queue, ["section_without_teacher", "section_without_students"])
    >>> coming.words
    '2 people leave. 13 enrollments are removed. 2 other links are removed.'
    >>> created = coming.created.merge(queue, left_on="task_id", right_on="id")
    >>> created[["check", "action", "object_type"]].drop_duplicates().to_numpy().tolist()
    [['section_without_teacher', 'UNSET', 'RDM:STAFF']]
    """
    expect("forecast_findings", config, str, os.PathLike, None)
    return look_ahead(
        "forecast_findings",
        roster,
        tasks,
        lambda other: check(other, checks, exclude=exclude, params=params, config=config, as_of=as_of, progress=False),
    )


def look_ahead(
    name: str,
    roster: Roster,
    tasks: pd.DataFrame,
    checked: Callable[[Roster], Report],
    tell: Callable[[str], object] = lambda _: None,
) -> ComingFindings:
    """Forecast for the public function of this name; ``tell`` hears in words what is under way."""
    tell("Applying the queue (1 of 3) ...")
    announced = forecast(name, roster, tasks)
    later = announced.roster
    # A load of the roster to come will have no problems of the queue.
    own = later.problems.head(len(later.problems) - len(announced.problems))
    of_queue = later.problems.tail(len(announced.problems))
    refused = of_queue[~of_queue["problem"].isin(HARMLESS)]
    diff = compare(roster, later)
    behind = attribute_tasks(roster, announced, diff, _order(tasks))
    tell("Checking the current roster (2 of 3) ...")
    now = checked(roster)
    tell("Checking the future roster (3 of 3) ...")
    then = checked(replace(later, problems=own))
    changes, groups = then.since(now), _groups(tasks)
    created, cleared = (_attributed(changes, what, behind, groups) for what in ("new", "fixed"))
    return ComingFindings(
        roster=later,
        created=created,
        cleared=cleared,
        summary=diff.summary[["table", "added", "removed", "changed"]],
        by_sync=_by_sync(tasks, created, cleared),
        refused=refused.reset_index(drop=True),
        words=_in_words(diff),
        now=now,
        then=then,
    )


def _order(tasks: pd.DataFrame) -> dict[str, int]:
    events, _ = read_events(tasks)
    return {event.task: event.number for event in events if event.task is not None}


def _groups(tasks: pd.DataFrame) -> dict[str, str]:
    """The sync of each task."""
    known = tasks.reindex(columns=["id", "group_id"]).dropna().drop_duplicates("id")
    return dict(zip(known["id"], known["group_id"], strict=True))


def _attributed(
    changes: pd.DataFrame, what: str, behind: Mapping[tuple[str, str], str], groups: Mapping[str, str]
) -> pd.DataFrame:
    """The findings of one kind, each with the task behind it and its sync; the worst first."""
    found = changes[changes["change"] == what].drop(columns="change")
    rank = found["severity"].map({name: place for place, name in enumerate(SEVERITIES)})
    found = found.loc[rank.sort_values(kind="stable").index].reset_index(drop=True)
    named = [behind.get(key) for key in zip(found["table"], found["id"], strict=True)]
    task = pd.Series(named, index=found.index, dtype="str")
    return found.assign(task_id=task, group_id=task.map(groups).astype("str"))


def _by_sync(tasks: pd.DataFrame, created: pd.DataFrame, cleared: pd.DataFrame) -> pd.DataFrame:
    """How many events and findings each sync has, in the order of the queue; what is of none comes last."""
    tasks = tasks.reindex(columns=["type", "group_id"]).astype("str")
    kinds = tasks["type"].str.lower().str.replace("_", "")
    events = tasks.loc[(kinds == "dataevent").fillna(False).astype("bool"), "group_id"]
    groups = tasks["group_id"].dropna().drop_duplicates().tolist()
    parts = {"events": events, "created": created["group_id"], "cleared": cleared["group_id"]}
    rows = [{name: int((part == group).sum()) for name, part in parts.items()} for group in groups]
    rows.append({name: int(part.isna().sum()) for name, part in parts.items()})
    named = pd.Series([*groups, None], dtype="str")
    return pd.DataFrame({"group_id": named, **pd.DataFrame(rows, columns=list(parts)).astype("int64")})


def _in_words(diff: Comparison) -> str:
    """What will be different, in a sentence for each table: ``"2 people leave. 9 enrollments are removed."``."""
    tables = diff.summary.set_index("table")
    sentences = []
    for table in tables.index.drop("links"):
        verbs = _OF_PERSONS if table == "persons" else _DONE
        sentences.append(_sentence(noun(table), tables.loc[table].to_dict(), verbs))
    sentences += [_sentence(name, counts, _DONE) for name, counts in _of_links(diff).items()]
    return " ".join(filter(None, sentences)) or "Nothing will change."


def _of_links(diff: Comparison) -> dict[str, dict[str, int]]:
    """How many enrollments, and other links, are added, removed and changed."""
    changed = diff.changed("links")
    parts = {
        "added": diff.added("links"),
        "removed": diff.removed("links"),
        "changed": changed.drop_duplicates(list(changed.columns[:6])),
    }
    counts: dict[str, dict[str, int]] = {"enrollment": {}, "other link": {}}
    for what, df in parts.items():
        enrollments = int(df["relation"].isin(IN_SECTION).sum())
        counts["enrollment"][what], counts["other link"][what] = enrollments, len(df) - enrollments
    return counts


def _sentence(name: str, counts: Mapping[str, int], verbs: Mapping[str, tuple[str, str]]) -> str:
    done = [(counts[what], verbs[what]) for what in _DONE if counts[what]]
    words = [
        f"{plural(count, name) if place == 0 else f'{count:,}'} {verb[count > 1]}"
        for place, (count, verb) in enumerate(done)
    ]
    return f"{listed(words)}." if words else ""
