"""Loading over HTTP, beside a loop over pages. The server answers from memory after a fixed delay."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pandas as pd

import kimono_explore as kx
from kimono_explore.sandbox.dialect import Dialect
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.speaker import Speaker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PAGE, _DELAY = 200, 0.1


def prepare(folder: Path, size: float) -> None:
    """The students of 50 pages, one in each line."""
    students = max(_PAGE, int(50 * _PAGE * size))
    speaker = Speaker(make_district(students), Dialect())
    rows = speaker.objects("persons", range(students))
    (folder / "students.ndjson").write_bytes(b"\n".join(map(msgspec.json.encode, rows)))


class Answering(BaseHTTPRequestHandler):
    """Answers with JSON, and logs nothing."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together: apart, the second may wait 40 ms for the first one's receipt

    def reply(self) -> tuple[int, bytes]:
        """The status and the body that answer ``self.path``."""
        raise NotImplementedError

    def do_GET(self) -> None:
        """Send the reply."""
        status, body = self.reply()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def _serve(folder: Path) -> str:
    rows = (folder / "students.ndjson").read_bytes().split(b"\n")

    class Handler(Answering):
        def reply(self) -> tuple[int, bytes]:
            time.sleep(_DELAY)
            query = parse_qs(urlsplit(self.path).query)
            page, size = int(query["page"][0]), int(query["page_size"][0])
            more = (page + 1) * size < len(rows)
            following = b'"/rostering/students?page=%d&page_size=%d"' % (page + 1, size) if more else b"null"
            data = b",".join(rows[page * size : (page + 1) * size])
            return 200, b'{"data":[%s],"paging":{"next":%s}}' % (data, following)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def ours(folder: Path) -> Callable[[], object]:
    """`load`, eight pages at a time, and a look at where two pages meet: rows may have moved while they were read."""
    client = kx.connect(_serve(folder), token="t")
    return lambda: len(kx.load(client, "students", page_size=_PAGE, progress=False))


def pages_alone(folder: Path) -> Callable[[], object]:
    """`load` without that look, which the others do not take either."""
    client = kx.connect(_serve(folder), token="t")
    return lambda: len(kx.load(client, "students", page_size=_PAGE, progress=False, heal=False))


def httpx_loop(folder: Path) -> Callable[[], object]:
    """One page after another, then `json_normalize`."""
    url = _serve(folder)

    def run() -> object:
        rows: list[object] = []
        with httpx.Client() as client:
            for number in count():
                answer = client.get(f"{url}/rostering/students", params={"page": number, "page_size": _PAGE})
                page = answer.json()["data"]
                if not page:
                    return len(pd.json_normalize(rows))  # type: ignore[arg-type]
                rows += page
        raise AssertionError

    return run


def dlt_client(folder: Path) -> Callable[[], object]:
    """dlt's `RESTClient` with its page-number paginator, then `json_normalize`."""
    url = _serve(folder)

    def run() -> object:
        from dlt.sources.helpers.rest_client import RESTClient
        from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator

        paginator = PageNumberPaginator(base_page=0, page_param="page", total_path=None, stop_after_empty_page=True)
        client = RESTClient(url, paginator=paginator, data_selector="data")
        rows: list[object] = []
        for page in client.paginate("rostering/students", params={"page_size": _PAGE}):
            rows += page
        return len(pd.json_normalize(rows))  # type: ignore[arg-type]

    return run
