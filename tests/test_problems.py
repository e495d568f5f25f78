"""The texts of problems: each has a kind, and a kind names nothing that a tenant sent."""

from __future__ import annotations

import pytest

from kimono_explore.problems import _EARLIER_WORDING, _KINDS, INCOMPLETE, NO_DATA, OTHER, kind_of, not_applied


@pytest.mark.parametrize("kind", _KINDS)
def test_every_text_is_of_its_own_kind(kind: str) -> None:
    assert kind_of(kind.replace("…", "Ana Silva\n4711")) == kind


@pytest.mark.parametrize("said", INCOMPLETE)
def test_a_list_that_lacks_rows_is_told_by_a_part_of_its_text(said: str) -> None:
    assert kind_of(f"page 3: {said}: 403 from rostering/terms: Ana Silva may not.") == said


def test_snapshots_of_earlier_versions_still_say_that_rows_may_be_missing() -> None:
    assert set(_EARLIER_WORDING) < set(INCOMPLETE)


@pytest.mark.parametrize("text", ["", "not a date at all", "Ana Silva", "an id that is not a text; kept"])
def test_a_text_that_nobody_knows_is_not_repeated(text: str) -> None:
    assert kind_of(text) == OTHER


def test_a_task_that_changes_nothing_is_named() -> None:
    assert not_applied("4711", NO_DATA) == "the task 4711 was not applied: it holds no data"
    assert not_applied(None, NO_DATA) == "the task without an id was not applied: it holds no data"
    assert kind_of(not_applied("4711", NO_DATA)) == "the task … was not applied: it holds no data"
