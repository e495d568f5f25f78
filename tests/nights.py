"""What may happen to a district overnight: ordinary days, rollovers and incidents, for the tests of the gate."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from kimono_explore.frames import frame
from kimono_explore.gate.measures import schools
from kimono_explore.schema import OBJECT_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import kimono_explore as kx

    Chance = np.random.Generator


class Night(NamedTuple):
    """A roster after a night, and what the gate must say: the rules, and at which school (None: the whole district)."""

    roster: kx.Roster
    rules: tuple[str, ...] = ()
    school: str | None = None


def later(roster: kx.Roster, days: int = 1, **tables: pd.DataFrame) -> kx.Roster:
    """The roster, with some tables exchanged, as of some days later."""
    new = copy.copy(roster)
    for name, df in tables.items():
        setattr(new, name, df.reset_index(drop=True))
    new.loaded_at = roster.loaded_at + timedelta(days=days)
    new.__dict__.pop("index", None)
    return new


def renamed(roster: kx.Roster, table: str, ids: Iterable[str], chance: Chance, **columns: str) -> kx.Roster:
    """Some objects under new ids, in their table and in all links; ``columns`` are renumbered with a prefix as well."""
    type = OBJECT_TYPES[table]
    names = {id: f"new-{number}" for id, number in zip(ids, chance.permutation(10**6), strict=False)}
    df = roster.tables[table]
    mine = df["id"].isin(names)
    df = df.assign(id=df["id"].map(names).fillna(df["id"]))
    for column, prefix in columns.items():
        numbers = pd.Series([f"{prefix}{n}" for n in range(len(df))], index=df.index, dtype="str")
        df[column] = df[column].where(~mine, numbers)
    links = roster.links.copy()
    for end in ("source", "target"):
        of_type = (links[f"{end}_type"] == type).to_numpy()
        links.loc[of_type, f"{end}_id"] = links.loc[of_type, f"{end}_id"].replace(names)
    return later(roster, **{table: df, "links": links})


def students(roster: kx.Roster) -> pd.Series:
    return roster.persons.loc[roster.persons["person_type"] == "student", "id"]


def at_school(roster: kx.Roster, relation: str, school: str) -> pd.Series:
    links = roster.links
    return links.loc[(links["relation"] == relation) & (links["target_id"] == school), "source_id"].drop_duplicates()


def some_school(roster: kx.Roster, chance: Chance) -> str:
    return str(chance.choice(sorted(schools(roster).index)))


def without(roster: kx.Roster, ids: Iterable[str], *, links: bool = True) -> kx.Roster:
    """The roster without some objects, and without their links unless these stay."""
    gone = set(ids)
    tables = {name: df[~df["id"].isin(gone)] for name, df in roster.tables.items()}
    kept = roster.links
    if links:
        kept = kept[~kept["source_id"].isin(gone) & ~kept["target_id"].isin(gone)]
    return later(roster, **tables, links=kept)


def joined(roster: kx.Roster, count: int, chance: Chance) -> kx.Roster:
    """Students who join: each with a new name, in the school and the classes of another student."""
    models = chance.choice(students(roster), count)
    people = roster.persons.set_index("id").loc[models].reset_index()
    new_ids = [f"joined-{number}" for number in chance.permutation(10**6)[:count]]
    fresh = {
        column: pd.Series([f"{column}{number}" for number in chance.permutation(10**6)[:count]], dtype="str")
        for column in ("local_id", "state_id", "email", "name_first", "name_last")
        if column in people
    }
    people = people.assign(id=pd.Series(new_ids, dtype="str"), **fresh)
    people["dob"] = people["dob"] - pd.to_timedelta(chance.integers(1, 200, count), unit="D")
    links = [
        roster.links[roster.links["source_id"] == model].assign(source_id=id, membership_id=None)
        for model, id in zip(models, new_ids, strict=True)
    ]
    return later(
        roster,
        persons=pd.concat([roster.persons, people.astype(roster.persons.dtypes)]),
        links=pd.concat([roster.links, *links]).astype(roster.links.dtypes),
    )


def ordinary(roster: kx.Roster, chance: Chance) -> Night:
    """Some join, some leave, some change classes, some get another e-mail address or name, a teacher is replaced."""
    count = len(students(roster))
    leaving = chance.choice(students(roster), max(1, count * int(chance.integers(0, 9)) // 1000), replace=False)
    new = joined(without(roster, leaving), max(1, count * int(chance.integers(0, 9)) // 1000), chance)
    persons = new.persons.copy()
    married = chance.choice(len(persons), max(1, len(persons) // 200), replace=False)
    persons.loc[married, "name_last"] = "Newname"
    persons.loc[chance.choice(len(persons), len(persons) // 100, replace=False), "phone"] = "555-0100"
    # Schedules: up to five in a hundred enrollments move to another section of the same school and term.
    links = new.links.copy()
    rows = np.flatnonzero((links["relation"] == "student_in").to_numpy())
    moved = chance.choice(rows, int(len(rows) * chance.uniform(0.005, 0.05)), replace=False)
    places = dict(zip(*links.loc[links["relation"] == "held_at", ["source_id", "target_id"]].T.to_numpy(), strict=True))
    of_school: dict[str, list[str]] = {}
    for section, school in places.items():
        of_school.setdefault(school, []).append(section)
    there = links["target_id"].to_numpy(object)
    for row in moved:
        there[row] = chance.choice(of_school[places[there[row]]])
    links["target_id"] = pd.Series(there, index=links.index, dtype="str")
    links = links[~links.duplicated(["source_id", "relation", "target_id", "role"])]
    return Night(later(new, persons=persons, links=links))


def rollover(roster: kx.Roster, chance: Chance) -> Night:
    """The next school year: new terms and sections, one grade in twelve leaves, a quarter of each school moves on."""
    year = pd.DateOffset(years=1)
    terms = {id: f"{id}-next" for id in roster.terms["id"]}
    sections = {id: f"{id}-next" for id in roster.sections["id"]}
    new_terms = roster.terms.assign(
        id=roster.terms["id"].map(terms).astype("str"), start_date=(roster.terms["start_date"] + year).astype("datetime64[us]"),
        end_date=(roster.terms["end_date"] + year).astype("datetime64[us]"),
        name=roster.terms["name"].str.replace("2026", "2027", regex=False),
        school_year=(roster.terms["school_year"].astype("Int64") + 1).astype("str"),
    )  # fmt: skip
    new_sections = roster.sections.assign(id=roster.sections["id"].map(sections).astype("str"), school_year="2028")
    leaving = set(chance.choice(students(roster), len(students(roster)) // 12, replace=False))
    rest = without(roster, leaving)
    links = rest.links.copy()
    for end in ("source", "target"):
        for type, names in (("term", terms), ("section", sections)):
            of_type = (links[f"{end}_type"] == type).to_numpy()
            links.loc[of_type, f"{end}_id"] = links.loc[of_type, f"{end}_id"].map(names)
    links["target_id"] = _moved_on(links, sorted(schools(roster).index), set(students(rest)), chance)
    enrolled = (links["relation"] == "student_in").to_numpy()
    links.loc[enrolled, "target_id"] = chance.choice(new_sections["id"].to_numpy(object), int(enrolled.sum()))
    links = links[~links.duplicated(["source_id", "relation", "target_id", "role"])]
    new = later(rest, persons=rest.persons, terms=new_terms, sections=new_sections, links=links)
    new = joined(new, len(leaving), chance)
    new.loaded_at = roster.terms["end_date"].max().to_pydatetime().replace(tzinfo=roster.loaded_at.tzinfo) + timedelta(
        30
    )
    return Night(new)


def _moved_on(links: pd.DataFrame, orgs: list[str], people: set[str], chance: Chance) -> pd.Series:
    there = links["target_id"].to_numpy(object).copy()
    rows = np.flatnonzero(((links["relation"] == "member_of") & links["source_id"].isin(people)).to_numpy())
    rows = rows[np.isin(there[rows], orgs)]
    for row in chance.choice(rows, len(rows) // 4, replace=False):
        there[row] = orgs[(orgs.index(there[row]) + 1) % len(orgs)]
    return pd.Series(there, index=links.index, dtype="str")


def courses_recreated(roster: kx.Roster, chance: Chance) -> Night:
    """A patch re-created every course id."""
    return Night(renamed(roster, "courses", roster.courses["id"], chance), ("courses-recreated",))


def calendar_rebuilt(roster: kx.Roster, chance: Chance) -> Night:
    """One school's new calendar re-created its sections, with new local ids."""
    school = some_school(roster, chance)
    ids = at_school(roster, "held_at", school)
    new = renamed(roster, "sections", ids, chance, local_id="CL27-")
    return Night(new, ("sections-recreated", "enrollments-recreated"), school)


def source_down(roster: kx.Roster, chance: Chance) -> Night:
    """The source was down: nobody is there, or hardly anybody."""
    share = chance.choice([1.0, 0.9, 0.7])
    gone = chance.choice(students(roster), int(share * len(students(roster))), replace=False)
    rules = ("students-gone",)
    if share == 1.0:
        gone, rules = roster.persons["id"], ("empty-table",)
    return Night(without(roster, gone), rules)


def page_lost(roster: kx.Roster, chance: Chance) -> Night:
    """A page of persons did not arrive; the sections still name them."""
    start = int(chance.integers(0, len(roster.persons) // 2))
    lost = roster.persons["id"].iloc[start : start + len(roster.persons) // 5]
    return Night(without(roster, lost, links=False), ("students-unknown",))


def primary_flips(roster: kx.Roster, chance: Chance) -> Night:
    """The primary teacher of eleven sections in a hundred is another one."""
    school = some_school(roster, chance)
    links = roster.links.copy()
    ours = at_school(roster, "held_at", school)
    primary = (links["relation"] == "teacher_in") & links["primary"].fillna(False).astype(bool)
    rows = np.flatnonzero((primary & links["target_id"].isin(ours)).to_numpy())
    count = max(6, round(0.11 * len(ours)))
    picked = chance.choice(rows, min(count, len(rows)), replace=False)
    teachers = roster.persons.loc[roster.persons["person_type"] == "teacher", "id"].to_numpy(object)
    there = links["source_id"].to_numpy(object).copy()
    for row in picked:
        there[row] = chance.choice(teachers[teachers != there[row]])
    links["source_id"] = pd.Series(there, index=links.index, dtype="str")
    return Night(later(roster, links=links), ("primary-teachers",), school)


def all_ids_new(roster: kx.Roster, chance: Chance) -> Night:
    """A system moved from OneRoster 1.1 to 1.2, and every id is another one."""
    new = roster
    for table in ("orgs", "persons", "courses", "sections", "terms"):
        new = renamed(new, table, new.tables[table]["id"], chance)
    return Night(later(roster, **new.tables, links=new.links), ("students-recreated", "sections-recreated"))


def school_lost(roster: kx.Roster, chance: Chance) -> Night:
    """A school is not delivered, nor who and what belongs to it."""
    school = some_school(roster, chance)
    return Night(without(roster, [school, *at_school(roster, "held_at", school)]), ("school-gone",), school)


def enrollments_lost(roster: kx.Roster, chance: Chance) -> Night:
    """At one school a third of the enrollments is missing."""
    school = some_school(roster, chance)
    ours = set(at_school(roster, "held_at", school))
    links = roster.links
    rows = np.flatnonzero(((links["relation"] == "student_in") & links["target_id"].isin(ours)).to_numpy())
    gone = chance.choice(rows, round(0.34 * len(rows)), replace=False)
    return Night(later(roster, links=links.drop(index=links.index[gone])), ("enrollments-removed",), school)


def teachers_lost(roster: kx.Roster, chance: Chance) -> Night:
    """All teachers of a school are missing."""
    teachers = set(roster.persons.loc[roster.persons["person_type"] == "teacher", "id"])
    sizes = {school: len(teachers & set(at_school(roster, "member_of", school))) for school in schools(roster).index}
    school = str(chance.choice([school for school, size in sizes.items() if size > 5]))
    return Night(without(roster, teachers & set(at_school(roster, "member_of", school))), ("teachers-removed",), school)


def emails_emptied(roster: kx.Roster, chance: Chance) -> Night:
    """The students of one school have lost their e-mail addresses."""
    school = some_school(roster, chance)
    ours = roster.persons["id"].isin(at_school(roster, "member_of", school)) & (
        roster.persons["person_type"] == "student"
    )
    persons = roster.persons.assign(email=roster.persons["email"].mask(ours).astype("str"))
    return Night(later(roster, persons=persons), ("column-emptied",), school)


def column_vanished(roster: kx.Roster, chance: Chance) -> Night:
    """A column of all persons is no longer sent."""
    column = str(chance.choice(["dob", "local_id", "sex"]))
    empty = frame("persons", {"id": roster.persons["id"].tolist()})[column]
    return Night(later(roster, persons=roster.persons.assign(**{column: empty})), ("column-emptied",))


INCIDENTS: tuple[Callable[[kx.Roster, Chance], Night], ...] = (
    courses_recreated, calendar_rebuilt, source_down, primary_flips, all_ids_new,
    page_lost, school_lost, enrollments_lost, teachers_lost, emails_emptied, column_vanished,
)  # fmt: skip
"""The first five are known from public incidents."""
