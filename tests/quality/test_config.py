"""What a ``quality.toml`` settles: checks by id or number, and waivers, whatever their order in the file."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from kimono_explore.errors import ConfigurationError
from kimono_explore.quality.catalogue import all_checks, by_name
from kimono_explore.quality.config import Waiver, beside, read_config, waive
from kimono_explore.quality.outcome import Outcome

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 10, 5)
CHECK = by_name(all_checks())["section_without_teacher"]


def outcome(*ids: str, orgs: tuple[str | None, ...] = (), status: str = "failed") -> Outcome:
    rows = pd.DataFrame({"id": list(ids), "org_id": [*orgs, *[None] * (len(ids) - len(orgs))]}, dtype="str")
    return Outcome(CHECK, "", checked=30, failed=len(ids), status=status, failures=rows)


def waiver(*ids: str, expires: date = TODAY, org: str | None = None, check: str = CHECK.id) -> Waiver:
    return Waiver(check, "a guest", "office", expires, ids, org)


def test_a_check_has_its_id_and_its_number_for_names(tmp_path: Path) -> None:
    file = tmp_path / "quality.toml"
    file.write_text(f'[severities]\n{CHECK.number} = "information"\n[checks]\non = ["{CHECK.number}"]\n')
    config = read_config(file)
    assert (config.severities, config.on, config.off) == ({CHECK.id: "information"}, (CHECK.id,), ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'[severities]\n{CHECK.number} = "error"\n{CHECK.id} = "error"\n', "twice: by its id and by its number"),
        ('[severities]\nmissing_id = ["error"]\n', "missing_id has the severity ['error']; use one of error"),
        (
            "[parameters.missing_id]\nbound = 1\n",
            "[parameters.missing_id] has an unknown key 'bound'; it may have none",
        ),
        ("gate = 1\n", "[gate] is not a table"),
    ],
)
def test_an_error_names_its_place(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(ConfigurationError) as error:
        read_config(tmp_path / "own.toml")
    assert said in str(error.value)


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_bytes('# Größe\n[checks]\noff = ["missing_id"]\n'.encode("latin-1"))
    with pytest.raises(ConfigurationError) as error:
        read_config(tmp_path / "own.toml")
    assert str(error.value) == f"{tmp_path / 'own.toml'} could not be read: it is not UTF-8."


def test_the_limits_of_the_gate_are_passed_on_unread(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[gate]\nanything = [1]\n")
    assert read_config(tmp_path / "own.toml").gate == {"anything": [1]}


def test_the_file_beside_a_snapshot(tmp_path: Path) -> None:
    assert beside(tmp_path / "monday") is None
    (tmp_path / "quality.toml").mkdir()
    assert beside(tmp_path / "monday") is None
    (tmp_path / "quality.toml").rmdir()
    (tmp_path / "quality.toml").touch()
    assert beside(tmp_path / "monday") == tmp_path / "quality.toml"


@pytest.mark.parametrize(
    ("given", "covered"),
    [
        (waiver(), [True, True, True]),
        (waiver("x", "z"), [True, False, True]),
        (waiver(org="a"), [True, False, False]),
        (waiver("x", "y", org="b"), [False, True, False]),
    ],
)
def test_a_waiver_covers_a_check_or_ids_or_an_org(given: Waiver, covered: list[bool]) -> None:
    assert given.covers(outcome("x", "y", "z", orgs=("a", "b")).failures).tolist() == covered


def test_a_waiver_holds_to_the_end_of_its_last_day() -> None:
    found = outcome("x", "y")
    assert waive([found], [waiver("x", expires=TODAY)], TODAY) == []
    assert (found.failures["id"].tolist(), found.waived["id"].tolist(), found.failed) == (["y"], ["x"], 1)
    found = outcome("x", "y")
    assert waive([found], [waiver("x", expires=date(2026, 10, 4))], TODAY) == [
        "A waiver of section_without_teacher expired on 2026-10-04 (office: a guest): 1 finding is back."
    ]
    assert (found.failures["id"].tolist(), found.failed, found.status) == (["x", "y"], 2, "failed")


@pytest.mark.parametrize("turned", [False, True])
def test_a_renewed_waiver_covers_what_the_expired_one_did(turned: bool) -> None:
    waivers = [waiver("x", expires=date(2026, 1, 1)), waiver("x", expires=date(2027, 1, 1))]
    found = outcome("x")
    assert waive([found], waivers[::-1] if turned else waivers, TODAY) == []
    assert (found.status, found.waived["expires"].tolist()) == ("passed", ["2027-01-01"])


@pytest.mark.parametrize("turned", [False, True])
def test_a_finding_that_two_waivers_cover_is_waived_once(turned: bool) -> None:
    found = outcome("x", "y")
    waivers = [waiver("x", "y"), waiver("x")]
    assert waive([found], waivers[::-1] if turned else waivers, TODAY) == []
    assert (sorted(found.waived["id"]), found.failed) == (["x", "y"], 0)


def test_a_whole_check_is_waived_with_the_rows_beyond_those_kept() -> None:
    found = outcome("x")
    found.failed = 5_000
    assert waive([found], [waiver()], TODAY) == []
    assert (found.failed, found.status, len(found.failures)) == (0, "passed", 0)


def test_a_check_that_could_not_run_and_another_check_are_left_alone() -> None:
    ended = date(2026, 1, 1)
    broken, other = outcome("x", status="could not run"), outcome("x")
    said = waive([broken, other], [waiver("x", check="missing_id"), waiver("x", expires=ended)], TODAY)
    assert len(said) == 1
    assert (broken.status, broken.failed, other.failed) == ("could not run", 1, 1)
