"""Every example of a docstring and of the README runs, and shows what it says."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import kimono_explore as kx

ROOT = Path(__file__).parents[1]
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


def test_examples_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(blocks) >= 3
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    roster = names["roster"]
    assert isinstance(roster, kx.Roster)
    assert len(roster.persons) > 500


def test_the_readme_lists_every_operation() -> None:
    from kimono_explore.api.operations import OPERATIONS

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (GET|PUT|DELETE) \| `([^`]+)` \|", text, flags=re.MULTILINE)
    assert rows == [(operation.method, operation.path) for operation in OPERATIONS]
