"""Trials of what the library promises under faults: how one is made, and how its end is judged.

`test_reliability` makes a share of them at each run of the tests, `reliability` all of them for docs/reliability.md.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import shutil
import threading
import time
from collections import Counter
from concurrent.futures import TimeoutError as LateError
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

import kimono_explore as kx
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.sample_tasks import make_tasks
from kimono_explore.schema import OBJECT_TYPES, TABLES
from kimono_explore.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OUTCOMES = ("equal", "named", "error", "silent", "hang", "foreign", "torn")
GOOD = OUTCOMES[:3]
SEED = int(os.environ.get("KIMONO_SEED", time.time_ns() // 1000 % 10**8))
LONGEST = 20.0  # seconds; a trial that takes longer hangs
SLOW = ("slow", "slow_after", "slow_head", "trickle")
MOVING = ("row_deleted", "row_inserted")
_FAULTS = kx.Faults.names().set_index("name")
LOADS = _FAULTS.index[_FAULTS["where"] != "writes"].tolist()
WRITES = _FAULTS.index[_FAULTS["where"].isin(["any", "writes"])].tolist()


class End(NamedTuple):
    """How a trial ended, and the words for it."""

    outcome: str
    words: str = ""


def small_roster() -> kx.Roster:
    """A district whose longer lists have two and three pages of seven."""
    whole = make_district(20, seed=7)
    sizes = {"persons": 16, "courses": 8, "sections": 7, "terms": 3, "grading_categories": 3}
    tables = {name: df.head(sizes.get(name, 7)) for name, df in whole.tables.items()}
    here = {(OBJECT_TYPES[name], id) for name, df in tables.items() for id in df["id"]}
    links = whole.links
    ends = [zip(links[f"{end}_type"], links[f"{end}_id"], strict=True) for end in ("source", "target")]
    kept = [one in here and other in here for one, other in zip(*ends, strict=True)]
    return kx.Roster(**tables, links=links[kept].reset_index(drop=True), rollups=whole.rollups)


class Bench:
    """A sandbox whose faults are changed from trial to trial, and clients with short waits."""

    def __init__(self, box: kx.Sandbox) -> None:
        self.box = box
        options = {"token": box.credentials.token, "retries": 2}
        self.client = kx.connect(box.base_url, timeout=kx.Timeouts(2, 1, 3), **options)
        self.hasty = kx.connect(box.base_url, timeout=kx.Timeouts(1, 0.3, 0.6), **{**options, "retries": 1})
        self.tasks = make_tasks(box.roster, 7)
        self.truth = kx.load_roster(self.client, progress=False)

    def put(self, name: str, seed: str) -> kx.Client:
        """Let a fault strike as the seed says, and return the client to try."""
        chance = random.Random(seed)
        rate, times = chance.choice([(0.1, None), (0.3, None), (0.3, 2), (1.0, 1), (1.0, None)])
        self.box.faults = kx.Faults({name: rate}, chance.randrange(2**31), times, pause=0.8)
        return self.hasty if name in SLOW else self.client


@contextmanager
def bench() -> Iterator[Bench]:
    """A bench, and retries without their waits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kimono_explore.api.transport.BoundedRetry._calculate_sleep", lambda *_: 0.0)
        dialect = kx.Dialect(max_page_size=7)
        with kx.sandbox(small_roster(), dialect=dialect, faults={}) as box:
            made = Bench(box)
            with made.client, made.hasty:
                yield made


def bounded(trial: Callable[[], End]) -> End:
    """The end of a trial, which is a hang after `LONGEST` seconds."""
    try:
        return in_thread(trial).result(LONGEST)
    except LateError:
        return End("hang")
    except BaseException as error:  # noqa: BLE001
        return End("foreign", repr(error)[:300])
    finally:
        for thread in threading.enumerate():  # requests still under way belong to this trial
            if thread.name == "kimono-page":
                thread.join(1.0)


# Loads.


def struck(trial: Callable[[Bench, str, str], End]) -> Callable[[Bench, str, str], End]:
    """A trial that is made again, up to nine times, where the fault did not strike."""

    def again(bench: Bench, name: str, seed: str) -> End:
        for n in range(10):
            end = trial(bench, name, f"{seed} {n}")
            if name == "refused":
                time.sleep(0.12)  # the next trial finds the door open
            if bench.box.faults.injected or end.outcome not in GOOD:
                return end
        return End("foreign", f"{name} never struck; {end}")

    return again


@struck
def load(bench: Bench, name: str, seed: str) -> End:
    """Load the roster under a fault."""
    client = bench.put(name, seed)

    def trial() -> End:
        try:
            roster = kx.load_roster(client, progress=False, max_pages=20)
        except kx.KimonoError as error:
            return judge_error(error, bench.box.credentials.token)
        return judge(bench.truth, roster, moved(bench) if name in MOVING else set(), bench.box.credentials.token)

    return bounded(trial)


def judge_error(error: kx.KimonoError, token: str) -> End:
    """An error names the operation and the page, and shows no secret."""
    clear = re.search(r"(rostering|grades)/\w+.*\bpage", str(error)) and token not in str(error)
    return End("error" if clear else "foreign", f"{type(error).__name__}: {error}")


def moved(bench: Bench) -> set[str]:
    """What the server put in or deleted while it was read: true with it and without."""
    lists = [state.rows for _, state in bench.box.faults._lasting.values()]
    there = {row["$sys"]["id"] for rows in lists for row in rows}
    tables = [set(df["id"]) for df in bench.truth.tables.values()]
    return there.symmetric_difference(set().union(*[ids for ids in tables if ids & there]))


def judge(truth: kx.Roster, roster: kx.Roster, moved: set[str], token: str | None = None) -> End:
    """The one oracle: every row and link is as in the truth, or ``problems`` names the row or speaks of its list."""
    problems = roster.problems
    told = {(table, id) for table, id in problems.loc[problems["id"].notna(), ["table", "id"]].itertuples(index=False)}
    lists = set(problems.loc[problems["id"].isna(), "table"])
    rows = {
        (name, id)
        for name in TABLES
        for id in differing(by_id(truth.tables[name]), by_id(roster.tables[name]))
        if id not in moved
    }
    unnamed = [row for row in rows if row[0] not in lists and row not in told]
    touched = {(OBJECT_TYPES[name], id) for name, id in rows} | {(kind, id) for kind in _KINDS for id in moved}
    kinds = {OBJECT_TYPES[name] for name in lists & set(OBJECT_TYPES)}
    links = set(as_links(truth)) ^ set(as_links(roster))
    unnamed += [
        link
        for link in links
        if not {link[:2], link[2:4]} & touched and not {link[0], link[2]} & kinds and "links" not in lists
    ]
    words = "; ".join(problems["problem"].astype("str").unique())[:500]
    if token and token in problems.to_csv():
        return End("foreign", "the token is among the problems")
    if unnamed:
        return End("silent", f"{unnamed[:3]} of {len(unnamed)}; told: {words}")
    return End("named" if rows or {link for link in links if not {link[1], link[3]} & moved} else "equal", words)


_KINDS = tuple(OBJECT_TYPES.values())


def differing(ours: dict[object, Counter], theirs: dict[object, Counter]) -> set[object]:
    return {id for id in ours.keys() | theirs.keys() if ours.get(id) != theirs.get(id)}


def by_id(df) -> dict[object, Counter]:
    """The rows of a table by id, each as the set of what it holds."""
    found: dict[object, Counter] = {}
    for row in df.to_dict("records"):
        held = frozenset((key, str(value)) for key, value in row.items() if value == value and value is not None)
        found.setdefault(row["id"] if row["id"] == row["id"] else None, Counter())[held] += 1
    return found


def as_links(roster: kx.Roster) -> list[tuple[object, ...]]:
    columns = ["source_type", "source_id", "target_type", "target_id"]
    links = roster.links
    rest = links[[name for name in links if name not in columns]]
    texts = [str([str(value) for value in row]) for row in rest.itertuples(index=False)]
    return list(zip(*(links[name] for name in columns), texts, strict=True))


# Acknowledgements and deletions.


@struck
def write(bench: Bench, name: str, seed: str) -> End:
    """Acknowledge some tasks and delete one, under a fault; the queue's own books are the truth."""
    queue, chance = bench.box.queue, random.Random(seed)
    queue.__init__(bench.tasks)
    ids = [str(task["id"]) for task in chance.sample(bench.tasks, 9)]
    batch, lone = [*ids[:8], *["missing"] * chance.choice([0, 0, 1])], ids[8]
    client = bench.put(name, seed)

    def trial() -> End:
        one, other = acknowledge(client, queue, batch), delete(client, queue, lone)
        worst = max(one, other, key=lambda end: OUTCOMES.index(end.outcome))
        return End("foreign", "the token is shown") if client._auth.secrets()[0] in worst.words else worst

    return bounded(trial)


def acknowledge(client: kx.Client, queue: object, batch: list[str]) -> End:
    """Acknowledge, and compare what is said of each task with the books."""
    words = ""
    try:
        outcomes = kx.ack_tasks(client, batch)
    except kx.AckError as error:
        outcomes, words = error.outcomes, str(error)
    taken = Counter(str(ack["task_id"]) for ack in queue.acknowledged)
    wrong = [
        (id, outcome)
        for id, outcome in zip(outcomes["id"], outcomes["outcome"], strict=True)
        # After a lost answer, a task that never was there cannot be told from one that was taken: both are gone.
        if (outcome == "done" and (queue.find(id) is not None or (taken[id] != 1 and id != "missing")))
        or (outcome in ("refused", "not sent") and taken[id])
        or taken[id] > 1
        or not (words or outcome == "done")
    ]
    if wrong or outcomes["id"].tolist() != list(dict.fromkeys(batch)):
        return End("silent", f"{wrong} {words}")
    return End("named" if words else "equal", words)


def delete(client: kx.Client, queue: object, id: str) -> End:
    """Delete, and compare what is said with the books."""
    try:
        kx.delete_task(client, id)
    except kx.AckUnknownError as error:
        return End("named", str(error))
    except kx.KimonoError as error:
        there = queue.find(id) is not None
        return End("error" if there and "tasks/admin" in str(error) else "silent", str(error))
    return End("equal") if queue.find(id) is None else End("silent", f"{id} is still there")


# Kills.

FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(["kimono_explore.sandbox.district.build", "trials"])


def save_for_ever(folder: str) -> None:
    rosters = [make_district(20 + n, seed=n) for n in (1, 2)]
    for n in range(10_000):
        rosters[n % 2].save(folder)


def load_for_ever(base_url: str, token: str, folder: str) -> None:
    with kx.connect(base_url, token=token) as client:
        for _ in range(10_000):
            kx.load_roster(client, progress=False, resume=folder)


def killed(function: Callable[..., None], arguments: tuple[str, ...], seconds: float) -> None:
    """Run a function in a process that is killed."""
    process = FORK.Process(target=function, args=arguments, daemon=True)
    process.start()
    time.sleep(seconds)
    process.kill()
    process.join()


def kill_save(folder: Path, seed: str) -> End:
    """Kill a process that saves to a folder: there is the old snapshot or the new one, every digest right."""
    snapshot = folder / "monday"
    if not snapshot.exists():
        make_district(21, seed=1).save(snapshot)
    killed(save_for_ever, (str(snapshot),), random.Random(seed).uniform(0.05, 0.4))

    def trial() -> End:
        roster = kx.open_roster(snapshot, verify=True)
        count = int((roster.persons["person_type"] == "student").sum())
        whole = count in (21, 22) and judge(make_district(count, seed=count - 20), roster, set()).outcome == "equal"
        return End("equal") if whole else End("torn", f"{count} students")

    return bounded(trial)


def kill_load(bench: Bench, folder: Path, seed: str) -> End:
    """Kill a process that loads into a folder of pages, and go on where it was."""
    bench.box.faults = kx.Faults({})
    pages, chance = folder / "pages", random.Random(seed)
    shutil.rmtree(pages, ignore_errors=True)
    killed(load_for_ever, (bench.box.base_url, bench.box.credentials.token, str(pages)), chance.uniform(0.02, 0.6))

    def trial() -> End:
        end = judge(bench.truth, kx.load_roster(bench.client, progress=False, resume=pages), set())
        return End("torn", end.words) if end.outcome != "equal" or pages.exists() else end

    return bounded(trial)


# Bundles.


def read_bundle(folder: Path, files: dict[str, str | bytes | None], told: str) -> End:
    """Read a bad bundle: its oddity is named, or it is an error that names it."""
    from test_oneroster import FILES

    folder.mkdir(parents=True)
    for name, text in (FILES | files).items():
        if text is not None:
            (folder / f"{name}.csv").write_bytes(text.encode() if isinstance(text, str) else text)

    def trial() -> End:
        try:
            problems = kx.read_oneroster(folder).problems["problem"]
        except kx.BundleError as error:
            return End("error" if told in str(error) else "foreign", str(error))
        return End("named" if problems.str.contains(told, regex=False).any() else "silent", "; ".join(problems))

    return bounded(trial)
