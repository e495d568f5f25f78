"""What every test may use: a threaded HTTP server, a sandbox, and what the docstrings' examples talk of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import pytest
from hypothesis import HealthCheck, settings
from pytest_httpserver import HTTPServer

import kimono_explore as kx
from kimono_explore.quality import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

mpl.use("agg")
settings.register_profile("kimono", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("kimono")


@pytest.fixture(scope="session")
def make_httpserver() -> Iterator[HTTPServer]:
    """The server of pytest-httpserver, answering several requests at a time."""
    server = HTTPServer(threaded=True)
    server.start()
    yield server
    server.clear()
    if server.is_running():
        server.stop()


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
