"""A OneRoster CSV bundle read: the mapping of its files to tables and links.

Real bundles are untidy: no oddity stops the reader, and each becomes a row of ``problems``. The columns that OneRoster and the
tables share are declared in layout.py; any other column is kept as ``ext_<column>``.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kimono_explore.decode.links import sort_links
from kimono_explore.errors import BundleError
from kimono_explore.files.oneroster.bundle import MAX_BYTES, Bundle, Csv
from kimono_explore.files.oneroster.layout import DEMOGRAPHICS, FAMILY, FILES, ORG_TYPES, READ, ROLES, File
from kimono_explore.files.oneroster.memberships import Memberships
from kimono_explore.files.oneroster.people import (
    Role,
    decide,
    homes_without_role,
    read_demographics,
    roles_of_users,
    type_of,
)
from kimono_explore.frames import frame
from kimono_explore.schema import OBJECT_TYPES, REFERENCES, TABLES, Problem
from kimono_explore.tables import Tables

if TYPE_CHECKING:
    import os

    import pandas as pd


def read_bundle(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> Tables:
    """Read a bundle, as `read_oneroster` describes it."""
    problems: list[Problem] = []
    with closing(Bundle(Path(path), max_bytes, problems)) as bundle:
        return _Reader(bundle, problems).read()


class _Reader(Memberships):
    def read(self) -> Tables:
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
        for name in sorted(self.bundle.spelled[key] for key in set(self.bundle.names()) - set(READ)):
            self._problem(name, None, None, None, f"{name}.csv is not part of a roster; left out")
        columns = {name: [problem[n] for problem in self.problems] for n, name in enumerate(Problem._fields)}
        links = frame("links", self.links)
        return Tables(
            orgs=frames["orgs"],
            persons=frames["persons"],
            courses=frames["courses"],
            sections=frames["sections"],
            terms=frames["terms"],
            grading_categories=frames["grading_categories"],
            links=sort_links(links, {name: df["id"] for name, df in frames.items()}),
            problems=frame("problems", columns),
            source=f"OneRoster bundle {self.bundle.path.name}",
            rollups=frozenset(self.rollups),
        )

    def _manifest(self) -> None:
        manifest = self._csv("manifest", ("propertyName", "value"))
        version = None
        if manifest is not None:
            for key, value in zip(manifest.get("propertyName"), manifest.get("value"), strict=True):
                name, mode = (key or "").strip().removeprefix("file."), (value or "").strip().lower()
                there = name.lower() in self.bundle.names()
                if name == "oneroster.version":
                    version = value
                if mode == "delta":
                    self._problem("manifest", None, key, value, f"{name}.csv holds only changes")
                if mode == "bulk" and key != name and not there:
                    self._problem("manifest", None, key, value, f"{name}.csv is announced but missing")
                if mode == "absent" and key != name and there:
                    self._problem(
                        "manifest", None, key, value, f"{name}.csv is announced as absent, and is there; read"
                    )
        says = (version or "").strip()
        self.by_roles = "roles" in self.bundle.names()
        if says and not says.startswith(("1.1", "1.2")):
            text = f"a version other than 1.1 and 1.2; read as {'1.2' if self.by_roles else '1.1'}"
            self._problem("manifest", None, "oneroster.version", version, text)
        elif says.startswith("1.2") and not self.by_roles:
            self._problem(
                "roles", None, None, None, "roles.csv is missing from the bundle, which says it is OneRoster 1.2"
            )
        elif self.by_roles and not says.startswith("1.2"):
            text = "roles.csv is there, as in OneRoster 1.2, but the manifest does not say 1.2; read as 1.2"
            self._problem("manifest", None, "oneroster.version", version, text)

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
            if ">" in ours or _is_password(key):
                continue
            name = ours if ours in declared or ours.startswith("ext_") else f"ext_{ours}"
            read: list[object] = (
                self._fit(file.table, ids, values, declared[ours]) if ours in declared else list(values)
            )
            if name in columns:
                text = f"{key} is a second column for {name}; read only where the first is empty"
                self._problem(file.table, None, name, None, text)
                read = [b if a is None else a for a, b in zip(columns[name], read, strict=True)]
            columns[name] = read
        self._derive(file.table, columns, source)
        rows = self._check_ids(file, source)
        for key, values in source.columns.items():
            if ">" in mapped.get(key, ""):
                self._references(file, key, mapped[key], ids, values, rows)
        kept = {name: np.array(values, dtype=object)[rows] for name, values in columns.items()}
        return frame(file.table, kept)

    def _derive(self, table: str, columns: dict[str, list[object]], source: Csv) -> None:
        """Derive columns from others: the label, the type of an org or a person."""
        if table == "orgs":
            given_types = columns.get("org_type", [None] * source.length)
            types = [str(kind).strip().lower() if kind else None for kind in given_types]
            columns["org_type"] = [ORG_TYPES.get(kind or "", kind) for kind in types]
        if table == "persons":
            columns["person_type"] = [type_of(role) for role in source.get("role")]
            parts = zip(source.get("givenName"), source.get("familyName"), strict=True)
            label: list[object] = [" ".join(filter(None, names)) or None for names in parts]
        else:
            label = list(columns.get("name") or columns.get("title") or [None] * source.length)
        given = columns.get("label")
        columns["label"] = label if given is None else [a or b for a, b in zip(given, label, strict=True)]
        for status, id in zip(source.get("status"), source.get("sourcedId"), strict=True):
            if status and status.lower() == "tobedeleted":
                self._problem(table, id, "status", status, "marked for deletion; kept")

    def _people(self, source: Csv) -> Csv:
        """The users that become persons of the roster, with their demographics."""
        if self.by_roles:
            source = self._known_by_roles(source)
        given = source.get("role")
        roles = [(role or "").strip().lower() for role in given]
        kept = [n for n, role in enumerate(roles) if role not in FAMILY]
        for role, count in sorted(Counter(role for role in roles if role in FAMILY).items()):
            self._problem(
                "persons", None, "role", str(count), f"users with the role {role} are left out; value counts them"
            )
        ids = source.get("sourcedId")
        self.left_out = {id for id, role in zip(ids, roles, strict=True) if id and role in FAMILY}
        for n in kept:
            if type_of(given[n]) is None and "role" in source.columns:
                self._problem("persons", ids[n], "role", given[n], "an unknown role; the person type is unknown")
        self.roles = ["student" if roles[n] == "student" else "teacher" for n in kept]
        if any(any(values) for key, values in source.columns.items() if _is_password(key)):
            self._problem("persons", None, "password", None, "users.csv holds passwords; they are not read")
        columns = {key: [values[n] for n in kept] for key, values in source.columns.items()}
        columns.setdefault("sourcedId", [None] * len(kept))
        self._demographics(columns)
        return Csv(columns, len(kept))

    def _demographics(self, people: dict[str, list[str | None]]) -> None:
        source = self._csv("demographics", tuple(name for name, _ in DEMOGRAPHICS))
        if source is None:
            return
        self.whole["dob"] = source.get("birthDate")
        about = read_demographics(source)
        self.problems += about.problems
        self._repeats("persons", about.repeated)
        for ours, values in about.cells.items():
            people.setdefault(f"metadata.{ours}", [values.get(id or "") for id in people["sourcedId"]])
        nobody = about.ids - self.left_out - {id for id in people["sourcedId"] if id}
        for id in sorted(nobody):
            self._problem("persons", id, None, None, "demographics of somebody who is not in users.csv")

    def _known_by_roles(self, source: Csv) -> Csv:
        """Users of OneRoster 1.2, with the role that each is known by; their memberships become links."""
        file = self._csv("roles", tuple(name for name, _ in ROLES))
        if file is None:
            return source
        users, homes = source.get("sourcedId"), source.get("primaryOrgSourcedId")
        home_of = {id: org for id, org in zip(users, homes, strict=True) if id}
        roles = roles_of_users(file)
        homeless = homes_without_role(home_of, roles, self.problems)
        self._memberships(file, {id: org for id, org in home_of.items() if org and id not in homeless})
        known: dict[str | None, tuple[str | None, str | None]] = {}
        for id, fallback in zip(users, source.get("role"), strict=True):
            if id and id not in known:
                known[id] = self._known_by(id, roles.get(id, []), home_of[id], fallback)
        columns = dict(source.columns)
        columns["role"] = [known.get(id, (None, None))[0] for id in users]
        several = [known.get(id, (None, None))[1] for id in users]
        if any(several):
            columns["metadata.roles"] = several
        return Csv(columns, source.length)

    def _known_by(
        self, id: str, roles: list[Role], home: str | None, fallback: str | None
    ) -> tuple[str | None, str | None]:
        if not roles:
            self._problem("persons", id, "role", fallback, "roles.csv has no role for the person")
            return fallback, None
        who = decide(id, roles, home, self.problems)
        return who.role or None, who.every if "," in who.every else None

    def _check_ids(self, file: File, source: Csv) -> np.ndarray:
        """The rows to keep: exact repeats are dropped and counted, all others that share an id are kept and listed."""
        ids = source.get("sourcedId")
        times = Counter(id for id in ids if id)
        seen: defaultdict[str, set[bytes]] = defaultdict(set)
        kept: list[int] = []
        dropped: Counter[str] = Counter()
        columns = list(source.columns.values())
        for n, id in enumerate(ids):
            if id is None:
                if "sourcedId" in source.columns:
                    self._problem(file.table, None, "id", None, f"a row of {file.name}.csv without a sourcedId; kept")
            elif times[id] > 1:
                row = hashlib.sha256(repr([column[n] for column in columns]).encode()).digest()
                if row in seen[id]:
                    dropped[id] += 1
                    continue
                seen[id].add(row)
            kept.append(n)
        self._repeats(file.table, dropped)
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
        wire = next(r.key for r in REFERENCES if (r.table, r.relation, r.forward) == (file.table, relation, True))
        self.rollups.add(f"{file.table}.{wire}")
        for n in rows:
            id, cell = ids[n], values[n]
            if cell is None:
                continue
            if id is None:
                self._problem(file.table, None, key, cell, "a reference from a row without an id; left out")
                continue
            for target in dict.fromkeys(part.strip() for part in cell.split(",")):
                if target:
                    role = self.roles[n] if relation == "member_of" else None
                    # The rows of a repeated id, and the roles of 1.2, may say the same again.
                    if (stated := (near, id, relation, target_type, target, role)) not in self.stated:
                        self.stated.add(stated)
                        self._link((near, id), relation, (target_type, target), role=role, stated_by="source")


def _is_password(key: str) -> bool:
    return key.lower().removeprefix("metadata.") == "password"
