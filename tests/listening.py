"""A server of the tests that answers on a socket of its own, as long as its ``with`` block lasts."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self


class Listening:
    """Listens on the loopback interface; a subclass serves until `_closing` is set."""

    def __init__(self, backlog: int | None = None) -> None:
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v2"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for a connection
        self._socket.close()

    def _serve(self) -> None:
        raise NotImplementedError
