"""A task queue behind a raw socket that fails as told: the true state of the queue is kept apart from what it answers."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote

from listening import Listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HTML = b"<!doctype html><title>Sign in</title><p>Please sign in to the network.</p>"


class FaultyQueue(Listening):
    """Serve tasks on the loopback interface; ``faults[n]`` says what goes wrong with the n-th request, from 0.

    ``here`` are the tasks truly in the queue, ``taken`` counts how often each was acknowledged or deleted with effect,
    ``sent`` the tasks that any request named, ``log`` the method and path of each request.
    """

    def __init__(
        self,
        ids: Iterable[str],
        faults: dict[int, str] | None = None,
        *,
        locked: Iterable[str] = (),
        partial: bool = False,
        details: bool = True,
        stall: float = 1.0,
    ) -> None:
        self.here, self.locked = dict.fromkeys(ids), set(locked)
        self.faults, self.partial, self.details, self.stall = dict(faults or {}), partial, details, stall
        self.taken: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.asked: list[str] = []
        self.log: list[str] = []
        super().__init__()

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            file = connection.makefile("rb")
            while request := file.readline():
                method, path, _ = request.decode().split(" ", 2)
                length = 0
                while (line := file.readline()).strip():
                    name, _, value = line.decode().partition(":")
                    length = int(value) if name.lower() == "content-length" else length
                body = file.read(length)
                with self._lock:
                    number = len(self.log)
                    self.asked = [] if method == "GET" else _ids(path, body)
                    self.sent.update(self.asked)
                    self.log.append(f"{method} {path.split('?')[0].removeprefix('/v2/')}")
                    fault = self.faults.get(number, "")
                    answer = FAULTS[fault](self, lambda m=method, p=path, b=body: self._do(m, p, b))
                if answer is None:  # a reset, as a crashed server's
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                if fault == "trickle":
                    for byte in answer:
                        connection.sendall(bytes([byte]))
                        if self._closing.wait(self.stall):
                            return
                connection.sendall(answer)
                if fault == "cut body":
                    return

    # What the queue does.

    def _do(self, method: str, path: str, body: bytes) -> bytes:
        parts = unquote(path.split("?")[0]).removeprefix("/v2/tasks").strip("/").split("/")
        if parts[0] == "admin":
            parts = parts[1:]
        if method == "GET":
            return answer(200, {"data": [{"id": id, "type": "data_event"} for id in self.here]})
        if method == "DELETE":
            return self._take([parts[0]], {})
        given = json.loads(body)
        return self._take(_ids(path, body), given[0] if isinstance(given, list) else given)

    def _take(self, ids: list[str], ack: dict[str, object]) -> bytes:
        refused = []
        ready = []
        for id in ids:
            if id not in self.here:
                refused.append((id, 404, f"no task {id} is in the queue"))
            elif id in self.locked:
                refused.append((id, 409, f"{id} is locked"))
            else:
                ready.append(id)
            if refused and self.partial:
                break
        if self.partial or not refused:
            for id in ready:
                self.taken[id] += 1
                if ack.get("status") != "retry":
                    del self.here[id]
        if not refused:
            return answer(200, b"")
        status = refused[0][1] if len({status for _, status, _ in refused}) == 1 else 400
        error = {"status": status, "message": refused[0][2]}
        if self.details:
            error["details"] = [{"task_id": id, "message": why} for id, _, why in refused]
        return answer(status, {"error": error})


def _ids(path: str, body: bytes) -> list[str]:
    """The tasks that a PUT or DELETE names."""
    if not body:
        return [unquote(path.rsplit("/", 1)[-1])]
    given = json.loads(body)
    return [ack["task_id"] for ack in (given if isinstance(given, list) else [given])]


def answer(status: int, body: object = b"", kind: str = "application/json", **headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def _refuse(what: bytes) -> Callable[[FaultyQueue, Callable[[], bytes]], bytes | None]:
    """Refuse it, and truly have none of it; a server does not call a task locked that is gone."""

    def fault(queue: FaultyQueue, do: Callable[[], bytes]) -> bytes | None:
        return what if set(queue.asked) <= set(queue.here) else do()

    return fault


def _said(status: int) -> bytes:
    return answer(status, {"error": {"status": status, "message": "a fault"}})


def _then(what: bytes | None) -> Callable[[FaultyQueue, Callable[[], bytes]], bytes | None]:
    """Do it, then answer something else."""

    def fault(_: FaultyQueue, do: Callable[[], bytes]) -> bytes | None:
        do()
        return what

    return fault


def _instead(what: bytes | None) -> Callable[[FaultyQueue, Callable[[], bytes]], bytes | None]:
    """Do nothing, and answer something."""
    return lambda queue, do: what


FAULTS: dict[str, Callable[[FaultyQueue, Callable[[], bytes]], bytes | None]] = {
    "": lambda queue, do: do(),
    "reset before": _instead(None),
    "reset after": _then(None),
    "cut body": _then(b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"),
    "page after": _then(answer(200, HTML, "text/html")),
    "page instead": _instead(answer(200, HTML, "text/html")),
    "500 before": _instead(_said(500)),
    "500 after": _then(_said(500)),
    "503": _instead(answer(503, b"", Retry_After="0")),
    "502": _then(answer(502, HTML, "text/html")),
    "404": _instead(_said(404)),
    "409": _refuse(_said(409)),
    "200 error": _refuse(answer(200, {"error": {"message": "a fault"}})),
    "204": lambda queue, do: do().replace(b"HTTP/1.1 200 X", b"HTTP/1.1 204 X"),
    "trickle": _then(answer(200)),
    "302": _instead(answer(302, b"", Location="/login")),
    "bad gzip": _then(answer(200, b"no gzip at all", Content_Encoding="gzip")),
    "401": _instead(_said(401)),
    "429": _instead(answer(429, b"", Retry_After="0")),
}
"""What may go wrong, by name; "" is nothing."""
