"""A plausible morning in the task queue: a tenant is activated, a sync comes in, people change, grades are asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from kimono_explore.sandbox.district import uuids
from kimono_explore.tables import to_arrow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kimono_explore.roster import Roster
    from kimono_explore.wire import JSON

    Task = dict[str, JSON]


class Event(NamedTuple):
    """A kind of data event in the sync: what happens to how many objects, and what it changes."""

    action: str
    object_type: str
    table: str
    who: str | None
    times: int
    changed: tuple[str, ...] = ()


EVENTS: tuple[Event, ...] = (
    Event("SET", "RDM:SCHOOL", "orgs", "school", 2),
    Event("ADD", "RDM:STUDENT", "persons", "student", 8),
    Event("CHANGE", "RDM:STUDENT", "persons", "student", 9, ("email", "phone", "address_line1")),
    Event("UPDATE", "RDM:STAFF", "persons", "teacher", 4, ("name_last",)),
    Event("ADD", "RDM:COURSE_SECTION", "sections", None, 4),
    Event("CHANGE", "RDM:COURSE_SECTION", "sections", None, 3, ("title",)),
    Event("ADD", "RDM:STUDENT_COURSE_SECTION_ENROLLMENT", "links", "student_in", 24),
    Event("DELETE", "RDM:STUDENT_COURSE_SECTION_ENROLLMENT", "links", "student_in", 6),
    Event("ADD", "RDM:STAFF_COURSE_SECTION_ENROLLMENT", "links", "teacher_in", 4),
    Event("DELETE", "RDM:STUDENT", "persons", "student", 2),
    Event("UNSET", "RDM:STAFF", "persons", "staff", 1),
)


def make_tasks(roster: Roster, seed: int) -> list[Task]:
    """The tasks of a morning, flat and in queue order.

    Parameters
    ----------
    roster : Roster
        Whose objects the data events are about; may be empty.
    seed : int

    Returns
    -------
    list of dict
        type, id, tenant_id, sequence, created_at and what its type has besides.

    Examples
    --------
    >>> [task["action"] for task in make_tasks(roster, seed=7)[:3]]
    ['TENANT_INSTALLED', 'TENANT_ACTIVATED', 'SYNC_START']
    """
    rng = np.random.default_rng([seed, 2])
    day = roster.loaded_at.date()
    clock = datetime(day.year, 10, 5, 5, 58, tzinfo=UTC)
    tenant, small, group, second = (str(id) for id in uuids(rng, 4))
    rows: list[Task] = [
        {"type": "lifecycle_event", "tenant_id": tenant, "action": "TENANT_INSTALLED"},
        {"type": "lifecycle_event", "tenant_id": tenant, "action": "TENANT_ACTIVATED"},
        {"type": "sync_event", "tenant_id": tenant, "action": "SYNC_START", "group_id": group, "origin": "ingestion"},
        *({**task, "tenant_id": tenant, "group_id": group} for task in _data_events(roster, rng)),
        {"type": "sync_event", "tenant_id": tenant, "action": "SYNC_END", "group_id": group, "origin": "ingestion"},
        {"type": "authenticate", "tenant_id": tenant, "data": {"user": "teacher"}, "session_id": str(uuids(rng, 1)[0])},
        {"type": "grades_query", "tenant_id": tenant, "data": {"since": f"{day.year}-10-01"}},
        {"type": "grades_export", "tenant_id": tenant, "data": {"format": "oneroster"}},
        {"type": "request", "tenant_id": tenant, "data": {"kind": "resend"}},
        {"type": "lifecycle_event", "tenant_id": small, "action": "TENANT_INSTALLED"},
        # This one has not ended: the queue was read in the middle of it.
        {"type": "sync_event", "tenant_id": small, "action": "SYNC_START", "group_id": second, "origin": "initial"},
    ]
    ids = uuids(rng, len(rows))
    tasks: list[Task] = []
    sequences: dict[str, int] = {}
    for row, id in zip(rows, ids, strict=True):
        owner = cast("str", row["tenant_id"])
        sequences[owner] = sequences.get(owner, 0) + 1
        clock += timedelta(milliseconds=int(rng.integers(200, 9000)))
        stamp = clock.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        kind = row.pop("type")
        tasks.append({"type": kind, "id": str(id), "sequence": sequences[owner], "created_at": stamp, **row})
    return tasks


def _data_events(roster: Roster, rng: np.random.Generator) -> Iterator[Task]:
    for event in EVENTS:
        df = roster.links if event.table == "links" else roster.tables[event.table]
        kind = {"orgs": "org_type", "persons": "person_type", "links": "relation"}.get(event.table)
        fitting = df if kind is None or event.who is None else df[df[kind] == event.who]
        chosen = fitting.iloc[np.sort(rng.permutation(len(fitting))[: event.times])]
        for record in to_arrow(event.table, chosen).to_pylist():
            yield _membership_event(event, record) if event.table == "links" else _object_event(event, record)


def _object_event(event: Event, record: dict[str, object]) -> Task:
    data = _plain(record)
    task: Task = {
        "type": "data_event",
        "action": event.action,
        "object_id": data.get("id"),
        "object_type": event.object_type,
        "label": data.get("label"),
        "app_id": None,
        "data": data,
    }
    if event.changed:
        task["changes"] = {name: _earlier(name, data[name]) for name in event.changed if name in data}
    return task


def _membership_event(event: Event, record: dict[str, object]) -> Task:
    link = _plain(record)
    held: Task = {key: link[key] for key in ("status", "primary", "start_date", "end_date") if key in link}
    held["$sys"] = {"id": link.get("membership_id"), "type": event.object_type}
    held["$person"] = {"id": link.get("source_id"), "type": "person"}
    held["$section"] = {"id": link.get("target_id"), "type": "section"}
    return {
        "type": "data_event",
        "action": event.action,
        "object_id": link.get("membership_id"),
        "object_type": event.object_type,
        "data": held,
    }


def _plain(record: dict[str, object]) -> Task:
    """A row as JSON: what is missing left out, dates as text."""
    found: Task = {}
    for key, value in record.items():
        if value is not None:
            found[key] = value if isinstance(value, str | bool | int | float) else str(value)
    return found


def _earlier(name: str, value: JSON) -> JSON:
    """What a field held before it changed."""
    return f"old.{value}" if name == "email" else f"{value} (before)"
