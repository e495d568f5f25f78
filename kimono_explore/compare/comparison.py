"""What was added, removed and changed between two rosters.

An object is the same in both if its table and id are; a link, if both ends, the relation and the role are. Where an id
occurs twice in a roster, its copies are compared in order, the first with the first; a row without an id is compared by
everything it holds.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd

from kimono_explore.compare.by_id import LINK_KEY, count_repeated, key_of, pair
from kimono_explore.compare.levels import BY, create_matches, match_left_over, rename_links
from kimono_explore.compare.sources import InMemory, OnDisk, Source, bring, numbers
from kimono_explore.display import display_label, printable, value_texts
from kimono_explore.errors import expect, expect_options
from kimono_explore.files.snapshot import is_snapshot
from kimono_explore.html import frame_html, render
from kimono_explore.roster.lazy import LazyRoster
from kimono_explore.roster.open import read_oneroster
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import TABLES
from kimono_explore.scratch import scratch_database

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb
    from numpy.typing import NDArray

    from kimono_explore.compare.sources import Rows

_COMPARED = (*TABLES, "links")


class _Found(NamedTuple):
    """The result of comparing both rosters, computed once."""

    tables: dict[str, _Match]
    matches: pd.DataFrame


class _Match(NamedTuple):
    """Rows of one table in two rosters: those in only one, and those of both that differ, side by side."""

    removed: Rows
    added: Rows
    old: Rows
    new: Rows
    unchanged: int
    recreated: tuple[Rows, Rows]


def compare(
    old: Roster | LazyRoster | str | os.PathLike[str],
    new: Roster | LazyRoster | str | os.PathLike[str],
    ignore: Iterable[str] = (),
    match: Literal["id", "auto"] = "id",
) -> Comparison:
    """Compare two rosters, table by table and link by link.

    Parameters
    ----------
    old, new : Roster, LazyRoster, str or path
        For example, yesterday's snapshot and today's load. A snapshot given as its folder or as a `LazyRoster` is
        compared on disk, so that even a statewide roster does not have to fit in memory.
    ignore : iterable of str, optional
        Columns whose changes to ignore, such as ``"updated_at"``.
    match : {"id", "auto"}, default "id"
        With ``"auto"``, objects left over on both sides are matched by local id, state id, e-mail, name and date of
        birth, similar names, and neighbors in the graph, in this order. An object that reappears under a new id then
        counts as neither added nor removed.

    Returns
    -------
    Comparison
        With ``.summary``, ``.added(table)``, ``.removed(table)`` and ``.changed(table)``; with ``match="auto"`` also
        ``.matches`` and ``.recreated(table)``.

    Raises
    ------
    BundleError
        A path is not a snapshot or a OneRoster bundle.
    ValueError
        ``match`` is neither ``"id"`` nor ``"auto"``.

    Examples
    --------
    >>> later = kx.Roster(**roster.tables, links=roster.links)
    >>> later.terms = roster.terms.assign(status="Closed").iloc[1:]
    >>> kx.compare(roster, later).summary.set_index("table").loc["terms"].to_dict()
    {'added': 0, 'removed': 1, 'changed': 6, 'unchanged': 0}

    A school under a new id:

    >>> later = kx.Roster(**roster.tables, links=roster.links)
    >>> later.orgs = roster.orgs.replace({"id": {roster.orgs["id"][1]: "new"}})
    >>> kx.compare(roster, later, match="auto").recreated("orgs")[["new_id", "by"]].to_dict("records")
    [{'new_id': 'new', 'by': 'local id'}]
    """
    if match not in ("id", "auto"):
        raise ValueError(f'Unknown match {match!r}. Choose "id" or "auto".')
    expect_options("compare", "list", ignore=ignore)
    return Comparison(_opened(old), _opened(new), tuple(ignore), match)


def _opened(given: Roster | LazyRoster | str | os.PathLike[str]) -> Roster | LazyRoster:
    expect("compare", given, Roster, LazyRoster, str, os.PathLike)
    if isinstance(given, (Roster, LazyRoster)):
        return given
    return LazyRoster(given) if is_snapshot(given) else read_oneroster(given)


@dataclass(frozen=True, repr=False, eq=False)
class Comparison:
    """What was added, removed and changed.

    Attributes
    ----------
    old, new : Roster or LazyRoster
    ignore : tuple of str
        Columns whose changes are ignored.
    match : {"id", "auto"}
        Whether objects under new ids are recognized.
    """

    old: Roster | LazyRoster
    new: Roster | LazyRoster
    ignore: tuple[str, ...] = ()
    match: Literal["id", "auto"] = "id"

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Counts of rows: one row per table, and one for the links.

        The columns are table, added, removed, changed, unchanged; with ``match="auto"`` also recreated, and how many of
        those were matched at each level: by_local_id, by_state_id, by_email, by_name, by_names_alike, by_neighbors. A
        recreated row is not counted anywhere else, even if its values changed. A link is recreated if one of its ends
        is.
        """
        rows = [
            {
                "table": table,
                "added": len(match.added),
                "removed": len(match.removed),
                "changed": len(match.old),
                "unchanged": match.unchanged,
                **({"recreated": len(match.recreated[0])} if self.match == "auto" else {}),
            }
            for table, match in self._found.tables.items()
        ]
        summary = pd.DataFrame(rows).astype({"table": "str"})
        for by in BY if self.match == "auto" else ():
            counts = self.matches.loc[self.matches["by"] == by, "table"].value_counts()
            summary[f"by_{by.replace('-', '').replace(' ', '_')}"] = (
                summary["table"].map(counts).fillna(0).astype("int64")
            )
        return summary

    @property
    def matches(self) -> pd.DataFrame:
        """Objects matched under new ids, least certain first: table, old_id, new_id, label (new), by, certainty.

        ``by`` is what the match is based on. ``certainty`` is the share of the values known to both rosters that agree;
        for similar names, the model's probability; for neighbors, the share of shared neighbors, averaged over the
        object's relations. Empty with ``match="id"``.
        """
        return self._found.matches

    def recreated(self, table: str) -> pd.DataFrame:
        """The objects or links that reappear under a new id.

        Parameters
        ----------
        table : str
            ``"orgs"``, ``"persons"``, ..., or ``"links"``.

        Returns
        -------
        pandas.DataFrame
            The table's rows of ``matches``. For links, the new columns that identify each link, then old_source_id and
            old_target_id.

        Raises
        ------
        ValueError
            The table is unknown.
        """
        match = self._match(table)
        if table != "links":
            return self.matches[self.matches["table"] == table].reset_index(drop=True)
        before, after = (source.rows(table, rows) for source, rows in zip(self._sources, match.recreated, strict=True))
        ends = {f"old_{name}": before[name] for name in ("source_id", "target_id")}
        return after[list(LINK_KEY)].assign(**ends)

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
        return self._sources[1].rows(table, self._match(table).added)

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
        return self._sources[0].rows(table, self._match(table).removed)

    def changed(self, table: str) -> pd.DataFrame:
        """The values that differ in rows that both rosters have under the same id.

        Parameters
        ----------
        table : str
            ``"orgs"``, ``"persons"``, ..., or ``"links"``.

        Returns
        -------
        pandas.DataFrame
            One row per value: id, label (the new one), column, old, new. Values are text, or NA if missing. For links,
            the columns that identify a link replace id and label.

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
        before, after = self._sources[0].rows(table, match.old), self._sources[1].rows(table, match.new)
        named = after[list(LINK_KEY)] if table == "links" else pd.DataFrame(
            {"id": after["id"], "label": display_label(table, after).astype("str")})  # fmt: skip
        same = {*key_of(table), *self.ignore}
        parts, places = [], []
        for column in dict.fromkeys([*before.columns, *after.columns]):
            sides = _column(before, column), _column(after, column)
            rows = np.flatnonzero(_differs(*sides)) if column not in same else np.empty(0, np.int64)
            if len(rows):
                part = named.iloc[rows].reset_index(drop=True)
                texts = (value_texts(side).iloc[rows].reset_index(drop=True) for side in sides)
                values = dict(zip(("old", "new"), texts, strict=True))
                parts.append(part.assign(column=pd.Series(column, index=part.index, dtype="str"), **values))
                places.append(rows)
        if not parts:
            empty = named.iloc[:0].reset_index(drop=True)
            return empty.assign(**{name: pd.Series(dtype="str") for name in ("column", "old", "new")})
        # All values of one object together, in the order of the table.
        order = np.argsort(np.concatenate(places), kind="stable")
        return pd.concat(parts, ignore_index=True).iloc[order].reset_index(drop=True)

    @cached_property
    def repeated(self) -> pd.DataFrame:
        """Ids and links that occur more than once in either roster: table, id, old, new (how many times in each).

        For a link, ``id`` describes its two ends and the relation in words.
        """
        parts = []
        with scratch_database() as connection:
            for table in _COMPARED:
                bring(connection, self._sources, table)
                keys = count_repeated(connection, table)
                part = pd.DataFrame({"id": _names(keys, table), "old": keys["old"], "new": keys["new"]})
                part.insert(0, "table", table)
                parts.append(part.sort_values("id"))
        return pd.concat(parts, ignore_index=True).astype({"table": "str", "id": "str", "old": "int64", "new": "int64"})

    @cached_property
    def _sources(self) -> tuple[Source, Source]:
        old, new = (InMemory(side) if isinstance(side, Roster) else OnDisk(side) for side in (self.old, self.new))
        return old, new

    def _match(self, table: str) -> _Match:
        if table not in _COMPARED:
            raise ValueError(f"Unknown table {table!r}. Choose one of: {', '.join(_COMPARED)}.")
        return self._found.tables[table]

    @cached_property
    def _found(self) -> _Found:
        with scratch_database() as connection:
            aligned = {table: bring(connection, self._sources, table) for table in _COMPARED}
            for table in TABLES:
                pair(connection, aligned[table], self.ignore)
            create_matches(connection)
            if self.match == "auto":
                match_left_over(connection, *self._sources)
                rename_links(connection)
            pair(connection, aligned["links"], self.ignore, renamed=self.match == "auto")
            tables = {table: _read(connection, table) for table in _COMPARED}
            return _Found(tables, _described(connection, self._sources[1]))

    def __repr__(self) -> str:
        sides = printable(f"old: {self.old.source}, new: {self.new.source}")
        return f"<Comparison: {_in_words(self.summary)}; {sides}>"

    def _repr_html_(self) -> str:
        summary = frame_html(self.summary, index=False, formatters=dict.fromkeys(
            [name for name in self.summary if name != "table"], "{:,}".format))  # fmt: skip
        sides = [
            {"name": name, "source": roster.source, "loaded_at": f"{roster.loaded_at:%Y-%m-%d %H:%M}"}
            for name, roster in (("old", self.old), ("new", self.new))
        ]
        return render("comparison.html", sides=sides, summary=summary, repeated=len(self.repeated))


def _in_words(summary: pd.DataFrame) -> str:
    counts = [name for name in ("added", "removed", "changed", "recreated") if name in summary]
    return ", ".join(f"{int(summary[name].sum()):,} {name}" for name in counts)


def _read(connection: duckdb.DuckDBPyConnection, table: str) -> _Match:
    """What `pair` and the levels found in a table."""
    paired = f"FROM paired_{table}"
    matched = {side: f"(SELECT {side} FROM matches WHERE \"table\" = '{table}')" for side in ("old", "new")}
    (removed,) = numbers(
        connection, f"SELECT old {paired} WHERE new IS NULL AND old NOT IN {matched['old']} ORDER BY old"
    )
    (added,) = numbers(
        connection, f"SELECT new {paired} WHERE old IS NULL AND new NOT IN {matched['new']} ORDER BY new"
    )
    both = "old IS NOT NULL AND new IS NOT NULL AND NOT renamed"
    old, new = numbers(connection, f"SELECT old, new {paired} WHERE {both} AND differs ORDER BY new")
    ((unchanged,),) = connection.execute(f"SELECT count(*) {paired} WHERE {both} AND NOT differs").fetchall()
    before, after = numbers(
        connection,
        f"SELECT old, new {paired} WHERE renamed AND new IS NOT NULL UNION ALL "
        f"SELECT old, new FROM matches WHERE \"table\" = '{table}' ORDER BY new",
    )
    return _Match(removed, added, old, new, int(unchanged), (before, after))


def _described(connection: duckdb.DuckDBPyConnection, new: Source) -> pd.DataFrame:
    """The matches of all tables with their labels, the least certain first."""
    found: pd.DataFrame = connection.execute('SELECT * FROM matches ORDER BY certainty, "table", new').df()
    texts = ["table", "old_id", "new_id", "by"]
    found = found.astype(dict.fromkeys(texts, "str"))
    found["label"] = pd.Series(float("nan"), index=found.index, dtype="str")
    for table, rows in found.groupby("table")["new"]:
        labels = display_label(str(table), new.rows(str(table), rows.to_numpy()))
        found.loc[rows.index, "label"] = labels.astype("str").to_numpy()
    return found[["table", "old_id", "new_id", "label", "by", "certainty"]]


def _column(df: pd.DataFrame, column: str) -> pd.Series:
    """A column; all NA where the table does not have it."""
    return df[column] if column in df else pd.Series(float("nan"), index=df.index, dtype="str")


def _plain(values: pd.Series) -> pd.Series:
    """Values that can be compared with those of another table: categories, and columns of two types, as text."""
    return values.astype("str") if isinstance(values.dtype, pd.CategoricalDtype) or values.dtype == object else values


def _differs(old: pd.Series, new: pd.Series) -> NDArray[np.bool_]:
    before, after = _plain(old).reset_index(drop=True), _plain(new).reset_index(drop=True)
    if before.dtype != after.dtype:
        before, after = value_texts(before), value_texts(after)
    missing = before.isna().to_numpy(), after.isna().to_numpy()
    equal = (before == after).fillna(False).to_numpy(dtype=bool)
    return ~equal & ~(missing[0] & missing[1])


def _names(df: pd.DataFrame, table: str) -> pd.Series:
    if table != "links":
        return df["id"].dropna()
    ends = df[["source_id", "relation", "target_id", "role"]].astype("str").fillna("–")
    return ends["source_id"] + " " + ends["relation"] + " " + ends["target_id"] + " (" + ends["role"] + ")"
