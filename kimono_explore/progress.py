"""One look for every bar: what is under way, how much of it is done, and red where it was stopped."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Self

from tqdm.auto import tqdm

if TYPE_CHECKING:
    from types import TracebackType

_AFTER = 2.0
_OF_A_TOTAL = "{l_bar}{bar}| {n_fmt}/{total_fmt}{unit} [{elapsed}{postfix}]"


class Bar:
    """A bar that is closed when its block ends, red where an error or an interrupt ended it.

    Parameters
    ----------
    what : str
        What is under way, in a word or two.
    unit : str
        What is counted.
    total : int, optional
        How many there are, where that is known.
    shown : bool or None, default True
        None: where it takes longer than two seconds, in a notebook or on a terminal.

    Examples
    --------
    >>> with Bar("checks", "check", total=2, shown=False) as bar:
    ...     bar.at("Duplicate ids")
    ...     bar.step()
    """

    def __init__(self, what: str, unit: str, total: int | None = None, shown: bool | None = True) -> None:
        self._bar = tqdm(
            desc=what,
            unit=f" {unit}",
            total=total,
            bar_format=None if total is None else _OF_A_TOTAL,
            disable=None
            if shown is None
            else not shown,  # None: no bar where nobody would see it, such as in a log file
            delay=_AFTER if shown is None else 0,
            miniters=0,  # shown anew whenever something is said, at most ten times a second
        )
        self._beside: Counter[str] = Counter()

    def at(self, what: str) -> None:
        """Say what is under way now."""
        self._bar.set_description(what, refresh=False)
        self._bar.update(0)

    def step(self, count: int = 1, **beside: int) -> None:
        """Count what was done, and what else is counted beside it."""
        if beside and not self._bar.disable:
            self._beside.update(beside)
            self._bar.set_postfix({name: f"{number:,}" for name, number in self._beside.items()}, refresh=False)
        self._bar.update(count)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if kind is not None and not self._bar.disable:
            self._turn_red()
        self._bar.close()

    def _turn_red(self) -> None:
        bar = self._bar
        bar.colour = "red"
        if hasattr(bar, "container") and not (bar.total and bar.n < bar.total):
            bar.total = bar.n + 1  # a notebook's bar is green when it is closed, unless something is missing
        bar.set_description(f"{bar.desc.removesuffix(': ')} stopped", refresh=not bar.delay)
