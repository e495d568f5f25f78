"""A pseudonymized copy of a roster: what a picture, a notebook or a bug report can be shared with.

Each value that tells who somebody is becomes a code that a keyed hash makes of it. Equal values get equal codes, so
links, duplicates and counts stay what they are; without the key nobody can go back, nor try names until one fits.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from kimono_explore.decode.links import sort_links
from kimono_explore.errors import expect, expect_options
from kimono_explore.frames import frame
from kimono_explore.problems import kind_of
from kimono_explore.roster.roster import Roster
from kimono_explore.roster.text import fold
from kimono_explore.schema import REFERENCES, TABLES, declared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from kimono_explore.schema import Rule

FEWEST = 5
"""At least this many rows share what is left of their times, and persons the dates of their memberships."""

_NOUNS = {"orgs": "Org ", "sections": "Section ", "grading_categories": "Category "}  # before the codes of their names
_PLACES = frozenset(
    [*TABLES, "links", "problems", "manifest"]
    + [column.name for name in (*TABLES, "links") for column in declared(name)]
    + [reference.key for reference in REFERENCES]
)
"""The names of tables, columns and references; any other name may be the tenant's own words."""


def pseudonymize(
    roster: Roster, key: str | bytes | None = None, keep: Iterable[str] = ("ext_grade", "ext_grades")
) -> Roster:
    """Copy a roster without the data that identifies people.

    Parameters
    ----------
    roster : Roster
    key : str or bytes, optional
        A secret. The same key gives the same codes, so that two pseudonymized snapshots can be compared. Anyone who has
        it can test whether a name is in the copy. Default: a random key that is not kept.
    keep : iterable of str, default ("ext_grade", "ext_grades")
        Additional columns to keep unchanged. All other ``ext_`` and unknown columns are left out, because their content
        is unknown.

    Returns
    -------
    Roster
        The same rows and links, ordered by their new ids. Each declared column's ``privacy`` in `kimono_explore.schema`
        determines how it is treated:

        - Ids, local and state ids, names of persons, orgs, sections and grading categories, addresses, phone numbers
          and e-mail addresses become codes, and equal values get equal codes. The codes are long enough for a million
          values without a collision; postal codes keep five digits and may collide.
        - A date of birth becomes another day of the same year.
        - ``created_at`` and ``updated_at`` become the first of their month if at least five rows of the table then
          share both; otherwise they are left out.
        - Membership dates are kept if at least five persons share both. Otherwise they become the first of their
          month if five persons share that, and are left out if not.
        - Course titles, term names and dates, types, states, countries, sex, grades and years are kept.
        - Descriptions are left out, and so are the values in ``problems``, whose texts only name the kind of problem
          and quote nobody.

    Notes
    -----
    Pseudonymized is not anonymous: somebody who knows a school well may recognize a person by grade, sections and
    school size. Share the copy only as you would share the data that is left in it.

    To compare two copies, use the same key, and ``ignore=["created_at", "updated_at"]`` if only facts matter: a
    timestamp may also change because other rows no longer share it.

    Examples
    --------
    >>> safe = kx.pseudonymize(roster, key="a secret of mine")
    >>> len(safe.links) == len(roster.links), set(safe.persons["id"]) & set(roster.persons["id"])
    (True, set())
    """
    expect("pseudonymize", roster, Roster)
    expect_options("pseudonymize", "list", keep=keep)
    secret = secrets.token_bytes(32) if key is None else key.encode("utf-8") if isinstance(key, str) else key
    if not secret:
        raise ValueError("The key is empty: pass a secret, or omit it to use a random key.")
    coder = _Coder(hashlib.blake2b(secret).digest())
    kept = set(keep)
    parts: dict[str, pd.DataFrame] = {
        name: _table(name, getattr(roster, name), coder, kept) for name in (*TABLES, "links", "problems")
    }
    # The order of rows would reveal who is who to anybody who has the original; the new ids give another order.
    parts.update({name: _in_order_of_ids(parts[name]) for name in TABLES})
    parts["links"] = sort_links(parts["links"], {name: parts[name]["id"] for name in TABLES})
    parts["problems"] = parts["problems"].sort_values([*parts["problems"]], ignore_index=True)
    rollups = roster.rollups & {f"{reference.table}.{reference.key}" for reference in REFERENCES}
    return replace(roster, **cast("dict[str, Any]", parts), source="a pseudonymized roster", rollups=rollups)


class _Coder:
    """Codes for values: the same for the same value, whatever table it is in."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def column(self, values: pd.Series, rule: Rule, noun: str) -> pd.Series:
        """A column, coded; missing and empty values stay."""
        if rule == "year":
            return self._days(values)
        make: Callable[[str], str] = getattr(self, rule)
        prefix = noun if rule == "name" else ""
        codes, distinct = pd.factorize(values)
        coded = pd.Series([prefix + make(str(value)) if str(value) else "" for value in distinct], dtype="str")
        return coded.reindex(codes).set_axis(values.index)

    def id(self, value: str) -> str:
        return self._hash("id", value).hex()[:20]

    def name(self, value: str) -> str:
        return base64.b32encode(self._hash("name", fold(value))).decode("ascii")[:12].capitalize()

    def number(self, value: str) -> str:
        return self._digits("number", value, 18)

    def email(self, value: str) -> str:
        return f"{self._hash('email', value.casefold()).hex()[:16]}@example.org"

    def phone(self, value: str) -> str:
        return f"+0{self._digits('phone', value, 14)}"  # as long as numbers may be, and nobody's: no country has code 0

    def postal_code(self, value: str) -> str:
        return self._digits("postal_code", value, 5)

    def place(self, value: str) -> str:
        return value if value in _PLACES else "other"

    def kind(self, value: str) -> str:
        return kind_of(value)

    def _days(self, dates: pd.Series) -> pd.Series:
        """Another day of the same year for each date."""
        codes, distinct = pd.factorize(dates)
        days = [
            pd.Timestamp(day.year, 1, 1) + pd.Timedelta(days=int(self._digits("date", str(day), 6)) % 365)
            for day in pd.DatetimeIndex(distinct)
        ]
        return pd.Series(days, dtype=dates.dtype).reindex(codes).set_axis(dates.index)

    def _digits(self, kind: str, value: str, digits: int) -> str:
        return f"{int.from_bytes(self._hash(kind, value)) % 10**digits:0{digits}}"

    def _hash(self, kind: str, value: str) -> bytes:
        text = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._key, digest_size=15).digest()


def _table(name: str, df: pd.DataFrame, coder: _Coder, kept: set[str]) -> pd.DataFrame:
    rules = {column.name: column.privacy or "drop" for column in declared(name)}
    who = df["source_id"] if name == "links" else None
    columns = {}
    for column in map(str, df.columns):
        rule = rules.get(column, "keep" if column in kept else "drop")
        if rule == "keep":
            columns[column] = df[column]
        elif rule not in ("drop", "month", "day"):
            columns[column] = coder.column(df[column], rule, _NOUNS.get(name, ""))
    for rule in ("month", "day"):
        named = [column for column in df.columns if rules.get(column) == rule]
        if named:
            columns.update(_shared(df[named], rule == "day", who))
    return frame(name, columns)


def _shared(dates: pd.DataFrame, by_day: bool, who: pd.Series | None) -> dict[str, pd.Series]:
    """The dates of each row as exactly as `FEWEST` rows, or persons, share all of them: day, month, or missing."""
    exact = _common(dates, who) & by_day
    found = pd.DataFrame({name: values.where(exact, _month(values)) for name, values in dates.items()})
    common = _common(found, who)
    codes, counts = _counted(found, who)
    # Those left without dates must be enough as well, or none: else a missing date tells who they are.
    blank = ~common | found.isna().all(axis=1).to_numpy()
    for group in np.argsort(counts, kind="stable"):
        if not blank.any() or _persons(blank, who) >= FEWEST:
            break
        blank |= codes == group
    return {str(name): values.mask(blank) for name, values in found.items()}


def _common(dates: pd.DataFrame, who: pd.Series | None) -> NDArray[np.bool_]:
    codes, counts = _counted(dates, who)
    return np.asarray(counts[codes] >= FEWEST, dtype=bool)


def _counted(dates: pd.DataFrame, who: pd.Series | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for each combination of dates, and how many rows, or persons, have it."""
    groups = dates.groupby(list(dates.columns), dropna=False, sort=False).ngroup()
    codes: NDArray[np.int64] = np.asarray(groups, dtype=np.int64)
    pairs = codes
    if who is not None:
        persons = pd.factorize(who)[0] + 1
        size = int(persons.max(initial=0)) + 1
        pairs = np.unique(codes * size + persons) // size
    counts: NDArray[np.int64] = np.bincount(pairs, minlength=int(codes.max(initial=-1)) + 1).astype(np.int64)
    return codes, counts


def _persons(rows: NDArray[np.bool_], who: pd.Series | None) -> int:
    return int(rows.sum()) if who is None else who[rows].nunique(dropna=False)


def _month(times: pd.Series) -> pd.Series:
    """The first day of the month of each time."""
    return (times.dt.normalize() - pd.to_timedelta(times.dt.day - 1, unit="D")).astype(times.dtype)


def _in_order_of_ids(df: pd.DataFrame) -> pd.DataFrame:
    """The rows ordered by their ids, which are codes; those that share one, or have none, by what they hold."""
    ids = pd.factorize(df["id"], sort=True)[0]
    alike = (df["id"].isna() | df["id"].duplicated(keep=False)).to_numpy()
    content = np.zeros(len(df), dtype=np.uint64)
    content[alike] = pd.util.hash_pandas_object(df[alike], index=False).to_numpy()
    return df.iloc[np.lexsort((content, ids))].reset_index(drop=True)
