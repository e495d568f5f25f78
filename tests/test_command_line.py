"""The command line, as a person types it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kimono_explore as kx
from kimono_explore import problems
from kimono_explore.__main__ import main
from kimono_explore.frames import frame
from kimono_explore.sandbox.server import Refused, Service


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for word in ("demo", "sandbox", "load", "roster", "KIMONO_TOKEN", "--save monday"):
        assert word in shown


def test_load_saves_the_tenant_of_the_environment(
    small_sandbox: kx.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KIMONO_BASE_URL", small_sandbox.base_url)
    monkeypatch.setenv("KIMONO_TOKEN", small_sandbox.credentials.token)
    assert main(["load", "--save", str(tmp_path / "monday")]) == 0
    people = len(small_sandbox.roster.persons)
    captured = capsys.readouterr()
    assert f"{people:,} persons" in captured.out
    assert small_sandbox.credentials.token not in captured.out + captured.err
    assert len(kx.open_roster(tmp_path / "monday").persons) == people
    assert main(["roster", str(tmp_path / "monday"), "--problems"]) == 0
    assert re.search(r"student_in +\d+", capsys.readouterr().out)


def test_what_cannot_run_ends_with_2_and_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("TOKEN", "CLIENT_ID", "USERNAME", "CLIENT_SECRET", "PASSWORD"):
        monkeypatch.delenv(f"KIMONO_{name}", raising=False)
    assert main(["load", "--save", str(tmp_path / "x")]) == 2
    assert "No credentials" in capsys.readouterr().err
    assert main(["roster", str(tmp_path / "nothing")]) == 2
    assert str(tmp_path / "nothing") in capsys.readouterr().err


def test_the_sandbox_runs_in_the_foreground_until_interrupted() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "kimono_explore", "sandbox", "--students", "20"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        shown = ""
        while "Ctrl-C" not in shown:
            line = process.stdout.readline()
            assert line, "the sandbox ended before it began"
            shown += line
        settings = dict(re.findall(r"export KIMONO_(\w+)=(\S+)", shown))
        with kx.connect(settings["BASE_URL"], token=settings["TOKEN"]) as client:
            assert len(kx.load(client, "students", progress=False)) == 20
    finally:
        process.send_signal(2)
        process.communicate(timeout=20)
    assert process.returncode in (0, 130)


@pytest.fixture
def tenant(small_sandbox: kx.Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIMONO_BASE_URL", small_sandbox.base_url)
    monkeypatch.setenv("KIMONO_TOKEN", small_sandbox.credentials.token)


def refusing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Have the sandbox refuse a list."""
    answer = Service.answer

    def refuse(self: Service, operation: object, *arguments: object) -> object:
        if operation.name == name:
            raise Refused(403, "Not for you")
        return answer(self, operation, *arguments)

    monkeypatch.setattr(Service, "answer", refuse)


def test_a_refused_list_does_not_replace_an_older_snapshot(
    tenant: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monday = str(tmp_path / "monday")
    assert main(["load", "--save", monday]) == 0
    terms = len(kx.open_roster(monday).terms)
    refusing(monkeypatch, "listTerms")
    assert main(["load", "--save", monday]) == 2
    assert re.search(
        "nothing was saved.*terms: the list was refused.*Not for you.*--allow-refused", capsys.readouterr().err
    )
    assert len(kx.open_roster(monday).terms) == terms > 0
    assert main(["load", "--save", monday, "--allow-refused", "courses"]) == 2
    assert main(["load", "--save", monday, "--allow-refused", "courses", "--allow-refused", "terms"]) == 0
    assert len(kx.open_roster(monday).terms) == 0
    with pytest.raises(SystemExit) as ended:
        main(["load", "--save", monday, "--allow-refused", "pupils"])
    assert ended.value.code == 2


@pytest.mark.parametrize("text", problems.INCOMPLETE[1:])
def test_a_load_that_may_lack_rows_is_not_saved(
    tenant: None, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    short = kx.Roster(problems=frame("problems", {"table": ["persons"], "problem": [f"page 3: {text}"]}))
    assert short.incomplete["table"].tolist() == ["persons"]
    monkeypatch.setattr("kimono_explore.load_roster", lambda *_, **__: short)
    assert main(["load", "--save", str(tmp_path / "x"), "--allow-refused", "persons"]) == 2
    assert f"persons: page 3: {text}" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_single_values_that_did_not_fit_leave_a_load_complete() -> None:
    rows = {
        "table": ["persons"] * 2,
        "id": ["1", None],
        "column": ["dob", "$schools"],
        "problem": ["some may be missing"] * 2,
    }
    assert kx.Roster(problems=frame("problems", rows)).incomplete.empty


def test_options_of_load_are_passed_on(tenant: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {}
    monkeypatch.setattr("kimono_explore.load_roster", lambda _, **options: given.update(options) or kx.Roster())
    arguments = ["load", "--save", str(tmp_path / "x"), "--max-pages", "7", "--timeout", "3.5", "--no-heal"]
    assert main(arguments) == 0
    assert (given["max_pages"], given["heal"]) == (7, False)
    monkeypatch.undo()


def test_too_many_pages_end_with_2(tenant: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["load", "--save", str(tmp_path / "x"), "--max-pages", "1", "--page-size", "1"]
    assert main(arguments) == 2
    assert "has more pages than max_pages=1 allows" in capsys.readouterr().err


def test_an_unexpected_error_ends_with_2_in_one_line(
    tenant: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("no way\x1b[2J")

    monkeypatch.setattr("kimono_explore.load_roster", fail)
    arguments = ["load", "--save", str(tmp_path / "x")]
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert r"ZeroDivisionError: no way\x1b[2J (unexpected; KIMONO_DEBUG=1 shows the traceback)" in told
    monkeypatch.setenv("KIMONO_DEBUG", "1")
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert "Traceback (most recent call last)" in told
    assert "\x1b" not in told


def test_an_interrupted_command_ends_with_130(tenant: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kimono_explore.load_roster", interrupt)
    assert main(["load", "--save", str(tmp_path / "x")]) == 130


def test_findings_end_with_1_and_none_with_0(tmp_path: Path, small_roster: kx.Roster) -> None:
    small_roster.save(tmp_path / "good")
    assert main(["check", str(tmp_path / "good"), "--only", "missing_id"]) == 0
    worse = kx.Roster(**small_roster.tables)
    worse.persons = pd_without_ids(small_roster)
    worse.save(tmp_path / "bad")
    assert main(["check", str(tmp_path / "bad"), "--only", "missing_id"]) == 1
    assert main(["check", str(tmp_path / "bad"), "--only", "missing_id", "--fail-on", "never"]) == 0


def pd_without_ids(roster: kx.Roster) -> object:
    return roster.persons.assign(id=roster.persons["id"].where(roster.persons.index > 0))


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path, small_roster: kx.Roster) -> None:
    small_roster.save(tmp_path / "monday")
    command = [sys.executable, "-m", "kimono_explore", "roster", str(tmp_path / "monday")]
    reading, writing = os.pipe()
    process = subprocess.Popen(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    os.close(reading)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (141, "")


@pytest.mark.parametrize(
    ("given", "said"), [("flood=0.1", "Unknown fault 'flood'"), ("reset", "NAME=RATE"), ("reset=2", "share from 0")]
)
def test_a_fault_that_is_not_one_is_refused(given: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sandbox", "--faults", given])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_the_sandbox_of_the_command_line_injects_faults() -> None:
    command = [sys.executable, "-m", "kimono_explore", "sandbox", "--students", "20"]
    process = subprocess.Popen([*command, "--faults", "401=1.0"], stdout=subprocess.PIPE, text=True)
    try:
        settings: dict[str, str] = {}
        while "TOKEN" not in settings:
            line = process.stdout.readline()
            assert line, "the sandbox ended before it began"
            settings.update(re.findall(r"export KIMONO_(\w+)=(\S+)", line))
        with kx.connect(settings["BASE_URL"], token=settings["TOKEN"]) as client:
            for _ in range(50):  # it listens a moment after it has said where
                try:
                    kx.load(client, "students", progress=False)
                except kx.AuthenticationError:
                    break
                except kx.ConnectionFailedError:
                    continue
            else:
                pytest.fail("no fault was injected")
    finally:
        process.send_signal(2)
        process.communicate(timeout=20)


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kx.Roster().save(tmp_path / "mon")
    mon = str(tmp_path / "mon")
    assert main(["gate", mon, mon, "--html", str(tmp_path / "nowhere" / "v.html")]) == 2
    error = capsys.readouterr().err
    assert error.endswith("v.html: No such file or directory\n")
    assert "unexpected" not in error
