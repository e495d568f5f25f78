"""``python -m benchmarks.stored STUDENTS``: a server that answers a load from memory, as a tenant's would.

A sandbox makes each page while it is asked for, which takes longer than to read it. Here it has made all of them before: one load
is done first, and every answer is kept.
"""

from __future__ import annotations

import sys
import threading
from http.server import ThreadingHTTPServer

import httpx

import kimono_explore as kx
from benchmarks.loading import Answering


def stored(box: kx.Sandbox) -> ThreadingHTTPServer:
    """A server that asks the sandbox once for each address, and answers from memory from then on."""
    answers: dict[str, tuple[int, bytes]] = {}
    asking = httpx.Client(
        base_url=box.base_url, headers={"Authorization": f"Bearer {box.credentials.token}"}, timeout=600
    )

    class Handler(Answering):
        def reply(self) -> tuple[int, bytes]:
            if self.path not in answers:
                answer = asking.get(self.path)
                answers[self.path] = answer.status_code, answer.content
            return answers[self.path]

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def main() -> int:
    """Fill it with one load, say where it is, and serve until ended."""
    with kx.sandbox(students=int(sys.argv[1])) as box:
        server = stored(box)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        with kx.connect(url, token="t") as client:
            kx.load_roster(client, progress=False)
        print(f"KIMONO_BASE_URL={url}\nKIMONO_TOKEN=t", flush=True)
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
