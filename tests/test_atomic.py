"""A snapshot is the old one or the new one, whole, whatever happens while it is written."""

import errno
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import kimono_explore as kx
from kimono_explore.atomic import atomic_file, atomic_folder, whole
from kimono_explore.files.snapshot import PARTS
from kimono_explore.quality.context import CheckContext
from kimono_explore.quality.definition import CheckResult
from kimono_explore.sandbox.district.build import make_district

KILLS = int(os.environ.get("KIMONO_TRIALS_KILLS", "20"))
SAVER = """
import sys, time
from kimono_explore.sandbox.district.build import make_district
rosters = [make_district(20 + n, seed=n) for n in (1, 2)]
print("ready", flush=True)
for n in range(10_000):
    rosters[n % 2].save(sys.argv[1])
    time.sleep(0.1)
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def students(folder: Path) -> int:
    """How many students a snapshot holds; every digest and count is compared on the way."""
    roster = kx.open_roster(folder, verify=True)
    return int((roster.persons["person_type"] == "student").sum())


def test_a_save_that_is_killed_leaves_the_old_snapshot_or_the_new_one(tmp_path: Path) -> None:
    folder = tmp_path / "monday"
    make_district(21, seed=1).save(folder)
    rosters = [make_district(20 + n, seed=n) for n in (1, 2)]
    chance, found = random.Random(os.environ.get("KIMONO_SEED", "1")), Counter()
    for _ in range(KILLS):
        child = os.fork()
        if not child:
            for n in range(10_000):
                rosters[n % 2].save(folder)
        time.sleep(chance.uniform(0, 0.25))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found[students(folder)] += 1
    assert set(found) <= {21, 22}
    make_district(23, seed=3).save(folder)  # whatever the killed ones left is no hindrance, and is gone
    assert students(folder) == 23
    assert [path.name for path in tmp_path.iterdir()] == ["monday"]


@pytest.mark.parametrize("killed_after", ["the old one was put aside", "the new one was put in place"])
def test_both_moments_of_the_swap_are_recovered_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_after: str
) -> None:
    folder = tmp_path / "monday"
    make_district(21, seed=1).save(folder)
    renames = []
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        renames.append(target)
        if len(renames) == 2 and killed_after == "the old one was put aside":
            os._exit(9)
        moved = real(self, target)
        if len(renames) == 2:
            os._exit(9)
        return moved

    child = os.fork()
    if not child:
        monkeypatch.setattr(Path, "rename", rename)
        make_district(22, seed=2).save(folder)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert folder.exists() == (killed_after == "the new one was put in place")
    assert students(folder) == (22 if folder.exists() else 21)
    assert kx.check(folder, ["missing_id"]).summary["checked"].iloc[0] > 0
    with kx.sandbox(folder) as box:
        assert len(box.roster.persons) > 0
    make_district(23, seed=3).save(folder)
    assert students(folder) == 23
    assert [path.name for path in tmp_path.iterdir()] == ["monday"]


@pytest.mark.parametrize("part", [*PARTS, "manifest"])
def test_a_full_disk_leaves_the_old_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    folder = tmp_path / "monday"
    make_district(21, seed=1).save(folder)
    full = OSError(errno.ENOSPC, "No space left on device")
    real = pq.write_table

    def write_table(table: object, path: Path, **options: object) -> None:
        if path.stem == part:
            path.write_bytes(b"PAR1 half")
            raise full
        real(table, path, **options)

    monkeypatch.setattr(pq, "write_table", write_table)
    if part == "manifest":
        monkeypatch.setattr(Path, "write_text", lambda *_, **__: (_ for _ in ()).throw(full))
    with pytest.raises(kx.BundleError, match=r"No space left on device.*previous contents are intact"):
        make_district(22, seed=2).save(folder)
    assert students(folder) == 21
    assert [path.name for path in tmp_path.iterdir()] == ["monday"]


def test_readers_see_the_old_or_the_new_while_another_process_saves(tmp_path: Path) -> None:
    folder = tmp_path / "monday"
    make_district(21, seed=1).save(folder)
    process = subprocess.Popen([sys.executable, "-c", SAVER, str(folder)], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        found = Counter()
        until = time.monotonic() + 4
        while time.monotonic() < until:
            try:
                roster = kx.open_roster(folder)
            except kx.BundleError as error:  # on a busy machine the saver may be quicker, which is told
                assert "times while it was read" in str(error)
                continue
            count = int((roster.persons["person_type"] == "student").sum())
            found[count] += 1
            # 21 and 22 students came of different seeds: a mixture would refer to persons that are not there.
            named = roster.links[roster.links["relation"] == "student_in"]["source_id"]
            assert set(named) <= set(roster.persons["id"])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert set(found) == {21, 22}


def test_two_processes_that_save_to_one_folder_are_told(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "monday"), pytest.raises(kx.ConfigurationError, match="by another process"):
        make_district(20).save(tmp_path / "monday")
    make_district(20).save(tmp_path / "monday")
    assert students(tmp_path / "monday") == 20


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_a_check_of_a_snapshot_that_is_replaced_meanwhile_says_so(engine: str, tmp_path: Path) -> None:
    folder = tmp_path / "monday"
    make_district(21, seed=1).save(folder)

    @kx.define_check(
        "replacing", title="Replaces it", severity="information", tables=["orgs"], rule="It replaces.", why="A test."
    )
    def _(evidence: CheckContext) -> CheckResult:
        make_district(22, seed=2).save(folder)
        return CheckResult(evidence.objects("orgs"), evidence.objects("orgs"))

    with pytest.raises(kx.BundleError, match="was replaced"):
        kx.check(folder, ["replacing"], engine=engine)


@pytest.mark.parametrize("name", PARTS)
def test_a_damaged_file_is_found_by_its_digest(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "monday"
    make_district(20).save(folder)
    file = folder / f"{name}.parquet"
    body = bytearray(file.read_bytes())
    body[len(body) // 2] ^= 1
    file.write_bytes(bytes(body))
    with pytest.raises(kx.BundleError, match=rf"{name}\.parquet is not the file that was saved"):
        kx.open_roster(folder, verify=True)


def test_a_file_of_another_snapshot_is_found_by_its_rows(tmp_path: Path) -> None:
    for count in (20, 30):
        make_district(count).save(tmp_path / str(count))
    (tmp_path / "20" / "persons.parquet").write_bytes((tmp_path / "30" / "persons.parquet").read_bytes())
    with pytest.raises(kx.BundleError, match=r"persons has \d+ rows, not \d+"):
        kx.open_roster(tmp_path / "20")


def test_what_is_written_is_for_its_owner_alone_unless_opened(tmp_path: Path) -> None:
    roster = make_district(20)
    report = kx.check(roster, ["missing_id"])
    before = os.umask(0o022)
    try:
        roster.save(tmp_path / "mine")
        roster.save(tmp_path / "ours", private=False)
        for name in ("bundle", "bundle.zip"):
            roster.to_oneroster(tmp_path / f"mine-{name}")
            roster.to_oneroster(tmp_path / f"ours-{name}", private=False)
        for kind in ("html", "json", "csv"):
            getattr(report, f"to_{kind}")(tmp_path / f"mine.{kind}")
            getattr(report, f"to_{kind}")(tmp_path / f"ours.{kind}", private=False)
    finally:
        os.umask(before)
    assert {mode(path) for path in (tmp_path / "mine").iterdir()} == {0o600}
    assert {mode(path) for path in (tmp_path / "ours").iterdir()} == {0o644}
    assert (mode(tmp_path / "mine"), mode(tmp_path / "ours")) == (0o700, 0o755)
    assert (mode(tmp_path / "mine-bundle"), mode(tmp_path / "ours-bundle")) == (0o700, 0o755)
    assert (mode(tmp_path / "mine-bundle.zip"), mode(tmp_path / "ours-bundle.zip")) == (0o600, 0o644)
    assert {mode(tmp_path / f"mine.{kind}") for kind in ("html", "json", "csv")} == {0o600}
    assert {mode(tmp_path / f"ours.{kind}") for kind in ("html", "json", "csv")} == {0o644}


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError), atomic_file(path) as new:
        new.write_text("half\ud800", encoding="utf-8")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_written_from_threads_is_one_of_theirs(tmp_path: Path) -> None:
    refused = []

    def write(n: int) -> None:
        try:
            with atomic_folder(tmp_path / "f") as new:
                (new / "a").write_text(str(n))
                time.sleep(0.01)
                (new / "b").write_text(str(n))
        except kx.ConfigurationError as error:
            refused.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = whole(tmp_path / "f")
    assert (found / "a").read_text() == (found / "b").read_text()
    assert len(refused) < 8


def test_a_file_that_cannot_be_made_is_named_as_it_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, atomic_file(tmp_path / "nowhere" / "page.html"):
        pass
    assert caught.value.filename == str(tmp_path / "nowhere" / "page.html")
