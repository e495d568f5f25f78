"""A pseudonymised copy of a roster: what a picture, a notebook or a bug report can be shared with.

Each value that tells who somebody is becomes a code that a keyed hash makes of it. Equal values get equal codes, so
links, duplicates and counts stay what they are; without the key nobody can go back, nor try names until one fits.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from kimono_explore.folding import fold
from kimono_explore.tables import TABLES, declared, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kimono_explore.roster import Roster

Rule = Literal["keep", "drop", "id", "name", "number", "email", "phone", "postal_code", "year"]

# What becomes of each declared column; `keep` is for what says nothing about a person or a place.
RULES: dict[str, dict[str, Rule]] = {
    "orgs": {"label": "name", "local_id": "number", "name": "name"},
    "persons": {
        "label": "name", "local_id": "number", "state_id": "number",
        "name_last": "name", "name_first": "name", "name_middle": "name",
        "address_line1": "name", "address_line2": "name", "address_line3": "name", "address_city": "name",
        "address_postal_code": "postal_code", "phone": "phone", "email": "email", "dob": "year",
    },
    "courses": {"label": "name", "local_id": "number", "description": "drop"},
    "sections": {"label": "name", "local_id": "number", "title": "name", "description": "drop"},
    "terms": {"description": "drop"},
    "grading_categories": {},
    "links": {"source_id": "id", "target_id": "id", "membership_id": "id"},
    "problems": {"id": "id", "value": "drop"},
}  # fmt: skip


_NOUNS = {"orgs": "Org ", "sections": "Section "}  # before the codes of their names


def pseudonymize(
    roster: Roster, key: str | bytes | None = None, keep: Iterable[str] = ("ext_grade", "ext_grades")
) -> Roster:
    """Copy a roster without what tells who somebody is.

    Parameters
    ----------
    roster : Roster
    key : str or bytes, optional
        A secret: the same key gives the same codes, so that two pseudonymised snapshots can be compared. Whoever has it
        can test whether a name is in the copy. Default: made at random and forgotten.
    keep : iterable of str, default ("ext_grade", "ext_grades")
        Further columns to keep as they are; all other ``ext_`` and unknown columns are left out, for nobody knows what
        they hold.

    Returns
    -------
    Roster
        The same rows and links. Ids, local and state ids, names of persons, orgs and sections, addresses, phones and
        e-mail addresses are codes; a date of birth is another day of its year; titles of courses, names of terms,
        types, dates, sex and grades are kept; descriptions, and the values in ``problems``, are gone.

    Notes
    -----
    Pseudonymised is not anonymous: somebody who knows a school well may tell a person by grade, sections and size of
    school. Share it as you would share what is left.

    Examples
    --------
    >>> safe = kx.pseudonymize(roster, key="a secret of mine")
    >>> len(safe.links) == len(roster.links), set(safe.persons["id"]) & set(roster.persons["id"])
    (True, set())
    """
    secret = secrets.token_bytes(32) if key is None else key.encode("utf-8") if isinstance(key, str) else key
    if not secret:
        raise ValueError("The key is empty: pass a secret, or nothing for one made at random.")
    coder = _Coder(hashlib.blake2b(secret).digest())
    kept = set(keep)
    parts: dict[str, Any] = {name: _table(name, getattr(roster, name), coder, kept) for name in RULES}
    return replace(roster, **parts, source="a pseudonymised roster")


class _Coder:
    """Codes for values: the same for the same value, whatever table it stands in."""

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
        return base64.b32encode(self._hash("name", fold(value))).decode("ascii")[:8].capitalize()

    def number(self, value: str) -> str:
        return self._digits("number", value, 12)

    def email(self, value: str) -> str:
        return f"{self._hash('email', value.casefold()).hex()[:16]}@example.org"

    def phone(self, value: str) -> str:
        return f"555-{self._digits('phone', value, 7)}"

    def postal_code(self, value: str) -> str:
        return self._digits("postal_code", value, 5)

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
    rules: dict[str, Rule] = {"id": "id", **RULES[name]} if name in TABLES else RULES[name]
    known = {column.name for column in declared(name)}
    columns = {}
    for column in df.columns:
        rule: Rule = rules.get(column, "keep" if column in known or column in kept else "drop")
        if rule == "keep":
            columns[column] = df[column]
        elif rule != "drop":
            columns[column] = coder.column(df[column], rule, _NOUNS.get(name, ""))
    return frame(name, columns)
