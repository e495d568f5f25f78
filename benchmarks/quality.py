"""The checks, beside the same in plain pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import kimono_explore as kx
from benchmarks.plain_checks import TEN, ten_checks
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.flaws.catalogue import plant

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_OCTOBER = "2026-10-05"


def prepare(folder: Path, size: float) -> None:
    """A district with flaws, as a snapshot."""
    plant(make_district(int(200_000 * size)))[0].save(folder / "district")


def prepare_two(folder: Path, size: float) -> None:
    """The same, and one of a tenth."""
    prepare(folder, size)
    plant(make_district(int(20_000 * size)))[0].save(folder / "tenth")


def ours(folder: Path) -> Callable[[], object]:
    """The ten checks by `check`."""
    roster = kx.open_roster(folder / "district")
    # Of the ten, one has a second bound that the plain version does not have.
    params = {"oversize_section": {"from_size": 10**6}}

    def run() -> object:
        summary = kx.check(roster, TEN, as_of=_OCTOBER, params=params).summary
        return dict(zip(summary["id"], summary["failed"].tolist(), strict=True))

    return run


def in_pandas(folder: Path) -> Callable[[], object]:
    """The ten checks by hand."""
    roster = kx.open_roster(folder / "district")
    return lambda: ten_checks(roster)


def all_checks(folder: Path, name: str = "district") -> Callable[[], object]:
    """Every check."""
    roster = kx.open_roster(folder / name)
    return lambda: int(kx.check(roster, as_of=_OCTOBER).summary["failed"].sum())


def all_checks_of_a_tenth(folder: Path) -> Callable[[], object]:
    """Every check, on a tenth of the students."""
    return all_checks(folder, "tenth")
