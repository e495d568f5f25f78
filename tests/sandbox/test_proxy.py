"""The proxy reads requests off a socket and writes what it is told, to the last byte."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from kimono_explore.sandbox.proxy import Answer, Proxy, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Front:
    """A proxy that notes what it reads and replies with what is set."""

    def __init__(self) -> None:
        self.read: list[Request] = []
        self.replies: list[Reply] = []
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.address = listener.getsockname()
        self.proxy = Proxy(listener, 9, self.answer)

    def answer(self, request: Request, _ask: Callable[[Request], Answer]) -> Reply:
        self.read.append(request)
        return self.replies.pop(0) if self.replies else Reply([b"fine"], "close")

    def talk(self, *sent: bytes) -> bytes:
        """Everything that comes back until the connection ends."""
        with socket.create_connection(self.address, timeout=10) as client:
            client.sendall(b"".join(sent))
            got = b""
            while part := client.recv(65_536):
                got += part
            return got


@pytest.fixture
def front() -> Iterator[Front]:
    front = Front()
    front.proxy.start()
    yield front
    front.proxy.close()


def test_a_request_with_a_body(front: Front) -> None:
    assert front.talk(b"PUT /tasks/7?x=1 HTTP/1.1\r\nHost: a:1\r\ncontent-LENGTH:  4\r\n\r\n{}\r\n") == b"fine"
    assert front.read == [Request("PUT", "/tasks/7?x=1", {"Host": "a:1", "content-LENGTH": "4"}, b"{}\r\n")]


def test_one_connection_serves_several_requests(front: Front) -> None:
    front.replies = [Reply([b"one ", b"two "], pause=0.001), Reply([b"three"], "close")]
    request = b"GET /orgs HTTP/1.1\r\n\r\n"
    assert front.talk(request, request, request) == b"one two three"
    assert len(front.read) == 2


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (b"GET /orgs\r\n\r\n", b"400 Bad Request"),
        (b"GET /orgs HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400 Bad Request"),
        (b"GET /orgs HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n", b"400 Bad Request"),
        (b"PUT /orgs HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411 Length Required"),
        (b"PUT /orgs HTTP/1.1\r\nContent-Length: 67108865\r\n\r\n", b"413 Request Entity Too Large"),
        (b"GET /orgs HTTP/1.1\r\n" + b"x: 1\r\n" * 11_000, b"431 Request Header Fields Too Large"),
    ],
)
def test_what_cannot_be_read_is_refused(front: Front, request_: bytes, line: bytes) -> None:
    with socket.create_connection(front.address, timeout=10) as client:
        client.sendall(request_)
        assert client.recv(65_536).splitlines()[0] == b"HTTP/1.1 " + line
    assert front.read == []


def test_a_client_that_asks_first_is_told_to_go_on(front: Front) -> None:
    head = b"PUT /orgs HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n"
    assert front.talk(head, b"{}") == b"HTTP/1.1 100 Continue\r\n\r\nfine"
    assert front.read[0].body == b"{}"


def test_a_reset_is_not_an_end(front: Front) -> None:
    front.replies = [Reply([b"half"], "reset")]
    with pytest.raises(ConnectionResetError) as error:
        front.talk(b"GET /orgs HTTP/1.1\r\n\r\n", b"GET /more HTTP/1.1\r\n\r\n")
    assert error.value.errno
    assert [request.target for request in front.read] == ["/orgs"]


def test_closing_ends_a_pause(front: Front) -> None:
    front.replies = [Reply([b"a", b"b"], pause=60)]
    with socket.create_connection(front.address, timeout=10) as client:
        client.sendall(b"GET /orgs HTTP/1.1\r\n\r\n")
        assert client.recv(10) == b"a"
        front.proxy.close()
        assert client.recv(10) == b""


@pytest.mark.parametrize(
    ("length", "lines"),
    [
        (None, ["HTTP/1.1 404 Not Found", "X: 1", "Retry-After: 2", "Content-Length: 3"]),
        (7, ["HTTP/1.1 404 Not Found", "X: 1", "Retry-After: 2", "Content-Length: 7"]),
        (-1, ["HTTP/1.1 404 Not Found", "X: 1", "Retry-After: 2"]),
    ],
)
def test_a_head(length: int | None, lines: list[str]) -> None:
    head = Answer(404, {"X": "1"}, b"abc").head(length, Retry_After="2")
    assert head == "\r\n".join([*lines, "", ""]).encode()
    assert Answer(299, {}, b"").head().startswith(b"HTTP/1.1 299 Unknown\r\n")
