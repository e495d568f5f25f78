"""A tenant's morning: what is loaded, kept, checked, held against what is live, and how it ends."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import stat
from pathlib import Path

import nights
import numpy as np
import pytest

import kimono_explore as kx
from kimono_explore.__main__ import main
from kimono_explore.atomic import only_one
from kimono_explore.gate.acceptance import log_beside
from kimono_explore.gate.measures import schools
from kimono_explore.morning import Morning, run_morning
from kimono_explore.morning.page import write_morning
from kimono_explore.sandbox.district.build import make_district

FIRST = dt.datetime(2026, 10, 5, 6, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def district() -> kx.Roster:
    return make_district(120, seed=7)


def morning_of(roster: kx.Roster, folder: Path, days: int = 0, **more: object) -> Morning:
    now = FIRST + dt.timedelta(days=days)
    with kx.sandbox(roster) as box:
        return run_morning(
            lambda: kx.connect(box.base_url, token=box.credentials.token), folder, now=now, late=10**7, **more
        )


@pytest.fixture(scope="module")
def kept_day(district: kx.Roster, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Morning]:
    folder = tmp_path_factory.mktemp("first") / "rosters"
    return folder, morning_of(district, folder)


@pytest.fixture
def first_day(kept_day: tuple[Path, Morning], tmp_path: Path) -> Path:
    """A folder with the district's first day in it, as another run left it."""
    return Path(shutil.copytree(kept_day[0], tmp_path / "rosters", symlinks=True))


def live(folder: Path) -> str:
    return str(json.loads((folder / "live.json").read_text())["day"])


def test_the_first_day_is_kept_and_an_ordinary_one_goes_live(district: kx.Roster, tmp_path: Path) -> None:
    first = morning_of(district, tmp_path, name="Cannon River")
    assert (first.exit_code, first.word, first.headline) == (0, "Go", "Kept as the first day")
    second = morning_of(nights.ordinary(district, np.random.default_rng(1)).roster, tmp_path, 1)
    assert (second.exit_code, second.students) == (0, first.students)
    assert second.headline.startswith("An ordinary load: ")
    assert live(tmp_path) == "2026-10-06"
    assert {path.name for path in second.folder.iterdir()} >= {
        "roster", "report.html", "report.json", "verdict.html", "verdict.json", "morning.json", "message.txt",
    }  # fmt: skip
    assert len(kx.open_roster(second.folder / "roster").persons) > 120
    assert stat.S_IMODE(second.folder.stat().st_mode) == 0o700
    assert json.loads((second.folder / "morning.json").read_text())["exit_code"] == 0
    days = kx.history(tmp_path / "history")
    assert [str(day) for day in days.days] == ["2026-10-05", "2026-10-06"]
    assert len(days.open("2026-10-06").persons) == len(kx.open_roster(second.folder / "roster").persons)
    assert days.table()["score"].tolist() == [first.score, second.score]


def test_what_is_held_does_not_go_live_until_it_is_let_through(district: kx.Roster, first_day: Path) -> None:
    night = nights.calendar_rebuilt(district, np.random.default_rng(1))
    held = morning_of(night.roster, first_day, 1)
    assert (held.exit_code, held.word, live(first_day)) == (1, "Hold", "2026-10-05")
    assert held.rules == ("sections-recreated", "enrollments-recreated")
    assert "stays live" in held.steps[2].detail
    verdict = kx.gate(first_day / "2026-10-05" / "roster", held.folder / "roster")
    for rule in held.rules:
        school = None if night.school not in schools(district) else night.school
        at = next(reason.school_id for reason in verdict.reasons if reason.rule == rule)
        assert at in (school, None)
        verdict = verdict.let_through(rule, school=at, because="New calendar", log=log_beside(held.folder / "roster"))
    assert [str(day) for day in kx.history(first_day / "history").days] == ["2026-10-05"]
    after = morning_of(night.roster, first_day, 2)
    assert (after.exit_code, live(first_day)) == (0, "2026-10-07")
    assert [str(day) for day in kx.history(first_day / "history").days] == ["2026-10-05", "2026-10-06", "2026-10-07"]


def test_an_incomplete_load_stops_and_a_lost_server_is_said(district: kx.Roster, first_day: Path) -> None:
    gone = nights.without(district, district.persons["id"])
    stopped = morning_of(gone, first_day, 1)
    assert (stopped.exit_code, stopped.word, live(first_day)) == (3, "Stop", "2026-10-05")
    lost = run_morning(
        lambda: kx.connect("http://127.0.0.1:9", token="x", retries=0), first_day, now=FIRST + dt.timedelta(days=2)
    )
    assert (lost.exit_code, lost.word) == (2, "Not loaded")
    assert [step.state for step in lost.steps] == ["failed", "none", "none", "none"]
    assert lost.last_load == dt.datetime.fromisoformat(json.loads((first_day / "live.json").read_text())["loaded_at"])
    assert "right?." not in lost.message()


def test_a_second_run_of_a_day_writes_nothing_over(district: kx.Roster, first_day: Path) -> None:
    again = morning_of(nights.without(district, district.persons["id"]), first_day)
    assert again.exit_code == 3
    assert again.folder.name == "2026-10-05-060000"
    assert len(kx.open_roster(first_day / live(first_day) / "roster").persons) == len(district.persons)


def test_a_queue_that_waits_too_long_is_named(district: kx.Roster, tmp_path: Path) -> None:
    with kx.sandbox(district) as box:
        late = run_morning(
            lambda: kx.connect(box.base_url, token=box.credentials.token),
            tmp_path, late=30, now=FIRST + dt.timedelta(days=3),
        )  # fmt: skip
    assert (late.exit_code, late.word) == (1, "Queue late")
    assert late.waits is not None
    assert late.waits > 24 * 60


def test_a_hold_is_named_before_a_score_that_fell(tmp_path: Path) -> None:
    two = make_district(200, seed=4)
    morning_of(two, tmp_path)
    fell = morning_of(nights.school_lost(two, np.random.default_rng(1)).roster, tmp_path, 1)
    assert [step.state for step in fell.steps][1:3] == ["look", "look"]
    assert (fell.word, fell.worst.name, fell.waited) == ("Hold", "Gate", "23 hours")


def test_only_one_run_is_at_work_in_a_folder(district: kx.Roster, tmp_path: Path) -> None:
    with (
        only_one(tmp_path / ".morning.lock", "busy"),
        pytest.raises(kx.ConfigurationError, match="Another run is in progress in"),
    ):
        morning_of(district, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.name != ".morning.lock"] == []


def test_the_page_and_the_message_name_no_person(district: kx.Roster, tmp_path: Path) -> None:
    found = morning_of(district, tmp_path, name="<b>Cannon</b>")
    page = write_morning(found).read_text()
    assert "<b>Cannon</b>" not in page.replace("&lt;b&gt;Cannon&lt;/b&gt;", "")
    names = {*district.persons["email"].dropna(), *district.persons["label"].dropna()}
    assert not [name for name in names if name in page or name in found.message()]


def test_the_command_line_takes_the_tenant_of_the_environment(
    district: kx.Roster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with kx.sandbox(district) as box:
        monkeypatch.setenv("KIMONO_BASE_URL", box.base_url)
        monkeypatch.setenv("KIMONO_TOKEN", box.credentials.token)
        assert main(["morning", "--folder", str(tmp_path / "rosters"), "--late", "1e9"]) == 0
    out = capsys.readouterr().out
    assert "rosters: Go. Kept as the first day." in out
    assert box.credentials.token not in out
    monkeypatch.setenv("KIMONO_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("kimono_explore.api.client._BACKOFF", 0.0)
    assert main(["morning", "--folder", str(tmp_path / "other"), "--config", str(tmp_path / "none.toml")]) == 2


def test_a_broken_file_of_an_earlier_day_keeps_the_other_steps_from_nothing(
    district: kx.Roster, first_day: Path
) -> None:
    kept = (first_day / "live.json").read_text()
    (first_day / "live.json").write_text('{"da')
    broken = morning_of(district, first_day, 1)
    assert (broken.exit_code, broken.word, broken.worst.name) == (2, "Could not run", "Gate")
    assert "live.json is damaged. Restore it from a backup, or delete the file" in broken.headline
    assert [step.state for step in broken.steps] == ["ok", "ok", "failed", "ok"]
    assert (broken.folder / "message.txt").is_file()
    assert "Could not run" in write_morning(broken).read_text()
    (first_day / "live.json").write_text(kept)
    (broken.folder / "report.json").write_text("{")
    unlike = morning_of(district, first_day, 2)
    assert (unlike.word, unlike.worst.name, unlike.steps[2].state) == ("Look", "Check", "ok")
    assert "Not compared with the last report" in unlike.worst.detail
    shutil.rmtree(first_day / live(first_day))
    assert "names 2026-10-07, but there is no roster for that day" in morning_of(district, first_day, 3).headline


def test_a_wrong_configuration_leaves_a_message(district: kx.Roster, first_day: Path) -> None:
    (first_day / "quality.toml").write_text("[gate\n")
    wrong = morning_of(district, first_day, 1)
    assert [step.state for step in wrong.steps] == ["ok", "failed", "failed", "ok"]
    assert "quality.toml is not TOML" in (wrong.folder / "message.txt").read_text()


def test_a_day_that_the_history_does_not_keep_is_worth_a_look(district: kx.Roster, first_day: Path) -> None:
    for file in (first_day / "history").glob("*/days.parquet"):
        file.write_bytes(b"broken")
    found = morning_of(district, first_day, 1)
    assert (found.exit_code, found.word, live(first_day)) == (1, "Look", "2026-10-06")
    assert found.headline.startswith("Loaded, but not added to the history: ")


def test_three_runs_of_one_second_have_folders_of_their_own(district: kx.Roster, first_day: Path) -> None:
    def nobody() -> kx.Client:
        raise kx.ConfigurationError("No credentials")

    runs = [run_morning(nobody, first_day, now=FIRST) for _ in range(3)]
    assert [run.folder.name for run in runs] == ["2026-10-05-060000", "2026-10-05-060000-2", "2026-10-05-060000-3"]
    assert runs[0].message().startswith("rosters: Not loaded. No credentials.")
