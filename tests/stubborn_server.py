"""A roster behind a raw socket that stops answering in a way of its own, and counts what it is asked."""

from __future__ import annotations

import json
import re
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from listening import Listening

if TYPE_CHECKING:
    import socket

ROWS = 200
LISTS = ("orgs", "terms", "courses", "sections", "persons", "grading/categories", "grading_categories")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class StubbornServer(Listening):
    """Serves lists of `ROWS` rows; from the stubborn list's page 3 on, in the way that ``how`` names."""

    def __init__(self, how: str = "", *, stubborn: str = "persons", beginning: int = 3, healing: bool = False) -> None:
        self.how, self.stubborn, self.beginning, self.healing = how, stubborn, beginning, healing
        self.times: list[float] = []
        self.caught = threading.Event()
        """Set once eight requests (or one that looks whether rows moved) met the way."""
        self._met = 0
        super().__init__(backlog=64)

    def after(self, moment: float) -> int:
        """How many requests came after a moment of ``time.monotonic``."""
        with self._lock:
            return sum(at > moment for at in self.times)

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
                with self._lock:
                    self.times.append(time.monotonic())
                length = 0
                while (line := file.readline()).strip():
                    name, _, value = line.decode().partition(":")
                    length = int(value) if name.lower() == "content-length" else length
                file.read(length)
                path = request.decode().split(" ")[1]
                name = path.split("?")[0].removeprefix("/v2/").removeprefix("rostering/")
                page = re.search(r"[?&]page=(\d+)", path)
                small = re.search(r"page_size=[1-9]\b", path) is not None
                late = self.healing == small and page is not None and int(page[1]) >= self.beginning
                if self.how and name == self.stubborn and (late or page is None):
                    with self._lock:
                        self._met += 1
                        if self._met >= (3 if self.healing else 1 if page is None else 8):
                            self.caught.set()
                    if not self._stubborn(connection, self._answer(name, path)):
                        return
                else:
                    connection.sendall(_whole(self._answer(name, path)))

    def _answer(self, name: str, path: str) -> bytes:
        if name == "oauth/token":
            return b'{"access_token": "fetched-token"}'
        size = int(m[1]) if (m := re.search(r"page_size=(\d+)", path)) else 100
        page = int(m[1]) if (m := re.search(r"[?&]page=(\d+)", path)) else 0
        if name not in LISTS:
            return b'{"data": []}'
        rows = [{"id": f"{name[:3]}{n:04}", "name": "Oak"} for n in range(ROWS)][page * size : (page + 1) * size]
        return json.dumps({"data": rows, "paging": {"next": "more" if (page + 1) * size < ROWS else None}}).encode()

    def _stubborn(self, connection: socket.socket, body: bytes) -> bool:
        """Answer in the stubborn way; False where the connection is done with."""
        if self.how == "busy":
            connection.sendall(b"HTTP/1.1 503 X\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n")
            return True
        if self.how == "busy for a day":
            connection.sendall(b"HTTP/1.1 429 X\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n")
            return True
        if self.how == "slow":
            self._closing.wait(20)
            return False
        if self.how == "head":
            connection.sendall(HEAD + b"Content-Length: 99999\r\n\r\n{")
            self._closing.wait(20)
            return False
        trickled = {
            "trickle": HEAD + b"Content-Length: 99999\r\n\r\n" + b" " * 300,
            "trickled head": HEAD + b"X-Long: " + b"x" * 300,
        }
        first = trickled.get(self.how, HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        if self.how == "endless":
            connection.sendall(first)
            while not self._closing.wait(0.05):
                connection.sendall(b"5\r\n     \r\n")
            return False
        at_once = first.index(b"X-Long" if self.how == "trickled head" else b"\r\n\r\n")
        connection.sendall(first[:at_once])
        for byte in first[at_once:]:
            if self._closing.wait(0.1):
                return False
            connection.sendall(bytes([byte]))
        return False


def _whole(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
