"""What keeps the sandbox safe on a shared machine: bounds, time limits, and whom it answers.

It listens on the loopback interface, which every program and, by DNS rebinding, every web page on the machine can reach.
"""

from __future__ import annotations

import hashlib
import secrets
import socket
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from starlette.requests import Request

REQUEST_SECONDS = 30.0
"""Seconds in which a whole request must have come, counted from the connection or from the answer before."""

MAX_BODY = 16 * 2**20
"""Bytes of a request's body."""

MAX_ID = 1024
"""Characters of an id in a path."""

MAX_TOKENS = 256
"""Tokens that hold at a time; a new one ends the oldest."""

SERVER_OPTIONS: dict[str, Any] = {"timeout_keep_alive": 5, "h11_max_incomplete_event_size": 16 * 2**10, "ws": "none"}
"""For uvicorn: seconds between requests, bytes of a request's head, no web sockets."""


class ImpatientProtocol(H11Protocol):
    """HTTP as uvicorn speaks it, except that a client that does not finish its request is dropped."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected: the clock starts."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """It sent something, perhaps the rest of its request."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """It has its answer, and may send another request."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        incomplete = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        if not incomplete:
            self._stop()
        elif self._limit is None and not self.transport.is_closing():
            self._limit = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _stop(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


class TooLarge(Exception):
    """A request's body is beyond `MAX_BODY`."""


async def read_body(request: Request) -> bytes:
    """The body of a request; `TooLarge` before all of it was read."""
    length = request.headers.get("Content-Length", "0")
    if len(length) > 18 or int(length) > MAX_BODY:
        raise TooLarge
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


def bound(port: int) -> socket.socket:
    """A socket on the loopback interface, so that its port is known and reserved before anything is served."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(("127.0.0.1", port))
    except OSError:
        made.close()
        raise
    if port:
        return made
    with made:  # only a port that was named stays with its socket when that does not listen for a while
        return bound(made.getsockname()[1])


def is_own_host(host: str, port: int) -> bool:
    """Whether a Host header names this machine and our port: a page that rebinds its own name to it does not."""
    names = [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]
    return host.lower() in names or (port == 80 and f"{host.lower()}:80" in names)


class Tokens:
    """The tokens that were issued, by their hashes, compared in constant time."""

    def __init__(self, lifetime: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._lifetime, self._clock = lifetime, clock
        self._issued: deque[tuple[bytes, float]] = deque(maxlen=MAX_TOKENS)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._issued)

    def issue(self) -> str:
        """A new token."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._issued.append((_digest(token), self._clock() + self._lifetime))
        return token

    def expiry(self, token: str) -> float | None:
        """Seconds for which a token still holds, less than 0 where it has expired; None where it was never issued."""
        given, found = _digest(token), None
        with self._lock:
            for digest, end in self._issued:  # all of them, whichever it is
                if secrets.compare_digest(digest, given):
                    found = end - self._clock()
        return found


def same(given: str | bytes, known: str) -> bool:
    """Whether a secret is the known one, in a time that does not depend on how much of it is right."""
    return secrets.compare_digest(_digest(given), _digest(known))


def _digest(secret: str | bytes) -> bytes:
    return hashlib.sha256(secret if isinstance(secret, bytes) else secret.encode("utf-8", "surrogatepass")).digest()
