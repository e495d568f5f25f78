"""How flaws come into a whole roster or table: functions that `catalogue.WHOLE` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.problems import REFUSED

if TYPE_CHECKING:
    from kimono_explore.sandbox.flaws.editor import RosterEditor

_FEWEST = 20
_SESSIONS = (9, 6)
"""The sections of two schools: as few as are enough to tell whose a session is, and of the second one too many."""
_SHARE = 0.75


def nothing_updated(editor: RosterEditor, check: str) -> None:
    """All that there is was sent a year ago, and never since."""
    editor.back_date(366)
    editor.note(check, "persons", None, "nothing was updated for more than a year")


def created_on_one_day(editor: RosterEditor, check: str) -> None:
    """Three quarters of all persons, made anew six weeks after the school year began."""
    year, persons = editor.year(), editor.tables["persons"]
    if year is None or len(persons) < _FEWEST:
        return
    day = (year["start_date"] + pd.Timedelta(days=45)).tz_localize("UTC")
    anew = pd.Series(editor.rng.permutation(len(persons)) < _SHARE * len(persons), index=persons.index)
    for column in ("created_at", "updated_at"):
        # A time that could not be read stays unknown.
        persons[column] = persons[column].mask(anew & persons[column].notna(), day)
    editor.note(check, "persons", None, f"{int(anew.sum()):,} persons created on {day.date()}")


def second_district(editor: RosterEditor, check: str) -> None:
    """A second district, without schools."""
    district = editor.add("orgs", name="Prairie Crossing Public Schools", org_type="lea")
    editor.note(check, "orgs", district, "a district without schools")


def no_district(editor: RosterEditor, check: str) -> None:
    """The district is there, and is not called one."""
    for row in (editor.tables["orgs"]["org_type"] == "lea").to_numpy().nonzero()[0].tolist():
        editor.set("orgs", row, org_type="agency")
        editor.note("unknown_org_type", "orgs", row, "org_type: 'agency'")
        editor.note(check, "orgs", None, "no org is a district")


def refused_list(editor: RosterEditor, check: str) -> None:
    """A list that the server refused in part."""
    editor.problem("grading_categories", None, None, "403", f"{REFUSED}: 403")
    editor.note(check, "grading_categories", None, "the list was refused")


def sessions_of_two_schools(editor: RosterEditor, check: str) -> None:
    """A school and a new one with a summer session of their own, without students; one section is in the other's."""
    offers = editor.relation("offered_by")
    if offers.empty:
        return
    course, west = (str(id) for id in offers.iloc[0])
    teachers = _teachers_of(editor, west)[: max(_SESSIONS)]
    if len(teachers) < _SESSIONS[1]:
        return
    east = editor.add("orgs", name="Sunrise Summer School", org_type="school")
    editor.note("school_without_students", "orgs", east, "a summer school of which the students are not known")
    for lea in editor.tables["orgs"].query("org_type == 'lea'")["id"].head(1):
        editor.link("child_of", "org", east, "org", lea, stated_by="both")
    editor.link("offered_by", "course", course, "org", east)
    places = (("West", west), ("East", east))
    terms = {name: editor.term(f"Summer Session {name}", *editor.past()) for name, _ in places}
    for (name, school), count in zip(places, _SESSIONS, strict=True):
        for number in range(1, count + 1):
            # Each teacher takes a few more, so that nobody has too many.
            teacher = teachers[number % len(teachers)]
            term = "West" if number == _SESSIONS[1] else name
            section = editor.add("sections", title=f"{name} Camp {number}", local_id=f"CAMP-{name[0]}{number}")
            editor.link("of_course", "section", section, "course", course, stated_by="both")
            editor.link("held_at", "section", section, "org", school)
            editor.link("in_term", "section", section, "term", terms[term])
            editor.member("teacher_in", teacher, "section", section, "teacher")
            if school == east:
                editor.member("member_of", teacher, "org", school, "teacher", primary=False)
            editor.note("section_without_students", "sections", section, "no students are known")
            if term != name:
                editor.note(check, "sections", section, "in the session of another school")


def _teachers_of(editor: RosterEditor, school: str) -> list[str]:
    """The teachers of a school who have sections."""
    teaching = set(editor.relation("teacher_in")["source_id"])
    return [person for person in editor.sources("member_of", school) if person in teaching]
