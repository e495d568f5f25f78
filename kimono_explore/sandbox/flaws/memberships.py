"""How flaws come into memberships: their dates, status, role and primary flag, and the status of who has them.

They are planted last, and for the week or two before October 5 of the school year, when every year-long section goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from kimono_explore.schema import IN_SECTION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from kimono_explore.sandbox.flaws.editor import Inject, RosterEditor

    Change = Callable[[pd.Timestamp, pd.Timestamp], Mapping[str, object]]
"""New values of a membership, from the first and the last day of its section."""


def enrollments(*changes: Change, also: tuple[str, ...] = (), born: bool = False) -> Inject:
    """One student for each change, of whom one enrollment gets other values."""

    def inject(editor: RosterEditor, check: str) -> None:
        for row, change in zip(_students(editor, len(changes), born=born), changes, strict=False):
            person = editor.id("persons", row)
            values = change(*_days(editor))
            for section in _year_long(editor, person):
                editor.amend("student_in", person, section, **values)
                for name in (check, *also):
                    editor.note(name, "persons", row, _shown(values))

    return inject


def seated_after_leaving(editor: RosterEditor, check: str) -> None:
    """Students who moved to another school, and are still in the sections of the one that they left."""
    for row in _students(editor, 2):
        person = editor.id("persons", row)
        for new in _other_school(editor, person):
            start, _ = _days(editor)
            left = {"status": "Historical", "start_date": start, "end_date": start + pd.Timedelta(days=14)}
            editor.amend("member_of", person, editor.targets("member_of", person)[0], **left)
            editor.member("member_of", person, "org", new, "student")
            editor.note(check, "persons", row, "moved to another school, and is still in the old one's sections")


def two_schools(editor: RosterEditor, check: str) -> None:
    """Students who moved to another school, and whose time at the old one was never ended."""
    for row in _students(editor, 2):
        person = editor.id("persons", row)
        for new in _other_school(editor, person):
            editor.member("member_of", person, "org", new, "student")
            for name in (check, "student_without_one_primary_school"):
                editor.note(name, "persons", row, "in two schools, both of them primary")


def inactive(kind: str) -> Inject:
    """Persons of a kind who are inactive or marked for deletion, and are in sections."""

    def inject(editor: RosterEditor, check: str) -> None:
        for status in ("inactive", "tobedeleted"):
            for row in editor.pick("persons", 1, kind, where=editor.free("persons") & _seated(editor), links=True):
                editor.set("persons", row, ext_status=status)
                editor.use("persons", row, links=False)
                editor.note(check, "persons", row, f"ext_status: {status!r}")

    return inject


def inactive_sections(editor: RosterEditor, check: str) -> None:
    """Sections that are inactive, with people in them."""
    where = editor.free("sections") & _long(editor) & ~_taught_by_inactive(editor)
    for row in editor.pick("sections", 2, where=where, links=True):
        editor.set("sections", row, ext_status="inactive")
        editor.note(check, "sections", row, "ext_status: 'inactive'")


def student_as_teacher(editor: RosterEditor, check: str) -> None:
    """Students who are listed among the teachers of a section that they do not attend."""
    for row in _students(editor, 2):
        for section in _strange_section(editor, row):
            editor.member("teacher_in", editor.id("persons", row), "section", section, "teacher", primary=False)
            editor.note(check, "persons", row, "listed as a teacher")


def teacher_as_student(editor: RosterEditor, check: str) -> None:
    """Teachers who are listed among the students of a section that they do not teach."""
    for row in editor.pick("persons", 2, "teacher", where=_seated(editor), links=True):
        for section in _strange_section(editor, row):
            editor.member("student_in", editor.id("persons", row), "section", section, "student")
            editor.note(check, "persons", row, "listed as a student")


def primary_teachers(editor: RosterEditor, check: str) -> None:
    """A section whose teacher is not the primary one, and one with two that are."""
    alone = editor.sections.index.map(lambda row: len(editor.sources("teacher_in", editor.id("sections", row)))) == 1
    for row in editor.pick("sections", 1, where=_long(editor) & np.asarray(alone), links=True):
        section = editor.id("sections", row)
        editor.amend("teacher_in", editor.sources("teacher_in", section)[0], section, primary=False)
        editor.note(check, "sections", row, "no primary teacher")
    for person_row in editor.pick("persons", 1, "teacher", where=_seated(editor), links=True):
        for section in _strange_section(editor, person_row):
            person = editor.id("persons", person_row)
            editor.member("teacher_in", person, "section", section, "teacher")
            editor.note(check, "sections", section, "two primary teachers")


def no_primary_school(editor: RosterEditor, check: str) -> None:
    """A student of one school, which is not the primary one."""
    for row in _students(editor, 1):
        person = editor.id("persons", row)
        editor.amend("member_of", person, editor.targets("member_of", person)[0], primary=False)
        editor.note(check, "persons", row, "one school, not the primary one")


def _students(editor: RosterEditor, count: int, *, born: bool = False) -> list[int]:
    """Students in a year-long section that no other flaw has; with a plausible date of birth, where that is asked."""
    where = editor.among(_in_long_sections(editor))
    if born:
        dob = editor.tables["persons"]["dob"]
        where = where & ((dob > pd.Timestamp(1995, 1, 1)) & (dob < pd.Timestamp(2024, 1, 1))).to_numpy(dtype=bool)
    return editor.pick("persons", count, "student", where=where, links=True)


def _in_long_sections(editor: RosterEditor) -> pd.Series:
    seats = editor.relation("student_in")
    free = editor.tables["sections"]["id"][_long(editor) & editor.free("sections", links=True)]
    return seats.loc[seats["target_id"].isin(free), "source_id"]


def _year_long(editor: RosterEditor, person: str) -> list[str]:
    """A year-long section of the student's, if one is left that no other flaw has; no other may have it then."""
    ids = editor.tables["sections"]["id"]
    fit = ids.isin(editor.targets("student_in", person)) & _long(editor) & editor.free("sections", links=True)
    rows = np.flatnonzero(fit.to_numpy())[:1].tolist()
    for row in rows:
        editor.use("sections", row)
    return [editor.id("sections", row) for row in rows]


def _long(editor: RosterEditor) -> NDArray[np.bool_]:
    """The sections that go on for the whole year."""
    year = editor.year()
    return (editor.sections["term"] == (None if year is None else year["id"])).to_numpy(dtype=bool)


def _days(editor: RosterEditor) -> tuple[pd.Timestamp, pd.Timestamp]:
    year = cast("pd.Series", editor.year())
    return year["start_date"], year["end_date"]


def _seated(editor: RosterEditor) -> NDArray[np.bool_]:
    """The persons with a year-long section, as a student or as a teacher."""
    long = editor.tables["sections"]["id"][_long(editor) & editor.free("sections", links=True)]
    seats = pd.concat([editor.relation(name) for name in IN_SECTION])
    return editor.among(seats.loc[seats["target_id"].isin(long), "source_id"])


def _taught_by_inactive(editor: RosterEditor) -> NDArray[np.bool_]:
    persons = editor.tables["persons"]
    gone = persons["id"][persons["ext_status"].notna()] if "ext_status" in persons else persons["id"][:0]
    taught = editor.relation("teacher_in")
    return editor.tables["sections"]["id"].isin(taught.loc[taught["source_id"].isin(gone), "target_id"]).to_numpy()


def _other_school(editor: RosterEditor, person: str) -> list[str]:
    """A school that the person is not in, if there is one."""
    own = editor.targets("member_of", person)
    schools = editor.roster.orgs.query("org_type == 'school'")["id"]
    return [str(id) for id in schools[~schools.isin(own)].head(1)]


def _strange_section(editor: RosterEditor, row: int) -> list[str]:
    """A section of the person's school that the person has nothing to do with."""
    person = editor.id("persons", row)
    mine = editor.targets("student_in", person) + editor.targets("teacher_in", person)
    ids, school = editor.tables["sections"]["id"], editor.targets("member_of", person)[:1]
    where = editor.sections["school"].isin(school) & ~ids.isin(mine) & (editor.sections["size"] < 44)
    return [
        editor.id("sections", n) for n in editor.pick("sections", 1, where=where.to_numpy() & _long(editor), links=True)
    ]


def _shown(values: Mapping[str, object]) -> str:
    return "; ".join(f"{c}: {v.date() if isinstance(v, pd.Timestamp) else v!r}" for c, v in values.items())
