"""Whom findings reach: the people behind an object, each once, and never those of another."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from builders import Item, category, course, lea, link, make, school, section, student, teacher

from kimono_explore.files.snapshot import PARTS
from kimono_explore.quality.context import CheckContext
from kimono_explore.quality.engines import make_engine
from kimono_explore.quality.reach import REACHED, Reach, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

# ana and cy are in art at north, bo in math at south; dee teaches both.
SCHOOL: tuple[Item, ...] = (
    lea(), school("north"), school("south"), course("c"), category("tests"),
    section("art"), section("math"), student("ana"), student("bo"), student("cy"), teacher("dee"),
    link("art held_at north"), link("math held_at south"), link("art of_course c"), link("tests graded_in math"),
    link("ana member_of north"), link("bo member_of south"), link("dee member_of district"),
    link("ana student_in art", membership_id="m1"), link("ana student_in art"), link("cy student_in art"),
    link("bo student_in math"), link("dee teacher_in art"), link("dee teacher_in math"),
)  # fmt: skip
COLUMNS = ("check", "severity", "table", "id", "role", "missing_type", "missing_id")


def finding(table: str, id: str | None, severity: str = "error", **more: Any) -> dict[str, Any]:
    return {"check": "a_check", "severity": severity, "table": table, "id": id, **more}


def reach(*findings: dict[str, Any], numbers: Sequence[int] | None = None, items: Sequence[Item] = SCHOOL) -> Reach:
    roster, engine = make(*items), make_engine("polars")
    frames = {name: engine.bring(name, getattr(roster, name)) for name in PARTS}
    context = CheckContext(engine, frames, roster.rollups, date(2026, 10, 5))
    df = pd.DataFrame(list(findings), columns=list(COLUMNS), dtype="str")
    return measure(context, df, list(numbers) if numbers is not None else [0] * len(findings))


def counts(found: Reach, cause: int = 0) -> tuple[int, ...]:
    return tuple(int(found.causes.loc[cause, name]) for name in REACHED)


@pytest.mark.parametrize(
    ("table", "id", "reached"),
    [
        # students, teachers, sections, schools
        ("persons", "ana", (1, 0, 0, 1)),
        ("persons", "dee", (0, 1, 0, 0)),
        ("sections", "art", (2, 1, 1, 1)),
        ("courses", "c", (2, 1, 1, 1)),
        ("orgs", "north", (2, 1, 1, 1)),
        ("orgs", "district", (0, 1, 0, 0)),
        ("grading_categories", "tests", (1, 1, 1, 1)),
        ("links", "m1", (1, 0, 1, 1)),
        ("terms", "ghost", (0, 0, 0, 0)),
        ("users.csv", "ana", (0, 0, 0, 0)),
    ],
)
def test_an_object_reaches_its_people(table: str, id: str, reached: tuple[int, ...]) -> None:
    assert counts(reach(finding(table, id))) == reached


def test_a_missing_student_does_not_reach_the_class_and_a_missing_teacher_does() -> None:
    gone = {"missing_type": "person", "missing_id": "ghost"}
    assert counts(reach(finding("sections", "art", role="student", **gone))) == (1, 0, 1, 1)
    assert counts(reach(finding("sections", "art", role="teacher", **gone))) == (2, 2, 1, 1)


def test_a_missing_person_counts_once_for_each_cause() -> None:
    gone = {"missing_type": "person", "role": "student"}
    findings = [
        finding("sections", id, missing_id=ghost, **gone) for id, ghost in (("art", "x"), ("math", "x"), ("art", "y"))
    ]
    assert counts(reach(*findings)) == (2, 0, 2, 2)
    found = reach(*findings, numbers=[0, 2, 2])
    assert [counts(found, cause)[0] for cause in range(3)] == [1, 0, 2]


def test_people_of_two_findings_count_once() -> None:
    assert counts(reach(finding("persons", "ana"), finding("sections", "art"))) == (2, 1, 1, 1)


def test_of_two_severities_the_worse_one_counts() -> None:
    harmed = reach(
        finding("persons", "ana", "warning"), finding("sections", "art"), finding("persons", "bo", "warning")
    ).harmed
    rows = {
        (scope, id if isinstance(id, str) else None): (people, errors, warnings)
        for scope, id, people, errors, warnings in harmed.itertuples(index=False)
    }
    assert rows["district", None] == (4, 3, 1)
    assert rows["school", "north"] == (3, 3, 0)
    assert rows["school", "south"] == (2, 1, 1)  # dee teaches at both
    assert (rows["table", "persons"], rows["table", "sections"]) == ((4, 0, 2), (4, 3, 0))
    assert rows["table", "terms"] == (4, 0, 0)


def test_without_findings_nobody_is_reached() -> None:
    found = reach()
    assert (len(found.causes), list(found.causes.columns)) == (0, list(REACHED))
    assert found.harmed.loc[found.harmed["scope"] == "district", ["people", "errors"]].to_numpy().tolist() == [[4, 0]]
    nameless = reach(finding("persons", None))
    assert counts(nameless) == (0, 0, 0, 0)


def test_a_person_of_two_types_is_a_student_once() -> None:
    items = [*SCHOOL, teacher("ana")]
    assert counts(reach(finding("persons", "ana"), items=items)) == (1, 0, 0, 1)
