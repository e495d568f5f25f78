"""One request, done well: authentication, time-outs, retries, and errors that say what to do.

The client is thread-safe (pages are loaded on several threads) and keeps every secret out of repr, logs and errors.
"""

from __future__ import annotations

import html
import json
import os
from typing import TYPE_CHECKING, Self, TypeVar, cast
from urllib.parse import quote, quote_plus
from urllib.request import getproxies, proxy_bypass

import httpx
import msgspec
from httpx_retries import Retry, RetryTransport

from kimono_explore.api.auth import SecretAuth, make_auth
from kimono_explore.api.operations import BASE_URL, FINDS, TOKEN_PATH, Operation
from kimono_explore.api.responses import denies, raise_for
from kimono_explore.api.transport import LONGEST_WAIT, BoundedRetry, Broken, Timeouts, TooLong, WholeAnswers
from kimono_explore.errors import (
    BadResponseError,
    ConfigurationError,
    ConnectionFailedError,
    KimonoError,
    RateLimitError,
    ResponseError,
)
from kimono_explore.json_text import decode, encode

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from kimono_explore.schema import JSON

    T = TypeVar("T")

_RETRIED = (429, 500, 502, 503, 504)
_BACKOFF = 0.5
_ONCE = Retry(total=0)
_REVEALING = 8  # characters of a secret that already reveal too much
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def connect(
    base_url: str | None = None,
    *,
    token: str | None = None,
    client_id: str | None = None,
    client_secret: str | None = None,
    username: str | None = None,
    password: str | None = None,
    token_url: str | None = None,
    retries: int = 5,
    timeout: float | Timeouts | None = None,
) -> Client:
    """Connect to a tenant.

    Nothing is sent until the first request. If no credentials are given, they are taken from the environment:
    ``KIMONO_TOKEN``, or ``KIMONO_CLIENT_ID`` and ``KIMONO_CLIENT_SECRET``, or ``KIMONO_USERNAME`` and
    ``KIMONO_PASSWORD``.

    Parameters
    ----------
    base_url : str, optional
        The API's address. Default: ``KIMONO_BASE_URL``, else ``https://api.us2.kimonocloud.com/v2/interop/data``. Plain
        HTTP is allowed only to this machine.
    token : str, optional
        A bearer token.
    client_id, client_secret : str, optional
        OAuth2 client credentials. The token is fetched, reused, and renewed before it expires or on a 401.
    username, password : str, optional
        HTTP Basic, which some environments use. Pass an API key as the user name, with ``password=""``.
    token_url : str, optional
        Where client credentials are exchanged for a token. Default: ``KIMONO_TOKEN_URL``, else ``/oauth/token`` on the
        base URL's host. In some regions, tokens come from another host.
    retries : int, default 5
        How many times to retry a request after a 429, 500, 502, 503, 504, a broken connection, or a response that is
        broken or not what was requested, with jittered exponential backoff. ``Retry-After`` is honored up to two
        minutes; a longer one is an error.
    timeout : float or Timeouts, optional
        Seconds for one request, from its start to the end of its response. Default: 120. Use `Timeouts` to set separate
        limits for connecting (10), for the next bytes (30) and for the whole request.

    Returns
    -------
    Client

    Raises
    ------
    ConfigurationError
        Credentials are missing, more than one kind was given, or the base URL is not an HTTP address.

    Examples
    --------
    >>> kx.connect("https://api.us2.kimonocloud.com/v2/interop/data", token="not-a-real-token")
    <Client https://api.us2.kimonocloud.com/v2/interop/data, bearer token>
    """
    given = {
        "token": token,
        "client_id": client_id,
        "client_secret": client_secret,
        "username": username,
        "password": password,
    }
    if not any(given.values()):
        given = {name: os.environ.get(f"KIMONO_{name.upper()}") for name in given}
    url = _checked_url(base_url or os.environ.get("KIMONO_BASE_URL") or BASE_URL, "base URL")
    token_text = token_url or os.environ.get("KIMONO_TOKEN_URL")
    tokens = _checked_url(token_text, "token URL") if token_text else url.copy_with(path=TOKEN_PATH)
    return Client(url, make_auth(given, tokens), retries, Timeouts.of(timeout))


def _checked_url(text: str, name: str) -> httpx.URL:
    try:
        url = httpx.URL(text.strip().rstrip("/"))
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"The {name} is not a URL ({error}). Example: {BASE_URL}") from error
    if url.userinfo:
        raise ConfigurationError(f"The {name} holds a user name or password; pass username= and password= instead.")
    if url.query:
        raise ConfigurationError(
            f"The {name} has a query, which may hold a secret; remove the '?' and what follows it."
        )
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError(f"The {name} must begin with https:// and a host. Example: {BASE_URL}")
    if url.scheme == "http" and url.host not in _LOOPBACK:
        raise ConfigurationError(f"Plain http to {url.host} would expose the token on the network; use https://.")
    return url


class Client:
    """A connection to one tenant, made by `connect` and closed by ``close()`` or a ``with`` block."""

    def __init__(
        self, base_url: httpx.URL, auth: SecretAuth, retries: int = 5, timeouts: Timeouts | None = None
    ) -> None:
        timeouts = timeouts or Timeouts()
        self.base_url = str(base_url)
        self._auth = auth
        self.retry = BoundedRetry(
            total=retries,
            backoff_factor=_BACKOFF,
            max_backoff_wait=LONGEST_WAIT,
            status_forcelist=_RETRIED,
            # The only POST asks for a token: asking twice does no harm.
            allowed_methods=("GET", "PUT", "DELETE", "POST"),
            retry_on_exceptions=(
                httpx.NetworkError,
                httpx.TimeoutException,
                httpx.RemoteProtocolError,
                httpx.DecodingError,
                Broken,
            ),
        )
        # httpx leaves out the proxies of the environment when it is given a transport, so they are named here.
        local = base_url.host in _LOOPBACK or proxy_bypass(base_url.host)
        transport = httpx.HTTPTransport(
            proxy=None if local else getproxies().get(base_url.scheme),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=64),
        )
        self._http = httpx.Client(
            auth=auth,
            timeout=httpx.Timeout(timeouts.read, connect=timeouts.connect),
            transport=RetryTransport(transport=WholeAnswers(transport, timeouts), retry=self.retry),
            headers={"Accept": "application/json", "User-Agent": "kimono-explore"},
        )

    def find(self, kind: str, id: str) -> dict[str, JSON]:
        """Find one object.

        Parameters
        ----------
        kind : str
            ``"orgs"``, ``"leas"``, ``"persons"``, ``"courses"``, ``"sections"``, ``"terms"`` or ``"tasks/admin"``.
        id : str
            The object's ``$sys.id``.

        Returns
        -------
        dict
            The object as the server sends it, unwrapped from ``data`` if necessary.

        Raises
        ------
        NotFoundError
            No object has this id.

        Examples
        --------
        >>> client.find("orgs", roster.orgs["id"][0])["name"] == roster.orgs["name"][0]
        True
        """
        if kind not in FINDS:
            raise ValueError(f"Unknown kind of object {kind!r}. Choose one of: {', '.join(FINDS)}.")
        path = FINDS[kind].path
        return self.ask(FINDS[kind], lambda body: _object_in(body, path), id=id)

    def ask(
        self,
        operation: Operation,
        read: Callable[[bytes], T],
        *,
        id: str | None = None,
        params: Mapping[str, str | int | None] | None = None,
        path: str | None = None,
        repeat: bool = True,
        stop: threading.Event | None = None,
    ) -> T:
        """Send a GET request and return the result of passing its response body to ``read``.

        If ``read`` raises `BadResponseError`, the response was broken and the request is retried.

        Parameters
        ----------
        operation : Operation
        read : callable
            Converts the body to what the caller wants.
        id, params, path, repeat
            As in `request`.
        stop : threading.Event, optional
            Once set, the request ends with `ConnectionFailedError` and is not retried.

        Raises
        ------
        BadResponseError
            The response was still broken after all retries.
        ResponseError, ConnectionFailedError
            As in `request`.
        """
        extensions = {"read": read, **({} if stop is None else {"stop": stop})}
        response = self._send(operation, id, params, None, path, repeat, extensions)
        return cast("T", response.extensions["read"])

    def request(
        self,
        operation: Operation,
        *,
        id: str | None = None,
        params: Mapping[str, str | int | None] | None = None,
        json: JSON = None,
        path: str | None = None,
        repeat: bool = True,
    ) -> bytes:
        """Send one operation of `api.OPERATIONS` and return the response body.

        Parameters
        ----------
        operation : Operation
        id : str, optional
            Replaces ``{id}`` in the path.
        params : mapping, optional
            Query parameters; those set to None are left out.
        json : optional
            The body of a PUT.
        path : str, optional
            A path to use instead of the operation's own (its older one).
        repeat : bool, default True
            Retry the request after a transient fault. False sends it only once, so that after a fault the caller knows
            that it may have taken effect. Even then, a 401, which has no effect, is followed by a second attempt with a
            new token.

        Raises
        ------
        ResponseError
            Or a subclass: the server still returned an error after all retries.
        ConnectionFailedError
            The server did not respond.
        """
        return self._send(operation, id, params, json, path, repeat, {}).content

    def _send(
        self,
        operation: Operation,
        id: str | None,
        params: Mapping[str, str | int | None] | None,
        json: JSON,
        path: str | None,
        repeat: bool,
        extensions: dict[str, object],
    ) -> httpx.Response:
        path = path or operation.path
        if operation.needs_id:
            if not id or id in (".", ".."):
                raise ValueError(f"{path} needs an id.")
            path = path.replace("{id}", quote(id, safe=""))
        query = {name: value for name, value in (params or {}).items() if value is not None}
        where = path if "page" not in query else f"{path} (page {query['page']})"
        try:
            response = self._http.request(
                operation.method,
                f"{self.base_url}/{path}",
                params=query,
                content=None if json is None else msgspec.json.encode(json),
                headers={} if json is None else {"Content-Type": "application/json"},
                extensions=extensions if repeat else {**extensions, "retry": _ONCE},
            )
            if not response.is_success or (operation.method != "GET" and denies(response, where)):
                raise_for(response, where)
        except httpx.RequestError as error:
            tries = self.retry.total + 1 if repeat and self.retry.is_retryable_exception(error) else 1
            raise self._redacted(self._no_answer(error, where, tries)) from self._redacted(error)
        except KimonoError as error:
            raise self._redacted(error) from None
        return response

    def _no_answer(self, error: httpx.RequestError, where: str, tries: int) -> KimonoError:
        times = f" It was asked for {tries} times." if tries > 1 else ""
        failed: KimonoError
        if isinstance(error, Broken):
            failed = BadResponseError(f"{error.cause}{times}")
        elif isinstance(error, TooLong):
            status = error.response.status_code
            text = f"{status} from {where}: the server asks clients to wait longer than {LONGEST_WAIT:g} s"
            failed = RateLimitError(f"{text} ({error}). Try again then.", status)
        elif isinstance(error, httpx.TimeoutException):
            failed = ConnectionFailedError(
                f"No answer from {where} in time.{times} Try a smaller page_size, or try again later."
            )
        elif isinstance(error, httpx.DecodingError):
            failed = ConnectionFailedError(f"{where} answered, but the answer cannot be decompressed: {error}.{times}")
        else:
            text = f"{where} could not be reached, or its answer was cut off: {error}."
            failed = ConnectionFailedError(f"{text}{times} Is {self.base_url} right?")
        # If it was the token that could not be fetched (the only POST), the request itself was not sent.
        failed.sent = not isinstance(error, _NOT_SENT) and error.request.method != "POST"
        return failed

    def _redacted(self, error: BaseException) -> BaseException:
        """The error, and what caused it, without the secrets: a server may echo them in its words."""
        secrets = _as_written([secret for secret in self._auth.secrets() if len(secret) > 3])
        seen: BaseException | None = error
        while seen is not None:
            seen.args = tuple(_redact(secrets, part) if isinstance(part, str) else part for part in seen.args)
            seen = seen.__cause__ or seen.__context__
        if isinstance(error, ResponseError):
            if error.retry_after is not None:
                error.retry_after = _redact(secrets, error.retry_after)
            if error.details is not None:
                error.details = decode(_redact(secrets, encode(error.details)).encode(), "")
        return error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client {self.base_url}, {getattr(self._auth, 'kind', 'custom authentication')}>"


def _object_in(body: bytes, path: str) -> dict[str, JSON]:
    """One object, bare or under ``data``."""
    answer = decode(body, path)
    wrapped = isinstance(answer, dict) and isinstance(answer.get("data"), dict) and not {"$sys", "id"} & set(answer)
    found = cast("dict[str, JSON]", answer)["data"] if wrapped else answer
    if not isinstance(found, dict):
        raise BadResponseError(f"{path}: expected one object, got {type(found).__name__}.")
    if found.get("error") and not {"$sys", "id"} & set(found):
        raise BadResponseError(f"{path} returned an error instead of an object: {encode(found['error'])[:500]}.")
    return found


def _as_written(secrets: list[str]) -> list[str]:
    """The secrets, in each form in which an answer or an error may contain them, the longest first."""
    found: set[str] = set()
    for secret in secrets:
        found |= {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret)}
        found |= {encode(secret)[1:-1], json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    return sorted(found, key=len, reverse=True)


def _redact(secrets: list[str], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    for prefix in {secret[:_REVEALING] for secret in secrets}:  # a long text was cut, perhaps within a secret
        at = text.find(prefix)
        while at >= 0:
            rest = text[at:]
            revealed = max(_common_prefix(secret, rest) for secret in secrets)
            text = f"{text[:at]}[secret]{rest[revealed:]}"
            at = text.find(prefix, at + len("[secret]"))
    return text


def _common_prefix(one: str, other: str) -> int:
    """The length of the prefix that two texts share."""
    both = min(len(one), len(other))
    return next((n for n in range(both) if one[n] != other[n]), both)
