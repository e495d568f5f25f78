"""A OneRoster bundle, beside `read_csv` and loops. The bundle is real data, which the repository does not hold."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import kimono_explore as kx

if TYPE_CHECKING:
    from collections.abc import Callable

OULAD = (
    Path(os.environ.get("KIMONO_EXPLORE_DATA", Path(__file__).parents[2] / "shared" / "data")) / "oulad-oneroster.zip"
)


def prepare(_folder: Path, _size: float) -> None:
    """Nothing: the bundle is there."""


def ours(_folder: Path) -> Callable[[], object]:
    """`read_oneroster`."""

    def run() -> object:
        roster = kx.read_oneroster(OULAD)
        relations = roster.links["relation"].astype("str").value_counts()
        return [
            len(roster.persons),
            int(relations["student_in"]),
            int(relations["member_of"]),
            int(relations["held_at"]),
        ]

    return run


def loops(_folder: Path) -> Callable[[], object]:
    """Each file by `read_csv`; persons and links row by row."""

    def run() -> object:
        with zipfile.ZipFile(OULAD) as bundle:
            tables = {name: pd.read_csv(bundle.open(name), dtype="str") for name in bundle.namelist()}
        persons, links = {}, []
        for row in tables["users.csv"].itertuples():
            if row.role in ("student", "teacher"):
                persons[row.sourcedId] = (row.role, row.givenName, row.familyName, row.middleName, row.email, row.phone)
                orgs = row.orgSourcedIds.split(",") if isinstance(row.orgSourcedIds, str) else []
                links += [(row.sourcedId, "member_of", org, row.role, None, None) for org in orgs]
        for row in tables["demographics.csv"].itertuples():
            if row.sourcedId in persons:
                persons[row.sourcedId] += (row.birthDate, row.sex)
        for row in tables["enrollments.csv"].itertuples():
            dates = pd.to_datetime(row.beginDate), pd.to_datetime(row.endDate)
            links.append((row.userSourcedId, f"{row.role}_in", row.classSourcedId, row.role, *dates))
        for row in tables["classes.csv"].itertuples():
            links.append((row.sourcedId, "held_at", row.schoolSourcedId, None, None, None))
            links.append((row.sourcedId, "of_course", row.courseSourcedId, None, None, None))
        frame = pd.DataFrame(links, columns=["source_id", "relation", "target_id", "role", "start_date", "end_date"])
        counts = frame["relation"].value_counts()
        return [
            len(pd.DataFrame(persons.values())),
            *(int(counts[name]) for name in ("student_in", "member_of", "held_at")),
        ]

    return run
