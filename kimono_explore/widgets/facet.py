"""A filter with a heading: its values, each with how many rows it has under all other filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kimono_explore.widgets.controls import Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Facet(Choice):
    """Buttons in a row, one of them chosen: all of them (``""``), or one value.

    Parameters
    ----------
    heading : str
    words : callable, default str
        What a value is called on its button.
    """

    def __init__(self, heading: str, words: Callable[[str], str] = str) -> None:
        self._words = words
        super().__init__(heading, [("all 0", "")], look="facet")

    def _no_such(self, value: object) -> str:
        return f"No task has {self.label.lower()} {value!r}. There are: {self.values[1:]}."

    def offer(self, values: list[str]) -> None:
        """Let one choose among these; what is chosen stays where it is still there."""
        self.options = [("all", ""), *((self._words(value), value) for value in values)]

    def count(self, counts: Mapping[str, int], rows: int) -> None:
        """Show how many rows each value has, and how many there are in all."""
        texts = [(f"{self._words(value)} {counts.get(value, 0):,}", value) for value in self.values[1:]]
        self.options = [(f"all {rows:,}", ""), *texts]
