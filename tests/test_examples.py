"""Every example of a docstring, of the README and of the documentation's pages runs, and shows what it says."""

import doctest
import importlib
import pkgutil
import re
import shlex
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import kimono_explore as kx
from kimono_explore import __main__ as cli

ROOT = Path(__file__).parents[1]
WRITTEN = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = sorted(m.name for m in pkgutil.walk_packages(kx.__path__, "kimono_explore.") if "__main__" not in m.name)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def test_public_functions_all_have_an_example() -> None:
    without = [
        name
        for name in kx.__all__
        if callable(found := getattr(kx, name)) and not isinstance(found, type) and ">>>" not in (found.__doc__ or "")
    ]
    assert without == []


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings(name: str, small_sandbox: kx.Sandbox, small_roster: kx.Roster, tmp_path: Path) -> None:
    module = importlib.import_module(name)
    names = {"kx": kx, "roster": small_roster, "client": small_sandbox.client, "tmp_path": tmp_path}
    outcome = doctest.testmod(module, globs={**vars(module), **names}, optionflags=FLAGS)
    assert outcome.failed == 0


def blocks(file: Path, language: str) -> list[str]:
    """The code blocks of a page, without those that a comment above says are not run, and why."""
    text = re.sub(r"<!-- not run: .+? -->\n+```.*?```", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.name)
def test_examples_of_the_pages(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks(file, "python"):
        exec(compile(block, file.name, "exec"), names)
    plt.close("all")
    if file.name == "README.md":
        assert blocks(file, "text") == [capsys.readouterr().out]


def test_few_examples_are_not_run() -> None:
    skipped = [found for file in WRITTEN for found in re.findall(r"<!-- not run: (.+?) -->", file.read_text("utf-8"))]
    assert skipped == ["needs a Spark cluster"]


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.name)
def test_commands_of_the_pages_exist(file: Path) -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for line in "".join(blocks(file, "sh")).replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert words[1] in targets
        elif words[:1] == ["kimono-explore"]:
            cli._parser().parse_args(words[1:])  # ends with an error where an option is not known
