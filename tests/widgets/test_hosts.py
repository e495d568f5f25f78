"""The same walk through a district in each place that the widgets live in: JupyterLab, Notebook 7, marimo and our page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import nbformat
import pandas as pd
import pytest
import uvicorn
from lab import CHROMIUM, free_port, nothing_wrong, start_chromium, start_lab, wait_for
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import expect

from kimono_explore.app import District, make_app
from kimono_explore.sandbox.district.build import make_district

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None, reason="there is no /usr/bin/chromium on this machine: apt-get install chromium"
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
CELL = """\
import kimono_explore as kx
from kimono_explore.sandbox.district.build import make_district
kx.browse(make_district(60))"""
BOTH = """\
import kimono_explore as kx
box = kx.sandbox(students=60)
roster = kx.load_roster(box.client, progress=False)
quality = kx.inspect_quality(kx.check(roster, as_of="2026-10-05", progress=False))
tasks = kx.inspect_tasks(box.client, roster)
import marimo
marimo.vstack([quality, tasks])"""
# JupyterLab says this of its own requests to a kernel where a page is left early; Notebook 7 reads its settings too early.
THEIRS = r"Canceled future for|\(reading 'schema'\)"
ROW = ".kx-body [role=row]:not([aria-busy])"


@contextmanager
def running(command: list[str], port: int, folder: Path, **environment: str) -> Iterator[None]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, **environment}, **quiet)
    try:
        wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def in_jupyterlab(folder: Path, page: Page) -> Iterator[None]:
    with start_lab(folder, folder / "settings") as lab:
        lab.run(page, "browse", CELL)
        yield


@contextmanager
def in_notebook(folder: Path, page: Page) -> Iterator[None]:
    notebook = new_notebook(cells=[new_code_cell(CELL)])
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(notebook, folder / "browse.ipynb")
    port = free_port()
    options = [f"--port={port}", "--IdentityProvider.token=t", "--no-browser", "--allow-root"]
    with running([sys.executable, "-m", "notebook", *options], port, folder, JUPYTER_CONFIG_DIR=str(folder / "own")):
        page.goto(f"http://127.0.0.1:{port}/notebooks/browse.ipynb?token=t")
        page.locator(".jp-Notebook-cell .cm-content").first.click(timeout=60_000)
        expect(page.locator(".jp-Notebook-ExecutionIndicator")).to_have_attribute("data-status", "idle", timeout=60_000)
        page.keyboard.press("Shift+Enter")
        yield


@contextmanager
def in_marimo(folder: Path, page: Page, cell: str = CELL) -> Iterator[None]:
    lines = [f"    {line}" for line in cell.splitlines()]
    app = ["import marimo", 'app = marimo.App(width="full")', "@app.cell", "def _():", *lines, "    return"]
    (folder / "browse.py").write_text("\n".join([*app, 'if __name__ == "__main__":', "    app.run()", ""]))
    port = free_port()
    command = [sys.executable, "-m", "marimo", "run", "browse.py", "--headless", "--no-token", f"--port={port}"]
    with running(command, port, folder):
        page.goto(f"http://127.0.0.1:{port}")
        yield


@contextmanager
def on_our_page(folder: Path, page: Page) -> Iterator[None]:
    del folder
    port = free_port()
    app = make_app(District(make_district(60), None), "t", port)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", ws="websockets-sansio"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        page.goto(f"http://127.0.0.1:{port}/?token=t")
        yield
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with start_chromium() as browser:
        yield browser


@pytest.mark.parametrize(
    "host", [in_jupyterlab, in_notebook, in_marimo, on_our_page], ids=["jupyterlab", "notebook", "marimo", "page"]
)
def test_a_district_is_walked_through(host: Callable[..., object], chromium: Browser, tmp_path: Path) -> None:
    context = chromium.new_context(viewport={"width": 1300, "height": 1000})
    page = context.new_page()
    with nothing_wrong(page, but=THEIRS), host(tmp_path, page):
        walk(page)
        context.close()


def test_the_queue_and_the_report_are_used_in_marimo(chromium: Browser, tmp_path: Path) -> None:
    page = chromium.new_page(viewport={"width": 1300, "height": 1400})
    with in_marimo(tmp_path, page, BOTH):
        quality, tasks = page.locator(".kx-panel").first, page.locator(".kx-panel").last
        causes = quality.get_by_role("grid", name="Causes").locator(ROW)
        causes.nth(1).click(timeout=120_000)
        title = causes.nth(1).locator("[role=gridcell]").first.inner_text()
        expect(quality.locator("h3").first).to_have_text(title)
        first = tasks.locator(".kx-table").first.locator(ROW).first
        expect(tasks.get_by_role("button", name=re.compile("^(Delete|Acknowledge) "))).to_have_count(0)
        first.click()
        expect(tasks.locator("h3").first).not_to_be_empty()
        page.close()


def walk(page: Page) -> None:
    """First sight, a row, a relation, back, a search by the keyboard, a bar of a header, the graph, a narrow panel."""
    panel = page.locator(".kx-panel").first
    rows = panel.locator(".kx-table").first.locator(ROW)
    title = panel.locator(".kx h3").first
    rows.nth(2).click(timeout=120_000)
    expect(title).to_be_visible()
    person = title.inner_text()
    panel.get_by_role("button", name=re.compile("^sections as ")).click()
    related = panel.get_by_role("grid", name="Related objects").locator(ROW)
    expect(related.first.locator("[role=gridcell]").first).to_have_text("section")
    section = related.first.locator("[role=gridcell]").nth(1).inner_text()
    related.first.click()
    expect(title).to_have_text(section)
    panel.get_by_role("button", name="Back", exact=True).click()
    expect(title).to_have_text(person)
    page.keyboard.press("/")
    search = panel.get_by_role("textbox", name="Search")
    expect(search).to_be_focused()
    page.keyboard.type("mathematics")
    expect(rows.first).to_contain_text("Mathematics")
    expect(rows.first.locator(".kx-mark").first).to_have_text("Mathematics")
    page.keyboard.press("ArrowDown")
    expect(rows.first.locator("[role=gridcell]").first).to_be_focused()
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.press("Enter")
    expect(title).to_contain_text("Mathematics")
    expect(rows.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(search).to_have_value("")
    expect(panel.get_by_text(re.compile(r"^75 rows"))).to_be_visible()
    expect(panel.locator("canvas.kx-canvas")).to_be_visible()
    panel.get_by_role("button", name="Close", exact=True).click()
    expect(title).to_be_hidden()
    with page.expect_download(timeout=30_000) as downloads:
        panel.get_by_role("button", name="CSV").first.click()
    kept = pd.read_csv(downloads.value.path(), dtype="str")
    assert len(kept) == 75
    assert kept["name"].iloc[0] == rows.first.locator("[role=gridcell]").first.inner_text()
    page.set_viewport_size({"width": 700, "height": 1000})
    expect(panel).to_have_class(re.compile("kx-narrow"))
    rows.nth(1).click()
    expect(title).to_be_in_viewport()
