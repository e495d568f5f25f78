"""What a bundle that is read again must hold: everything that was written, but for what the returned table names."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.schema import OBJECT_TYPES

if TYPE_CHECKING:
    from kimono_explore.roster.roster import Roster

ROW = "the row is left out"
REFERENCE = {
    ("orgs", "child_of"): "parentSourcedId",
    ("terms", "child_of"): "parentSourcedId",
    ("courses", "offered_by"): "orgSourcedId",
    ("sections", "of_course"): "courseSourcedId",
    ("sections", "held_at"): "schoolSourcedId",
    ("sections", "in_term"): "termSourcedIds",
    ("persons", "member_of"): "orgSourcedIds",
}
TABLES_OF = {kind: table for table, kind in OBJECT_TYPES.items()}


def assert_told(ours: Roster, again: Roster, left_out: pd.DataFrame) -> None:
    """Every difference between a roster and its bundle is named in what `to_oneroster` returned; nothing is new."""
    told = Told(left_out)
    for name in OBJECT_TYPES.values():
        _same_rows(TABLES_OF[name], ours, again, told)
    _same_links(ours, again, told)


class Told:
    def __init__(self, left_out: pd.DataFrame) -> None:
        rows = left_out.astype(object).where(left_out.notna(), None).to_numpy().tolist()
        self.rows = [row for row in rows if ROW in row[4]]
        self.cells: set[tuple[str, str | None, str | None]] = set()
        self.counted: Counter[tuple[str, str | None]] = Counter()
        self.values: defaultdict[tuple[str, str | None], set[str]] = defaultdict(set)
        for table, id, column, value, problem in rows:
            column = (column or "").removeprefix("ext_")
            if problem.endswith("value counts them"):
                self.counted[table, column] += int(value)
            else:
                self.cells.add((table, id, column))
                self.values[table, id].update((value or "").split(",") if table != "links" else [value])

    def left_out(self, table: str) -> tuple[int, set[str]]:
        """How many rows of a table, and the ids that are named."""
        mine = [row for row in self.rows if row[0] == table]
        count = sum(int(row[3]) if row[4].endswith("value counts them") else 1 for row in mine)
        return count, {row[1] for row in mine if not row[4].endswith("value counts them")}


def _texts(df: pd.DataFrame) -> list[dict[str, str]]:
    """Rows as text; empty text is nothing, since a CSV file cannot tell the two apart."""

    def text(value: object) -> str:
        if value is None or value is pd.NA or value != value:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        return value.isoformat() if isinstance(value, pd.Timestamp) else str(value)

    columns = {name.removeprefix("ext_"): [text(value) for value in df[name].astype(object)] for name in df.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _same_rows(table: str, ours: Roster, again: Roster, told: Told) -> None:
    before: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _texts(ours.tables[table]):
        before[row["id"]].append(row)
    after = {row["id"]: row for row in _texts(again.tables[table])}
    count, named = told.left_out(table)
    assert len(after) == len(again.tables[table]), f"{table}: an id is written twice"
    assert set(after) <= set(before), f"{table}: rows that were not there"
    assert len(ours.tables[table]) - len(after) == count, f"{table}: rows that are missing and not told"
    if not any(row[0] == table and row[1] is None and row[4].endswith("value counts them") for row in told.rows):
        assert set(before) - set(after) <= {id or "" for id in named}, f"{table}: other rows than told"
    differing: Counter[str] = Counter()
    for id, row in after.items():
        differences = min((_differences(table, id, given, row, told) for given in before[id]), key=len)
        differing.update(differences)
    for column, number in differing.items():
        assert number <= told.counted[table, column], f"{table}.{column}: {number} differ and are not told"


def _differences(table: str, id: str, given: dict[str, str], row: dict[str, str], told: Told) -> list[str]:
    """The columns that differ and are not named for this row."""
    found = []
    for column in {**given, **row}:
        one, other = given.get(column, ""), row.get(column, "")
        if one == other or (table, id, column) in told.cells:
            continue
        if column == "label" and one == "":  # whoever reads a bundle makes a label of the names
            continue
        if column == "role" and other == given["person_type"].lower():  # 1.1 has the person's type in this column
            continue
        if column == "role" and ((table, id, "person_type") in told.cells or told.counted[table, "person_type"]):
            continue
        found.append(column)
    return found


def _links(roster: Roster) -> defaultdict[tuple[str, ...], list[dict[str, str]]]:
    found: defaultdict[tuple[str, ...], list[dict[str, str]]] = defaultdict(list)
    for row in _texts(roster.links):
        key = ("source_type", "source_id", "relation", "target_type", "target_id")
        found[tuple(row[name] for name in key)].append(row)
    return found


def _same_links(ours: Roster, again: Roster, told: Told) -> None:
    before, after = _links(ours), _links(again)
    ids = {table: set(df["id"]) for table, df in again.tables.items()}
    missing: Counter[tuple[str, str]] = Counter()
    differing: Counter[str] = Counter()
    known = {value for (name, _), values in told.values.items() if name == "links" for value in values}
    for key, rows in after.items():
        assert len(rows) <= len(before[key]), f"a link that was not there: {key}"
    for key, rows in before.items():
        kind, source, relation, _, target = key
        table = TABLES_OF[kind]
        for _ in range(len(rows) - len(after[key])):
            if relation in ("graded_in", "graded_for"):
                missing["links", "relation"] += 1
            elif relation in ("student_in", "teacher_in"):
                if f"{source},{target}" not in known:
                    missing["links", "enrollments"] += 1
            elif relation == "member_of" and f"{source},{target}" in known:
                continue
            elif source in ids[table] and target not in told.values[table, source]:
                missing[table, REFERENCE[table, relation]] += 1
        if relation not in ("student_in", "teacher_in"):
            continue
        rest = list(rows)
        for row in after[key]:
            given = min(rest, key=lambda one: sum(one[name] != row[name] for name in row))
            rest.remove(given)
            for name in ("membership_id", "start_date", "end_date", "primary", "role", "status"):
                named = ("links", row["membership_id"], name) in told.cells
                if given[name] != row[name] and not named:
                    differing[name] += 1
    enrollments = sum(
        told.counted["links", name] for name in ("source_id", "target_id", "role", "membership_id", "status")
    )
    for (table, column), number in missing.items():
        counted = enrollments if column == "enrollments" else told.counted[table, column]
        assert number <= counted, f"{number} links are missing and not told: {table}.{column}"
    for column, number in differing.items():
        assert number <= told.counted["links", column], f"links.{column}: {number} differ and are not told"
