"""The documentation: it builds without a warning, every link leads somewhere, nothing is fetched, and nothing is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from filelock import FileLock
from playwright.sync_api import sync_playwright

import kimono_explore as kx

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
BY_HAND = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md"))]
CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built once for all workers, with the notebooks as they are: running them is another test's matter."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    folder = shared / "site"
    with FileLock(shared / "site.lock"):
        if not folder.exists():
            command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
            environment = {**os.environ, "KIMONO_DOCS_NOTEBOOKS": "notebooks", "SOURCE_DATE_EPOCH": "0"}
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                shutil.rmtree(folder, ignore_errors=True)
            assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Links(HTMLParser):
    """What a page fetches, where it leads, and what it may be led to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.leads: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if name in given and tag != "meta"}
        if "src" in given:
            self.fetched.append(given["src"])
        if "srcset" in given:
            self.fetched += [part.split()[0] for part in given["srcset"].split(",")]
        if "href" in given:
            (self.leads if tag == "a" else self.fetched).append(given["href"])


@cache
def links_of(page: Path) -> Links:
    return Links(page.read_text(encoding="utf-8"))


@cache
def led_to(folder: Path, path: str) -> tuple[Path, bool]:
    """Where a path leads, and whether anything is there: each page has the links of the whole site beside it."""
    target = (folder / path).resolve()
    return target, target.exists()


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def outside(address: str) -> bool:
    return bool(urlsplit(address).scheme or urlsplit(address).netloc)


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    broken = []
    for page in pages(site):
        if page.name == "404.html":  # its links begin at the root of a server
            continue
        for address in (*links_of(page).leads, *links_of(page).fetched):
            path, anchor = urldefrag(address)
            if outside(address):
                continue
            target, there = led_to(page.parent, unquote(path)) if path else (page, True)
            if not there or (anchor and target.suffix == ".html" and anchor not in links_of(target).ids):
                broken.append(f"{page.relative_to(site)}: {address}")
    assert broken == []


@pytest.mark.parametrize("file", BY_HAND, ids=lambda file: file.name)
def test_every_link_of_a_page_written_by_hand_leads_somewhere(file: Path, site: Path) -> None:
    text = re.sub(r"^```.*?^```", "", file.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    broken = []
    for address in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", text)):
        path, anchor = urldefrag(address)
        if outside(address):
            continue
        target = (file.parent / path).resolve() if path else file
        built = site / target.relative_to(DOCS).with_suffix(".html") if target.is_relative_to(DOCS) else None
        page = built if target.suffix == ".md" else None
        if not target.exists() and not (page and page.exists()):
            broken.append(address)
        if anchor and not (page and page.exists() and anchor in links_of(page).ids):
            broken.append(address)
    assert broken == []


@pytest.mark.parametrize("file", sorted((ROOT / ".github").rglob("*.*")), ids=lambda file: file.name)
def test_every_link_of_a_template_leads_to_a_file(file: Path) -> None:
    named = re.findall(r"blob/main/([^)\s]+)", file.read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_the_site_fetches_nothing_from_another_host(site: Path) -> None:
    fetched = {f"{page.name}: {a}" for page in pages(site) for a in links_of(page).fetched if outside(a)}
    assert {found for found in fetched if "data:" not in found} == set()
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", text), sheet


def test_every_check_has_a_page(site: Path) -> None:
    index = (site / "checks" / "index.html").read_text(encoding="utf-8")
    for check in kx.checks().to_dict("records"):
        page = (site / "checks" / f"{check['id']}.html").read_text(encoding="utf-8")
        assert f'href="{check["id"]}.html"' in index
        assert f"<code>{check['number']}</code>" in index
        assert f"<code>{check['number']}</code>" in page.partition('id="what-fails"')[0]
        ids = links_of(site / "checks" / f"{check['id']}.html").ids
        assert {"what-fails", "why-it-matters", "an-example-that-fails", "code"} <= ids
        assert ("parameters" in ids) == bool(check["params"])
        example = page.partition('id="an-example-that-fails"')[2].partition('id="code"')[0]
        assert "<td>" in example.rpartition("<table>")[2], check["id"]


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    described = {id for page in (site / "api").glob("*.html") for id in links_of(page).ids}
    assert set(kx.__all__) - described == set()


def test_every_picture_is_in_the_gallery(site: Path) -> None:
    shown = set(links_of(site / "gallery.html").fetched)
    drawn = {name for name in kx.__all__ if name.startswith("plot_")}
    assert {f"images/gallery/{name}.png" for name in drawn} <= shown
    assert all((site / "images" / "gallery" / f"{name}.png").stat().st_size > 5_000 for name in drawn)


def test_every_operation_is_in_the_table(site: Path) -> None:
    text = (site / "operations.html").read_text(encoding="utf-8")
    rows = re.findall(r"<td>(GET|PUT|DELETE)</td>\s*<td><code>([^<]+)</code></td>", text)
    operations = kx.openapi()["paths"].items()
    assert rows == [(method.upper(), path[1:]) for path, methods in operations for method in methods]


@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")
def test_the_site_is_read_and_searched_from_a_folder(site: Path) -> None:
    requests: list[str] = []
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        for width, scheme in ((1300, "light"), (400, "dark")):
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page.on("request", lambda request: requests.append(request.url))
            for name in ("index", "checks/index", "checks/oversize_section", "api/checks", "gallery", "benchmarks"):
                page.goto((site / f"{name}.html").as_uri())
                assert page.evaluate("document.documentElement.scrollWidth") <= width, name
                assert page.evaluate("document.body.dataset.mdColorScheme") == (
                    "slate" if scheme == "dark" else "default"
                )
        page.goto((site / "index.html").as_uri())
        page.set_viewport_size({"width": 1300, "height": 900})
        page.click(".md-search__input")
        page.keyboard.type("pseudonymize")
        page.wait_for_selector(".md-search-result__item")
        browser.close()
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:", "about:"))] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 100


def test_what_a_roster_and_a_report_answer_is_in_the_reference(site: Path) -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in (site / "api").glob("*.html"))
    for found in (kx.Roster, kx.Report):
        names = {name for name in dir(found) if not name.startswith("_")}
        assert [name for name in sorted(names) if f"{found.__module__}.{found.__name__}.{name}" not in pages] == []
