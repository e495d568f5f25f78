"""What every test may use: a threaded HTTP server, a sandbox, and what the docstrings' examples talk of."""

from __future__ import annotations

import os
import sys
from copy import deepcopy
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import pytest
from hypothesis import HealthCheck, settings
from pytest_httpserver import HTTPServer

import kimono_explore as kx
from kimono_explore.quality import catalogue
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import inject_flaws

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

mpl.use("agg")
# jsonschema, which nbformat imports, would build 38 grammars for a kind of address that no schema here has: 1.5 s a process.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
settings.register_profile("kimono", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("kimono")


SLOW: dict[str, tuple[str, ...]] = {
    "test_acks": ("test_what_is_said",),
    "test_additions": ("test_a_dialect",),
    "test_app": (),
    "test_apply": ("test_random_streams", "test_what_the_sandbox"),
    "test_architecture": ("test_a_page_goes",),
    "test_arrow_rows": ("test_also_where", "test_the_quick_way"),
    "test_atomic": (),
    "test_benchmarks": (),
    "test_boundaries": ("test_whose_a_term",),
    "test_browser": (),
    "test_browser_days": (),
    "test_bundle_bounds": (),
    "test_bundle_faults": (),
    "test_bundle_list": (),
    "test_bundle_written": ("test_a_bundle_is", "test_an_enrollment_has", "test_a_role_of"),
    "test_causes": ("test_nothing_is_lost",),
    "test_checks": ("test_a_small", "test_an_empty", "test_without", "test_the_smallest"),
    "test_coming": (),
    "test_command_line": (),
    "test_current": (),
    "test_decode": ("test_any_page",),
    "test_database": (),
    "test_display": (),
    "test_district": (),
    "test_duplicates": (),
    "test_docs": (),
    "test_examples": (),
    "test_exit": (),
    "test_explain": (),
    "test_front": ("test_what_is_checked_in",),
    "test_fleet": (),
    "test_fuzz": (),
    "test_graph": ("test_grand_bend",),
    "test_grand_bend": (),
    "test_healing": (),
    "test_html": (),
    "test_interrupt": (),
    "test_levels": (),
    "test_listing": (),
    "test_load": (),
    "test_history": (),
    "test_hosts": (),
    "test_memory": (),
    "test_message": ("test_no_word", "test_few_people"),
    "test_network": ("test_findings_of",),
    "test_noise": ("test_the_day_of_the_check", "test_a_made_up", "test_two_series"),
    "test_notebooks": (),
    "test_numbers": ("test_a_number_is_taken", "test_the_catalogue", "test_a_report", "test_files_have", "test_on_the"),
    "test_oneroster": (),
    "test_oneroster_1_2": (),
    "test_oneroster_write": (),
    "test_openapi": (),
    "test_page": (),
    "test_paging": ("test_every_row",),
    "test_panel": ("test_a_panel_in", "test_what_is_not"),
    "test_paper": (),
    "test_planted": (),
    "test_picture": ("test_an_executed",),
    "test_plots": (),
    "test_plots_neighborhood": (),
    "test_plots_numbers": (),
    "test_print": (),
    "test_privacy": (),
    "test_progress": (),
    "test_public_names": ("test_loading_needs", "test_a_function_named"),
    "test_quality": (),
    "test_query": (),
    "test_questions": (),
    "test_queue": (),
    "test_queue_flaws": (),
    "test_recipes": (),
    "test_refresh": (),
    "test_refusals": ("test_a_rule_refuses",),
    "test_rehearsal": (),
    "test_reliability": (),
    "test_repairs": (),
    "test_repeated_ids": (),
    "test_rerun": (),
    "test_resume": (),
    "test_run": (),
    "test_sandbox": (),
    "test_scene": ("test_nobody",),
    "test_score": ("test_another", "test_what_passes"),
    "test_snapshot": ("test_a_snapshot_that_is_replaced",),
    "test_soak": (),
    "test_sources": (),
    "test_stored": (),
    "test_table": ("test_code_chooses", "test_counts_of_all"),
    "test_timeline": ("test_an_address", "test_a_time", "test_facets"),
    "test_timeouts": (),
    "test_verdict": (),
    "test_versions": ("test_any_day", "test_the_last_day"),
    "test_wheel": (),
    "test_widgets": (),
}
"""What `make fast` leaves out: whole modules, or those of their tests whose names begin so."""

LONGEST = ("test_quality", "test_browser", "test_reliability", "test_checks", "test_examples", "test_load")
"""The modules that take longest, from the longest on: they begin first, so that no core is left with one at the end."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: many tests wait, for a server, a browser or a fault."""
    return (os.cpu_count() or 1) * 3 // 2 or 1


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Modules that are slow as a whole need not even be imported for `make fast`."""
    return True if config.option.markexpr == "not slow" and SLOW.get(collection_path.stem) == () else None


def shared_out(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """The tests in the order in which as many workers begin with the longest modules, in turn.

    With ``--dist worksteal`` each worker has a run of equal length at first, and who is done takes from the end of another's.
    """
    shares: list[list[pytest.Item]] = [[] for _ in range(workers)]
    for place, name in enumerate(LONGEST):
        shares[place % workers] += [item for item in items if item.path.stem == name]
    others = [item for item in items if item.path.stem not in LONGEST]
    for share in shares[:-1]:
        room = max(0, len(items) // workers - len(share))
        share += others[:room]
        del others[:room]
    return [item for share in [*shares[:-1], shares[-1] + others] for item in share]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is slow, and put what takes longest first."""
    gone = SLOW.keys() - {path.stem for path in Path(__file__).parent.rglob("test_*.py")}
    if gone:
        raise pytest.UsageError(f"SLOW names modules that are not there: {sorted(gone)}")
    for item in items:
        names = SLOW.get(item.path.stem)
        if names is not None and item.name.startswith(names or ""):
            item.add_marker(pytest.mark.slow)
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1:
        items[:] = shared_out(items, workers)


@pytest.fixture(scope="session")
def make_httpserver() -> Iterator[HTTPServer]:
    """The server of pytest-httpserver, answering several requests at a time."""
    server = HTTPServer(threaded=True)
    server.start()
    yield server
    server.clear()
    if server.is_running():
        server.stop()


USUAL_SEED = 7


@lru_cache(maxsize=16, typed=True)
def flawed_district(students: int) -> tuple[kx.Roster, pd.DataFrame]:
    return inject_flaws(make_district(students, USUAL_SEED), USUAL_SEED)


@pytest.fixture(scope="session", autouse=True)
def a_district_is_flawed_once() -> Iterator[None]:
    """Planting flaws is most of what starting a sandbox takes: it is done once for each size, and each sandbox has a copy.

    With another seed than the usual one, nothing is kept: there, that the same seed gives the same is under test.
    """
    sandboxes = import_module("kimono_explore.sandbox")  # `kx.sandbox` is the function
    make_sandbox = sandboxes.make_sandbox

    def made(source: object, students: int, seed: int, flaws: bool, **options: object) -> kx.Sandbox:
        if source is not None or not flaws or seed != USUAL_SEED:
            return make_sandbox(source, students, seed, flaws, **options)
        roster, planted = flawed_district(students)
        box = make_sandbox(deepcopy(roster), students, seed, flaws, **options)
        box.planted = planted.copy()
        return box

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandboxes, "make_sandbox", made)
        yield


@pytest.fixture(scope="session")
def small_sandbox() -> Iterator[kx.Sandbox]:
    """A sandbox of 60 students without flaws, for tests that only look."""
    with kx.sandbox(students=60, flaws=False) as box:
        yield box


@pytest.fixture(scope="session")
def small_roster(small_sandbox: kx.Sandbox) -> kx.Roster:
    return kx.load_roster(small_sandbox.client, progress=False)


@pytest.fixture(autouse=True)
def no_own_checks() -> Iterator[None]:
    """Checks that a test or an example defines are gone after it."""
    yield
    catalogue._own.clear()
