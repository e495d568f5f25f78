"""Acknowledge and delete tasks, and report what became of each, even if an answer was lost.

An acknowledgement cannot be undone, and its answer may be lost after it took effect. So every task ends with one of
`OUTCOMES`, and no outcome is claimed that the server did not report.
"""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, NamedTuple, cast

import httpx
import pandas as pd

from kimono_explore.api.client import Client
from kimono_explore.api.operations import ACK_STATUSES, operation
from kimono_explore.api.transport import TooLong
from kimono_explore.errors import (
    AckError,
    AckRefusedError,
    AckUnknownError,
    ConnectionFailedError,
    KimonoError,
    ResponseError,
    expect,
)
from kimono_explore.json_text import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from httpx_retries import Retry

    from kimono_explore.api.operations import Operation
    from kimono_explore.schema import JSON

DONE, REFUSED, NOT_KNOWN, NOT_SENT = OUTCOMES = ("done", "refused", "not known", "not sent")
"""What became of a task: the server accepted it; the server refused it, in its own words; it was sent, but the answer
does not tell; it was never sent."""

_GONE = (404, 410)
_OF_THE_TASK = (400, 404, 409, 410, 422)
_OF_THE_BODY = (400, 422)  # the same at every try
_TOO_LONG = 413
_PASSING = (408, 429, 502, 503, 504)


def ack_tasks(
    client: Client,
    ids: str | Iterable[str],
    status: str = "success",
    message: str | None = None,
    *,
    app_id: str | None = None,
    params: dict[str, str] | None = None,
    admin: bool = True,
) -> pd.DataFrame:
    """Acknowledge tasks: they leave the queue or, with ``"retry"``, are delivered again. This cannot be undone.

    A task that the server has accepted is never sent again. If a response is lost (a broken connection, a timeout, a
    5xx, a page that is not from the API), the request is retried up to ``connect(retries=)`` times. A retry that finds
    the task gone means that the first attempt took effect. A refused batch is split until the refused tasks are
    identified.

    Parameters
    ----------
    client : Client
    ids : str or iterable of str
        One or more tasks. Several are sent in one request; duplicate ids are sent once.
    status : {"success", "error", "retry", "reauthenticate"}, default "success"
    message : str, optional
        Shown in Kimono; required with ``"error"`` and ``"retry"``.
    app_id : str, optional
        The id that the receiving app gave the object (``$sys.app_id``).
    params : dict of str to str, optional
    admin : bool, default True
        Use the admin queue. Set to False for tasks that the managed queue handed out.

    Returns
    -------
    pandas.DataFrame
        One row per task: id, status, outcome (``"done"``, ``"refused"``, ``"not known"`` or ``"not sent"``), accepted
        (True only for ``"done"``) and message (from the server, or what is known).

    Raises
    ------
    AckRefusedError
        The server refused some tasks and accepted all the others. The error message names the refused ones.
    AckUnknownError
        Some tasks were not sent, or may or may not have been accepted. ``kx.load_tasks(client)`` shows which are still
        in the queue.
    ValueError
        The status is unknown, its required message is missing, or an id is empty. Nothing was sent.

    Notes
    -----
    Either error, or a KeyboardInterrupt, carries the table above as ``.outcomes``.

    A refused batch may still have been accepted in part. If one of its tasks is then gone (404), that task counts as
    "refused" only if the server named it, or if it alone can have caused a 404 for the batch; otherwise it is "not
    known".

    Examples
    --------
    >>> with kx.sandbox(students=20) as small:
    ...     first = kx.load_tasks(small.client)["id"].iloc[0]
    ...     kx.ack_tasks(small.client, first)["outcome"].tolist()
    ['done']
    """
    expect("ack_tasks", client, Client, having="request")
    check_status(status, message)
    fields = {"status": status, "message": message, "$sys.app_id": app_id, "params": params}
    ack = {key: cast("JSON", value) for key, value in fields.items() if value is not None}
    acks = _Acks(client, _checked_ids(ids), ack, admin)
    encode([ack, *acks.rows])  # what cannot be sent is refused before anything is
    try:
        acks.send()
    except BaseException as error:  # an interrupt, most likely: what is known by now goes with it
        error.outcomes = acks.table()  # type: ignore[attr-defined]
        error.add_note(f"{_counted(acks.table())}: see .outcomes of this exception.")
        raise
    outcomes = acks.table()
    _raise_unless_done(outcomes, acks.error)
    return outcomes


def check_status(status: str, message: str | None) -> None:
    """Raise ValueError if a status is unknown or lacks the message it needs."""
    if status not in ACK_STATUSES:
        raise ValueError(f"Unknown status {status!r}. Choose one of: {', '.join(ACK_STATUSES)}.")
    if status in ("error", "retry") and not message:
        raise ValueError(f"The status {status!r} needs a message that says why.")


def delete_task(client: Client, id: str) -> None:
    """Delete a task from the admin queue. This cannot be undone.

    If the response is lost, the request is retried up to ``connect(retries=)`` times. A retry that finds the task gone
    means that the first attempt took effect.

    Parameters
    ----------
    client : Client
    id : str

    Raises
    ------
    NotFoundError
        There is no such task in the queue.
    AckUnknownError
        No response says whether the task was deleted. ``kx.load_tasks(client)`` shows whether it is still there.
    ResponseError
        The server refused to delete it.

    Examples
    --------
    >>> with kx.sandbox(students=20) as small:
    ...     kx.delete_task(small.client, kx.load_tasks(small.client)["id"].iloc[-1])
    """
    expect("delete_task", client, Client, having="request")
    (id,) = _checked_ids(id)
    answer = _send(client, operation("deleteTaskAdmin"), id=id)
    outcome, words = _judge(answer.error, lost=answer.lost)
    if outcome == DONE:
        return
    assert answer.error is not None
    if outcome != NOT_KNOWN:
        raise answer.error
    row = {"id": id, "status": "delete", "outcome": NOT_KNOWN, "accepted": False, "message": words}
    text = f"Whether the task {id} was deleted is not known. {words} {_LOOK}"
    raise AckUnknownError(text, pd.DataFrame([row])) from answer.error


def _checked_ids(ids: str | Iterable[str]) -> list[str]:
    """The ids as text, without repeats."""
    given = [ids] if isinstance(ids, str | Integral) else list(ids)
    if any(not isinstance(id, str | Integral) or id in ("", ".", "..") for id in given):
        raise ValueError("Every task needs an id; one is missing or empty. Nothing was sent.")
    return list(dict.fromkeys(str(id) for id in given))


class _Answer(NamedTuple):
    """The last answer to a request: None or what was wrong; `lost`: a try may have taken effect without saying so."""

    error: KimonoError | None
    lost: bool


def _send(client: Client, operation: Operation, *, id: str | None = None, json: JSON = None) -> _Answer:
    """Send a PUT or DELETE, and again after a fault that passes, within the client's retries."""
    retry: Retry = client.retry  # to the type checker, its copies are of the base class
    lost = False
    while True:
        error: KimonoError | None = None
        try:
            client.request(operation, id=id, json=json, repeat=False)
        except KimonoError as caught:
            error = caught
        if error is None:
            return _Answer(None, lost)
        lost = lost or not error.turned_away
        if retry.is_exhausted() or not _passes(error):
            return _Answer(error, lost)
        retry = retry.increment()
        after = error.retry_after if isinstance(error, ResponseError) else None
        try:
            retry.sleep(httpx.Response(503, headers={} if after is None else {"Retry-After": after}))
        except TooLong:  # the error says so in the server's words
            return _Answer(error, lost)


def _passes(error: KimonoError) -> bool:
    """Whether another try may succeed. What kept the token from being fetched has been retried already."""
    if isinstance(error, ConnectionFailedError):
        cause = error.__cause__
        return isinstance(cause, httpx.RequestError) and cause.request.method != "POST"
    if isinstance(error, ResponseError):
        return error.sent and error.status in _PASSING
    return error.sent


def _is_of_the_task(error: KimonoError | None) -> bool:
    """Whether a refusal concerns this task. Any other concerns the caller, or did not come from the API."""
    if not isinstance(error, ResponseError) or error.is_page:
        return False
    return error.status in _OF_THE_TASK or error.status // 100 == 2


def _judge(
    error: KimonoError | None, *, lost: bool, before: bool = False, named: bool = False, stays: bool = False
) -> tuple[str, str | None]:
    """What became of one task, and the message that says so.

    Parameters
    ----------
    error : KimonoError, optional
        The last answer.
    lost : bool
        A request with the task was lost: it may have taken effect.
    before : bool
        A list with the task was refused: it may have taken effect in part.
    named : bool
        The server named the task when it refused that list.
    stays : bool
        The acknowledgement leaves the task in the queue, so a task that is gone says nothing about it.
    """
    if error is None:
        return DONE, None
    if not error.sent and not lost and not before:
        return NOT_SENT, str(error)
    if not isinstance(error, ResponseError) or not error.turned_away:
        return NOT_KNOWN, str(error)
    if lost:
        if error.status in _GONE and not error.is_page and not stays:
            return DONE, "The answer to an earlier try was lost; a repeat found the task gone from the queue."
        # A repeat may be refused because the first try took effect; only what is wrong with its body was wrong before.
        sure = error.status in _OF_THE_BODY and not error.is_page
        return (REFUSED, str(error)) if sure else (NOT_KNOWN, f"An earlier answer was lost, then: {error}")
    if before and not named and error.status in _GONE:
        return NOT_KNOWN, f"Never there, or taken with a list that was refused: {error}"
    if before and not _is_of_the_task(error):
        return NOT_KNOWN, f"A list with it was refused, then: {error}"
    return REFUSED, str(error)


class _Part(NamedTuple):
    """Tasks that go in one request, and whether an earlier request with them was lost or refused."""

    ids: list[str]
    lost: bool = False
    before: bool = False


class _Acks:
    """One call of `ack_tasks`: what is known of each task, at any moment."""

    def __init__(self, client: Client, ids: Sequence[str], ack: dict[str, JSON], admin: bool) -> None:
        self.client, self.ack, self.suffix = client, ack, "Admin" if admin else ""
        self.rows: dict[str, tuple[str, str | None]] = dict.fromkeys(ids, (NOT_SENT, None))
        self.error: KimonoError | None = None  # the last one, for the traceback
        self.named: set[str] = set()  # by the server, as what it refused a list for
        self.gone: dict[str, str] = {}  # 404 after a refused list that may have taken it -> the server's words
        self.one_is_missing = False  # the whole list was refused with 404

    def send(self) -> None:
        """Send every task, until the server says of each what it did or cannot be asked any more."""
        waiting = [_Part(list(self.rows))] if self.rows else []
        while waiting:
            part = waiting.pop()
            self._set(part.ids, NOT_KNOWN, "It was sent, and no answer came.")
            answer = self._ask(part)
            part = part._replace(lost=part.lost or answer.lost)
            error = answer.error
            self.error = error or self.error
            if isinstance(error, ResponseError) and len(part.ids) > 1 and self._is_to_be_split(error):
                waiting += reversed(self._split(part, error))
                continue
            for id in part.ids:
                self._settle(id, part, error)
            if error is not None and not _is_of_the_task(error):
                break  # any further request gets the same answer, or none
        self._settle_gone()

    def _ask(self, part: _Part) -> _Answer:
        if len(part.ids) > 1:
            acks: list[JSON] = [{"task_id": id, **self.ack} for id in part.ids]
            return _send(self.client, operation(f"ackTasks{self.suffix}"), json=acks)
        (id,) = part.ids
        return _send(self.client, operation(f"ackTask{self.suffix}"), id=id, json={"task_id": id, **self.ack})

    @staticmethod
    def _is_to_be_split(error: ResponseError) -> bool:
        return _is_of_the_task(error) or (error.status == _TOO_LONG and error.turned_away)

    def _split(self, part: _Part, error: ResponseError) -> list[_Part]:
        """What to ask next, where a list was refused: those that the server named one by one, or else two halves."""
        self._set(part.ids, NOT_KNOWN, f"A list with it was refused: {error}")
        if len(part.ids) == len(self.rows) and error.status in _GONE and not part.lost:
            self.one_is_missing = True
        words = _named(error)
        named = [id for id in part.ids if id in words]
        if not named:
            middle = len(part.ids) // 2
            return [_Part(half, part.lost, True) for half in (part.ids[:middle], part.ids[middle:])]
        if not part.before:  # else an earlier list may have taken it, and this one be refused for that
            self.named.update(named)
        rest = [id for id in part.ids if id not in named]
        singles = [[id] for id in named]
        if error.status in _GONE:  # that they are gone has been said, and need not be asked again
            singles = []
            for id in named:
                self._settle(id, part._replace(before=True), error)
        return [_Part(ids, part.lost, True) for ids in (rest, *singles) if ids]

    def _settle(self, id: str, part: _Part, error: KimonoError | None) -> None:
        outcome, words = _judge(
            error,
            lost=part.lost,
            before=part.before,
            named=id in self.named,
            stays=self.ack["status"] == "retry",
        )
        if outcome == NOT_KNOWN and not part.lost and isinstance(error, ResponseError) and error.status in _GONE:
            self.gone[id] = str(error)
        self._set([id], outcome, words)

    def _settle_gone(self) -> None:
        """Where all tasks but one turned out to be there, that one caused the 404 for the list."""
        others = [outcome for id, (outcome, _) in self.rows.items() if id not in self.gone]
        if self.one_is_missing and len(self.gone) == 1 and set(others) == {DONE}:
            for id, words in self.gone.items():
                self._set([id], REFUSED, words)

    def _set(self, ids: Iterable[str], outcome: str, words: str | None) -> None:
        self.rows.update(dict.fromkeys(ids, (outcome, words)))

    def table(self) -> pd.DataFrame:
        """What is known about each task so far."""
        outcomes = pd.Series([outcome for outcome, _ in self.rows.values()], dtype="str")
        return pd.DataFrame(
            {
                "id": pd.Series(list(self.rows), dtype="str"),
                "status": pd.Series([self.ack["status"]] * len(self.rows), dtype="str"),
                "outcome": outcomes,
                "accepted": (outcomes == DONE).astype("bool"),
                "message": pd.Series([words for _, words in self.rows.values()], dtype="str"),
            }
        )


def _named(error: ResponseError) -> set[str]:
    """The tasks that the details of a refusal name."""
    details = error.details if isinstance(error.details, list) else []
    found = [detail.get("task_id") for detail in details if isinstance(detail, dict)]
    return {str(id) for id in found if isinstance(id, str | int)}


_LOOK = "kx.load_tasks(client) shows, without effect, what is still in the queue."


def _counted(outcomes: pd.DataFrame) -> str:
    """How many tasks had which outcome: "12 of 16 tasks acknowledged, 1 refused, 3 not known"."""
    counts = outcomes["outcome"].value_counts()
    rest = [f", {counts[name]:,} {name}" for name in (REFUSED, NOT_KNOWN, NOT_SENT) if name in counts]
    return f"{counts.get(DONE, 0):,} of {len(outcomes):,} tasks acknowledged{''.join(rest)}"


def _raise_unless_done(outcomes: pd.DataFrame, cause: KimonoError | None) -> None:
    open_ones = outcomes[~outcomes["accepted"]]
    if open_ones.empty:
        return
    shown = [f"{id}: {why}" for id, why in zip(open_ones["id"], open_ones["message"].fillna(""), strict=True)][:5]
    first = f"{'; '.join(shown)}{f' (and {len(open_ones) - 5:,} more)' if len(open_ones) > 5 else ''}"
    error: AckError
    if (open_ones["outcome"] == REFUSED).all():
        text = f"{len(open_ones):,} of {len(outcomes):,} acknowledgements were refused. {first}"
        error = AckRefusedError(text, outcomes)
    else:
        error = AckUnknownError(f"{_counted(outcomes)}. {_LOOK} {first}", outcomes)
    raise error from cause
