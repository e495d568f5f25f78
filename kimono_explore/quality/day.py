"""Which day counts as today, where nobody says: the day of loading, or one in the roster's own year."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import narwhals as nw
import pandas as pd

from kimono_explore.errors import ConfigurationError
from kimono_explore.quality.current import true

if TYPE_CHECKING:
    from kimono_explore.quality.context import CheckContext


def own_day(context: CheckContext, loaded: date) -> tuple[date, str]:
    """The day of loading, where a term that is used holds it; else the middle of the nearest such term, and why.

    Where no section has a term, all terms count.
    """
    terms = _terms(context)
    today = pd.Timestamp(loaded)
    before, after = (terms["start_date"] - today).dt.days, (today - terms["end_date"]).dt.days
    away = pd.concat([before, after], axis=1).max(axis=1).clip(lower=0)
    if terms.empty or (away == 0).any():
        return loaded, ""
    nearest = terms.assign(away=away).sort_values(["away", "sections", "id"], ascending=[True, False, True]).iloc[0]
    middle = nearest["start_date"] + (nearest["end_date"] - nearest["start_date"]) // 2
    which = "that is used " if nearest["sections"] else ""
    return middle.date(), f"no term {which}includes {loaded}, the day of loading: a day in {nearest['label']}"


def _terms(context: CheckContext) -> pd.DataFrame:
    """The terms whose days are known: id, label, start_date, end_date, and how many sections each has."""
    terms = context.objects("terms").filter(true(nw.col("start_date") <= nw.col("end_date")))
    used = context.pairs("in_term", "section_id", "id").group_by("id").agg(sections=nw.len())
    terms = terms.select("id", "label", "start_date", "end_date").join(used, on="id", how="left")
    df = context.engine.collect(terms).sort_values(["id", "start_date"])
    df["sections"] = df["sections"].fillna(0).astype("int64")
    df["label"] = df["label"].fillna(df["id"])
    return df[df["sections"] > 0] if (df["sections"] > 0).any() else df


def day_of(as_of: date | str | None) -> date | None:
    """A day that was given as a date or as text; raises `ConfigurationError` if it is neither."""
    if as_of is None or (isinstance(as_of, date) and not isinstance(as_of, datetime)):
        return as_of
    try:
        return pd.Timestamp(as_of).date() if isinstance(as_of, str | date) else date.fromisoformat(as_of)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f'as_of={as_of!r} is not a date. Write it as "2026-10-05".') from error
