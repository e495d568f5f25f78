"""The rules of the systems downstream: each has a public source, a test, and a sentence of its own."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlsplit

import pytest

import kimono_explore as kx
from kimono_explore.gate.targets import READ, RULES, TARGETS, Rule
from kimono_explore.schema import RELATIONS, TABLES, declared

PUBLISHERS = {
    "clever": ("support.clever.com", "dev.clever.com"),
    "google": ("support.google.com", "developers.google.com"),
    "sds": ("learn.microsoft.com",),
    "canvas": ("developerdocs.instructure.com",),
    "apple": ("support.apple.com",),
}
"""Whose word counts: each target's own pages."""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_rule_has_a_source_of_its_target(rule: Rule) -> None:
    address = urlsplit(rule.source)
    assert address.scheme == "https"
    assert address.netloc in PUBLISHERS[rule.target]
    assert len(address.path) > 5
    assert rule.id.startswith(f"{rule.target}-")
    assert rule.says.endswith(".")
    assert rule.says.count(". ") == 0


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_refusal_looks_at_what_there_is(rule: Rule) -> None:
    for refusal in rule.refuses:
        assert refusal.table in TABLES
        columns = {column.name for column in declared(refusal.table)}
        assert refusal.column in columns | set(RELATIONS)


def test_rules_are_named_once_and_every_target_has_several() -> None:
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert all(sum(rule.target == target for rule in RULES) >= 3 for target in TARGETS)


def test_the_day_of_reading_is_a_day_and_is_told() -> None:
    assert date.fromisoformat(READ).year >= 2026
    rules = kx.rehearse(kx.Roster(), kx.Roster(), "sds").rules
    assert rules.columns.tolist() == ["rule", "says", "source", "read"]
    assert set(rules["read"]) == {READ}
