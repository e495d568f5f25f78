"""The data events of a task queue: in order, each once, and why the others cannot be applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import pandas as pd

from kimono_explore.decode.references import id_of, object_type, plain_type
from kimono_explore.decode.values import as_text
from kimono_explore.problems import (
    NO_DATA,
    NO_ID,
    SEVERAL_TENANTS,
    TASK_CAME_AGAIN,
    UNKNOWN_ACTION,
    UNKNOWN_TYPE,
    UNREADABLE_TASK,
    not_applied,
)
from kimono_explore.schema import TABLE_OF, Problem
from kimono_explore.tasks import TASK_COLUMNS

if TYPE_CHECKING:
    from kimono_explore.schema import JSON

    Payload = dict[str, JSON]

UPSERTS = ("ADD", "CHANGE", "UPDATE", "SET")
REMOVALS = ("DELETE", "UNSET")
LINKS = "links"
SIDE_EFFECTS = ("updated_at", "stated_by")
"""Columns that change only because something was sent again, or by another side."""
_TEXT = ("type", "id", "tenant_id", "action", "object_type", "object_id", "group_id", "raw")


class Event(NamedTuple):
    """A data event: what it does, to which object of which table, and its payload.

    ``number`` is its position among the events. The table of an enrollment is ``"links"``, and ``id`` the membership's.
    ``kind`` is the object type without prefix and punctuation, such as ``studentcoursesectionenrollment``.
    """

    number: int
    task: str | None
    action: str
    kind: str
    table: str
    id: str | None
    in_sync: bool
    payload: Payload

    def refused(self, reason: str) -> Problem:
        """The row of ``problems`` that says why the event was not applied."""
        return Problem(
            self.table or "tasks", self.id, None, f"{self.action} {self.kind}", not_applied(self.task, reason)
        )


def read_events(tasks: pd.DataFrame) -> tuple[list[Event], list[Problem]]:
    """The data events that can be applied, in their order, and a problem for each that cannot."""
    # Columns that are absent, or have no rows, have a numeric dtype; below they are read as text.
    tasks = tasks.reindex(columns=list(TASK_COLUMNS)).astype(dict.fromkeys(_TEXT, "str"))
    kinds = tasks["type"].str.lower().str.replace("_", "")
    unread = tasks[tasks["type"].isna()]
    problems = [_problem(id, UNREADABLE_TASK, raw) for id, raw in zip(unread["id"], unread["raw"], strict=True)]
    events = tasks[(kinds == "dataevent").fillna(False)]
    tenants = events["tenant_id"].nunique()
    if tenants > 1:
        problems.append(Problem("tasks", None, None, str(tenants), SEVERAL_TENANTS))
    found: list[Event] = []
    for row in _deduplicated(events, problems).itertuples(index=False):
        event = _event(row, len(found))
        reason = _why_inapplicable(event, row.data)
        if reason:
            problems.append(event.refused(reason))
        else:
            found.append(event)
    return found, problems


def _problem(id: object, text: str, raw: object) -> Problem:
    return Problem("tasks", _text(id), None, _text(raw), text)


def _deduplicated(events: pd.DataFrame, problems: list[Problem]) -> pd.DataFrame:
    """The events without repeated deliveries; those of a tenant by sequence number if all of them have one."""
    keys = events["id"].fillna(events["raw"]).fillna("").astype("str")
    without_id = events["id"].isna()
    keys = keys.where(~without_id, keys + " " + events["action"].fillna("") + " " + events["object_id"].fillna(""))
    repeated = pd.DataFrame({"tenant": events["tenant_id"], "id": keys}).duplicated() & (keys.str.strip() != "")
    if repeated.any():
        copies = events[["tenant_id", "id", "action", "object_type", "object_id"]].assign(
            data=events["data"].map(_data_text)
        )
        differs = copies[events["id"].isin(events.loc[repeated, "id"]) & ~without_id].drop_duplicates()
        ids = differs.loc[differs.duplicated(["tenant_id", "id"]), "id"].drop_duplicates()
        problems += [_problem(id, TASK_CAME_AGAIN, None) for id in ids]
    events = events[~repeated]
    tenant = events["tenant_id"].fillna("")
    numbered = events["sequence"].notna().groupby(tenant).transform("all")
    position = pd.Series(range(len(events)), index=events.index, dtype="Int64")
    order = pd.DataFrame({"tenant": tenant.factorize()[0], "place": events["sequence"].where(numbered, position)})
    order.index = pd.RangeIndex(len(order))
    return events.iloc[order.sort_values(["tenant", "place"], kind="stable").index]


def _data_text(data: object) -> str:
    return repr(data) if isinstance(data, dict) else ""


def _event(row: object, number: int) -> Event:
    action, kind = _text(getattr(row, "action", None)), _text(getattr(row, "object_type", None))
    data = getattr(row, "data", None)
    payload = cast("Payload", data if isinstance(data, dict) else {})
    nested = payload.get("data")
    if len(payload) == 1 and isinstance(nested, dict):
        payload = nested
    if not isinstance(
        payload.get("$sys"), dict
    ):  # null if ids are at the top level; anything else carries no information
        payload = {key: value for key, value in payload.items() if key != "$sys"}
    id = _text(getattr(row, "object_id", None))
    inner = id_of(payload)
    return Event(
        number,
        _text(getattr(row, "id", None)),
        (action or "").strip().upper(),
        plain_type(kind or ""),
        _table(kind),
        id or (None if inner is None else as_text(inner)),
        bool(_text(getattr(row, "group_id", None))),
        payload,
    )


def _table(kind: str | None) -> str:
    """The table that holds a type of object; empty if the type is unknown."""
    if plain_type(kind or "").endswith(("enrollment", "membership")):
        return LINKS
    return TABLE_OF.get(object_type(kind) or "", "")


def _why_inapplicable(event: Event, data: object) -> str | None:
    """Why an event cannot be applied to any roster; None if it can."""
    if not event.table:
        return UNKNOWN_TYPE
    if event.action not in (*UPSERTS, *REMOVALS):
        return UNKNOWN_ACTION
    if event.action in UPSERTS and (not isinstance(data, dict) or not event.payload):
        return NO_DATA
    return NO_ID if event.id is None and event.table != LINKS else None


def _text(value: object) -> str | None:
    return None if value is None or value is pd.NA or value != value else str(value)
