"""Mistakes planted in a made-up district, a handful of each kind, and where they are.

Each row of `VALUES` and `LINKS` plants one kind; the name is the id of the quality check that should find it. Every
object gets at most one mistake, so that a check's findings can be told apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from kimono_explore.roster import Roster
from kimono_explore.sandbox.district import uuids
from kimono_explore.tables import OBJECT_TYPES, frame

if TYPE_CHECKING:
    from collections.abc import Callable

_HANDFUL = 3


class ValueFlaw(NamedTuple):
    """A cell that gets a wrong value; `value` makes it from what was there, None empties the cell."""

    check: str
    table: str
    column: str
    who: str | None
    value: Callable[[object], object] | None
    note: str


VALUES: tuple[ValueFlaw, ...] = (
    ValueFlaw("missing_local_id", "persons", "local_id", "student", None, "no local id"),
    ValueFlaw("student_missing_state_id", "persons", "state_id", "student", None, "no state id"),
    ValueFlaw("student_without_dob", "persons", "dob", "student", None, "no date of birth"),
    ValueFlaw("teacher_without_email", "persons", "email", "teacher", None, "no e-mail"),
    ValueFlaw("invalid_email", "persons", "email", "student", lambda _: "ana.silva(at)example", "not an address"),
    ValueFlaw("invalid_phone", "persons", "phone", "student", lambda _: "call mum", "not a number"),
    ValueFlaw("invalid_postal_code", "persons", "address_postal_code", "student", lambda _: "8710", "four digits"),
    ValueFlaw("unknown_state", "persons", "address_state", "student", lambda _: "QX", "no such state"),
    ValueFlaw("unexpected_sex", "persons", "sex", "student", lambda _: "7", "no such code"),
    ValueFlaw("untrimmed_text", "persons", "name_last", "student", lambda name: f" {name}\u200b ", "spaces around"),
    ValueFlaw("broken_encoding", "persons", "name_last", "student", lambda _: "GarcÃ\u00ada", "UTF-8 read as Latin-1"),
    ValueFlaw("placeholder_name", "persons", "name_first", "student", lambda _: "Test", "a placeholder"),
    ValueFlaw("shouting_name", "persons", "name_last", "student", lambda _: "HERNANDEZ", "capitals only"),
    ValueFlaw(
        "implausible_age", "persons", "dob", "student", lambda _: pd.Timestamp(1962, 4, 1), "a student of over sixty"
    ),
    ValueFlaw("missing_local_id", "courses", "local_id", None, None, "no local id"),
)


class LinkFlaw(NamedTuple):
    """A link of this relation that is cut, or that points to something that does not exist."""

    check: str
    relation: str
    source_type: str
    cut: bool
    note: str


LINKS: tuple[LinkFlaw, ...] = (
    LinkFlaw("orphan_child_of", "child_of", "term", cut=False, note="its parent was not delivered"),
    LinkFlaw("orphan_of_course", "of_course", "section", cut=False, note="its course was not delivered"),
    LinkFlaw("orphan_held_at", "held_at", "section", cut=False, note="its school was not delivered"),
    LinkFlaw("orphan_in_term", "in_term", "section", cut=False, note="its term was not delivered"),
    LinkFlaw("orphan_member_of", "member_of", "person", cut=False, note="a school was not delivered"),
    LinkFlaw("orphan_student_in", "student_in", "person", cut=False, note="a section was not delivered"),
    LinkFlaw("orphan_teacher_in", "teacher_in", "person", cut=False, note="a section was not delivered"),
    LinkFlaw("orphan_graded_in", "graded_in", "grading_category", cut=False, note="its section was not delivered"),
    LinkFlaw("section_without_course", "of_course", "section", cut=True, note="no course"),
    LinkFlaw("section_without_org", "held_at", "section", cut=True, note="no school"),
    LinkFlaw("section_without_term", "in_term", "section", cut=True, note="no term"),
    LinkFlaw("student_without_school", "member_of", "person", cut=True, note="no school"),
    LinkFlaw("category_without_section", "graded_in", "grading_category", cut=True, note="no section"),
)


def plant(roster: Roster, seed: int) -> tuple[Roster, pd.DataFrame]:
    """Plant a handful of each kind of mistake in a copy of a roster.

    Parameters
    ----------
    roster : Roster
        Left as it is.
    seed : int
        The same seed plants the same mistakes.

    Returns
    -------
    Roster
        The copy, with mistakes. A value that no typed column can hold is in its ``problems``, and the sandbox serves
        it from there.
    pandas.DataFrame
        check, table, id, note: what was planted where.

    Examples
    --------
    >>> from kimono_explore.sandbox.district import make_district
    >>> flawed, planted = plant(make_district(200), seed=7)
    >>> planted.query("check == 'broken_encoding'")["table"].unique().tolist()
    ['persons']
    """
    garden = _Garden(roster, seed)
    for value_flaw in VALUES:
        garden.spoil(value_flaw)
    for link_flaw in LINKS:
        garden.break_link(link_flaw)
    for step in _STEPS:
        step(garden)
    return garden.harvest()


class _Garden:
    """A roster while mistakes are planted in it."""

    def __init__(self, roster: Roster, seed: int) -> None:
        self.roster = roster
        self.rng = np.random.default_rng([seed, 1])
        self.tables = {name: df.copy() for name, df in roster.tables.items()}
        self.links = roster.links.copy()
        self.problems: list[tuple[str, str, str, str, str]] = []
        self.planted: list[tuple[str, str, str, str]] = []
        self.used: set[str] = set()

    def pick(self, table: str, who: str | None = None, count: int = _HANDFUL) -> list[int]:
        """Rows of a table without a mistake so far: at most a handful, and never more than a twentieth."""
        df = self.tables[table]
        free = df["id"].notna() & ~df["id"].isin(self.used)
        if who is not None:
            free &= df["person_type"] == who
        rows = np.flatnonzero(free.to_numpy())
        chosen = self.rng.permutation(rows)[: min(count, max(1, len(rows) // 20))]
        self.used.update(df["id"].iloc[chosen])
        return [int(row) for row in chosen]

    def note(self, check: str, table: str, id: str, note: str) -> None:
        self.planted.append((check, table, id, note))

    def spoil(self, flaw: ValueFlaw) -> None:
        df = self.tables[flaw.table]
        cells = df[flaw.column].tolist()
        for row in self.pick(flaw.table, flaw.who):
            cells[row] = None if flaw.value is None else flaw.value(cells[row])
            self.note(flaw.check, flaw.table, df["id"].iloc[row], flaw.note)
        df[flaw.column] = pd.Series(cells, dtype=df[flaw.column].dtype)

    def break_link(self, flaw: LinkFlaw) -> None:
        links = self.links
        chosen = (links["relation"] == flaw.relation) & (links["source_type"] == flaw.source_type)
        chosen &= ~links["source_id"].isin(self.used) & ~links["target_id"].isin(self.used)
        if flaw.check == "student_without_school":
            chosen &= links["role"] == "student"
        rows = self.rng.permutation(np.flatnonzero(chosen.to_numpy()))[: min(_HANDFUL, max(1, int(chosen.sum()) // 20))]
        table = next(name for name, t in OBJECT_TYPES.items() if t == flaw.source_type)
        for row in rows:
            self.used.add(links["source_id"].iloc[row])
            self.note(flaw.check, table, links["source_id"].iloc[row], flaw.note)
        if flaw.cut:
            self.links = links.drop(index=links.index[rows]).reset_index(drop=True)
        else:
            links.loc[links.index[rows], "target_id"] = uuids(self.rng, len(rows))
            links.loc[links.index[rows], "stated_by"] = "source"

    def drop_links(self, mask: pd.Series[bool]) -> None:
        self.links = self.links[~mask].reset_index(drop=True)

    def add_links(self, rows: pd.DataFrame) -> None:
        both = pd.concat([self.links, rows], ignore_index=True)
        self.links = frame("links", {name: both[name] for name in both.columns})

    def add_row(self, table: str, like: int, **values: object) -> None:
        """A further row, like another but for some values."""
        df = self.tables[table]
        self.tables[table] = frame(
            table, {name: [*df[name], values.get(name, df[name].iloc[like])] for name in df.columns}
        )

    def copy_cells(self, table: str, one: int, other: int, *columns: str) -> None:
        """Give a row the values of another."""
        df = self.tables[table]
        for column in columns:
            cells = df[column].tolist()
            cells[other] = cells[one]
            df[column] = pd.Series(cells, dtype=df[column].dtype)

    def harvest(self) -> tuple[Roster, pd.DataFrame]:
        names = ("table", "id", "column", "value", "problem")
        columns = {name: [row[n] for row in self.problems] for n, name in enumerate(names)}
        planted = pd.DataFrame(self.planted, columns=["check", "table", "id", "note"], dtype="str")
        planted = planted.sort_values(["check", "table", "id"], ignore_index=True)
        made = Roster(
            **self.tables,
            loaded_at=self.roster.loaded_at,
            rollups=self.roster.rollups,
            links=self.links,
            problems=frame("problems", columns),
            source=f"{self.roster.source}, with planted flaws",
        )
        return made, planted


def _shared_values(garden: _Garden) -> None:
    """Two people with the same local id, state id or e-mail."""
    persons = garden.tables["persons"]
    for check, column in (
        ("duplicate_local_id", "local_id"),
        ("duplicate_state_id", "state_id"),
        ("duplicate_email", "email"),
    ):
        rows = garden.pick("persons", "student", 2)
        if len(rows) == 2:
            one, other = rows
            garden.copy_cells("persons", one, other, column)
            for row in rows:
                garden.note(check, "persons", persons["id"][row], f"shares its {column}")


def _same_person_twice(garden: _Garden) -> None:
    """One child under two ids: the same name, but for case, and birthday."""
    persons = garden.tables["persons"]
    rows = garden.pick("persons", "student", 2)
    if len(rows) == 2:
        one, other = rows
        garden.copy_cells("persons", one, other, "name_first", "name_last", "dob")
        persons.loc[other, "name_first"] = str(persons["name_first"][one]).lower()
        for row in rows:
            garden.note("possible_duplicate_person", "persons", persons["id"][row], "same name and birthday")


def _nameless(garden: _Garden) -> None:
    persons = garden.tables["persons"]
    for row in garden.pick("persons", "student", 2):
        persons.loc[row, ["name_first", "name_last", "name_middle", "label"]] = None
        garden.note("person_without_name", "persons", persons["id"][row], "no name at all")


def _bad_values(garden: _Garden) -> None:
    """Dates that are none: they cannot be in a typed column, so they are in ``problems`` as they came."""
    persons = garden.tables["persons"]
    for row, value in zip(garden.pick("persons", "student"), ("31/02/2012", "unknown", "2012-13-01"), strict=False):
        persons.loc[row, "dob"] = pd.NaT
        garden.problems.append(("persons", persons["id"][row], "dob", value, "not a date"))
        garden.note("bad_value", "persons", persons["id"][row], f"dob {value}")
        garden.note("student_without_dob", "persons", persons["id"][row], "its dob is no date")


def _rows_that_repeat(garden: _Garden) -> None:
    for row in garden.pick("courses", count=1):
        id = garden.tables["courses"]["id"][row]
        garden.add_row("courses", row, title="A second course of the same id")
        garden.note("duplicate_id", "courses", id, "two courses with one id")
    for row in garden.pick("grading_categories", count=1):
        garden.add_row("grading_categories", row, id=None, name="Nobody's category")
        garden.note("missing_id", "grading_categories", "", "no id")


def _terms(garden: _Garden) -> None:
    terms = garden.tables["terms"]
    if terms.empty:
        return
    year = terms.iloc[0]
    names = {
        "term_without_dates": ("Undated Term", pd.NaT, pd.NaT),
        "term_ends_before_start": ("Backward Term", year["end_date"], year["start_date"]),
        "term_too_long": ("Endless Term", year["start_date"], year["start_date"] + pd.Timedelta(days=1500)),
    }
    for check, (name, start, end) in names.items():
        id = str(uuids(garden.rng, 1)[0])
        garden.add_row("terms", 0, id=id, name=name, label=name, term_type="term", start_date=start, end_date=end)
        garden.note(check, "terms", id, name)


def _empty_sections(garden: _Garden) -> None:
    for check, relation in (("section_without_teacher", "teacher_in"), ("section_without_students", "student_in")):
        ids = garden.tables["sections"]["id"].iloc[garden.pick("sections", count=2)]
        garden.drop_links(garden.links["relation"].eq(relation) & garden.links["target_id"].isin(ids))
        for id in ids:
            garden.note(check, "sections", id, f"no {relation} link")


def _memberships(garden: _Garden) -> None:
    """Memberships that only one side states, that come twice, or that make a student a teacher."""
    links = garden.links
    free = links["relation"].eq("student_in") & ~links["source_id"].isin(garden.used)
    free &= ~links["target_id"].isin(garden.used)
    rows = garden.rng.permutation(np.flatnonzero(free.to_numpy()))
    _, first = np.unique(links["source_id"].iloc[rows].to_numpy(dtype=str), return_index=True)
    rows = rows[np.sort(first)][:6]
    ids = links["source_id"].iloc[rows].tolist()
    garden.used.update(ids)
    for n, (row, id) in enumerate(zip(rows[:4], ids[:4], strict=True)):
        links.loc[links.index[row], "stated_by"] = ("source", "target")[n % 2]
        garden.note("one_sided_membership", "persons", id, f"stated by the {('person', 'section')[n % 2]} only")
    if len(rows) == 6:
        again, teaching = links.iloc[[rows[4]]].copy(), links.iloc[[rows[5]]].copy()
        again["membership_id"] = uuids(garden.rng, 1)
        garden.note("duplicate_membership", "persons", ids[4], "in the same section twice")
        teaching["relation"], teaching["role"], teaching["stated_by"] = "teacher_in", "teacher", "target"
        teaching["membership_id"] = uuids(garden.rng, 1)
        garden.note("student_and_teacher_of_section", "sections", teaching["target_id"].iloc[0], "a student teaches it")
        garden.add_links(pd.concat([again, teaching]))


def _wrong_types(garden: _Garden) -> None:
    """A section whose course is a term."""
    links, terms = garden.links, garden.tables["terms"]
    for row in garden.pick("sections", count=2) if len(terms) else ():
        id = garden.tables["sections"]["id"][row]
        its = links.index[links["relation"].eq("of_course") & links["source_id"].eq(id)]
        links.loc[its, "target_type"] = "term"
        links.loc[its, "target_id"] = terms["id"].iloc[0]
        links.loc[its, "stated_by"] = "source"
        garden.note("wrong_target_type", "sections", id, "its course is a term")


_STEPS: tuple[Callable[[_Garden], None], ...] = (
    _shared_values,
    _same_person_twice,
    _nameless,
    _bad_values,
    _rows_that_repeat,
    _terms,
    _empty_sections,
    _memberships,
    _wrong_types,
)
