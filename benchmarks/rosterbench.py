"""RosterBench: what is planted in made-up districts, and what `check` and other validators find of it.

For each seed a district with mistakes of every kind, whose key is exact, and its clean twin. A finding is a check, a table and an
id. Precision: the share of the findings that are in the key; recall: the share of the key that is found. Others are judged by the
rules that they can say in their own words: one rule for the rows of a table, of the roster's or of those in `rosterviews`.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

import kimono_explore as kx
from benchmarks import rosterviews
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import inject_flaws

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kimono_explore import Roster

AS_OF = "2026-10-05"
BUILD = Path(__file__).parents[1] / "build"
DATA = Path(os.environ.get("KIMONO_EXPLORE_DATA", Path(__file__).parents[2] / "shared" / "data"))
# What the README of the bundles says of them, and a day of their school year.
DAYS = {"grandbend-oneroster": "2011-03-16", "oulad-oneroster": "2014-02-03"}
FACTS = {
    "grandbend-oneroster": {
        **dict.fromkeys((f"orphan_{relation}" for relation in ("student_in", "teacher_in", "of_course", "in_term")), 0),
        "duplicate_local_id": 34,
        "section_without_teacher": 0,
        "student_without_sections": 0,
        "same_name_terms": 6,
    },
    "oulad-oneroster": {
        "section_without_teacher": 22,
        "person_without_name": 28_785,
        "enrollment_without_start": 45,
    },
}
SUBSET = "ours, what Pointblank can say"
# Of these, a finding is an object, and a number is of rows: the 45 enrollments are of 43 students (enrollments.csv).
OBJECTS = {"enrollment_without_start": 43}
# Each with the module of its rules.
TOOLS = {
    "ours": None,
    SUBSET: None,
    "pointblank": "benchmarks.rules_pointblank",
    "great_expectations": "benchmarks.rules_gx",
    "cuallee": "benchmarks.rules_cuallee",
}

Finding = tuple[str, str, str | None]


class Score(NamedTuple):
    """How the findings of a tool stand against the key."""

    found: int
    planted: int
    extra: list[tuple[str, ...]]
    missed: list[tuple[str, ...]]

    @property
    def precision(self) -> float:
        """The share of what was found that was planted."""
        return (self.found - len(self.extra)) / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """The share of what was planted that was found."""
        return (self.planted - len(self.missed)) / self.planted if self.planted else 1.0


def prepare(folder: Path, seeds: Iterable[int], students: int) -> None:
    """For each seed a flawed district, its clean twin and its key."""
    for seed in seeds:
        clean = make_district(students, seed)
        flawed, planted = inject_flaws(clean, seed)
        clean.save(folder / f"clean-{seed}")
        flawed.save(folder / f"flawed-{seed}")
        key = sorted(set(_findings(planted["check"], planted["table"], planted["id"])), key=str)
        (folder / f"key-{seed}.json").write_text(json.dumps(key), encoding="utf-8")


def _findings(checks: Iterable[str], tables: Iterable[str], ids: Iterable[object]) -> list[Finding]:
    return [
        (check, table, None if pd.isna(id) else str(id)) for check, table, id in zip(checks, tables, ids, strict=True)
    ]


def find(tool: str, roster: Roster, as_of: str = AS_OF, only: Iterable[str] | None = None) -> set[Finding]:
    """What the tool finds, of some checks or all; one that only counts gives the numbers of the rows that fail as ids."""
    wanted = set(expressed(tool)) & set(expressed(tool) if only is None else only)
    if module := TOOLS[tool]:
        views = rosterviews.make_views(roster, as_of)
        return set(importlib.import_module(module).find(views, wanted))
    report = kx.check(roster, None if tool == "ours" and only is None else sorted(wanted), as_of=as_of)
    found: set[Finding] = set()
    for check in report.summary.loc[report.summary["failed"] > 0, "id"]:
        failures = report.failures(check)
        found |= set(_findings([check] * len(failures), failures["table"], failures["id"]))
    return found


@cache
def expressed(tool: str) -> tuple[str, ...]:
    """The checks for which the tool has a rule."""
    module = TOOLS[tool] or (TOOLS["pointblank"] if tool != "ours" else None)
    if module is None:
        return tuple(sorted(_of_rosters()))
    views = rosterviews.make_views(make_district(60), AS_OF)
    return tuple(sorted(importlib.import_module(module).checks(views)))


def _of_rosters() -> set[str]:
    catalogue = kx.checks()
    return set(catalogue.loc[catalogue["group"] != "Task queue", "id"])


def judge(tool: str, found: set[Finding], key: set[Finding]) -> Score:
    """Findings against the key, both of the checks that the tool has a rule for."""
    has = set(expressed(tool))
    key = {finding for finding in key if finding[0] in has}
    if (
        tool == "cuallee"
    ):  # it says how many rows fail, and not which: each check and table counts once, if the number is right
        wanted = Counter((check, table) for check, table, _ in key)
        key = {(check, table, str(times)) for (check, table), times in wanted.items()}
    extra, missed = (sorted(one - other, key=str) for one, other in ((found, key), (key, found)))
    return Score(len(found), len(key), extra, missed)


def lines(module: str | None) -> int:
    """How many lines the rules in a module are, or the one line that calls `check`; blank ones and comments do not count."""
    if module is None:
        return 1
    text = inspect.getsource(importlib.import_module(module)).split("# Rules\n", 1)[-1].split("# Results\n", 1)[0]
    return sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith(("#", '"""')))


def measure(tool: str, folder: Path, seeds: Iterable[int]) -> dict[str, object]:
    """Run a tool on all districts and bundles, in this process."""
    find(tool, kx.open_roster(folder / f"clean-{next(iter(seeds))}"))  # imports and first calls do not count
    seconds, flawed, clean = 0.0, {}, {}
    for seed in seeds:
        for kind, into in (("flawed", flawed), ("clean", clean)):
            roster = kx.open_roster(folder / f"{kind}-{seed}")
            began = time.perf_counter()
            into[str(seed)] = sorted(find(tool, roster), key=str)
            seconds += time.perf_counter() - began if kind == "flawed" else 0
    return {"seconds": seconds, "flawed": flawed, "clean": clean, "bundles": _bundles(tool)}


def _bundles(tool: str) -> dict[str, dict[str, tuple[int, int]]]:
    """What the tool says of the facts that are known of the bundles, where they are, and what is right."""
    said = {}
    for name, facts in FACTS.items():
        if (DATA / f"{name}.zip").is_file():
            found = find(tool, kx.read_oneroster(DATA / f"{name}.zip"), DAYS[name], facts)
            times: Counter[str] = Counter()
            for check, _, id in found:
                times[check] += int(id or 0) if tool == "cuallee" else 1
            right = (
                facts
                if tool == "cuallee"
                else {**facts, **{check: OBJECTS[check] for check in facts if check in OBJECTS}}
            )
            said[name] = {check: (times[check], right[check]) for check in facts if check in expressed(tool)}
    return said


def lacks(tool: str) -> bool:
    """Whether the package that the tool, or its list of checks, needs is not installed."""
    package = "pointblank" if tool == SUBSET else tool
    return package != "ours" and importlib.util.find_spec(package) is None


def run(seeds: int, students: int) -> dict[str, object]:
    """All tools, each in a fresh process, in turn; the tables are printed and kept in build/ as JSON and Markdown."""
    numbers = range(1, seeds + 1)
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), numbers, students)
        keys = {str(seed): _read(Path(folder, f"key-{seed}.json")) for seed in numbers}
        outcomes = {}
        for tool in TOOLS:
            if not lacks(tool):
                command = [sys.executable, "-m", "benchmarks.rosterbench", tool, folder, str(seeds)]
                said = subprocess.run(command, capture_output=True, text=True, check=True)
                outcomes[tool] = json.loads(said.stdout.splitlines()[-1])
                print(f"{tool}: {outcomes[tool]['seconds']:.1f} s", file=sys.stderr, flush=True)
    results = {tool: _result(tool, outcome, keys) for tool, outcome in outcomes.items()}
    table = _table(results, seeds, students)
    BUILD.mkdir(exist_ok=True)
    (BUILD / "rosterbench.json").write_text(json.dumps(results, indent=1, ensure_ascii=False), encoding="utf-8")
    (BUILD / "rosterbench.md").write_text(table, encoding="utf-8")
    print(table)
    return results


def _read(path: Path) -> set[Finding]:
    return {tuple(finding) for finding in json.loads(path.read_text(encoding="utf-8"))}


def _result(
    tool: str, outcome: dict[str, dict[str, list[Finding]]], keys: dict[str, set[Finding]]
) -> dict[str, object]:
    scores = {seed: judge(tool, {tuple(f) for f in outcome["flawed"][seed]}, key) for seed, key in keys.items()}
    whole = Score(
        sum(score.found for score in scores.values()),
        sum(score.planted for score in scores.values()),
        [(seed, *finding) for seed, score in scores.items() for finding in score.extra],
        [(seed, *finding) for seed, score in scores.items() for finding in score.missed],
    )
    wrong = Counter(("extra", f[1]) for f in whole.extra) + Counter(("missed", f[1]) for f in whole.missed)
    return {
        "checks": len(expressed(tool)),
        "planted": whole.planted,
        "found": whole.found,
        "precision": whole.precision,
        "recall": whole.recall,
        "clean": [(seed, *finding) for seed, found in outcome["clean"].items() for finding in found],
        "extra": whole.extra,
        "missed": whole.missed,
        "by_check": {f"{kind} {check}": times for (kind, check), times in sorted(wrong.items())},
        "seconds": outcome["seconds"],
        "lines": lines(TOOLS[tool]),
        "bundles": outcome["bundles"],
    }


def _table(results: dict[str, dict[str, object]], seeds: int, students: int) -> str:
    said = [
        f"{seeds} districts of {students:,} students with planted flaws, and their clean twins.",
        "",
        f"| tool | checks of {len(_of_rosters())} | planted | found | precision | recall | found in clean twins | seconds "
        "| lines of rules | known facts of the bundles |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for tool, result in results.items():
        facts = [pair for checks in result["bundles"].values() for pair in checks.values()]
        right = f"{sum(a == b for a, b in facts)} of {len(facts)}" if facts else "-"
        said.append(
            f"| {tool} | {result['checks']} | {result['planted']:,} | {result['found']:,} | {result['precision']:.4f} "
            f"| {result['recall']:.4f} | {len(result['clean'])} | {result['seconds']:.1f} | {result['lines']} | {right} |"
        )
    shared = lines("benchmarks.rosterviews"), lines("benchmarks.rulewords")
    said += [
        "",
        f"The other tools share {shared[0]} lines that join tables and {shared[1]} of values and patterns.",
        "",
    ]
    return "\n".join(said)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]), range(1, int(sys.argv[3]) + 1))))
