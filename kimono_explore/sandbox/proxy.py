"""A small HTTP proxy in front of the sandbox, which can break what no web framework lets you break.

It reads a request, forwards it to the sandbox unless the fault forbids it, and writes what the fault says, byte by byte
if necessary, before it closes or resets the connection.
"""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import BinaryIO

_MAX_HEAD = 65_536
_MAX_BODY = 2**26
_OF_THE_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "content-length", "expect")


class Request(NamedTuple):
    """A request, as it was received."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    """An answer of the sandbox, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def head(self, length: int | None = None, **others: str) -> bytes:
        """The status line and the headers; the length is that of the body unless another is given, -1 leaves it out."""
        length = len(self.body) if length is None else length
        headers = {**self.headers, **{name.replace("_", "-"): value for name, value in others.items()}}
        if length >= 0:
            headers["Content-Length"] = str(length)
        reason = http.client.responses.get(self.status, "Unknown")
        lines = [f"HTTP/1.1 {self.status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


class Reply(NamedTuple):
    """What is written to the client: parts with a pause between them, and how it ends."""

    parts: Sequence[bytes]
    end: Literal["keep", "close", "reset", "shut"] = "keep"
    pause: float = 0.0


class Proxy:
    """Accepts connections on ``listener`` and answers with what ``reply`` makes of each request.

    Parameters
    ----------
    listener : socket
        Bound to the loopback interface; the proxy listens on it, and closes it.
    upstream : int
        The port of the sandbox itself.
    reply : callable
        From a request, and a function that asks the sandbox, to the reply.
    """

    def __init__(
        self, listener: socket.socket, upstream: int, reply: Callable[[Request, Callable[[Request], Answer]], Reply]
    ) -> None:
        self._listener, self._upstream, self._reply = listener, upstream, reply
        self._closing, self._open = threading.Event(), threading.Event()
        self._door = threading.Lock()

    def start(self) -> None:
        """Serve from threads until `close`."""
        self._listener.listen(128)
        self._open.set()
        threading.Thread(target=self._accept, name="kimono-faults", daemon=True).start()

    def close(self) -> None:
        """Take no more connections, and end what is paused."""
        self._closing.set()
        self._open.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for a connection
        self._listener.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            self._open.wait()
            try:
                connection, _ = self._listener.accept()
            except OSError:
                self._closing.wait(0.001)
                continue
            threading.Thread(target=self._converse, args=(connection,), name="kimono-faults", daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError, http.client.HTTPException), connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            file = connection.makefile("rb")
            with file:
                while request := _read_request(file, connection):
                    if not self._write(connection, self._reply(request, self._ask)):
                        return

    def _write(self, connection: socket.socket, reply: Reply) -> bool:
        """Write a reply; whether the connection goes on."""
        for number, part in enumerate(reply.parts):
            if number and reply.pause and self._closing.wait(reply.pause):
                return False
            connection.sendall(part)
        if reply.end in ("reset", "shut"):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if reply.end == "shut":
                self._shut_door()
        return reply.end == "keep"

    def _shut_door(self, seconds: float = 0.1) -> None:
        """Refuse connections for a moment: a socket that is shut down no longer listens, and keeps its port."""
        with self._door:
            if not self._open.is_set():
                return
            self._open.clear()
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RD)
        threading.Timer(seconds, self._open_door).start()

    def _open_door(self) -> None:
        with self._door, suppress(OSError):
            if not self._closing.is_set():
                self._listener.listen(128)
            self._open.set()

    def _ask(self, request: Request) -> Answer:
        """Ask the sandbox itself, on a connection of its own."""
        upstream = http.client.HTTPConnection("127.0.0.1", self._upstream, timeout=60)
        try:
            headers = {k: v for k, v in request.headers.items() if k.lower() not in _OF_THE_CONNECTION}
            headers["Accept-Encoding"], headers["Connection"] = "identity", "close"
            upstream.request(request.method, request.target, request.body or None, headers)
            response = upstream.getresponse()
            kept = {k: v for k, v in response.getheaders() if k.lower() not in _OF_THE_CONNECTION}
            return Answer(response.status, kept, response.read())
        finally:
            upstream.close()


def _read_request(file: BinaryIO, connection: socket.socket) -> Request | None:
    """The next request of a connection; None where it has ended.

    Raises
    ------
    ValueError
        The proxy cannot read this request; the client has been told so.
    """
    line = file.readline(_MAX_HEAD)
    if not line.strip():
        return None
    headers: dict[str, str] = {}
    size = len(line)
    while (header := file.readline(_MAX_HEAD)).strip():
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.strip()] = value.strip()
        size += len(header)
        if size > _MAX_HEAD:
            raise _refused(connection, 431)
    lower = {name.lower(): value for name, value in headers.items()}
    words = line.decode("latin-1").split()
    length = lower.get("content-length", "0")
    if len(words) != 3 or not (length.isascii() and length.isdigit()):
        raise _refused(connection, 400)
    if "transfer-encoding" in lower:
        raise _refused(connection, 411)
    if int(length) > _MAX_BODY:
        raise _refused(connection, 413)
    if lower.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    return Request(words[0], words[1], headers, file.read(int(length)))


def _refused(connection: socket.socket, status: int) -> ValueError:
    connection.sendall(Answer(status, {"Connection": "close"}, b"").head())
    return ValueError(str(status))
