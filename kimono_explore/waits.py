"""How long tasks have waited in the queue."""

from __future__ import annotations

import math

import pandas as pd

from kimono_explore.errors import expect

_UNITS = ((1, 90, "second"), (60, 5400, "minute"), (3600, 129_600, "hour"), (86_400, math.inf, "day"))


def queue_delays(
    tasks: pd.DataFrame, by: str | None = "type", *, now: str | pd.Timestamp | None = None
) -> pd.DataFrame:
    """Measure how long the tasks in a queue have been waiting.

    Parameters
    ----------
    tasks : pandas.DataFrame
        The queue, as returned by `load_tasks`. Tasks without a creation time are left out.
    by : str or None, default "type"
        The column to group by, such as ``"tenant_id"``; None takes all tasks together.
    now : str or pandas.Timestamp, optional
        The time up to which waiting is measured; UTC if it has no time zone. Default: now.

    Returns
    -------
    pandas.DataFrame
        One row per value of the column, longest p95 first: the column, tasks, p50, p95, longest, and words, which says
        it in a sentence. Half of the tasks have waited less than p50, and 5% longer than p95.

    Examples
    --------
    >>> delays = kx.queue_delays(kx.load_tasks(client), now="2026-10-05 08:00")
    >>> delays.columns.tolist()
    ['type', 'tasks', 'p50', 'p95', 'longest', 'words']
    """
    expect("queue_delays", tasks, pd.DataFrame)
    if by is not None and by not in tasks:
        raise ValueError(f"The tasks have no column {by!r}. Choose one of: {', '.join(map(str, tasks.columns))}.")
    until = pd.Timestamp.now("UTC") if now is None else pd.Timestamp(now)
    until = until.tz_localize("UTC") if until.tzinfo is None else until
    dated = tasks[tasks["created_at"].notna()]
    waited = until - dated["created_at"]
    waited = waited.where(waited > pd.Timedelta(0), pd.Timedelta(0))
    name = by or "type"
    of = dated[by].fillna("unknown").astype("str") if by else pd.Series("all", index=dated.index, dtype="str")
    found = [(str(value), len(part), *_quantiles(part)) for value, part in waited.groupby(of, sort=True)]
    table = pd.DataFrame(found, columns=[name, "tasks", "p50", "p95", "longest"])
    table = table.astype({name: "str", "p50": _SPAN, "p95": _SPAN, "longest": _SPAN})
    table = table.sort_values("p95", ascending=False, kind="stable", ignore_index=True)
    sentences = [_words(*row) for row in zip(table["tasks"], table["p50"], table["p95"], table["longest"], strict=True)]
    table["words"] = pd.Series(sentences, dtype="str")
    return table if by else table.drop(columns=name)


_SPAN = "timedelta64[us]"


def _quantiles(waited: pd.Series) -> tuple[pd.Timedelta, pd.Timedelta, pd.Timedelta]:
    seconds = waited.dt.total_seconds()
    p50, p95, longest = (pd.Timedelta(seconds=float(seconds.quantile(share))) for share in (0.5, 0.95, 1.0))
    return p50, p95, longest


def _words(tasks: int, p50: pd.Timedelta, p95: pd.Timedelta, longest: pd.Timedelta) -> str:
    """A sentence that stays true after rounding: "less than" is rounded up, "longer than" is rounded down."""
    if tasks == 1:
        return f"It has waited {span_words(longest)}."
    if span_words(p50) == span_words(p95):
        return f"Half have waited {span_words(p50)} or longer."
    return f"Half have waited less than {span_words(p50, up=True)}, 5 % longer than {span_words(p95)}."


def span_words(span: pd.Timedelta, *, up: bool = False) -> str:
    """A span of time in one unit: ``"3 minutes"``, rounded down or ``up``."""
    seconds = span.total_seconds()
    size, _, unit = next(row for row in _UNITS if seconds < row[1])
    count = (math.floor(seconds / size) + 1) if up else math.floor(seconds / size)
    return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"
