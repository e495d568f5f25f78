"""What a browser asks of a roster, in memory or on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd

    from kimono_explore.roster.roster import Roster, Step


class Explorable(Protocol):
    """A roster that can be searched and looked at object by object: `Roster`, and `LazyRoster` for a snapshot."""

    @property
    def longest_path(self) -> int | None:
        """Two objects are known to be connected where that many links lead from one to the other; None: any number."""

    def counts(self) -> dict[str, int]:
        """The number of rows of each of the six tables."""

    def search(self, text: str, type: str | None = None, limit: int = 50) -> pd.DataFrame:
        """Find objects, as `Roster.search` does."""

    def subset_around(self, *ids: str, radius: int = 1) -> Roster:
        """A roster that holds at least what is within ``radius`` links of the objects."""

    def subset_of(self, type: str) -> Roster:
        """A roster that holds the objects of a type, the first ones of very many, and what a list of them says."""

    def wait_for(self, step: Step) -> str | None:
        """A sentence to show while a step takes its time; None where it takes none."""
