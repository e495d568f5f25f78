"""When the tasks were made, as bars: dragging over them keeps the tasks of that time."""

from __future__ import annotations

from math import ceil, floor
from typing import Any, NamedTuple, cast

import pandas as pd
import traitlets

from kimono_explore.palette import ON_DARK, TASK_COLORS
from kimono_explore.widgets.controls import Field
from kimono_explore.widgets.task_html import timeline
from kimono_explore.widgets.words import value_words

_MOST = 60
_DAY = 86_400
_STEPS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, _DAY)
"""Seconds that a bar is wide; wider ones are whole days."""


class Span(NamedTuple):
    """A time: from its begin until before its end."""

    begin: pd.Timestamp
    end: pd.Timestamp


class Timeline(Field):
    """Bars that stand for times: one chooses some that stand side by side.

    Attributes
    ----------
    value : Span or None
        What is chosen. It stays when other tasks are shown.
    """

    kind = "timeline"
    value = traitlets.Any(None, allow_none=True)
    drawn = traitlets.Int(0).tag(page=True)

    def __init__(self, label: str) -> None:
        self._edges: list[pd.Timestamp] = []
        self._counts = pd.DataFrame()
        self._tasks = pd.DataFrame()
        self._step = 0
        super().__init__(label)

    def fill(self, every: pd.DataFrame, tasks: pd.DataFrame) -> None:
        """Show tasks, by their type, on the scale of all tasks.

        Parameters
        ----------
        every : pandas.DataFrame
        tasks : pandas.DataFrame
            Those that all other filters let through.
        """
        self._tasks = tasks
        self._edges, self._step = _edges_of(every["created_at"].dropna())
        self._counts = pd.DataFrame()
        if self._edges:
            dated = tasks.dropna(subset=["created_at"])
            bars = (dated["created_at"] - self._edges[0]) // pd.Timedelta(seconds=self._step)
            self._counts = pd.crosstab(bars, dated["type"].fillna("unknown"))
        self.drawn += 1

    def within(self, times: pd.Series) -> pd.Series:
        """Which of some times are in what is chosen: all, where nothing is."""
        if self.value is None:
            return pd.Series(True, index=times.index)
        return ((times >= self.value.begin) & (times < self.value.end)).fillna(False).astype("bool")

    @property
    def words(self) -> str:
        """What is chosen, as words: ``"created 06:10 to 06:25"``; nothing where nothing is."""
        return "" if self.value is None else f"created {self._say(self.value.begin, self.value.end)}"

    @property
    def named(self) -> str:
        """What is chosen, for an address; "" where nothing is. What names no time is let be."""
        return "" if self.value is None else f"{self.value.begin.isoformat()}/{self.value.end.isoformat()}"

    @named.setter
    def named(self, text: str) -> None:
        ends = pd.to_datetime(pd.Series(text.split("/")), errors="coerce", utc=True, format="ISO8601")
        if len(ends) == len(Span._fields) and ends.notna().all():
            self.value = Span(*ends)

    def clear(self) -> None:
        """Choose nothing."""
        self.value = None

    def as_html(self) -> str:
        """The bars, for a widget's picture of itself."""
        return timeline(self._tasks[self.within(self._tasks["created_at"])]) if len(self._tasks) else ""

    def state(self) -> dict[str, Any]:
        """What a page must know: each bar's time in words, and how many tasks of each kind it has."""
        kinds = [str(kind) for kind in self._counts.columns]
        counts = self._counts.reindex(range(max(0, len(self._edges) - 1)), fill_value=0)
        return {
            **super().state(),
            "kinds": [[value_words(kind), *_colors(kind)] for kind in kinds],
            "bars": [
                [self._say(begin, end), row]
                for begin, end, row in zip(self._edges, self._edges[1:], counts.to_numpy().tolist(), strict=False)
            ],
            "ends": [self._date(edge) for edge in self._edges[:: max(1, len(self._edges) - 1)]],
            "words": self.words,
            "chosen": self._chosen(),
        }

    def _chosen(self) -> list[int]:
        if self.value is None:
            return []
        edges = enumerate(zip(self._edges, self._edges[1:], strict=False))
        return [n for n, (begin, end) in edges if begin < self.value.end and end > self.value.begin]

    def _say(self, begin: pd.Timestamp, end: pd.Timestamp) -> str:
        """A time in words: of one day only the hours; of whole days both are in it."""
        if self._step >= _DAY:
            last = end - pd.Timedelta(days=1)
            return f"{begin:%Y-%m-%d}" if last <= begin else f"{begin:%Y-%m-%d} to {last:%Y-%m-%d}"
        clock = "%H:%M:%S" if self._step < 60 else "%H:%M"
        one_day = bool(self._edges) and self._edges[0].date() == self._edges[-1].date() == begin.date() == end.date()
        full = clock if one_day else f"%Y-%m-%d {clock}"
        return f"{begin.strftime(full)} to {end.strftime(clock if begin.date() == end.date() else full)}"

    def _date(self, edge: pd.Timestamp) -> str:
        return f"{edge:%Y-%m-%d}" if self._step >= _DAY else f"{edge:%Y-%m-%d %H:%M}"

    def _can_be(self, value: object) -> bool:
        most = len(self._edges) - 1
        return isinstance(value, list) and all(type(bar) is int and 0 <= bar < most for bar in value)

    def _read(self, value: Any) -> Span | None:  # noqa: ANN401  what can be one
        return Span(self._edges[min(value)], self._edges[max(value) + 1]) if value else None


def _edges_of(times: pd.Series) -> tuple[list[pd.Timestamp], int]:
    """Where the bars of some times begin and the last one ends, and how many seconds each is wide."""
    if times.empty:
        return [], 0
    low, high = floor(times.min().timestamp()), floor(times.max().timestamp())
    step = next((one for one in _STEPS if (high - low) / one < _MOST - 1), 0)
    step = step or _DAY * ceil((high - low) / _DAY / (_MOST - 1))
    first = floor(low / min(step, _DAY)) * min(step, _DAY)
    seconds = range(first, high + step + 1, step)
    zone = cast("pd.DatetimeTZDtype", times.dtype).tz
    return [pd.Timestamp(second, unit="s", tz=zone) for second in seconds], step


def _colors(kind: str) -> tuple[str, str]:
    """The colour of a type of task on a light and on a dark page."""
    light = TASK_COLORS.get(kind, TASK_COLORS["unknown"])
    return light, ON_DARK.get(light.lower(), light)
