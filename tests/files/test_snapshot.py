"""Snapshots: what is written is read again, and what was changed or is incomplete is said."""

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from builders import link, make, section, student, term

from kimono_explore.errors import BundleError
from kimono_explore.files import snapshot
from kimono_explore.files.snapshot import (
    PARTS,
    is_snapshot,
    new_snapshot,
    read_manifest,
    read_snapshot,
    write_manifest,
    write_snapshot,
)

NOON = dt.datetime(2026, 8, 17, 12, tzinfo=dt.UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = make(
        student("ana", dob="2012-05-01", ext_seats=3), section("s"), term(), link("ana student_in s", status="Active")
    )
    made.loaded_at = NOON
    write_snapshot(made, tmp_path / "monday")
    return tmp_path / "monday"


def change(folder: Path, **fields: Any) -> None:
    file = folder / "manifest.json"
    manifest = {**json.loads(file.read_text()), **fields}
    file.write_text(json.dumps({key: value for key, value in manifest.items() if value is not None}))


def test_what_is_written_is_read_again(folder: Path) -> None:
    read = read_snapshot(folder, verify=True)
    row = read.persons.iloc[0]
    assert row[["id", "dob", "ext_seats"]].tolist() == ["ana", pd.Timestamp("2012-05-01"), 3]
    assert read.links[["source_id", "relation", "target_id", "status"]].astype("str").to_numpy().tolist() == [
        ["ana", "student_in", "s", "Active"]
    ]
    assert (read.source, read.loaded_at) == ("a test", NOON)
    assert "persons.$sections" in read.rollups
    assert [str(read.links[name].dtype) for name in ("status", "start_date", "primary")] == [
        "category",
        "datetime64[us]",
        "boolean",
    ]
    assert read.persons.columns[-1] == "ext_seats"


def test_the_manifest_says_what_a_snapshot_is(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {name: manifest[name] for name in ("format", "source", "loaded_at")} == {
        "format": 1,
        "source": "a test",
        "loaded_at": "2026-08-17T12:00:00+00:00",
    }
    assert manifest["rows"] == {name: int(name in ("persons", "sections", "terms", "links")) for name in PARTS}
    assert manifest["sha256"] == {
        f"{name}.parquet": hashlib.sha256((folder / f"{name}.parquet").read_bytes()).hexdigest() for name in PARTS
    }
    assert manifest["rollups"] == sorted(manifest["rollups"])
    assert set(manifest["versions"]) == {"kimono-explore", "pandas", "pyarrow"}
    assert len(manifest["saved_as"]) == 32
    assert (folder / "manifest.json").read_text().endswith("}\n")
    assert read_manifest(folder).saved_as == manifest["saved_as"]


@pytest.mark.parametrize("private", [True, False])
def test_a_snapshot_is_its_owners_alone_unless_said_otherwise(tmp_path: Path, private: bool) -> None:
    write_snapshot(make(), tmp_path / "a", private=private)
    assert ((tmp_path / "a").stat().st_mode & 0o077 == 0) is private
    write_snapshot(make(), tmp_path / "b")
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"format": None}, "'format'"),
        ({"source": None}, "'source'"),
        ({"rows": 5}, "object has no attribute"),
        ({"loaded_at": "noon"}, "Invalid isoformat"),
        ({"rollups": 5}, "not iterable"),
        ({"rows": {"persons": 2}}, "persons has 1 rows, not 2"),
    ],
)
def test_a_manifest_that_was_changed_is_said(folder: Path, fields: dict[str, Any], why: str) -> None:
    change(folder, **fields)
    with pytest.raises(
        BundleError, match=r"is not a complete snapshot \(.*Make one with roster.save\(folder\)"
    ) as caught:
        read_snapshot(folder)
    assert why in str(caught.value)


def test_a_later_format_is_refused_and_an_earlier_one_is_read(folder: Path) -> None:
    change(folder, format=2)
    with pytest.raises(BundleError, match="was written by a later version of kimono-explore; update to open it"):
        read_snapshot(folder)
    change(folder, format=1, saved_as=None, sha256=None, rows={})
    read = read_manifest(folder)
    assert (read.saved_as, read.digests, read.rows) == ("", {}, {})
    assert len(read_snapshot(folder).persons) == 1
    with pytest.raises(BundleError, match="it was saved without digests by an earlier version: save it again"):
        read_snapshot(folder, verify=True)


def test_a_file_that_was_exchanged_is_found_by_its_digest(folder: Path) -> None:
    make(student("ben")).persons.to_parquet(folder / "persons.parquet")
    assert read_snapshot(folder).persons["id"].tolist() == ["ben"]
    with pytest.raises(BundleError, match=r"\(persons.parquet is not the file that was saved\)"):
        read_snapshot(folder, verify=True)


@pytest.mark.parametrize("digest", ["0" * 64, "f" * 64])
def test_any_other_digest_is_another_file(folder: Path, digest: str) -> None:
    change(folder, sha256={"terms.parquet": digest})
    with pytest.raises(BundleError, match=r"\(terms.parquet is not the file that was saved\)"):
        read_snapshot(folder, verify=True)


def test_a_new_snapshot_is_its_owners_alone(tmp_path: Path) -> None:
    with new_snapshot(tmp_path / "a") as new:
        write_manifest(new, make(), {})
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_the_manifest_can_be_read_by_people(tmp_path: Path) -> None:
    made = make()
    made.source = "Łódź"
    write_snapshot(made, tmp_path / "a")
    assert '\n  "source": "Łódź",\n' in (tmp_path / "a" / "manifest.json").read_text(encoding="utf-8")


def test_a_missing_table_is_said(folder: Path) -> None:
    (folder / "links.parquet").unlink()
    with pytest.raises(BundleError, match="is not a complete snapshot"):
        read_snapshot(folder)
    assert is_snapshot(folder)


def test_what_is_no_snapshot(tmp_path: Path) -> None:
    assert not is_snapshot(tmp_path)
    assert not is_snapshot(tmp_path / "nothing")
    with pytest.raises(BundleError, match="is not a complete snapshot"):
        read_manifest(tmp_path)


def test_a_snapshot_replaces_a_snapshot_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    write_snapshot(make(student("ben"), student("cleo")), folder)
    assert read_snapshot(folder).persons["id"].tolist() == ["ben", "cleo"]
    (tmp_path / "empty").mkdir()
    write_snapshot(make(), tmp_path / "empty")
    assert is_snapshot(tmp_path / "empty")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    for path in (tmp_path / "mine", tmp_path / "mine" / "letter.txt"):
        with pytest.raises(BundleError) as caught:
            write_snapshot(make(), path)
        assert (
            str(caught.value) == f"{path} is not empty and is not a snapshot; nothing was written. Name a new folder."
        )
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_a_folder_that_cannot_be_written_is_said(folder: Path) -> None:
    with pytest.raises(BundleError, match=r"could not be written: .*What was there before is still there\.") as caught:
        write_snapshot(make(), folder / "persons.parquet" / "a")
    assert isinstance(caught.value.__cause__, OSError)


def test_a_snapshot_that_is_replaced_while_it_is_read_is_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, times = snapshot._read, []

    def replacing(path: Path, name: str) -> pd.DataFrame:
        if name == "persons" and len(times) < limit:
            times.append(name)
            new = make(student(f"p{len(times)}"))
            new.loaded_at = NOON - dt.timedelta(hours=len(times))
            write_snapshot(new, folder)
        return read(snapshot.part(snapshot.whole(folder), name), name)

    monkeypatch.setattr(snapshot, "_read", replacing)
    limit = 4
    assert read_snapshot(folder).persons["id"].tolist() == ["p4"]
    times.clear()
    limit = 5
    with pytest.raises(
        BundleError, match=r"was replaced 5 times while it was read. Try again when no process is saving to it."
    ):
        read_snapshot(folder)


def test_a_manifest_that_is_just_being_swapped_is_asked_for_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def back(seconds: float) -> None:
        waits.append(seconds)
        (folder / "hidden").rename(folder / "manifest.json")

    (folder / "manifest.json").rename(folder / "hidden")
    monkeypatch.setattr("kimono_explore.files.snapshot.time.sleep", back)
    assert read_manifest(folder).source == "a test"
    assert len(waits) == 1
    assert 0 < waits[0] < 1


def test_a_table_may_be_a_folder_of_files(folder: Path) -> None:
    (folder / "persons").mkdir()
    (folder / "persons.parquet").rename(folder / "persons" / "0.parquet")
    change(folder, rows={})
    assert read_snapshot(folder).persons["id"].tolist() == ["ana"]
