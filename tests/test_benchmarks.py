"""The benchmarks compare like with like: at a small size, ours and the alternatives find the same."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import CASES, NEEDS

ROOT = Path(__file__).parents[1]
SIZES = {"http": 0.04, "snapshot": 0.0005, "first-neighborhood": 0.0005, "neighborhoods": 0.0005}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", [name for name in CASES if name != "all-checks"])
def test_ours_and_the_others_find_the_same(name: str, tmp_path: Path) -> None:
    if name in NEEDS and not NEEDS[name][1]():
        pytest.skip(f"{NEEDS[name][0]} is not here")
    case = CASES[name]
    case.prepare(tmp_path, SIZES.get(name, 0.002))
    found = case.ours(tmp_path)()
    assert found
    for way, other in case.others.items():
        if not way.startswith("dlt") or NEEDS["dlt"][1]():
            assert other(tmp_path)() == found, way


def test_the_table_is_printed() -> None:
    command = [sys.executable, "-m", "benchmarks", "checks", "--size", "0.002", "--runs", "1"]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    row = outcome.stdout.splitlines()[-1]
    assert row.startswith("| ten relational checks, 200,000 students |")
    assert row.count("|") == 8
