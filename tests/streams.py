"""Random streams of data events, as any tenant might send them: sound ones, odd ones, repeated ones, in any wire version."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from kimono_explore.json_text import encode
from kimono_explore.sandbox.task_queue import render_task
from kimono_explore.tasks import task_table

if TYPE_CHECKING:
    import pandas as pd

    import kimono_explore as kx

    Task = dict[str, Any]

KINDS = {
    "orgs": ("RDM:SCHOOL", "RDM:LEA", "school"),
    "persons": ("RDM:STUDENT", "rdm:student", "STUDENT"),
    "courses": ("RDM:COURSE", "COURSE"),
    "sections": ("RDM:COURSE_SECTION", "Course_Section"),
    "terms": ("RDM:TERM", "term"),
    "grading_categories": ("RDM:GRADING_CATEGORY",),
}
ENROLLMENTS = {
    "sections": ("RDM:STUDENT_COURSE_SECTION_ENROLLMENT", "rdm:student_course_section_enrollment"),
    "orgs": ("RDM:STUDENT_SCHOOL_ENROLLMENT",),
}
ACTIONS = ("ADD", "ADD", "CHANGE", "CHANGE", "UPDATE", "SET", "DELETE", "UNSET", "change")
VERSIONS = ("1.0.0", "2.0.0", "3.0.0", "oldest")
REFERENCES = {
    "persons": {"$sections": "sections", "$schools": "orgs"},
    "sections": {"$students": "persons", "$course": "courses", "$org": "orgs", "$terms": "terms"},
    "courses": {"$orgs": "orgs", "$sections": "sections"},
    "orgs": {"$students": "persons", "$parent": "orgs"},
    "terms": {"$parent": "terms", "$children": "terms"},
    "grading_categories": {"$section": "sections", "$term": "terms", "$schools": "orgs"},
}
SINGLE = ("$course", "$org", "$parent", "$section", "$term")


class Stream:
    """A random stream of events about a roster's objects, some of their kind, and some that nobody knows."""

    def __init__(self, roster: kx.Roster, seed: int) -> None:
        self.chance = random.Random(seed)
        self.ids = {
            name: [*df["id"].dropna()[:6], f"new-{name}", f"newer-{name}"] for name, df in roster.tables.items()
        }
        persons = roster.persons
        students = persons.loc[persons["person_type"].str.lower() == "student", "id"]
        self.ids["persons"] = [*students[:6], "new-persons", "newer-persons"]
        known = roster.links[roster.links["role"] == "student"]
        self.memberships = [*known["membership_id"].dropna()[:8], "m-1", "m-2", "m-3"]

    def tasks(self, count: int) -> list[Task]:
        """Flat tasks; one in ten comes a second time."""
        tasks: list[Task] = []
        for number in range(count):
            if tasks and self.chance.random() < 0.1:
                tasks.append(self.chance.choice(tasks))
                continue
            event = self._enrollment() if self.chance.random() < 0.4 else self._object()
            common = {"type": "data_event", "id": f"task-{number}", "tenant_id": "t", "sequence": number}
            group = {"group_id": "g"} if self.chance.random() < 0.2 else {}
            tasks.append({**common, "created_at": "2026-10-05T06:00:00Z", **group, **event})
        return tasks

    def _object(self) -> Task:
        table = self.chance.choice([*KINDS, "persons", "sections"])
        id, action = self.chance.choice(self.ids[table]), self.chance.choice(ACTIONS)
        kind = self.chance.choice(KINDS[table]) if self.chance.random() > 0.03 else "RDM:BUS_ROUTE"
        if self.chance.random() < 0.03:
            action = "MERGE"
        data: object = self._data(table, id, action) if self.chance.random() > 0.05 else None
        return {"action": action, "object_type": kind, "object_id": id, "data": data}

    def _data(self, table: str, id: str, action: str) -> dict[str, Any]:
        own: dict[str, Any] = {}
        inner: dict[str, Any] = {"label": self._text()} if self.chance.random() < 0.5 else {}
        if table == "persons":
            inner |= {"person_type": "student"} if action in ("ADD", "SET") else {}
            own |= {"name": {"last": self._text()}, "email": self._text(), "dob": self.chance.choice(_DATES)}
            own |= {"address": self.chance.choice([None, {"city": self._text()}, {"city": None, "line1": "1 Elm St"}])}
            own |= {"aup": self.chance.choice([True, False, None, "true", "perhaps"])}
        elif table == "terms":
            own |= {"name": self._text(), "start_date": self.chance.choice(_DATES)}
        else:
            own |= {"name" if table in ("orgs", "grading_categories") else "title": self._text()}
            own |= {"local_id": self.chance.choice([None, "007", 7])} if table != "grading_categories" else {}
        own = {key: value for key, value in own.items() if self.chance.random() < 0.6}
        if self.chance.random() < 0.4:
            own["$ext"] = self.chance.choice([{"room": "1"}, {"seats": self.chance.randrange(9)}, {"room": None}, None])
        for key, far in REFERENCES[table].items():
            if self.chance.random() < 0.25:
                own[key] = self._references(key, far)
        return self._dressed(own, inner, id)

    def _dressed(self, own: dict[str, Any], inner: dict[str, Any], id: str) -> dict[str, Any]:
        """With its id in either place, bare or under ``data``."""
        at_top = self.chance.random() < 0.3
        own |= {**inner, "id": id, "$sys": None} if at_top else {"$sys": {**inner, "id": id}}
        return {"data": own} if self.chance.random() < 0.2 else own

    def _references(self, key: str, far: str) -> object:
        if key in SINGLE:
            return self.chance.choice([None, {"id": self.chance.choice(self.ids[far])}])
        ids = self.chance.sample(self.ids[far], self.chance.randrange(4))
        member = key in ("$sections", "$schools", "$students")
        return [self._reference(id, member) for id in ids]

    def _reference(self, id: str, member: bool) -> dict[str, Any]:
        if not member or self.chance.random() < 0.5:
            return {"id": id} if self.chance.random() < 0.5 else {"$sys": {"id": id}}
        return {"id": id, "$membership": {"status": self.chance.choice(["Active", "Future"])}}

    def _enrollment(self) -> Task:
        table = self.chance.choice(["sections", "sections", "orgs"])
        id, action = self.chance.choice(self.memberships), self.chance.choice(ACTIONS)
        own: dict[str, Any] = {"status": self.chance.choice(["Active", "Future", None])}
        own |= {"start_date": self.chance.choice(_DATES), "primary": self.chance.choice([True, None, "no idea"])}
        own = {key: value for key, value in own.items() if self.chance.random() < 0.6}
        if action == "ADD" or self.chance.random() < 0.4:
            own["$person" if self.chance.random() < 0.5 else "$student"] = {
                "id": self.chance.choice(self.ids["persons"])
            }
            key = "$section" if table == "sections" else "$org" if self.chance.random() < 0.5 else "$school"
            own[key] = {"$sys": {"id": self.chance.choice(self.ids[table])}}
            for end in list(own):
                if end.startswith("$") and self.chance.random() < 0.05:
                    del own[end]
        whole = {**own, "$sys": {"id": id, "type": "Membership"}}
        data = None if action in ("DELETE", "UNSET") and self.chance.random() < 0.5 else whole
        return {"action": action, "object_type": self.chance.choice(ENROLLMENTS[table]), "object_id": id, "data": data}

    def _text(self) -> str | None:
        return self.chance.choice(["Ng", "Ek", "", None, "Žák"])


_DATES = ("2010-01-31", "2011-02-03", None, "soon", "")


def sent(tasks: list[Task], seed: int) -> pd.DataFrame:
    """The tasks as they come over the wire, each in a version of its own."""
    chance = random.Random(seed)
    return task_table([encode(_rendered(task, chance.choice(VERSIONS))).encode() for task in tasks])


def _rendered(task: Task, version: str) -> Task:
    if version != "oldest":
        return render_task(task, version)
    batch = {"batch_id": task["group_id"]} if "group_id" in task else {}
    rest = {"tenant_id": task["tenant_id"], "sequence": task["sequence"], "object_id": task["object_id"]}
    return {
        "id": task["id"],
        "action": task["action"],
        "topic": task["object_type"],
        "data": task["data"],
        **batch,
        **rest,
    }
