"""The sandbox: every operation, over real HTTP; its manners, its errors, its document."""

import socket
import threading
import time
import warnings
from collections.abc import Iterator

import httpx
import pytest

import kimono_explore as kx
from kimono_explore import json_text
from kimono_explore.api.operations import OPERATIONS, operation
from kimono_explore.sandbox import guard
from kimono_explore.sandbox.server import Service

DIALECTS = {
    "default": kx.Dialect(),
    "flat, wrapped finds, tasks 1": kx.Dialect(references="flat", finds="wrapped", tasks="1.0.0", paging=False),
    "wrapped, ids at top, tasks 3": kx.Dialect(references="wrapped", finds="bare", tasks="3.0.0", ids="top"),
    "rolled up, one side": kx.Dialect(references="rolled_up", rollups="source"),
    "memberships, other side": kx.Dialect(references="membership", rollups="target", max_page_size=9),
    "no roll-ups": kx.Dialect(rollups="none"),
}


@pytest.fixture(scope="module", params=DIALECTS.values(), ids=DIALECTS)
def box(request: pytest.FixtureRequest) -> Iterator[kx.Sandbox]:
    with kx.sandbox(students=40, dialect=request.param) as made:
        yield made


def subject(box: kx.Sandbox, name: str) -> str:
    """The id that an operation is to be tried on."""
    row = operation(name)
    orgs = box.roster.orgs
    if row.kind == "find" and row.table != "tasks":
        table = box.roster.tables[row.table]
        for column, values in row.where or ():
            table = table[table[column].isin(values)]
        return table["id"].dropna().iloc[0]
    if row.via:
        return orgs.loc[orgs["org_type"] == "school", "id"].dropna().iloc[0]
    return str(box.queue.all()[-1]["id"])


@pytest.mark.parametrize("name", [row.name for row in OPERATIONS])
def test_every_operation_answers_through_the_public_api(box: kx.Sandbox, name: str) -> None:
    row = operation(name)
    id = subject(box, name) if row.needs_id else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", kx.KimonoWarning)  # planted flaws are bad values, too
        if row.kind == "list" and row.table != "tasks":
            df = kx.load(box.client, row.list_name, org_id=id, progress=False)
            assert 0 < len(df) <= len(box.roster.tables[row.table])
            assert set(df["id"].dropna()) <= set(box.roster.tables[row.table]["id"].dropna())
        elif row.kind == "list":
            tasks = kx.load_tasks(box.client, admin=row.path.endswith("admin"))
            assert tasks["id"].tolist()[:5] == [str(task["id"]) for task in box.queue.all()][:5]
        elif row.kind == "find":
            kind = row.path.removesuffix("/{id}").removeprefix("rostering/")
            found = box.client.find(kind, str(id))
            assert str(id) in json_text.encode(found)
            assert "data" not in found or "id" in found
        else:
            before = len(box.queue)
            admin = "admin" in row.path
            if row.kind == "delete":
                kx.delete_task(box.client, str(id))
            elif row.kind == "ack":
                assert kx.ack_tasks(box.client, str(id), admin=admin)["accepted"].tolist() == [True]
            else:
                ids = [str(task["id"]) for task in box.queue.all()[-2:]]
                assert kx.ack_tasks(box.client, ids, admin=admin)["accepted"].tolist() == [True, True]
            assert len(box.queue) == before - (2 if row.kind == "ack_many" else 1)


def test_finds_are_as_listed(small_sandbox: kx.Sandbox) -> None:
    listed = json_text.decode(
        small_sandbox.client.request(operation("listPersons"), params={"page_size": 3}), "persons"
    )
    first = listed["data"][0]
    assert small_sandbox.client.find("persons", first["$sys"]["id"]) == first


def test_the_default_dialect_is_what_vendors_read(small_sandbox: kx.Sandbox) -> None:
    client = small_sandbox.client
    section = json_text.decode(client.request(operation("listSections"), params={"page_size": 1}), "sections")
    assert section["paging"]["next"]
    row = section["data"][0]
    assert row["$course"]["title"]
    assert row["$org"]["name"]
    assert row["$terms"][0]["start_date"]
    assert set(row["$students"][0]) == {"id", "type", "label", "person_type", "$membership"}
    org = client.request(operation("findOrg"), id=small_sandbox.roster.orgs["id"][0])
    person = client.request(operation("findPerson"), id=small_sandbox.roster.persons["id"][0])
    assert list(json_text.decode(org, "org")) == ["data"]
    assert "$sys" in json_text.decode(person, "person")


@pytest.fixture
def bare(small_sandbox: kx.Sandbox) -> Iterator[httpx.Client]:
    """A client of nothing but HTTP."""
    with httpx.Client(base_url=small_sandbox.base_url.removesuffix("/v2/interop/data"), trust_env=False) as client:
        yield client


def test_no_token_no_answer(bare: httpx.Client) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic %%"}, {"Authorization": "x"}):
        answer = bare.get("/v2/interop/data/rostering/orgs", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"] == {
            "status": 401,
            "code": "unauthorized",
            "message": "No token, or an unknown one",
        }


def test_all_three_ways_to_authenticate(small_sandbox: kx.Sandbox) -> None:
    known = small_sandbox.credentials
    for given in (
        {"token": known.token},
        {"client_id": known.client_id, "client_secret": known.client_secret},
        {"username": known.username, "password": known.password},
    ):
        with kx.connect(small_sandbox.base_url, **given) as client:
            assert len(kx.load(client, "leas", progress=False)) == 1
    with (
        kx.connect(small_sandbox.base_url, client_id=known.client_id, client_secret="wrong") as client,
        pytest.raises(kx.AuthenticationError, match="Unknown client"),
    ):
        kx.load(client, "leas", progress=False)


def test_a_token_that_expires_in_the_middle_is_renewed() -> None:
    with kx.sandbox(students=20, token_lifetime=0.2) as box:
        known = box.credentials
        with kx.connect(box.base_url, client_id=known.client_id, client_secret=known.client_secret) as client:
            assert len(kx.load(client, "leas", progress=False)) == 1
            threading.Event().wait(0.25)
            assert len(kx.load(client, "leas", progress=False)) == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "rostering/orgs?page=-1", 400),
        ("GET", "rostering/orgs?page=x", 400),
        ("GET", "rostering/orgs?page_size=0", 400),
        ("GET", "rostering/orgs?page=99999999999", 400),
        ("GET", "rostering/orgs?page=2147483648", 400),
        ("GET", f"rostering/orgs?page={'9' * 5000}", 400),
        ("GET", f"rostering/orgs?page_size={'9' * 5000}", 400),
        ("GET", f"tasks/admin?page={'1' * 5000}", 400),
        ("GET", f"rostering/persons/{'x' * 1025}", 404),
        ("GET", f"rostering/orgs/{'x' * 1025}/students", 404),
        ("PUT", f"tasks/{'x' * 1025}/ack", 404),
        ("GET", "rostering/orgs/nope", 404),
        ("GET", "rostering/orgs/nope/students", 404),
        ("GET", "rostering/pupils", 404),
        ("GET", "tasks/admin?schema=9", 400),
        ("POST", "rostering/orgs", 405),
        ("DELETE", "tasks/admin/nope", 404),
        ("PUT", "tasks/admin/nope/ack", 400),
        ("PUT", "tasks/ack", 400),
    ],
)
def test_what_makes_no_sense_is_refused_in_the_apis_envelope(
    small_sandbox: kx.Sandbox, bare: httpx.Client, method: str, path: str, status: int
) -> None:
    headers = {"Authorization": f"Bearer {small_sandbox.credentials.token}"}
    answer = bare.request(method, f"/v2/interop/data/{path}", headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]["status"] == status
    assert answer.json()["error"]["message"]


def test_nothing_secret_is_shown(small_sandbox: kx.Sandbox) -> None:
    shown = repr(small_sandbox) + repr(small_sandbox.client) + repr(small_sandbox.credentials)
    assert not any(secret in shown for secret in small_sandbox.credentials)


def test_a_closed_sandbox_frees_its_port_and_its_thread() -> None:
    box = kx.sandbox(students=0)
    port = int(box.base_url.split(":")[2].split("/")[0])
    box.close()
    assert not any(thread.name == "kimono-sandbox" and not thread.daemon for thread in threading.enumerate())
    with kx.sandbox(students=0, port=port) as again:
        assert f":{port}/" in again.base_url


def test_the_same_seed_gives_the_same_district() -> None:
    from rosters import assert_equal

    with kx.sandbox(students=50, seed=3) as one, kx.sandbox(students=50, seed=3) as other:
        assert_equal(one.roster, other.roster)
        assert one.queue.all() == other.queue.all()
        assert one.planted.equals(other.planted)


def test_a_bundle_path_and_a_snapshot_are_served(small_roster: kx.Roster, tmp_path: object) -> None:
    small_roster.save(f"{tmp_path}/snap")
    with kx.sandbox(f"{tmp_path}/snap") as box:
        assert len(kx.load(box.client, "persons", progress=False)) == len(small_roster.persons)
    small_roster.to_oneroster(f"{tmp_path}/bundle.zip")
    with kx.sandbox(f"{tmp_path}/bundle.zip") as box:
        assert len(kx.load(box.client, "persons", progress=False)) == len(small_roster.persons)


def test_the_document_names_every_operation(bare: httpx.Client, small_sandbox: kx.Sandbox) -> None:
    document = bare.get("/openapi.json").json()
    assert document == json_text.decode(json_text.encode(kx.openapi(small_sandbox.base_url)).encode(), "openapi")
    named = {
        (method.upper(), path.lstrip("/"), described["operationId"])
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    }
    assert named == {(row.method, row.path, row.name) for row in OPERATIONS}
    assert len(named) == len(OPERATIONS)


class Raw:
    """A connection to the sandbox, byte by byte."""

    def __init__(self, box: kx.Sandbox) -> None:
        self.port = int(box.base_url.split(":")[2].split("/")[0])
        self.token = box.credentials.token
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def send(self, start: str, *headers: str, body: bytes = b"") -> str:
        lines = [f"{start} HTTP/1.1", f"Authorization: Bearer {self.token}", *headers, "", ""]
        self.socket.sendall("\r\n".join(lines).encode() + body)
        return self.answer()

    def answer(self) -> str:
        """Everything until the other side closes, or says nothing more."""
        parts = []
        try:
            while part := self.socket.recv(65536):
                parts.append(part)
                if b'"error"' in part or b'"data"' in part:
                    break
        except ConnectionResetError:
            pass
        return b"".join(parts).decode()

    def seconds_until_closed(self, every: float | None = None) -> float:
        """How long the other side waits, while a byte is sent every so many seconds."""
        began = time.monotonic()
        self.socket.settimeout(every or 10)
        try:
            while True:
                try:
                    if not self.socket.recv(1000):
                        break
                except TimeoutError:
                    assert time.monotonic() < began + 10
                    self.socket.sendall(b"x")
        except (ConnectionResetError, BrokenPipeError):
            pass
        return time.monotonic() - began


@pytest.fixture
def raw(small_sandbox: kx.Sandbox) -> Iterator[Raw]:
    made = Raw(small_sandbox)
    yield made
    made.socket.close()


ACK = "PUT /v2/interop/data/tasks/ack"
LIST = "GET /v2/interop/data/rostering/leas"


def test_a_long_body_is_refused_before_it_is_sent(raw: Raw) -> None:
    answer = raw.send(ACK, f"Host: localhost:{raw.port}", f"Content-Length: {guard.MAX_BODY + 1}")
    assert answer.startswith("HTTP/1.1 413")
    assert "content_too_large" in answer


@pytest.mark.parametrize("length", ["9" * 19, "9" * 5000])
def test_a_length_beyond_all_numbers_is_refused(raw: Raw, length: str) -> None:
    assert raw.send(ACK, f"Host: localhost:{raw.port}", f"Content-Length: {length}")[:10] in ("HTTP/1.1 4", "")


def test_a_long_body_of_unknown_length_is_refused(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "MAX_BODY", 1000)
    head = (f"Host: localhost:{raw.port}", "Transfer-Encoding: chunked")
    assert raw.send(ACK, *head, body=b"3e9\r\n" + b" " * 1001).startswith("HTTP/1.1 413")


@pytest.mark.parametrize(
    "host", ["evil.example:{port}", "127.0.0.1", "localhost:1", "localhost.evil.example:{port}", ""]
)
def test_another_host_is_not_answered(raw: Raw, host: str) -> None:
    answer = raw.send(LIST, f"Host: {host.format(port=raw.port)}")
    assert answer.startswith("HTTP/1.1 421")
    assert "misdirected_request" in answer


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_this_machine_is_answered(raw: Raw, host: str) -> None:
    assert raw.send(LIST, f"Host: {host.format(port=raw.port)}").startswith("HTTP/1.1 200")


HEAD = "{start} HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Bearer {token}\r\n"


@pytest.mark.parametrize("every", [None, 0.1], ids=["silent", "slow"])
@pytest.mark.parametrize(
    "begun",
    ["", "GET /v2", HEAD, HEAD + "Content-Length: 1000\r\n\r\n[", HEAD.replace("{start}", LIST) + "\r\n"],
    ids=["nothing", "a line", "a head", "a body", "a request"],
)
def test_who_does_not_get_a_request_out_is_dropped(
    small_sandbox: kx.Sandbox, monkeypatch: pytest.MonkeyPatch, begun: str, every: float | None
) -> None:
    monkeypatch.setattr(guard, "REQUEST_SECONDS", 0.6)
    raw = Raw(small_sandbox)
    raw.socket.sendall(begun.format(start=ACK, port=raw.port, token=raw.token).encode())
    assert 0.4 < raw.seconds_until_closed(every) < 3
    raw.socket.close()
    assert len(kx.load(small_sandbox.client, "leas", progress=False)) == 1


def test_who_waits_for_an_answer_is_not_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "REQUEST_SECONDS", 0.2)
    with kx.sandbox(students=0, latency=0.6) as box:
        assert len(kx.load(box.client, "leas", progress=False, heal=False)) == 1


def test_a_long_head_is_refused(raw: Raw) -> None:
    assert raw.send(LIST, f"X: {'x' * 200_000}").startswith("HTTP/1.1 4")


def test_issued_tokens_are_bounded_and_expire() -> None:
    now = [0.0]
    tokens = guard.Tokens(10.0, clock=lambda: now[0])
    first = tokens.issue()
    assert tokens.expiry(first) == 10.0
    assert tokens.expiry("another") is None
    now[0] = 11.0
    assert tokens.expiry(first) == -1.0
    for _ in range(guard.MAX_TOKENS + 5):
        last = tokens.issue()
    assert (len(tokens), tokens.expiry(first), tokens.expiry(last)) == (guard.MAX_TOKENS, None, 10.0)
    assert first not in repr(vars(tokens))


@pytest.mark.parametrize("header", ["Bearer \xff", "Basic /w==", "Bearer " + "x" * 9000, "bearer", ""])
def test_odd_credentials_are_refused(small_sandbox: kx.Sandbox, bare: httpx.Client, header: str) -> None:
    path = "/v2/interop/data/rostering/orgs"
    assert bare.get(path, headers={"Authorization": header.encode("latin-1")}).status_code == 401
    fields = "&".join(f"a{n}=1" for n in range(200))
    assert bare.post("/oauth/token", content=fields).status_code == 400
    known = small_sandbox.credentials
    form = {"grant_type": "client_credentials", "client_id": known.client_id, "client_secret": "\udcff\u00e9"}
    assert bare.post("/oauth/token", data={**form, "client_secret": "é"}).status_code == 401


def test_secrets_are_compared_by_hashes_alone(small_sandbox: kx.Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(guard.secrets, "compare_digest", compare)
    known = small_sandbox.credentials
    service = Service(small_sandbox.roster, small_sandbox.queue, kx.Dialect(), known, 3600)
    form = {"grant_type": ["client_credentials"], "client_id": ["x"], "client_secret": [known.client_secret]}
    with pytest.raises(Exception, match="Unknown client"):
        service.issue_token(form)
    token = service.issue_token({**form, "client_id": [known.client_id]})["access_token"]
    service.authorize(f"Bearer {token}")
    assert len(compared) >= 6
    assert {len(part) for pair in compared for part in pair} == {32}


def test_every_fault_is_listed_and_strikes_what_it_says() -> None:
    names = kx.Faults.names()
    assert names["name"].is_unique
    assert len(names) >= 50
    assert set(names["where"]) == {"any", "reads", "lists", "writes"}
    with pytest.raises(kx.ConfigurationError, match=r"Unknown fault 'flood'. Choose one of: refused, reset"):
        kx.Faults({"flood": 0.1})
    with pytest.raises(kx.ConfigurationError, match="a share from 0 to 1"):
        kx.Faults({"reset": 5})


def test_the_same_seed_strikes_the_same_requests(small_roster: kx.Roster) -> None:
    logs = []
    with kx.sandbox(small_roster, faults={}, dialect=kx.Dialect(max_page_size=20)) as box:
        for seed in (1, 1, 2):
            box.faults = kx.Faults({"null_row": 0.3}, seed)
            kx.load_roster(box.client, progress=False)
            logs.append(sorted(box.faults.log))
            assert box.faults.injected["null_row"] == len(logs[-1]) > 0
    assert logs[0] == logs[1] != logs[2]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("refused", httpx.ReadError),
        ("reset", httpx.ReadError),
        ("reset_in_head", httpx.ReadError),
        ("reset_in_body", httpx.ReadError),
        ("close_in_body", httpx.RemoteProtocolError),
        ("chunk_cut", httpx.RemoteProtocolError),
        ("gzip_garbage", httpx.DecodingError),
        ("wrong_encoding", httpx.DecodingError),
        ("slow", httpx.ReadTimeout),
        ("trickle", None),
        ("slow_head", None),
    ],
)
def test_faults_are_real_on_the_wire(small_sandbox: kx.Sandbox, fault: str, error: type[Exception] | None) -> None:
    """Another client than ours sees them."""
    faults = kx.Faults({fault: 1.0}, times=1, pause=0.3 if error is None else 1.0)
    with kx.sandbox(small_sandbox.roster, faults=faults) as box:
        headers = {"Authorization": f"Bearer {box.credentials.token}"}
        with httpx.Client(headers=headers, timeout=0.5, trust_env=False) as client:
            url = f"{box.base_url}/rostering/terms?page_size=1"
            if error is None:
                assert client.get(url).json()["data"]
            else:
                with pytest.raises(error):
                    client.get(url)
            assert box.faults.injected == {fault: 1}
            if fault == "refused":
                with pytest.raises(httpx.ConnectError):
                    client.get(url)
                threading.Event().wait(0.3)
            assert client.get(url).json()["data"]


def test_a_fault_after_the_effect_has_it_and_one_before_has_not() -> None:
    for fault, gone in (("reset", False), ("reset_after", True), ("500", False), ("500_after", True)):
        with kx.sandbox(students=20, faults=kx.Faults({fault: 1.0})) as box:
            id = str(box.queue.all()[0]["id"])
            with (
                pytest.raises(kx.AckUnknownError),
                kx.connect(box.base_url, token=box.credentials.token, retries=0) as client,
            ):
                kx.delete_task(client, id)
            assert (box.queue.find(id) is None) == gone


def test_a_sandbox_without_faults_has_no_switchboard(small_sandbox: kx.Sandbox) -> None:
    with pytest.raises(kx.ConfigurationError, match="made without faults"):
        _ = small_sandbox.faults
