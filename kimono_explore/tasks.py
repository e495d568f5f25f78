"""The task queue as one DataFrame, whatever the wire version.

Looking at the queue reads the admin queue, which has no effect. Only ``load_tasks(client, admin=False)`` takes a batch
from the managed queue, and that blocks the tenant until every task in the batch is acknowledged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import pandas as pd

from kimono_explore.api.client import Client
from kimono_explore.api.operations import TASK_TYPES, operation
from kimono_explore.api.pages import open_page
from kimono_explore.api.paging import read_pages
from kimono_explore.decode.values import as_text, read_time
from kimono_explore.errors import BadResponseError, KimonoError, expect
from kimono_explore.json_text import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kimono_explore.api.operations import Operation
    from kimono_explore.schema import JSON

TASK_COLUMNS: tuple[str, ...] = (
    "schema_version",
    "type",
    "action",
    "id",
    "tenant_id",
    "sequence",
    "created_at",
    "object_type",
    "object_id",
    "label",
    "group_id",
    "origin",
    "app_id",
    "data",
    "changes",
    "raw",
)


def load_tasks(
    client: Client,
    *,
    admin: bool = True,
    schema: str | None = None,
    driver: str | None = None,
    tenant_id: str | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Load the task queue.

    Parameters
    ----------
    client : Client
    admin : bool, default True
        Read the whole queue, without side effects. False takes the next batch of the managed queue instead: the server
        then hands out no further tasks for a tenant until every task in the batch is acknowledged. That request is
        never retried: after a fault, the error says whether tasks may have been handed out.
    schema : str, optional
        The wire version to request: ``"1.0.0"``, ``"2.0.0"`` or ``"3.0.0"``. The resulting table is the same for each.
    driver : str, optional
        Load only tasks of the driver with this name.
    tenant_id : str, optional
        Load only tasks of this tenant.
    progress : bool, default False

    Returns
    -------
    pandas.DataFrame
        One row per task, in queue order: schema_version, type, action, id, tenant_id, sequence, created_at,
        object_type, object_id, label, group_id, origin, app_id, data and changes (dicts, or None), and raw (the JSON
        text as sent).

    Examples
    --------
    >>> kx.load_tasks(client)["type"].iloc[0]
    'lifecycle_event'
    """
    expect("load_tasks", client, Client, having="request")
    listing = operation("listTasksAdmin" if admin else "listTasks")
    params = {"schema": schema, "driver": driver}
    rows: Sequence[bytes | msgspec.Raw]
    if admin:
        rows = _distinct(page.rows for page in read_pages(client, listing, params=params, progress=progress))
    else:
        # Always page 0: acknowledged tasks leave the queue, so a page 1 would skip some.
        rows = _take_batch(client, listing, {**params, "tenant_id": tenant_id})
    tasks = task_table(rows)
    return tasks[tasks["tenant_id"] == tenant_id].reset_index(drop=True) if admin and tenant_id else tasks


def _distinct(pages: Iterable[Sequence[msgspec.Raw]]) -> list[bytes]:
    """The rows of all pages without exact repeats of earlier ones: the queue moves while it is read."""
    found: list[bytes] = []
    seen: set[bytes] = set()
    for page in pages:
        new = [text for row in page if (text := bytes(row)) not in seen]
        found += new
        seen.update(new)
    return found


def _take_batch(client: Client, listing: Operation, params: dict[str, str | int | None]) -> Sequence[msgspec.Raw]:
    """One batch of the managed queue, requested only once: the server may hand out tasks although its answer is lost."""
    try:
        return open_page(client.request(listing, params=params, repeat=False), listing.path).rows
    except KimonoError as error:
        if not error.turned_away:
            error.args = (f"{error} {_HANDED_OUT}",)
        raise
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(_HANDED_OUT)
        raise


_HANDED_OUT = (
    "Tasks may nevertheless have been handed out, so this request is not repeated. kx.load_tasks(client) shows the "
    "queue without effect; tasks that nobody acknowledges time out and are delivered again."
)


def task_table(rows: Sequence[bytes | msgspec.Raw]) -> pd.DataFrame:
    """Tasks as they were sent, in any wire version, as the table of `load_tasks`.

    Parameters
    ----------
    rows : sequence of bytes
        The JSON text of each task.

    Examples
    --------
    >>> row = task_table([b'{"dataEvent": {"id": "1", "objectType": "RDM:STUDENT"}}']).loc[0]
    >>> row[["type", "object_type"]].tolist()
    ['data_event', 'RDM:STUDENT']
    """
    found = [fields for row in rows for fields in _read_task(bytes(row))]
    columns: dict[str, pd.Series] = {}
    for name in TASK_COLUMNS:
        values = [fields.get(name) for fields in found]
        if name in ("data", "changes"):
            columns[name] = pd.Series([v if isinstance(v, dict) else None for v in values], dtype="object")
        elif name == "sequence":
            columns[name] = pd.Series([_whole(v) for v in values], dtype="Int64")
        elif name == "created_at":
            times = [read_time(v) if isinstance(v, str) else None for v in values]
            columns[name] = pd.Series(times, dtype="datetime64[us, UTC]")
        else:
            columns[name] = pd.Series([_text(v) for v in values], dtype="str")
    return pd.DataFrame(columns)


def _whole(value: JSON) -> int | None:
    """A whole number that a table can hold, even if it was sent as text or as 7.0."""
    if isinstance(value, str):
        try:
            value = int(value) if value.isdecimal() else float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -(2**63) <= value < 2**63:
        return None
    return None if value % 1 else int(value)


def _text(value: JSON) -> str | None:
    if value is None or isinstance(value, str):
        return value
    try:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else as_text(value)
    except RecursionError:  # raw keeps the text
        return None


def _read_task(row: bytes) -> list[dict[str, JSON]]:
    """The events of one task as flat, snake_case fields; an unreadable one keeps its text in ``raw``."""
    text = row.decode("utf-8", errors="replace")
    task = _decode(row)
    if not isinstance(task, dict):
        return [{"raw": text}]
    common: dict[str, JSON] = {"schema_version": task.get("schema"), "raw": text}
    # Recognized by the shape, not by the version: in 1.x and 2.x each event is under a key named after its type.
    is_flat = "id" in task and not {"type", "action", "topic"}.isdisjoint(task)
    named = {} if is_flat else {key: _snake(value) for key, value in task.items() if isinstance(value, dict)}
    events = [(_snake_name(key), fields) for key, fields in named.items() if _snake_name(key) in TASK_TYPES]
    if not events and {"id", "action", "topic"}.isdisjoint(task):
        events = [(_snake_name(key), fields) for key, fields in named.items() if "id" in fields]
    if events:
        return [{**fields, "type": kind, **common} for kind, fields in events]
    flat = _snake(task)
    return [{**flat, **_oldest(flat), **common}]


def _decode(row: bytes) -> JSON:
    """A task's JSON; only its root if a part is too deep or too long; None if it is not JSON."""
    try:
        return decode(row, "a task")
    except BadResponseError:
        pass
    try:
        parts = msgspec.json.decode(row, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found: dict[str, JSON] = {}
    for name, part in parts.items():
        try:
            found[name] = decode(part, name)
        except BadResponseError:
            found[name] = bytes(part).decode("utf-8", errors="replace")
    return found


_DATA_ACTIONS = ("ADD", "CHANGE", "UPDATE", "DELETE", "SET", "UNSET")
_TOPIC = re.compile(r"RDM:\w+|STUDENT|STAFF|SCHOOL|LEA|TERM|COURSE|COURSE_SECTION|\w+_ENROLLMENT", re.IGNORECASE)


def _oldest(task: dict[str, JSON]) -> dict[str, JSON]:
    """What only the oldest shape, ``{id, action, topic, batch_id, data}``, names differently; empty for any other shape."""
    if isinstance(task.get("type"), str):
        return {}
    action = str(task.get("action")).upper()
    topic = task.get("topic")
    found: dict[str, JSON] = {"group_id": task.get("group_id") or task.get("batch_id")}
    about = topic if isinstance(topic, str) and _TOPIC.fullmatch(topic) else None
    if action in ("SYNC_START", "SYNC_END"):
        found["type"] = "sync_event"
    elif action.startswith("TENANT_"):
        found["type"] = "lifecycle_event"
    elif about or action in _DATA_ACTIONS:
        found |= {"type": "data_event", "object_type": task.get("object_type") or topic}
    return found


def _snake(fields: dict[str, JSON]) -> dict[str, JSON]:
    return {_snake_name(key): value for key, value in fields.items()}


def _snake_name(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
