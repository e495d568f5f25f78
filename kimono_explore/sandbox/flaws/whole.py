"""How flaws come into a whole roster or table: functions that `catalogue.WHOLE` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.problems import REFUSED

if TYPE_CHECKING:
    from kimono_explore.sandbox.flaws.editor import RosterEditor

_FEWEST = 20
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
