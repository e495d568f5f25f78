"""A roster written as a OneRoster CSV bundle that others accept; what it cannot carry is returned.

The rows of a file are made in `sheet`, people and their enrollments in `user_rows`; this module puts the files in order, so
that each reference can be looked up among the rows that are written.
"""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kimono_explore.atomic import atomic_file, atomic_folder
from kimono_explore.errors import BundleError
from kimono_explore.files.oneroster.layout import FILES, File
from kimono_explore.files.oneroster.sheet import Notes, Sheet, one_line
from kimono_explore.files.oneroster.standard import COMMON, MANIFEST, STANDARD, VERSIONS, Version
from kimono_explore.files.oneroster.user_rows import demographic_rows, demographics, enrollments, fill_people, roles
from kimono_explore.frames import to_arrow
from kimono_explore.schema import OBJECT_TYPES, TABLES

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from kimono_explore.tables import Tables

_NEVER = ("password", "ext_password")
_UNREAD = ("not a date", "not a time", "neither true nor false")
_PLACED = ("child_of", "offered_by", "of_course", "held_at", "in_term", "member_of", "student_in", "teacher_in")
_TITLES = {"orgs": "name", "terms": "title", "courses": "title", "sections": "title", "grading_categories": "title"}


def write_oneroster(
    tables: Tables, path: str | os.PathLike[str], version: str = "1.1", *, private: bool = True
) -> pd.DataFrame:
    """Write a bundle; see `Roster.to_oneroster`."""
    if version not in VERSIONS:
        raise ValueError(f"Unknown OneRoster version {version!r}; choose {' or '.join(VERSIONS)}.")
    path = Path(path)
    _check_target(path)
    writer = _Writer(tables, version)
    files = writer.files()
    texts = {name: df.to_csv(index=False, lineterminator="\r\n") for name, df in files.items()}
    try:
        _save(path, texts, private)
    except OSError as error:
        raise BundleError(f"{path} could not be written: {error}. The previous contents are intact.") from error
    return writer.notes.frame()


def _check_target(path: Path) -> None:
    is_zip = path.suffix.lower() == ".zip"
    taken = path.is_file() and not (is_zip and zipfile.is_zipfile(path))
    if taken or (path.is_dir() and (is_zip or any(p.suffix.lower() != ".csv" for p in path.iterdir()))):
        text = f"{path} is not empty and is not a bundle; nothing was written. Name a new folder or zip."
        raise BundleError(text)


def _save(path: Path, texts: Mapping[str, str], private: bool) -> None:
    """Put the files in place, all of them or none."""
    if path.suffix.lower() == ".zip":
        with (
            atomic_file(path, private=private) as beside,
            zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for name, text in texts.items():
                archive.writestr(f"{name}.csv", text.encode("utf-8"))
        return
    with atomic_folder(path, private=private) as beside:
        for name, text in texts.items():
            (beside / f"{name}.csv").write_text(text, encoding="utf-8", newline="")


class _Writer:
    def __init__(self, tables: Tables, version: Version) -> None:
        self.given, self.version, self.notes = tables, version, Notes()
        self.known: dict[str, dict[str, str | None]] = {}  # file -> the ids that are written, each with its type
        self.tables = {name: _as_text(name, df) for name, df in tables.tables.items()}
        self.links = self._current(tables.links)

    def _current(self, links: pd.DataFrame) -> pd.DataFrame:
        """The links without those that are marked for deletion."""
        deleted = links["status"].astype("str").str.lower() == "tobedeleted"
        for id, source, target in links.loc[deleted, ["membership_id", "source_id", "target_id"]].to_numpy().tolist():
            text = "a bulk bundle does not hold what is marked for deletion: left out"
            self.notes.add("links", id if isinstance(id, str) else None, "status", f"{source},{target}", text)
        return links[~deleted]

    def files(self) -> dict[str, pd.DataFrame]:
        """Every file that has rows, manifest first."""
        self._unread()
        made: dict[str, pd.DataFrame] = {}
        for file in FILES:
            sheet, extra = self._sheet(file)
            made[file.name] = self._rows(file, sheet, extra)
            if file.name == "users":
                of_users = demographics(self.tables["persons"], self.version, self.notes)
                made["demographics"] = demographic_rows(of_users, sheet)
        links = self._placed_links()
        if self.version == "1.2":
            made["roles"] = roles(links, self.tables["persons"], self.known, self.notes)
        else:
            self._dated_memberships(links)
        made["enrollments"] = enrollments(links, self.known, made["classes"], self.version, self.notes)
        made = {name: made[name] for name in MANIFEST[self.version] if name in made and len(made[name])}
        rows = [("manifest.version", "1.0"), ("oneroster.version", self.version)]
        rows += [(f"file.{name}", "bulk" if name in made else "absent") for name in MANIFEST[self.version]]
        return {"manifest": pd.DataFrame(rows, columns=["propertyName", "value"]), **made}

    def _unread(self) -> None:
        """What did not fit when the roster was read, and so is missing in its tables."""
        problems = self.given.problems
        rows = problems[problems["problem"].str.startswith(_UNREAD, na=False) & problems["value"].notna()]
        filled: dict[tuple[str, str], set[object]] = {}
        for table, id, column, value, problem in rows.to_numpy().tolist():
            df = self.tables.get(table)
            if df is not None and column in df.columns:
                if (table, column) not in filled:
                    filled[table, column] = set(df.loc[df[column].notna(), "id"])
                if id in filled[table, column]:
                    continue
            id = id if isinstance(id, str) else None
            kind = next(kind for kind in _UNREAD if problem.startswith(kind))
            self.notes.add(table, id, column, value, f"{kind} when it was read, so the roster does not hold it")

    def _sheet(self, file: File) -> tuple[Sheet, dict[str, pd.Series]]:
        """The rows of a table, with references not yet resolved, and the columns beyond the standard."""
        df = self.tables[file.table]
        cells = STANDARD[self.version][file.name]
        sheet = Sheet(file.name, file.table, df["id"], cells, self.notes)
        mapped = dict(file.columns)
        used = {"id", "person_type", "ext_role"} if file.table == "persons" else {"id"}
        for cell in cells[len(COMMON) :]:
            ours = mapped.get(cell.name, f"ext_{cell.name}")
            if ">" in ours:
                sheet.put(cell.name, self._linked(file, cell.name, ours))
            elif ours in df.columns and ours not in (*_NEVER, "ext_role"):
                sheet.put(cell.name, df[ours], ours)
                used.add(ours)
        self._common(file, df, sheet)
        used |= {"updated_at", dict(file.columns)["status"]}
        if file.table == "persons":
            used |= {"dob", "sex", *(f"ext_{cell.name}" for cell in STANDARD[self.version]["demographics"])}
            fill_people(self.links, df, sheet, self.version)
        else:
            self._derive(file, df, sheet)
        sheet.fit()
        return sheet, self._extra(file, df, sheet, used)

    def _common(self, file: File, df: pd.DataFrame, sheet: Sheet) -> None:
        """A bulk bundle holds the current state: no status, and nothing that is marked for deletion."""
        status = dict(file.columns)["status"]
        if status in df.columns:
            lower = df[status].str.lower()
            sheet.put("status", df[status], status)
            sheet.leave_out(lower == "tobedeleted", "status", "a bulk bundle does not hold what is marked for deletion")
            sheet.columns["status"] = sheet.empty()

    def _derive(self, file: File, df: pd.DataFrame, sheet: Sheet) -> None:
        """Fill in what the standard requires, from other columns or by a rule."""
        title = _TITLES[file.table]
        sheet.fill(
            title, df["id"].notna(), df["label"].map(one_line, na_action="ignore"), "was empty; the label is written"
        )
        if file.name == "classes":
            always = df["id"].notna()
            sheet.fill("classType", always, "scheduled", "was empty; written as scheduled, the standard's usual class")
        if file.name == "academicSessions":
            self._school_years(df, sheet)

    def _school_years(self, df: pd.DataFrame, sheet: Sheet) -> None:
        """The year in which the school year ends: as given, else that of the session around it, else by the end date."""
        given = df["school_year"]
        ends = given.str.extract(r"^\s*\d{4}\s*[-/–]\s*(\d{2}|\d{4})\s*$")[0]  # 2026-2027, 2026-27
        century = given.str.strip().str[:2]
        long = ends.where(ends.str.len() == 4, century + ends)
        years = given.where(given.fillna("").str.fullmatch(r"[0-9]{4}"), long)
        sheet.put("schoolYear", given, "school_year")
        changed = given.notna() & (given != years)
        sheet.tell("schoolYear", changed & years.notna(), "is written as the year in which it ends")
        sheet.tell("schoolYear", changed & years.isna(), "is not a year: left out")
        sheet.columns["schoolYear"] = years.astype("object").where(years.notna(), None)
        around = _around(df, sheet.columns["parentSourcedId"], years)
        sheet.fill("schoolYear", given.isna(), around, "was empty; that of the session around it is written")
        end = pd.to_datetime(df["end_date"], errors="coerce")
        by_end = (end.dt.year + (end.dt.month > 7)).astype("Int64").astype("str").where(end.notna()).str.zfill(4)
        text = "was empty; the year of the end date is written, or the next one if it is after July"
        sheet.fill("schoolYear", given.isna(), by_end, text)

    def _linked(self, file: File, name: str, ours: str) -> pd.Series:
        """The ids that a table's objects are linked with, under the columns that will hold them."""
        relation, target_type = ours.split(">")
        links = self.links
        mine = links[(links["relation"] == relation) & (links["source_type"] == OBJECT_TYPES[file.table])]
        fitting = (mine["target_type"] == target_type) & mine["target_id"].notna()
        for source, kind, target in mine.loc[~fitting, ["source_id", "target_type", "target_id"]].to_numpy().tolist():
            text = f"{relation} leads to an object of type {kind}: OneRoster has no place for it"
            self.notes.add(file.table, source, name, target, text)
        there = mine["source_id"].isin(self.given.tables[file.table]["id"])
        for source, target in mine.loc[fitting & ~there, ["source_id", "target_id"]].to_numpy().tolist():
            self.notes.add(
                file.table, source, name, target, f"a {relation} link of an object that is not there: left out"
            )
        comma = mine["target_id"].str.contains(",", regex=False).fillna(False).astype("bool")
        for source, target in mine.loc[fitting & there & comma, ["source_id", "target_id"]].to_numpy().tolist():
            self.notes.add(file.table, source, name, target, "an id with a comma in it: the reference is left out")
        targets = mine[fitting & ~comma].groupby("source_id", sort=False)["target_id"].agg(list).map(",".join)
        return self.tables[file.table]["id"].map(targets.to_dict()).astype("object")

    def _rows(self, file: File, sheet: Sheet, extra: dict[str, pd.Series]) -> pd.DataFrame:
        """The rows that are written, once their references are resolved."""
        own = [cell for cell in sheet.layout if cell.refers == file.name]
        for cell in sheet.layout:
            if cell.refers and cell not in own:
                sheet.refer(cell.name, self.known[cell.refers], of_type=cell.of_type)
        sheet.check_rows()
        kept = sheet.ids[~sheet.out]
        kinds = sheet.columns.get("type", sheet.empty())[~sheet.out]
        self.known[file.name] = dict(zip(kept, kinds, strict=True))
        for cell in own:
            sheet.refer(cell.name, self.known[file.name])
        df = self.tables[file.table]
        times = int(df.loc[~sheet.out, "updated_at"].notna().sum())
        self.notes.count(file.table, "updated_at", times, "a bulk bundle has no dateLastModified: left out")
        status = dict(file.columns)["status"]
        if status in df.columns:
            for value, number in df.loc[~sheet.out, status].value_counts().items():
                self.notes.count(file.table, status, number, f"a bulk bundle has no status: {value} is left out")
        return sheet.rows(extra)

    def _extra(self, file: File, df: pd.DataFrame, sheet: Sheet, used: set[str]) -> dict[str, pd.Series]:
        """What OneRoster has no column for, as ``metadata.`` columns."""
        declared = {column.name for column in TABLES[file.table]}
        extra: dict[str, pd.Series] = {}
        for name in df.columns:
            if name in used or (name == "label" and _label_is_derived(file, df, sheet)):
                continue
            if name in _NEVER:
                self.notes.count(file.table, name, int(df[name].notna().sum()), "passwords are never written: left out")
                continue
            if not (df[name].notna().any() or name.startswith("ext_")):
                continue
            bare = one_line(name.removeprefix("ext_")).strip()
            taken = not bare or (name != bare and bare in declared) or f"metadata.{bare}" in extra
            key = f"metadata.{one_line(name) if taken else bare}"
            broken = df[name].map(lambda text: one_line(text) != text, na_action="ignore").fillna(False).astype("bool")
            for row, value in df.loc[broken, name].items():
                sheet.say(row, name, value, "line breaks are written as spaces")
            extra[key] = df[name].map(one_line, na_action="ignore")
        return extra

    def _placed_links(self) -> pd.DataFrame:
        """The links for which OneRoster has a place."""
        links = self.links
        for relation, count in links.loc[~links["relation"].isin(_PLACED), "relation"].value_counts().items():
            if count:
                text = f"OneRoster has no place for {relation} links"
                self.notes.count("links", "relation", int(count), text)
        placed = links[links["relation"].isin(_PLACED[5:])]
        for value, number in placed["status"].astype("str").value_counts().items():
            self.notes.count("links", "status", int(number), f"the status {value} of memberships is left out")
        self.notes.count("links", "grade", int(placed["grade"].notna().sum()), "the grade of memberships is left out")
        return placed

    def _dated_memberships(self, links: pd.DataFrame) -> None:
        members = links[links["relation"] == "member_of"]
        dated = members["start_date"].notna() | members["end_date"].notna() | members["membership_id"].notna()
        text = "memberships of orgs lose their id, status and dates"
        self.notes.count("links", "member_of", int(dated.sum()), text)


def _as_text(name: str, df: pd.DataFrame) -> pd.DataFrame:
    """A table with every cell as the text that is written; missing and empty cells are None."""
    table = to_arrow(name, df)  # not by way of pandas, whose whole numbers are floats where one is missing
    cells = {key: [_cell(value) for value in table[key].to_pylist()] for key in table.column_names}
    return pd.DataFrame(cells, index=df.index, dtype="object")


def _cell(value: object) -> str | None:
    if value is None or value is pd.NA or value != value or value == "":
        return None
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _around(df: pd.DataFrame, parents: pd.Series, years: pd.Series) -> pd.Series:
    """For each session, the school year of the nearest enclosing session that has one."""
    sessions = list(df["id"])
    parent = dict(zip(sessions, parents, strict=True))
    year = {id: y for id, y in zip(sessions, years, strict=True) if isinstance(y, str)}
    found: list[str | None] = []
    for id in sessions:
        seen, at = {id}, parent.get(id)
        while at is not None and at not in seen and at not in year:
            seen.add(at)
            at = parent.get(at)
        found.append(year.get(at) if at not in seen else None)
    return pd.Series(found, index=df.index, dtype="object")


def _label_is_derived(file: File, df: pd.DataFrame, sheet: Sheet) -> bool:
    """Whether a reader would derive the same labels from what is written."""
    names = ("givenName", "familyName") if file.table == "persons" else (_TITLES[file.table],)
    parts = [sheet.columns[name].fillna("") for name in names]
    made = parts[0] if len(parts) == 1 else (parts[0] + " " + parts[1]).str.strip()
    return bool((df["label"].fillna(made) == made).all())
