"""What the task inspector writes of tasks: one in a sentence, its changes, its group, the queue by time."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

import pandas as pd

from kimono_explore.html import render
from kimono_explore.palette import TASK_COLORS
from kimono_explore.schema import TASK_TYPE_ROWS
from kimono_explore.widgets.outcome import count_tasks
from kimono_explore.widgets.parts import shorten
from kimono_explore.widgets.words import capital, value_words

if TYPE_CHECKING:
    from collections.abc import Callable

_WORDS = {row.name: row.words for row in TASK_TYPE_ROWS}


def describe_task(task: pd.Series, name: Callable[[str], str | None] | None = None) -> str:
    """What a task means, in a sentence.

    Parameters
    ----------
    task : pandas.Series
        A row of `load_tasks`.
    name : callable, optional
        Gives the name of an object by its id, or None: enrollments name only ids.

    Examples
    --------
    >>> tasks = kx.load_tasks(client)
    >>> describe_task(tasks.loc[0])
    'TENANT_INSTALLED: lifecycle event of a tenant'
    """
    kind = str(task["type"]).replace("_", " ") if isinstance(task["type"], str) else "a task that cannot be read"
    action = task["action"] if isinstance(task["action"], str) else None
    if task["type"] == "data_event":
        enrollment = describe_enrollment(task, name)
        if enrollment:
            return enrollment
        called = task["label"] if isinstance(task["label"], str) else task["object_id"]
        what = value_words(task["object_type"]) if isinstance(task["object_type"], str) else "an object"
        text = f"{capital(value_words(action or 'event of'))} {what} {called}"
        changes = [
            f"{field} {shorten(_value(old), 40)} -> {shorten(_value(new), 40)}" for field, old, new in _changed(task)
        ]
        return f"{text}: {', '.join(changes[:3])}{' ...' if len(changes) > 3 else ''}" if changes else text
    return f"{action}: {_WORDS.get(str(task['type']), kind)}" if action else kind


_ENROLLMENT = {  # of a student, of staff
    "ADD": ("joins", "teaches"),
    "SET": ("joins", "teaches"),
    "DELETE": ("leaves", "no longer teaches"),
    "UNSET": ("leaves", "no longer teaches"),
    "CHANGE": ("stays in", "still teaches"),
    "UPDATE": ("stays in", "still teaches"),
}


def describe_enrollment(task: pd.Series, name: Callable[[str], str | None] | None) -> str | None:
    """``"Ada Li joins Biology P6"``; None of anything but an enrollment that says whose and where."""
    kind, data = str(task["object_type"]), task.get("data")
    if not kind.endswith("COURSE_SECTION_ENROLLMENT") or not isinstance(data, dict):
        return None
    words = _ENROLLMENT.get(str(task["action"]))
    person, section = _id_in(data, "$person"), _id_in(data, "$section")
    if words is None or person is None or section is None:
        return None
    staff = "STAFF" in kind
    who = (name and name(person)) or f"{'Staff' if staff else 'Student'} {shorten(person, 9)}"
    where = (name and name(section)) or f"section {shorten(section, 9)}"
    changes = [
        f"{field} {shorten(_value(old), 40)} -> {shorten(_value(new), 40)}" for field, old, new in _changed(task)
    ]
    text = f"{who} {words[staff]} {re.sub(_PERIOD, ' P', where)}"
    return f"{text}: {', '.join(changes[:3])}{' ...' if len(changes) > 3 else ''}" if changes else text


_PERIOD = re.compile(r"\s+-\s+Period (?=\d)")


def _id_in(data: dict[str, object], field: str) -> str | None:
    found = data.get(field)
    id = found.get("id") if isinstance(found, dict) else None
    return id if isinstance(id, str) else None


def describe_group(tasks: pd.DataFrame, group_id: str) -> str:
    """How far a sync group is, in a sentence."""
    group = tasks[tasks["group_id"] == group_id]
    syncs = group[group["type"] == "sync_event"]
    actions = syncs["action"].fillna("").str.upper()
    start, end = (
        syncs.loc[actions.str.endswith("START"), "created_at"],
        syncs.loc[actions.str.endswith("END"), "created_at"],
    )
    began = f"started {start.iloc[0]:%H:%M:%S}" if start.notna().any() else "its start is no longer in the queue"
    ended = f"ended {end.iloc[0]:%H:%M:%S}" if end.notna().any() else "not ended yet"
    return f"{group_id}: {began}, {ended}; {count_tasks(len(group) - len(syncs))} of it in the queue"


def _changed(task: pd.Series) -> list[tuple[str, object, object]]:
    """Field, old and new value: ``changes`` holds what was before, ``data`` what is now."""
    changes, data = task["changes"], task["data"] if isinstance(task["data"], dict) else {}
    if not isinstance(changes, dict):
        return []
    rows: list[tuple[str, object, object]] = []
    for field, change in changes.items():
        if isinstance(change, dict) and set(change) & {"old", "new", "from", "to"}:
            old, new = change.get("old", change.get("from")), change.get("new", change.get("to"))
        else:
            old, new = change, data.get(field)
        if isinstance(old, dict) and isinstance(new, dict):  # an address: the lines that were sent as changed
            rows += [(f"{field}.{name}", value, new.get(name)) for name, value in old.items() if value != new.get(name)]
        else:
            rows.append((field, old, new))
    return rows


def changes_rows(task: pd.Series) -> list[tuple[str, str, str]]:
    """The changes of a task as texts: field, before and after; nothing where there are none."""
    return [(field, _value(old), _value(new)) for field, old, new in _changed(task)]


def _value(value: object) -> str:
    return "nothing" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def pretty(value: object) -> str:
    """A dict, a list or JSON text, indented; nothing for anything else."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return cast("str", value)
    return json.dumps(value, ensure_ascii=False, indent=1) if isinstance(value, (dict, list)) else ""


def timeline(tasks: pd.DataFrame) -> str:
    """When the tasks were made, by type: at most 60 bars."""
    dated = tasks.dropna(subset=["created_at"])
    if dated.empty:
        return ""
    begin, end = dated["created_at"].min(), dated["created_at"].max()
    span = max((end - begin).total_seconds(), 1.0)
    slot = ((dated["created_at"] - begin).dt.total_seconds() / span * 59.999).astype(int)
    counts = pd.crosstab(slot, dated["type"].fillna("unknown"))
    most = int(counts.sum(axis=1).max())
    bars = []
    for position, row in counts.iterrows():
        top = 56.0
        for kind, count in row[row > 0].items():
            height = 50.0 * count / most
            top -= height
            place = {"x": 10 * cast("int", position), "y": f"{top:.1f}", "height": f"{height:.1f}"}
            bars.append({**place, "color": _color(kind), "kind": value_words(str(kind)), "tasks": count})
    return render(
        "timeline.html",
        bars=bars,
        begin=f"{begin:%Y-%m-%d %H:%M}",
        end=f"{end:%Y-%m-%d %H:%M}",
        most=most,
        legend=[(value_words(str(kind)), _color(kind)) for kind in counts.columns],
    )


def _color(kind: object) -> str:
    return TASK_COLORS.get(str(kind), TASK_COLORS["unknown"])
