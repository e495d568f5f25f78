"""A roster of 1,000,000 students once 10,000 events are processed, beside what pandas offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

import kimono_explore as kx
from benchmarks import looking
from kimono_explore.json_text import encode
from kimono_explore.tasks import task_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Task = dict[str, object]


def prepare(folder: Path, size: float) -> None:
    """A million students, and a queue: for each ten events six changes, a new student, two enrollments, a student who goes."""
    looking.prepare_million(folder, size)
    roster = kx.open_roster(folder / "million")
    count = max(10, int(10_000 * size))
    step = max(1, len(roster.persons) // count)
    ids, sections = roster.persons["id"].iloc[::step].tolist(), roster.sections["id"].tolist()
    lines = [encode(task) for task in _events(ids[:count], sections)]
    (folder / "tasks.jsonl").write_text("\n".join(lines), encoding="utf-8")


def _events(ids: list[str], sections: list[str]) -> Iterator[Task]:
    for n, id in enumerate(ids):
        kind, action, about = "RDM:STUDENT", "UPDATE", id
        data: Task | None = {"$sys": {"id": id}, "email": f"{n}@new.example.org"}
        if n % 10 == 6:
            action, about = "ADD", f"new-{n}"
            data = {
                "$sys": {"id": about, "person_type": "student"},
                "name": {"last": "New"},
                "email": f"{n}@new.example.org",
            }
        elif n % 10 in (7, 8):
            kind, action, about = "RDM:STUDENT_COURSE_SECTION_ENROLLMENT", "ADD", f"member-{n}"
            section = f"{sections[n % len(sections)]}"
            data = {"$sys": {"id": about}, "$person": {"id": id}, "$section": {"id": section}, "status": "Active"}
        elif n % 10 == 9:
            action, data = "DELETE", None
        common = {"type": "data_event", "id": f"task-{n}", "tenant_id": "t", "sequence": n, "action": action}
        yield {"schema": "3.0.0", **common, "object_type": kind, "object_id": about, "data": data}


def _read(folder: Path) -> tuple[kx.Roster, pd.DataFrame]:
    rows = (folder / "tasks.jsonl").read_bytes().splitlines()
    return kx.open_roster(folder / "million"), task_table(rows)


def ours(folder: Path) -> Callable[[], object]:
    """`apply_tasks`."""
    roster, tasks = _read(folder)
    return lambda: _found(kx.apply_tasks(roster, tasks))


def in_pandas(folder: Path) -> Callable[[], object]:
    """`json_normalize`, `update` and `concat`: for this queue only, without a look at what cannot be applied."""
    roster, tasks = _read(folder)
    return lambda: _found(_updated(roster, tasks))


def _updated(roster: kx.Roster, tasks: pd.DataFrame) -> kx.Roster:
    people = tasks[tasks["object_type"] == "RDM:STUDENT"]
    enrolled = pd.json_normalize(tasks.loc[tasks["object_type"] != "RDM:STUDENT", "data"].tolist())
    said = pd.json_normalize(people["data"].dropna().tolist(), sep="_").rename(columns={"$sys_id": "id"})
    said = said.rename(columns={"$sys_person_type": "person_type"}).drop_duplicates("id", keep="last").set_index("id")
    gone = people.loc[people["action"] == "DELETE", "object_id"]
    persons = roster.persons.set_index("id")
    persons.update(said)
    new = said[~said.index.isin(persons.index)]
    persons = pd.concat([persons[~persons.index.isin(gone)], new]).reset_index()
    links = pd.DataFrame({"source_id": enrolled["$person.id"], "target_id": enrolled["$section.id"]})
    links = pd.concat([roster.links[~roster.links["source_id"].isin(gone)], links], ignore_index=True)
    return kx.Roster(persons=persons, sections=roster.sections, links=links)


def _found(roster: kx.Roster) -> list[int]:
    changed = roster.persons["email"].str.endswith("@new.example.org").sum()
    return [len(roster.persons), len(roster.links), int(changed), int(roster.persons["name_last"].eq("New").sum())]
