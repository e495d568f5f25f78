"""One request, well done: authentication, time-outs, retries, and errors that say what to do.

The client is thread-safe (pages are loaded on a few threads) and keeps every secret out of repr, logs and errors.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, NoReturn, Self, cast
from urllib.parse import quote
from urllib.request import getproxies, proxy_bypass

import httpx
import msgspec
from httpx_retries import Retry, RetryTransport

from kimono_explore.api import BASE_URL, FINDS, TOKEN_PATH, Operation
from kimono_explore.errors import (
    AuthenticationError,
    BadResponseError,
    ConfigurationError,
    ConnectionFailedError,
    KimonoError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseError,
    ServerError,
)
from kimono_explore.wire import decode, encode

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from types import TracebackType

    from kimono_explore.wire import JSON

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)  # Kimono's own kit reads for 30 s
_RETRIED = (429, 502, 503, 504)
_BACKOFF = 0.5
_ONCE = Retry(total=0)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CREDENTIALS_HINT = "Set KIMONO_TOKEN, or KIMONO_CLIENT_ID and KIMONO_CLIENT_SECRET, or pass them to connect()."


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
) -> Client:
    """Connect to a tenant.

    Nothing is sent until the first request. Where no credential is passed, those of the environment are used:
    ``KIMONO_TOKEN``, or ``KIMONO_CLIENT_ID`` and ``KIMONO_CLIENT_SECRET``, or ``KIMONO_USERNAME`` and
    ``KIMONO_PASSWORD``.

    Parameters
    ----------
    base_url : str, optional
        Such as ``https://api.us2.kimonocloud.com/v2/interop/data``; default ``KIMONO_BASE_URL``, else that one.
        Plain http is taken only for this machine.
    token : str, optional
        A bearer token.
    client_id, client_secret : str, optional
        OAuth2 client credentials: a token is fetched, reused, and renewed before it expires or on a 401.
    username, password : str, optional
        HTTP Basic, which some environments use. An API key goes in as the user name, with ``password=""``.
    token_url : str, optional
        Where client credentials are exchanged for a token; default ``KIMONO_TOKEN_URL``, else ``/oauth/token`` on the
        host of the base URL. Some regions' tokens come from another host.
    retries : int, default 5
        How often a request is repeated after a 429, 502, 503, 504 or a broken connection, with growing, jittered
        waits of at most 60 s each; ``Retry-After`` is honoured.

    Returns
    -------
    Client

    Raises
    ------
    ConfigurationError
        There is no credential, there are two kinds of them, or the base URL makes no sense.

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
    return Client(url, _authentication(given, tokens), retries=retries)


def _checked_url(text: str, name: str) -> httpx.URL:
    try:
        url = httpx.URL(text.strip().rstrip("/"))
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"The {name} is not a URL ({error}). Example: {BASE_URL}") from error
    if url.userinfo:
        raise ConfigurationError(f"The {name} holds a user name or password; pass username= and password= instead.")
    if url.query:
        raise ConfigurationError(f"The {name} has a query, which may hold a secret; leave out what follows the '?'.")
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError(f"The {name} must begin with https:// and a host. Example: {BASE_URL}")
    if url.scheme == "http" and url.host not in _LOOPBACK:
        raise ConfigurationError(f"Plain http to {url.host} would show the token to the network; use https://.")
    return url


def _authentication(given: Mapping[str, str | None], token_url: httpx.URL) -> httpx.Auth:
    # An empty password is one: Kimono's own examples send an API key as the user name, and no password.
    pairs = [("client_id", bool(given["client_id"]), "client_secret", bool(given["client_secret"]))]
    pairs += [("username", bool(given["username"]), "password", given["password"] is not None)]
    for one, has_one, other, has_other in pairs:
        if has_one != has_other and not (one == "username" and given["password"] == ""):
            there, lacking = (one, other) if has_one else (other, one)
            raise ConfigurationError(f"{there} without {lacking}: both are needed.")
    kinds = [name for name in ("token", "client_id", "username") if given[name]]
    if not kinds:
        raise ConfigurationError(f"No credentials. {_CREDENTIALS_HINT} Or try kx.sandbox(), which needs none.")
    if len(kinds) > 1:
        raise ConfigurationError(f"Credentials of more than one kind ({', '.join(kinds)}): which should be used?")
    if given["token"]:
        return _Bearer(given["token"])
    if given["client_id"]:
        return _ClientCredentials(token_url, given["client_id"], given["client_secret"] or "")
    return _Basic(given["username"] or "", given["password"] or "")


class _Bearer(httpx.Auth):
    kind = "bearer token"

    def __init__(self, token: str) -> None:
        self._token = token.strip()
        if not self._token.isascii() or not self._token.isprintable() or " " in self._token:
            raise ConfigurationError("The token holds spaces or characters that no token has; was it copied whole?")

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class _Basic(httpx.BasicAuth):
    kind = "HTTP Basic"


class _ClientCredentials(httpx.Auth):
    """Fetch a token, reuse it, renew it shortly before it expires and once on a 401; for many threads at once."""

    kind = "client credentials"
    requires_response_body = True

    def __init__(self, token_url: httpx.URL, client_id: str, client_secret: str) -> None:
        self._url, self._id, self._secret = token_url, client_id, client_secret
        self._token = ""
        self._renew_at = 0.0
        self._lock = threading.Lock()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = yield from self._current(refused="")
        for _ in range(2):
            request.headers["Authorization"] = f"Bearer {token}"
            response = yield request
            if response.status_code != httpx.codes.UNAUTHORIZED:
                return
            response.read()
            token = yield from self._current(refused=token)

    def _current(self, refused: str) -> Generator[httpx.Request, httpx.Response, str]:
        # The lock is held while a token is fetched, so that eight threads with a 401 fetch one token, not eight.
        with self._lock:
            if not self._token or self._token == refused or time.monotonic() >= self._renew_at:
                response = yield httpx.Request(
                    "POST",
                    self._url,
                    data={"client_id": self._id, "client_secret": self._secret, "grant_type": "client_credentials"},
                    headers={"Accept": "application/json"},
                )
                response.read()
                self._token, lifetime = _read_token(response, sent=bool(refused))
                self._renew_at = time.monotonic() + max(lifetime - 60.0, lifetime / 2)
            return self._token


class _Token(msgspec.Struct):
    access_token: str
    expires_in: float = 300.0


def _read_token(response: httpx.Response, sent: bool) -> tuple[str, float]:
    """The token and its lifetime; an error says whether the request that needs the token was `sent` before."""
    try:
        if response.is_error:
            _raise_for(response, "oauth/token")
        try:
            token = msgspec.json.decode(response.content, type=_Token, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadResponseError("oauth/token answered without an access_token. Is the base URL right?") from error
    except KimonoError as error:
        error.sent = sent
        raise
    return token.access_token, token.expires_in


class Client:
    """A connection to one tenant; made by `connect`, closed by ``close()`` or a ``with`` block."""

    def __init__(self, base_url: httpx.URL, auth: httpx.Auth, retries: int = 5) -> None:
        self.base_url = str(base_url)
        self._auth = auth
        self.retry = Retry(
            total=retries,
            backoff_factor=_BACKOFF,
            max_backoff_wait=60.0,
            status_forcelist=_RETRIED,
            # The one POST asks for a token: asking twice does no harm.
            allowed_methods=("GET", "PUT", "DELETE", "POST"),
            retry_on_exceptions=(httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError),
        )
        # httpx leaves out the proxies of the environment when it is given a transport, so they are named here.
        local = base_url.host in _LOOPBACK or proxy_bypass(base_url.host)
        transport = httpx.HTTPTransport(
            proxy=None if local else getproxies().get(base_url.scheme),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=64),
        )
        self._http = httpx.Client(
            auth=auth,
            timeout=_TIMEOUT,
            transport=RetryTransport(transport=transport, retry=self.retry),
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
            The object as the server has it, always unwrapped from ``data``.

        Raises
        ------
        NotFoundError
            There is no such object.

        Examples
        --------
        >>> client.find("orgs", roster.orgs["id"][0])["name"] == roster.orgs["name"][0]
        True
        """
        if kind not in FINDS:
            raise ValueError(f"There is no find for {kind!r}; there is one for {', '.join(FINDS)}.")
        body = self.request(FINDS[kind], id=id)
        answer = decode(body, FINDS[kind].path)
        wrapped = isinstance(answer, dict) and isinstance(answer.get("data"), dict) and not {"$sys", "id"} & set(answer)
        found = cast("dict[str, JSON]", answer)["data"] if wrapped else answer
        if not isinstance(found, dict):
            raise BadResponseError(f"{FINDS[kind].path}: expected one object, got {type(found).__name__}.")
        return found

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
        """Send one operation of `api.OPERATIONS` and return the body of the answer.

        Parameters
        ----------
        operation : Operation
        id : str, optional
            What stands for ``{id}`` in the path.
        params : mapping, optional
            Query parameters; those that are None are left out.
        json : optional
            The body of a PUT.
        path : str, optional
            A path to use in place of the operation's own (its older one).
        repeat : bool, default True
            Repeat it by itself after a passing fault. False sends it once: after a fault the caller must know that it
            may have taken effect. Only a 401 is then followed by a second try, with a new token: it was not let in.

        Raises
        ------
        ResponseError
            Or one of its children: the server answered with an error, after the retries.
        ConnectionFailedError
            There was no answer.
        """
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
                extensions={} if repeat else {"retry": _ONCE},
            )
        except httpx.RequestError as error:
            raise self._no_answer(error, where) from error
        if not response.is_success or (operation.method != "GET" and _denies(response, where)):
            _raise_for(response, where)
        return response.content

    def _no_answer(self, error: httpx.RequestError, where: str) -> ConnectionFailedError:
        text = f"{where} could not be reached: {error}. Is {self.base_url} right?"
        if isinstance(error, httpx.TimeoutException):
            text = f"No answer from {where} in time. Try again, or a smaller page_size."
        elif isinstance(error, httpx.DecodingError):
            text = f"{where} answered, but the answer cannot be read: {error}."
        failed = ConnectionFailedError(text)
        # Where it was the token that could not be fetched (the one POST), the request itself was not sent.
        failed.sent = not isinstance(error, _NOT_SENT) and error.request.method != "POST"
        return failed

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


_ERRORS: dict[int, tuple[type[ResponseError], str]] = {
    401: (AuthenticationError, _CREDENTIALS_HINT),
    403: (PermissionDeniedError, "The actor may not do this; ask the tenant's administrator for access."),
    404: (NotFoundError, "Is the id right, and the base URL?"),
    429: (RateLimitError, "Wait a while, or use fewer connections (max_connections)."),
}


def _raise_for(response: httpx.Response, where: str) -> NoReturn:
    status = response.status_code
    if response.is_success:
        found = _envelope(response).get("status")
        status = found if isinstance(found, int) else status
    said = _words(response) or response.reason_phrase or "no reason given"
    kind, hint = _ERRORS.get(status, (ResponseError, "The request was not accepted."))
    if status >= 500:
        kind, hint = ServerError, "The server is at fault; try again later."
    if 300 <= status < 400:
        hint = "A redirect is not followed, so that no token goes astray; correct the base URL."
    said = said if len(said) <= 500 else f"{said[:500]} …"
    said = said if said.endswith((".", "!", "?")) else f"{said}."
    error = kind(f"{status} from {where}: {said} {hint}", status)
    error.details = _envelope(response).get("details")
    error.retry_after = response.headers.get("Retry-After")
    error.is_page = "html" in response.headers.get("Content-Type", "") or response.content.lstrip()[:1] == b"<"
    raise error


def _denies(response: httpx.Response, where: str) -> bool:
    """Whether the answer to a PUT or DELETE says, despite its status, that it had no effect.

    Raises
    ------
    BadResponseError
        It says neither: it is a login page, say. Nothing, null, an object or a list says yes.
    """
    if not response.content.strip():
        return False
    answer = decode(response.content, where)
    if answer is not None and not isinstance(answer, dict | list):
        raise BadResponseError(f"{where} answered with {type(answer).__name__}, not with an object. Was it accepted?")
    parts = answer if isinstance(answer, list) else [answer]
    return any(isinstance(part, dict) and bool(part.get("error")) for part in parts)


def _envelope(response: httpx.Response) -> dict[str, JSON]:
    """The API's error envelope, where the answer has one."""
    try:
        answer = decode(response.content, "")
    except BadResponseError:
        return {}
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {}


def _words(response: httpx.Response) -> str:
    """The server's own words: from the API's error envelope, OAuth's, or nothing."""
    try:
        answer = decode(response.content, "")
    except BadResponseError:
        return ""
    if isinstance(answer, list):
        return encode(answer)
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        parts = [error.get(key) for key in ("message", "ext_message", "details")]
        return "; ".join(part if isinstance(part, str) else encode(part) for part in parts if part)
    return str(answer.get("error_description") or error or "") if isinstance(answer, dict) else ""
