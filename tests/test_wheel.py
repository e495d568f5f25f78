"""What is in a wheel of this checkout is enough: installed away from it, the demo runs with its notebooks and front end."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import kimono_explore as kx

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel, and with all but this project of the present environment."""
    folder = tmp_path_factory.mktemp("wheel")
    hatchling = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder / "dist")]
    subprocess.run(hatchling, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    made = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    site = _run(made, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    pip = [sys.executable, "-m", "pip", "--python", str(made), "install", "--quiet"]
    subprocess.run([*pip, "--no-index", "--no-deps", str(wheel)], check=True, capture_output=True)
    # A plain line of a .pth file is a folder to look in; those found there are not followed, so not the checkout's either.
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return made


def test_it_is_the_installed_one_and_whole(python: Path) -> None:
    where = Path(_run(python, "-c", "import kimono_explore; print(kimono_explore.__file__)")).parent
    assert where.is_relative_to(python.parents[1])
    sources = Path("widgets", "front")  # what static/ is built of, and npm's packages
    files = {path for path in _files(Path(kx.__file__).parent) if "notebooks" not in path.parts}
    front_end = {path for path in files if not path.is_relative_to(sources)}
    assert {path.suffix for path in front_end} >= {".py", ".pyi", ".typed", ".html", ".js", ".css"}
    assert not [path for path in _files(where) if path.is_relative_to(sources) or "node_modules" in path.parts]
    assert front_end <= _files(where)
    assert _files(where / "notebooks") == _files(ROOT / "notebooks")


@pytest.fixture
def two_notebooks(python: Path) -> Iterator[set[str]]:
    """Only a plain notebook and one with widgets are in the wheel: `test_notebooks` runs every one of them."""
    folder = Path(_run(python, "-c", "import kimono_explore; print(kimono_explore.__file__)")).parent / "notebooks"
    kept = {"01_first_look", "05_dashboard"}
    others = [path for path in folder.glob("[0-9]*.ipynb") if path.stem not in kept]
    for path in others:
        path.rename(path.with_suffix(".away"))
    yield kept
    for path in others:
        path.with_suffix(".away").rename(path)


def test_the_demo_runs(python: Path, two_notebooks: set[str], tmp_path: Path) -> None:
    shown = _run(python, "-m", "kimono_explore", "demo", "--students", "60", "--out", str(tmp_path / "out"))
    assert "all done" in shown
    assert {path.stem for path in (tmp_path / "out").glob("*.html")} == {"quality", *two_notebooks}
    assert min(path.stat().st_size for path in (tmp_path / "out").iterdir()) > 100


def _files(folder: Path) -> set[Path]:
    """Its files, but what Python or Jupyter made while they ran."""
    made = {"__pycache__", ".ipynb_checkpoints"}
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and not made & {*path.parts}}


def _run(python: Path, *arguments: str) -> str:
    """What a command prints, run where nothing points at the checkout; Jupyter's templates are those of here."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "KIMONO"))}
    environment["JUPYTER_PATH"] = str(Path(sys.prefix, "share", "jupyter"))
    command = [str(python), *arguments]
    done = subprocess.run(command, cwd=python.parent, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
