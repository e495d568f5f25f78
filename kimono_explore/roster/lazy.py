"""A snapshot that is queried on disk: the roster of a state, without loading it.

DuckDB scans the Parquet files for what is around an object, and only that becomes a `Roster`, on which everything else
works as it is: `Roster.describe`, `neighborhood`, pictures. A click costs a scan of the links, and no memory that grows
with the state.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from kimono_explore.atomic import whole
from kimono_explore.errors import expect, expect_options
from kimono_explore.files.snapshot import incomplete, is_snapshot, part, read_manifest
from kimono_explore.frames import to_pandas
from kimono_explore.roster.open import read_source
from kimono_explore.roster.query import (
    FOLDED,
    Name,
    Place,
    nearest_word_query,
    orgs_named,
    parse_search,
    people_named,
    typos_allowed,
    words_query,
)
from kimono_explore.roster.roster import Roster
from kimono_explore.roster.search import SEARCHED, did_you_mean, rank_results, shown, tables_of
from kimono_explore.roster.text import fold
from kimono_explore.schema import GRADE_COLUMNS, OBJECT_TYPES, TABLE_OF, TABLES, columns_named
from kimono_explore.threads import let_go_at_exit

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Sequence

    import pandas as pd

    from kimono_explore.roster.roster import Step

_MOST_FOUND = 1000
MOST_IN_MEMORY = 1_000_000
"""People of a snapshot that is read whole to be browsed: about 4 KB each. A larger one stays on disk."""
FIRST = 1000
"""How many objects of a type are listed where nothing is searched for."""
# Codes, which never have accents.
_PLAIN = columns_named(
    lambda column: column.name == "id" or (column.searched and column.privacy in ("number", "email"))
)
_NAMED = (*(name for name in SEARCHED if name not in _PLAIN), "label")


class LazyRoster:
    """A lazily opened snapshot, searched and read from disk object by object.

    Parameters
    ----------
    folder : str or path
        A snapshot written by `Roster.save`.

    Raises
    ------
    BundleError
        The folder is not a snapshot.

    Examples
    --------
    >>> roster.save(tmp_path / "monday")
    >>> stored = LazyRoster(tmp_path / "monday")
    >>> stored.counts()["persons"] == len(roster.persons)
    True
    >>> section = roster.sections["id"][0]
    >>> len(stored.subset_around(section).describe(section).relations) == len(roster.describe(section).relations)
    True
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._manifest = read_manifest(folder)
        self._duckdb = duckdb.connect()
        let_go_at_exit(self)
        self.source, self.loaded_at = self._manifest.source, self._manifest.loaded_at
        paths = {name: part(whole(folder), name) for name in (*TABLES, "links")}
        self.files = {name: path / "**" / "*.parquet" if path.is_dir() else path for name, path in paths.items()}
        try:
            for name, path in self.files.items():
                self._duckdb.read_parquet(str(path)).create_view(name)
        except duckdb.Error as error:
            raise incomplete(Path(folder), error) from error
        self._known = {name: self._duckdb.view(name).columns for name in TABLES}
        self._around = lru_cache(maxsize=8)(self._read)

    longest_path = 4
    """A path is looked for in what is within two links of either end."""

    @property
    def orgs(self) -> pd.DataFrame:
        """The table of schools, districts and other orgs."""
        return to_pandas("orgs", self._query("select * from orgs"))

    def counts(self) -> dict[str, int]:
        """The number of rows of each table."""
        return {name: int(self._query(f"select count(*) as n from {name}")["n"][0].as_py()) for name in TABLES}  # noqa: S608

    def search(self, text: str, type: str | None = None, limit: int = 50) -> pd.DataFrame:
        """Find objects as `Roster.search` does.

        Returns
        -------
        pandas.DataFrame
            The same columns. The search of each table stops after 1,000 objects: if ``attrs["more"]`` is true, there
            are more matches than ``attrs["found"]``. ``attrs["by_type"]`` has only the types that were counted to the
            end.
        """
        expect("search", text, str)
        expect_options("search", "whole number", limit=limit)
        wanted, words = tables_of(type), fold(text).split()
        most = max(limit, _MOST_FOUND) + 1
        found = {name: shown(name, self._matching(name, words, most)) for name in wanted if words}
        if words and "persons" in wanted and not any(map(len, found.values())):
            found["persons"] = shown("persons", self._people(text, most))
        result = rank_results(list(found.values()), words, limit)
        counted = {OBJECT_TYPES[name]: len(part) for name, part in found.items() if len(part) < most}
        result.attrs["by_type"], result.attrs["more"] = counted, len(counted) < len(found)
        result.attrs["did_you_mean"] = None
        if result.attrs["found"] == 0:
            result.attrs["did_you_mean"] = did_you_mean(
                words,
                lambda word: self._nearest(word, wanted),
                lambda near: sum(len(self._matching(name, near, 1)) for name in wanted),
            )
        return result

    def _people(self, text: str, limit: int) -> pd.DataFrame:
        """The people whom a name or place describes, such as "smith, j" or "grade 9 lincoln"."""
        who = parse_search(text)
        if isinstance(who, Name):
            names = " and ".join(f"starts_with({FOLDED.format(name)}, ?)" for name in ("name_last", "name_first"))
            # Some have a last name that only begins like it, and are filtered out below: ask for more than are shown.
            query = f"select * from persons where {names} limit {20 * limit}"  # noqa: S608
            people = to_pandas("persons", self._query(query, who))
            return people[people_named(people, who)].head(limit)
        if isinstance(who, Place):
            return to_pandas("persons", self._people_at(who, limit))
        return to_pandas("persons", self._query("select * from persons limit 0"))

    def _people_at(self, where: Place, limit: int) -> pa.Table:
        member = "id in (select source_id from links where relation = 'member_of' and {})"
        grades = f"({', '.join('?' * len(where.grades))})"
        graded = [
            f"upper(trim({name}::varchar)) in {grades}" for name in GRADE_COLUMNS if name in self._known["persons"]
        ]
        graded.append(member.format(f"upper(grade::varchar) in {grades}"))
        wanted = [f"({' or '.join(graded)})"]
        orgs: list[str] = []
        if where.org:
            orgs = orgs_named(self.orgs, where.org)
            wanted.append(member.format("target_id in (select id from ring)"))
        query = f"select * from persons where {' and '.join(wanted)} limit {limit}"  # noqa: S608
        return self._query(query, [*where.grades] * len(graded), ring=orgs)

    def _nearest(self, word: str, tables: Sequence[str]) -> str | None:
        if any(len(self._matching(name, [word], 1)) for name in tables):
            return word
        most = typos_allowed(word)
        if not most:
            return None
        texts = " union all ".join(
            f"select {FOLDED.format(', '.join(c for c in _NAMED if c in self._known[name]))} as words from {name}"  # noqa: S608
            for name in tables
        )
        with self._duckdb.cursor() as cursor:
            found = cursor.execute(
                nearest_word_query(f"({words_query('words', f'({texts})')})"), {"word": word, "most": most}
            ).fetchone()
        return None if found is None else str(found[0])

    def _matching(self, name: str, words: list[str], limit: int) -> pd.DataFrame:
        known = self._known[name]
        plain, named = ([c for c in columns if c in known] for columns in (_PLAIN, _NAMED))
        found = f"(contains({FOLDED.format(', '.join(named))}, ?) or contains(lower(concat_ws(chr(10), {', '.join(plain)})), ?))"
        query = f"select * from {name} where {' and '.join([found] * len(words))} limit {limit}"  # noqa: S608
        return to_pandas(name, self._query(query, [word for word in words for _ in range(2)]))

    def wait_for(self, step: Step) -> str | None:
        """Say that every step scans the files."""
        return "Looking through the files ..." if step == "search" else "Reading what is around it from the files ..."

    def subset_around(self, *ids: str, radius: int = 1) -> Roster:
        """Return a roster of everything within ``radius`` links of the given objects, and every link between them.

        Parameters
        ----------
        *ids : str
            One or more ids; each may be written ``"type:id"``.
        radius : int, default 1

        Returns
        -------
        Roster
            `Roster.describe` and `neighborhood` give the same results for these objects as with the whole roster. The
            results of the last few calls are cached.
        """
        return self._around(frozenset(ids), radius)

    def subset_of(self, type: str) -> Roster:
        """Return a roster of the first 1,000 objects of a type, with their links and the objects their list names."""
        name = TABLE_OF[type]
        objects = self._query(f"select * from {name} limit {FIRST}")  # noqa: S608
        query = "select * from links where {0}_type = '{1}' and {0}_id in (select id from ring)"
        links = self._query(
            f"{query.format('source', type)} union all {query.format('target', type)} and source_type != '{type}'",
            ring=objects["id"].drop_null().to_pylist(),
        )
        # Students and members are only counted: of people, the teachers are named.
        named = links.filter((pc.field("source_type") != "person") | (pc.field("relation") == "teacher_in"))
        ends = pa.chunked_array([*named["source_id"].chunks, *links["target_id"].chunks], pa.string())
        return self._roster({**self._objects(ends.unique().drop_null().to_pylist()), name: objects}, links)

    def _read(self, ids: frozenset[str], radius: int) -> Roster:
        found = ring = {name for id in ids for name in (id, id.partition(":")[2]) if name}
        for _ in range(radius):
            ends = self._query(
                "select target_id as id from links where source_id in (select id from ring) union "
                "select source_id from links where target_id in (select id from ring)",
                ring=ring,
            )
            ring = set(ends["id"].drop_null().to_pylist()) - found
            found = found | ring
        links = "select * from links where source_id in (select id from ring) and target_id in (select id from ring)"
        return self._roster(self._objects(found), self._query(links, ring=found))

    def _objects(self, ids: Collection[str]) -> dict[str, pa.Table]:
        query = "select * from {} where id in (select id from ring)"
        return {name: self._query(query.format(name), ring=ids) for name in TABLES}

    def _roster(self, objects: dict[str, pa.Table], links: pa.Table) -> Roster:
        return Roster(
            **{name: to_pandas(name, table) for name, table in objects.items()},
            links=to_pandas("links", links),
            source=self.source,
            loaded_at=self.loaded_at,
            rollups=self._manifest.rollups,
        )

    def _query(self, query: str, words: Sequence[str] = (), ring: Collection[str] = ()) -> pa.Table:
        with self._duckdb.cursor() as cursor:
            cursor.register("ring", pa.table({"id": pa.array(ring, pa.string())}))
            return cursor.sql(query, params=list(words)).to_arrow_table()

    def __repr__(self) -> str:
        counts = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in self.counts().items())
        return f"<LazyRoster: {counts}; from {self.source}, {self.loaded_at:%Y-%m-%d %H:%M} UTC>"


def open_to_browse(path: str | os.PathLike[str]) -> Roster | LazyRoster:
    """A roster from a path, whole; a snapshot of more than a million people stays on disk."""
    if is_snapshot(path) and read_manifest(path).rows.get("persons", 0) > MOST_IN_MEMORY:
        return LazyRoster(path)
    return read_source(path)
