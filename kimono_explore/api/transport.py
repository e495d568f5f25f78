"""Whole answers or none: below the client, each answer is read to its end, within bounds of time and size.

An answer that breaks on its way (a reset, a cut, a gzip that cannot be unpacked, something other than what was asked for)
is an error here, inside the retries, and so is repeated within the same budget as a 503. Reads return to Python at least
every quarter of a second, so that a deadline holds even if a server trickles, and an interrupted load ends.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple

import httpcore
import httpx
from httpx_retries import Retry

from kimono_explore.errors import BadResponseError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

MAX_ANSWER = 2**30
"""Bytes to which an answer may unpack."""

LONGEST_WAIT = 120.0
"""Seconds for which a server may ask to be left alone; beyond, it is an error."""

_SLICE = 0.25


class Timeouts(NamedTuple):
    """How long to wait, in seconds: to connect, for the next bytes, and for one request from start to end."""

    connect: float = 10.0
    read: float = 30.0  # Kimono's own kit reads for 30 s
    request: float = 120.0

    @classmethod
    def of(cls, given: float | Timeouts | None) -> Timeouts:
        """Timeouts from the argument of `connect`: a number limits all three."""
        if given is None:
            return cls()
        if isinstance(given, Timeouts):
            return given
        return cls(min(cls().connect, given), min(cls().read, given), given)


class Broken(httpx.TransportError):
    """An answer that is not what was asked for; repeated like a broken connection."""

    def __init__(self, cause: BadResponseError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Stopped(httpx.TransportError):
    """The load that the request belongs to was ended."""


class TooLong(httpx.TransportError):
    """The server asks for a longer wait than is reasonable."""

    def __init__(self, response: httpx.Response, seconds: float) -> None:
        super().__init__(f"Retry-After: {seconds:,.0f} s")
        self.response = response


class _Current(threading.local):
    """The request a thread is working on: when it must be done, and whether its load was ended."""

    deadline: float | None = None
    stop: threading.Event | None = None


_CURRENT = _Current()


class WholeAnswers(httpx.BaseTransport):
    """Sends a request and reads its answer whole.

    A request's extensions may hold ``read``, which turns the body of a successful answer into what the caller wants, or
    raises `BadResponseError`; the result is the response's extension of that name. They may hold ``stop``, an event that
    ends the request.
    """

    def __init__(self, transport: httpx.HTTPTransport, timeouts: Timeouts) -> None:
        self._transport, self._timeouts = transport, timeouts
        # httpx has no public way to name the network below it.
        transport._pool._network_backend = _Network()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it; raise `httpx.TransportError` unless a whole answer came."""
        _CURRENT.stop = request.extensions.get("stop")
        _CURRENT.deadline = time.monotonic() + self._timeouts.request
        try:
            response = self._transport.handle_request(request)
            response.request = request
            try:
                body = _read(response, self._timeouts.request)
            finally:
                response.close()
        finally:
            _CURRENT.deadline = None
        headers = [(k, v) for k, v in response.headers.raw if k.lower() not in _OF_THE_CODING]
        whole = httpx.Response(response.status_code, headers=headers, content=body, extensions=response.extensions)
        read = request.extensions.get("read")
        if read is not None and whole.is_success:
            try:
                whole.extensions["read"] = read(body)
            except BadResponseError as error:
                raise Broken(error) from error
        return whole

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


_OF_THE_CODING = (b"content-encoding", b"content-length", b"transfer-encoding")


def _read(response: httpx.Response, seconds: float) -> bytes:
    parts, size = [], 0
    try:
        for part in response.iter_bytes():
            size += len(part)
            if size > MAX_ANSWER:
                raise httpx.DecodingError(f"it unpacks to more than {MAX_ANSWER:,} bytes", request=response.request)
            if _CURRENT.deadline is not None and time.monotonic() > _CURRENT.deadline:
                raise httpx.ReadTimeout(f"the answer was not complete after {seconds:g} s")
            parts.append(part)
    except RuntimeError as error:  # some broken codings
        raise httpx.DecodingError(str(error), request=response.request) from error
    return parts[0] if len(parts) == 1 else b"".join(parts)


class BoundedRetry(Retry):
    """Waits that end when the load does, and that fail if a server asks for too long a wait."""

    def sleep(self, response: httpx.Response | Exception) -> None:
        """Wait before the next try."""
        headers = response.headers if isinstance(response, httpx.Response) else {}
        if isinstance(response, httpx.Response):
            try:
                asked = self.parse_retry_after(response.headers.get("Retry-After", "0"))
            except ValueError:
                asked = 0.0
            if asked > LONGEST_WAIT:
                raise TooLong(response, asked)
        seconds = self._calculate_sleep(headers)
        if _CURRENT.stop is None:
            wait(seconds)
        elif _CURRENT.stop.wait(seconds):
            raise Stopped("the load was ended")
        self.elapsed_sleep += seconds


wait = time.sleep


class _Network(httpcore.SyncBackend):
    """The network, whose reads and writes heed the deadline and the end of the load."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        _seconds_left(None, httpcore.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, timeout, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _seconds_left(until, httpcore.ReadTimeout)
            try:
                return self._stream.read(max_bytes, min(_SLICE, left))
            except httpcore.ReadTimeout:
                continue

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        _seconds_left(None, httpcore.WriteTimeout)
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def _seconds_left(until: float | None, late: type[Exception]) -> float:
    """Seconds until the time is up; raises if it is, or if the load was ended."""
    if _CURRENT.stop is not None and _CURRENT.stop.is_set():
        raise httpcore.ReadError("the load was ended")
    bounds = [bound for bound in (until, _CURRENT.deadline) if bound is not None]
    left = min(bounds) - time.monotonic() if bounds else _SLICE
    if left <= 0:
        raise late("no answer in time")
    return left
