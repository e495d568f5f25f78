"""A task queue that behaves like Kimono's: tasks are handed out, acknowledged, delivered again, deleted."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, NamedTuple, cast

from kimono_explore.api.operations import ACK_STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kimono_explore.schema import JSON

    Task = dict[str, JSON]

_BATCH = 100  # "the number of Tasks returned is determined by Kimono": at most 100


class Refusal(NamedTuple):
    """Why a task was not acknowledged or deleted."""

    task_id: str | None
    status: int
    reason: str


class TaskQueue:
    """The queue of one integration.

    Parameters
    ----------
    tasks : iterable of dict
        Tasks in the flat form: type, id, tenant_id, sequence, created_at, action, ...
    timeout : float, default 300
        Seconds after which a delivered task that nobody acknowledged is delivered again.
    clock : callable, optional
        Seconds, growing; for tests.
    """

    driver = "interop-data"

    def __init__(
        self, tasks: Iterable[Task], timeout: float = 300.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tasks: dict[str, Task] = {str(task["id"]): task for task in tasks}
        self._delivered: dict[str, float] = {}
        self._timeout, self._clock = timeout, clock
        self._lock = threading.Lock()
        self.acknowledged: list[dict[str, JSON]] = []

    def __len__(self) -> int:
        return len(self._tasks)

    def all(self) -> list[Task]:
        """Every task, in queue order; looking has no effect."""
        with self._lock:
            return list(self._tasks.values())

    def find(self, id: str) -> Task | None:
        """The task with this id."""
        return self._tasks.get(id)

    def hand_out(self, tenant_id: str | None = None) -> list[Task]:
        """The next batch. A tenant gets no further tasks until all that were handed out are acknowledged."""
        with self._lock:
            now = self._clock()
            self._delivered = {i: t for i, t in self._delivered.items() if i in self._tasks and now - t < self._timeout}
            blocked = {self._tasks[id]["tenant_id"] for id in self._delivered}
            batch = [
                task
                for task in self._tasks.values()
                if task["tenant_id"] not in blocked and tenant_id in (None, task["tenant_id"])
            ][:_BATCH]
            self._delivered.update({str(task["id"]): now for task in batch})
            return batch

    def acknowledge(self, acks: Sequence[JSON]) -> list[Refusal]:
        """Acknowledge tasks: all of them, or none where one is refused."""
        with self._lock:
            refused = [refusal for ack in acks if (refusal := self._refusal(ack))]
            if not refused:
                for ack in cast("Sequence[dict[str, JSON]]", acks):
                    self._take(ack)
            return refused

    def _refusal(self, ack: JSON) -> Refusal | None:
        if not isinstance(ack, dict) or not isinstance(ack.get("task_id"), str):
            return Refusal(None, 400, "an acknowledgement needs a task_id")
        id = cast("str", ack["task_id"])
        params = ack.get("params")
        if ack.get("status") not in ACK_STATUSES:
            return Refusal(id, 400, f"status must be one of {', '.join(ACK_STATUSES)}")
        if any(not isinstance(ack.get(key), str | None) for key in ("message", "$sys.app_id")):
            return Refusal(id, 400, "message and $sys.app_id must be strings")
        if ack["status"] in ("error", "retry") and not ack.get("message"):
            return Refusal(id, 400, f"{ack['status']} must come with a message")
        if params is not None and not (isinstance(params, dict) and all(isinstance(v, str) for v in params.values())):
            return Refusal(id, 400, "params must be an object of strings")
        return None if id in self._tasks else Refusal(id, 404, f"no task {id} is in the queue")

    def _take(self, ack: dict[str, JSON]) -> None:
        id = str(ack["task_id"])
        self.acknowledged.append(ack)
        self._delivered.pop(id, None)
        if ack["status"] != "retry":  # "retry" asks for it to be delivered again
            self._tasks.pop(id, None)

    def delete(self, id: str) -> bool:
        """Delete a task; False if it does not exist."""
        with self._lock:
            return self._tasks.pop(id, None) is not None


def render_task(task: Task, version: str) -> Task:
    """A task in one of the three wire versions."""
    kind = str(task["type"])
    if version.startswith("3"):
        return {"schema": "3.0.0", **task}
    fields = {key: value for key, value in task.items() if key != "type"}
    if version.startswith("2"):
        return {"schema": "2.0.0", kind: fields}
    return {_camel(kind): {_camel(key): value for key, value in fields.items()}}


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match.group(1).upper(), name)
