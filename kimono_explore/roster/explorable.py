"""What a browser asks of a roster, in memory or on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd

    from kimono_explore.roster.roster import Roster, Step


class Explorable(Protocol):
    """A roster that can be searched and read object by object: `Roster`, or `LazyRoster` for a snapshot."""

    @property
    def longest_path(self) -> int | None:
        """The longest path, in links, by which two objects can be found to be connected; None: no limit."""

    def counts(self) -> dict[str, int]:
        """The number of rows of each of the six tables."""

    def search(self, text: str, type: str | None = None, limit: int = 50) -> pd.DataFrame:
        """Find objects, as `Roster.search` does."""

    def subset_around(self, *ids: str, radius: int = 1) -> Roster:
        """Return a roster that holds at least everything within ``radius`` links of the objects."""

    def subset_of(self, type: str) -> Roster:
        """Return a roster with the objects of a type (the first ones, if very many) and what a list of them shows."""

    def wait_for(self, step: Step) -> str | None:
        """Return a sentence to show while a step takes its time; None if it does not."""
