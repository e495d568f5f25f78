"""What changed between two reports: new, fixed, still there, finding by finding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from kimono_explore.errors import KimonoError
from kimono_explore.quality.outcome import PLACE

if TYPE_CHECKING:
    import os
    from collections.abc import Collection

FINDING_COLUMNS = ("check", "severity", *PLACE, "detail")
CHANGES = ("new", "fixed", "still there")
_KEY = ["check", "table", "id", "detail", "again"]


class Before(NamedTuple):
    """An earlier report, as far as it is compared."""

    findings: pd.DataFrame
    as_of: str
    score: int | None


def read_report(path: str | os.PathLike[str]) -> Before:
    """A report that was saved as JSON.

    Raises
    ------
    KimonoError
        The file is not a report, or was written before reports kept their findings.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        rows = content["findings"]
        findings = pd.DataFrame(rows, columns=list(FINDING_COLUMNS)).astype(dict.fromkeys(FINDING_COLUMNS, "str"))
        score = content["score"]
        if not (score is None or isinstance(score, int)):
            raise TypeError(score)
        return Before(findings, str(content["as_of"]), score)
    except OSError as error:
        raise KimonoError(f"{path} could not be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise KimonoError(f"{path} is not a report with findings: save one with report.to_json.") from error


def find_changes(now: pd.DataFrame, before: pd.DataFrame, waived: pd.DataFrame, ran: Collection[str]) -> pd.DataFrame:
    """Each finding of now and of before, once: change, then the columns of the findings.

    A finding is the same if check, table, id and failing values are. One that is waived, or whose check did not run now, is
    not fixed.
    """
    now, before = _numbered(now), _numbered(before)
    now = now.assign(change=np.where(_not_in(before, now), "new", "still there"))
    known = pd.concat([now[_KEY], _numbered(waived)[_KEY]]).drop_duplicates()
    gone = _not_in(known, before)
    fixed = before[gone & before["check"].isin(list(ran)).to_numpy()].assign(change="fixed")
    df = pd.concat([now[now["change"] == "new"], fixed, now[now["change"] == "still there"]], ignore_index=True)
    return df[["change", *FINDING_COLUMNS]]


def are_new(now: pd.DataFrame, before: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Whether each finding of now was not there before."""
    return _not_in(_numbered(before), _numbered(now))


def _not_in(others: pd.DataFrame, findings: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Whether each numbered finding is not among the others, of which none is there twice."""
    return (findings.merge(others[_KEY], on=_KEY, how="left", indicator=True)["_merge"] == "left_only").to_numpy()


def _numbered(findings: pd.DataFrame) -> pd.DataFrame:
    """With empty text for what is missing, which then equals itself; equal findings are numbered."""
    names = ["check", "table", "id", "detail"]
    df = findings.copy()
    df[names] = df[names].fillna("")
    return df.assign(again=df.groupby(names).cumcount())
