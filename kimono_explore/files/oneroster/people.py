"""Who the users of a bundle are: repeated demographics, and the roles of OneRoster 1.2."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from kimono_explore.files.oneroster.layout import DEMOGRAPHICS, FAMILY, PEOPLE, STAFF_1_2
from kimono_explore.schema import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kimono_explore.files.oneroster.bundle import Csv

_NOT_ABOUT_ANYBODY = ("sourcedId", "status", "dateLastModified")


def type_of(role: str | None) -> str | None:
    """The person type of a role; None if it is unknown."""
    known = (role or "").strip().lower()
    return "staff" if known in STAFF_1_2 else PEOPLE.get(known)


def is_family(role: str | None) -> bool:
    """Whether a role is one of parents, guardians and relatives."""
    return (role or "").strip().lower() in FAMILY


class Demographics(NamedTuple):
    """What demographics.csv says of each person.

    Attributes
    ----------
    cells : dict of str to dict
        Our column -> id -> value; nothing if rows for one person differ.
    ids : set of str
    repeated : dict of str to int
        The ids of rows that were repeated unchanged, and how often.
    problems : list of Problem
    """

    cells: dict[str, dict[str, str | None]]
    ids: set[str]
    repeated: dict[str, int]
    problems: list[Problem]


def read_demographics(source: Csv) -> Demographics:
    """Demographics by person. One person never gets another's: ids are matched exactly."""
    names = dict(DEMOGRAPHICS)
    keys = [key for key in source.columns if key not in _NOT_ABOUT_ANYBODY]
    problems: list[Problem] = []
    rows_of: defaultdict[str, list[int]] = defaultdict(list)
    for n, (id, status) in enumerate(zip(source.get("sourcedId"), source.get("status"), strict=True)):
        if id is None:
            row = ",".join(column[n] or "" for column in source.columns.values())
            problems.append(
                Problem("persons", None, None, row, "a row of demographics.csv without a sourcedId; left out")
            )
            continue
        rows_of[id].append(n)
        if (status or "").lower() == "tobedeleted":
            text = "marked for deletion in demographics.csv; kept"
            problems.append(Problem("persons", id, "demographics.status", status, text))
    cells = {names.get(key, key): {id: source.columns[key][rows[0]] for id, rows in rows_of.items()} for key in keys}
    repeated: dict[str, int] = {}
    for id, rows in rows_of.items():
        if len(rows) == 1:
            continue
        distinct = {tuple(source.columns[key][n] for key in keys) for n in rows}
        if len(rows) > len(distinct):
            repeated[id] = len(rows) - len(distinct)
        told = []
        for key in keys:
            found = list(dict.fromkeys(source.columns[key][n] for n in rows))
            if len(found) > 1:
                filled = [value for value in found if value is not None]
                told.append(f"{key}: {', '.join('(empty)' if value is None else value for value in found)}")
                cells[names.get(key, key)][id] = filled[0] if len(filled) == 1 else None
        if told:
            text = (
                f"{len(distinct)} rows of demographics.csv differ: value names what they hold; "
                "where they contradict each other, the cell is left missing"
            )
            problems.append(Problem("persons", id, None, "; ".join(told), text))
    return Demographics(cells, set(rows_of), repeated, problems)


class Role(NamedTuple):
    """A row of roles.csv."""

    id: str | None
    role: str
    primary: bool | None
    org: str | None
    deleted: bool


class WhoIs(NamedTuple):
    """A person's roles, summed up: the role that wins, and all of them in words."""

    role: str
    every: str


def roles_of_users(source: Csv) -> dict[str, list[Role]]:
    """The rows of roles.csv by user."""
    roles: defaultdict[str, list[Role]] = defaultdict(list)
    names = ("userSourcedId", "sourcedId", "role", "roleType", "orgSourcedId", "status")
    for user, id, role, kind, org, status in zip(*map(source.get, names), strict=True):
        if user:
            roles[user].append(Role(id, role or "", primary_of(kind), org, (status or "").lower() == "tobedeleted"))
    return roles


def primary_of(kind: str | None) -> bool | None:
    """A roleType as a flag."""
    return {"primary": True, "secondary": False}.get((kind or "").strip().lower())


def decide(user: str, roles: Sequence[Role], home: str | None, problems: list[Problem]) -> WhoIs:
    """Choose a person's main role among several: a primary one, preferably the one at the primary org."""
    own = [role for role in roles if not is_family(role.role)] or list(roles)
    order = sorted(own, key=lambda role: (role.deleted, not role.primary, role.org != home))
    best = order[0]
    kinds = dict.fromkeys(type_of(role.role) for role in own if not is_family(role.role))
    every = ", ".join(dict.fromkeys(role.role for role in roles))
    if len(kinds) > 1:
        sure = best.primary and not any(
            role.primary and (role.deleted, role.org == home) == (best.deleted, best.org == home)
            for role in own
            if type_of(role.role) != type_of(best.role)
        )
        which = "the primary one" if sure else "the first, as no single one is primary"
        text = f"roles of several kinds; the person is known by {which}: {best.role}"
        problems.append(Problem("persons", user, "role", every, text))
    return WhoIs(best.role, every)


def homes_without_role(
    homes: Mapping[str, str | None], roles: Mapping[str, Sequence[Role]], problems: list[Problem]
) -> set[str]:
    """The users whose primary org is one at which they have no role."""
    found = {user for user, org in homes.items() if org and org not in {role.org for role in roles.get(user, ())}}
    for user in sorted(found):
        text = "the primary org is one at which roles.csv gives the person no role"
        problems.append(Problem("persons", user, "primaryOrgSourcedId", homes[user], text))
    return found
