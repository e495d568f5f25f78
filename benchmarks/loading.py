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
from kimono_explore.sandbox.dialect import Dialect, Speaker
from kimono_explore.sandbox.district.build import make_district

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PAGE, _DELAY = 200, 0.1


def prepare(folder: Path, size: float) -> None:
    """The bodies of 50 pages."""
    students = max(_PAGE, int(50 * _PAGE * size))
    speaker = Speaker(make_district(students), Dialect())
    rows = speaker.objects("persons", range(students))
    pages = [rows[start : start + _PAGE] for start in range(0, students, _PAGE)]
    for number, page in enumerate(pages):
        following = f"/rostering/students?page={number + 1}&page_size={_PAGE}" if number + 1 < len(pages) else None
        body = {"data": page, "paging": {"next": following}}
        (folder / f"{number}.json").write_bytes(msgspec.json.encode(body))


def _serve(folder: Path) -> str:
    bodies = {int(path.stem): path.read_bytes() for path in folder.glob("*.json")}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            time.sleep(_DELAY)
            page = int(parse_qs(urlsplit(self.path).query).get("page", ["0"])[0])
            body = bodies.get(page, b'{"data": []}')
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def ours(folder: Path) -> Callable[[], object]:
    """`load`, eight pages at a time."""
    client = kx.connect(_serve(folder), token="t")
    return lambda: len(kx.load(client, "students", page_size=_PAGE, progress=False))


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
