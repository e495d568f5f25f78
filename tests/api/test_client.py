"""Connecting: which credentials are used, when a request is repeated, and what errors say."""

import time

import httpx
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

import kimono_explore as kx
from kimono_explore import json_text
from kimono_explore.api.operations import FINDS, operation

ORGS = operation("listOrgs")
PATH = "/v2/interop/data/rostering/orgs"


@pytest.fixture
def base_url(httpserver: HTTPServer) -> str:
    return httpserver.url_for("/v2/interop/data")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BASE_URL", "TOKEN", "CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD", "TOKEN_URL"):
        monkeypatch.delenv(f"KIMONO_{name}", raising=False)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between repeated requests, which are not waited for."""
    slept: list[float] = []
    monkeypatch.setattr("kimono_explore.api.transport.wait", slept.append)
    return slept


def test_a_token_is_sent_with_every_request(httpserver: HTTPServer, base_url: str) -> None:
    httpserver.expect_request(PATH, headers={"Authorization": "Bearer t0ken"}).respond_with_json({"data": []})
    with kx.connect(base_url, token="t0ken") as client:
        assert json_text.decode(client.request(ORGS), "orgs") == {"data": []}


def test_credentials_come_from_the_environment(
    httpserver: HTTPServer, base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIMONO_BASE_URL", base_url + "/")
    monkeypatch.setenv("KIMONO_USERNAME", "ana")
    monkeypatch.setenv("KIMONO_PASSWORD", "s3cret")
    httpserver.expect_request(
        PATH, headers={"Authorization": httpx.BasicAuth("ana", "s3cret")._auth_header}
    ).respond_with_json({"data": []})
    with kx.connect() as client:
        assert repr(client) == f"<Client {base_url}, HTTP Basic>"
        assert json_text.decode(client.request(ORGS), "orgs") == {"data": []}


def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIMONO_TOKEN", "from-the-environment")
    with kx.connect("https://api.example.org/v2", client_id="me", client_secret="s3cret") as client:
        assert repr(client) == "<Client https://api.example.org/v2, client credentials>"


def test_an_api_key_may_be_a_user_name_without_a_password(
    httpserver: HTTPServer, base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = httpx.BasicAuth("an-api-key", "")._auth_header
    httpserver.expect_request(PATH, headers={"Authorization": header}).respond_with_json({"data": []})
    with kx.connect(base_url, username="an-api-key", password="") as client:
        assert json_text.decode(client.request(ORGS), "orgs") == {"data": []}
    monkeypatch.setenv("KIMONO_USERNAME", "an-api-key")
    with pytest.raises(kx.ConfigurationError, match="username without password"):
        kx.connect(base_url)
    monkeypatch.setenv("KIMONO_PASSWORD", "")
    with kx.connect(base_url) as client:
        assert json_text.decode(client.request(ORGS), "orgs") == {"data": []}


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_the_token_can_come_from_another_host(
    httpserver: HTTPServer, base_url: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    with HTTPServer(threaded=True) as elsewhere:
        elsewhere.expect_request("/other/token", method="POST").respond_with_json({"access_token": "far-token"})
        httpserver.expect_request(PATH, headers={"Authorization": "Bearer far-token"}).respond_with_json({"data": []})
        address = elsewhere.url_for("/other/token")
        if how == "environment":
            monkeypatch.setenv("KIMONO_TOKEN_URL", address)
        with kx.connect(
            base_url, client_id="me", client_secret="s3cret", token_url=address if how == "argument" else None
        ) as client:
            assert json_text.decode(client.request(ORGS), "orgs") == {"data": []}
        assert [request.path for request, _ in elsewhere.log] == ["/other/token"]


def test_a_token_url_is_checked_like_the_base_url() -> None:
    with pytest.raises(kx.ConfigurationError, match="Plain http to tokens"):
        kx.connect(client_id="me", client_secret="s3cret", token_url="http://tokens.example.org/oauth/token")
    with pytest.raises(kx.ConfigurationError, match="base URL has a query"):
        kx.connect("https://api.example.org/v2?token=s3cret", token="t")


class OAuth:
    """A server that issues tokens and takes only the newest one."""

    def __init__(self, httpserver: HTTPServer, lifetime: float = 3600) -> None:
        self.issued, self.lifetime, self.forms = 0, lifetime, []
        httpserver.expect_request("/oauth/token", method="POST").respond_with_handler(self.token)
        httpserver.expect_request(PATH).respond_with_handler(self.orgs)
        self.valid = ""

    def token(self, request: Request) -> Response:
        self.issued += 1
        self.forms.append(request.form.to_dict())
        self.valid = f"token-{self.issued}"
        return Response(f'{{"access_token": "{self.valid}", "expires_in": {self.lifetime}}}')

    def orgs(self, request: Request) -> Response:
        if request.headers["Authorization"] != f"Bearer {self.valid}":
            return Response('{"error": {"status": 401, "message": "Token expired"}}', 401)
        return Response('{"data": []}')


def test_client_credentials_fetch_one_token_and_reuse_it(httpserver: HTTPServer, base_url: str) -> None:
    server = OAuth(httpserver)
    with kx.connect(base_url, client_id="me", client_secret="s3cret") as client:
        for _ in range(3):
            client.request(ORGS)
    assert server.issued == 1
    assert server.forms == [{"client_id": "me", "client_secret": "s3cret", "grant_type": "client_credentials"}]


def test_a_token_refused_in_the_middle_of_work_is_renewed(httpserver: HTTPServer, base_url: str) -> None:
    server = OAuth(httpserver)
    with kx.connect(base_url, client_id="me", client_secret="s3cret") as client:
        client.request(ORGS)
        server.valid = "another"  # revoked
        assert json_text.decode(client.request(ORGS), "orgs") == {"data": []}
    assert server.issued == 2


def test_a_token_is_renewed_before_it_expires(httpserver: HTTPServer, base_url: str) -> None:
    server = OAuth(httpserver, lifetime=0.2)
    with kx.connect(base_url, client_id="me", client_secret="s3cret") as client:
        client.request(ORGS)
        time.sleep(0.15)  # past half of its life, not past all of it
        client.request(ORGS)
    assert server.issued == 2


def test_wrong_client_credentials_say_so_without_showing_them(httpserver: HTTPServer, base_url: str) -> None:
    httpserver.expect_request("/oauth/token").respond_with_json({"error": "invalid_client"}, status=401)
    with (
        kx.connect(base_url, client_id="me", client_secret="s3cret") as client,
        pytest.raises(
            kx.AuthenticationError, match=r"401 from oauth/token: invalid_client\. Set KIMONO_TOKEN"
        ) as caught,
    ):
        client.request(ORGS)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_passing_fault_is_waited_out(httpserver: HTTPServer, base_url: str, waits: list[float], status: int) -> None:
    httpserver.expect_ordered_request(PATH).respond_with_data("busy", status=status)
    httpserver.expect_ordered_request(PATH).respond_with_json({"data": []})
    with kx.connect(base_url, token="t") as client:
        assert json_text.decode(client.request(ORGS), "orgs") == {"data": []}
    assert len(waits) == 1


def test_retry_after_is_honoured(httpserver: HTTPServer, base_url: str, waits: list[float]) -> None:
    httpserver.expect_ordered_request(PATH).respond_with_data("", status=429, headers={"Retry-After": "7"})
    httpserver.expect_ordered_request(PATH).respond_with_json({"data": []})
    with kx.connect(base_url, token="t") as client:
        client.request(ORGS)
    assert waits == [7.0]


def test_retries_are_bounded_and_grow(httpserver: HTTPServer, base_url: str, waits: list[float]) -> None:
    httpserver.expect_request(PATH).respond_with_data("", status=503)
    with kx.connect(base_url, token="t", retries=3) as client, pytest.raises(kx.ServerError) as caught:
        client.request(ORGS)
    assert caught.value.status == 503
    assert len(waits) == 3
    assert all(wait <= 0.5 * 2**n for n, wait in enumerate(waits, start=1))


ENVELOPE = {"error": {"status": 0, "code": "x", "message": "In the server's words", "details": None}}


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (401, kx.AuthenticationError, "KIMONO_TOKEN"),
        (403, kx.PermissionDeniedError, "administrator"),
        (404, kx.NotFoundError, "base URL"),
        (429, kx.RateLimitError, "fewer connections"),
        (500, kx.ServerError, "try again later"),
        (302, kx.ResponseError, "Redirects"),
        (418, kx.ResponseError, "not accepted"),
    ],
)
def test_an_error_says_what_where_why_and_what_to_do(
    httpserver: HTTPServer, base_url: str, status: int, kind: type[kx.ResponseError], hint: str
) -> None:
    httpserver.expect_request(PATH).respond_with_json(ENVELOPE, status=status)
    with kx.connect(base_url, token="t0ken", retries=0) as client, pytest.raises(kind) as caught:
        client.request(ORGS, params={"page": 3})
    assert str(caught.value).startswith(f"{status} from rostering/orgs (page 3): In the server's words. ")
    assert hint in str(caught.value)
    assert "t0ken" not in str(caught.value)
    assert isinstance(caught.value, kx.KimonoError)


def test_no_server_is_a_clear_error() -> None:
    with (
        kx.connect("http://127.0.0.1:9/v2", token="t", retries=0) as client,
        pytest.raises(kx.ConnectionFailedError, match="rostering/orgs could not be reached"),
    ):
        client.request(ORGS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "No credentials"),
        ({"client_id": "me"}, "client_id without client_secret"),
        ({"password": "x"}, "password without username"),
        ({"token": "t", "username": "u", "password": "p"}, "more than one kind"),
        ({"token": "t", "base_url": "http://api.example.org"}, "Plain http"),
        ({"token": "t", "base_url": "https://u:p@api.example.org"}, "holds a user name"),
        ({"token": "t", "base_url": "api.example.org"}, "https://"),
        ({"token": "two words"}, "copied completely"),
        ({"token": "t\nInjected: yes"}, "copied completely"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_before_anything_is_sent(arguments: dict[str, str], said: str) -> None:
    with pytest.raises(kx.ConfigurationError, match=said):
        kx.connect(**arguments)


@pytest.mark.parametrize("body", [{"id": "a/b", "name": "One"}, {"data": {"id": "a/b", "name": "One"}}])
@pytest.mark.parametrize("kind", sorted(set(FINDS) - {"tasks/admin"}))
def test_find_unwraps_and_escapes(httpserver: HTTPServer, base_url: str, kind: str, body: dict[str, object]) -> None:
    httpserver.expect_request(f"/v2/interop/data/rostering/{kind}/a/b").respond_with_json(body)
    with kx.connect(base_url, token="t") as client:
        assert client.find(kind, "a/b") == {"id": "a/b", "name": "One"}
    assert httpserver.log[0][0].environ["REQUEST_URI"].endswith("/a%2Fb")


def test_find_knows_what_can_be_found(base_url: str) -> None:
    with kx.connect(base_url, token="t") as client, pytest.raises(ValueError, match="Unknown kind of object 'schools'"):
        client.find("schools", "1")


@pytest.mark.parametrize("body", ["<html>", "[]", '"text"', '{"data": [1]}x'])
@pytest.mark.usefixtures("waits")
def test_an_answer_of_another_shape_is_a_clear_error(httpserver: HTTPServer, base_url: str, body: str) -> None:
    httpserver.expect_request("/v2/interop/data/rostering/orgs/1").respond_with_data(body)
    with kx.connect(base_url, token="t") as client, pytest.raises(kx.BadResponseError, match="rostering/orgs"):
        client.find("orgs", "1")
