"""Checks of the task queue: what is stuck, what is missing, what came twice."""

from __future__ import annotations

import json
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


def update_of_unknown_object(queue: QueueContext) -> CheckResult:
    if queue.roster is None:
        raise NotApplicable("no roster was given")
    events = _events(queue)
    updates = events[_is(events, "UPDATE") | _is(events, "CHANGE")]
    known = pd.concat([df["id"].dropna() for df in queue.roster.tables.values()])
    known = pd.concat([known, queue.roster.links["membership_id"].dropna()])
    # What the queue itself adds, or deletes later on, is or was there.
    changed = events.loc[_is(events, "ADD") | _is(events, "SET") | _is(events, "DELETE"), "object_id"].dropna()
    unknown = updates[updates["object_id"].notna() & ~updates["object_id"].isin(pd.concat([known, changed]))]
    return _found(updates, unknown, "object_type", "object_id")


def add_of_known_object(queue: QueueContext) -> CheckResult:
    events = _events(queue)
    coming = events[(_is(events, "ADD") | _is(events, "DELETE")) & events["object_id"].notna()]
    adds = _is(coming, "ADD")
    before = adds.astype("Int64").groupby([coming["tenant_id"], coming["object_id"]], dropna=False).shift()
    # A sync sends everything, whether it is known or not.
    again = adds & (before == 1).fillna(False).astype(bool) & coming["group_id"].isna()
    return _found(coming[adds], coming[again], "object_type", "object_id")


def enrollment_too_early(queue: QueueContext) -> CheckResult:
    events = _events(queue)
    _require_data(events)
    adds = events[_is(events, "ADD")]
    enrollments = adds[adds["object_type"].fillna("").str.upper().str.endswith("ENROLLMENT")]
    added: dict[tuple[str, ...], int] = {}
    for at, task in zip(adds.index, _keys(adds, "object_id"), strict=True):
        added.setdefault(task, int(at))
    late = []
    for at, (tenant, group), data in zip(enrollments.index, _keys(enrollments), enrollments["data"], strict=True):
        parts = [data.get(end) for end in ("$person", "$section")] if isinstance(data, dict) else []
        ids = [str(part["id"]) for part in parts if isinstance(part, dict) and "id" in part]
        late.append(next((id for id in ids if added.get((tenant, group, id), -1) > int(at)), None))
    early = enrollments.assign(comes_later=pd.Series(late, index=enrollments.index, dtype="str"))
    return _found(enrollments, early[early["comes_later"].notna()], "object_id", "comes_later")


def overlapping_syncs(queue: QueueContext) -> CheckResult:
    syncs = queue.tasks[queue.tasks["type"] == "sync_event"]
    starts, ends = _is(syncs, "START"), _is(syncs, "END")
    going_on: dict[str, dict[str, None]] = {}
    meets: dict[int, str] = {}
    for place, tenant, group in zip(syncs.index, syncs["tenant_id"], syncs["group_id"], strict=True):
        here = going_on.setdefault(str(tenant), {})
        if starts[place]:
            other = next((name for name in here if name != str(group)), None)
            if other is not None:
                meets[int(place)] = other
            here[str(group)] = None
        elif ends[place]:
            here.pop(str(group), None)
    overlapping = syncs.loc[list(meets)].assign(other_group=pd.Series(meets, dtype="str"))
    return _found(syncs[starts], overlapping, "group_id", "other_group")


def event_outside_sync(queue: QueueContext) -> CheckResult:
    events = _events(queue)
    grouped = events[events["group_id"].notna()]
    syncs = queue.tasks[(queue.tasks["type"] == "sync_event") & queue.tasks["group_id"].notna()]
    starts, ends = syncs[_is(syncs, "START")], syncs[_is(syncs, "END")]
    first: dict[tuple[str, ...], int] = {}
    for key, at in zip(_keys(starts), starts.index, strict=True):
        first.setdefault(key, int(at))
    last = {key: int(at) for key, at in zip(_keys(ends), ends.index, strict=True)}
    where = []
    for key, at in zip(_keys(grouped), grouped.index, strict=True):
        early, late = int(at) < first.get(key, -1), int(at) > last.get(key, int(at))
        where.append("before the sync" if early else "after the sync" if late else None)
    outside = grouped.assign(where=pd.Series(where, index=grouped.index, dtype="str"))
    return _found(grouped, outside[outside["where"].notna()], "group_id", "where")


def storm_of_deletes(queue: QueueContext, deletes: int) -> CheckResult:
    """The first deletion of each hour in which there are many of one tenant."""
    events = _events(queue)
    events = events[events["created_at"].notna()]
    gone = events[_is(events, "DELETE")].sort_values("created_at", kind="stable")
    keys = [gone["tenant_id"], gone["created_at"].dt.floor("h")]
    gone = gone.assign(deletes=gone.groupby(keys, dropna=False)["type"].transform("size").astype("Int64"))
    first = gone[~pd.concat(keys, axis="columns").duplicated()]
    return _found(events, first[first["deletes"] >= deletes], "deletes")


def delivered_again_and_again(queue: QueueContext, times: int) -> CheckResult:
    """Events that say the same of one object, each with an id of its own."""
    events = _events(queue)
    events = events[events["object_id"].notna()]
    _require_data(events)
    texts = [json.dumps(data, sort_keys=True, default=str) for data in events["data"]]
    events = events.assign(said=pd.Series(texts, index=events.index, dtype="str"))
    same = events.groupby(["tenant_id", "object_id", "action", "said"], dropna=False)
    times_said, ids = same["type"].transform("size").astype("Int64"), same["id"].transform("nunique")
    events = events.assign(times=times_said, others=ids)
    often = events[(events["times"] >= times) & (events["others"] > 1)]
    return _found(events, often, "object_type", "object_id", "times")


def tenant_behind(queue: QueueContext, hours: float) -> CheckResult:
    """The oldest task of each tenant of which most tasks have waited long."""
    dated = queue.tasks[queue.tasks["created_at"].notna()].sort_values("created_at", kind="stable")
    age = (queue.now - dated["created_at"]).dt.total_seconds() / 3600
    by_tenant = age.groupby(dated["tenant_id"], dropna=False)
    waiting = by_tenant.transform("size").astype("Int64")
    oldest = dated.assign(hours=by_tenant.transform("median").round(1), waiting=waiting)
    oldest = oldest[~oldest["tenant_id"].duplicated()]
    return _found(oldest, oldest[oldest["hours"] > hours], "hours", "waiting")


def _events(queue: QueueContext) -> pd.DataFrame:
    return queue.tasks[queue.tasks["type"] == "data_event"]


def _require_data(events: pd.DataFrame) -> None:
    if "data" not in events:
        raise NotApplicable("the tasks come without their data")


def _keys(tasks: pd.DataFrame, *more: str) -> list[tuple[str, ...]]:
    """Tenant, group, and further columns of each task, in which whatever is missing is equal."""
    columns = [tasks[name].fillna("").tolist() for name in ("tenant_id", "group_id", *more)]
    return list(zip(*columns, strict=True))


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
    return CheckResult(len(checked), nw.from_native(failing[[*_SHOWN, *columns]].reset_index(drop=True)).lazy())


CHECKS: tuple[Check, ...] = (
    Check(
        "stale_task",
        "KX-QUE-001",
        "Task that waits too long",
        "warning",
        _GROUP,
        ("tasks",),
        "The task was created more than {hours} hours ago.",
        "Nobody fetches or acknowledges tasks: the tenant's data is not updated.",
        stale_task,
        params={"hours": 24},
    ),
    Check(
        "sync_without_end",
        "KX-QUE-002",
        "Sync that does not end",
        "warning",
        _GROUP,
        ("tasks",),
        "A sync of the group was started, and its end is not in the queue.",
        "Only part of the group's data may be there: wait for the end before you act on it.",
        sync_without_end,
        needs=("sync_event",),
    ),
    Check(
        "sequence_gap",
        "KX-QUE-003",
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
        "KX-QUE-004",
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
        "KX-QUE-005",
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
        "KX-QUE-006",
        "Task after the tenant's uninstallation",
        "warning",
        _GROUP,
        ("tasks",),
        "The tenant's last lifecycle event is an uninstallation, and the task comes after it.",
        "Data of a tenant that left is still being processed.",
        tasks_after_uninstall,
        needs=("lifecycle_event",),
    ),
    Check(
        "update_of_unknown_object",
        "KX-QUE-007",
        "Change to an object that is not in the roster",
        "warning",
        _GROUP,
        ("tasks",),
        "The task changes an object that is not in the roster and that the queue neither adds nor deletes.",
        "The object was never delivered: the change has nothing to change.",
        update_of_unknown_object,
        needs=("data_event",),
        likely="the roster is that of another tenant.",
    ),
    Check(
        "add_of_known_object",
        "KX-QUE-008",
        "Addition of an object that was added before",
        "information",
        _GROUP,
        ("tasks",),
        "The task adds an object outside a sync, and the last thing the queue says about it is that it was added.",
        "A client that does not look first creates the object twice.",
        add_of_known_object,
        needs=("data_event",),
    ),
    Check(
        "enrollment_too_early",
        "KX-QUE-009",
        "Enrollment before its person or section",
        "warning",
        _GROUP,
        ("tasks",),
        "The task adds an enrollment whose person or section is added later: in the same sync or, outside syncs, in the queue.",
        "When it arrives, the enrollment points to nothing and is lost.",
        enrollment_too_early,
        needs=("data_event",),
    ),
    Check(
        "overlapping_syncs",
        "KX-QUE-010",
        "Sync that starts before another one has ended",
        "warning",
        _GROUP,
        ("tasks",),
        "A sync of the tenant starts while another group's is still going on.",
        "The two overwrite each other, and the older one may win.",
        overlapping_syncs,
        needs=("sync_event",),
        follows=("sync_without_end",),
    ),
    Check(
        "event_outside_sync",
        "KX-QUE-011",
        "Event outside its sync",
        "warning",
        _GROUP,
        ("tasks",),
        "The task names a group, and comes before the start or after the end of the group's sync.",
        "A client that processes the sync when it ends has already finished.",
        event_outside_sync,
        needs=("data_event",),
    ),
    Check(
        "storm_of_deletes",
        "KX-QUE-012",
        "Storm of deletions",
        "error",
        _GROUP,
        ("tasks",),
        "At least {deletes} of a tenant's tasks within one clock hour delete something. The first one is named.",
        "Perhaps a school was left out of an export by mistake: stop and ask before it is deleted everywhere.",
        storm_of_deletes,
        params={"deletes": 100},
        needs=("data_event",),
    ),
    Check(
        "delivered_again_and_again",
        "KX-QUE-013",
        "Event that is delivered again and again",
        "warning",
        _GROUP,
        ("tasks",),
        "At least {times} data events of a tenant do the same thing to one object with the same data, and are not all the same task.",
        "The sender believes that nothing has arrived, or two systems overwrite each other.",
        delivered_again_and_again,
        params={"times": 3},
        needs=("data_event",),
        follows=("repeated_task",),
    ),
    Check(
        "tenant_behind",
        "KX-QUE-014",
        "Tenant with a stalled queue",
        "warning",
        _GROUP,
        ("tasks",),
        "Half of the tenant's tasks have waited more than {hours} hours. The oldest one is named.",
        "Every change that the tenant makes arrives that much later.",
        tenant_behind,
        params={"hours": 24},
    ),
)
