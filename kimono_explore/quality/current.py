"""Which memberships are current on a day: the one definition, that every check uses.

- A status of `GONE` or `TO_COME` is not current. Any other one, or none, says nothing against it.
- It has begun: its first day is not after the day. Where it has no first day, its section's terms say it.
- It has not ended: its last day is not before the day. Where it has no last day, its section's terms say it.
- A section that has not begun yet is looked at before the fact: what begins with it, or in it, is current there. So is
  what begins later in a section of which nobody knows when it begins.
- Where every section is over on the day, as in the holidays, all memberships count: nobody expects any to be current.

A section that is over keeps the people it had: `CheckContext.people_of` counts them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw
import pandas as pd

if TYPE_CHECKING:
    from datetime import date

ACTIVE = ("active",)
GONE = ("historical", "inactive", "tobedeleted")
TO_COME = ("future",)
STATUSES = (*ACTIVE, *GONE, *TO_COME)
DEFINITION = "current on the day of the check (`as_of`)"


def day(of: date) -> nw.Expr:
    """A day as the checks compare dates with it."""
    return nw.lit(pd.Timestamp(of).to_pydatetime())


def years_before(of: date, years: int) -> nw.Expr:
    """The same day some years earlier, as the checks compare dates of birth with it."""
    return nw.lit((pd.Timestamp(of) - pd.DateOffset(years=years)).to_pydatetime())


def is_current(relation: str, as_of: date) -> nw.Expr:
    """Whether a membership is current, from its own days and its section's ``first_day`` and ``last_day``."""
    begins, ends = nw.coalesce("start_date", "first_day"), nw.coalesce("end_date", "last_day")
    begun = true(begins <= day(as_of)) | begins.is_null() | true(nw.col("first_day") > day(as_of))
    if relation != "member_of":
        begun = begun | nw.col("first_day").is_null()
    return ~nw.col("status").is_in((*GONE, *TO_COME)) & begun & ~true(ends < day(as_of))


def plain_status(column: str = "status") -> nw.Expr:
    """A status in small letters, without spaces around it; empty where there is none."""
    return nw.col(column).cast(nw.String).fill_null("").str.strip_chars().str.to_lowercase()


def true(condition: nw.Expr) -> nw.Expr:
    """A condition that is false where it is not known."""
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0)) == 1
