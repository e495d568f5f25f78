"""What was added, removed and changed between two rosters.

An object is the same in both if its table and id are; a link, if both ends, the relation and the role are. Where an id
occurs twice in a roster, its copies are compared in order, the first with the first; a row without an id is compared by
everything it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from kimono_explore.display import display_label, printable
from kimono_explore.errors import expect
from kimono_explore.html import frame_html, render
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

LINK_KEY: tuple[str, ...] = ("source_type", "source_id", "relation", "target_type", "target_id", "role")
"""The columns that identify a link."""

_COMPARED = (*TABLES, "links")


class _Match(NamedTuple):
    """Rows of one table in two rosters: those in both, side by side, and those in only one."""

    old: Rows
    new: Rows
    removed: Rows
    added: Rows


def compare(old: Roster, new: Roster, ignore: Iterable[str] = ()) -> Comparison:
    """Compare two rosters, table by table and link by link.

    Parameters
    ----------
    old, new : Roster
        For example, yesterday's snapshot and today's load.
    ignore : iterable of str, optional
        Columns whose changes are ignored, such as ``"updated_at"``.

    Returns
    -------
    Comparison
        With ``.summary``, ``.added(table)``, ``.removed(table)`` and ``.changed(table)``.

    Examples
    --------
    >>> later = kx.Roster(**roster.tables, links=roster.links)
    >>> later.terms = roster.terms.assign(status="Closed").iloc[1:]
    >>> kx.compare(roster, later).summary.set_index("table").loc["terms"].to_dict()
    {'added': 0, 'removed': 1, 'changed': 6, 'unchanged': 0}
    """
    expect("compare", old, Roster)
    expect("compare", new, Roster)
    return Comparison(old, new, tuple(ignore))


@dataclass(frozen=True, repr=False, eq=False)
class Comparison:
    """What was added, removed and changed.

    Attributes
    ----------
    old, new : Roster
    ignore : tuple of str
        Columns whose changes are ignored.
    """

    old: Roster
    new: Roster
    ignore: tuple[str, ...] = ()

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per table, and one for the links: table, added, removed, changed, unchanged (counts of rows)."""
        rows = []
        for table in _COMPARED:
            match = self._matches[table]
            changed = int(
                np.logical_or.reduce([*self._differences(table).values(), np.zeros(len(match.old), bool)]).sum()
            )
            rows.append((table, len(match.added), len(match.removed), changed, len(match.old) - changed))
        return pd.DataFrame(rows, columns=["table", "added", "removed", "changed", "unchanged"]).astype(
            {"table": "str"}
        )

    def added(self, table: str) -> pd.DataFrame:
        """The rows that only the new roster has.

        Parameters
        ----------
        table : str
            ``"orgs"``, ``"persons"``, ..., or ``"links"``.

        Raises
        ------
        ValueError
            The table is unknown.
        """
        return _table(self.new, table).iloc[self._match(table).added].reset_index(drop=True)

    def removed(self, table: str) -> pd.DataFrame:
        """The rows that only the old roster has.

        Parameters
        ----------
        table : str
            ``"orgs"``, ``"persons"``, ..., or ``"links"``.

        Raises
        ------
        ValueError
            The table is unknown.
        """
        return _table(self.old, table).iloc[self._match(table).removed].reset_index(drop=True)

    def changed(self, table: str) -> pd.DataFrame:
        """The values that differ in rows of both rosters.

        Parameters
        ----------
        table : str
            ``"orgs"``, ``"persons"``, ..., or ``"links"``.

        Returns
        -------
        pandas.DataFrame
            One row per value: id, label (the new one), column, old, new, as text; NA where one
            is missing. For links, the columns that identify a link take the place of id and label.

        Raises
        ------
        ValueError
            The table is unknown.

        Examples
        --------
        >>> later = kx.Roster(**roster.tables, links=roster.links)
        >>> later.orgs = roster.orgs.assign(name=roster.orgs["name"].str.upper())
        >>> kx.compare(roster, later).changed("orgs")["column"].unique().tolist()
        ['name']
        """
        match = self._match(table)
        before, after = _table(self.old, table), _table(self.new, table)
        named = after[list(LINK_KEY)] if table == "links" else pd.DataFrame(
            {"id": after["id"], "label": display_label(table, after).astype("str")})  # fmt: skip
        parts, places = [], []
        for column, differs in self._differences(table).items():
            rows = np.flatnonzero(differs)
            part = named.iloc[match.new[rows]].reset_index(drop=True)
            values = {
                "column": pd.Series(column, index=part.index, dtype="str"),
                "old": _text(_column(before, column).iloc[match.old[rows]]).reset_index(drop=True),
                "new": _text(_column(after, column).iloc[match.new[rows]]).reset_index(drop=True),
            }
            parts.append(part.assign(**values))
            places.append(rows)
        if not parts:
            empty = named.iloc[:0].reset_index(drop=True)
            return empty.assign(**{name: pd.Series(dtype="str") for name in ("column", "old", "new")})
        # All values of one object together, in the order of the table.
        order = np.argsort(np.concatenate(places), kind="stable")
        return pd.concat(parts, ignore_index=True).iloc[order].reset_index(drop=True)

    @cached_property
    def repeated(self) -> pd.DataFrame:
        """Ids and links that occur more than once in one of the rosters: table, id, old, new (how often in each).

        For a link, ``id`` names its two ends and the relation in words.
        """
        parts = []
        for table in _COMPARED:
            counts = [_repeats(_table(roster, table), table) for roster in (self.old, self.new)]
            both = pd.concat(counts, axis=1, keys=["old", "new"])
            # Only what is repeated was counted: the other roster has it once, or not at all.
            for side, roster in (("old", self.old), ("new", self.new)):
                lacks = both[side].isna()
                if lacks.any():
                    there = _names(_table(roster, table), table)
                    both.loc[lacks, side] = both.index[lacks].isin(there).astype("int64")
            both = both.astype("int64").rename_axis("id").reset_index()
            both.insert(0, "table", pd.Series(table, index=both.index, dtype="str"))
            parts.append(both)
        return pd.concat(parts, ignore_index=True).astype({"id": "str"})

    @cached_property
    def _matches(self) -> dict[str, _Match]:
        return {table: _matched(_table(self.old, table), _table(self.new, table), table) for table in _COMPARED}

    def _match(self, table: str) -> _Match:
        return self._matches[table]

    def _differences(self, table: str) -> dict[str, NDArray[np.bool_]]:
        """For each column in which a row of both rosters differs, which rows do."""
        match = self._matches[table]
        before, after = _table(self.old, table), _table(self.new, table)
        same = {*(LINK_KEY if table == "links" else ("id",)), *self.ignore}
        found = {}
        for column in dict.fromkeys([*before.columns, *after.columns]):
            if column not in same:
                differs = _differs(_column(before, column).iloc[match.old], _column(after, column).iloc[match.new])
                if differs.any():
                    found[str(column)] = differs
        return found

    def __repr__(self) -> str:
        sides = printable(f"old: {self.old.source}, new: {self.new.source}")
        return f"<Comparison: {_in_words(self.summary)}; {sides}>"

    def _repr_html_(self) -> str:
        summary = frame_html(self.summary, index=False, formatters=dict.fromkeys(
            ["added", "removed", "changed", "unchanged"], "{:,}".format))  # fmt: skip
        sides = [
            {"name": name, "source": roster.source, "loaded_at": f"{roster.loaded_at:%Y-%m-%d %H:%M}"}
            for name, roster in (("old", self.old), ("new", self.new))
        ]
        return render("comparison.html", sides=sides, summary=summary, repeated=len(self.repeated))


def _in_words(summary: pd.DataFrame) -> str:
    total = summary[["added", "removed", "changed"]].sum()
    return ", ".join(f"{int(count):,} {name}" for name, count in total.items())


def _table(roster: Roster, table: str) -> pd.DataFrame:
    if table not in _COMPARED:
        raise ValueError(f"Unknown table {table!r}. Choose one of: {', '.join(_COMPARED)}.")
    return roster.links if table == "links" else roster.tables[table]


def _column(df: pd.DataFrame, column: str) -> pd.Series:
    """A column; all NA where the table does not have it."""
    return df[column] if column in df else pd.Series(float("nan"), index=df.index, dtype="str")


def _matched(old: pd.DataFrame, new: pd.DataFrame, table: str) -> _Match:
    codes = _codes(old, new, table)
    before, after = _numbered(codes[: len(old)]), _numbered(codes[len(old) :])
    # The second copy of a key differs from its first: both sides count their copies alike.
    both, first, second = np.intersect1d(before, after, assume_unique=True, return_indices=True)
    del both
    order = np.argsort(second, kind="stable")
    kept_old, kept_new = first[order], second[order]
    return _Match(kept_old, kept_new, _without(len(old), kept_old), _without(len(new), kept_new))


def _codes(old: pd.DataFrame, new: pd.DataFrame, table: str) -> Rows:
    """A number for each row of both, the same for the same key."""
    if table == "links":
        return _joint([_factorized(old[name], new[name]) for name in LINK_KEY])
    codes = _factorized(old["id"], new["id"])
    nameless = pd.concat([old["id"], new["id"]]).isna().to_numpy()
    if nameless.any():
        # A row without an id is identified by everything it holds.
        columns = [str(name) for name in dict.fromkeys([*old.columns, *new.columns]) if name != "id"]
        few_old, few_new = old[old["id"].isna()], new[new["id"].isna()]
        whole = _joint([_factorized(_column(few_old, name), _column(few_new, name)) for name in columns])
        codes = codes.copy()
        codes[nameless] = codes.max(initial=0) + 1 + whole
    return codes


def _factorized(old: pd.Series, new: pd.Series) -> Rows:
    """A number for each value of both columns; NA is a value of its own."""
    if isinstance(old.dtype, pd.CategoricalDtype) and isinstance(new.dtype, pd.CategoricalDtype):
        return np.asarray(union_categoricals([old, new]).codes, dtype=np.int64) + 1
    return pd.factorize(pd.concat([_plain(old), _plain(new)]), use_na_sentinel=False)[0].astype(np.int64)


def _joint(columns: Sequence[Rows]) -> Rows:
    """A number for each combination of numbers, kept small at each step."""
    joint = columns[0]
    for column in columns[1:]:
        joint = pd.factorize(joint * (int(column.max(initial=0)) + 1) + column)[0].astype(np.int64)
    return joint


def _numbered(codes: Rows) -> Rows:
    """The number of a key and of its copy, in one."""
    copy = pd.Series(codes).groupby(codes).cumcount().to_numpy() if pd.Series(codes).duplicated().any() else 0
    return codes * 2**20 + copy


def _without(count: int, rows: Rows) -> Rows:
    left = np.ones(count, dtype=bool)
    left[rows] = False
    return np.flatnonzero(left)


def _plain(values: pd.Series) -> pd.Series:
    """Values that can be compared with those of another table: categories, and columns of two types, as text."""
    return values.astype("str") if isinstance(values.dtype, pd.CategoricalDtype) or values.dtype == object else values


def _differs(old: pd.Series, new: pd.Series) -> NDArray[np.bool_]:
    if isinstance(old.dtype, pd.CategoricalDtype) and isinstance(new.dtype, pd.CategoricalDtype):
        codes = union_categoricals([old, new]).codes
        return np.asarray(codes[: len(old)] != codes[len(old) :], dtype=bool)
    before, after = _plain(old).reset_index(drop=True), _plain(new).reset_index(drop=True)
    if before.dtype != after.dtype:
        before, after = _text(before), _text(after)
    missing = before.isna().to_numpy(), after.isna().to_numpy()
    equal = (before == after).fillna(False).to_numpy(dtype=bool)
    return ~equal & ~(missing[0] & missing[1])


def _text(values: pd.Series) -> pd.Series:
    """Values as text: dates without a time of day, NA as NA."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        known = values.dropna()
        whole = bool((known == known.dt.normalize()).all())
        return values.dt.strftime("%Y-%m-%d" if whole else "%Y-%m-%d %H:%M:%S").astype("str")
    return values.astype("str").where(values.notna())


def _names(df: pd.DataFrame, table: str) -> pd.Series:
    if table != "links":
        return df["id"].dropna()
    ends = df[["source_id", "relation", "target_id", "role"]].astype("str").fillna("–")
    return ends["source_id"] + " " + ends["relation"] + " " + ends["target_id"] + " (" + ends["role"] + ")"


def _repeats(df: pd.DataFrame, table: str) -> pd.Series[int]:
    """For each name that occurs more than once, how often it does."""
    twice = (
        df.duplicated(list(LINK_KEY), keep=False)
        if table == "links"
        else df["id"].notna() & df["id"].duplicated(keep=False)
    )
    return _names(df[twice], table).value_counts().sort_index().astype("int64")
