"""One request of the client, without a server: what is sent, what comes back, and what is told or hidden when it fails."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from kimono_explore import json_text
from kimono_explore.api import client as api
from kimono_explore.api.auth import make_auth
from kimono_explore.api.client import Client, connect
from kimono_explore.api.operations import BASE_URL, operation
from kimono_explore.api.transport import Timeouts
from kimono_explore.errors import (
    BadResponseError,
    ConfigurationError,
    ConnectionFailedError,
    KimonoError,
    RateLimitError,
    ResponseError,
    ServerError,
)

URL = "https://api.example.org/v2"
TOKEN = "abcdefgh-ijkl"
ORGS = operation("listOrgs")
ORG = operation("findOrg")
ACK = operation("ackTask")
Handler = Callable[[httpx.Request], httpx.Response]


class Wire(httpx.MockTransport):
    """What stands where the network would: keeps what it was asked, and how it was made."""

    answer: Handler = staticmethod(lambda request: httpx.Response(200, json={"data": []}))
    asked: list[httpx.Request]
    made: dict[str, Any]
    closed = 0

    def __init__(self, **made: Any) -> None:
        super().__init__(self._answer)
        self._pool = type("Pool", (), {})()
        Wire.made = made

    def _answer(self, request: httpx.Request) -> httpx.Response:
        Wire.asked.append(request)
        return Wire.answer(request)

    def close(self) -> None:
        Wire.closed += 1


@pytest.fixture(autouse=True)
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Wire]]:
    for name in ("BASE_URL", "TOKEN", "CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD", "TOKEN_URL"):
        monkeypatch.delenv(f"KIMONO_{name}", raising=False)
    monkeypatch.setattr(httpx, "HTTPTransport", Wire)
    monkeypatch.setattr(api, "getproxies", dict)
    monkeypatch.setattr(Wire, "answer", Wire.answer)
    monkeypatch.setattr(Wire, "asked", [], raising=False)
    monkeypatch.setattr(Wire, "closed", 0)
    return Wire


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("kimono_explore.api.transport.wait", slept.append)
    return slept


def answers(wire: type[Wire], *given: Any) -> None:
    """Answer with a status and a body, or with an error, one after the other; the last one again and again."""
    left = list(given)

    def answer(request: httpx.Request) -> httpx.Response:
        what = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(what, type) and issubclass(what, Exception):
            raise what("no luck", request=request)
        status, body, *headers = what
        content = body if isinstance(body, bytes) else json_text.encode(body).encode()
        return httpx.Response(status, content=content, headers=dict(*headers))

    wire.answer = staticmethod(answer)


def failed(act: Callable[[], object], kind: type[KimonoError] = KimonoError) -> Any:
    with pytest.raises(kind) as caught:
        act()
    return caught.value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("https://x.org:abc", "The base URL is not a URL ("),
        ("https://u:p@x.org", "The base URL holds a user name or password; pass username= and password= instead."),
        ("https://x.org?a=b", "The base URL has a query, which may hold a secret; remove the '?' and what follows it."),
        ("ftp://x.org", f"The base URL must begin with https:// and a host. Example: {BASE_URL}"),
        ("https://", f"The base URL must begin with https:// and a host. Example: {BASE_URL}"),
        ("http://x.org", "Plain http to x.org would expose the token on the network; use https://."),
    ],
)
def test_an_address_that_is_none_is_refused(text: str, said: str) -> None:
    assert str(failed(lambda: connect(text, token=TOKEN), ConfigurationError)).startswith(said)


@pytest.mark.parametrize(
    "text", [" https://x.org/v2/ ", "http://localhost:80/v2", "http://127.0.0.1/v2", "http://[::1]/v2"]
)
def test_an_address_is_taken_without_its_last_slash(text: str) -> None:
    with connect(text, token=TOKEN) as client:
        assert client.base_url == str(httpx.URL(text.strip().rstrip("/")))
        assert not client.base_url.endswith("/")


def test_without_an_address_it_is_the_references(monkeypatch: pytest.MonkeyPatch) -> None:
    assert connect(token=TOKEN).base_url == BASE_URL
    monkeypatch.setenv("KIMONO_BASE_URL", URL)
    assert connect(token=TOKEN).base_url == URL
    assert connect("https://x.org", token=TOKEN).base_url == "https://x.org"


def test_a_token_is_asked_for_on_the_host_of_the_api(wire: type[Wire]) -> None:
    answers(wire, (200, {"access_token": TOKEN}), (200, {"data": []}))
    with connect(URL, client_id="me", client_secret="s3cret") as client:
        client.request(ORGS)
    assert [str(request.url) for request in wire.asked] == ["https://api.example.org/oauth/token", f"{URL}/{ORGS.path}"]
    assert wire.closed == 1


def test_a_token_may_be_asked_for_elsewhere(wire: type[Wire], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIMONO_TOKEN_URL", "https://one.example.org/token")
    for given, url in (
        (None, "https://one.example.org/token"),
        ("https://two.example.org/t", "https://two.example.org/t"),
    ):
        answers(wire, (200, {"access_token": TOKEN}), (200, {"data": []}))
        connect(URL, client_id="me", client_secret="s3cret", token_url=given).request(ORGS)
        assert str(wire.asked[-2].url) == url


def test_a_client_tries_five_times_again_unless_told_otherwise(wire: type[Wire], waits: list[float]) -> None:
    auth = make_auth({"token": TOKEN, "client_id": None, "client_secret": None, "username": None, "password": None},
                     httpx.URL(URL))  # fmt: skip
    assert Client(httpx.URL(URL), auth).retry.total == 5
    assert connect(URL, token=TOKEN).retry.total == 5
    answers(wire, (503, b""))
    failed(lambda: connect(URL, token=TOKEN, retries=2).request(ORGS), ServerError)
    assert (len(wire.asked), len(waits)) == (3, 2)


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://api.example.org/v2", "http://proxy:3128"),
        ("https://near.example.org/v2", None),
        ("http://localhost/v2", None),
    ],
)
def test_a_proxy_of_the_environment_is_used_but_for_near_hosts(
    wire: type[Wire], monkeypatch: pytest.MonkeyPatch, url: str, proxy: str | None
) -> None:
    monkeypatch.setattr(api, "getproxies", lambda: {"https": "http://proxy:3128", "http": "http://other:3128"})
    monkeypatch.setattr(api, "proxy_bypass", lambda host: host == "near.example.org")
    connect(url, token=TOKEN)
    assert wire.made["proxy"] == proxy
    limits = wire.made["limits"]
    assert (limits.max_connections, limits.max_keepalive_connections) == (64, 64)


def test_times_are_bounded() -> None:
    http = connect(URL, token=TOKEN)._http
    assert (http.timeout.connect, http.timeout.read) == (10.0, 30.0)
    http = connect(URL, token=TOKEN, timeout=Timeouts(1, 2, 3))._http
    assert (http.timeout.connect, http.timeout.read, http.timeout.write) == (1, 2, 2)


def test_what_is_sent(wire: type[Wire]) -> None:
    with connect(URL, token=TOKEN) as client:
        assert client.request(ORGS, params={"page": 3, "page_size": None}) == b'{"data":[]}'
        client.request(ORG, id="a/b c")
        client.request(ACK, id="t1", json={"status": "done"})
        client.request(ORGS, path="older/orgs")
    sent = [(request.method, str(request.url).removeprefix(URL), request.content) for request in wire.asked]
    assert sent == [
        ("GET", "/rostering/orgs?page=3", b""),
        ("GET", "/rostering/orgs/a%2Fb%20c", b""),
        ("PUT", f"/{ACK.path.replace('{id}', 't1')}", b'{"status":"done"}'),
        ("GET", "/older/orgs", b""),
    ]
    assert {request.headers["Authorization"] for request in wire.asked} == {f"Bearer {TOKEN}"}
    assert {request.headers["User-Agent"] for request in wire.asked} == {"kimono-explore"}
    assert [request.headers.get("Content-Type") for request in wire.asked] == [None, None, "application/json", None]
    assert all("stop" not in request.extensions for request in wire.asked)


@pytest.mark.parametrize("id", [None, "", ".", ".."])
def test_an_operation_of_one_object_needs_its_id(wire: type[Wire], id: str | None) -> None:
    with pytest.raises(ValueError, match=r"needs an id\."):
        connect(URL, token=TOKEN).request(ORG, id=id)
    assert wire.asked == []


def test_an_answer_is_read_and_a_stop_goes_along(wire: type[Wire]) -> None:
    client, stop = connect(URL, token=TOKEN), threading.Event()
    assert client.ask(ORGS, len, stop=stop) == len(b'{"data":[]}')
    assert client.ask(ORGS, bytes.upper) == b'{"DATA":[]}'
    assert wire.asked[0].extensions["stop"] is stop
    assert "stop" not in wire.asked[1].extensions


def test_an_answer_that_is_not_what_was_asked_for_is_asked_for_again(wire: type[Wire], waits: list[float]) -> None:
    def read(body: bytes) -> bytes:
        if body != b"whole":
            raise BadResponseError("half an answer.")
        return body

    answers(wire, (200, b"ha"), (200, b"whole"))
    assert connect(URL, token=TOKEN).ask(ORGS, read) == b"whole"
    answers(wire, (200, b"ha"))
    error = failed(lambda: connect(URL, token=TOKEN, retries=1).ask(ORGS, read), BadResponseError)
    assert str(error) == "half an answer. It was asked for 2 times."
    error = failed(lambda: connect(URL, token=TOKEN, retries=1).ask(ORGS, read, repeat=False), BadResponseError)
    assert str(error) == "half an answer."
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("fault", "said", "sent"),
    [
        (httpx.ConnectError, "rostering/orgs (page 7) could not be reached, or its answer was cut off: no luck.{} Is"
         " https://api.example.org/v2 right?", False),
        (httpx.ReadError, "rostering/orgs (page 7) could not be reached, or its answer was cut off: no luck.{} Is"
         " https://api.example.org/v2 right?", True),
        (httpx.ReadTimeout, "No answer from rostering/orgs (page 7) in time.{} Try a smaller page_size, or try again later.", True),
        (httpx.ConnectTimeout, "No answer from rostering/orgs (page 7) in time.{} Try a smaller page_size, or try again later.", False),
        (httpx.DecodingError, "rostering/orgs (page 7) answered, but the answer cannot be decompressed: no luck.{}", True),
    ],
)  # fmt: skip
def test_no_answer_is_told_with_its_tries(
    wire: type[Wire], waits: list[float], fault: type[Exception], said: str, sent: bool
) -> None:
    answers(wire, fault)
    client = connect(URL, token=TOKEN, retries=3)
    error = failed(lambda: client.request(ORGS, params={"page": 7}), ConnectionFailedError)
    assert (str(error), error.sent) == (said.format(" It was asked for 4 times."), sent)
    assert len(wire.asked) == 4
    error = failed(lambda: client.request(ORGS, params={"page": 7}, repeat=False), ConnectionFailedError)
    assert (str(error), error.sent) == (said.format(""), sent)
    assert (len(wire.asked), len(waits)) == (5, 3)


def test_a_fault_that_does_not_pass_is_told_at_once(wire: type[Wire]) -> None:
    answers(wire, httpx.UnsupportedProtocol)
    error = failed(lambda: connect(URL, token=TOKEN).request(ORGS), ConnectionFailedError)
    assert "times" not in str(error)
    assert (len(wire.asked), error.sent) == (1, False)


def test_where_no_token_came_the_request_was_not_sent(wire: type[Wire], waits: list[float]) -> None:
    answers(wire, httpx.ReadError)
    client = connect(URL, client_id="me", client_secret="s3cret", retries=1)
    assert failed(lambda: client.request(ORGS), ConnectionFailedError).sent is False
    assert [request.method for request in wire.asked] == ["POST", "POST"]
    assert len(waits) == 1


def test_too_long_a_wait_is_an_error(wire: type[Wire], waits: list[float]) -> None:
    answers(wire, (429, b"", {"Retry-After": "500"}))
    error = failed(lambda: connect(URL, token=TOKEN).request(ORGS), RateLimitError)
    assert str(error) == (
        "429 from rostering/orgs: the server asks clients to wait longer than 120 s (Retry-After: 500 s). "
        "Try again then."
    )
    assert (error.status, waits) == (429, [])


def test_an_error_beside_a_success_denies_what_changes_and_nothing_else(wire: type[Wire]) -> None:
    answers(wire, (200, {"error": {"message": "no such task"}}))
    client = connect(URL, token=TOKEN)
    assert b"no such task" in client.request(ORGS)
    assert "200 from" in str(failed(lambda: client.request(ACK, id="t", json={}), ResponseError))
    answers(wire, (200, {}))
    assert client.request(ACK, id="t", json={}) == b"{}"
    answers(wire, (403, {"error": {"message": "no"}}))
    assert failed(lambda: client.request(ORGS), ResponseError).status == 403


@pytest.mark.parametrize(
    "body",
    [
        {"id": "a", "name": "A"},
        {"data": {"id": "a", "name": "A"}},
        {"data": {"name": "A"}},
        {"id": "a", "data": {"x": 1}},
        {"$sys": {"id": "a"}, "error": {"code": 1}},
        {"id": "a", "error": "none"},
        {"name": "A", "error": None},
    ],
)
def test_one_object_comes_without_its_wrapping(wire: type[Wire], body: dict[str, Any]) -> None:
    answers(wire, (200, body))
    wrapped = set(body) == {"data"}
    assert connect(URL, token=TOKEN).find("orgs", "a") == (body["data"] if wrapped else body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "rostering/orgs/{id}: expected one object, got list."),
        ("a", "rostering/orgs/{id}: expected one object, got str."),
        ({"error": "x" * 600}, f'rostering/orgs/{{id}} returned an error instead of an object: "{"x" * 499}.'),
        ({"data": {"error": 5}}, "rostering/orgs/{id} returned an error instead of an object: 5."),
    ],
)
def test_what_is_no_object_is_told(wire: type[Wire], body: object, said: str) -> None:
    answers(wire, (200, body))
    error = failed(lambda: connect(URL, token=TOKEN, retries=0).find("orgs", "a"), BadResponseError)
    assert str(error) == said


def test_secrets_are_known_in_every_form_the_longest_first() -> None:
    assert api._as_written(["plain-secret"]) == ["plain-secret"]
    forms = api._as_written(["a b/\"é\\&'c"])
    assert forms == sorted(forms, key=len, reverse=True)
    assert set(forms) == {
        "a b/\"é\\&'c",
        "a%20b/%22%C3%A9%5C%26%27c",
        "a%20b%2F%22%C3%A9%5C%26%27c",
        "a+b%2F%22%C3%A9%5C%26%27c",
        "a b/&quot;é\\&amp;&#x27;c",
        "a b/\\\"é\\\\&'c",
        "a b/\\\"\\u00e9\\\\&'c",
        "a b/\"é\\\\&\\'c",
    }


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("nothing of it", "nothing of it"),
        (f"<{TOKEN}>", "<[secret]>"),
        (f"{TOKEN}{TOKEN}", "[secret][secret]"),
        ("cut abcdefgh", "cut [secret]"),
        ("cut abcdefgh-ij and abcdefgh-ix", "cut [secret] and [secret]x"),
        ("abcdefg is too little", "abcdefg is too little"),
        ("", ""),
    ],
)
def test_a_secret_is_cut_out_also_where_it_was_cut_off(text: str, left: str) -> None:
    assert api._redact([TOKEN], text) == left


def test_of_several_secrets_that_begin_alike_the_one_that_fits_best_is_cut_out() -> None:
    assert api._redact(["abcdefgh12345", "abcdefgh99"], "abcdefgh1234, abcdefgh9") == "[secret], [secret]"


def test_an_error_hides_secrets_in_its_causes_and_details(wire: type[Wire]) -> None:
    client = connect(URL, token=TOKEN)
    deepest, middle, error = (
        OSError(5, f"c {TOKEN}"),
        ValueError(f"b {TOKEN}", 7),
        ResponseError(f"a {TOKEN}", 400),
    )
    error.__cause__, middle.__context__ = middle, deepest
    error.retry_after, error.details = f"{TOKEN} s", {"echo": [TOKEN, 1]}
    assert client._redacted(error) is error
    assert (error.args[0], middle.args, deepest.args) == ("a [secret]", ("b [secret]", 7), (5, "c [secret]"))
    assert (error.retry_after, error.details) == ("[secret] s", {"echo": ["[secret]", 1]})
    bare = ResponseError("plain", 400)
    client._redacted(bare)
    assert (bare.retry_after, bare.details) == (None, None)


def test_a_server_that_echoes_the_token_gives_nothing_away(wire: type[Wire]) -> None:
    answers(wire, (400, {"error": {"message": f"bad {TOKEN}", "details": {"token": TOKEN}}}, {"Retry-After": TOKEN}))
    error = failed(lambda: connect(URL, token=TOKEN, retries=0).request(ORGS), ResponseError)
    assert TOKEN not in str(error)
    assert (error.details, error.retry_after) == ({"token": "[secret]"}, "[secret]")


def test_three_letters_are_no_secret_to_be_cut_out(wire: type[Wire]) -> None:
    answers(wire, (400, {"error": {"message": "the word"}}))
    assert "the word" in str(failed(lambda: connect(URL, token="the", retries=0).request(ORGS)))
    assert "the [secret]" in str(failed(lambda: connect(URL, token="word", retries=0).request(ORGS)))


def test_a_client_tells_its_address_and_kind() -> None:
    assert repr(connect(URL, token=TOKEN)) == f"<Client {URL}, bearer token>"
    assert repr(Client(httpx.URL(URL), httpx.BasicAuth("a", "b"))) == f"<Client {URL}, custom authentication>"  # type: ignore[arg-type]
