"""What a downstream system refuses: how its rules are written down, and how the rows that break them are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

import pandas as pd

from kimono_explore.display import display_label
from kimono_explore.gate.measures import of_type, schools
from kimono_explore.quality.downstream import LINE_BREAK
from kimono_explore.schema import ENDS, OBJECT_TYPES, TABLE_OF, keys_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kimono_explore.roster.roster import Roster

COLUMNS = ("table", "id", "label", "rule", "column", "value", "source")


class Refusal(NamedTuple):
    """Rows that break a rule: of which table, by which column, relation or ``"label"``, found by which test."""

    table: str
    column: str
    test: Test
    only: Literal["school", "student", "teacher"] | None = None


Test = Callable[["Roster", Refusal, pd.DataFrame], pd.Series]
"""Which of the rows are refused."""


class Rule(NamedTuple):
    """What a target publishes: in one sentence of ours, and where it says so."""

    id: str
    target: str
    says: str
    source: str
    refuses: tuple[Refusal, ...] = ()


def missing(_roster: Roster, refusal: Refusal, rows: pd.DataFrame) -> pd.Series:
    """The value is missing or blank."""
    values = _values(refusal, rows)
    return values.isna() | values.str.strip().eq("").fillna(value=False)


def repeated(_roster: Roster, _refusal: Refusal, rows: pd.DataFrame) -> pd.Series:
    """The id occurs more than once."""
    return rows["id"].notna() & rows["id"].duplicated(keep=False)


def after_the_first(_roster: Roster, _refusal: Refusal, rows: pd.DataFrame) -> pd.Series:
    """An earlier row has the same id."""
    return rows["id"].notna() & rows["id"].duplicated()


def longer_than(most: int) -> Test:
    """Make a test: the value has more characters than this."""

    def longer(_roster: Roster, refusal: Refusal, rows: pd.DataFrame) -> pd.Series:
        return _values(refusal, rows).str.len().gt(most).fillna(value=False)

    return longer


def line_break(_roster: Roster, refusal: Refusal, rows: pd.DataFrame) -> pd.Series:
    """The value contains a line break."""
    return _values(refusal, rows).str.contains(LINE_BREAK, regex=True).fillna(value=False)


def not_alphanumeric(_roster: Roster, refusal: Refusal, rows: pd.DataFrame) -> pd.Series:
    """The value has characters other than letters, digits and hyphens."""
    values = _values(refusal, rows)
    return values.notna() & ~values.str.replace("-", "").str.isalnum().fillna(value=True)


def unlinked(roster: Roster, refusal: Refusal, rows: pd.DataFrame) -> pd.Series:
    """No delivered object is linked to it by the relation. A relation that was not sent refuses nothing."""
    relation, type = refusal.column, OBJECT_TYPES[refusal.table]
    if not roster.rollups.intersection(keys_of(relation)):
        return pd.Series(data=False, index=rows.index)
    near, far = ("source", "target") if ENDS[relation][0][0] == type else ("target", "source")
    links = roster.links[(roster.links["relation"] == relation) & (roster.links[f"{near}_type"] == type)]
    far_type = ENDS[relation][0][near == "source"]
    linked = links[links[f"{far}_id"].isin(roster.tables[TABLE_OF[far_type]]["id"].dropna())]
    return ~rows["id"].isin(linked[f"{near}_id"])


def _values(refusal: Refusal, rows: pd.DataFrame) -> pd.Series:
    """The values that a rule examines, as text; NA for a relation."""
    if refusal.column == "label":
        values = display_label(refusal.table, rows)
    else:
        values = rows[refusal.column] if refusal.column in rows else pd.Series(float("nan"), index=rows.index)
    return values.astype("str").where(values.notna())


def refused(roster: Roster, rules: Iterable[Rule]) -> pd.DataFrame:
    """One row per object and rule that it breaks: table, id, label, rule, column, value, source."""
    parts = [
        _refused_rows(roster, refusal).assign(rule=rule.id, source=rule.source)
        for rule in rules
        for refusal in rule.refuses
    ]
    found = pd.concat([pd.DataFrame(columns=COLUMNS, dtype="str"), *parts], ignore_index=True)
    return found[list(COLUMNS)].astype("str")


def _refused_rows(roster: Roster, refusal: Refusal) -> pd.DataFrame:
    rows = _rows_in_scope(roster, refusal)
    rows = rows[refusal.test(roster, refusal, rows).astype(bool)]
    found = {"id": rows["id"], "label": display_label(refusal.table, rows), "value": _values(refusal, rows)}
    return pd.DataFrame(found).astype("str").assign(table=refusal.table, column=refusal.column)


def _rows_in_scope(roster: Roster, refusal: Refusal) -> pd.DataFrame:
    rows = roster.tables[refusal.table]
    if refusal.only == "school":
        return rows[rows["id"].isin(schools(roster).index)]
    return of_type(rows, refusal.only) if refusal.only else rows
