"""Checks of the task queue: what is stuck, what is missing, what came twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw
import pandas as pd

from kimono_explore.quality.definition import Check, CheckResult, NotApplicable
from kimono_explore.quality.engines import Polars

if TYPE_CHECKING:
    from kimono_explore.roster.roster import Roster

_GROUP = "Task queue"
_SHOWN = ["id", "label", "tenant_id", "type", "action", "sequence", "created_at"]


class QueueContext:
    """A task queue as checks look at it: a table of tasks, the roster they are about, and the time that counts as now."""

    def __init__(self, tasks: pd.DataFrame, roster: Roster | None, now: pd.Timestamp) -> None:
        self.tasks, self.roster, self.now, self.engine = tasks.reset_index(drop=True), roster, now, Polars()

    def require(self, need: str) -> None:
        """Raise `NotApplicable` where there are no tasks of a type."""
        if not (self.tasks["type"] == need).any():
            raise NotApplicable(f"no task of type {need}")

    def refused(self, table: str) -> str | None:
        """Tasks are given, not loaded: nothing was refused."""
        del table
        return None


def stale_task(queue: QueueContext, hours: float) -> CheckResult:
    dated = queue.tasks[queue.tasks["created_at"].notna()]
    age = (queue.now - dated["created_at"]).dt.total_seconds() / 3600
    return _found(dated, dated.assign(hours=age.round(1))[age > hours], "hours")


def sync_without_end(queue: QueueContext) -> CheckResult:
    syncs = queue.tasks[queue.tasks["type"] == "sync_event"]
    starts = syncs[_is(syncs, "START")]
    ends = syncs[_is(syncs, "END")]
    ended = pd.MultiIndex.from_frame(ends[["tenant_id", "group_id"]])
    open_ = ~pd.MultiIndex.from_frame(starts[["tenant_id", "group_id"]]).isin(ended)
    return _found(starts, starts[open_], "group_id")


def sequence_gap(queue: QueueContext) -> CheckResult:
    numbered = queue.tasks[queue.tasks["sequence"].notna()]
    if numbered.empty:
        raise NotApplicable("no task has a sequence number")
    ordered = numbered.sort_values(["tenant_id", "sequence"])
    before = ordered.groupby("tenant_id", dropna=False)["sequence"].shift()
    missing = ordered["sequence"] - before - 1
    gaps = ordered.assign(missing=missing.astype("Int64"))[missing.fillna(0) > 0]
    return _found(numbered, gaps, "missing")


def repeated_task(queue: QueueContext) -> CheckResult:
    tasks = queue.tasks
    same_id = tasks["id"].notna() & tasks.duplicated(["tenant_id", "id"], keep=False)
    same_number = tasks["sequence"].notna() & tasks.duplicated(["tenant_id", "sequence"], keep=False)
    repeated = tasks.assign(shares=same_id.map({True: "id", False: "sequence"}))[same_id | same_number]
    return _found(tasks, repeated, "shares")


def delete_of_unknown_object(queue: QueueContext) -> CheckResult:
    if queue.roster is None:
        raise NotApplicable("no roster was given")
    deletes = queue.tasks[(queue.tasks["type"] == "data_event") & _is(queue.tasks, "DELETE")]
    known = pd.concat([df["id"].dropna() for df in queue.roster.tables.values()])
    known = pd.concat([known, queue.roster.links["membership_id"].dropna()])
    unknown = deletes[deletes["object_id"].notna() & ~deletes["object_id"].isin(known)]
    return _found(deletes, unknown, "object_type", "object_id")


def tasks_after_uninstall(queue: QueueContext) -> CheckResult:
    tasks = queue.tasks.assign(place=range(len(queue.tasks)))
    events = tasks[tasks["type"] == "lifecycle_event"]
    last = events.groupby("tenant_id", dropna=False).tail(1)
    gone = last[_is(last, "UNINSTALL") | _is(last, "UNINSTALLED")]
    uninstalled = tasks["tenant_id"].map(dict(zip(gone["tenant_id"], gone["place"], strict=True)))
    return _found(tasks, tasks[(tasks["place"] > uninstalled).fillna(False).astype(bool)], "object_type", "object_id")


def _is(tasks: pd.DataFrame, word: str) -> pd.Series:
    """Whether the action is this word or ends with it, however it is written: END, SYNC_END, SyncEnd."""
    action = tasks["action"].fillna("").str.upper().str.replace("[^A-Z]", "", regex=True)
    return action.str.endswith(word)


def _found(checked: pd.DataFrame, failing: pd.DataFrame, *columns: str) -> CheckResult:
    return CheckResult(len(checked), nw.from_native(failing[[*_SHOWN, *columns]]).lazy())


CHECKS: tuple[Check, ...] = (
    Check(
        "stale_task",
        "Task that waits too long",
        "warning",
        _GROUP,
        ("tasks",),
        "The task was made more than {hours} hours ago.",
        "Nobody fetches or acknowledges tasks: the tenant's data stands still.",
        stale_task,
        params={"hours": 24},
    ),
    Check(
        "sync_without_end",
        "Sync that does not end",
        "warning",
        _GROUP,
        ("tasks",),
        "A sync of the group was started, and no end of it is in the queue.",
        "Data of the group may be there in part: wait for the end before you act on it.",
        sync_without_end,
        needs=("sync_event",),
    ),
    Check(
        "sequence_gap",
        "Tasks are missing before this one",
        "warning",
        _GROUP,
        ("tasks",),
        "The sequence number of a tenant's task does not follow on the one before. The start of the queue does not count.",
        "A change was lost, or taken by somebody else.",
        sequence_gap,
    ),
    Check(
        "repeated_task",
        "Task that came twice",
        "warning",
        _GROUP,
        ("tasks",),
        "Another task of the tenant has the same id or the same sequence number.",
        "The change may be made twice.",
        repeated_task,
    ),
    Check(
        "delete_of_unknown_object",
        "Deletion of an object that is not in the roster",
        "information",
        _GROUP,
        ("tasks",),
        "The task deletes an object that the roster does not have.",
        "It is gone already, or was never delivered.",
        delete_of_unknown_object,
        needs=("data_event",),
    ),
    Check(
        "tasks_after_uninstall",
        "Task after the tenant's uninstallation",
        "warning",
        _GROUP,
        ("tasks",),
        "The tenant's last lifecycle event is an uninstallation, and the task comes after it.",
        "Data of somebody who left is still being worked on.",
        tasks_after_uninstall,
        needs=("lifecycle_event",),
    ),
)
