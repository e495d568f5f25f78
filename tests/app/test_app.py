"""The page of `kimono-explore app` without a browser: who may come in, and what passes on a web socket."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
import warnings
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from ipywidgets.widgets.widget import _instances
from lab import free_port
from starlette.websockets import WebSocketDisconnect
from websockets.sync.client import connect

import kimono_explore as kx
from kimono_explore.__main__ import main
from kimono_explore.app import district as districts
from kimono_explore.app import make_app, open_district
from kimono_explore.app.district import District, Ready
from kimono_explore.app.server import _OPTIONS
from kimono_explore.frames import frame
from kimono_explore.roster import lazy
from kimono_explore.roster.lazy import LazyRoster
from kimono_explore.sandbox import guard
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import inject_flaws
from kimono_explore.widgets.browser import Browser
from kimono_explore.widgets.finder import Finder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.testclient import TestClient, WebTestSession

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have another httpx
    from starlette.testclient import TestClient

TOKEN, PORT = "a-token-of-this-run", 8866
HOME = f"http://127.0.0.1:{PORT}"
ORIGIN = {"Origin": HOME}
SOCKET = f"ws://127.0.0.1:{PORT}/socket/"
PATHS = ["/", "/quality", "/static/page.js", "/static/panel.css", "/nothing"]


@pytest.fixture(scope="module")
def district(small_roster: kx.Roster) -> District:
    return District(small_roster, kx.check(small_roster))


@pytest.fixture
def stranger(district: District) -> TestClient:
    return TestClient(make_app(district, TOKEN, PORT), base_url=HOME, follow_redirects=False)


@pytest.fixture
def guest(stranger: TestClient) -> TestClient:
    assert stranger.get(f"/?token={TOKEN}").status_code == 303
    return stranger


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """The test's client waits for a message for ever: here it fails."""

    def late(*_: object) -> None:
        raise AssertionError(f"no message for {seconds} s, or none of those that were waited for")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class Visitor:
    """What a page knows: the widget's state, and where it is."""

    def __init__(self, socket: WebTestSession, place: object = None) -> None:
        self.socket = socket
        self.state: dict[str, Any] = {}
        self.place: dict[str, Any] = {}
        self.messages: list[dict[str, Any]] = []
        self.say(place=place)
        self.wait(lambda: self.state)

    def say(self, **message: object) -> None:
        self.socket.send_text(json.dumps(message))

    def wait(self, until: Callable[[], object]) -> None:
        with at_most(60):
            while not until():
                said = self.socket.receive_json()
                self.state.update(said.get("state", {}))
                self.state.update(said.get("update", {}))
                self.place = said.get("place", self.place)
                self.messages += [said["message"]] if "message" in said else []

    def find(self, **facts: object) -> str:
        return next(
            name
            for name, state in self.state.items()
            if isinstance(state, dict) and all(state.get(key) == value for key, value in facts.items())
        )

    def search(self, text: str) -> None:
        self.say(kind="set", control=self.find(look="search"), value=text, said="me:1")

    @property
    def values(self) -> list[str]:
        shown = (state for state in self.state.values() if isinstance(state, dict))
        return [state["value"] for state in shown if state.get("kind") == "html"]

    @property
    def texts(self) -> str:
        return " ".join(self.values)


@contextmanager
def visit(guest: TestClient, path: str = "", place: object = None) -> Iterator[Visitor]:
    with guest.websocket_connect(SOCKET + path, headers=ORIGIN) as socket:
        yield Visitor(socket, place)


# Who may come in


@pytest.mark.parametrize("path", PATHS)
def test_nobody_comes_in_without_the_token(stranger: TestClient, path: str) -> None:
    for address in (path, f"{path}?token=", f"{path}?token={TOKEN}x", f"{path}?token={TOKEN[:-1]}"):
        assert stranger.get(address).status_code == 403
    stranger.cookies.set(f"kimono-explore-{PORT}", f"{TOKEN}x")
    assert stranger.get(path).status_code == 403
    assert stranger.post(f"{path}?token={TOKEN}").status_code == 403


def test_the_token_is_in_the_address_once_and_then_a_cookie(stranger: TestClient) -> None:
    answer = stranger.get(f"/quality?q=a%26b&token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/quality?q=a%26b")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Domain" not in cookie
    page = stranger.get("/quality")
    assert page.status_code == 200
    assert TOKEN not in page.text
    assert stranger.get(f"{HOME}//evil.example/?token={TOKEN}").headers["location"] == "/evil.example/"


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_forbids_what_is_from_elsewhere(guest: TestClient, path: str) -> None:
    for answer in (guest.get(path), TestClient(guest.app, base_url=HOME).get(path)):
        rules = answer.headers["content-security-policy"]
        assert rules.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "frame-ancestors 'none'" in rules
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "<script>" not in answer.text
        assert " style=" not in answer.text
        assert "http" not in answer.text or path.startswith("/static")


@pytest.mark.parametrize("host", ["evil.example:8866", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.evil.example:8866", ""])
def test_another_name_of_this_machine_is_refused(guest: TestClient, host: str) -> None:
    assert guest.get("/", headers={"Host": host}).status_code == 421
    with pytest.raises(WebSocketDisconnect), guest.websocket_connect(SOCKET, headers={**ORIGIN, "Host": host}):
        pass


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://127.0.0.1:8867", "http://localhost:8866"]
)
def test_a_socket_is_opened_by_our_own_page_only(guest: TestClient, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    with pytest.raises(WebSocketDisconnect), guest.websocket_connect(SOCKET, headers=headers):
        pass


def test_cookies_of_other_ports_do_no_harm(guest: TestClient) -> None:
    cookie = next(f"{kept.name}={kept.value}" for kept in guest.cookies.jar)
    others = 'kimono-explore-8867=x; a={"b": [1, "c,d"]}; ü=é; ; =; x'
    for sent in (f"{others}; {cookie}", f"{cookie}; {others}"):
        answer = TestClient(guest.app, base_url=HOME).get("/", headers={"Cookie": sent.encode("latin-1")})
        assert answer.status_code == 200


def test_a_socket_needs_the_cookie(stranger: TestClient) -> None:
    for path in (SOCKET, f"{SOCKET}?token={TOKEN}"):
        with pytest.raises(WebSocketDisconnect), stranger.websocket_connect(path, headers=ORIGIN):
            pass


def test_only_what_the_page_needs_is_served(guest: TestClient) -> None:
    for name in ("page.js", "page.css", "panel.js", "panel.css"):
        assert guest.get(f"/static/{name}").status_code == 200
    for name in ("table.js", "..%2fparts.py", "..%2f..%2f__main__.py", "%2fetc%2fpasswd"):
        assert guest.get(f"/static/{name}").status_code == 404


# What passes on a socket


def test_the_first_word_is_all_of_the_widget(guest: TestClient, district: District) -> None:
    with visit(guest) as visitor:
        kinds = {state["kind"] for state in visitor.state.values() if isinstance(state, dict) and "kind" in state}
        assert {"column", "row", "text", "table", "graph"} <= kinds
        assert visitor.state["root"] in visitor.state
        table = visitor.find(kind="table", hidden=False)
        assert visitor.state[f"{table}.view"]["total"] == len(district.roster.persons)
        assert not [name for name in visitor.state if name.startswith("_") or name == "layout"]


def test_a_search_is_answered_and_is_in_the_place(guest: TestClient, small_roster: kx.Roster) -> None:
    with visit(guest) as visitor:
        visitor.search("mathematics")  # which waits a moment for more to be typed
        visitor.wait(lambda: visitor.place.get("search") == "mathematics")
        found = small_roster.search("mathematics").attrs["found"]
        visitor.wait(lambda: f"{found:,} found" in visitor.texts)


def test_a_table_is_asked_for_rows_and_picked_from(guest: TestClient) -> None:
    with visit(guest) as visitor:
        table = visitor.find(kind="table", hidden=False)
        visitor.say(kind="message", control=table, content={"kind": "page", "start": 3, "request": 9})
        visitor.wait(lambda: visitor.messages)
        assert visitor.messages[0]["content"]["request"] == 9
        filled = visitor.state[f"{table}.view"]["filled"]
        visitor.say(kind="message", control=table, content={"kind": "pick", "filled": filled, "rows": [2]})
        visitor.wait(lambda: visitor.place.get("open"))
        assert visitor.place["places"][0][0] == "person"


def test_a_place_is_kept_over_a_new_connection(guest: TestClient, small_roster: kx.Roster) -> None:
    browser = kx.browse(small_roster)
    browser.search("mathematics", type="section")
    browser.pick(0)
    with visit(guest, place=browser.state) as visitor:
        visitor.wait(lambda: visitor.place)
        assert visitor.place == browser.state


def test_an_address_names_an_object_and_a_search(guest: TestClient, small_roster: kx.Roster) -> None:
    id = small_roster.sections["id"].iloc[0]
    with visit(guest, place={"id": id, "q": "math"}) as visitor:
        visitor.wait(lambda: visitor.place)
        assert (visitor.place["search"], visitor.place["places"], visitor.place["open"]) == (
            "math",
            [["section", id]],
            True,
        )


@pytest.mark.parametrize("place", [{"id": "<b>nobody</b>", "q": "math"}, {"places": [["x"]], "at": "y"}, {"places": 7}])
def test_a_place_that_is_none_is_said_to_be_none(guest: TestClient, place: object) -> None:
    with visit(guest, place=place) as visitor:
        assert 'role="alert"' in visitor.texts
        assert "<b>nobody" not in visitor.texts


def test_what_is_no_message_is_let_be(guest: TestClient) -> None:
    with visit(guest, place=["x", {"y": 1}]) as visitor:
        for text in (
            "",
            "{",
            "[1]",
            "null",
            '"x"',
            "[" * 100_000,
            '{"kind": ["set"]}',
            '{"kind": "click", "control": "c0"}',
        ):
            visitor.socket.send_text(text)
        visitor.socket.send_bytes(b"\xff\x00")
        visitor.search("smith")
        visitor.wait(lambda: visitor.place.get("search") == "smith")
        assert 'role="alert"' not in visitor.texts


@pytest.fixture
def port(district: District, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Of a server that waits for a request only briefly."""
    monkeypatch.setattr(guard, "REQUEST_SECONDS", 0.3)
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(make_app(district, TOKEN, port), port=port, **_OPTIONS))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield port
    server.should_exit = True
    thread.join(20)


def test_a_socket_stays_open_longer_than_a_request_may_take(port: int) -> None:
    home = f"http://127.0.0.1:{port}"
    cookie = httpx.get(f"{home}/?token={TOKEN}").headers["set-cookie"].split(";")[0]
    with connect(f"ws://127.0.0.1:{port}/socket/", origin=home, additional_headers={"Cookie": cookie}) as page:
        time.sleep(1)
        page.send(json.dumps({"place": None}))
        assert "state" in json.loads(page.recv(timeout=20))


def test_who_does_not_finish_a_request_is_dropped(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")
        with suppress(ConnectionResetError):
            assert slow.recv(1) == b""


def test_each_visitor_has_a_widget_of_their_own(guest: TestClient) -> None:
    with visit(guest) as one, visit(guest) as other:
        one.search("mathematics")
        one.wait(lambda: one.place.get("search"))
        other.search("smith")
        other.wait(lambda: other.place.get("search"))
        assert (one.place["search"], other.place["search"]) == ("mathematics", "smith")


def test_a_long_search_keeps_no_other_visitor_waiting(guest: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Finder._search

    def search(finder: Finder) -> None:
        if finder.text.value == "slow":
            time.sleep(3)
        real(finder)

    monkeypatch.setattr(Finder, "_search", search)
    with visit(guest) as slow, visit(guest) as quick:
        began = time.monotonic()
        slow.search("slow")
        quick.search("smith")
        quick.wait(lambda: quick.place.get("search") == "smith" and "found" in quick.texts)
        assert guest.get("/").status_code == 200
        assert time.monotonic() - began < 2
        slow.wait(lambda: "matches “slow”" in slow.texts)
        assert time.monotonic() - began > 3


def test_nothing_of_a_visit_is_left(guest: TestClient, small_roster: kx.Roster) -> None:
    id = small_roster.sections["id"].iloc[0]
    with visit(guest, place={"id": id}):
        pass
    time.sleep(2.5)  # the next visitor's widget is there by then
    before = len(_instances)
    for path in ("", "quality", ""):
        with visit(guest, path):
            pass
    time.sleep(2.5)
    assert len(_instances) == before


def test_what_cannot_be_made_ends_the_visit(guest: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(districts.QualityInspector, "_lay_out", lambda _: 1 / 0)
    with pytest.raises(WebSocketDisconnect), visit(guest, "quality"):
        pass


def test_somebody_who_comes_at_the_same_time_gets_one_of_their_own() -> None:
    made = iter(range(9))
    ready = Ready(lambda: next(made), after=0.01)  # type: ignore[arg-type,return-value]
    assert [ready.take(), ready.take()] == [0, 1]
    time.sleep(0.3)
    assert len(ready._made) == 1


# What is shown


def test_the_page_is_called_as_the_district(guest: TestClient, small_roster: kx.Roster) -> None:
    name = small_roster.orgs.loc[small_roster.orgs["org_type"] == "lea", "name"].iloc[0]
    assert f"<title>{name} · Browse</title>" in guest.get("/").text
    assert f"<title>{name} · Quality</title>" in guest.get("/quality").text
    assert guest.get("/tasks").status_code == 404


def test_a_hostile_name_is_text() -> None:
    name = "<script>alert(1)</script>\u202e"
    roster = kx.Roster(orgs=frame("orgs", {"id": ["1"], "org_type": ["lea"], "name": [name]}))
    guest = TestClient(make_app(District(roster, kx.check(roster)), TOKEN, PORT), base_url=HOME)
    page = guest.get(f"/?token={TOKEN}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202e" in page


@pytest.mark.parametrize(
    ("kinds", "name"),
    [
        (["lea", "lea"], "2 districts"),
        (["District", "school"], "n0"),
        (["school"], "n0"),
        ([], "0 orgs"),
        ([None], "n0"),
    ],
)
def test_what_a_page_of_no_or_several_districts_is_called(kinds: list[str | None], name: str) -> None:
    names = [f"n{number}" for number in range(len(kinds))]
    roster = kx.Roster(orgs=frame("orgs", {"id": names, "org_type": kinds, "name": names}))
    assert District(roster, kx.check(roster)).name == name


def test_a_history_is_browsed_by_day(small_roster: kx.Roster, tmp_path: Path) -> None:
    days = kx.history(tmp_path / "days")
    roster = small_roster
    days.add(roster, "2026-10-05")
    days.add(kx.Roster(**{**roster.tables, "persons": roster.persons.iloc[1:]}, links=roster.links), "2026-10-06")
    district = open_district(tmp_path / "days")
    assert len(district.roster.persons) == len(roster.persons) - 1
    browser = district.panels()[""][1]()
    assert isinstance(browser, Browser)
    browser.day = "2026-10-05"
    assert len(browser.table) == len(roster.persons)


def test_a_large_snapshot_stays_on_disk(
    small_roster: kx.Roster, district: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_roster.save(tmp_path / "monday")
    assert isinstance(open_district(tmp_path / "monday").roster, kx.Roster)
    (tmp_path / "quality.toml").write_text('[checks]\noff = ["no_lea"]\n')
    small = open_district(tmp_path / "monday")
    monkeypatch.setattr(lazy, "MOST_IN_MEMORY", 10)
    large = open_district(tmp_path / "monday")
    for opened in (small, large):
        assert isinstance(opened.report, Future)
        assert "no_lea" not in opened.report.result().summary["id"].tolist()
    assert isinstance(large.roster, LazyRoster)
    assert large.name == district.name
    guest = TestClient(make_app(large, TOKEN, PORT), base_url=HOME)
    guest.get(f"/?token={TOKEN}")
    id = small_roster.sections["id"].iloc[0]
    with visit(guest, place={"id": id}) as visitor:
        visitor.wait(lambda: visitor.place)
        assert visitor.place["places"] == [["section", id]]


# While the roster is checked


NOTICE = "The roster is being checked. Findings will appear here when that is done."


@contextmanager
def being_checked(roster: kx.Roster) -> Iterator[tuple[TestClient, Future[kx.Report]]]:
    report: Future[kx.Report] = Future()
    guest = TestClient(make_app(District(roster, report), TOKEN, PORT), base_url=HOME)
    assert guest.get(f"/?token={TOKEN}").status_code == 200
    try:
        yield guest, report
    finally:
        if not report.done():
            report.set_result(kx.check(roster))


def hears_of_findings(visitor: Visitor) -> bool:
    return '"name": "findings"' in json.dumps(visitor.state)


def test_who_comes_before_the_check_is_done_sees_the_roster_and_then_the_findings() -> None:
    roster = inject_flaws(make_district(60), 7)[0]
    checked = kx.check(roster)
    id = checked.findings.loc[checked.findings["table"] == "persons", "id"].dropna().iloc[0]
    with being_checked(roster) as (guest, report), visit(guest, place={"id": id}) as visitor:
        assert NOTICE in visitor.texts
        assert not hears_of_findings(visitor)
        visitor.search("a")
        visitor.wait(lambda: " found" in visitor.texts)
        title = checked.title(checked.findings.loc[checked.findings["id"] == id, "check"].iloc[0])
        assert title not in visitor.texts
        notice = visitor.find(kind="html", value=next(text for text in visitor.values if NOTICE in text))
        report.set_result(checked)
        visitor.wait(lambda: title in visitor.texts and NOTICE not in visitor.texts)
        assert f"The roster has been checked: {len(checked.findings)} findings." in visitor.state[notice]["value"]
        assert visitor.state[visitor.find(look="search")]["value"] == "a"
        with visit(guest) as late:
            assert NOTICE not in late.texts
            assert hears_of_findings(late)


def test_the_page_of_quality_opens_when_the_check_is_done(small_roster: kx.Roster) -> None:
    with being_checked(small_roster) as (guest, report):
        assert NOTICE in guest.get("/quality").text
        assert NOTICE not in guest.get("/").text
        threading.Timer(0.3, report.set_result, [kx.check(small_roster)]).start()
        with visit(guest, "quality") as visitor:
            assert "125 checks" in visitor.texts
        assert NOTICE not in guest.get("/quality").text


def test_a_check_that_fails_is_said_and_the_roster_is_browsed(small_roster: kx.Roster) -> None:
    with being_checked(small_roster) as (guest, report), visit(guest) as visitor:
        report.set_exception(kx.BundleError("The disk <is> full."))
        visitor.wait(lambda: "The roster could not be checked: The disk &lt;is&gt; full." in visitor.texts)
        visitor.search("a")
        visitor.wait(lambda: " found" in visitor.texts)
        with visit(guest, "quality") as other:
            assert "The disk &lt;is&gt; full." in other.texts


def test_an_address_is_printed_while_the_roster_is_checked(
    small_roster: kx.Roster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    monkeypatch.setattr(districts, "check", lambda *_, **__: begun.wait(60))
    small_roster.save(tmp_path / "monday")
    district = open_district(tmp_path / "monday")
    assert not district.is_checked
    begun.set()
    assert isinstance(district.report, Future)
    assert district.report.result(60)
    (tmp_path / "quality.toml").write_text("[chekcs]\n")
    with pytest.raises(kx.ConfigurationError, match="chekcs"):
        open_district(tmp_path / "monday")


def test_a_sandbox_has_tasks_to_look_at_and_none_to_change() -> None:
    with kx.sandbox(students=20) as box:
        roster = kx.load_roster(box.client, progress=False)
        guest = TestClient(make_app(District(roster, kx.check(roster), box.client), TOKEN, PORT), base_url=HOME)
        assert '<a href="/tasks">Tasks</a>' in guest.get(f"/?token={TOKEN}").text
        with visit(guest, "tasks") as visitor:
            assert f"{len(box.queue.all())} tasks in the queue" in visitor.texts
            names = [state.get("description") for state in visitor.state.values() if isinstance(state, dict)]
            assert not [name for name in names if name and ("Delete" in name or "Acknowledge" in name)]


def test_a_port_that_is_taken_is_said_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["app", str(tmp_path / "nothing"), "--port", str(taken.getsockname()[1])]) == 2
    assert "cannot be used" in capsys.readouterr().err
    assert main(["app", str(tmp_path / "nothing"), "--port", "0"]) == 2
    assert "token" not in capsys.readouterr().out
