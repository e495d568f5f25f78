"""Which requests a fault strikes: by chance that does not depend on their order, so many times, on the lists it stays with."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from kimono_explore.errors import ConfigurationError
from kimono_explore.sandbox.faults import TABLE, Faults
from kimono_explore.sandbox.proxy import Answer, Reply, Request

LIST = "/v1/persons?page=0&page_size=2"


class Server:
    """Answers with a page whose rows name it, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ask(self, request: Request) -> Answer:
        self.asked.append(request.target)
        page = parse_qs(urlsplit(request.target).query).get("page", ["0"])[0]
        content = {"data": [{"id": f"{page}a"}, {"id": f"{page}b"}], "paging": {"next": None}}
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(content).encode())


def reply(
    faults: Faults, target: str = LIST, kind: str = "list", method: str = "GET", server: Server | None = None
) -> Reply:
    return faults.reply(Request(method, target, {}, b""), (server or Server()).ask, kind)


def status(answer: Reply) -> int:
    return int(answer.parts[0].split()[1])


def ids(answer: Reply) -> list[str]:
    return [row["id"] for row in json.loads(answer.parts[0].partition(b"\r\n\r\n")[2])["data"]]


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ({"503": -0.1}, "The rate of '503' is -0.1; it must be a share from 0 to 1."),
        ({"503": 1.1}, "The rate of '503' is 1.1; it must be a share from 0 to 1."),
        ({"503": float("nan")}, "The rate of '503' is nan; it must be a share from 0 to 1."),
        ({"502": 0.1, "nonsense": 0.1}, "Unknown fault 'nonsense'. Choose one of: refused, reset,"),
    ],
)
def test_a_rate_or_name_that_makes_no_sense(rates: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        Faults(rates)
    assert str(error.value).startswith(said)


def test_every_fault_has_a_name_of_its_own() -> None:
    names = Faults.names()["name"].tolist()
    assert names == [fault.name for fault in TABLE]
    assert len(set(names)) == len(names)


def test_some_requests_are_never_struck() -> None:
    faults = Faults({"503": 1.0})
    assert status(reply(faults, kind="")) == 200
    assert (faults.injected.total(), faults.log) == (0, [])


@pytest.mark.parametrize(
    ("name", "struck"),
    [
        ("503", {"list", "read", "write"}),
        ("503_after", {"write"}),
        ("no_content", {"list", "read"}),
        ("data_null", {"list"}),
    ],
)
def test_a_fault_strikes_where_it_belongs(name: str, struck: set[str]) -> None:
    found = set()
    for kind in ("list", "read", "write"):
        faults = Faults({name: 1.0})
        reply(faults, kind=kind)
        found |= {kind} if faults.injected[name] else set()
    assert found == struck


def test_chance_depends_on_the_request_and_not_on_the_order() -> None:
    targets = [f"/v1/persons?page={page}" for page in range(40)]
    first, second, other = Faults({"503": 0.5}), Faults({"503": 0.5}), Faults({"503": 0.5}, seed=1)
    one = {target: status(reply(first, target)) for target in targets}
    two = {target: status(reply(second, target)) for target in reversed(targets)}
    assert one == two
    assert set(one.values()) == {200, 503}
    assert one != {target: status(reply(other, target)) for target in targets}
    again = {target: status(reply(first, target)) for target in targets}  # the second try has a chance of its own
    assert again != one


def test_each_fault_strikes_so_many_times() -> None:
    faults = Faults({"503": 1.0, "502": 1.0}, times=2)
    assert [status(reply(faults, f"/v1/orgs?page={n}")) for n in range(5)] == [503, 503, 502, 502, 200]
    assert faults.injected == {"503": 2, "502": 2}
    assert faults.log[2] == ("502", "GET", "/v1/orgs?page=2")
    assert repr(faults) == "<Faults 503 1, 502 1: 4 injected>"


def test_a_fault_that_does_not_fit_is_not_counted() -> None:
    faults = Faults({"page_again": 1.0}, times=1)
    assert ids(reply(faults, "/v1/orgs?page=0")) == ["0a", "0b"]  # there is no page before the first
    assert faults.injected.total() == 0
    assert ids(reply(faults, "/v1/orgs?page=3")) == ["2a", "2b"]
    assert ids(reply(faults, "/v1/orgs?page=4")) == ["4a", "4b"]


def test_a_lasting_fault_stays_with_its_list_alone() -> None:
    faults = Faults({"page_for_ever": 1.0}, times=1)
    assert ids(reply(faults, "/v1/orgs?page=2")) == ["0a", "0b"]
    assert ids(reply(faults, "/v1/orgs?page=3")) == ["0a", "0b"]
    assert ids(reply(faults, "/v1/terms?page=2")) == ["2a", "2b"]
    assert faults.injected["page_for_ever"] == 2


@pytest.mark.parametrize(("name", "asked"), [("503", 0), ("503_after", 1), ("reset", 0), ("reset_after", 1)])
def test_whether_a_request_has_had_its_effect(name: str, asked: int) -> None:
    server = Server()
    reply(Faults({name: 1.0}), "/v1/tasks/7", "write", "PUT", server)
    assert len(server.asked) == asked


def test_the_sandbox_is_asked_once_though_no_fault_fits() -> None:
    server = Server()
    assert ids(reply(Faults({"page_again": 1.0, "row_deleted": 0.0}), server=server)) == ["0a", "0b"]
    assert server.asked == [LIST]
