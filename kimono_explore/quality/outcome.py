"""What one check found."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from kimono_explore.quality.definition import Check


_ENOUGH = 20
"""Among fewer rows than this, most may fail by chance."""

PLACE = ("table", "id", "label", "org_id", "org")


def no_failures(values: pd.DataFrame | None = None) -> pd.DataFrame:
    """A table without rows: the columns of all failing rows, then those of the check."""
    own = () if values is None else tuple(zip(values.columns, values.dtypes, strict=True))
    return _empty(own).copy(deep=False)


@cache
def _empty(own: tuple[tuple[str, Any], ...]) -> pd.DataFrame:
    """Cached by its columns, since most checks find nothing."""
    dtypes = dict.fromkeys(PLACE, "str") | {name: dtype for name, dtype in own if name not in (*PLACE, "person_type")}
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in dtypes.items()})


@dataclass
class Outcome:
    """What one check found.

    Attributes
    ----------
    check : Check
    rule : str
        The rule, with the parameters that were used.
    checked, failed : int
    status : {"passed", "failed", "not applicable", "could not run"}
    reason : str or None
        Why the check is not applicable or could not run, or the likely cause if it fails for most of the rows it looks
        at.
    failures : pandas.DataFrame
        The failing rows, except those that are waived.
    waived : pandas.DataFrame
        The failing rows that somebody has accepted, with reason, owner and expires.
    """

    check: Check
    rule: str
    checked: int = 0
    failed: int = 0
    status: str = "passed"
    reason: str | None = None
    failures: pd.DataFrame = field(default_factory=no_failures, repr=False)
    waived: pd.DataFrame = field(default_factory=no_failures, repr=False)

    @property
    def pattern(self) -> str | None:
        """The likely reason if most of the rows fail: that is one cause, not hundreds of mistakes."""
        if self.checked < _ENOUGH or self.failed * 2 <= self.checked:
            return None
        return f"{self.failed:,} of {self.checked:,}, so one cause is likely: {self.check.likely}"
