"""The benchmarks run, and the ways that they compare find the same. Nothing is timed here."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("case", ["http", "checks", "all-checks"])
def test_a_benchmark_runs_at_a_small_size(case: str) -> None:
    command = [sys.executable, "-m", "benchmarks", case, "--size", "0.05" if case == "http" else "0.01", "--runs", "1"]
    outcome = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr[-2000:]
    rows = [line for line in outcome.stdout.splitlines() if line.startswith("| ")]
    assert len(rows) == 2
    assert rows[1].count("|") == 8
