"""The front end: what is checked in is what its sources build, it is small, and asks nobody for anything."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import kimono_explore

WIDGETS = Path(kimono_explore.__file__).parent / "widgets"
FRONT, STATIC = WIDGETS / "front", WIDGETS / "static"
MOST_BYTES = 400_000
needs_npm = pytest.mark.skipif(
    shutil.which("node") is None or shutil.which("npm") is None,
    reason="there is no node and npm on this machine: apt-get install nodejs npm",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the sources build, away from the checkout; the packages come by npm ci, from npm's own store where it can."""
    folder = tmp_path_factory.mktemp("front")
    sources = shutil.copytree(FRONT, folder / "front", ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run(
        ["npm", "ci", "--prefer-offline"], cwd=sources, capture_output=True, text=True, timeout=300, check=False
    )
    if installed.returncode:
        pytest.skip(f"npm ci did not work, is there a network? {installed.stderr[-300:]}")
    for script in ("check", "build"):
        done = subprocess.run(
            ["npm", "run", script], cwd=sources, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "static"


@needs_npm
def test_what_is_checked_in_is_what_the_sources_build(built: Path) -> None:
    names = {path.name for path in built.iterdir()}
    assert names == {path.name for path in STATIC.iterdir()}
    for name in names:
        assert (built / name).read_bytes() == (STATIC / name).read_bytes(), f"{name} is old: make front"


def test_the_front_end_is_small() -> None:
    size = sum(len(gzip.compress(path.read_bytes())) for path in STATIC.iterdir())
    assert 1_000 < size < MOST_BYTES


def test_the_front_end_calls_nobody() -> None:
    for path in STATIC.iterdir():
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|wss?://|\bfetch\(|XMLHttpRequest|@import|url\(", text), path.name


def test_the_front_end_makes_no_markup_of_texts() -> None:
    for path in [*FRONT.glob("*.ts"), *STATIC.glob("*.js")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), (
            path
        )


@pytest.mark.parametrize("name", ["table", "graph", "panel"])
def test_every_rule_of_the_styles_is_for_our_widget_only(name: str) -> None:
    css = (STATIC / f"{name}.css").read_text(encoding="utf-8")
    css = re.sub(r"@(?:media|container)[^{]*\{(.*?\})\}", r"\1", css)
    selectors = [part.strip() for rule in re.findall(r"([^{}]+)\{", css) for part in rule.split(",")]
    assert len(selectors) > 40
    assert [
        selector for selector in selectors if not selector.startswith((".kx-table", ".kx-graph", ".kx-panel"))
    ] == []


def test_the_lock_file_names_no_registry() -> None:
    lock = (FRONT / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in lock
    assert all("integrity" in package for name, package in json.loads(lock)["packages"].items() if name)
