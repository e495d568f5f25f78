"""Which of the days of a history is on screen: a menu, and the days beside it a click away."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from kimono_explore.widgets.controls import Button, Choice, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class DayPicker(Row):
    """A menu of days, the last one first.

    Parameters
    ----------
    choose : callable
        What to do when a person chooses a day: it is given the day, and calls `show` where it can be had.

    Attributes
    ----------
    day : datetime.date or None
        The one on screen.
    """

    def __init__(self, choose: Callable[[date], object]) -> None:
        self.day: date | None = None
        self._choose = choose
        self.menu = Choice("Day", look="menu")
        self.earlier = Button("Day before", "left")
        self.later = Button("Day after", "right")
        super().__init__([self.menu, self.earlier, self.later])
        self.menu.observe(lambda _: self._chosen(), "value")
        self.earlier.on_click(lambda _: self._go(1))
        self.later.on_click(lambda _: self._go(-1))

    def show(self, days: Sequence[date], day: date) -> None:
        """Say which days there are, and which one is on screen."""
        self.day = day
        with self.menu.hold_trait_notifications():
            self.menu.options = [(f"{one:%a} {short_day(one)}", str(one)) for one in sorted(days, reverse=True)]
            self.menu.value = str(day)
        self.earlier.disabled = day == min(days)
        self.later.disabled = day == max(days)

    def take_back(self) -> None:
        """Say again which day is on screen, where another could not be had."""
        self.menu.value = None if self.day is None else str(self.day)

    def _chosen(self) -> None:
        if self.menu.value not in (None, str(self.day)):
            self._choose(date.fromisoformat(self.menu.value))

    def _go(self, steps: int) -> None:
        self.menu.value = self.menu.values[self.menu.values.index(self.menu.value) + steps]


def short_day(day: date) -> str:
    """A day as a list has it: ``"5 Oct 2026"``."""
    return f"{day.day} {day:%b %Y}"


def long_day(day: date) -> str:
    """A day as a sentence has it: ``"5 October 2026"``."""
    return f"{day.day} {day:%B %Y}"
