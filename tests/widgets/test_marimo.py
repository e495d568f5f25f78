"""The widgets in marimo, which draws each in a shadow root, and knows no ipywidgets."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from lab import CHROMIUM, free_port, start_chromium, wait_for
from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None, reason="there is no /usr/bin/chromium on this machine: apt-get install chromium"
    ),
    pytest.mark.skipif(
        importlib.util.find_spec("marimo") is None,
        reason="marimo is not installed: it wants another pymdown-extensions than the documentation; pip install marimo",
    ),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
NOTEBOOK = """\
import marimo

app = marimo.App(width="full")

@app.cell
def _():
    import kimono_explore as kx
    from kimono_explore.sandbox.district.build import make_district
    kx.browse(make_district(60))
    return

if __name__ == "__main__":
    app.run()
"""


def test_a_district_is_browsed(tmp_path: Path) -> None:
    (tmp_path / "browse.py").write_text(NOTEBOOK)
    port = free_port()
    command = [sys.executable, "-m", "marimo", "run", "browse.py", "--headless", "--no-token", f"--port={port}"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wrong: list[str] = []
    here = ("data:", "blob:", f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}")
    try:
        wait_for(port, process)
        with start_chromium() as chromium:
            page = chromium.new_page(viewport={"width": 1300, "height": 1000})
            page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("request", lambda asked: None if asked.url.startswith(here) else wrong.append(asked.url))
            page.goto(f"http://127.0.0.1:{port}")
            rows = page.locator(".kx-body [role=row]:not([aria-busy])")
            rows.first.click(timeout=60_000)
            title = page.locator(".kx-panel .kx h3").first
            expect(title).to_be_visible()
            before = title.inner_text()
            page.get_by_role("textbox", name="Search").fill("mathematics")
            expect(rows.first).to_contain_text("Mathematics")
            rows.first.click()
            expect(title).to_contain_text("Mathematics")
            page.get_by_role("button", name="Back", exact=True).click()
            expect(title).to_have_text(before)
            page.set_viewport_size({"width": 700, "height": 1000})
            expect(page.locator(".kx-panel")).to_have_class(re.compile("kx-narrow"))
            rows.nth(1).click()
            expect(title).to_be_in_viewport()
    finally:
        process.terminate()
        process.wait(20)
    assert wrong == []
