"""What the task inspector says: what will be done, what came of it, and why the queue could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.errors import ConnectionFailedError, ResponseError, ServerError
from kimono_explore.html import render
from kimono_explore.widgets.parts import shorten
from kimono_explore.widgets.words import value_words

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

_FIRST_IDS = 3
_GONE = "it is no longer in the queue", "they are no longer in the queue"
_LOGIN = "it did not accept the credentials", "it did not accept the credentials"
_OF_THE_TASK = (400, 409, 422, 423)  # the server's own words say why
_REASONS: dict[int, tuple[str, str]] = {
    401: _LOGIN,
    403: ("you are not allowed to do this", "you are not allowed to do this"),
    404: _GONE,
    410: _GONE,
    423: ("it is locked", "they are locked"),
    429: ("there were too many requests", "there were too many requests"),
}
"""Why the server refused one task, or several, by its HTTP status."""


def count_tasks(count: int) -> str:
    """``1 task``, ``2 tasks``."""
    return f"{count:,} task" if count == 1 else f"{count:,} tasks"


def was_closed(error: BaseException) -> bool:
    """Whether a request failed because the notebook closed the client: httpx says so in a RuntimeError of its own."""
    return isinstance(error, RuntimeError) and "has been closed" in str(error)


def lost_html(error: BaseException, read_at: datetime | None) -> str:
    """Why the queue could not be read, in a line, and of which time the rows are that are still there."""
    if was_closed(error):
        why, details = (
            "The client was closed in this notebook. Set inspector.client = kx.connect(...), then press Retry.",
            "",
        )
    elif isinstance(error, ConnectionFailedError):
        why, details = "The server does not answer.", str(error)
    elif isinstance(error, ServerError):
        why, details = f"The server reported an error ({error.status}).", str(error)
    else:
        why, details = "The queue could not be read.", f"{type(error).__name__}: {error}"
    shown = (
        "Nothing has been read yet." if read_at is None else f"This is the queue as it was at {read_at:%H:%M:%S} UTC."
    )
    return render("lost.html", why=why, shown=shown, details=details)


def dry_run_html(tasks: pd.DataFrame, read_at: datetime | None, without_id: int) -> str:
    """What would be done: tasks by type, action and object type, with the first ids of each."""
    keys = ["type", "action", "object_type"]
    groups = tasks.assign(**{key: tasks[key].astype("object").fillna("") for key in keys}).groupby(keys, sort=False)
    rows = sorted(
        ((len(group), _act_words(*map(str, key)), _some(group["id"])) for key, group in groups),
        key=lambda row: (-row[0], row[1]),
    )
    left_out = f"{count_tasks(without_id)} without an id {'is' if without_id == 1 else 'are'} left out." * bool(
        without_id
    )
    return render("dry_run.html", rows=rows, read_at=read_at and f"{read_at:%H:%M:%S}", left_out=left_out)


def _act_words(type: str, action: str, object_type: str) -> str:
    """What tasks are, as the facets call it: ``"add student"``, ``"sync event, sync start"``."""
    if action and object_type:
        return f"{value_words(action)} {value_words(object_type)}"
    return ", ".join(value_words(part) for part in (type, action, object_type) if part) or "unknown"


def _some(ids: Iterable[object]) -> str:
    found = [shorten(str(id), 9) for id in ids]
    rest = len(found) - _FIRST_IDS
    return ", ".join(found[:_FIRST_IDS]) + (f" and {rest:,} more" if rest > 0 else "")


def outcome_html(outcome: pd.DataFrame, selected: Iterable[str], waiting: Iterable[str] | None) -> str:
    """What came of an act, a sentence for each kind of outcome; the server's own words one click away.

    Parameters
    ----------
    outcome : pandas.DataFrame
        Rows of `TaskInspector.history`.
    selected : iterable of str
        The tasks that are selected now.
    waiting : iterable of str or None
        The tasks that are in the queue now; None where it could not be read again.
    """
    left = outcome[~outcome["accepted"].astype(bool)]
    said = [(str(id), str(text)) for id, text in zip(left["id"], left["message"], strict=True)]
    return render("outcome.html", sentences=outcome_sentences(outcome, selected, waiting), said=said)


def outcome_sentences(
    outcome: pd.DataFrame, selected: Iterable[str], waiting: Iterable[str] | None
) -> list[tuple[str, str]]:
    """The kind of each outcome, and a sentence: of tasks that are done, refused, not known and not sent."""
    if outcome.empty:
        return [("not sent", "Nothing was done.")]
    act = str(outcome["act"].iloc[0])
    past = "deleted" if act == "delete" else act.replace("acknowledge", "acknowledged", 1)
    chosen, there = set(selected), None if waiting is None else set(waiting)
    done = outcome[outcome["status"] == "done"]
    sentences = [("done", f"{count_tasks(len(done))} {past}.")] if len(done) else []
    refused = outcome[outcome["status"] == "refused"]
    reasons = [_reason(row) for _, row in refused.iterrows()]
    for reason in dict.fromkeys(reasons):
        part = refused[[other == reason for other in reasons]]
        sentences.append(("refused", _refused(part, reason, chosen)))
    doubtful = outcome[outcome["status"] == "not known"]
    if len(doubtful):
        sentences.append(("not known", _doubtful(doubtful, past, chosen, there)))
    unsent = outcome[outcome["status"] == "not sent"]
    if len(unsent):
        was = "was" if len(unsent) == 1 else "were"
        sentences.append(("not sent", f"{count_tasks(len(unsent))} {was} not sent. {_still(unsent, chosen)}".strip()))
    return sentences


def _reason(row: pd.Series) -> tuple[str, str, str]:
    """Why a task was refused, told of one and of several, and what the server is quoted with: told together if the same."""
    code = 0 if pd.isna(row["code"]) else int(row["code"])
    said = "" if pd.isna(row["reason"]) else str(row["reason"])
    locked = code in _OF_THE_TASK and "locked" in f"{said} {row['message']}".lower()
    one, many = _REASONS[423] if locked else _REASONS.get(code, ("", ""))
    status = f" ({code})" if code else ""
    if one:
        return f": {one}{status}.", f": {many}{status}.", ""
    return f"{status}.", f"{status}.", f' It said: "{shorten(said, 80)}".' if said else ""


def _refused(part: pd.DataFrame, reason: tuple[str, str, str], chosen: set[str]) -> str:
    one, many, quoted = reason
    why = one if len(part) == 1 else many
    return f"The server refused {count_tasks(len(part))}{why}{quoted} {_still(part, chosen)}".strip()


def _doubtful(part: pd.DataFrame, past: str, chosen: set[str], there: set[str] | None) -> str:
    one = len(part) == 1
    words = f"No answer says whether {count_tasks(len(part))} {'was' if one else 'were'} {past}."
    if there is None:
        return f"{words} Press Retry to see what is still in the queue."
    stayed = int(part["id"].isin(there).sum())
    if stayed == len(part):
        words += f" {'It is' if one else 'They are'} still in the queue."
    elif not stayed:
        words += f" {'It is' if one else 'They are'} no longer in the queue."
    else:
        words += f" {stayed:,} of them {'is' if stayed == 1 else 'are'} still in the queue."
    return f"{words} {_still(part, chosen)}".strip()


def _still(part: pd.DataFrame, chosen: set[str]) -> str:
    """Whether these tasks are selected still: all, some or none."""
    count = int(part["id"].isin(chosen).sum())
    if not count:
        return ""
    if count < len(part):
        return f"{count:,} of them {'is' if count == 1 else 'are'} still selected."
    return "It is still selected." if count == 1 else "They are still selected."


def error_facts(error: BaseException) -> tuple[int | None, str | None]:
    """The HTTP status of an error, or of what caused it, and what the server said of the first task it refused."""
    for found in (error, error.__cause__):
        if isinstance(found, ResponseError) and found.status:
            details = found.details if isinstance(found.details, list) else []
            said = [detail.get("message") for detail in details if isinstance(detail, dict)]
            return found.status, next((text for text in said if isinstance(text, str)), None)
    return None, None
