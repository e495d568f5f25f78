"""The rows of a bundle's files that say who belongs where: enrollments, and the roles of OneRoster 1.2, as links."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from kimono_explore.decode.values import fit
from kimono_explore.files.oneroster.dates import read_dates
from kimono_explore.files.oneroster.layout import ENROLLMENTS, FAMILY, FILES, NEEDED, ROLES
from kimono_explore.files.oneroster.people import is_family, primary_of, type_of
from kimono_explore.schema import LINK_COLUMNS, Column, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kimono_explore.files.oneroster.bundle import Bundle, Csv

_NAMED_REPEATS = 1000
_TABLE_OF = {file.name: file.table for file in FILES} | {
    "enrollments": "links",
    "roles": "links",
    "demographics": "persons",
}


class Memberships:
    """The links and problems gathered so far from a bundle, and the methods that add memberships."""

    def __init__(self, bundle: Bundle, problems: list[Problem]) -> None:
        self.bundle, self.problems = bundle, problems
        self.links: defaultdict[str, list[object]] = defaultdict(list)
        self.rollups: set[str] = set()
        self.left_out: set[str] = set()  # parents and guardians
        self.whole: dict[str, list[str | None]] = {}  # columns of which a file holds more than its table
        self.roles: list[str] = []  # of each person: student or teacher, as a member of an org
        self.stated: set[tuple[object, ...]] = set()
        self.by_roles = False  # OneRoster 1.2

    def _problem(self, table: str, id: str | None, column: str | None, value: str | None, problem: str) -> None:
        self.problems.append(Problem(table, id, column, value, problem))

    def _csv(self, name: str, known: tuple[str, ...] = ()) -> Csv | None:
        """Read a file, and report the required columns that it lacks."""
        table = _TABLE_OF.get(name, name)
        source = self.bundle.read(name, known, table)
        if source is None:
            return None
        if not source.columns:
            self._problem(table, None, None, None, f"{name}.csv is empty")
            return source
        needed = NEEDED.get(name, ()) + (("role", "orgSourcedIds") if name == "users" and not self.by_roles else ())
        for column in needed:
            if column not in source.columns:
                ours = "id" if column == "sourcedId" else column
                self._problem(table, None, ours, None, f"{name}.csv has no column {column}")
        return source

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
        if read.written_so:
            how = " and ".join(read.forms)
            text = (
                f"{column.kind}s are written {how}, such as {read.example}, not as 2026-08-15; read, value counts them"
            )
            self._problem(table, None, column.name, str(read.written_so), text)
        return read.values

    def _repeats(self, table: str, dropped: Mapping[str, int]) -> None:
        """Report the rows that were repeated unchanged: by id, up to a readable number."""
        for id, count in list(dropped.items())[:_NAMED_REPEATS]:
            text = "the row came again, unchanged; value counts the repeats that were dropped"
            self._problem(table, id, None, str(count), text)
        rest = sum(list(dropped.values())[_NAMED_REPEATS:])
        if rest:
            text = "more rows came again, unchanged, and were dropped; value counts them"
            self._problem(table, None, None, str(rest), text)

    def _link(self, source: tuple[str, str], relation: str, target: tuple[str, str], **values: object) -> None:
        if relation == "member_of":
            self.stated.add((*source, relation, *target, values.get("role")))
        links = self.links
        links["source_type"].append(source[0])
        links["source_id"].append(source[1])
        links["relation"].append(relation)
        links["target_type"].append(target[0])
        links["target_id"].append(target[1])
        for name in ("role", "membership_id", "status", "primary", "start_date", "end_date", "stated_by"):
            links[name].append(values.get(name))

    def _memberships(self, file: Csv, home_of: Mapping[str, str]) -> None:
        kinds = {column.name: column for column in LINK_COLUMNS}
        ids = file.get("sourcedId")
        begin, end = (
            self._fit("links", ids, file.get(name), kinds[ours])
            for name, ours in (("beginDate", "start_date"), ("endDate", "end_date"))
        )
        for key in file.columns:
            if key not in (*dict(ROLES), "dateLastModified") and any(file.columns[key]):
                text = "a column of roles.csv that links have no place for; left out"
                self._problem("links", None, key, None, text)
        family: Counter[str] = Counter()
        self.rollups.add("persons.$schools")
        words: defaultdict[str | None, set[str]] = defaultdict(set)
        for user, role in zip(file.get("userSourcedId"), file.get("role"), strict=True):
            words[user].add(str(role).strip().lower())
        for n in self._kept_links("roles", file):
            id, user, role, org = ids[n], *(file.get(name)[n] for name in ("userSourcedId", "role", "orgSourcedId"))
            kind, status = file.get("roleType")[n], file.get("status")[n]
            if is_family(role):
                family[str(role).lower()] += 1
                continue
            if user is None or org is None:
                self._problem("links", id, None, f"{user},{org}", "a role without a user or org; left out")
                continue
            primary = primary_of(kind)
            if primary is None:
                self._problem("links", id, "primary", kind, "a roleType that is neither primary nor secondary")
            if role is None or type_of(role) is None:
                self._problem("links", id, "role", role, "an unknown role; read as a staff role")
            if primary and home_of.get(user, org) != org:
                primary = False  # the user's primary org is another one
            values = {"membership_id": id, "status": status, "primary": primary, "stated_by": "source"}
            dates = {"start_date": begin[n], "end_date": end[n]}
            # Who is both aide and teacher has two roles, at one school or at two: each membership keeps its own word.
            side = _side(role)
            word = side if len(words[user]) == 1 else str(role).strip().lower()
            self._link(("person", user), "member_of", ("org", org), role=word, **values, **dates)
            self.stated.add(("person", user, "member_of", "org", org, side))
        for role, count in sorted(family.items()):
            text = f"rows of roles.csv with the role {role} are left out; value counts them"
            self._problem("links", None, "role", str(count), text)

    def _kept_links(self, name: str, source: Csv) -> list[int]:
        """The rows of a file of memberships to keep; repeats, blank ids and marks of deletion are reported."""
        ids, columns = source.get("sourcedId"), list(source.columns.values())
        times = Counter(id for id in ids if id)
        seen: defaultdict[str, set[bytes]] = defaultdict(set)
        dropped: Counter[str] = Counter()
        kept = []
        for n, (id, status) in enumerate(zip(ids, source.get("status"), strict=True)):
            if id is not None and times[id] > 1:
                row = hashlib.sha256(repr([column[n] for column in columns]).encode()).digest()
                if row in seen[id]:
                    dropped[id] += 1
                    continue
                if seen[id]:
                    text = f"the id of a row of {name}.csv came again with different content; kept"
                    self._problem("links", id, "membership_id", id, text)
                seen[id].add(row)
            if str(status or "").lower() == "tobedeleted":
                self._problem("links", id, "status", status, "marked for deletion; kept")
            kept.append(n)
        blank = sum(id is None for id in ids)
        if blank and "sourcedId" in source.columns:
            text = f"rows of {name}.csv without a sourcedId; kept, value counts them"
            self._problem("links", None, "membership_id", str(blank), text)
        self._repeats("links", dropped)
        return kept

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
        cells: dict[str, list[Any]] = {ours: source.get(name) for name, ours in ENROLLMENTS}
        for name in ("primary", "start_date", "end_date"):
            cells[name] = self._fit("links", cells["membership_id"], cells[name], kinds[name])
        held = self._held_at()
        family: Counter[str] = Counter()
        schools, rows = source.get("schoolSourcedId"), list(zip(*cells.values(), strict=True))
        for n in self._kept_links("enrollments", source):
            link = dict(zip(cells, rows[n], strict=True))
            id, role = link["membership_id"], str(link["role"] or "").strip().lower()
            if role in FAMILY:
                family[role] += 1
                continue
            if link["source_id"] is None or link["target_id"] is None:
                ends_given = f"{link['source_id']},{link['target_id']}"
                self._problem("links", id, None, ends_given, "an enrollment without a user or class")
                continue
            if role not in ("student", "teacher", "") and type_of(role) is None:
                self._problem("links", id, "role", link["role"], "an unknown role; kept as a teacher role")
            if not role:
                self._problem("links", id, "role", None, "an enrollment without a role; read as a teacher role")
            if schools[n] is not None and schools[n] not in held.get(link["target_id"], {schools[n]}):
                self._problem("links", id, "schoolSourcedId", schools[n], "another school than the class's; left out")
            ends = ("person", link.pop("source_id")), ("section", link.pop("target_id"))
            relation = "student_in" if role == "student" else "teacher_in"
            self._link(ends[0], relation, ends[1], **{**link, "role": role or "teacher", "stated_by": "both"})
        for role, count in sorted(family.items()):
            self._problem(
                "links", None, "role", str(count), f"enrollments with the role {role} are left out; value counts them"
            )

    def _held_at(self) -> dict[object, set[object]]:
        links = self.links
        held: defaultdict[object, set[object]] = defaultdict(set)
        for source, relation, target in zip(links["source_id"], links["relation"], links["target_id"], strict=True):
            if relation == "held_at":
                held[source].add(target)
        return held


def _side(role: str | None) -> str:
    """The role of a member of an org: student, or teacher for everyone else."""
    return "student" if str(role).strip().lower() == "student" else "teacher"
