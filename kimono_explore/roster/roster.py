"""A roster: six tables, the links between their objects, and what did not fit.

Everything a person wants from a roster starts here: look at it, search it, follow the relations of an object, keep it as
a snapshot. All of it works on the tables and ``links``; nothing is fetched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd

from kimono_explore.display import display_label, printable
from kimono_explore.errors import expect, expect_options
from kimono_explore.files.database import write_duckdb
from kimono_explore.files.oneroster.write import write_oneroster
from kimono_explore.files.snapshot import write_snapshot
from kimono_explore.html import frame_html, render
from kimono_explore.problems import INCOMPLETE
from kimono_explore.roster.index import LinkIndex
from kimono_explore.roster.query import Name, parse_search, people_at, people_named
from kimono_explore.roster.search import SearchIndex, did_you_mean, rank_results, shown, tables_of
from kimono_explore.roster.text import fold
from kimono_explore.schema import OBJECT_TYPES, TABLE_OF
from kimono_explore.tables import Tables

if TYPE_CHECKING:
    import os

Step = Literal["search", "object"]
"""What a browser asks for next."""

_MANY_LINKS = 100_000


@dataclass(frozen=True, repr=False)
class Description:
    """One object and everything related to it.

    Attributes
    ----------
    type, id, label : str
    fields : pandas.Series
        The object's own values, except missing ones.
    relations : pandas.DataFrame
        One row per link: relation, direction (``"to"`` or ``"from"``), type, id, label, missing, role,
        membership_id, status, primary, grade, start_date, end_date, stated_by.
    others : pandas.DataFrame
        The table's other rows with the same id; empty if ids are unique, as they should be.
    """

    type: str
    id: str
    label: str
    fields: pd.Series
    relations: pd.DataFrame
    others: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __repr__(self) -> str:
        counts = self.relations.groupby(["relation", "direction"], observed=True, sort=False).size()
        related = ", ".join(f"{key[0]} {n:,}" for key, n in zip(counts.index, counts, strict=True)) or "no relations"
        return f"<{printable(self.type)} {printable(repr(self.label))} ({printable(self.id)}): {printable(related)}>"

    def _repr_html_(self) -> str:
        columns = ["relation", "direction", "type", "id", "label", "role"]
        return render(
            "description.html",
            about=self,
            fields=frame_html(self.fields.rename("").to_frame()),
            relations=frame_html(self.relations[columns].head(50), index=False, na_rep=""),
            more=len(self.relations) - 50,
        )


class Roster(Tables):
    """A roster as plain DataFrames.

    Attributes
    ----------
    orgs, persons, courses, sections, terms, grading_categories : pandas.DataFrame
        One row per object, with a string ``id`` column.
    links : pandas.DataFrame
        One row per link between two objects: source_type, source_id, relation, target_type, target_id, role,
        membership_id, status, primary, grade, start_date, end_date, stated_by.
    problems : pandas.DataFrame
        Everything that did not fit: table, id, column, value (as sent), problem.
    source : str
        Where the roster came from, in words.
    loaded_at : datetime.datetime
        When it was loaded, in UTC.
    rollups : frozenset of str
        The reference keys (rollups) that were sent, such as ``"persons.$sections"``. A rollup that is not among them is
        unknown, not empty.
    """

    def table(self, type: str) -> pd.DataFrame:
        """The table of an object type: ``roster.table("person")`` is ``roster.persons``."""
        return self.tables[TABLE_OF.get(type, type)]

    @property
    def incomplete(self) -> pd.DataFrame:
        """The rows of ``problems`` that say that a list is, or may be, missing rows; empty if the load was complete.

        Such a list was refused, its end was uncertain, or rows moved while it was being read. Individual values and
        references that did not fit do not count, nor does anything that a OneRoster bundle lacks.

        Examples
        --------
        >>> roster.incomplete.empty
        True
        """
        whole = self.problems["id"].isna() & self.problems["column"].isna()
        said = self.problems["problem"].str.contains("|".join(map(re.escape, INCOMPLETE)), na=False)
        return self.problems[whole & said].reset_index(drop=True)

    @cached_property
    def index(self) -> LinkIndex:
        """The links, indexed by both ends. Built on first use and cached (discard it with ``del roster.index``)."""
        return LinkIndex(self.tables, self.links)

    def search(self, text: str, type: str | None = None, limit: int = 50) -> pd.DataFrame:
        """Search for objects by any part of a name, title, e-mail, local id, state id or id.

        Parameters
        ----------
        text : str
            Words in any order; all must occur. Case and accents are ignored. If no object has all of them,
            ``"smith, j"`` finds people by last name and the start of the first name, while ``"grade 9 lincoln"`` finds
            people in that grade at an org with that name.
        type : str, optional
            Only objects of this type: ``"person"``, ``"section"``, ...
        limit : int, default 50
            The maximum number of rows to return; ``attrs["found"]`` says how many were found.

        Returns
        -------
        pandas.DataFrame
            With columns type, id, label, local_id, detail (e-mail, or kind of org, person or term). Labels that begin
            with the text come first. ``attrs["by_type"]`` says how many each type alone would find. If nothing was
            found, ``attrs["did_you_mean"]`` is a similar text, a letter or two different, that does find something;
            otherwise it is None.

        Raises
        ------
        ValueError
            The type is unknown. (A student is a ``"person"``.)

        Examples
        --------
        >>> roster.search("mathematics", type="course")["type"].unique().tolist()
        ['course']
        """
        expect("search", text, str)
        expect_options("search", "whole number", limit=limit)
        wanted, words = tables_of(type), fold(text).split()
        everywhere = {name: rows for name, rows in self._texts.rows(words).items() if len(rows)}
        found = {name: rows for name, rows in everywhere.items() if name in wanted}
        people = {} if "persons" in everywhere else self._people(text)
        if not found and "persons" in wanted:
            found = people
        # Ranking looks at as little as possible: a first keystroke may match half the roster.
        parts = [shown(name, self.tables[name].iloc[rows[: max(limit, 1000)]]) for name, rows in found.items()]
        result = rank_results(parts, words, limit)
        result.attrs["found"] = sum(len(rows) for rows in found.values())
        counts = everywhere | people
        result.attrs["by_type"] = {own: len(counts.get(name, ())) for name, own in OBJECT_TYPES.items()}
        result.attrs["did_you_mean"] = None
        if not found:
            result.attrs["did_you_mean"] = did_you_mean(
                words,
                lambda word: self._texts.nearest(word, wanted),
                lambda near: sum(len(rows) for name, rows in self._texts.rows(near).items() if name in wanted),
            )
        return result

    def _people(self, text: str) -> dict[str, np.ndarray]:
        """The rows of the people whom a name or place describes, such as "smith, j" or "grade 9 lincoln"."""
        who = parse_search(text)
        if who is None:
            return {}
        there = (
            people_named(self.persons, who)
            if isinstance(who, Name)
            else people_at(self.persons, self.orgs, self.links, who)
        )
        return {"persons": np.flatnonzero(there)} if there.any() else {}

    @cached_property
    def _texts(self) -> SearchIndex:
        return SearchIndex(self.tables)

    longest_path: ClassVar[int | None] = None
    """A path between two objects is found however many links it has."""

    def subset_around(self, *ids: str, radius: int = 1) -> Roster:  # noqa: ARG002  as `LazyRoster` has it
        """Return the roster itself, which is all in memory. See `LazyRoster.subset_around`."""
        return self

    def subset_of(self, type: str) -> Roster:  # noqa: ARG002  as `LazyRoster` has it
        """Return the roster itself, whatever the type. See `LazyRoster.subset_of`."""
        return self

    def wait_for(self, step: Step) -> str | None:
        """Say what is slow the first time: the search, and the links of a large roster."""
        if step == "search":
            return None if "_texts" in vars(self) else "Preparing the search, once ..."
        return None if "index" in vars(self) or len(self.links) <= _MANY_LINKS else "Indexing the links, once ..."

    def describe(self, id: str, type: str | None = None, row: int = 0) -> Description:
        """Describe one object: its fields, and every object it is linked to.

        Parameters
        ----------
        id : str
        type : str, optional
            Needed only if objects of two types share the id.
        row : int, default 0
            Which row to describe, if several rows of a table have the id. The links are those of all these rows.

        Returns
        -------
        Description
            With ``.fields`` (a Series), ``.relations`` (a DataFrame) and ``.others`` (the other rows with this id).

        Raises
        ------
        KeyError
            No object and no end of a link has this id.
        ValueError
            Objects of several types have this id, and no type was given.
        IndexError
            ``row`` is out of range: fewer rows have this id.

        Examples
        --------
        >>> section = roster.describe(roster.sections["id"][0])
        >>> section.relations.query("relation == 'of_course'")["type"].tolist()
        ['course']
        """
        expect_options("describe", "whole number", row=row)
        index = self.index
        code = index.code(id, type)
        kind = str(index.type_of([code])[0])
        name = str(index.ids([code])[0])
        table, rows = self.table(kind), index.all_rows(code)
        if not 0 <= row < max(len(rows), 1):
            raise IndexError(f"row={row}: {len(rows)} rows have the id {name!r}; they are counted from 0.")
        fields = table.iloc[rows[row]] if len(rows) else pd.Series(dtype="object")
        label = str(index.labels([code])[0])
        if len(rows) > 1:
            own = display_label(TABLE_OF[kind], table.iloc[[rows[row]]]).iloc[0]
            label = name if pd.isna(own) else str(own)
        to, back = index.links_from([code]), index.links_to([code])
        relations = pd.concat([self._related(to, "to"), self._related(back, "from")], ignore_index=True)
        others = table.iloc[np.delete(rows, row) if len(rows) else rows]
        return Description(kind, name, label, fields.dropna(), relations, others)

    def _related(self, rows: np.ndarray, direction: str) -> pd.DataFrame:
        index = self.index
        codes = (index.target if direction == "to" else index.source)[rows]
        named = codes >= 0
        rows, codes = rows[named], codes[named]
        links = self.links.iloc[rows].reset_index(drop=True)
        related = pd.DataFrame(
            {
                "relation": links["relation"],
                "direction": pd.Series(direction, index=links.index, dtype="str"),
                "type": pd.Series(index.type_of(codes), index=links.index, dtype="str"),
                "id": pd.Series(index.ids(codes), index=links.index, dtype="str"),
                "label": pd.Series(index.labels(codes), index=links.index, dtype="str"),
                "missing": index.missing(codes),
            }
        )
        return pd.concat([related, links.loc[:, "role":]], axis=1)

    def save(self, folder: str | os.PathLike[str], *, private: bool = True) -> None:
        """Save the roster as a snapshot: one Parquet file per table, and a small manifest.

        The files hold everything in the roster, including personal data, and are written to this folder and nowhere
        else. An older snapshot in the folder is replaced only once the new one is complete and on disk: if the process
        is killed at any moment, either the old or the new one is there.

        Parameters
        ----------
        folder : str or path
        private : bool, default True
            Make the output readable only by you (0700, files 0600). False leaves that to your umask.

        Raises
        ------
        BundleError
            The folder is neither empty nor a snapshot, or cannot be written.
        ConfigurationError
            Another process is saving to the folder.
        """
        write_snapshot(self, folder, private=private)

    def to_duckdb(self, path: str | os.PathLike[str], *, private: bool = True) -> None:
        """Write the roster as a DuckDB database: its tables, links and problems, and views for common questions.

        Parameters
        ----------
        path : str or path
            A new file, or an existing DuckDB database, which is replaced.
        private : bool, default True
            Make the file readable only by you. False leaves that to your umask.

        Raises
        ------
        BundleError
            The path exists and is not a DuckDB database.

        Notes
        -----
        The views are ``enrollments``, ``teaching``, ``school_members``, ``section_sizes``, ``orphans`` (links to
        objects that were not delivered) and ``objects`` (the type, id and label of every object).

        Examples
        --------
        >>> import duckdb
        >>> roster.to_duckdb(tmp_path / "roster.duckdb")
        >>> with duckdb.connect(str(tmp_path / "roster.duckdb"), read_only=True) as database:
        ...     largest = database.sql("FROM section_sizes ORDER BY students DESC, section_id LIMIT 3").df()
        >>> largest.columns.tolist()
        ['section_id', 'section', 'school', 'students', 'teachers']
        """
        write_duckdb(self, path, private=private)

    def to_oneroster(self, path: str | os.PathLike[str], version: str = "1.1", *, private: bool = True) -> pd.DataFrame:
        """Write the roster as a OneRoster CSV bundle: a folder, or a zip file if the path ends in ``.zip``.

        The bundle is a bulk export as defined by the standard: every column of each file in its order, references only
        to rows in the bundle, no status and no dateLastModified. It is written whole or not at all. If the standard
        requires a value that the roster does not hold, a rule fills it in (``enabledUser``: true; ``classType``:
        scheduled; ``username``: the email address, else the id; ``schoolYear``: from the enclosing session, else from
        the end date; staff: aide, the role with the fewest rights), or the row is left out. Nothing else is made up,
        and every rule applied is reported. Text is written unchanged, and a spreadsheet treats a cell that begins with
        ``=`` as a formula, so import the files as text if you open them in one.

        Parameters
        ----------
        path : str or path
            A new folder or zip file, or an existing bundle, which is replaced.
        version : {"1.1", "1.2"}, default "1.1"
            1.2 includes roles.csv, with one row per person and org.
        private : bool, default True
            Make the output readable only by you (0700, files 0600). False leaves that to your umask.

        Returns
        -------
        pandas.DataFrame
            Everything left out, filled in by a rule, or written differently: table, id, column, value, problem. If many
            are alike, one row counts them.

        Raises
        ------
        ValueError
            The version is unknown.
        BundleError
            The path is neither empty nor a bundle, or cannot be written.

        Examples
        --------
        >>> left_out = roster.to_oneroster(tmp_path / "district.zip", version="1.2")
        >>> left_out.loc[left_out["column"] == "classType", ["value", "problem"]].to_numpy().tolist()
        [['29', "was empty; written as scheduled, the standard's usual class; value counts them"]]
        """
        return write_oneroster(self, path, version, private=private)

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(df):,} {name.replace('_', ' ')}" for name, df in self.tables.items())
        links = f"{len(self.links):,} links, {len(self.problems):,} problems"
        return f"<Roster: {counts}; {links}; from {printable(self.source)}, {self.loaded_at:%Y-%m-%d %H:%M} UTC>"

    def overview(self) -> pd.DataFrame:
        """Summarize the roster in six rows.

        Returns
        -------
        pandas.DataFrame
            Index: the table names. Columns: rows, complete (the share of filled cells in the columns that the tenant
            sends at all, 0 to 1), links (to or from the table's objects), problems.
        """
        ends = pd.concat([self.links["source_type"].astype("str"), self.links["target_type"].astype("str")])
        touched = ends.value_counts()
        odd = self.problems["table"].value_counts()
        rows = {}
        for name, df in self.tables.items():
            sent = df.loc[:, df.notna().any()]
            filled = float(sent.notna().to_numpy().mean()) if sent.size else float("nan")
            rows[name] = (len(df), filled, int(touched.get(OBJECT_TYPES[name], 0)), int(odd.get(name, 0)))
        return pd.DataFrame.from_dict(rows, orient="index", columns=["rows", "complete", "links", "problems"])

    @property
    def school_year(self) -> str | None:
        """The most common school year among the objects, else among the terms' end dates; None if neither is known."""
        years = pd.concat([df["school_year"].dropna() for df in self.tables.values()])
        if years.empty:
            years = self.terms["end_date"].dropna().dt.year.astype("str")
        return None if years.empty else str(years.mode().iloc[0])

    def _repr_html_(self) -> str:
        overview = frame_html(
            self.overview(),
            formatters={
                "rows": "{:,}".format,
                "links": "{:,}".format,
                "problems": "{:,}".format,
                "complete": "{:.0%}".format,
            },
            na_rep="–",  # what is missing reaches no formatter
        )
        return render("roster.html", roster=self, overview=overview, loaded_at=f"{self.loaded_at:%Y-%m-%d %H:%M}")
