"""The task queue of a morning: a tenant is set up, syncs, changes through the day's first hours, and asks for grades.

Tasks are neutral: flat, with snake_case keys and only those that fit the type. The server renders the wire versions.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from kimono_explore.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kimono_explore.roster.roster import Roster

    JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"
    Task: TypeAlias = dict[str, JSON]


class Change(NamedTuple):
    """A kind of data event: what it does to which objects, to how many, and the earlier values of what changed."""

    action: str
    object_type: str
    table: str
    kind: str | None
    times: int
    before: dict[str, JSON] | None = None


_IN_SYNC = (
    Change("SET", "RDM:LEA", "orgs", "lea", 1),
    Change("SET", "RDM:SCHOOL", "orgs", "school", 3),
    Change("SET", "RDM:TERM", "terms", None, 3),
    Change("ADD", "RDM:COURSE", "courses", None, 4),
    Change("ADD", "RDM:COURSE_SECTION", "sections", None, 6),
    Change("ADD", "RDM:STAFF", "persons", "teacher", 6),
    Change("ADD", "RDM:STUDENT", "persons", "student", 14),
    Change("ADD", "RDM:STAFF_COURSE_SECTION_ENROLLMENT", "links", "teacher_in", 6),
    Change("ADD", "RDM:STUDENT_COURSE_SECTION_ENROLLMENT", "links", "student_in", 20),
)
_AFTER_IT = (
    Change("CHANGE", "RDM:STUDENT", "persons", "student", 3, {"email": "old.address@example.org"}),
    Change("CHANGE", "RDM:STUDENT", "persons", "student", 2, {"address": {"line1": "12 Old Mill Rd", "line2": None}}),
    Change("UPDATE", "RDM:STUDENT", "persons", "student", 2, {"name": {"last": "Before-Wedding"}}),
    Change("UPDATE", "RDM:STAFF", "persons", "teacher", 2, {"phone": "(507) 555-0100"}),
    Change("UPDATE", "RDM:COURSE_SECTION", "sections", None, 3, {"$ext": {"room": "099"}}),
    Change("CHANGE", "RDM:STUDENT_COURSE_SECTION_ENROLLMENT", "links", "student_in", 3, {"status": "Future"}),
    Change("DELETE", "RDM:STUDENT_COURSE_SECTION_ENROLLMENT", "links", "student_in", 4),
    Change("ADD", "RDM:STUDENT_COURSE_SECTION_ENROLLMENT", "links", "student_in", 4),
    Change("DELETE", "RDM:STUDENT", "persons", "student", 1),
    Change("UNSET", "RDM:STAFF", "persons", "teacher", 1),
)
_SECOND_SYNC = (Change("ADD", "RDM:STUDENT", "persons", "student", 5),)
_KINDS = {"orgs": "org_type", "persons": "person_type"}


def make_tasks(roster: Roster, seed: int = 7) -> list[Task]:
    """Make up a morning in the queue of one tenant, and the first minutes of a second one.

    Parameters
    ----------
    roster : Roster
        Data events are about its objects; without any there are only the tasks that need none.
    seed : int, default 7
        The same roster and seed give the same tasks.

    Returns
    -------
    list of dict
        In queue order. Each has type, id, tenant_id, sequence, created_at; action, object_id, object_type, group_id,
        label, data, changes, origin, session_id where they fit the type.

    Examples
    --------
    >>> [task["action"] for task in make_tasks(roster)[:3]]
    ['TENANT_INSTALLED', 'TENANT_ACTIVATED', 'SYNC_START']
    """
    morning = Morning(roster, seed)
    main, small = morning.new_id(), morning.new_id()
    tasks = [*morning.main(main), *morning.small(small)]
    return sorted(tasks, key=lambda task: str(task["created_at"]))


class Morning:
    """Writes tasks, one after the other, by a clock and a counter for each tenant."""

    def __init__(self, roster: Roster, *seeds: int) -> None:
        self.roster = roster
        self.rng = np.random.default_rng([*seeds, len(roster.persons)])
        self._now = pd.Timestamp(roster.loaded_at.year, 10, 5, 6, 0, 0, 123_000)
        self._sequence = 0
        self._added: set[str] = set()

    def main(self, tenant: str) -> Iterator[Task]:
        """The main tenant's morning; its second sync is still under way."""
        group, second = self.new_id(), self.new_id()
        yield from self.set_up(tenant)
        yield self.task("sync_event", tenant, action="SYNC_START", group_id=group, origin="ingestion")
        yield from self._changes(tenant, _IN_SYNC, group)
        yield self.task("sync_event", tenant, action="SYNC_END", group_id=group, origin="ingestion")
        yield from self._changes(tenant, _AFTER_IT, None)
        yield self.task("authenticate", tenant, session_id=self.new_id(), data={"user": "principal@example.org"})
        yield self.task("grades_query", tenant, data={"term": "Quarter 1", "since": self._now.date().isoformat()})
        yield self.task("grades_export", tenant, data={"term": "Quarter 1", "grades": 128})
        yield self.task("request", tenant, data={"method": "GET", "path": "/status"})
        yield self.task("sync_event", tenant, action="SYNC_START", group_id=second, origin="resend")
        yield from self._changes(tenant, _SECOND_SYNC, second)

    def set_up(self, tenant: str) -> Iterator[Task]:
        """A tenant's first two tasks."""
        for action in ("TENANT_INSTALLED", "TENANT_ACTIVATED"):
            yield self.task("lifecycle_event", tenant, action=action)

    def small(self, tenant: str) -> Iterator[Task]:
        """A second tenant, just installed."""
        self._sequence, group = 0, self.new_id()
        self._now = self._now.replace(hour=6, minute=30)
        yield from self.set_up(tenant)
        for action in ("SYNC_START", "SYNC_END"):
            yield self.task("sync_event", tenant, action=action, group_id=group, origin="initial")
        yield self.task("authenticate", tenant, session_id=self.new_id(), data={"user": "nurse@example.org"})

    def wait(self, days: int) -> None:
        """Put the clock forward, or back."""
        self._now += pd.Timedelta(days=days)

    def skip(self, numbers: int) -> None:
        """Leave out some sequence numbers; a negative number uses them again."""
        self._sequence += numbers

    def new_id(self) -> str:
        """An id that nothing has."""
        return str(uuid.UUID(bytes=self.rng.bytes(16), version=4))

    def task(self, type: str, tenant: str, **fields: JSON) -> Task:
        """The next task of a tenant."""
        self._sequence += 1
        self._now += pd.Timedelta(milliseconds=int(self.rng.integers(300, 40_000)))
        created = f"{self._now.isoformat(timespec='milliseconds')}Z"
        common: Task = {"id": self.new_id(), "tenant_id": tenant, "sequence": self._sequence, "created_at": created}
        return {"type": type, **common, **fields}

    def _changes(self, tenant: str, changes: tuple[Change, ...], group: str | None) -> Iterator[Task]:
        for change in changes:
            for object_id, label, data in self._objects(change):
                if change.action == "ADD":
                    if group is None and object_id in self._added:
                        continue  # only a sync adds what is known already
                    self._added.add(object_id)
                fields: Task = {"action": change.action, "object_id": object_id, "object_type": change.object_type}
                fields |= {"label": label, "group_id": group, "data": data, "changes": change.before}
                # A deleted object is known to the app by the app's own id.
                fields["app_id"] = f"app-{object_id[:8]}" if change.action in ("DELETE", "UNSET") else None
                yield self.task("data_event", tenant, **{k: v for k, v in fields.items() if v is not None})

    def _objects(self, change: Change) -> Iterator[tuple[str, str | None, JSON]]:
        """Some objects of a kind: id, label, data."""
        if change.table == "links":
            links = self.roster.links
            chosen = (links["relation"] == change.kind) & links["membership_id"].notna()
            for row in self._some(chosen.to_numpy(), change.times):
                data = _membership(links.iloc[row])
                yield str(links["membership_id"].iloc[row]), None, data
            return
        df = self.roster.tables[change.table]
        chosen = df["id"].notna()
        if change.kind is not None:
            chosen &= df[_KINDS[change.table]].str.lower() == change.kind
        for row in self._some(chosen.to_numpy(dtype=bool), change.times):
            label = df["label"].iloc[row]
            data = _object(change.table, df.iloc[row])
            yield str(df["id"].iloc[row]), None if pd.isna(label) else str(label), data

    def _some(self, chosen: np.ndarray, count: int) -> list[int]:
        rows = np.flatnonzero(chosen)
        return [int(row) for row in self.rng.choice(rows, min(count, len(rows)), replace=False)]


def _object(table: str, row: pd.Series) -> JSON:
    """An object as the API nests it, without its references."""
    found: dict[str, JSON] = {}
    paths = {column.name: column.path for column in TABLES[table]}
    for name, value in row.items():
        extra = ("$ext", str(name).removeprefix("ext_")) if str(name).startswith("ext_") else (str(name),)
        *groups, key = paths.get(str(name), extra)
        place = found
        for group in groups:
            inner = place.setdefault(group, {})
            if isinstance(inner, dict):
                place = inner
        if not pd.isna(value):
            place[key] = _plain(value)
    return found


def _membership(link: pd.Series) -> JSON:
    """A membership object: whose it is, in what, and since when."""
    person = {"id": link["source_id"], "type": "person", "person_type": link["role"]}
    section = {"id": link["target_id"], "type": "section"}
    fields = ("status", "primary", "start_date", "end_date")
    own = {name: _plain(link[name]) for name in fields if not pd.isna(link[name])}
    return {"$sys": {"id": link["membership_id"], "type": "Membership"}, "$person": person, "$section": section, **own}


def _plain(value: object) -> JSON:
    """A cell as JSON: dates as ISO text."""
    if isinstance(value, pd.Timestamp):
        return value.isoformat().replace("+00:00", "Z") if value.tzinfo else value.date().isoformat()
    return bool(value) if isinstance(value, bool | np.bool_) else str(value)
