"""Several tenants in one run: exactly those that need somebody are named, and no secret is written anywhere."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

import nights
import numpy as np
import pytest

import kimono_explore as kx
from kimono_explore.__main__ import main
from kimono_explore.morning import read_tenants, run_fleet
from kimono_explore.morning.fleet import Tenant
from kimono_explore.morning.page import write_fleet
from kimono_explore.sandbox.district.build import make_district

if TYPE_CHECKING:
    from pathlib import Path

FIRST = dt.datetime(2026, 10, 5, 6, tzinfo=dt.UTC)
TROUBLES = {
    3: nights.courses_recreated,
    5: nights.source_down,
    6: nights.courses_recreated,
    7: nights.courses_recreated,
}


def serve(rosters: list[kx.Roster], folder: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sandbox for each tenant, and their tenants.toml."""
    rows = []
    for number, roster in enumerate(rosters):
        box = stack.enter_context(kx.sandbox(roster))
        monkeypatch.setenv(f"TOKEN_{number}", box.credentials.token)
        rows.append(
            f'[[tenant]]\nname = "District {number}"\nbase_url = "{box.base_url}"\ntoken_env = "TOKEN_{number}"\n'
        )
    path = folder / "tenants.toml"
    path.write_text("\n".join(rows))
    return path


def test_exactly_those_in_trouble_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    districts = [make_district(60, seed=seed) for seed in range(8)]
    folder = tmp_path / "fleet"
    with ExitStack() as stack:
        tenants = read_tenants(serve(districts, tmp_path, stack, monkeypatch), folder)
        first = run_fleet(tenants, at_a_time=2, now=FIRST, late=10**7)
    assert (first.exit_code, first.headline) == (0, "All 8 tenants are in order")
    chance = np.random.default_rng(1)
    changed = [TROUBLES.get(n, nights.ordinary)(district, chance).roster for n, district in enumerate(districts)]
    done: list[str] = []
    with ExitStack() as stack:
        tenants = read_tenants(serve(changed, tmp_path, stack, monkeypatch), folder)
        monkeypatch.delenv("TOKEN_0")
        fleet = run_fleet(
            tenants, at_a_time=2, now=FIRST + dt.timedelta(days=1), late=10**7, done=lambda m: done.append(m.name)
        )
    assert {morning.name: morning.word for morning in fleet.troubles} == {
        "District 0": "Not loaded", "District 3": "Hold", "District 5": "Stop", "District 6": "Hold", "District 7": "Hold",
    }  # fmt: skip
    assert [morning.word for morning in fleet.mornings][:3] == ["Stop", "Not loaded", "Hold"]
    assert (fleet.exit_code, fleet.headline) == (3, "5 of 8 tenants need attention; 1 must not go live")
    assert fleet.shared == [
        "3 tenants have the same first reason, courses-recreated: District 3, District 6 and District 7"
    ]
    assert sorted(done) == [f"District {n}" for n in range(8)]
    page = write_fleet(fleet, folder).read_text()
    assert page.count("<tr>") == 9
    assert "District 5" in page


def test_the_command_line_runs_all_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "fleet"
    with ExitStack() as stack:
        path = serve([make_district(20, seed=1), make_district(20, seed=2)], tmp_path, stack, monkeypatch)
        assert main(["morning", "--folder", str(folder), "--tenants", str(path), "--late", "1e9"]) == 0
        tokens = [tenant.connect() for tenant in read_tenants(path, folder)]
        for client in tokens:
            client.close()
    out = capsys.readouterr().out
    assert "All 2 tenants are in order." in out
    written = "".join(file.read_text() for file in folder.rglob("*") if file.suffix in (".html", ".json", ".txt"))
    assert "District 1" in written
    assert not [token for token in (value for value in _tokens()) if token in written or token in out]
    assert main(["morning", "--folder", str(folder), "--tenants", str(path), "--config", "x"]) == 2


def _tokens() -> list[str]:
    return [value for name, value in os.environ.items() if name.startswith("TOKEN_")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs a \\[\\[tenant\\]\\]"),
        ("tenant = 3", "needs a \\[\\[tenant\\]\\]"),
        ("[[tenant]]\nname = ", "is not TOML"),
        ('[[tenant]]\nname = "A"', "number 1 has no base_url"),
        ('[[tenant]]\nname = "A"\nbase_url = "https://x"\ntoken = "s3cr3t"', "holds a secret: token. .*token_env"),
        ('tenant = ["A"]', r"needs a \[\[tenant\]\] for each"),
        ('[[tenant]]\nname = "مدرسة"\nbase_url = "https://x"', "a name without a letter from a to z. Give it a folder"),
        ('[[tenant]]\nname = "A"\nbase_url = "https://x"\nurl = "y"', "unknown key 'url'"),
        ('[[tenant]]\nname = "A"\nbase_url = 3', "base_url is 3; it needs text"),
        ('[[tenant]]\nname = "A"\nbase_url = "https://x"\nfolder = "../out"', "needs a folder within"),
        ('[[tenant]]\nname = "!!"\nbase_url = "https://x"', "Give it a folder"),
        ('[[tenant]]\nname = "A"\nfolder = "/x"\nbase_url = "https://x"', "needs a folder within"),
        (
            '[[tenant]]\nname = "A B"\nbase_url = "https://x"\n[[tenant]]\nname = "a-b"\nbase_url = "https://y"',
            "2 tenants have",
        ),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "tenants.toml").write_text(text)
    with pytest.raises(kx.ConfigurationError, match=message) as caught:
        read_tenants(tmp_path / "tenants.toml", tmp_path)
    assert "s3cr3t" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(kx.ConfigurationError, match="could not be read"):
        read_tenants(tmp_path / "none.toml", tmp_path)


def test_a_tenant_without_its_secret_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text('[[tenant]]\nname = "A"\nbase_url = "https://x"\ntoken_env = "NOT_SET_ANYWHERE"\n')
    fleet = run_fleet(read_tenants(tmp_path / "t.toml", tmp_path))
    assert (fleet.exit_code, fleet.headline) == (2, "1 of 1 tenant needs attention")
    assert "NOT_SET_ANYWHERE is not set" in fleet.mornings[0].headline
    with pytest.raises(kx.ConfigurationError, match="At least 1 tenant must run at a time, not 0"):
        run_fleet(read_tenants(tmp_path / "t.toml", tmp_path), at_a_time=0)


class DyingTenant(Tenant):
    """A tenant whose process is killed, as by a machine without memory."""

    def connect(self) -> kx.Client:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def test_a_process_that_dies_is_one_tenants_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        path = serve([make_district(20, seed=seed) for seed in range(3)], tmp_path, stack, monkeypatch)
        tenants = read_tenants(path, tmp_path / "fleet")
        tenants[1] = DyingTenant(**vars(tenants[1]))
        fleet = run_fleet(tenants, at_a_time=2, now=FIRST, late=10**7)
    assert {morning.name: morning.word for morning in fleet.mornings} == {
        "District 0": "Go", "District 1": "Not loaded", "District 2": "Go",
    }  # fmt: skip
    assert "its process was ended, perhaps for want of memory" in fleet.mornings[0].headline
    assert not multiprocessing.active_children()
