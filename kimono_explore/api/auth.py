"""How a client proves who it is: a bearer token, OAuth2 client credentials, or HTTP Basic.

Each is an `httpx.Auth` that also lists its secrets, so that they can be removed from whatever is shown.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NoReturn

import httpx
import msgspec

from kimono_explore.api.responses import CREDENTIALS_HINT, raise_for
from kimono_explore.errors import BadResponseError, ConfigurationError, KimonoError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping


def make_auth(given: Mapping[str, str | None], token_url: httpx.URL) -> SecretAuth:
    """The authentication for the credentials given: token, client_id and client_secret, or username and password.

    Raises
    ------
    ConfigurationError
        None is given, only half of a pair, or more than one kind.
    """
    # An empty password counts as one: Kimono's own examples send an API key as the user name, and no password.
    pairs = [("client_id", bool(given["client_id"]), "client_secret", bool(given["client_secret"]))]
    pairs += [("username", bool(given["username"]), "password", given["password"] is not None)]
    for one, has_one, other, has_other in pairs:
        if has_one != has_other and not (one == "username" and given["password"] == ""):
            there, lacking = (one, other) if has_one else (other, one)
            raise ConfigurationError(f"{there} without {lacking}: both are needed.")
    kinds = [name for name in ("token", "client_id", "username") if given[name]]
    if not kinds:
        raise ConfigurationError(f"No credentials. {CREDENTIALS_HINT} Or try kx.sandbox(), which needs none.")
    if len(kinds) > 1:
        raise ConfigurationError(f"Credentials of more than one kind ({', '.join(kinds)}): which should be used?")
    if given["token"]:
        return _Bearer(given["token"])
    if given["client_id"]:
        return _ClientCredentials(token_url, given["client_id"], given["client_secret"] or "")
    return _Basic(given["username"] or "", given["password"] or "")


class SecretAuth(httpx.Auth):
    """An authentication that knows its kind, and its secrets, which must never be shown."""

    kind: str

    def secrets(self) -> list[str]:
        """What must never be shown."""
        raise NotImplementedError


class _Bearer(SecretAuth):
    kind = "bearer token"

    def __init__(self, token: str) -> None:
        self._token = token.strip()
        if not self._token.isascii() or not self._token.isprintable() or " " in self._token:
            raise ConfigurationError("The token contains spaces or invalid characters. Was it copied completely?")

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request

    def secrets(self) -> list[str]:
        return [self._token]


class _Basic(httpx.BasicAuth, SecretAuth):
    kind = "HTTP Basic"

    def __init__(self, username: str, password: str) -> None:
        super().__init__(username, password)
        # Without a password, the user name is an API key.
        self._secrets = [self._auth_header.removeprefix("Basic "), password or username]

    def secrets(self) -> list[str]:
        return self._secrets


class _ClientCredentials(SecretAuth):
    """Fetch a token, reuse it, renew it shortly before it expires and once on a 401; for many threads at once."""

    kind = "client credentials"
    requires_response_body = True

    def __init__(self, token_url: httpx.URL, client_id: str, client_secret: str) -> None:
        self._url, self._id, self._secret = token_url, client_id, client_secret
        self._token = ""
        self._issued: deque[str] = deque(maxlen=8)
        self._renew_at = 0.0
        self._lock = threading.Lock()

    def secrets(self) -> list[str]:
        return [self._secret, *self._issued]

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = yield from self._current(request, refused="")
        for _ in range(2):
            request.headers["Authorization"] = f"Bearer {token}"
            response = yield request
            if response.status_code != httpx.codes.UNAUTHORIZED:
                return
            response.read()
            token = yield from self._current(request, refused=token)

    def _current(self, request: httpx.Request, refused: str) -> Generator[httpx.Request, httpx.Response, str]:
        # The lock is held while a token is fetched, so that eight threads with a 401 fetch one token, not eight.
        with self._lock:
            if not self._token or self._token == refused or time.monotonic() >= self._renew_at:
                response = yield httpx.Request(
                    "POST",
                    self._url,
                    data={"client_id": self._id, "client_secret": self._secret, "grant_type": "client_credentials"},
                    headers={"Accept": "application/json"},
                    # It ends when the load that the request belongs to ends.
                    extensions={"read": _token_in, "stop": request.extensions.get("stop")},
                )
                if response.is_error:
                    _raise_for_token(response, sent=bool(refused))
                found = response.extensions.get("read") or _token_in(response.content)
                self._token, lifetime = found.access_token, found.expires_in
                self._issued.append(self._token)
                self._renew_at = time.monotonic() + max(lifetime - 60.0, lifetime / 2)
            return self._token


class _Token(msgspec.Struct):
    access_token: str
    expires_in: float = 300.0


def _token_in(body: bytes) -> _Token:
    try:
        return msgspec.json.decode(body, type=_Token, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadResponseError("oauth/token answered without an access_token. Is the base URL right?") from error


def _raise_for_token(response: httpx.Response, sent: bool) -> NoReturn:
    """Raise for a refused token; the error says whether the request that needs it was `sent` before."""
    try:
        raise_for(response, "oauth/token")
    except KimonoError as error:
        error.sent = sent
        raise
