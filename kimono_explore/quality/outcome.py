"""What one check found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from kimono_explore.quality.definition import Check


PLACE = ("table", "id", "label", "org_id", "org")


def _nothing() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype="str") for name in PLACE})


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
        Why it is not applicable or could not run.
    failures : pandas.DataFrame
    """

    check: Check
    rule: str
    checked: int = 0
    failed: int = 0
    status: str = "passed"
    reason: str | None = None
    failures: pd.DataFrame = field(default_factory=_nothing, repr=False)
