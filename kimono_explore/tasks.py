"""The task queue as one DataFrame, whatever the wire version.

Looking at the queue reads the admin queue, which has no effect. Only ``load_tasks(client, admin=False)`` takes a
batch from the managed queue, and that blocks the tenant until every task of it is acknowledged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.api import operation
from kimono_explore.decode import as_text, read_time
from kimono_explore.errors import KimonoError
from kimono_explore.paging import read_pages
from kimono_explore.wire import JSON, decode, open_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import msgspec

    from kimono_explore.api import Operation
    from kimono_explore.client import Client

TASK_TYPES: tuple[str, ...] = (
    "lifecycle_event",
    "sync_event",
    "data_event",
    "authenticate",
    "grades_export",
    "grades_query",
    "request",
)
"""The types that the reference knows; unknown ones are shown as they come."""

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
        Look at the whole queue, without effect. False takes the next batch of the managed queue instead: the server
        then hands out no further tasks of a tenant until every task of the batch is acknowledged. It is asked once:
        after a fault the error says whether tasks may have been handed out.
    schema : str, optional
        The wire version to ask for: ``"1.0.0"``, ``"2.0.0"`` or ``"3.0.0"``. The table is the same for each.
    driver : str, optional
        Only tasks of the driver of this name.
    tenant_id : str, optional
        Only tasks of this tenant.
    progress : bool, default False

    Returns
    -------
    pandas.DataFrame
        One row a task, in queue order: schema_version, type, action, id, tenant_id, sequence, created_at, object_type,
        object_id, label, group_id, origin, app_id; data and changes (dicts, or None); raw (the JSON text as it came).

    Examples
    --------
    >>> kx.load_tasks(client)["type"].iloc[0]
    'lifecycle_event'
    """
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
    """The rows of all pages but those that came, letter for letter, on an earlier page: the queue moves as it is read."""
    found: list[bytes] = []
    seen: set[bytes] = set()
    for page in pages:
        new = [text for row in page if (text := bytes(row)) not in seen]
        found += new
        seen.update(new)
    return found


def _take_batch(client: Client, listing: Operation, params: dict[str, str | int | None]) -> Sequence[msgspec.Raw]:
    """One batch of the managed queue, asked for once: the server may hand tasks out and its answer be lost."""
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
    "Tasks may have been handed out all the same, so this is not asked again by itself. kx.load_tasks(client) shows the "
    "queue without effect; tasks that nobody acknowledges time out and are delivered again."
)


def task_table(rows: Sequence[bytes | msgspec.Raw]) -> pd.DataFrame:
    """Tasks as they came, of any wire version, as the table of `load_tasks`.

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
    found = [fields for row in rows for fields in _read_task(row)]
    columns: dict[str, pd.Series] = {}
    for name in TASK_COLUMNS:
        values = [fields.get(name) for fields in found]
        if name in ("data", "changes"):
            columns[name] = pd.Series([v if isinstance(v, dict) else None for v in values], dtype="object")
        elif name == "sequence":
            numbers = pd.to_numeric(pd.Series(values, dtype="object"), errors="coerce")
            columns[name] = numbers.where(numbers % 1 == 0).astype("Int64")
        elif name == "created_at":
            times = [read_time(v) if isinstance(v, str) else None for v in values]
            columns[name] = pd.Series(times, dtype="datetime64[us, UTC]")
        else:
            columns[name] = pd.Series([None if v is None else as_text(v) for v in values], dtype="str")
    return pd.DataFrame(columns)


def _read_task(row: bytes | msgspec.Raw) -> list[dict[str, JSON]]:
    """The events of one task as flat, snake_case fields; an unreadable one keeps its text in ``raw``."""
    text = bytes(row).decode("utf-8", errors="replace")
    task = decode(row, "a task")
    if not isinstance(task, dict):
        return [{"raw": text}]
    version = task.get("schema")
    common: dict[str, JSON] = {"schema_version": version, "raw": text}
    # Told by the shape, not by the version: in 1.x and 2.x each event stands under a key of its own type.
    named = {key: _snake(value) for key, value in task.items() if isinstance(value, dict)}
    events = [(_snake_name(key), fields) for key, fields in named.items() if _snake_name(key) in TASK_TYPES]
    if not events and "id" not in task:
        events = [(_snake_name(key), fields) for key, fields in named.items() if "id" in fields]
    if events:
        return [{**fields, "type": kind, **common} for kind, fields in events]
    return [{**_snake(task), **common}]


def _snake(fields: dict[str, JSON]) -> dict[str, JSON]:
    return {_snake_name(key): value for key, value in fields.items()}


def _snake_name(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
