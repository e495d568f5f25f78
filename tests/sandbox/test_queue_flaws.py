"""What is planted in a task queue is what its checks find: no task more, and no task less."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import pytest

import kimono_explore as kx
from kimono_explore.quality.catalogue import TASK_CHECKS
from kimono_explore.quality.outcome import PLACE
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import inject_flaws
from kimono_explore.sandbox.flaws.queue import QUEUE_FLAWS, inject_queue_flaws
from kimono_explore.sandbox.sample_tasks import make_tasks
from kimono_explore.sandbox.task_queue import render_task
from kimono_explore.tasks import task_table

if TYPE_CHECKING:
    import pandas as pd

    from kimono_explore.sandbox.sample_tasks import Task

NOON = "2026-10-05T12:00:00Z"
district = cache(make_district)


def loaded(tasks: list[Task]) -> pd.DataFrame:
    return task_table([json.dumps(render_task(task, "3.0.0")).encode() for task in tasks])


@pytest.mark.parametrize(("students", "seed"), [(60, 1), (60, 2), (60, 3), (500, 4), (500, 5)])
def test_what_was_planted_is_found_and_nothing_else(students: int, seed: int) -> None:
    roster = district(students, seed)
    tasks, planted = inject_queue_flaws(make_tasks(roster, seed), roster, seed)
    report = kx.check_tasks(loaded(tasks), roster, now=NOON)
    for check in report.summary["id"]:
        found = Counter(report.failures(check)["id"])
        assert found == Counter(planted.loc[planted["check"] == check, "id"]), check
    assert set(planted["check"]) == {check.id for check in TASK_CHECKS}


def test_there_is_a_flaw_for_every_check_of_the_queue() -> None:
    assert {flaw.check for flaw in QUEUE_FLAWS} == {check.id for check in TASK_CHECKS}


@pytest.mark.parametrize("seed", range(1, 31))
def test_a_queue_without_flaws_has_an_open_sync_and_nothing_else(seed: int) -> None:
    roster = district(60, 1)
    summary = kx.check_tasks(loaded(make_tasks(roster, seed)), roster, now=NOON).summary
    assert summary.loc[summary["status"] == "failed", "id"].tolist() == ["sync_without_end"]


def test_a_task_that_fails_is_told_by_columns_that_mean_something() -> None:
    roster = district(60, 1)
    tasks, _ = inject_queue_flaws(make_tasks(roster, 1), roster, 1)
    report = kx.check_tasks(loaded(tasks), roster, now=NOON)
    columns = {check.id: list(report.failures(check.id)) for check in TASK_CHECKS}
    assert columns["stale_task"] == [*PLACE, "tenant_id", "type", "action", "sequence", "created_at", "hours"]
    assert [(check, name) for check, names in columns.items() for name in names if name.startswith("_")] == []


def test_a_roster_of_few_has_no_storm() -> None:
    _, planted = inject_queue_flaws([], district(0))
    assert set(planted["check"]) == {check.id for check in TASK_CHECKS} - {"storm_of_deletes"}


def test_planting_is_repeatable_and_leaves_the_tasks_as_they_were() -> None:
    roster, _ = inject_flaws(district(60, 1))
    tasks = make_tasks(roster, 1)
    before = json.dumps(tasks)
    assert inject_queue_flaws(tasks, roster, 9)[0] == inject_queue_flaws(tasks, roster, 9)[0]
    assert json.dumps(tasks) == before
    ids = Counter(str(task["id"]) for task in inject_queue_flaws(tasks, roster, 9)[0])
    assert max(ids.values()) == 1
