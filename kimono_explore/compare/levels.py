"""Objects that are the same under a new id: each level matches what earlier levels left over on both sides.

A match is one to one, or none: whatever could be two things is left over. At every level both sides are treated alike,
so that exchanging the rosters exchanges the matches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from kimono_explore.compare.sources import SIDES, numbers
from kimono_explore.duplicates.score import score_pairs
from kimono_explore.frames import frame
from kimono_explore.schema import OBJECT_TYPES, RELATIONS, TABLES, label_columns

if TYPE_CHECKING:
    import duckdb

    from kimono_explore.compare.sources import Source


class Key(NamedTuple):
    """Columns that identify an object if no other has the same values, and the name for a match by them."""

    by: str
    columns: tuple[str, ...]


class Identity(NamedTuple):
    """How the objects of a table are recognized."""

    keys: tuple[Key, ...]
    """The first is tried first."""
    fields: tuple[str, ...]
    """Of those that both sides know, most must agree."""
    telling: str | None = None
    """Objects that share nine tenths of this relation match, whatever their names. None: names must be similar, too."""
    same: tuple[str, ...] = ()
    """What must be equal wherever both sides know it."""


BY = ("local id", "state id", "e-mail", "name", "names alike", "neighbors")
"""What objects are matched by, in this order, when their ids differ."""

IDENTITIES = {
    "orgs": Identity(
        (Key("local id", ("local_id",)), Key("name", ("org_type", "name"))),
        ("local_id", "name", "org_type"),
        "member_of",
    ),
    "terms": Identity(
        (Key("name", ("name", "start_date", "end_date")), Key("name", ("name", "school_year"))),
        ("name", "start_date", "end_date", "term_type"),
        "in_term",
        ("school_year",),
    ),
    "persons": Identity(
        (
            Key("local id", ("local_id",)),
            Key("state id", ("state_id",)),
            Key("e-mail", ("email",)),
            Key("name", ("name_last", "name_first", "dob")),
        ),
        ("local_id", "state_id", "email", "name_last", "name_first", "dob"),
    ),
    "courses": Identity((Key("local id", ("local_id",)), Key("name", ("title",))), ("local_id", "title"), "of_course"),
    "sections": Identity(
        (Key("local id", ("local_id",)), Key("name", ("title",))), ("local_id", "title"), "student_in", ("school_year",)
    ),
    "grading_categories": Identity((Key("name", ("name",)),), ("name",), None, ("school_year",)),
}
"""A section, term or grading category of another school year is a different one, even if all else is equal."""

_YEAR_OF_TERMS = (
    "SELECT l.source_id AS id, max(coalesce(t.school_year::VARCHAR, (year(ends) + (month(ends) >= 8)::INT)::VARCHAR)) "
    "AS school_year FROM {side}_links l JOIN (SELECT *, try_cast(end_date AS DATE) AS ends FROM {side}_terms) t "
    "ON t.id = l.target_id WHERE l.relation = 'in_term' GROUP BY 1"
)
"""The school year of sections that do not say theirs, as in OneRoster, where only terms have one; it begins in August."""

_MIN_SHARED = 0.9
"""The share of neighbors that two objects have in common, on average over the relations."""
_MOST_PAIRS = 2_500
"""A neighbor that would suggest more pairs than this, such as a term or a school, suggests none."""
_MIN_SIMILARITY = 0.9
"""The minimum Jaro-Winkler similarity of two names that count as the same."""
_MIN_PROBABILITY = 0.95
_ROUNDS = 4


def create_matches(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table ``matches``, still empty: table, old and new (row numbers), old_id, new_id, by, certainty."""
    connection.execute(
        'CREATE TABLE matches ("table" VARCHAR, old BIGINT, new BIGINT, old_id VARCHAR, new_id VARCHAR, '
        '"by" VARCHAR, certainty DOUBLE)'
    )


def match_left_over(connection: duckdb.DuckDBPyConnection, old: Source, new: Source) -> None:
    """Fill the table ``matches``.

    To be called when `by_id.pair` has paired all six tables. Certainty is the share of what both sides know that agrees;
    for names that are only alike the probability of the model, for neighbors the share of them that is the same.
    """
    for table in TABLES:
        _list_left_over(connection, table)
        for key in IDENTITIES[table].keys if _left_on_both_sides(connection, table) else ():
            _match_by_key(connection, table, key)
    _match_names_alike(connection, old, new)
    for _ in range(_ROUNDS):
        if not sum(_match_by_neighbors(connection, table) for table in IDENTITIES):
            break


def rename_links(connection: duckdb.DuckDBPyConnection) -> None:
    """Let the old links name the new ids of what was matched; ``renamed`` says which of them do."""
    ends = [
        f'LEFT JOIN matches {end} ON {end}.old_id = l.{end}_id AND {end}."table" = {_table_of(f"l.{end}_type")}'
        for end in ("source", "target")
    ]
    connection.execute("ALTER VIEW old_links RENAME TO old_links_as_sent")
    connection.execute(
        "CREATE VIEW old_links AS SELECT l.* REPLACE (coalesce(source.new_id, l.source_id) AS source_id, "
        "coalesce(target.new_id, l.target_id) AS target_id), "
        "source.new_id IS NOT NULL OR target.new_id IS NOT NULL AS renamed "
        f"FROM old_links_as_sent l {' '.join(ends)}"
    )


def _fold(cell: str) -> str:
    return f"nullif(strip_accents(lower(trim({cell}::VARCHAR))), '')"


def _list_left_over(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Make the tables ``left_<side>_<table>``: the objects whose id only this side has."""
    identity = IDENTITIES[table]
    columns = dict.fromkeys([*identity.fields, *identity.same, *(c for key in identity.keys for c in key.columns)])
    days = {column.name for column in TABLES[table] if column.kind == "date"}
    cells = {column: f"try_cast({column} AS DATE)" if column in days else column for column in columns}
    folded = ", ".join(f"any_value({_fold(cell)} ORDER BY row) AS {column}" for column, cell in cells.items())
    label = _fold(f"concat_ws(' ', {', '.join(label_columns(table))})")
    for side, other in (SIDES, SIDES[::-1]):
        connection.execute(
            f"CREATE TABLE left_{side}_{table} AS SELECT min(row) AS row, id, {folded}, "
            f"any_value({label} ORDER BY row) AS label_ FROM {_rows_of(side, table)} "
            f"WHERE row IN (SELECT {side} FROM paired_{table} WHERE {other} IS NULL) "
            f"AND id IS NOT NULL AND id NOT IN (SELECT id FROM {other}_{table} WHERE id IS NOT NULL) GROUP BY id"
        )


def _left_on_both_sides(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return all(connection.execute(f"SELECT 1 FROM left_{side}_{table} LIMIT 1").fetchall() for side in SIDES)


def _rows_of(side: str, table: str) -> str:
    if table != "sections":
        return f"{side}_{table}"
    year = "coalesce(s.school_year::VARCHAR, t.school_year)"
    terms = _YEAR_OF_TERMS.format(side=side)
    return f"(SELECT s.* REPLACE ({year} AS school_year) FROM {side}_sections s LEFT JOIN ({terms}) t USING (id))"


def _record(connection: duckdb.DuckDBPyConnection, table: str, by: str, found: str) -> int:
    """Record the pairs that a query returns (old, new, certainty), and take them out of what is left over."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE found AS {found}")
    connection.execute(
        f"INSERT INTO matches SELECT '{table}', old, new, o.id, n.id, '{by}', round(certainty, 3) FROM found "
        f"JOIN left_old_{table} o ON o.row = old JOIN left_new_{table} n ON n.row = new"
    )
    for side in SIDES:
        connection.execute(f"DELETE FROM left_{side}_{table} WHERE row IN (SELECT {side} FROM found)")
    ((count,),) = connection.execute("SELECT count(*) FROM found").fetchall()
    return int(count)


def _match_by_key(connection: duckdb.DuckDBPyConnection, table: str, key: Key) -> None:
    identity = IDENTITIES[table]
    keys = ", ".join(key.columns)
    known = " AND ".join(f"{column} IS NOT NULL" for column in key.columns)
    others = [f"o.{field} = n.{field}" for field in identity.fields if field not in key.columns]
    agree = " + ".join([str(len(key.columns)), *(f"coalesce(({other})::INT, 0)" for other in others)])
    differ = " + ".join(["0", *(f"coalesce((NOT {other})::INT, 0)" for other in others)])
    single = [
        f"(SELECT {keys}, min(row) AS row FROM left_{side}_{table} WHERE {known} GROUP BY ALL HAVING count(*) = 1)"
        for side in SIDES
    ]
    _record(
        connection,
        table,
        key.by,
        f"SELECT o.row AS old, n.row AS new, ({agree}) / ({agree} + {differ}) AS certainty "
        f"FROM {single[0]} a JOIN {single[1]} b USING ({keys}) "
        f"JOIN left_old_{table} o ON o.row = a.row JOIN left_new_{table} n ON n.row = b.row "
        f"WHERE {agree} > {differ} {_same_where_known(identity)}",
    )


def _same_where_known(identity: Identity) -> str:
    return "".join(f" AND coalesce(o.{column} = n.{column}, true)" for column in identity.same)


def _match_names_alike(connection: duckdb.DuckDBPyConnection, old: Source, new: Source) -> None:
    """Match persons with similar names, by the model that also finds duplicates."""
    rows = [numbers(connection, f"SELECT row FROM left_{side}_persons ORDER BY row")[0] for side in SIDES]
    if not all(map(len, rows)):
        return
    known = list(frame("persons").columns)
    persons = pd.concat(
        [source.rows("persons", left)[known] for source, left in zip((old, new), rows, strict=True)],
        ignore_index=True,
    )
    pairs = score_pairs(connection, persons, len(rows[0]))
    pairs["old"], pairs["new"] = rows[0][pairs["old"]], rows[1][pairs["new"] - len(rows[0])]
    connection.register("scored", pairs)
    _record(
        connection,
        "persons",
        "names alike",
        f"SELECT old, new, probability AS certainty FROM scored WHERE probability >= {_MIN_PROBABILITY} {_best_of_both('weight')}",
    )
    connection.unregister("scored")


def _best_of_both(*order: str) -> str:
    """A filter of pairs: only those that are the single best choice for both sides."""
    best = ", ".join(f"{name} DESC" for name in order)
    alone = " AND ".join(
        f"rank() OVER (PARTITION BY {side} ORDER BY {best}) = 1 "
        f"AND count(*) OVER (PARTITION BY {side}, {', '.join(order)}) = 1"
        for side in SIDES
    )
    return f"QUALIFY {alone}"


def _match_by_neighbors(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """Match objects that are linked to the same things; returns how many."""
    if not _left_on_both_sides(connection, table):
        return 0
    identity = IDENTITIES[table]
    for side in SIDES:
        _find_neighbors(connection, side, table)
    suggested = (
        "SELECT o.row AS old, n.row AS new, relation, count(*) AS shared FROM neighbors_old o "
        "JOIN neighbors_new n USING (relation, id) "
        "WHERE (relation, id) IN (SELECT (relation, id) FROM (SELECT relation, id, count(*) AS few FROM neighbors_old "
        "GROUP BY ALL) JOIN (SELECT relation, id, count(*) AS many FROM neighbors_new GROUP BY ALL) "
        f"USING (relation, id) WHERE few * many <= {_MOST_PAIRS}) GROUP BY ALL"
    )
    degrees = " ".join(
        f"JOIN (SELECT row, relation, count(*) AS degree_{side} FROM neighbors_{side} GROUP BY ALL) d_{side} "
        f"ON d_{side}.row = {side} AND d_{side}.relation = s.relation"
        for side in SIDES
    )
    candidates = (
        f"SELECT DISTINCT old, new FROM ({suggested}) s {degrees} WHERE 2 * shared >= greatest(degree_old, degree_new)"
    )
    # Of each relation that either side has, the share that is the same.
    sides = [
        f"SELECT c.old, c.new, relation, {', '.join(f'{int(side == name)} AS {name}_' for name in SIDES)}, m.id "
        f"FROM candidates c JOIN neighbors_{side} m ON m.row = c.{side}"
        for side in SIDES
    ]
    shares = (
        "SELECT old, new, relation, count(*) FILTER (sides = 2) / greatest(sum(a), sum(b)) AS share FROM ("
        "SELECT old, new, relation, id, count(*) AS sides, sum(old_) AS a, sum(new_) AS b "
        f"FROM ({' UNION ALL '.join(sides)}) GROUP BY ALL) GROUP BY ALL"
    )
    telling = f"OR max(share) FILTER (relation LIKE '{identity.telling}%') >= {_MIN_SHARED}" if identity.telling else ""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE candidates AS {candidates}")
    return _record(
        connection,
        table,
        "neighbors",
        f"SELECT old, new, certainty FROM (SELECT old, new, avg(share) AS certainty, "
        "any_value(coalesce(jaro_winkler_similarity(o.label_, n.label_), 0)) AS alike "
        f"FROM ({shares}) JOIN left_old_{table} o ON o.row = old JOIN left_new_{table} n ON n.row = new "
        f"WHERE true {_same_where_known(identity)} GROUP BY old, new "
        f"HAVING avg(share) >= {_MIN_SHARED} AND (alike >= {_MIN_SIMILARITY} {telling})) {_best_of_both('certainty', 'alike')}",
    )


def _find_neighbors(connection: duckdb.DuckDBPyConnection, side: str, table: str) -> None:
    """Make the table ``neighbors_<side>`` (row, relation, id): the links from what is left over to objects of both rosters.

    Ids are those of the new roster. Links to objects that are left over do not count: whether those match is unknown.
    """
    left = " UNION ALL ".join(
        f"SELECT '{type}' AS type, id FROM left_{side}_{name}" for name, type in OBJECT_TYPES.items()
    )
    ends = []
    for near, far in (("source", "target"), ("target", "source")):
        ends.append(
            f"SELECT l.row, relation || ' {near}' AS relation, {far}_type AS type, {far}_id AS id "
            f"FROM {side}_links JOIN left_{side}_{table} l ON {near}_id = l.id "
            f"WHERE {near}_type = '{OBJECT_TYPES[table]}' AND relation IN {RELATIONS}"
        )
    renamed = "new_id" if side == "old" else "NULL"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE neighbors_{side} AS SELECT DISTINCT e.row, relation, coalesce({renamed}, e.id) AS id "
        f'FROM ({" UNION ALL ".join(ends)}) e LEFT JOIN (SELECT "table", old_id, new_id FROM matches) m '
        f'ON m.old_id = e.id AND m."table" = {_table_of("e.type")} '
        f"WHERE e.id IS NOT NULL AND (e.type, e.id) NOT IN (SELECT (type, id) FROM ({left}))"
    )


def _table_of(type: str) -> str:
    cases = " ".join(f"WHEN '{type}' THEN '{table}'" for table, type in OBJECT_TYPES.items())
    return f"CASE {type} {cases} END"
