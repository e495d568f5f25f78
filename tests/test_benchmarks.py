"""The benchmarks compare like with like: at a small size, ours and the alternatives find the same."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import kimono_explore as kx
from benchmarks import bundles, comparing, growth, rosterbench, waits
from benchmarks.__main__ import CASES, NEEDS, lacks
from kimono_explore.sandbox.district.build import make_district

ROOT = Path(__file__).parents[1]
SIZES = {"http": 0.04, "snapshot": 0.0005, "first-neighborhood": 0.0005, "neighborhoods": 0.0005}


def part_of(bundle: Path, to: Path) -> Path:
    """The same bundle with 3,000 of its users and what is said of these: its loops take as long as all others together."""
    with zipfile.ZipFile(bundle) as whole, zipfile.ZipFile(to, "w") as part:
        tables = {name: pd.read_csv(whole.open(name), dtype="str", keep_default_na=False) for name in whole.namelist()}
        users = tables["users.csv"] = tables["users.csv"].iloc[:3000]
        for name, key in (("demographics.csv", "sourcedId"), ("enrollments.csv", "userSourcedId")):
            tables[name] = tables[name][tables[name][key].isin(users["sourcedId"])]
        for name, table in tables.items():
            part.writestr(name, table.to_csv(index=False))
    return to


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", [name for name in CASES if name != "all-checks"])
def test_ours_and_the_others_find_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "bundle":
        if not NEEDS[name][1]():
            pytest.skip(f"{NEEDS[name][0]} is not here")
        monkeypatch.setattr(bundles, "OULAD", part_of(bundles.OULAD, tmp_path / "part.zip"))
    case = CASES[name]
    case.prepare(tmp_path, SIZES.get(name, 0.002))
    found = case.ours(tmp_path)()
    assert found
    for way, other in case.others.items():
        if not lacks(way):
            assert other(tmp_path)() == found, way


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("way", ["ours", *CASES["cuallee"].others])
def test_the_38_checks_of_cuallee(way: str, tmp_path: Path) -> None:
    if lacks(way):
        pytest.skip(f"{lacks(way)} is not installed: see the extra `bench`")
    case = CASES["cuallee"]
    case.prepare(tmp_path, 0.0001)  # 1,981 trips
    found = (case.ours if way == "ours" else case.others[way])(tmp_path)()
    lost = {"passenger_count", "RatecodeID", "store_and_fwd_flag", "congestion_surcharge", "airport_fee"}
    missing = 57
    unique = {"tpep_pickup_datetime", "tpep_dropoff_datetime"}
    assert {name: count for name, count, _, _ in found if count} == dict.fromkeys(lost, missing)
    assert {name for name, _, complete, _ in found if not complete} == lost
    assert {name for name, _, _, alone in found if alone} == unique
    assert len(found) == 19


def test_a_count_that_is_off_by_one_ends_the_run(tmp_path: Path) -> None:
    CASES["cuallee"].prepare(tmp_path, 0.0001)
    key = json.loads((tmp_path / "key.json").read_text("utf-8"))
    key["mta_tax"]["beyond_distinct"] += 1
    (tmp_path / "key.json").write_text(json.dumps(key), encoding="utf-8")
    with pytest.raises(SystemExit, match=r"mta_tax: .*1979.* was counted, and .*1980.* was made"):
        CASES["cuallee"].ours(tmp_path)()


def test_the_table_is_printed() -> None:
    command = [sys.executable, "-m", "benchmarks", "checks", "--size", "0.002", "--runs", "1"]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    row = outcome.stdout.splitlines()[-1]
    assert row.startswith("| ten relational checks, 200,000 students |")
    assert row.count("|") == 8


# RosterBench. How many checks each tool has a rule for: a rule that is lost would make it look better.

RULES = {rosterbench.SUBSET: 98, "pointblank": 98, "great_expectations": 98, "cuallee": 46}


@pytest.mark.filterwarnings("ignore")  # the others' own
@pytest.mark.parametrize("tool", rosterbench.TOOLS)
def test_each_tool_finds_what_is_planted_as_far_as_its_rules_go(tool: str, tmp_path: Path) -> None:
    if rosterbench.lacks(tool):
        pytest.skip(f"{tool} is not installed: see the extra `bench`")
    rosterbench.prepare(tmp_path, [3], 60)
    key = {tuple(finding) for finding in json.loads((tmp_path / "key-3.json").read_text("utf-8"))}
    score = rosterbench.judge(tool, rosterbench.find(tool, kx.open_roster(tmp_path / "flawed-3")), key)
    assert (score.extra, score.missed) == ([], [])
    assert score.found == score.planted > 20
    if tool != "great_expectations":  # a district takes it ten times as long as the others
        assert rosterbench.find(tool, kx.open_roster(tmp_path / "clean-3")) == set()
    assert tool == "ours" or len(rosterbench.expressed(tool)) == RULES[tool]


def test_what_is_too_much_and_what_is_missing_is_named() -> None:
    key = {("missing_id", "persons", None), ("invalid_email", "persons", "ana"), ("no_such_check", "persons", "ben")}
    found = {("missing_id", "persons", None), ("invalid_email", "persons", "eve"), ("shouting_name", "persons", "eve")}
    score = rosterbench.judge("ours", found, key)
    assert score.extra == [("invalid_email", "persons", "eve"), ("shouting_name", "persons", "eve")]
    assert score.missed == [("invalid_email", "persons", "ana")]
    assert (score.precision, score.recall) == (1 / 3, 1 / 2)


# Two rosters compared.


def test_every_way_to_compare_counts_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    comparing.prepare(tmp_path, 60, None)
    counts = [way(tmp_path) for way in (comparing.by_id, comparing.from_folders, comparing.with_pandas)]
    assert counts[0] == counts[1] == counts[2]
    assert counts[0]["removed"] > 0 < counts[0]["changed"]
    assert "seconds" in capsys.readouterr().out


def test_what_is_under_new_ids_is_found_again(tmp_path: Path) -> None:
    comparing.prepare(tmp_path, 60, "match")
    found = comparing.under_new_ids(tmp_path)
    assert min(found.values()) >= 0.98


# What one waits for in a browser.


@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium on this machine")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_is_waited_for_in_the_browser_is_measured_of_two_checkouts() -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.browser",
        "200",
        "--runs",
        "1",
        "--nodes",
        "2000",
        "--against",
        str(ROOT),
    ]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=600)
    rows = [line.split(" | ") for line in outcome.stdout.splitlines() if line.startswith(("| 200", "| 2,000"))]
    assert len(rows) == 4 + 2 * 6
    assert all(re.fullmatch(r"[\d,]+( ms)?", cell) for row in rows for cell in row[2:4])


# What one waits for


def test_the_page_says_what_was_recorded() -> None:
    record = json.loads(waits.RECORD.read_text(encoding="utf-8"))
    page = waits.PAGE.read_text(encoding="utf-8")
    assert page.partition(waits.BEGIN)[2].partition(waits.END)[0].strip() == waits.table(record).strip()
    assert set(record["waits"]) >= set(waits.WAITS) - {"state"}
    assert [name for name, found in record["waits"].items() if not found["seconds"] > 0] == []


def test_a_wait_that_became_longer_is_named_and_a_slower_machine_is_not() -> None:
    before = {"waits": {"open": {"loops": 10.0}, "path": {"loops": 1.0}}}
    now: dict[str, dict[str, float | str]] = {
        "open": {"seconds": 9.0, "loops": 11.4},
        "path": {"seconds": 0.1, "loops": 1.2},
        "help": {"loops": 5.0},
    }
    assert waits.slower(before, now) == [f"{waits.WAITS['path'].what}: 1.20 times as long as in the record"]


def test_a_wait_is_measured_beside_a_bare_loop(tmp_path: Path) -> None:
    make_district(20, seed=1).save(tmp_path / "small")
    found = waits.timed(waits.WAITS["check-small"], tmp_path)
    assert float(str(found["seconds"])) > 0
    assert float(str(found["loop"])) > 0


def test_growth_is_measured_for_each_student(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "_RUNS", 1)
    monkeypatch.setattr(growth, "_MOST_SERVED", 30)
    found = growth.grown([30, 60], ["load", "compare"])
    assert {name: list(sizes) for name, sizes in found.items()} == {"load": ["30"], "compare": ["30", "60"]}
    assert all(one["microseconds"] > 0 for sizes in found.values() for one in sizes.values())
    growth.draw(found, tmp_path / "growth.svg")
    drawn = (tmp_path / "growth.svg").read_text(encoding="utf-8")
    assert [
        words for words in ("µs a student", "kB a student", "load over HTTP", "compare") if words not in drawn
    ] == []
