"""The tour of the README: what a person sees who searches, follows a relation, looks at a graph, a cause and the queue."""

from __future__ import annotations

import io
import threading
import time
from typing import TYPE_CHECKING

import uvicorn
from lab import free_port
from PIL import Image

import kimono_explore as kx
from kimono_explore.app import District, make_app
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import inject_flaws
from kimono_explore.widgets.queue import TaskInspector

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from kimono_explore.widgets.parts import Panel

ROW = ".kx-body [role=row]:not([aria-busy])"
SIZE = {"width": 1180, "height": 760}
SHOWN = 900
"""Pixels that a frame is wide."""


class Workshop(District):
    """A district whose queue may be changed: its page shows the question before it is."""

    def panels(self) -> dict[str, tuple[str, Callable[[], Panel]]]:
        client = self.client
        assert client is not None
        roster = kx.load_roster(client, progress=False)
        return {
            **super().panels(),
            "tasks": ("Tasks", lambda: TaskInspector(client, roster, allow_changes=True)),
        }


class Film:
    """Pictures of a page, and how long each is shown."""

    def __init__(self, page: Page) -> None:
        self._page, self._frames, self._times = page, list[Image.Image](), list[int]()

    def take(self, milliseconds: int, settle: int = 500) -> None:
        self._page.wait_for_timeout(settle)
        picture = Image.open(io.BytesIO(self._page.screenshot())).convert("RGB")
        height = picture.height * SHOWN // picture.width
        self._frames.append(picture.resize((SHOWN, height), Image.Resampling.LANCZOS))
        self._times.append(milliseconds)

    def save(self, path: Path) -> None:
        first, *rest = self._frames
        first.save(path, save_all=True, append_images=rest, duration=self._times, loop=0, quality=80, method=6)


def shoot_tour(browser: Browser, path: Path) -> None:
    """Take the tour in the page of `kimono-explore app`."""
    with kx.sandbox(students=500) as box:
        roster, _ = inject_flaws(make_district(500))
        report = kx.check(roster, as_of="2026-10-05", progress=False)
        port = free_port()
        app = make_app(Workshop(roster, report, box.client), "tour", port)
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", ws="websockets-sansio"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
        walk(page, f"http://127.0.0.1:{port}", path)
        page.close()
        server.should_exit = True
        thread.join(20)


def walk(page: Page, address: str, path: Path) -> None:
    """A search, a row, a relation, the graph, a cause and its rows, the queue and its question."""
    film = Film(page)
    page.goto(f"{address}/?token=tour")
    page.locator(ROW).first.wait_for()
    film.take(1600)
    search = page.get_by_role("textbox", name="Search")
    for text in ("mat", "mathematics 3"):
        search.fill(text)
        film.take(900)
    page.locator(ROW).filter(has_text="Period").first.click()
    page.locator("canvas").wait_for()
    film.take(2200, settle=2500)
    page.get_by_role("button", name="students").first.click()
    film.take(1800)
    page.locator("canvas").scroll_into_view_if_needed()
    film.take(2200)
    page.goto(f"{address}/quality")
    causes = page.get_by_role("grid", name="Causes").locator(ROW)
    causes.first.wait_for()
    film.take(2000)
    causes.nth(5).click()
    film.take(2600)
    page.goto(f"{address}/tasks")
    page.locator(ROW).first.wait_for()
    film.take(1600)
    times = page.get_by_role("slider").bounding_box()
    assert times is not None
    page.mouse.move(times["x"] + times["width"] * 0.3, times["y"] + 20)
    page.mouse.down()
    page.mouse.move(times["x"] + times["width"] * 0.55, times["y"] + 20, steps=4)
    film.take(1200)
    page.mouse.up()
    film.take(1400)
    page.locator(ROW).nth(0).click()
    page.get_by_role("button", name="Delete 1 task …").click()
    page.locator(".kx-confirm").scroll_into_view_if_needed()
    film.take(3000)
    film.save(path)
