"""The command line, as a person types it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import kimono_explore as kx
from kimono_explore.__main__ import main


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


@pytest.mark.parametrize(
    ("given", "said"), [("flood=0.1", "There is no fault 'flood'"), ("reset", "NAME=RATE"), ("reset=2", "share from 0")]
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
