"""A path is a snapshot or a bundle, and is told apart by what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import course, link, make, school
from rosters import assert_equal

from kimono_explore.errors import BundleError
from kimono_explore.roster.open import open_roster, read_oneroster, read_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kimono_explore.roster.roster import Roster


@pytest.fixture
def roster() -> Roster:
    return make(school("north"), course("art"), link("art offered_by north"))


def test_a_snapshot_is_opened(roster: Roster, tmp_path: Path) -> None:
    roster.save(tmp_path / "monday")
    assert_equal(read_source(tmp_path / "monday"), roster)
    assert_equal(read_source(str(tmp_path / "monday")), roster)


@pytest.mark.parametrize("name", ["district.zip", "district"])
def test_a_bundle_is_read(roster: Roster, tmp_path: Path, name: str) -> None:
    roster.to_oneroster(tmp_path / name)
    found = read_source(tmp_path / name)
    assert (found.orgs["id"].tolist(), found.courses["id"].tolist()) == (["north"], ["art"])
    assert_equal(found, read_oneroster(tmp_path / name))


@pytest.mark.parametrize("name", ["empty", "none"])
def test_a_path_of_neither_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError) as error:
        read_source(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)


def test_a_bundle_may_hold_so_many_bytes_and_no_more(roster: Roster, tmp_path: Path) -> None:
    roster.to_oneroster(tmp_path / "district")
    size = sum(file.stat().st_size for file in (tmp_path / "district").iterdir())
    assert read_oneroster(tmp_path / "district", max_bytes=size).orgs["id"].tolist() == ["north"]
    with pytest.raises(BundleError) as error:
        read_oneroster(tmp_path / "district", max_bytes=10)
    assert str(tmp_path / "district") in str(error.value)


@pytest.mark.parametrize("reader", [open_roster, read_oneroster])
def test_what_is_not_a_path_is_named(reader: Callable[[object], Roster]) -> None:
    with pytest.raises(TypeError) as error:
        reader(7)
    assert str(error.value).endswith("needs a path, not an int. Give it the path of a file or folder.")
