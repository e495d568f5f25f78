"""Whole answers or none, within bounds of time and size; waits that end when their load does."""

import threading
from collections.abc import Iterator

import httpcore
import httpx
import pytest
from pytest_httpserver import HTTPServer

from kimono_explore.api import transport
from kimono_explore.api.transport import BoundedRetry, Broken, Stopped, Timeouts, TooLong, WholeAnswers
from kimono_explore.errors import BadResponseError


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_CURRENT", transport._Current())


@pytest.mark.parametrize(
    ("given", "timeouts"),
    [
        (None, (10.0, 30.0, 120.0)),
        (5, (5, 5, 5)),
        (20.0, (10.0, 20.0, 20.0)),
        (300.0, (10.0, 30.0, 300.0)),
        (Timeouts(1, 2, 3), (1, 2, 3)),
    ],
)
def test_a_number_bounds_all_three_times(given: float | Timeouts | None, timeouts: tuple[float, ...]) -> None:
    assert tuple(Timeouts.of(given)) == timeouts


def sender(seconds: float = 10.0) -> WholeAnswers:
    return WholeAnswers(httpx.HTTPTransport(), Timeouts(request=seconds))


def test_an_answer_comes_whole_and_is_read_once(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("[1]", headers={"X-Kind": "list"})
    request = httpx.Request("GET", httpserver.url_for("/a"), extensions={"read": lambda body: body * 2})
    response = sender().handle_request(request)
    assert (response.status_code, response.content, response.headers["x-kind"]) == (200, b"[1]", "list")
    assert response.extensions["read"] == b"[1][1]"
    assert response.headers["content-length"] == "3"
    assert transport._CURRENT.deadline is None


def test_a_request_must_be_done_in_its_time(clock: list[float]) -> None:
    deadlines = []

    class Inner(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            deadlines.append(transport._CURRENT.deadline)
            return httpx.Response(204)

    WholeAnswers(Inner(), Timeouts(request=5.0)).handle_request(httpx.Request("GET", "https://x"))
    assert deadlines == [105.0]


def test_an_error_is_not_read(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("<html>", status=503)
    request = httpx.Request("GET", httpserver.url_for("/a"), extensions={"read": lambda body: 1 / 0})
    response = sender().handle_request(request)
    assert (response.status_code, response.content) == (503, b"<html>")
    assert "read" not in response.extensions


def test_an_answer_that_is_not_what_was_asked_for_is_broken(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("<html>")

    def read(body: bytes) -> object:
        raise BadResponseError(f"{body!r} is no list")

    request = httpx.Request("GET", httpserver.url_for("/a"), extensions={"read": read})
    with pytest.raises(Broken, match="is no list") as caught:
        sender().handle_request(request)
    assert isinstance(caught.value.cause, BadResponseError)


def parts(*found: bytes | Exception) -> httpx.Response:
    """A response whose body comes in these parts."""

    class Stream(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for part in found:
                if isinstance(part, Exception):
                    raise part
                yield part

    return httpx.Response(200, stream=Stream(), request=httpx.Request("GET", "https://x"))


def test_parts_are_joined_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    assert transport._read(parts(b"ab", b"c"), 5) == b"abc"
    assert transport._read(parts(b"ab"), 5) == b"ab"
    assert transport._read(parts(), 5) == b""
    monkeypatch.setattr(transport, "MAX_ANSWER", 3)
    assert transport._read(parts(b"ab", b"c"), 5) == b"abc"
    with pytest.raises(httpx.DecodingError, match="it unpacks to more than 3 bytes"):
        transport._read(parts(b"ab", b"cd"), 5)
    with pytest.raises(httpx.DecodingError, match="odd coding"):
        transport._read(parts(b"ab", RuntimeError("odd coding")), 5)


def test_an_answer_may_unpack_to_a_gibibyte_and_a_wait_may_last_two_minutes() -> None:
    assert (transport.MAX_ANSWER, transport.LONGEST_WAIT) == (1_073_741_824, 120.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as its only element."""
    now = [100.0]
    monkeypatch.setattr(transport.time, "monotonic", lambda: now[0])
    return now


def test_a_deadline_holds_between_parts(clock: list[float]) -> None:
    transport._CURRENT.deadline = 100.0
    assert transport._read(parts(b"a", b"b"), 2.5) == b"ab"
    clock[0] = 100.1
    with pytest.raises(httpx.ReadTimeout, match=r"the answer was not complete after 2.5 s"):
        transport._read(parts(b"a"), 2.5)


def test_what_is_left_of_the_time(clock: list[float]) -> None:
    left = transport._seconds_left
    assert left(None, httpcore.ReadTimeout) == 0.25
    assert left(103.0, httpcore.ReadTimeout) == 3.0
    transport._CURRENT.deadline = 102.0
    assert left(103.0, httpcore.ReadTimeout) == 2.0
    assert left(None, httpcore.ReadTimeout) == 2.0
    for late in (httpcore.ReadTimeout, httpcore.WriteTimeout):
        for now in (102.0, 102.5):
            clock[0] = now
            with pytest.raises(late, match="no answer in time"):
                left(None, late)


def test_nothing_is_left_where_the_load_was_ended() -> None:
    transport._CURRENT.stop = threading.Event()
    assert transport._seconds_left(None, httpcore.ReadTimeout) == 0.25
    transport._CURRENT.stop.set()
    with pytest.raises(httpcore.ReadError, match="the load was ended"):
        transport._seconds_left(None, httpcore.ReadTimeout)


class Wire(httpcore.NetworkStream):
    """Times out so many times, then gives bytes; keeps how long each read was to last."""

    def __init__(self, silent: int) -> None:
        self.silent, self.reads, self.written, self.closed = silent, [], [], False  # type: ignore[var-annotated]

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.reads.append((max_bytes, timeout))
        if len(self.reads) <= self.silent:
            raise httpcore.ReadTimeout
        return b"x"

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.written.append((buffer, timeout))

    def close(self) -> None:
        self.closed = True

    def get_extra_info(self, info: str) -> str:
        return f"the {info}"

    def start_tls(self, *arguments: object) -> httpcore.NetworkStream:
        return Wire(0)


def test_reads_come_back_every_quarter_of_a_second(clock: list[float]) -> None:
    wire = Wire(2)
    assert transport._Stream(wire).read(64, 1.0) == b"x"
    assert wire.reads == [(64, 0.25)] * 3
    short = Wire(0)
    assert transport._Stream(short).read(64, 0.1) == b"x"
    assert short.reads[0][1] == pytest.approx(0.1)
    assert transport._Stream(Wire(1)).read(64) == b"x"


def test_a_stream_does_the_rest_as_the_one_below(clock: list[float]) -> None:
    wire = Wire(0)
    stream = transport._Stream(wire)
    stream.write(b"ab", 3.0)
    stream.close()
    assert (wire.written, wire.closed, stream.get_extra_info("socket")) == ([(b"ab", 3.0)], True, "the socket")
    assert isinstance(stream.start_tls(None), transport._Stream)  # type: ignore[arg-type]
    transport._CURRENT.deadline = 99.0
    with pytest.raises(httpcore.WriteTimeout):
        stream.write(b"ab")
    with pytest.raises(httpcore.ConnectTimeout):
        transport._Network().connect_tcp("127.0.0.1", 9)


def waited(monkeypatch: pytest.MonkeyPatch, response: httpx.Response | Exception) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr(transport, "wait", waits.append)
    retry = BoundedRetry(total=3, backoff_factor=0.0)
    retry.sleep(response)
    assert retry.elapsed_sleep == sum(waits)
    return waits


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("120", 120.0), ("soon", 0.0), (None, 0.0)])
def test_a_server_may_ask_for_a_wait(monkeypatch: pytest.MonkeyPatch, header: str | None, seconds: float) -> None:
    headers = {} if header is None else {"Retry-After": header}
    assert waited(monkeypatch, httpx.Response(503, headers=headers)) == [seconds]


def test_a_fault_without_an_answer_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waited(monkeypatch, httpx.ReadTimeout("late")) == [0.0]


def test_too_long_a_wait_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    response = httpx.Response(503, headers={"Retry-After": "3600"})
    with pytest.raises(TooLong, match=r"^Retry-After: 3,600 s$") as caught:
        waited(monkeypatch, response)
    assert caught.value.response is response
    with pytest.raises(TooLong):
        waited(monkeypatch, httpx.Response(503, headers={"Retry-After": "121"}))


def test_a_wait_ends_with_its_load(monkeypatch: pytest.MonkeyPatch) -> None:
    transport._CURRENT.stop = threading.Event()
    retry = BoundedRetry(total=3, backoff_factor=0.0)
    retry.sleep(httpx.Response(503))
    assert retry.elapsed_sleep == 0.0
    transport._CURRENT.stop.set()
    with pytest.raises(Stopped, match="the load was ended"):
        retry.sleep(httpx.Response(503, headers={"Retry-After": "60"}))
