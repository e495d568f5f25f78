"""A run of days on disk: what is read back, what is passed over, and when a reader tries again."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from kimono_explore.errors import BundleError
from kimono_explore.files.snapshot import PARTS
from kimono_explore.history.segment import (
    CHANGED,
    COMPARED,
    Checked,
    Day,
    Segment,
    is_history,
    read,
    segments,
    write_segment,
)

if TYPE_CHECKING:
    from pathlib import Path

MONDAY, TUESDAY = date(2026, 10, 5), date(2026, 10, 6)
CHANGES = {part: {kind: n for n, kind in enumerate(CHANGED)} for part in COMPARED}
FOUND = Checked(91, {"error": 1, "warning": 0, "information": 7})


def a_day(day: date, **more: Any) -> Day:
    columns = {part: {"id": "id", "seats": "seats 2"} for part in PARTS}
    return Day(day, "a test", datetime(2026, 10, 5, 6, tzinfo=UTC), frozenset({"b", "a"}), columns,
               dict.fromkeys(PARTS, 2), **more)  # fmt: skip


def write(folder: Path, *days: Day) -> None:
    versions = pa.table({"id": ["a", "b", "a"], "n": [1, 2, 3]})
    write_segment(folder / str(days[0].day), dict.fromkeys(PARTS, versions), days)


def days_of(found: list[Segment]) -> list[date]:
    return [day.day for segment in found for day in segment.days]


@pytest.mark.parametrize(
    "more", [{}, {"changes": CHANGES}, {"checked": FOUND}, {"checked": Checked(None, FOUND.findings)}]
)
def test_a_day_is_read_as_it_was_written(tmp_path: Path, more: dict[str, Any]) -> None:
    written = a_day(MONDAY, **more)
    write(tmp_path, written)
    assert read(tmp_path, lambda found: [day for segment in found for day in segment.days]) == [written]


def test_versions_and_their_number(tmp_path: Path) -> None:
    write(tmp_path, a_day(MONDAY))
    (found,) = segments(tmp_path)
    assert found.counts() == dict.fromkeys(PARTS, 3)
    assert found.versions("orgs")["n"].to_pylist() == [1, 2, 3]
    text, number = found.file("orgs").read(["id", "n"]).columns
    assert (pa.types.is_dictionary(text.type), pa.types.is_int64(number.type)) == (True, True)


def test_runs_are_in_the_order_of_their_days(tmp_path: Path) -> None:
    assert (is_history(tmp_path), segments(tmp_path), is_history(tmp_path / "none")) == (False, [], False)
    for day in (TUESDAY, MONDAY):
        write(tmp_path, a_day(day))
    for name in (".2026-10-07.new", "2026-10-7", "notes"):
        (tmp_path / name).mkdir()
    assert days_of(segments(tmp_path)) == [MONDAY, TUESDAY]


def test_a_run_that_a_killed_writer_had_set_aside_is_still_read(tmp_path: Path) -> None:
    write(tmp_path, a_day(MONDAY))
    (tmp_path / str(MONDAY)).rename(tmp_path / f".{MONDAY}.old")
    assert is_history(tmp_path)
    assert read(tmp_path, days_of) == [MONDAY]


def test_a_reader_tries_again_after_a_writer(tmp_path: Path) -> None:
    write(tmp_path, a_day(MONDAY))
    seen: list[list[date]] = []

    def meanwhile(found: list[Segment]) -> list[date]:
        seen.append(days_of(found))
        if len(seen) < 3:
            write(tmp_path, a_day(MONDAY), *[a_day(TUESDAY)] * len(seen))
            raise OSError("replaced")
        return seen[-1]

    assert read(tmp_path, meanwhile) == [MONDAY, TUESDAY, TUESDAY]
    assert [len(days) for days in seen] == [1, 2, 3]


def test_a_reader_gives_up_where_nothing_was_written(tmp_path: Path) -> None:
    write(tmp_path, a_day(MONDAY))
    calls = []

    def fails(found: list[Segment]) -> None:
        calls.append(found)
        raise KeyError

    with pytest.raises(BundleError) as error:
        read(tmp_path, fails)
    assert str(error.value) == f"{tmp_path} is damaged (KeyError). Take its files from a backup."
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"format": 99, "sha256": {}}, "was written by a later version of kimono-explore; update to open it."),
        ({"format": 1, "sha256": {"days.parquet": ""}}, "its manifest does not name"),
        ({"format": 1, "sha256": []}, "is damaged ("),
        ([], "is damaged ("),
    ],
)
def test_a_manifest_that_cannot_be_used(tmp_path: Path, manifest: object, said: str) -> None:
    write(tmp_path, a_day(MONDAY))
    (tmp_path / str(MONDAY) / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError) as error:
        segments(tmp_path)
    assert said in str(error.value)


def test_a_file_that_was_changed_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, a_day(MONDAY))
    with (tmp_path / str(MONDAY) / "orgs.parquet").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(BundleError) as error:
        read(tmp_path, lambda found: found[0].versions("orgs"))
    assert "(orgs.parquet is not the file that was written)" in str(error.value)
    assert read(tmp_path, lambda found: found[0].versions("persons").num_rows) == 3
