"""A roster while flaws are planted in it: picks objects, changes them, and keeps the list of what was done."""

from __future__ import annotations

import uuid
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np
import pandas as pd

from kimono_explore.frames import add_rows, frame
from kimono_explore.schema import OBJECT_TYPES, TABLES, Problem, declared

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from kimono_explore.roster.roster import Roster

    Mask = NDArray[np.bool_]
    Inject: TypeAlias = Callable[["RosterEditor", str], None]

_KINDS = {"orgs": "org_type", "persons": "person_type", "terms": "term_type"}
_NEW_TEACHERS = (("Noor", "Vandermeer"), ("Iris", "Oyelaran"), ("Tomás", "Quisling-Roe"), ("Wen", "Abernathy"))


class RosterEditor:
    """Plants flaws: holds copies of the tables, changes to the links, and the list of what was planted.

    The cells and the links of an object count separately: a flaw in one leaves the other free for another flaw.
    """

    def __init__(self, roster: Roster, seed: int) -> None:
        self.roster = roster
        self.rng = np.random.default_rng([seed, len(roster.links), len(roster.persons)])
        self.tables = {name: df.copy() for name, df in roster.tables.items()}
        self._ids = {name: df["id"] for name, df in roster.tables.items()}
        self._links = roster.links.copy()
        self._dropped = np.zeros(len(roster.links), dtype=bool)
        self._used: dict[bool, set[str]] = {False: set(), True: set()}
        self._new_links: list[dict[str, object]] = []
        self._new_rows: dict[str, list[dict[str, object]]] = {name: [] for name in TABLES}
        self._problems = list(roster.problems.itertuples(index=False, name=None))
        self._planted: list[tuple[str, str, str | None, str]] = []
        self._sessions = 0
        self._terms: tuple[int, pd.DataFrame] = 0, roster.terms

    # Looking: the roster as it was.

    def relation(self, name: str) -> pd.DataFrame:
        """The links of a relation as they were: source_id, target_id, at their rows in links."""
        if name not in self._relations:
            rows = np.flatnonzero((self.roster.links["relation"] == name).to_numpy())
            self._relations[name] = self.roster.links[["source_id", "target_id"]].iloc[rows]
        return self._relations[name]

    @cached_property
    def _relations(self) -> dict[str, pd.DataFrame]:
        return {}

    def sources(self, relation: str, target: str) -> list[str]:
        """The ids of what is linked to an object."""
        links = self.relation(relation)
        return [str(id) for id in links.loc[links["target_id"] == target, "source_id"]]

    def targets(self, relation: str, source: str) -> list[str]:
        """The ids of what an object is linked to."""
        links = self.relation(relation)
        return [str(id) for id in links.loc[links["source_id"] == source, "target_id"]]

    def quiet(self, relation: str, person: str) -> str:
        """One of a person's sections, preferably without a flaw; no other flaw may use it then."""
        ids = self.targets(relation, person)
        section = next((id for id in ids if id not in self._used[True]), ids[0])
        self._used[True].add(section)
        return section

    @cached_property
    def sections(self) -> pd.DataFrame:
        """Row by row of sections: course, school, term (ids), size, and the sections that its busiest teacher has."""
        ids = self._ids["sections"]
        teaching = self.relation("teacher_in")
        busiest = teaching["source_id"].map(teaching["source_id"].value_counts()).groupby(teaching["target_id"]).max()
        least = teaching["source_id"].map(teaching["source_id"].value_counts()).groupby(teaching["target_id"]).min()
        return pd.DataFrame(
            {
                "course": self._first("of_course", ids),
                "school": self._first("held_at", ids),
                "term": self._first("in_term", ids),
                "size": ids.map(self.relation("student_in")["target_id"].value_counts()).fillna(0).astype("int64"),
                "busiest": ids.map(busiest).fillna(0).astype("int64"),
                "least": ids.map(least).fillna(0).astype("int64"),
            }
        )

    @cached_property
    def persons(self) -> pd.DataFrame:
        """Row by row of persons: school (id), and the number of sections as a student."""
        ids = self._ids["persons"]
        load = ids.map(self.relation("student_in")["source_id"].value_counts()).fillna(0).astype("int64")
        return pd.DataFrame({"school": self._first("member_of", ids), "load": load})

    def _first(self, relation: str, ids: pd.Series) -> pd.Series:
        links = self.relation(relation).drop_duplicates("source_id")
        return ids.map(links.set_index("source_id")["target_id"])

    def spare_teacher(self) -> Mask:
        """Sections whose teachers have others besides, and not too many."""
        return ((self.sections["least"] >= 3) & (self.sections["busiest"] <= 5)).to_numpy()

    def spare_seats(self) -> Mask:
        """Students whose sections do not get small without them."""
        small = self._ids["sections"][(self.sections["size"] < 8).to_numpy()]
        links = self.relation("student_in")
        return ~self.among(links.loc[links["target_id"].isin(small), "source_id"])

    def spare_time(self, school: object) -> Mask:
        """Students of a school who could take one more section."""
        return ((self.persons["school"] == school) & (self.persons["load"] <= 8)).to_numpy()

    def among(self, ids: Sequence[str] | pd.Series) -> Mask:
        """The persons with these ids."""
        return self._ids["persons"].isin(ids).to_numpy()

    def year(self) -> pd.Series | None:
        """The longest term."""
        terms = self.roster.terms
        days = (terms["end_date"] - terms["start_date"]).dt.days.fillna(0)
        return terms.iloc[int(days.to_numpy().argmax())] if days.any() else None

    def free(self, table: str, *, links: bool = False) -> Mask:
        """The rows without a flaw so far: in their cells, or in their links."""
        ids = self._ids[table]
        return (ids.notna() & ~ids.isin(list(self._used[links]))).to_numpy()

    def pick(
        self,
        table: str,
        count: int,
        kind: str | None = None,
        *,
        where: Mask | None = None,
        links: bool = False,
        plain: bool = False,
        mark: bool = True,
    ) -> list[int]:
        """Some rows, or fewer, without a flaw so far.

        Parameters
        ----------
        table : str
        count : int
        kind : str, optional
            The type of org, person or term.
        where : array of bool, optional
            Only these.
        links : bool, default False
            For a flaw in their links, not in their cells.
        plain : bool, default False
            Only persons whose names are plain letters.
        mark : bool, default True
            No other flaw may have them.
        """
        rows = self.rng.permutation(np.flatnonzero(self._candidates(table, kind, where, links=links, plain=plain)))[
            :count
        ]
        if mark:
            for row in rows:
                self.use(table, int(row), links=links)
        return [int(row) for row in rows]

    def _candidates(
        self, table: str, kind: str | None, where: Mask | None = None, *, links: bool = False, plain: bool = False
    ) -> Mask:
        df, mask = self.roster.tables[table], self.free(table, links=links)
        if kind is not None:
            mask = mask & (df[_KINDS[table]] == kind).to_numpy()
        if where is not None:
            mask = mask & where
        if plain:
            mask = mask & np.array([str(name).isascii() for name in df["name_first"] + df["name_last"]], dtype=bool)
        return mask

    def pair(self, table: str, keys: list[str], kind: str | None = None) -> list[int]:
        """Two rows that agree in these columns, or none."""
        df = self.roster.tables[table]
        facts = self.sections if table == "sections" else self.persons if table == "persons" else df
        values = pd.DataFrame({key: facts[key] if key in facts.columns else df[key] for key in keys}, index=df.index)
        first: dict[tuple[object, ...], int] = {}
        # What two agree in is mostly links of theirs: so neither cells nor links may have another flaw.
        fit = self._candidates(table, kind, links=True) & self.free(table)
        for row in self.rng.permutation(np.flatnonzero(fit)):
            other = first.setdefault(tuple(values.iloc[row]), int(row))
            if other != row:
                for one in (other, int(row)):
                    self.use(table, one, links=True)
                    self.use(table, one, links=False)
                return [other, int(row)]
        return []

    def use(self, table: str, row: int, *, links: bool = True) -> None:
        """Reserve the object for the current flaw."""
        self._used[links].add(str(self._ids[table].iloc[row]))

    def id(self, table: str, row: int) -> str:
        """The id in a row."""
        return cast("str", self.tables[table]["id"].iloc[row])

    def row(self, table: str, id: str) -> int:
        """The row of an id."""
        return int(np.flatnonzero((self._ids[table] == id).to_numpy())[0])

    def noted(self, check: str, table: str, id: str) -> bool:
        """Whether the object is on the check's list."""
        return any(plant[:3] == (check, table, id) for plant in self._planted)

    # Changing.

    def note(self, check: str, table: str, what: int | str | None, note: str) -> None:
        """Record that the check should find the object, given by its row or id; the whole table, where neither is."""
        id = self.id(table, what) if isinstance(what, int) else what
        self._planted.append((check, table, None if pd.isna(id) else id, note))

    def problem(self, table: str, id: str | None, column: str | None, value: str, problem: str) -> None:
        """Keep a value that does not fit its column, or what went wrong with a whole list."""
        self._problems.append(Problem(table, id, column, value, problem))

    def set(self, table: str, row: int, **values: object) -> None:
        """Change cells; the label follows the name."""
        df = self.tables[table]
        for column, value in values.items():
            if column not in df.columns:
                df[column] = pd.Series(index=df.index, dtype="str")
            df.loc[row, column] = cast("str | None", value)
        if {"name_first", "name_last", "title"} & set(values):
            shown = df.iloc[row][["title"] if "title" in df.columns else ["name_first", "name_last"]].dropna()
            df.loc[row, "label"] = " ".join(shown) or None

    def back_date(self, days: int) -> None:
        """Make everything older by this much, and never updated since."""
        for df in self.tables.values():
            df["created_at"] -= pd.Timedelta(days=days)
            df["updated_at"] = df["created_at"].where(df["updated_at"].notna())
        for row in (row for rows in self._new_rows.values() for row in rows):
            row["created_at"] = row["updated_at"] = cast("pd.Timestamp", row["created_at"]) - pd.Timedelta(days=days)

    def new_id(self) -> str:
        """An id that nothing has."""
        return str(uuid.UUID(bytes=self.rng.bytes(16), version=4))

    def add(self, table: str, **values: object) -> str:
        """A new object; its id."""
        likely = self.roster.orgs.iloc[-1] if len(self.roster.orgs) else pd.Series(dtype="object")
        stamps = {name: likely.get(name) for name in ("school_year", "created_at", "updated_at")}
        label = values.get("title", values.get("name"))
        local = {"local_id": f"X{sum(map(len, self._new_rows.values())):04d}"} if table in ("orgs", "courses") else {}
        row = {"id": self.new_id(), "label": label, **stamps, **local, **values}
        self._new_rows[table].append(row)
        return cast("str", row["id"])

    def person(self) -> str:
        """A new teacher."""
        number = len(self._new_rows["persons"])
        first, last = _NEW_TEACHERS[number % len(_NEW_TEACHERS)]
        return self.add(
            "persons",
            label=f"{first} {last}",
            person_type="teacher",
            name_first=first,
            name_last=last,
            local_id=f"{990_001 + number}",
            state_id=f"{9_900_001 + number}",
            email=f"new.teacher{number + 1}@example.org",
            dob=pd.Timestamp(1985, 4, 1 + number),
            sex="X",
        )

    def section(self, like: int, term: str | None = None, **values: object) -> str:
        """A new section of the course, school and teacher of another one, and of its term or the one that is named."""
        donor, facts = self.roster.sections.iloc[like], self.sections.iloc[like]
        number = len(self._new_rows["sections"]) + 1
        local_id, title = f"{donor['local_id']}-N{number}", f"{donor['title']} (new {number})"
        section = self.add("sections", local_id=local_id, title=title, **values)
        self.link("of_course", "section", section, "course", str(facts["course"]), stated_by="both")
        self.link("held_at", "section", section, "org", str(facts["school"]))
        self.link("in_term", "section", section, "term", term or str(facts["term"]))
        self.member("teacher_in", self.sources("teacher_in", str(donor["id"]))[0], "section", section, "teacher")
        return section

    def past(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Three weeks of a past summer in which there is no other term."""
        self._sessions += 1
        begin = self.roster.terms["start_date"].min()
        year = (self.roster.loaded_at if pd.isna(begin) else begin).year - 1 - self._sessions
        return pd.Timestamp(year, 7, 6), pd.Timestamp(year, 7, 24)

    def term(self, name: str, start: object, end: object, kind: str = "session") -> str:
        """A new term, without sections."""
        return self.add("terms", name=name, term_type=kind, start_date=start, end_date=end, status="Active")

    def link(
        self,
        relation: str,
        kind: str,
        source: str,
        far_kind: str,
        target: str,
        stated_by: str = "source",
        **more: object,
    ) -> None:
        """A new link."""
        ends = {"source_type": kind, "source_id": source, "target_type": far_kind, "target_id": target}
        self._new_links.append({**ends, "relation": relation, "stated_by": stated_by, **more})

    def member(
        self,
        relation: str,
        person: str,
        kind: str,
        id: str,
        role: str,
        *,
        stated_by: str = "both",
        primary: bool = True,
    ) -> None:
        """A new membership of a person."""
        own = {"role": role, "membership_id": self.new_id(), "status": "Active", "primary": primary}
        if kind == "section":
            term = self._term_of(id)
            own |= {"start_date": term["start_date"], "end_date": term["end_date"]}
        self.link(relation, "person", person, kind, id, stated_by, **own)

    def _term_of(self, section: str) -> pd.Series:
        """The term of a section, new or not; the first one, where it has none."""
        named = [
            new["target_id"] for new in self._new_links if (new["source_id"], new["relation"]) == (section, "in_term")
        ]
        wanted = [*named, *self.targets("in_term", section)]
        terms = self._terms_so_far()
        mine = terms[terms["id"].isin(wanted)]
        return (mine if len(mine) else terms).iloc[0]

    def _terms_so_far(self) -> pd.DataFrame:
        """The roster's terms and the new ones, put together again only where a new one has come."""
        new = self._new_rows["terms"]
        if self._terms[0] != len(new):
            self._terms = len(new), add_rows("terms", self.roster.terms, new)
        return self._terms[1]

    def drop(self, relation: str, *, source: str | None = None, target: str | None = None) -> None:
        """Remove an object's links of a relation."""
        links = self.relation(relation)
        gone = links["source_id"] == source if target is None else links["target_id"] == target
        self._dropped[links.index[gone]] = True

    def point(self, relation: str, source: str, target: str, stated_by: str | None = None) -> None:
        """Make a link lead elsewhere."""
        row = self._row_of(relation, source)
        self._links.loc[row, "target_id"] = target
        if stated_by is not None:
            self.state(relation, source, stated_by)

    def state(self, relation: str, source: str, by: str, target: str | None = None) -> None:
        """Make only one side state a link: the source's first of the relation, or the one to the target."""
        row = self._row_of(relation, source, target)
        self._links.loc[row, "stated_by"] = by

    def amend(self, relation: str, source: str, target: str, **values: object) -> None:
        """Change what a membership says of itself."""
        row = self._row_of(relation, source, target)
        for column, value in values.items():
            if (
                value is not None
                and isinstance(self._links[column].dtype, pd.CategoricalDtype)
                and value not in self._links[column].cat.categories
            ):
                self._links[column] = self._links[column].cat.add_categories([value])
            self._links.loc[row, column] = cast("str | None", value)

    def _row_of(self, relation: str, source: str, target: str | None = None) -> int:
        links = self.relation(relation)
        found = links["source_id"] == source
        return int(links.index[found if target is None else found & (links["target_id"] == target)][0])

    # What came of it.

    def result(self) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """The tables, links and problems with the flaws in them, and the list of flaws."""
        tables = {name: _in_order(name, add_rows(name, df, self._new_rows[name])) for name, df in self.tables.items()}
        links = add_rows("links", self._links[~self._dropped], self._new_links)
        for check, relation, table in (
            ("course_without_sections", "of_course", "courses"),
            ("term_without_sections", "in_term", "terms"),
        ):
            taken = links.loc[links["relation"] == relation, "target_id"]
            for id in tables[table]["id"][~tables[table]["id"].isin(taken)]:
                self.note(check, table, str(id), "no section")
        fields = list(zip(*self._problems, strict=True)) or [()] * len(Problem._fields)
        problems = frame("problems", dict(zip(Problem._fields, map(list, fields), strict=True)))
        columns = zip(("check", "table", "id", "note"), list(zip(*self._planted, strict=True)) or [()] * 4, strict=True)
        planted = pd.DataFrame({name: pd.Series(list(values), dtype="str") for name, values in columns})
        return tables, links, problems, planted


def type_of(table: str) -> str:
    """The type of a table's objects."""
    return OBJECT_TYPES[table]


def _in_order(name: str, df: pd.DataFrame) -> pd.DataFrame:
    """The columns in the order of a loaded table: declared ones, then others by name."""
    known = [column.name for column in declared(name)]
    return df[[*known, *sorted(column for column in df.columns if column not in known)]]
