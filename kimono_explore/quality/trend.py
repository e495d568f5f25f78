"""The score over the reports of a folder: a table, and the line that the page draws of it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from kimono_explore.errors import KimonoError
from kimono_explore.quality.definition import SEVERITIES

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

COLUMNS = ("as_of", "score", *SEVERITIES)
_LEFT, _RIGHT, _TOP, _BOTTOM = 6, 206, 14, 66
"""Where the line begins and ends, in units of a picture of 240 by 84."""


def read_trend(folder: str | os.PathLike[str], district: str, now: Mapping[str, object]) -> pd.DataFrame:
    """One row a day: those of the saved reports of a district up to now, and now.

    Parameters
    ----------
    folder : str or path
        Its ``.json`` files that are reports count, in any order; others are passed over.
    district : str
        Reports of another district are passed over.
    now : mapping
        The row of the report at hand; a saved one of the same day is left out.

    Raises
    ------
    KimonoError
        The folder cannot be read.
    """
    if not Path(folder).is_dir():
        raise KimonoError(f"{folder} is not a folder. Name the one in which report.to_json saves reports.")
    rows = [_row(path, district) for path in sorted(Path(folder).glob("*.json"))]
    earlier = {row["as_of"]: row for row in rows if row is not None and row["as_of"] < now["as_of"]}
    df = pd.DataFrame([*(earlier[day] for day in sorted(earlier)), dict(now)], columns=list(COLUMNS))
    df["as_of"] = pd.to_datetime(df["as_of"]).dt.as_unit("us")
    return df.astype({"score": "Int64", **dict.fromkeys(SEVERITIES, "int64")})


def _row(path: Path, district: str) -> dict[str, Any] | None:
    """A saved report; None for any other file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        severities = [finding[1] for finding in content["findings"]]
        if content.get("district", district) != district:
            return None
        counts: dict[str, Any] = {severity: severities.count(severity) for severity in SEVERITIES}
        return {"as_of": date.fromisoformat(content["as_of"]), "score": content["score"], **counts}
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def line_of(trend: pd.DataFrame) -> dict[str, object] | None:
    """The scores as a line from the first day to the last, 0 at the bottom and 100 at the top; None of a single day."""
    df = trend.dropna(subset=["score"])
    if len(df) < 2:
        return None
    days = (df["as_of"] - df["as_of"].iloc[0]).dt.days
    across = _LEFT + (_RIGHT - _LEFT) * days / days.iloc[-1]
    down = _BOTTOM - (_BOTTOM - _TOP) * df["score"].astype("float64") / 100
    points = [f"{x:.1f},{y:.1f}" for x, y in zip(across, down, strict=True)]
    scores = [int(score) for score in df["score"]]
    ends = [
        f"{day.day} {day:%B}" + (f" {day.year}" if _years(df) else "") for day in (df["as_of"].iloc[n] for n in (0, -1))
    ]
    return {
        "points": " ".join(points),
        "last": (f"{across.iloc[-1]:.1f}", f"{down.iloc[-1]:.1f}", scores[-1]),
        "first": (f"{across.iloc[0]:.1f}", f"{max(10.0, down.iloc[0] - 6):.1f}", scores[0]),
        "days": ends,
        "words": f"Score of {len(scores)} days: {', '.join(map(str, scores[:-1]))} and now {scores[-1]}",
    }


def _years(df: pd.DataFrame) -> bool:
    return bool(df["as_of"].dt.year.nunique() > 1)
