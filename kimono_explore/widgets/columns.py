"""Which columns of a table are on screen, which of them stay when it is scrolled sideways, and how wide they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kimono_explore.display import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WIDTHS = (40, 1_200)


class Columns:
    """The columns of a table, each known by its position in it.

    Parameters
    ----------
    names : sequence of object
        May be there twice.

    Attributes
    ----------
    offered : list of int
        Those that are on screen as long as nobody chooses, in this order.
    spared : frozenset of int
        The offered columns for which there is no room now.
    pinned : list of int
        Those that come first and stay.
    widths : dict of int to int
        Those that somebody made wider or narrower, in pixels.
    """

    def __init__(self, names: Sequence[object]) -> None:
        self.names = _once([printable(name) for name in names])
        self.offered = list(range(len(self.names)))
        self.spared: frozenset[int] = frozenset()
        self.pinned: list[int] = []
        self.widths: dict[int, int] = {}
        self._wanted: dict[int, bool] = {}

    @property
    def shown(self) -> list[int]:
        """Those on screen, in their order; if none would be, those that are offered."""
        return self._arranged([column for column in self.offered if column not in self.spared])

    @property
    def shown_with_room(self) -> list[int]:
        """Those that would be on screen if there were room for all, in their order."""
        return self._arranged(self.offered)

    def _arranged(self, offered: list[int]) -> list[int]:
        every = range(len(self.names))
        wanted = [column for column in offered if self._wanted.get(column, True)]
        more = [column for column in every if self._wanted.get(column, False) and column not in wanted]
        shown = sorted([*wanted, *more]) if self.offered == sorted(self.offered) else [*wanted, *more]
        shown = shown or offered or self.offered
        first = [column for column in self.pinned if column in shown]
        return [*first, *(column for column in shown if column not in first)]

    def offer(self, columns: Iterable[int] | None) -> None:
        """Show these, by position, where nobody chose otherwise; None: all."""
        every = range(len(self.names))
        self.offered = list(every if columns is None else dict.fromkeys(one for one in columns if one in every))

    def show(self, column: int, *, shown: bool) -> None:
        """Show a column, or leave it out; the last one stays."""
        if shown or [column] != self.shown:
            self._wanted[column] = shown

    def pin(self, column: int, *, pinned: bool) -> None:
        """Let a column come first and stay, or no longer."""
        self.pinned = [*(one for one in self.pinned if one != column), *([column] * pinned)]

    def widen(self, column: int, width: int | None) -> None:
        """Set the width of a column in pixels; None: as wide as it was."""
        self.widths.pop(column, None)
        if width is not None:
            low, high = _WIDTHS
            self.widths[column] = min(high, max(low, width))

    @property
    def arrangement(self) -> dict[str, Any]:
        """What was chosen, by the names of columns, for JSON: shown, hidden, pinned, widths; nothing where nothing was."""
        chosen = {
            "shown": [self.names[column] for column, shown in sorted(self._wanted.items()) if shown],
            "hidden": [self.names[column] for column, shown in sorted(self._wanted.items()) if not shown],
            "pinned": [self.names[column] for column in self.pinned],
            "widths": {self.names[column]: width for column, width in sorted(self.widths.items())},
        }
        return {name: value for name, value in chosen.items() if value}

    @arrangement.setter
    def arrangement(self, chosen: dict[str, Any]) -> None:
        places = {name: column for column, name in enumerate(self.names)}
        self._wanted = {
            places[name]: shown
            for shown, names in ((True, chosen.get("shown", [])), (False, chosen.get("hidden", [])))
            for name in names
            if name in places
        }
        self.pinned = [places[name] for name in chosen.get("pinned", []) if name in places]
        self.widths = {}
        for name, width in chosen.get("widths", {}).items():
            if name in places and isinstance(width, int):
                self.widen(places[name], width)


def _once(names: list[str]) -> list[str]:
    """Names by which each can be told from the others: a second "id" is "id (2)"."""
    seen: dict[str, int] = {}
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return told
