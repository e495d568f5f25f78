"""What one check found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from kimono_explore.quality.definition import Check


_ENOUGH = 20
"""Of fewer objects, most may fail by chance."""

PLACE = ("table", "id", "label", "org_id", "org")


_NOTHING = pd.DataFrame({name: pd.Series(dtype="str") for name in PLACE})


def nothing(values: pd.DataFrame | None = None) -> pd.DataFrame:
    """No failing row: the columns that all failing rows have, and these."""
    return _NOTHING.copy() if values is None else pd.concat([_NOTHING, values], axis="columns")


@dataclass
class Outcome:
    """What one check found.

    Attributes
    ----------
    check : Check
    rule : str
        With the parameters that were used.
    checked, failed : int
    status : {"passed", "failed", "not applicable", "could not run"}
    reason : str or None
        Why it is not applicable or could not run; the likely reason, where it fails for most of what it looks at.
    failures : pandas.DataFrame
        Without those that are waived.
    waived : pandas.DataFrame
        The failures that somebody has accepted, with reason, owner and expires.
    """

    check: Check
    rule: str
    checked: int = 0
    failed: int = 0
    status: str = "passed"
    reason: str | None = None
    failures: pd.DataFrame = field(default_factory=nothing, repr=False)
    waived: pd.DataFrame = field(default_factory=nothing, repr=False)

    @property
    def pattern(self) -> str | None:
        """What is likely where most of what was looked at fails: that is one cause, not hundreds of mistakes."""
        if self.checked < _ENOUGH or self.failed * 2 <= self.checked:
            return None
        return f"{self.failed:,} of {self.checked:,}, so one cause is likely: {self.check.likely}"
