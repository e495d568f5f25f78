"""Rosters written out by hand, as small as can be: objects by kind, links as sentences, statements by their place."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import kimono_explore as kx
from kimono_explore.decode.raw_links import LINK_FIELDS, RawLinks, link_table
from kimono_explore.frames import frame
from kimono_explore.quality.causes import group_by_cause
from kimono_explore.schema import ENDS, OBJECT_TYPES, PROBLEM_COLUMNS, REFERENCES, TABLES

Item = tuple[str, dict[str, Any]]
ALL_SENT = frozenset(f"{r.table}.{r.key}" for r in REFERENCES)


def lea(id: str | None = "district", **more: Any) -> Item:
    return "orgs", {"id": id, "org_type": "lea", "name": id, **more}


def school(id: str | None = "school", **more: Any) -> Item:
    return "orgs", {"id": id, "org_type": "school", "name": id, **more}


def student(id: str | None = "ana", **more: Any) -> Item:
    return "persons", {
        "id": id,
        "person_type": "student",
        "name_first": (id or "nobody").title(),
        "name_last": "Silva",
        **more,
    }


def teacher(id: str | None = "ben", **more: Any) -> Item:
    return "persons", {
        "id": id,
        "person_type": "teacher",
        "name_first": (id or "nobody").title(),
        "name_last": "Berg",
        **more,
    }


def course(id: str | None = "algebra", **more: Any) -> Item:
    return "courses", {"id": id, "title": id, **more}


def section(id: str | None = "algebra-1", **more: Any) -> Item:
    return "sections", {"id": id, "title": id, **more}


def term(
    id: str | None = "year", start: str | None = "2026-08-17", end: str | None = "2027-06-04", **more: Any
) -> Item:
    return "terms", {"id": id, "name": id, "term_type": "term", "start_date": start, "end_date": end, **more}


def category(id: str | None = "tests", **more: Any) -> Item:
    return "grading_categories", {"id": id, "name": id, **more}


def link(sentence: str, *, types: tuple[str, str] | None = None, **more: Any) -> Item:
    """A link from a sentence such as ``"ana student_in algebra-1"``."""
    source, relation, target = sentence.split()
    more = {"types": types, "stated_by": "both", **more}
    return "links", {"source_id": source, "relation": relation, "target_id": target, **more}


def problem(table: str, id: str | None, column: str | None, value: str | None, text: str) -> Item:
    return "problems", dict(zip((c.name for c in PROBLEM_COLUMNS), (table, id, column, value, text), strict=True))


def make(*items: Item, without: tuple[str, ...] = ()) -> kx.Roster:
    """A roster of these items; ``without`` names reference keys that were not sent."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in (*TABLES, "links", "problems")}
    for name, row in items:
        rows[name].append(dict(row))
    types = {row["id"]: OBJECT_TYPES[name] for name in TABLES for row in rows[name]}
    kinds = {row["id"]: row.get("person_type") for row in rows["persons"]}
    for row in rows["links"]:
        ends = ENDS[row["relation"]]
        fitting = [
            e for e in ends if types.get(row["source_id"], e[0]) == e[0] and types.get(row["target_id"], e[1]) == e[1]
        ]
        row["source_type"], row["target_type"] = row.pop("types") or (fitting or ends)[0]
        role = {"student_in": "student", "teacher_in": "teacher", "member_of": kinds.get(row["source_id"], "student")}
        row.setdefault("role", role.get(row["relation"]))
    frames = {name: frame(name, _columns(listed)) for name, listed in rows.items() if listed}
    return kx.Roster(**frames, source="a test", rollups=ALL_SENT - set(without))  # type: ignore[arg-type]


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def said(*statements: tuple[str, int, str, dict[str, Any]]) -> dict[str, RawLinks]:
    """What objects state of their links: ``("sections.$students", 0, "ana", {"status": "Active"})``, 0 being the row."""
    tables: dict[str, dict[str, list[Any]]] = {}
    for place, row, far_id, fields in statements:
        number = next(n for n, r in enumerate(REFERENCES) if f"{r.table}.{r.key}" == place)
        reference = REFERENCES[number]
        values = {"near": row, "reference": number, "far_type": reference.far_type, "far_id": far_id}
        values |= {"role": reference.role, **fields}
        for name, column in tables.setdefault(reference.table, {name: [] for name in LINK_FIELDS}).items():
            column.append(values.get(name))
    raw = {}
    for name, columns in tables.items():
        links = link_table(columns)
        near, numbers = (links.column(key).to_numpy() for key in ("near", "reference"))
        raw[name] = RawLinks(links.drop(["near", "reference"]), near, numbers)
    return raw


def ids_of(**tables: list[str | None]) -> dict[str, pd.Series]:
    """The ids of each table; of the tables that are not named, none."""
    return {name: pd.Series(tables.get(name, []), dtype="str") for name in TABLES}


def check_alone(roster: kx.Roster, check: str, **options: Any) -> kx.Report:
    """A report of one check that does not ask whom its findings reach, which takes longer than the check itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kimono_explore.quality.run.group_by_cause", lambda outcomes, _: group_by_cause(outcomes))
        return kx.check(roster, [check], **options)
