"""What is planted is what is found, check by check, over several seeds; a district without flaws has no finding.

``KIMONO_SEEDS`` says how many seeds, ``KIMONO_SEED`` the first of them::

    KIMONO_SEEDS=20 python -m pytest tests/quality/test_planted.py
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

import kimono_explore as kx
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import inject_flaws
from kimono_explore.sandbox.flaws.queue import inject_queue_flaws
from kimono_explore.sandbox.sample_tasks import make_tasks
from kimono_explore.sandbox.task_queue import render_task
from kimono_explore.tasks import task_table

if TYPE_CHECKING:
    import pandas as pd

FIRST = int(os.environ.get("KIMONO_SEED", "101"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("KIMONO_SEEDS", "1")))
OCTOBER = "2026-10-05"


def objects(df: pd.DataFrame, *columns: str) -> set[tuple[str, ...]]:
    """What fails; one object may hold two orphans, and what was planted lists objects."""
    return set(df[list(columns)].fillna("").itertuples(index=False, name=None))


def differing(report: kx.Report, planted: pd.DataFrame, *columns: str) -> dict[str, set[tuple[str, ...]]]:
    """For each check what was found or planted, and not both."""
    compared = {
        check: objects(report.failures(check), *columns) ^ objects(planted[planted["check"] == check], *columns)
        for check in report.summary["id"]
    }
    return {check: apart for check, apart in compared.items() if apart}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("students", [60, 300])
def test_what_was_planted_in_a_roster_is_found_and_nothing_else(students: int, seed: int) -> None:
    clean = make_district(students, seed)
    roster, planted = inject_flaws(clean, seed)
    assert differing(kx.check(roster, as_of=OCTOBER), planted, "table", "id") == {}
    assert kx.check(clean, as_of=OCTOBER).findings.empty


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_planted_in_a_queue_is_found_and_nothing_else(seed: int) -> None:
    roster = make_district(300, seed)
    tasks, planted = inject_queue_flaws(make_tasks(roster, seed), roster, seed)
    table = task_table([json.dumps(render_task(task, "3.0.0")).encode() for task in tasks])
    assert differing(kx.check_tasks(table, roster, now=f"{OCTOBER}T12:00:00Z"), planted, "id") == {}
