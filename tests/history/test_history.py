"""A folder of days: each is opened as it was added, whatever happens to the process that adds."""

import datetime as dt
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from builders import course, link, make, section, student, teacher
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rosters import rosters

import kimono_explore as kx
from kimono_explore.errors import BundleError, ConfigurationError
from kimono_explore.files.snapshot import PARTS
from kimono_explore.history import kept
from kimono_explore.history.segment import segments
from kimono_explore.roster.roster import Roster

MONDAY = dt.date(2026, 10, 5)


def day(n: int) -> dt.date:
    return MONDAY + dt.timedelta(days=n)


def assert_same(ours: Roster, theirs: Roster) -> None:
    for name in PARTS:
        pd.testing.assert_frame_equal(getattr(ours, name), getattr(theirs, name), obj=name)
    assert (ours.source, ours.loaded_at, ours.rollups) == (theirs.source, theirs.loaded_at, theirs.rollups)


def as_saved(roster: Roster, folder: Path) -> Roster:
    roster.save(folder)
    return kx.open_roster(folder)


def copy(roster: Roster, **tables: pd.DataFrame) -> Roster:
    parts = {name: getattr(roster, name) for name in PARTS} | tables
    return Roster(**parts, source=roster.source, loaded_at=roster.loaded_at, rollups=roster.rollups)


@pytest.fixture
def school() -> Roster:
    return make(
        student("ana", ext_seats=3),
        student("cem"),
        teacher("ben"),
        course(),
        section("math", title="Math 5"),
        section("art", title="Art 5"),
        link("ana student_in math", status="Active"),
        link("cem student_in math"),
        link("ben teacher_in math"),
        link("math of_course algebra"),
    )


@st.composite
def edited(draw: st.DrawFn, roster: Roster) -> Roster:
    """A roster with rows taken away, repeated, moved and changed, and columns that come, go and change their type."""
    tables = {}
    for name in PARTS:
        df: pd.DataFrame = getattr(roster, name)
        if len(df):
            rows = draw(st.lists(st.integers(0, len(df) - 1), max_size=len(df) + 2))
            df = df.iloc[rows if draw(st.booleans()) else sorted(set(rows))].reset_index(drop=True)
        if len(df) and name not in ("links", "problems") and draw(st.booleans()):
            column = draw(st.sampled_from(["id", "ext_new", "kept_from"]))
            df = df.assign(
                **{column: pd.Series([draw(st.none() | st.text("ab", max_size=2)) for _ in df.index], dtype="str")}
            )
        if len(df) and name not in ("links", "problems") and draw(st.booleans()):
            df = df.assign(
                ext_odd=pd.array(
                    [draw(st.integers(0, 3)) for _ in df.index], dtype=draw(st.sampled_from(["Int64", "Float64"]))
                )
            )
        tables[name] = df
    return Roster(**tables, source=draw(st.text(max_size=5)), loaded_at=draw(st.datetimes(timezones=st.just(dt.UTC))),
                  rollups=frozenset(draw(st.sets(st.sampled_from(sorted(roster.rollups or {"persons.$schools"}))))))  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_each_day_is_opened_as_it_was_added(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("days")
    days, added = kx.history(folder / "history"), []
    roster = data.draw(rosters())
    for n in range(data.draw(st.integers(1, 3))):
        added.append(as_saved(roster, folder / f"{n}"))
        days.add(roster, day(n))
        again = data.draw(st.booleans())
        roster = data.draw(edited(roster) | rosters())
        if again:
            days.add(roster, day(n))
            added[-1] = as_saved(roster, folder / f"{n}")
    for n, one in enumerate(added):
        assert_same(days.open(day(n)), one)
    for n, (old, new) in enumerate(pairwise(added), 1):
        summary = kx.compare(old, new).summary.set_index("table")
        row = days.table().iloc[n]
        assert {f"{t}_{k}": row[f"{t}_{k}"] for t in summary.index for k in ("added", "removed", "changed")} == {
            f"{t}_{k}": summary.loc[t, k] for t in summary.index for k in ("added", "removed", "changed")
        }


def test_a_long_run_of_days_is_followed_by_another(
    tmp_path: Path, school: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_FEW_VERSIONS", 20)
    monkeypatch.setattr(kept, "_MAX_VERSIONS_PER_ROW", 2)
    days = kx.history(tmp_path / "days")
    added = []
    for n in range(12):
        added.append(
            copy(school, persons=school.persons.assign(name_last=f"Silva {n}"), links=school.links.iloc[n % 3 :])
        )
        days.add(added[-1], day(n))
        days.add(added[-1], day(n))
    assert len(segments(days.folder)) > 2
    assert days.days == [day(n) for n in range(12)]
    for n, one in enumerate(added):
        assert_same(days.open(day(n)), as_saved(one, tmp_path / "one"))
    assert days.stays("persons", "ana").to_numpy().tolist() == [[pd.Timestamp(day(0)), pd.Timestamp(day(11)), 12]]
    told = days.changes("persons", "ana").query("column == 'name_last'")
    assert told["new"].tolist() == [f"Silva {n}" for n in range(1, 12)]


def test_rows_in_another_order_each_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_FEW_VERSIONS", 100)
    roster = make(*(student(f"s{n}") for n in range(60)))
    days = kx.history(tmp_path / "days")
    for n in range(8):
        days.add(copy(roster, persons=roster.persons.sample(frac=1, random_state=n, ignore_index=True)), day(n))
    assert days.table().filter(like="persons_").iloc[1:].to_numpy().sum() == 0
    for n in range(8):
        there = days.open(day(n)).persons["id"].tolist()
        assert there == roster.persons.sample(frac=1, random_state=n)["id"].tolist()


def test_the_day_is_that_of_the_load(tmp_path: Path, school: Roster) -> None:
    school.loaded_at = dt.datetime(2026, 10, 5, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
    days = kx.history(tmp_path)
    days.add(school)
    assert days.days == [dt.date(2026, 10, 6)]
    assert days.open("2026-10-06").loaded_at == school.loaded_at


def test_days_are_added_in_order(tmp_path: Path, school: Roster) -> None:
    days = kx.history(tmp_path)
    days.add(school, "2026-10-05")
    days.add(school, "2026-10-07")
    with pytest.raises(ValueError, match="2026-10-05 is before 2026-10-07, the last day in the history"):
        days.add(school, "2026-10-05")
    with pytest.raises(ValueError, match="2026-10-06 is not kept; the nearest: 2026-10-05, 2026-10-07"):
        days.open("2026-10-06")
    assert repr(days) == f"<History: 2 days, 2026-10-05 to 2026-10-07, 1 gap; {tmp_path}>"
    assert days.gaps.to_numpy().tolist() == [[pd.Timestamp("2026-10-06"), pd.Timestamp("2026-10-06"), 1]]


def test_an_empty_history_says_so(tmp_path: Path) -> None:
    days = kx.history(tmp_path / "nothing")
    assert (days.days, len(days.table()), len(days.gaps)) == ([], 0, 0)
    assert not (tmp_path / "nothing").exists()
    with pytest.raises(ValueError, match="no days are kept yet"):
        days.open("2026-10-06")
    with pytest.raises(KeyError, match="No person has the id 'ana' on any of 0 days"):
        days.changes("persons", "ana")


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, school: Roster) -> None:
    school.save(tmp_path / "monday")
    for folder in (tmp_path / "monday", tmp_path / "monday" / "manifest.json"):
        with pytest.raises(BundleError, match="is not empty and is not a history"):
            kx.history(folder)


def test_the_life_of_a_student(tmp_path: Path, school: Roster) -> None:
    days = kx.history(tmp_path)
    days.add(school, day(0))
    moved = school.links.replace({"target_id": {"math": "art"}}).iloc[[0]]
    later = copy(
        school,
        persons=school.persons.assign(name_last=["Souza", "Silva", "Berg"]),
        links=pd.concat([moved, school.links.iloc[1:]], ignore_index=True),
    )
    days.add(later, day(3))
    days.add(copy(later, persons=later.persons.iloc[1:]), day(4))
    days.add(later, day(5))
    days.add(copy(later, links=later.links.assign(status="Ended")), day(6))
    told = days.changes("persons", "ana")
    rows = told.drop(columns=["day", "day_before"]).astype(object).where(told.notna(), None).iloc[:, 0:]
    assert [(pd.Timestamp(d).date() - MONDAY).days for d in told["day"]] == [0, 3, 3, 3, 4, 5, 6]
    assert told["day_before"].iloc[1] == pd.Timestamp(MONDAY)
    assert rows.to_numpy().tolist() == [
        ["first seen", None, None, None, None, None],
        ["changed", "name_last", "Silva", "Souza", None, None],
        ["link gone", "student_in", "Math 5", None, "section", "math"],
        ["link added", "student_in", None, "Art 5", "section", "art"],
        ["gone", None, None, None, None, None],
        ["back", None, None, None, None, None],
        ["link changed", "student_in.status", "Active", "Ended", "section", "art"],
    ]
    assert days.stays("persons", "ana")["days"].tolist() == [2, 2]
    with pytest.raises(ValueError, match="Unknown table 'people'"):
        days.changes("people", "ana")


def test_who_was_in_a_section_on_a_day(tmp_path: Path, school: Roster) -> None:
    days = kx.history(tmp_path)
    days.add(school, "2026-03-03")
    days.add(copy(school, links=school.links.iloc[1:]), "2026-03-04")
    for when, who in (("2026-03-03", ["ana", "cem"]), ("2026-03-04", ["cem"])):
        there = days.links_of("math", when)
        pd.testing.assert_frame_equal(there, days.open(when).describe("math").relations)
        assert there.query("relation == 'student_in'")["id"].tolist() == who
    with pytest.raises(KeyError, match="zoe"):
        days.links_of("zoe", "2026-03-04")


def test_copies_of_an_id_are_followed(tmp_path: Path) -> None:
    days = kx.history(tmp_path)
    days.add(make(student("ana"), student("ana", name_last="Two")), day(0))
    days.add(make(student("ana"), student("ana", name_last="Three"), student("ana", name_last="Four")), day(1))
    days.add(make(student("ana")), day(2))
    assert days.changes("persons", "ana")["what"].tolist() == [
        "first seen", "changed", "copy added", "copy gone", "copy gone"]  # fmt: skip


def test_a_report_is_kept_with_its_day(tmp_path: Path, school: Roster) -> None:
    days = kx.history(tmp_path)
    report = kx.check(school)
    days.add(school, day(0), report=report)
    days.add(school, day(1))
    table = days.table()
    counts = report.findings["severity"].value_counts()
    assert table.loc[0, "error"] == counts.get("error", 0)
    assert (table.loc[0, "score"] == report.score) or (pd.isna(table.loc[0, "score"]) and report.score is None)
    assert table.loc[1, ["score", "error", "warning", "information"]].isna().all()
    assert table["persons"].tolist() == [3, 3]
    assert table["missing"].tolist() == [0, 0]


def test_its_owner_alone_may_read_it(tmp_path: Path, school: Roster) -> None:
    days = kx.history(tmp_path / "days")
    days.add(school, day(0))
    days.add(school, day(1))
    for path in (days.folder, *days.folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 or path.name == ".lock", path


def test_anyone_can_read_a_day(tmp_path: Path, school: Roster) -> None:
    import duckdb

    days = kx.history(tmp_path / "days")
    days.add(school, day(0))
    days.add(copy(school, persons=school.persons.iloc[1:]), day(1))
    query = "SELECT id FROM '{}/2026-10-05/persons.parquet' WHERE DATE '{}' BETWEEN kept_from AND kept_until"
    with duckdb.connect() as connection:
        found = [[row[0] for row in connection.sql(query.format(days.folder, day(n))).fetchall()] for n in (0, 1)]
    assert found == [["ana", "cem", "ben"], ["cem", "ben"]]


@pytest.mark.parametrize("name", ["persons.parquet", "links.parquet", "days.parquet", "manifest.json"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone", "empty"])
def test_damage_is_said(tmp_path: Path, school: Roster, name: str, damage: str) -> None:
    days = kx.history(tmp_path / "days")
    days.add(school, day(0))
    days.add(copy(school, persons=school.persons.iloc[1:]), day(1))
    file = days.folder / "2026-10-05" / name
    content = bytearray(file.read_bytes())
    if damage == "gone":
        file.unlink()
    else:
        content[len(content) // 2] ^= 0xFF
        file.write_bytes({"flipped": content, "cut": content[: len(content) // 2], "empty": b""}[damage])
    before = sorted(path.read_bytes() for path in days.folder.rglob("*.*") if path.is_file() and path.suffix != ".lock")
    for ask in (lambda: days.open(day(0)), lambda: days.add(school, day(2)), lambda: days.add(school, day(1))):
        with pytest.raises(BundleError, match="is damaged"):
            ask()
    after = sorted(path.read_bytes() for path in days.folder.rglob("*.*") if path.is_file() and path.suffix != ".lock")
    assert before == after


def test_a_later_format_is_left_alone(tmp_path: Path, school: Roster) -> None:
    days = kx.history(tmp_path / "days")
    days.add(school, day(0))
    file = days.folder / "2026-10-05" / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "format": 99}))
    with pytest.raises(BundleError, match="later version"):
        days.add(school, day(1))


ADD = """
import sys, time, pathlib, kimono_explore as kx
folder, roster = sys.argv[1], kx.open_roster(sys.argv[2])
kx.check, kx.compare(roster, roster).summary
print("ready", flush=True)
kx.history(folder).add(roster, "2026-10-07")
print("done", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("wait", [0.0, 0.05, 0.1, 0.2])
def test_a_kill_loses_at_most_the_day_that_is_added(tmp_path: Path, school: Roster, wait: float) -> None:
    days = kx.history(tmp_path / "days")
    later = copy(school, persons=school.persons.iloc[1:])
    days.add(school, day(0))
    days.add(later, day(1))
    as_saved(school, tmp_path / "new")
    code = [sys.executable, "-c", ADD, str(days.folder), str(tmp_path / "new")]
    with subprocess.Popen(code, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(wait)
        os.kill(process.pid, signal.SIGKILL)
    assert days.days in ([day(0), day(1)], [day(0), day(1), day(2)])
    assert_same(days.open(day(0)), as_saved(school, tmp_path / "one"))
    assert_same(days.open(day(1)), as_saved(later, tmp_path / "one"))
    days.add(school, day(2))
    assert_same(days.open(day(2)), as_saved(school, tmp_path / "one"))
    assert [path.name for path in days.folder.iterdir() if path.name not in (".lock", ".2026-10-05.lock")] == [
        "2026-10-05"
    ]


KILLED = """
import os, signal, sys, kimono_explore as kx
folder, roster, step, count = sys.argv[1], kx.open_roster(sys.argv[2]), int(sys.argv[3]), 0
kx.compare(roster, roster).summary

def watch(event, _arguments):
    global count
    if event in ("os.mkdir", "os.rename", "os.chmod", "shutil.rmtree", "os.remove", "os.rmdir"):
        count += 1
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)

days = kx.history(folder)
sys.addaudithook(watch)
days.add(roster, "2026-10-06")
"""


@pytest.mark.parametrize("step", [1, 2, 5, 6, 15, 16, 17, 18, 19, 20, 28, 29, 30, 31])
def test_a_kill_between_any_two_steps(tmp_path: Path, school: Roster, step: int) -> None:
    """A process that ends at the n-th change of a folder."""
    days = kx.history(tmp_path / "days")
    days.add(school, day(0))
    as_saved(school, tmp_path / "new")
    code = [sys.executable, "-c", KILLED, str(days.folder), str(tmp_path / "new"), str(step)]
    done = subprocess.run(code, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert days.days in ([day(0)], [day(0), day(1)])
    assert_same(days.open(day(0)), as_saved(school, tmp_path / "one"))
    days.add(school, day(1))
    assert days.days == [day(0), day(1)]


def test_one_writer_at_a_time(tmp_path: Path, school: Roster, monkeypatch: pytest.MonkeyPatch) -> None:
    days = kx.history(tmp_path / "days")
    days.add(school, day(0))
    inside, go_on = threading.Event(), threading.Event()
    write = kept.write_segment

    def slowly(*arguments: object) -> None:
        inside.set()
        go_on.wait(20)
        write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(kept, "write_segment", slowly)
    writer = threading.Thread(target=lambda: days.add(school, day(1)))
    writer.start()
    inside.wait(20)
    with pytest.raises(ConfigurationError, match="is being written by another process"):
        kx.history(days.folder).add(school, day(1))
    assert days.days == [day(0)]
    go_on.set()
    writer.join()
    assert days.days == [day(0), day(1)]


def test_readers_see_one_state_while_days_are_added(tmp_path: Path, school: Roster) -> None:
    days = kx.history(tmp_path / "days")
    days.add(school, day(0))
    first = as_saved(school, tmp_path / "one")
    writer = threading.Thread(target=lambda: [days.add(school, day(n)) for n in range(1, 12)])
    writer.start()
    while writer.is_alive():
        assert_same(days.open(day(0)), first)
        seen = days.days  # asked once: meanwhile another day may be there
        assert seen == [day(n) for n in range(len(seen))]
    assert len(days.days) == 12


def test_what_is_no_day_and_no_id_is_named(tmp_path: Path) -> None:
    days = kx.history(tmp_path / "days")
    for wrong in ("yesterday", 5):
        with pytest.raises(ValueError, match=f'{wrong!r} is not a day. Write it as "2026-10-05"'):
            days.add(kx.Roster(), wrong)  # type: ignore[arg-type]
    days.add(kx.Roster(), "2026-10-05")
    with pytest.raises(KeyError, match="No person has the id 5 on any"):
        days.changes("persons", 5)  # type: ignore[arg-type]
