"""JupyterLab and Debian's Chromium, for the tests that need them and for the pictures of the documentation."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import nbformat
from jupyter_client import BlockingKernelClient, find_connection_file
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import APIResponse, Browser, ConsoleMessage, Dialog

CHROMIUM = shutil.which("chromium")
OURS = ("data:", "blob:", "http://127.0.0.1", "ws://127.0.0.1")
EMPTY = "import ipywidgets\nipywidgets.Widget.close_all()\nget_ipython().run_line_magic('reset', '-f')"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise AssertionError(f"nothing listens on port {port}")


class Lab:
    """A JupyterLab, and a browser that notes what goes wrong in it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.kernel = ""

    def ask(self, page: Page, method: str, path: str, data: object = None) -> APIResponse:
        headers = {"Authorization": "token t"}
        return page.request.fetch(f"http://127.0.0.1:{self.port}/api/{path}", method=method, data=data, headers=headers)

    def empty_kernel(self, page: Page) -> str:
        """The kernel of all notebooks, which imports the library once; of what earlier ones left in it, nothing is there."""
        if not self.kernel or not self.ask(page, "GET", f"kernels/{self.kernel}").ok:
            self.kernel = self.ask(page, "POST", "kernels", {"name": "python3"}).json()["id"]
        client = BlockingKernelClient(connection_file=find_connection_file(self.kernel))
        client.load_connection_file()
        client.start_channels()
        try:
            reply = client.execute_interactive(EMPTY, timeout=120)
            assert reply["content"]["status"] == "ok", reply["content"]
        finally:
            client.stop_channels()
        return self.kernel

    def write(self, name: str, *cells: str) -> str:
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
        nbformat.write(notebook, self.folder / f"{name}.ipynb")
        return f"http://127.0.0.1:{self.port}/doc/tree/{name}.ipynb?token=t"

    def run(self, page: Page, name: str, *cells: str) -> None:
        address = self.write(name, *cells)
        # Started before the page is: on a busy machine, a page that has not heard of kernels yet asks for one.
        session = {"path": f"{name}.ipynb", "name": name, "type": "notebook", "kernel": {"id": self.empty_kernel(page)}}
        assert self.ask(page, "POST", "sessions", session).ok
        # On a busy machine JupyterLab may ask which kernel to take, with the right one chosen already.
        asked = page.locator("dialog.jp-Dialog")
        accept = asked.locator(".jp-mod-accept")
        page.add_locator_handler(asked, lambda: accept.first.click(timeout=5_000), no_wait_after=True)
        page.goto(address)
        page.wait_for_selector(".jp-Notebook-cell", timeout=60_000)
        expect(page.locator(".jp-Notebook-ExecutionIndicator")).to_have_attribute("data-status", "idle", timeout=60_000)
        prompt = page.locator(".jp-InputPrompt").first
        # A kernel that only just says it is idle may not have heard, and one that a late question replaces forgets what it heard.
        for _ in range(5):
            with suppress(AssertionError, PlaywrightError):
                page.get_by_role("menuitem", name="Run", exact=True).click(timeout=10_000)
                page.get_by_text("Run All Cells", exact=True).click(timeout=10_000)
                expect(prompt).not_to_have_text("[ ]:", timeout=10_000)
                expect(prompt).not_to_have_text("[*]:", timeout=120_000)
                expect(prompt).not_to_have_text("[ ]:", timeout=1_000)
                break
        expect(prompt).to_have_text(re.compile(r"\[\d+\]"), timeout=120_000)
        # JupyterLab moves the focus when its last cell has run: a key pressed before then would go elsewhere.
        expect(page.locator(".jp-InputPrompt", has_text="*")).to_have_count(0, timeout=120_000)
        expect(page.locator(".jp-Notebook-ExecutionIndicator")).to_have_attribute("data-status", "idle", timeout=60_000)


@contextmanager
def start_lab(folder: Path, settings: Path, theme: str = "JupyterLab Light") -> Iterator[Lab]:
    """A JupyterLab that asks nobody for news, on a free port."""
    (settings / "labconfig").mkdir(parents=True)
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (settings / "labconfig" / "page_config.json").write_text(json.dumps(quiet))
    themes = settings / "@jupyterlab" / "apputils-extension"
    themes.mkdir(parents=True)
    (themes / "themes.jupyterlab-settings").write_text(json.dumps({"theme": theme}))
    port = free_port()
    options = [
        f"--port={port}",
        "--IdentityProvider.token=t",
        f"--ServerApp.root_dir={folder}",
        "--no-browser",
        "--allow-root",
    ]
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(settings), "JUPYTERLAB_SETTINGS_DIR": str(settings)}
    command = [sys.executable, "-m", "jupyterlab", *options]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield Lab(folder, port)
    finally:
        process.terminate()
        try:
            process.wait(60)  # it ends its kernels first
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


@contextmanager
def start_chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    expect.set_options(timeout=30_000)  # on a busy machine, five seconds are not long
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def nothing_wrong(page: Page, *kinds: str, but: str = "(?!)") -> Iterator[None]:
    """While it lasts: no error in the console, no dialog, no request that leaves the machine.

    ``kinds`` are further kinds of messages that are wrong in a console; what ``but`` is found in is others' matter.
    """
    wrong: list[str] = []

    def hear(what: str, text: str) -> None:
        if not re.search(but, text):
            wrong.append(f"{what}: {text}")

    def see(address: str) -> None:
        if not address.startswith(OURS):
            wrong.append(f"left the machine: {address}")

    def hear_console(said: ConsoleMessage) -> None:
        if said.type in ("error", *kinds):
            hear(said.type, f"{said.text} {said.location}")

    def dismiss(dialog: Dialog) -> None:
        wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("console", hear_console)
    page.on("pageerror", lambda error: hear("error", f"{error.message} {error.stack}"))
    page.on("dialog", dismiss)
    page.on("request", lambda request: see(request.url))
    page.on("websocket", lambda socket: see(socket.url))
    yield
    assert wrong == [], "\n".join(wrong)
