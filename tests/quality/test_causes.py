"""Findings by what explains them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from kimono_explore.quality.causes import COLUMNS, group_by_cause
from kimono_explore.quality.definition import Check
from kimono_explore.quality.outcome import Outcome


def check(id: str, *tables: str, severity: Any = "error", group: str = "Values", **more: Any) -> Check:
    return Check(id, id.capitalize(), severity, group, tables or ("persons",), "", "", lambda context: 1 / 0, **more)


def outcome(of: Check, *failures: dict[str, Any]) -> Outcome:
    return Outcome(of, "", failures=pd.DataFrame(list(failures)), failed=len(failures))


def person(id: str, **more: Any) -> dict[str, Any]:
    return {"table": "persons", "id": id, "label": id.title(), "person_type": "student", **more}


def causes(*outcomes: Outcome) -> list[list[Any]]:
    df = group_by_cause(outcomes)
    assert tuple(df.columns) == COLUMNS
    return df.astype("object").where(df.notna(), None).to_numpy().tolist()


def test_nothing_found_is_an_empty_table() -> None:
    assert causes() == []
    assert causes(Outcome(check("a"), "")) == []


def test_findings_of_one_check_are_one_cause_for_each_kind_of_object() -> None:
    both = check("both", "persons", "orgs", severity="warning")
    found = causes(
        outcome(
            both,
            person("ana", org_id="s", org="School"),
            person("ben", person_type="teacher", org_id="s", org="School"),
            person("cleo", org_id="t", org="Other"),
            {"table": "orgs", "id": "s"},
        )
    )
    assert found == [
        ["orgs", "Both (orgs)", "warning", 1, "both", 0, None, None, None],
        ["staff", "Both (teachers)", "warning", 1, "both", 1, "School", None, None],
        ["students", "Both (students)", "warning", 2, "both", 2, None, None, None],
    ]


def test_what_was_not_delivered_explains_what_refers_to_it() -> None:
    orphan = check("orphan", severity="warning")
    none = check("none", severity="error")
    gone = {"missing_type": "section", "missing_id": "s9"}
    found = causes(
        outcome(
            orphan,
            person("ana", **gone, org_id="s", org="School"),
            person("ben", missing_type="person", missing_id="p9", role="teacher"),
        ),
        outcome(
            none, person("ana", **gone), person("cleo", missing_type="org", missing_id="o9", org_id="s", org="School")
        ),
    )
    assert found == [
        ["orgs", "Org o9 was not delivered", "error", 1, "none", 1, None, "org", "o9"],
        ["sections", "Section s9 was not delivered", "error", 2, "orphan, none", 1, "School", "section", "s9"],
        ["staff", "Person p9 was not delivered", "warning", 1, "orphan", 0, None, "person", "p9"],
    ]


def test_a_consequence_is_told_under_what_explains_it() -> None:
    first, second, third = check("first"), check("second", follows=("first",)), check("third", follows=("second",))
    found = causes(
        outcome(third, person("ana"), person("ben")),
        outcome(second, person("ana"), person("ben")),
        outcome(first, person("ana")),
    )
    assert [row[1:5] for row in found] == [
        ["First", "error", 3, "third, second, first"],
        ["Second", "error", 2, "third, second"],
    ]


def test_a_school_that_is_at_fault_explains_what_is_wrong_in_it() -> None:
    empty = check("empty", "orgs", severity="error")
    alone = check("alone", severity="information", follows_school=("empty",))
    found = causes(
        outcome(empty, {"table": "orgs", "id": "s", "label": "Oak School", "org_id": "s", "org": "Oak School"}),
        outcome(alone, person("ana", org_id="s", org="Oak School"), person("ben", org_id="t", org="Elm")),
    )
    assert found == [
        ["orgs", "Oak School: empty", "error", 2, "empty, alone", 1, "Oak School", "org", "s"],
        ["students", "Alone", "information", 1, "alone", 1, "Elm", None, None],
    ]


def test_causes_stand_in_the_order_in_which_rosters_are_mended() -> None:
    rows = [
        outcome(check("zz", severity="warning"), person("a")),
        outcome(check("yy", severity="error"), person("a")),
        outcome(check("xx", severity="warning"), person("a"), person("b")),
        outcome(check("ww", severity="warning"), person("a")),
        outcome(check("links", group="References"), person("a")),
        outcome(check("term", "terms", severity="information"), {"table": "terms", "id": "t"}),
    ]
    assert [row[1] for row in causes(*rows)] == ["Term", "Yy", "Xx", "Ww", "Zz", "Links"]
