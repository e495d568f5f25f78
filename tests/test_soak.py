"""Many loads under faults: nothing grows, and every roster is the whole one.

``KIMONO_SOAK=200`` makes as many loads; the suite makes a few. After the warm-up, threads and file descriptors may grow by 2,
and memory by 40 MiB.
"""

import logging
import os
import random
import resource
import threading
import time
import warnings
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from rosters import assert_equal
from stubborn_server import LISTS
from werkzeug import Request, Response

import kimono_explore as kx
from kimono_explore import json_text

SOAK = int(os.environ.get("KIMONO_SOAK", "15"))
SEED = int(os.environ.get("KIMONO_SEED", time.time_ns() % 10**9))
WARM_UP = 5
ROWS = 90
HTML = "<!doctype html><title>Sign in</title><p>Please sign in."


class Faulty:
    """Serves lists, and fails in 5 of 100 answers."""

    def __init__(self, httpserver: HTTPServer) -> None:
        self.chance, self.faults, self.rate = random.Random(SEED), 0, 0.05
        httpserver.expect_request("/v2").respond_with_data("")
        for name in LISTS:
            httpserver.expect_request(f"/v2/rostering/{name}").respond_with_handler(self.respond)
        httpserver.expect_request("/v2/grades/gradingCategories").respond_with_handler(self.respond)

    def respond(self, request: Request) -> Response:
        page, size = int(request.args["page"]), int(request.args.get("page_size", 10))
        name = request.path.rsplit("/", 1)[-1]
        rows = [{"$sys": {"id": f"{name[:3]}{n:04}"}, "name": "Oak", "$ext": {"n": n}} for n in range(ROWS)]
        body = json_text.encode(
            {
                "data": rows[page * size : (page + 1) * size],
                "paging": {"next": "m" if (page + 1) * size < ROWS else None},
            }
        )
        what = self.chance.random() / self.rate
        if what >= 1:
            return Response(body)
        self.faults += 1
        if what < 0.25:
            return Response("busy", 503)
        if what < 0.5:
            return Response(HTML, content_type="text/html")
        if what < 0.75:
            return Response(body[: len(body) // 2])
        cut = Response(body)
        cut.headers["Content-Length"] = str(len(body) + 50)
        cut.headers["Connection"] = "close"
        return cut


def held() -> tuple[int, int, float]:
    """Threads, file descriptors and MiB of this process; the server's own threads and sockets end a moment later."""
    time.sleep(0.3)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir())), pages * resource.getpagesize() / 2**20


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="it looks at /proc")
def test_many_loads_under_faults_are_whole_and_leave_nothing(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("kimono_explore.api.client._BACKOFF", 0.0)
    for name in ("httpx", "werkzeug"):  # pytest keeps every line of a log, which would be the growth that is measured
        monkeypatch.setattr(logging.getLogger(name), "level", logging.WARNING)
    server = Faulty(httpserver)
    server.rate = 1e-9
    url = httpserver.url_for("/v2")
    with kx.connect(url, token="t") as client:
        truth = kx.load_roster(client, page_size=10, progress=False)
    assert len(truth.persons) == ROWS
    server.rate = 0.05
    seen, errors = [], 0
    for n in range(WARM_UP + SOAK):
        with kx.connect(url, token="t", retries=3) as client, warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            try:
                folder = tmp_path / "resumed" if n % 3 == 0 else None
                roster = kx.load_roster(client, page_size=10, progress=False, resume=folder)
            except kx.KimonoError:  # four faults in a row: told, and so not silent
                errors += 1
            else:
                older = roster.problems["problem"].str.contains("interrupted load")
                assert_equal(truth, roster)
                unexpected = roster.problems[~older]["problem"].tolist()
                assert unexpected == truth.problems["problem"].tolist(), SEED
        httpserver.clear_log()
        if n >= WARM_UP - 1:
            seen.append(held())
    threads, files, memory = zip(*seen, strict=True)
    print(f"{SOAK} loads, {server.faults} faults, {errors} errors; threads {threads[0]} to {threads[-1]}, "
          f"files {files[0]} to {files[-1]}, {memory[0]:.0f} to {memory[-1]:.0f} MiB; seed {SEED}")  # fmt: skip
    assert server.faults > 0
    assert errors <= 1 + SOAK // 20
    assert min(threads[-3:]) <= threads[0] + 2
    assert min(files[-3:]) <= files[0] + 2
    assert memory[-1] <= memory[0] + 40
