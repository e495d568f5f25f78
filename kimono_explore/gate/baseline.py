"""What an ordinary day is like: which shares are removed, re-created and changed on days without a reason to hold."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from kimono_explore.display import printable
from kimono_explore.errors import KimonoWarning
from kimono_explore.gate.measures import FATES

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

Shares: TypeAlias = dict[tuple[str | None, str], tuple[float, float]]
"""School (None: the district) and rule, such as ``"sections-removed"`` -> the least and the largest share."""


def usual_shares(verdicts: Iterable[str | os.PathLike[str]]) -> Shares:
    """The range of each share over verdicts written by `Verdict.to_json` that had no reasons and were no rollover.

    A file that is not a verdict is skipped with a `KimonoWarning`, so that it does not stop the gate.
    """
    seen: dict[tuple[str | None, str], list[float]] = {}
    for path in verdicts:
        verdict = _read_verdict(path)
        if verdict is None or verdict["reasons"] or verdict["rolled_over"]:
            continue
        for row in verdict["measures"]:
            for fate in FATES:
                if row["before"]:
                    rule = f"{row['kind']}-{fate}"
                    seen.setdefault((row["school"], rule), []).append(row[fate] / row["before"])
    return {key: (min(shares), max(shares)) for key, shares in seen.items()}


def _read_verdict(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        if {"reasons", "rolled_over", "measures"} <= found.keys():
            return dict(found)
        cause: object = "it lacks what a verdict has"
    except (OSError, ValueError, AttributeError) as error:
        cause = error
    warnings.warn(printable(f"{path} is not a verdict and was left out: {cause}."), KimonoWarning, stacklevel=4)
    return None


def usual_words(shares: tuple[float, float]) -> str:
    """A range in words.

    Examples
    --------
    >>> usual_words((0.0, 0.021)), usual_words((0.0, 0.0)), usual_words((0.004, 0.004))
    ('0 to 2%', '0%', '0.4%')
    """
    low, high = (_percent(share) for share in shares)
    return high if low == high else f"{low.removesuffix('%')} to {high}"


def _percent(share: float) -> str:
    return f"{share:.1%}" if 0 < share < 0.01 else f"{share:.0%}"
