"""A week on somebody else's district: five days of edits, each known incident, and the rollover of a year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from nights import INCIDENTS, ordinary, rollover

import kimono_explore as kx

if TYPE_CHECKING:
    from collections.abc import Callable

    from nights import Chance, Night

BUNDLE = Path(__file__).parents[3] / "shared" / "data" / "grandbend-oneroster.zip"
pytestmark = pytest.mark.skipif(not BUNDLE.exists(), reason="needs ../shared/data/grandbend-oneroster.zip")


@pytest.fixture(scope="module")
def monday() -> kx.Roster:
    roster = kx.read_oneroster(BUNDLE)
    roster.loaded_at = datetime(2010, 10, 4, 6, tzinfo=UTC)
    return roster


def test_five_days_of_edits_are_no_alarm(monday: kx.Roster) -> None:
    live, chance = monday, np.random.default_rng(5)
    for _ in range(5):
        night = ordinary(live, chance).roster
        night.loaded_at = live.loaded_at + timedelta(days=1)
        verdict = kx.gate(live, night)
        assert (verdict.verdict, verdict.reasons) == ("go", [])
        assert verdict.headline.startswith("An ordinary load: ")
        live = night
    assert len(kx.compare(monday, live).removed("persons")) > 5


@pytest.mark.parametrize("incident", INCIDENTS)
def test_an_incident_is_alarmed_with_its_school(
    monday: kx.Roster, incident: Callable[[kx.Roster, Chance], Night]
) -> None:
    roster, rules, school = incident(monday, np.random.default_rng(3))
    verdict = kx.gate(monday, roster)
    assert verdict.verdict == (
        "stop" if verdict.reasons[0].rule in ("empty-table", "students-gone", "students-unknown") else "hold"
    )
    assert {reason.rule for reason in verdict.reasons} >= set(rules)
    name = None if school is None else monday.orgs.set_index("id").loc[school, "name"]
    assert {reason.school for reason in verdict.reasons if reason.rule in rules} == {name}


def test_the_next_year_is_recognised(monday: kx.Roster) -> None:
    """The classes of a bundle have no school year: their terms do."""
    verdict = kx.gate(monday, rollover(monday, np.random.default_rng(5)).roster)
    assert (verdict.verdict, verdict.rolled_over) == ("go", True)
    assert [sign.words for sign in verdict.signs][1:3] == [
        "532 of 532 new sections belong to terms that begin after them",
        "532 of 532 sections ended",
    ]
