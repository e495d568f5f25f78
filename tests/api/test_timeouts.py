"""Every request is bounded in time and size, and no error shows a secret."""

import base64
import gzip
import re
import time
import traceback

import pytest
from pytest_httpserver import HTTPServer
from stubborn_server import StubbornServer
from werkzeug import Request, Response

import kimono_explore as kx
from kimono_explore import json_text

NO_WAITS = "kimono_explore.api.transport.wait"


@pytest.mark.parametrize("how", ["slow", "trickle", "trickled head", "endless", "head"])
@pytest.mark.parametrize("beginning", [0, 2])
def test_a_request_is_bounded_in_time(how: str, beginning: int) -> None:
    with (
        StubbornServer(how, stubborn="orgs", beginning=beginning) as server,
        kx.connect(server.url, token="t", timeout=0.5, retries=0) as client,
    ):
        start = time.monotonic()
        with pytest.raises(kx.ConnectionFailedError, match=rf"rostering/orgs \(page {beginning}\)") as caught:
            kx.load_roster(client, page_size=10, progress=False)
        assert time.monotonic() - start < 1.5
    assert "in time" in str(caught.value)


def test_also_with_retries_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kimono_explore.api.client._BACKOFF", 0.0)
    with (
        StubbornServer("trickle", stubborn="orgs") as server,
        kx.connect(server.url, token="t", timeout=0.3, retries=3) as client,
    ):
        start = time.monotonic()
        with pytest.raises(kx.ConnectionFailedError, match="asked for 4 times"):
            kx.load(client, "orgs", page_size=10, progress=False)
        assert time.monotonic() - start < 4 * 0.3 + 1.5


def test_a_token_is_bounded_in_time() -> None:
    with (
        StubbornServer("trickle", stubborn="oauth/token") as server,
        kx.connect(
            server.url,
            client_id="me",
            client_secret="s3cret",
            token_url=server.url + "/oauth/token",
            timeout=0.5,
            retries=0,
        ) as client,
    ):
        start = time.monotonic()
        with pytest.raises(kx.ConnectionFailedError):
            kx.load(client, "orgs", progress=False)
        assert time.monotonic() - start < 1.5


@pytest.mark.parametrize("status", [200, 500])
def test_a_gzip_bomb_is_not_unpacked(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    monkeypatch.setattr("kimono_explore.api.transport.MAX_ANSWER", 100_000)
    bomb = gzip.compress(b'{"data": [' + b" " * 50_000_000 + b"]}")
    handler = httpserver.expect_request("/v2/rostering/orgs")
    handler.respond_with_data(bomb, status=status, headers={"Content-Encoding": "gzip"})
    with (
        kx.connect(httpserver.url_for("/v2"), token="t", retries=0) as client,
        pytest.raises(kx.ConnectionFailedError, match=r"rostering/orgs \(page 0\).*more than 100,000 bytes"),
    ):
        kx.load(client, "orgs", progress=False)


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_a_day_is_not_waited_for(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(NO_WAITS, slept.append)
    handler = httpserver.expect_request("/v2/rostering/orgs")
    handler.respond_with_data("", status=status, headers={"Retry-After": "86400"})
    with kx.connect(httpserver.url_for("/v2"), token="t") as client:
        start = time.monotonic()
        with pytest.raises(kx.RateLimitError, match="86,400 s") as caught:
            kx.load_roster(client, progress=False)
        assert time.monotonic() - start < 1
    assert caught.value.status == status
    assert slept == []
    assert len(httpserver.log) == 1


CREDENTIALS = {
    "token": {"token": "tok/en+s3cret~x.123456789012345678901234567890"},
    "client": {"client_id": "me", "client_secret": 's3cret&"<é>/x+y z'},
    "basic": {"username": "ana", "password": 's3cret"\\<é>/x'},
    "key": {"username": "an-api-key-s3cret", "password": ""},
}
FETCHED = "fetched/t0ken+s3cret=="


def forms(credentials: dict[str, str]) -> list[str]:
    """The secrets, in each form in which a server may write them."""
    secret = credentials.get("token") or credentials.get("client_secret") or credentials.get("password")
    secret = secret or credentials["username"]
    found = [secret]
    if "username" in credentials:
        pair = f"{credentials['username']}:{credentials['password']}".encode()
        found.append(base64.b64encode(pair).decode())
    if "client_id" in credentials:
        found.append(FETCHED)
    return found


BODIES = {
    "message": lambda said: ({"error": {"status": 400, "message": said}}, 400),
    "error text": lambda said: ({"error": said}, 403),
    "details": lambda said: ({"error": {"status": 400, "details": [{"headers": said, said: 1}]}}, 422),
    "a list": lambda said: ([said, {"x": said}], 400),
    "html": lambda said: (f"<html><title>Error</title><p>{said}</p></html>", 500),
    "html, not JSON": lambda said: (f"{said}<html>", 200),
    "beside data": lambda said: ({"data": [], "error": {"message": said}}, 200),
    "other keys": lambda said: ({said: 1}, 200),
    "a list's error": lambda said: ({"error": said}, 404),
    "cut": lambda said: ({"error": {"message": "x" * 440 + said}}, 400),
    "cut at the end": lambda said: ({"error": {"message": "x" * 460 + said.split()[-1]}}, 400),
    "retry after": lambda said: ("", 429),
}


@pytest.mark.parametrize("body", list(BODIES))
@pytest.mark.parametrize("kind", list(CREDENTIALS))
@pytest.mark.filterwarnings("ignore::kimono_explore.KimonoWarning")
def test_no_error_shows_a_secret(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, kind: str, body: str) -> None:
    monkeypatch.setattr("kimono_explore.api.client._BACKOFF", 0.0)
    secrets = forms(CREDENTIALS[kind])

    def respond(request: Request) -> Response:
        if request.path == "/oauth/token":
            return Response(json_text.encode({"access_token": FETCHED}))
        said = " ".join(["You sent", request.headers["Authorization"], *secrets])
        answer, status = BODIES[body](said)
        headers = {"Retry-After": said} if body == "retry after" else {}
        headers["X-Echo"] = request.headers["Authorization"]
        return Response(answer if isinstance(answer, str) else json_text.encode(answer), status, headers)

    httpserver.expect_request("/oauth/token").respond_with_handler(respond)
    httpserver.expect_request("/v2/rostering/orgs").respond_with_handler(respond)
    httpserver.expect_request("/v2/rostering/orgs/1").respond_with_handler(respond)
    with kx.connect(httpserver.url_for("/v2"), retries=1, **CREDENTIALS[kind]) as client:
        for ask in (lambda: kx.load(client, "orgs", progress=False), lambda: client.find("orgs", "1")):
            shown = []
            try:
                ask()
            except kx.KimonoError as error:
                shown = [str(error), repr(error), *traceback.format_exception(error), repr(vars(error))]
                shown += [repr(getattr(error, "details", None)), repr(getattr(error, "retry_after", None))]
                cause = error.__cause__ or error.__context__
                while cause is not None:
                    shown += [repr(cause), repr(cause.args)]
                    cause = cause.__cause__ or cause.__context__
            text = "\n".join([*shown, repr(client)])
            assert "s3cret" not in text
            assert not [secret for secret in secrets if secret in text]


@pytest.mark.parametrize("kind", ["token", "basic", "client"])
@pytest.mark.filterwarnings("ignore::kimono_explore.KimonoWarning")
def test_no_problem_shows_a_secret(httpserver: HTTPServer, kind: str) -> None:
    """A list that is refused becomes a row of ``problems``, with the server's words."""

    def respond(request: Request) -> Response:
        if request.path == "/oauth/token":
            return Response(json_text.encode({"access_token": FETCHED}))
        said = " ".join([request.headers["Authorization"], *forms(CREDENTIALS[kind])])
        return Response(json_text.encode({"error": {"message": said, "details": said}}), 403)

    httpserver.expect_request(re.compile("/.*")).respond_with_handler(respond)
    with kx.connect(httpserver.url_for("/v2"), **CREDENTIALS[kind]) as client:
        roster = kx.load_roster(client, progress=False)
    assert len(roster.problems) >= 6
    assert "[secret]" in roster.problems.to_string()
    assert "s3cret" not in roster.problems.to_csv()
