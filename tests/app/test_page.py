"""The page of `kimono-explore app` in Debian's Chromium, as a person uses it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import axe_playwright_python
import pytest
import uvicorn
from lab import CHROMIUM, free_port, nothing_wrong, start_chromium
from playwright.sync_api import Page, expect

import kimono_explore as kx
from kimono_explore.app import District, make_app
from kimono_explore.app.server import _OPTIONS
from kimono_explore.frames import frame
from kimono_explore.sandbox.flaws.catalogue import inject_flaws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None, reason="there is no /usr/bin/chromium on this machine: apt-get install chromium"
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
TOKEN = "a-token-of-this-run"
HOSTILE = ["<img src=x onerror=alert(1)>", "O'Neil", "Þórr", "محمد", "👩‍🎓"]
ROW = ".kx-body [role=row]:not([aria-busy])"


class Server:
    """The page of a district, on a port of its own, which can be stopped and started again."""

    def __init__(self, district: District) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}/?token={TOKEN}"
        self._app = make_app(district, TOKEN, self.port)
        self.start()

    def start(self) -> None:
        self._server = uvicorn.Server(uvicorn.Config(self._app, port=self.port, **_OPTIONS))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)


@pytest.fixture(scope="module")
def roster(small_roster: kx.Roster) -> kx.Roster:
    return inject_flaws(small_roster)[0]


@pytest.fixture(scope="module")
def server(roster: kx.Roster) -> Iterator[Server]:
    server = Server(District(roster, kx.check(roster, as_of="2026-10-05")))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with start_chromium() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page; after the test: no error in the console, no dialog, no request that left the machine."""
    context = chromium.new_context(viewport={"width": 1300, "height": 900})
    page = context.new_page()
    with nothing_wrong(page, "warning", but="ERR_CONNECTION_REFUSED"):  # a server that a test stops
        yield page
        context.close()


def heading(page: Page) -> str:
    return page.locator(".kx-panel .kx h3").first.inner_text()


def test_rows_are_there_within_two_seconds(server: Server, page: Page, roster: kx.Roster) -> None:
    page.goto(server.address)
    page.wait_for_selector(ROW)
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert painted < 2000
    assert page.evaluate("performance.now()") < 4000  # two on a machine that does nothing else
    assert "token" not in page.url
    name = roster.orgs.loc[roster.orgs["org_type"] == "lea", "name"].iloc[0]
    expect(page).to_have_title(f"{name} · Browse")
    expect(page.locator("h1")).to_have_text(name)


def test_a_slash_goes_to_the_search_before_anything_has_the_keyboard(server: Server, page: Page) -> None:
    page.goto(server.address)
    page.wait_for_selector(ROW)
    search = page.get_by_role("textbox", name="Search").first
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.type("a/b")  # in the search itself, it is a letter
    expect(search).to_have_value("a/b")


def test_a_reload_and_a_link_keep_the_place_and_the_search(server: Server, page: Page) -> None:
    page.goto(server.address)
    page.get_by_role("textbox", name="Search").fill("mathematics")
    first = page.locator(ROW).first
    expect(first).to_contain_text("Mathematics")
    first.click()
    expect(page.locator(".kx-panel .kx h3").first).to_contain_text("Mathematics")
    page.locator(".kx-table").nth(1).locator(ROW).first.click()
    expect(page).to_have_url(re.compile(r"/\?id=.+&type=.+&q=mathematics$"))
    expect(page.locator(".kx-crumb:visible")).to_have_count(2)
    before = heading(page)

    page.reload()
    expect(page.locator(".kx-panel .kx h3").first).to_have_text(before)
    expect(page.get_by_role("textbox", name="Search")).to_have_value("mathematics")
    expect(page.locator(".kx-crumb:visible")).to_have_count(2)

    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator(".kx-panel .kx h3").first).to_have_text(before)
    expect(other.get_by_role("textbox", name="Search")).to_have_value("mathematics")
    other.close()

    page.get_by_role("link", name="Quality").click()
    expect(page.get_by_role("grid", name="Causes")).to_be_visible()
    page.get_by_role("link", name="Browse").click()
    expect(page.locator(".kx-panel .kx h3").first).to_have_text(before)
    page.get_by_role("button", name="Close").click()
    expect(page).to_have_url(re.compile(r"/\?q=mathematics$"))
    page.get_by_role("textbox", name="Search").fill("")
    expect(page).to_have_url(re.compile(r"/$"))


def test_the_report_is_saved_by_keyboard_and_escape_leaves_things_as_they_are(
    server: Server, page: Page, tmp_path: Path
) -> None:
    page.goto(server.address.replace("/?", "/quality?"))
    opens = page.get_by_role("button", name="Save report …")
    opens.press("Enter")
    form = page.get_by_role("dialog", name="Save the report")
    name = form.get_by_role("textbox", name="save as")
    expect(name).to_be_focused()
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()
    expect(opens).to_be_focused()
    opens.press("Enter")
    name.fill("report.pdf")
    expect(form.get_by_role("button", name="Save the report")).to_have_attribute("aria-disabled", "true")
    name.fill(str(tmp_path / "report.html"))
    expect(form).to_contain_text(f"A page to read and to print, in {tmp_path}.")
    name.press("Enter")
    expect(page.locator(".kx[role=status]")).to_have_text(f"The report was saved as {tmp_path / 'report.html'}.")
    assert page.locator(".kx-lead").inner_text() in (tmp_path / "report.html").read_text(encoding="utf-8")
    page.get_by_role("button", name="Schools").click()
    school = page.get_by_role("grid", name="Schools").locator(ROW).first
    named = school.locator("[role=gridcell]").first.inner_text()
    school.click()
    expect(page.get_by_role("combobox", name="school").locator("option:checked")).to_contain_text(named)
    expect(page.get_by_role("grid", name="Causes")).to_be_visible()


def test_a_reload_keeps_the_cause_and_its_row(server: Server, page: Page) -> None:
    page.goto(server.address.replace("/?", "/quality?"))
    page.get_by_role("grid", name="Causes").locator(ROW).nth(3).click()
    expect(page).to_have_url(re.compile(r"/quality\?cause=3$"))
    before = heading(page)
    page.get_by_role("grid", name="Failing rows").locator(ROW).first.click()
    expect(page).to_have_url(re.compile(r"/quality\?cause=3&row=0$"))
    opened = page.locator(".kx-panel .kx h3").nth(1).inner_text()
    page.reload()
    expect(page.locator(".kx-panel .kx h3").first).to_have_text(before)
    expect(page.locator(".kx-panel .kx h3").nth(1)).to_have_text(opened)
    expect(page.get_by_role("grid", name="Causes").locator("[aria-selected=true]")).to_have_count(1)


def test_dragging_over_the_timeline_keeps_the_tasks_of_that_time(page: Page) -> None:
    with kx.sandbox(students=20) as box:
        roster = kx.load_roster(box.client, progress=False)
        server = Server(District(roster, kx.check(roster, progress=False), box.client))
        page.goto(server.address.replace("/?", "/tasks?"))
        times, token = page.get_by_role("slider", name="Tasks by time"), page.locator(".kx-token")
        rows = page.locator(".kx-count").first
        every = rows.inner_text()
        place = times.bounding_box()
        assert place is not None
        y = place["y"] + 20
        page.mouse.move(place["x"] + place["width"] * 0.3, y)
        page.mouse.down()
        page.mouse.move(place["x"] + place["width"] * 0.6, y, steps=4)
        page.mouse.up()
        expect(token).to_contain_text(re.compile(r"created 06:\d\d to 06:\d\d"))
        expect(rows).not_to_have_text(every)
        expect(page).to_have_url(re.compile("time=2026-10-05T06"))
        kept, left = token.locator(".kx-words").inner_text(), rows.inner_text()
        page.reload()
        expect(token.locator(".kx-words")).to_have_text(kept)
        expect(rows).to_have_text(left)
        token.get_by_role("button").click()
        expect(rows).to_have_text(every)
        times.focus()
        page.keyboard.press("Home")
        expect(times).to_have_attribute("aria-valuetext", re.compile("06:00 to 06:01: . task"))
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Shift+ArrowRight")
        expect(token).to_contain_text("created 06:00 to 06:03")
        expect(times).to_be_focused()
        page.keyboard.press("Backspace")
        expect(token).to_have_count(0)
        expect(rows).to_have_text(every)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run()")
        assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found["violations"]] == []
        page.goto("about:blank")
        server.stop()


def test_a_lost_connection_is_said_and_comes_back(roster: kx.Roster, page: Page) -> None:
    server = Server(District(roster, kx.check(roster)))
    page.goto(server.address)
    page.get_by_role("textbox", name="Search").fill("mathematics")
    page.locator(ROW).filter(has_text="Mathematics").first.click()
    expect(page.locator(".kx-panel .kx h3").first).to_contain_text("Mathematics")
    before = heading(page)
    status = page.locator("#connection")
    expect(status).to_be_hidden()
    server.stop()
    expect(status).to_have_text("Connection lost. Reconnecting…")
    assert heading(page) == before
    server.start()
    expect(status).to_be_hidden()
    expect(page.locator(".kx-panel .kx h3").first).to_have_text(before)
    expect(page.get_by_role("textbox", name="Search")).to_have_value("mathematics")
    expect(page.locator(".kx-panel")).to_have_count(1)
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".kx-panel .kx h3").first).to_be_hidden()
    server.stop()
    expect(status).to_contain_text("the server does not answer")
    expect(page.locator(ROW).first).to_be_visible()


@pytest.mark.parametrize("width", [900, 400])
def test_what_is_opened_is_gone_to_where_it_stands_under_the_list(server: Server, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(server.address)
    page.locator(ROW).nth(2).click()
    title = page.locator(".kx-panel .kx h3").first
    expect(title).to_be_in_viewport()
    page.wait_for_function("document.activeElement.contains(document.querySelector('.kx-panel .kx h3'))")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    title.scroll_into_view_if_needed()
    page.keyboard.press("Tab")  # goes on from there
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") > -40


@pytest.mark.parametrize("path", ["quality", "tasks"])
def test_no_table_is_scrolled_sideways_at_900_px(page: Page, path: str, roster: kx.Roster) -> None:
    with kx.sandbox(students=60) as box:
        server = Server(District(roster, kx.check(roster, progress=False), box.client))
        page.set_viewport_size({"width": 900, "height": 900})
        page.goto(server.address.replace("/?", f"/{path}?"))
        grid = page.locator(".kx-grid:visible").first
        wide = "grid => grid.scrollWidth - grid.clientWidth"
        expect(page.get_by_role("button", name=re.compile(r"^Columns \d of \d$")).first).to_be_visible()
        assert grid.evaluate(wide) == 0
        page.locator(ROW).nth(1).click()
        expect(page.locator(".kx-panel .kx h3").first).to_be_visible()
        assert grid.evaluate(wide) == 0
        page.set_viewport_size({"width": 1300, "height": 900})
        expect(page.locator(".kx-panel").first).not_to_have_class(re.compile("kx-narrow"))
        page.wait_for_timeout(300)
        assert grid.evaluate(wide) == 0
        page.goto("about:blank")
        server.stop()


def test_nothing_moves_where_it_stands_beside_the_list(server: Server, page: Page) -> None:
    page.goto(server.address)
    page.locator(ROW).nth(2).click()
    expect(page.locator(".kx-panel .kx h3").first).to_be_visible()
    page.wait_for_timeout(500)
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("document.activeElement.closest('.kx-table') !== null")


@pytest.mark.parametrize("path", ["", "quality"])
def test_axe_finds_no_fault(server: Server, page: Page, path: str) -> None:
    page.goto(server.address.replace("/?", f"/{path}?"))
    page.locator(ROW).nth(1).click()
    expect(page.locator(".kx-panel .kx h3").first).to_be_visible()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        expect(page.locator(".kx-panel").first).to_have_attribute("data-kx-theme", scheme)
        page.wait_for_timeout(300)  # colours change in 120 ms
        found = page.evaluate("axe.run()")
        assert len(found["passes"]) > 10
        assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found["violations"]] == []


def test_names_are_shown_as_text(page: Page) -> None:
    many = len(HOSTILE)
    persons = frame("persons", {"id": [f"p{n}" for n in range(many)], "person_type": ["student"] * many, "name_last": HOSTILE,
                                "email": HOSTILE, "ext_nick": HOSTILE})  # fmt: skip
    orgs = frame("orgs", {"id": ["s"], "org_type": ["lea"], "name": HOSTILE[:1]})
    links = frame("links", {"source_type": ["person"] * many, "source_id": persons["id"], "relation": ["member_of"] * many,
                            "target_type": ["org"] * many, "target_id": ["s"] * many, "role": ["student"] * many,
                            "stated_by": ["both"] * many})  # fmt: skip
    roster = kx.Roster(orgs=orgs, persons=persons, links=links)
    server = Server(District(roster, kx.check(roster)))
    page.goto(f"{server.address}&id=p0&q=p")
    expect(page).to_have_title(f"{HOSTILE[0]} · Browse")
    expect(page.locator("h1")).to_have_text(HOSTILE[0])
    expect(page.locator(".kx-panel .kx h3").first).to_have_text(HOSTILE[0])
    page.get_by_role("button", name="Close").click()
    for name in HOSTILE:
        expect(page.locator(".kx-table [role=gridcell]").get_by_text(name, exact=True).first).to_be_attached()
    assert page.locator("img").count() == 0
    page.goto("about:blank")
    server.stop()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_ended(
    roster: kx.Roster, page: Page, tmp_path: Path, how: signal.Signals
) -> None:
    roster.save(tmp_path / "monday")
    command = [sys.executable, "-m", "kimono_explore", "app", str(tmp_path / "monday"), "--port", str(free_port())]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().decode().strip()
        assert re.fullmatch(rf"http://127\.0\.0\.1:{command[-1]}/\?token=[\w-]{{32}}", address)
        assert page.request.get(address.split("?")[0]).status == 403
        page.goto(address)
        page.locator(ROW).first.click()
        expect(page.locator(".kx-panel .kx h3").first).to_be_visible()
        assert page.get_by_role("link", name="Tasks").count() == 0
        _, token = address.split("token=")
        line = Path(f"/proc/{process.pid}/cmdline")
        assert not line.exists() or token not in line.read_text()
    finally:
        process.send_signal(how)
        out, err = process.communicate(timeout=20)
    assert process.returncode == (143 if how == signal.SIGTERM else 130)
    assert token.encode() not in out + err
    assert b"Traceback" not in err
    expect(page.locator("#connection")).to_contain_text("Connection lost")
