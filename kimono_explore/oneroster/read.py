"""A OneRoster CSV bundle, folder or zip, read as a Roster.

Real bundles are untidy: every oddity is survived and becomes a row of ``problems``. The columns that OneRoster and the
tables share are declared in layout.py; any other column is kept as ``ext_<column>``.
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kimono_explore.decode import fit
from kimono_explore.errors import BundleError
from kimono_explore.links import in_order
from kimono_explore.oneroster.dates import read_dates
from kimono_explore.oneroster.layout import DEMOGRAPHICS, ENROLLMENTS, FAMILY, FILES, ORG_TYPES, PEOPLE, File
from kimono_explore.roster import Roster
from kimono_explore.tables import LINK_COLUMNS, OBJECT_TYPES, TABLES, Column, Problem, frame

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    import pandas as pd


def read_oneroster(path: str | os.PathLike[str]) -> Roster:
    """Read a OneRoster 1.1 CSV bundle.

    Parameters
    ----------
    path : str or path
        A folder, or a zip.

    Returns
    -------
    Roster
        Ids are the bundle's ``sourcedId``. Users with role student and teacher, and as staff administrators, aides and
        proctors, are persons; parents and guardians are counted in ``problems`` and left out. An enrollment names
        both of its ends, so its link is stated by both; every other link is stated by its source.

    Raises
    ------
    BundleError
        There is no bundle at the path, or one of its files cannot be read at all.

    Examples
    --------
    >>> _ = roster.to_oneroster(tmp_path / "district.zip")
    >>> len(kx.read_oneroster(tmp_path / "district.zip").persons) == len(roster.persons)
    True
    """
    return _Reader(_Bundle(Path(path))).read()


class _Bundle:
    """The CSV files of a folder or a zip, by name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: dict[str, Callable[[], bytes]] = {}
        try:
            if path.is_dir():
                found = [p for p in sorted(path.rglob("*")) if p.is_file() and len(p.relative_to(path).parts) <= 2]
                self._open = {p.stem.lower(): p.read_bytes for p in found if _is_csv(p.as_posix())}
            else:
                self._zip = zipfile.ZipFile(path)
                for name in sorted(self._zip.namelist()):
                    if _is_csv(name):
                        self._open[PurePosixPath(name).stem.lower()] = partial(self._zip.read, name)
        except (OSError, zipfile.BadZipFile) as error:
            raise BundleError(
                f"{path} is no OneRoster bundle ({error}). Name a folder of CSV files, or a zip."
            ) from error

    def names(self) -> list[str]:
        return list(self._open)

    def lines(self, name: str, problems: list[Problem]) -> Iterator[str] | None:
        """The text of a file, line by line; None if it is not there."""
        if name.lower() not in self._open:
            return None
        try:
            body = self._open[name.lower()]()
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
            raise BundleError(f"{name}.csv in {self.path} cannot be read: {error}") from error
        return iter(io.StringIO(_text(body, name, problems), newline=""))


def _is_csv(name: str) -> bool:
    return name.lower().endswith(".csv") and "__MACOSX" not in name and not PurePosixPath(name).name.startswith(".")


def _text(body: bytes, name: str, problems: list[Problem]) -> str:
    encoding = "utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return body.decode(encoding)
    except UnicodeDecodeError:
        problems.append(Problem(name, None, None, None, f"{name}.csv is not UTF-8; read as Windows-1252"))
        return body.decode("cp1252", errors="replace")


class _Csv(NamedTuple):
    """A file as columns of equal length: text, or None where a cell is empty."""

    columns: dict[str, list[str | None]]
    length: int

    def get(self, name: str) -> list[str | None]:
        return self.columns.get(name) or [None] * self.length


class _Reader:
    def __init__(self, bundle: _Bundle) -> None:
        self.bundle = bundle
        self.problems: list[Problem] = []
        self.links: defaultdict[str, list[object]] = defaultdict(list)
        self.rollups: set[str] = set()
        self.left_out: set[str] = set()  # parents and guardians
        self.whole: dict[str, list[str | None]] = {}  # columns of which a file holds more than its table
        self.roles: dict[str, str] = {}  # person -> student or teacher, as a member of an org

    def read(self) -> Roster:
        required = [file.name for file in FILES if file.required] + ["enrollments"]
        there = [name for name in required if name.lower() in self.bundle.names()]
        if not there:
            raise BundleError(
                f"{self.bundle.path} holds none of {', '.join(f'{n}.csv' for n in required)}. Is it OneRoster?"
            )
        for name in required:
            if name not in there:
                self._problem(name, None, None, None, f"{name}.csv is missing from the bundle")
        self._manifest()
        frames = {file.table: self._table(file) for file in FILES}
        self._enrollments()
        known = {name.lower() for name in [*(f.name for f in FILES), "enrollments", "demographics", "manifest"]}
        for name in sorted(set(self.bundle.names()) - known):
            self._problem(name, None, None, None, f"{name}.csv is not part of a roster; left out")
        columns = {name: [problem[n] for problem in self.problems] for n, name in enumerate(Problem._fields)}
        links = frame("links", self.links)
        return Roster(
            orgs=frames["orgs"],
            persons=frames["persons"],
            courses=frames["courses"],
            sections=frames["sections"],
            terms=frames["terms"],
            grading_categories=frames["grading_categories"],
            links=in_order(links, {name: df["id"] for name, df in frames.items()}),
            problems=frame("problems", columns),
            source=f"OneRoster bundle {self.bundle.path.name}",
            rollups=frozenset(self.rollups),
        )

    def _problem(self, table: str, id: str | None, column: str | None, value: str | None, problem: str) -> None:
        self.problems.append(Problem(table, id, column, value, problem))

    def _manifest(self) -> None:
        manifest = self._csv("manifest")
        if manifest is None:
            return
        for key, value in zip(manifest.get("propertyName"), manifest.get("value"), strict=True):
            name = (key or "").removeprefix("file.")
            if value == "delta":
                self._problem("manifest", None, key, value, f"{name}.csv holds only changes")
            if value == "bulk" and key != name and name.lower() not in self.bundle.names():
                self._problem("manifest", None, key, value, f"{name}.csv is announced but missing")

    def _csv(self, name: str, known: tuple[str, ...] = ()) -> _Csv | None:
        """Read a file; its columns under the names as OneRoster spells them."""
        lines = self.bundle.lines(name, self.problems)
        if lines is None:
            return None
        reader = csv.reader(lines)
        try:
            header = next(reader, [])
            rows = [row for row in reader if any(row)]
        except csv.Error as error:
            raise BundleError(f"{name}.csv, line {reader.line_num}: {error}. Is a quote not closed?") from error
        names = self._header(name, header, known)
        width = len(names)
        for number, row in enumerate(rows, start=2):
            if len(row) != width:
                extra = [cell for cell in row[width:] if cell]
                if extra or len(row) < width:
                    what = f"{len(row)} cells where {width} were expected"
                    self._problem(name, row[0] or None, None, ",".join(row), f"row {number} of {name}.csv has {what}")
                row[:] = [*row[:width], *[""] * (width - len(row))]
        cells = zip(*rows, strict=True) if rows else [()] * width
        columns = {key: [cell or None for cell in column] for key, column in zip(names, cells, strict=False) if key}
        return _Csv(columns, len(rows))

    def _header(self, name: str, header: list[str], known: tuple[str, ...]) -> list[str]:
        spelled = {key.lower(): key for key in known}
        names: list[str] = []
        for cell in header:
            key = spelled.get(cell.strip().lower(), cell.strip())
            if key in names:
                self._problem(name, None, key, None, f"{name}.csv has two columns of this name; the first is read")
                key = ""
            names.append(key)
        return names

    def _table(self, file: File) -> pd.DataFrame:
        source = self._csv(file.name, tuple(column for column, _ in file.columns))
        if source is None:
            return frame(file.table)
        if file.table == "persons":
            source = self._people(source)
        mapped = dict(file.columns)
        columns: dict[str, list[object]] = {}
        declared = {column.name: column for column in TABLES[file.table]}
        ids = source.get("sourcedId")
        for key, values in source.columns.items():
            ours = mapped.get(key) or key.removeprefix("metadata.")
            if ">" in ours or key == "password":
                continue
            if ours in declared:
                columns[ours] = self._fit(file.table, ids, values, declared[ours])
            else:
                columns[ours if ours.startswith("ext_") else f"ext_{ours}"] = list(values)
        self._derive(file.table, columns, source)
        rows = self._check_ids(file, source)
        for key, values in source.columns.items():
            if ">" in mapped.get(key, ""):
                self._references(file, key, mapped[key], ids, values, rows)
        kept = {name: np.array(values, dtype=object)[rows] for name, values in columns.items()}
        return frame(file.table, kept)

    def _fit(self, table: str, ids: list[str | None], values: list[str | None], column: Column) -> list[object]:
        if column.kind == "text":
            return list(values)
        if column.kind in ("date", "time"):
            return self._dates(table, ids, values, column)
        fitted = [fit(value, column) for value in values]
        for id, value, (_, oddity) in zip(ids, values, fitted, strict=True):
            if oddity:
                self._problem(table, id, column.name, value, oddity)
        return [value for value, _ in fitted]

    def _dates(self, table: str, ids: list[str | None], values: list[str | None], column: Column) -> list[object]:
        read = read_dates(values, column.kind, self.whole.get(column.name), birth=column.name == "dob")
        for id, value, oddity in zip(ids, values, read.oddities, strict=True):
            if oddity:
                self._problem(table, id, column.name, value, oddity)
        if read.times:
            how = " and ".join(read.forms)
            text = (
                f"{column.kind}s are written {how}, such as {read.example}, not as 2026-08-15; read, value counts them"
            )
            self._problem(table, None, column.name, str(read.times), text)
        return read.values

    def _derive(self, table: str, columns: dict[str, list[object]], source: _Csv) -> None:
        """What follows from other columns: the label, the type of an org or a person."""
        if table == "orgs":
            types = [str(kind).lower() if kind else None for kind in columns.get("org_type", [])]
            columns["org_type"] = [ORG_TYPES.get(kind or "", kind) for kind in types]
        if table == "persons":
            columns["person_type"] = [PEOPLE.get((role or "").lower()) for role in source.get("role")]
            parts = zip(source.get("givenName"), source.get("familyName"), strict=True)
            label: list[object] = [" ".join(filter(None, names)) or None for names in parts]
        else:
            label = list(columns.get("name") or columns.get("title") or [None] * source.length)
        given = columns.get("label")
        columns["label"] = label if given is None else [a or b for a, b in zip(given, label, strict=True)]
        for status, id in zip(source.get("status"), source.get("sourcedId"), strict=True):
            if status and status.lower() == "tobedeleted":
                self._problem(table, id, "status", status, "marked for deletion; kept")

    def _people(self, source: _Csv) -> _Csv:
        """Only the users that are persons of a roster, with their demographics."""
        roles = [(role or "").lower() for role in source.get("role")]
        kept = [n for n, role in enumerate(roles) if role not in FAMILY]
        for role, count in sorted(Counter(role for role in roles if role in FAMILY).items()):
            self._problem(
                "persons", None, "role", str(count), f"users with the role {role} are left out; value counts them"
            )
        ids = source.get("sourcedId")
        self.left_out = {id for id, role in zip(ids, roles, strict=True) if id and role in FAMILY}
        for n in kept:
            if roles[n] not in PEOPLE:
                self._problem(
                    "persons", ids[n], "role", source.get("role")[n], "an unknown role; the person type is unknown"
                )
        self.roles = {id: "student" for id, role in zip(ids, roles, strict=True) if id and role == "student"}
        if any(source.columns.get("password") or ()):
            self._problem("persons", None, "password", None, "users.csv holds passwords; they are not read")
        columns = {key: [values[n] for n in kept] for key, values in source.columns.items()}
        columns.setdefault("sourcedId", [None] * len(kept))
        self._demographics(columns)
        return _Csv(columns, len(kept))

    def _demographics(self, people: dict[str, list[str | None]]) -> None:
        source = self._csv("demographics", tuple(name for name, _ in DEMOGRAPHICS))
        if source is None:
            return
        names = dict(DEMOGRAPHICS)
        self.whole["dob"] = source.get("birthDate")
        row_of: dict[str, int] = {}
        for n, id in enumerate(source.get("sourcedId")):
            if id:
                row_of.setdefault(id, n)
        rows = [row_of.get(id or "") for id in people["sourcedId"]]
        for key, values in source.columns.items():
            if key not in ("sourcedId", "status", "dateLastModified"):
                ours = names.get(key, key)
                people.setdefault(f"metadata.{ours}", [None if n is None else values[n] for n in rows])
        nobody = set(row_of) - self.left_out - {id for id in people["sourcedId"] if id}
        for id in sorted(nobody):
            self._problem("persons", id, None, None, "demographics of somebody who is not in users.csv")

    def _check_ids(self, file: File, source: _Csv) -> np.ndarray:
        """The rows to keep: exact repeats are dropped and counted, all others that share an id are kept and listed."""
        ids = source.get("sourcedId")
        times = Counter(id for id in ids if id)
        seen: defaultdict[str, set[bytes]] = defaultdict(set)
        kept, dropped = [], 0
        columns = list(source.columns.values())
        for n, id in enumerate(ids):
            if id is None:
                self._problem(file.table, None, "id", None, f"a row of {file.name}.csv without a sourcedId; kept")
            elif times[id] > 1:
                row = hashlib.sha256(repr([column[n] for column in columns]).encode()).digest()
                if row in seen[id]:
                    dropped += 1
                    continue
                seen[id].add(row)
            kept.append(n)
        if dropped:
            self._problem(
                file.table, None, None, str(dropped), "rows that came again, unchanged, were dropped; value counts them"
            )
        for id, rows in seen.items():
            if len(rows) > 1:
                self._problem(
                    file.table, id, "id", id, f"the id came {len(rows)} times with different content; all are kept"
                )
        return np.array(kept, dtype=np.int64)

    def _references(
        self, file: File, key: str, ours: str, ids: list[str | None], values: list[str | None], rows: np.ndarray
    ) -> None:
        relation, target_type = ours.split(">")
        near = OBJECT_TYPES[file.table]
        wire = {
            "child_of": "$parent",
            "offered_by": "$orgs",
            "of_course": "$course",
            "held_at": "$org",
            "in_term": "$terms",
        }
        self.rollups.add(f"{file.table}.{wire.get(relation, '$schools')}")
        for n in rows:
            id, cell = ids[n], values[n]
            if cell is None:
                continue
            if id is None:
                self._problem(file.table, None, key, cell, "a reference from a row without an id; left out")
                continue
            for target in dict.fromkeys(part.strip() for part in cell.split(",")):
                if target:
                    role = self.roles.get(id, "teacher") if relation == "member_of" else None
                    self._link((near, id), relation, (target_type, target), role=role, stated_by="source")

    def _link(self, source: tuple[str, str], relation: str, target: tuple[str, str], **values: object) -> None:
        links = self.links
        links["source_type"].append(source[0])
        links["source_id"].append(source[1])
        links["relation"].append(relation)
        links["target_type"].append(target[0])
        links["target_id"].append(target[1])
        for name in ("role", "membership_id", "status", "primary", "start_date", "end_date", "stated_by"):
            links[name].append(values.get(name))

    def _enrollments(self) -> None:
        source = self._csv("enrollments", tuple(name for name, _ in ENROLLMENTS))
        if source is None:
            return
        self.rollups |= {"persons.$sections", "sections.$students", "sections.$teachers"}
        names = {**dict(ENROLLMENTS), "schoolSourcedId": "", "dateLastModified": ""}
        for key in source.columns:
            if key not in names:
                self._problem(
                    "links", None, key, None, "a column of enrollments.csv that links have no place for; left out"
                )
        kinds = {column.name: column for column in LINK_COLUMNS}
        cells = {ours: source.get(name) for name, ours in ENROLLMENTS}
        for name in ("primary", "start_date", "end_date"):
            cells[name] = self._fit("links", cells["membership_id"], cells[name], kinds[name])  # type: ignore[assignment]
        held = self._held_at()
        family: Counter[str] = Counter()
        seen: dict[str, tuple[object, ...]] = {}
        dropped = 0
        schools = source.get("schoolSourcedId")
        for n, row in enumerate(zip(*cells.values(), strict=True)):
            link = dict(zip(cells, row, strict=True))
            id, role = link["membership_id"], str(link["role"] or "").lower()
            if role in FAMILY:
                family[role] += 1
                continue
            if id is not None and seen.setdefault(id, row) is not row:
                if seen[id] == row:
                    dropped += 1
                    continue
                self._problem(
                    "links", id, "membership_id", id, "the id of an enrollment came again with different content; kept"
                )
            if link["source_id"] is None or link["target_id"] is None:
                self._problem(
                    "links",
                    id,
                    None,
                    f"{link['source_id']},{link['target_id']}",
                    "an enrollment without a user or class",
                )
                continue
            if str(link["status"] or "").lower() == "tobedeleted":
                self._problem("links", id, "status", link["status"], "marked for deletion; kept")
            if schools[n] is not None and schools[n] != held.get(link["target_id"], schools[n]):
                self._problem("links", id, "schoolSourcedId", schools[n], "another school than the class's; left out")
            ends = ("person", link.pop("source_id")), ("section", link.pop("target_id"))
            relation = "student_in" if role == "student" else "teacher_in"
            self._link(ends[0], relation, ends[1], **{**link, "role": role or "teacher", "stated_by": "both"})
        for role, count in sorted(family.items()):
            self._problem(
                "links", None, "role", str(count), f"enrollments with the role {role} are left out; value counts them"
            )
        if dropped:
            self._problem(
                "links", None, None, str(dropped), "rows that came again, unchanged, were dropped; value counts them"
            )

    def _held_at(self) -> dict[object, object]:
        links = self.links
        rows = zip(links["source_id"], links["relation"], links["target_id"], strict=True)
        return {source: target for source, relation, target in rows if relation == "held_at"}
