"""Mistakes that are planted in a task queue, with a list of where they are, so that its checks can be proven right.

Each kind has a tenant of its own, which is set up and then goes wrong in one way, so that no mistake hides another.
`QUEUE_FLAWS` has a row for each check of the queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import pandas as pd

from kimono_explore.sandbox.sample_tasks import Morning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kimono_explore.roster.roster import Roster
    from kimono_explore.sandbox.sample_tasks import JSON, Task

    Told: TypeAlias = "tuple[Task, tuple[str, ...]]"
    Write: TypeAlias = Callable[["Tenant"], Iterator[Told]]

_STORM = 100
_STUDENT, _SECTION, _SEAT = "RDM:STUDENT", "RDM:COURSE_SECTION", "RDM:STUDENT_COURSE_SECTION_ENROLLMENT"


class QueueFlaw(NamedTuple):
    """A kind of mistake: the check that finds it, and the function that writes the tasks of a tenant.

    The function gives each task with the checks that should find it.
    """

    check: str
    write: Write


class Tenant:
    """Writes the tasks of one tenant, each with the checks that should find it."""

    def __init__(self, morning: Morning, check: str) -> None:
        self.morning, self.check, self.id = morning, check, morning.new_id()

    def task(self, type: str, *checks: str, **fields: JSON) -> Told:
        """A task."""
        return self.morning.task(type, self.id, **fields), checks

    def set_up(self, *checks: str) -> Iterator[Told]:
        """The first two tasks; the checks find the first one."""
        first, second = self.morning.set_up(self.id)
        yield first, checks
        yield second, ()

    def sign_in(self, *checks: str) -> Told:
        """Somebody signs in."""
        user: JSON = {"user": "nurse@example.org"}
        return self.task("authenticate", *checks, session_id=self.new_id(), data=user)

    def sync(self, action: str, group: str, *checks: str) -> Told:
        """The start or the end of a sync."""
        return self.task("sync_event", *checks, action=f"SYNC_{action}", group_id=group, origin="ingestion")

    def event(self, action: str, id: str, *checks: str, kind: str = _STUDENT, **more: JSON) -> Told:
        """A data event; its data is the id, where nothing else is said."""
        fields: dict[str, JSON] = {"object_id": id, "object_type": kind, "data": {"$sys": {"id": id}}, **more}
        return self.task("data_event", *checks, action=action, **fields)

    def new_id(self) -> str:
        """An id that nothing has."""
        return self.morning.new_id()


def inject_queue_flaws(tasks: Sequence[Task], roster: Roster, seed: int = 7) -> tuple[list[Task], pd.DataFrame]:
    """Plant a mistake of every kind in a task queue.

    Parameters
    ----------
    tasks : sequence of dict
        As `make_tasks` gives them; they stay as they are.
    roster : Roster
        What the tasks are about.
    seed : int, default 7
        The same roster and seed plant the same mistakes.

    Returns
    -------
    list of dict
        The tasks and those of further tenants, in queue order.
    pandas.DataFrame
        What checks should find at noon of that day, one row for every failing task: check, id. The open syncs of the tasks
        that were given are among them.

    Examples
    --------
    >>> from kimono_explore.sandbox.sample_tasks import make_tasks
    >>> flawed, planted = inject_queue_flaws(make_tasks(roster), roster)
    >>> int((planted["check"] == "delivered_again_and_again").sum())
    3
    """
    told: list[Told] = [(task, ()) for task in tasks]
    found = [("sync_without_end", id) for id in _open_syncs(tasks)]
    for number, flaw in enumerate(QUEUE_FLAWS):
        told += flaw.write(Tenant(Morning(roster, seed, number + 1), flaw.check))
    found += [(check, str(task["id"])) for task, checks in told for check in checks]
    ordered = sorted((task for task, _ in told), key=lambda task: str(task["created_at"]))
    return ordered, pd.DataFrame(found, columns=["check", "id"], dtype="str")


def _open_syncs(tasks: Sequence[Task]) -> list[str]:
    """The starts of syncs that do not end."""
    ended = {task["group_id"] for task in tasks if task.get("action") == "SYNC_END"}
    return [str(task["id"]) for task in tasks if task.get("action") == "SYNC_START" and task["group_id"] not in ended]


def _waiting(tenant: Tenant) -> Iterator[Told]:
    """Three days ago the tenant was set up and somebody signed in; everything else is of today."""
    tenant.morning.wait(-3)
    for task, _ in (*tenant.set_up(), tenant.sign_in()):
        yield task, (tenant.check,)
    tenant.morning.wait(3)
    for _ in range(4):
        yield tenant.sign_in()


def _behind(tenant: Tenant) -> Iterator[Told]:
    """Nobody has fetched a task of the tenant for two days."""
    tenant.morning.wait(-2)
    for task, checks in (*tenant.set_up(tenant.check), *(tenant.sign_in() for _ in range(3))):
        yield task, (*checks, "stale_task")


def _open_sync(tenant: Tenant) -> Iterator[Told]:
    """A sync that does not end."""
    group = tenant.new_id()
    yield from tenant.set_up()
    yield tenant.sync("START", group, tenant.check)
    yield tenant.event("ADD", tenant.new_id(), group_id=group)


def _gap(tenant: Tenant) -> Iterator[Told]:
    """A task before which three are missing."""
    yield from tenant.set_up()
    yield tenant.sign_in()
    tenant.morning.skip(3)
    yield tenant.sign_in(tenant.check)
    yield tenant.sign_in()


def _same_number(tenant: Tenant) -> Iterator[Told]:
    """Two tasks with one sequence number."""
    yield from tenant.set_up()
    yield tenant.sign_in(tenant.check)
    tenant.morning.skip(-1)
    yield tenant.sign_in(tenant.check)


def _unknown(*actions: str) -> Write:
    """An event for each action, about an object that is nowhere else."""

    def write(tenant: Tenant) -> Iterator[Told]:
        yield from tenant.set_up()
        for action in actions:
            yield tenant.event(action, tenant.new_id(), tenant.check)

    return write


def _uninstalled(tenant: Tenant) -> Iterator[Told]:
    """Somebody signs in after the tenant's uninstallation."""
    yield from tenant.set_up()
    yield tenant.task("lifecycle_event", action="TENANT_UNINSTALLED")
    yield tenant.sign_in(tenant.check)


def _added_twice(tenant: Tenant) -> Iterator[Told]:
    """A student who is added, and added again; another one is deleted in between."""
    twice, back = tenant.new_id(), tenant.new_id()
    yield from tenant.set_up()
    yield tenant.event("ADD", twice)
    yield tenant.event("ADD", twice, tenant.check)
    yield tenant.event("ADD", back)
    yield tenant.event("DELETE", back, "delete_of_unknown_object")
    yield tenant.event("ADD", back)


def _early_enrollments(tenant: Tenant) -> Iterator[Told]:
    """In a sync, an enrollment before its person, and one before its section."""
    group, people, section = tenant.new_id(), [tenant.new_id(), tenant.new_id()], tenant.new_id()
    seats: list[dict[str, JSON]] = [{"$person": {"id": person}, "$section": {"id": section}} for person in people]
    yield from tenant.set_up()
    yield tenant.sync("START", group)
    yield tenant.event("ADD", people[0], group_id=group)
    for data in seats:
        yield tenant.event("ADD", tenant.new_id(), tenant.check, kind=_SEAT, data=data, group_id=group)
    yield tenant.event("ADD", section, kind=_SECTION, group_id=group)
    yield tenant.event("ADD", people[1], group_id=group)
    yield tenant.event("ADD", tenant.new_id(), kind=_SEAT, data=seats[1], group_id=group)
    yield tenant.sync("END", group)


def _overlap(tenant: Tenant) -> Iterator[Told]:
    """A sync that starts while another one goes on."""
    one, other = tenant.new_id(), tenant.new_id()
    yield from tenant.set_up()
    yield tenant.sync("START", one)
    yield tenant.sync("START", other, tenant.check)
    yield tenant.sync("END", one)
    yield tenant.sync("END", other)


def _outside(tenant: Tenant) -> Iterator[Told]:
    """An event before the start of its sync, and one after the end."""
    group = tenant.new_id()
    yield from tenant.set_up()
    yield tenant.event("ADD", tenant.new_id(), tenant.check, group_id=group)
    yield tenant.sync("START", group)
    yield tenant.event("ADD", tenant.new_id(), group_id=group)
    yield tenant.sync("END", group)
    yield tenant.event("ADD", tenant.new_id(), tenant.check, group_id=group)


def _storm(tenant: Tenant) -> Iterator[Told]:
    """As many deletions of enrollments within the hour as make a storm, where the roster has that many."""
    links = tenant.morning.roster.links
    seats = links.loc[links["relation"] == "student_in", "membership_id"].dropna().unique()
    if len(seats) < _STORM:
        return
    yield from tenant.set_up()
    for number, seat in enumerate(tenant.morning.rng.permutation(seats)[:_STORM]):
        yield tenant.event("DELETE", str(seat), *[tenant.check] * (number == 0), kind=_SEAT)


def _again_and_again(tenant: Tenant) -> Iterator[Told]:
    """A change that is delivered three times, each time as a task of its own."""
    student = tenant.new_id()
    yield from tenant.set_up()
    yield tenant.event("ADD", student)
    for _ in range(3):
        yield tenant.event("CHANGE", student, tenant.check, changes={"email": "old.address@example.org"})


QUEUE_FLAWS: tuple[QueueFlaw, ...] = (
    QueueFlaw("stale_task", _waiting),
    QueueFlaw("sync_without_end", _open_sync),
    QueueFlaw("sequence_gap", _gap),
    QueueFlaw("repeated_task", _same_number),
    QueueFlaw("delete_of_unknown_object", _unknown("DELETE")),
    QueueFlaw("tasks_after_uninstall", _uninstalled),
    QueueFlaw("update_of_unknown_object", _unknown("UPDATE", "CHANGE")),
    QueueFlaw("add_of_known_object", _added_twice),
    QueueFlaw("enrollment_too_early", _early_enrollments),
    QueueFlaw("overlapping_syncs", _overlap),
    QueueFlaw("event_outside_sync", _outside),
    QueueFlaw("storm_of_deletes", _storm),
    QueueFlaw("delivered_again_and_again", _again_and_again),
    QueueFlaw("tenant_behind", _behind),
)
"""Every kind of mistake in a queue; adding one is adding a row."""
