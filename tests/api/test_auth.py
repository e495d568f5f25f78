"""Credentials: which kind is meant, and when a token is fetched, kept and renewed."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import httpx
import pytest

from kimono_explore.api import auth as module
from kimono_explore.api.auth import SecretAuth, make_auth
from kimono_explore.errors import AuthenticationError, BadResponseError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Generator

URL = httpx.URL("https://kimono.example/oauth/token")
NAMES = ("token", "client_id", "client_secret", "username", "password")


def auth(**given: str) -> SecretAuth:
    return make_auth({name: given.get(name) for name in NAMES}, URL)


def request() -> httpx.Request:
    return httpx.Request("GET", "https://kimono.example/rostering/persons")


@pytest.mark.parametrize(
    ("given", "kind", "header"),
    [
        ({"token": " abc\n"}, "bearer token", "Bearer abc"),
        ({"username": "ana", "password": "x"}, "HTTP Basic", f"Basic {base64.b64encode(b'ana:x').decode()}"),
        ({"username": "key", "password": ""}, "HTTP Basic", f"Basic {base64.b64encode(b'key:').decode()}"),
    ],
)
def test_a_kind_signs_the_request_and_knows_its_secrets(given: dict[str, str], kind: str, header: str) -> None:
    own = auth(**given)
    signed = next(own.sync_auth_flow(request()))
    assert (own.kind, signed.headers["Authorization"]) == (kind, header)
    assert header.split()[1] in own.secrets()


def test_the_secret_of_a_user_without_a_password_is_the_name() -> None:
    assert auth(username="key", password="").secrets()[1] == "key"
    assert auth(username="ana", password="x").secrets()[1] == "x"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "No credentials"),
        ({"client_id": "a"}, "client_id without client_secret"),
        ({"client_secret": "a"}, "client_secret without client_id"),
        ({"username": "a"}, "username without password"),
        ({"password": "a"}, "password without username"),
        ({"token": "a", "client_id": "b", "client_secret": "c"}, "more than one kind (token, client_id)"),
        ({"token": "a b"}, "The token contains spaces"),
        ({"token": "é"}, "invalid characters"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        auth(**given)
    assert said in str(caught.value)


class Tokens:
    """A server that gives out numbered tokens, and the flows that ask it."""

    def __init__(self, lifetime: float = 300) -> None:
        self.own, self.lifetime, self.fetched = auth(client_id="id", client_secret="secret"), lifetime, 0

    def send(self, *statuses: int) -> list[str]:
        """The tokens with which a request is sent, that many times answered with these statuses."""
        flow: Generator[httpx.Request, httpx.Response, None] = self.own.sync_auth_flow(request())
        sent, answers, now = [], iter(statuses), next(flow)
        try:
            while True:
                if now.url == URL:
                    self.fetched += 1
                    body = {"access_token": f"token-{self.fetched}", "expires_in": self.lifetime}
                    answer = httpx.Response(200, json=body)
                else:
                    sent.append(now.headers["Authorization"])
                    answer = httpx.Response(next(answers), content=b"")
                now = flow.send(answer)
        except StopIteration:
            return sent


def test_a_token_is_kept_for_later_requests() -> None:
    server = Tokens()
    assert [server.send(200), server.send(200)] == [["Bearer token-1"], ["Bearer token-1"]]
    assert (server.fetched, server.own.secrets()) == (1, ["secret", "token-1"])


def test_a_refused_token_is_renewed_once() -> None:
    server = Tokens()
    assert server.send(401, 200) == ["Bearer token-1", "Bearer token-2"]
    assert server.send(200) == ["Bearer token-2"]


@pytest.mark.parametrize(("lifetime", "later", "fetched"), [(300, 239, 1), (300, 241, 2), (60, 29, 1), (60, 31, 2)])
def test_a_token_is_renewed_before_it_expires(
    lifetime: float, later: float, fetched: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    server = Tokens(lifetime)
    server.send(200)
    now += later
    server.send(200)
    assert server.fetched == fetched


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401, content=b"no"), AuthenticationError),
        (httpx.Response(200, content=b"<p>"), BadResponseError),
    ],
)
def test_without_a_token_nothing_was_sent(answer: httpx.Response, error: type[Exception]) -> None:
    flow = auth(client_id="id", client_secret="secret").sync_auth_flow(request())
    assert next(flow).method == "POST"
    answer.request = httpx.Request("POST", URL)
    with pytest.raises(error, match="oauth/token") as caught:
        flow.send(answer)
    assert getattr(caught.value, "sent", None) is (error is BadResponseError)
