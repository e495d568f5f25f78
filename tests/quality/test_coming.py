"""The findings that a queue creates and clears: which, by which task and sync, and the same as a later load has."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from builders import link, make, school, section, student, teacher

import kimono_explore as kx
from kimono_explore.json_text import encode
from kimono_explore.tasks import task_table

IN_CLASS = "RDM:STUDENT_COURSE_SECTION_ENROLLMENT"
KEY = ["check", "table", "id", "detail"]


def event(action: str, kind: str, of: str, data: object = None, **more: Any) -> dict[str, Any]:
    fields = {"action": action, "object_type": kind, "object_id": of, "data": data, **more}
    return {"type": "data_event", **{key: value for key, value in fields.items() if value is not None}}


def queue(*events: dict[str, Any]) -> pd.DataFrame:
    """The events as a table, numbered from t0."""
    return task_table([encode({"id": f"t{n}", "sequence": n, **item}).encode() for n, item in enumerate(events)])


def shown(found: pd.DataFrame) -> list[list[object]]:
    columns = found[["check", "id", "task_id", "group_id"]].astype("object")
    return columns.where(columns.notna(), None).to_numpy().tolist()


OLD = make(
    school(),
    student(email="ana@x"),
    student("zoe", email="zoe@x"),
    teacher(),
    section(),
    section("algebra-2"),
    link("ana student_in algebra-1", membership_id="m1"),
)
EMPTY_OR_SHARED = ["section_without_students", "duplicate_email", "student_without_sections"]


def test_an_event_creates_a_finding_and_another_clears_one() -> None:
    data = {"$person": {"id": "zoe"}, "$section": {"id": "algebra-2"}}
    tasks = queue(
        event("DELETE", IN_CLASS, "m1", group_id="monday"),
        event("ADD", IN_CLASS, "m2", data, group_id="tuesday"),
        {"type": "sync_event", "action": "SYNC_END", "group_id": "tuesday"},
    )
    coming = kx.forecast_findings(OLD, tasks, ["section_without_students"])
    assert shown(coming.created) == [["section_without_students", "algebra-1", "t0", "monday"]]
    assert shown(coming.cleared) == [["section_without_students", "algebra-2", "t1", "tuesday"]]
    assert coming.words == "1 enrollment is added and 1 is removed."
    assert coming.by_sync.fillna("-").to_numpy().tolist() == [
        ["monday", 1, 1, 0],
        ["tuesday", 1, 0, 1],
        ["-", 0, 0, 0],
    ]
    assert coming.summary.set_index("table").loc["links"].to_dict() == {"added": 1, "removed": 1, "changed": 0}
    assert repr(coming) == "<ComingFindings: 1 created, 1 cleared, 0 tasks not applied>"
    assert coming.roster.links["source_id"].tolist() == ["zoe"]


def test_findings_are_as_in_a_report_and_the_worst_come_first() -> None:
    tasks = queue(event("DELETE", IN_CLASS, "m1"), event("UPDATE", "RDM:STUDENT", "zoe", {"email": "ana@x"}))
    coming = kx.forecast_findings(OLD, tasks, EMPTY_OR_SHARED)
    assert coming.created.columns.tolist() == [*coming.now.findings.columns, "task_id", "group_id"]
    assert coming.created["severity"].tolist() == sorted(
        coming.created["severity"], key=["error", "warning", "information"].index
    )
    assert {str(dtype) for dtype in coming.created.dtypes} == {"str"}
    found = {(check, id): task for check, id, task, _ in shown(coming.created)}
    assert found == {
        ("duplicate_email", "ana"): "t0",  # her link went: what else is behind her finding, no task says
        ("duplicate_email", "zoe"): "t1",
        ("section_without_students", "algebra-1"): "t0",
        ("student_without_sections", "ana"): "t0",
    }


def test_a_task_that_is_not_known_is_not_guessed() -> None:
    tasks = queue(event("UPDATE", "RDM:STUDENT", "zoe", {"email": "ana@x"}))
    coming = kx.forecast_findings(OLD, tasks, ["duplicate_email"])
    assert sorted(shown(coming.created)) == [
        ["duplicate_email", "ana", None, None],
        ["duplicate_email", "zoe", "t0", None],
    ]
    assert coming.by_sync["created"].tolist() == [2]
    nameless = kx.forecast_findings(OLD, tasks.assign(id=pd.Series([None], dtype="str")), ["duplicate_email"])
    assert nameless.created["task_id"].isna().all()


def test_a_task_that_changes_nothing_is_behind_nothing() -> None:
    tasks = queue(
        event("DELETE", IN_CLASS, "m1"),
        event("SET", "RDM:COURSE_SECTION", "algebra-1", {"title": OLD.sections["title"].iloc[0]}),
        event("SET", "RDM:COURSE_SECTION", "algebra-1", {"updated_at": "2026-10-05T08:00:00Z"}),
    )
    coming = kx.forecast_findings(OLD, tasks, ["section_without_students"])
    assert coming.refused.empty
    assert shown(coming.created) == [["section_without_students", "algebra-1", "t0", None]]


def test_who_goes_takes_the_findings_along() -> None:
    coming = kx.forecast_findings(OLD, queue(event("DELETE", "RDM:STUDENT", "zoe")), ["student_without_sections"])
    assert shown(coming.cleared) == [["student_without_sections", "zoe", "t0", None]]
    assert coming.words == "1 person leaves."
    left = kx.forecast_findings(OLD, queue(event("DELETE", "RDM:STUDENT", "ana")), EMPTY_OR_SHARED)
    assert shown(left.created) == [["section_without_students", "algebra-1", "t0", None]]


def test_a_finding_of_a_membership_has_the_task_of_its_link() -> None:
    tasks = queue(event("UPDATE", IN_CLASS, "m1", {"start_date": "2026-13-01"}, group_id="monday"))
    created = kx.forecast_findings(OLD, tasks, ["bad_value"]).created
    assert created["table"].tolist() == ["links"]
    assert shown(created) == [["bad_value", "m1", "t0", "monday"]]


def test_what_cannot_be_applied_is_told_and_is_no_finding() -> None:
    tasks = queue(event("DELETE", "RDM:STUDENT", "nobody"), event("ADD", "RDM:STUDENT", "ana", {"email": "a@x"}))
    coming = kx.forecast_findings(OLD, tasks, ["bad_value"])
    assert coming.created.empty
    assert coming.cleared.empty
    assert coming.words == "Nothing will change."
    assert coming.refused["id"].tolist() == ["nobody", "ana"]
    assert "t0 was not applied" in coming.refused["problem"][0]
    again = kx.forecast_findings(coming.roster, tasks.iloc[:1], ["bad_value"])
    assert again.refused["id"].tolist() == ["nobody"]


@pytest.mark.parametrize("tasks", [queue(), queue({"type": "sync_event", "action": "SYNC_START", "group_id": "g"})])
def test_a_queue_that_announces_nothing(tasks: pd.DataFrame) -> None:
    coming = kx.forecast_findings(OLD, tasks, EMPTY_OR_SHARED)
    assert [len(df) for df in (coming.created, coming.cleared, coming.refused)] == [0, 0, 0]
    assert coming.words == "Nothing will change."
    assert not coming.summary[["added", "removed", "changed"]].to_numpy().any()
    assert coming.by_sync["events"].sum() == 0


def test_arguments_are_those_of_check() -> None:
    tasks = queue(event("DELETE", IN_CLASS, "m1"))
    coming = kx.forecast_findings(OLD, tasks, EMPTY_OR_SHARED, exclude=["section_without_students"], as_of="2026-10-05")
    assert "section_without_students" not in set(coming.created["check"])
    assert {str(report.as_of) for report in (coming.now, coming.then)} == {"2026-10-05"}
    with pytest.raises(TypeError, match="forecast_findings"):
        kx.forecast_findings("roster", tasks)  # type: ignore[arg-type]


def keys(findings: pd.DataFrame) -> set[tuple[str, ...]]:
    return set(findings[KEY].fillna("").itertuples(index=False, name=None))


@pytest.mark.parametrize("flaws", [True, False])
def test_the_findings_are_those_of_a_later_load(flaws: bool) -> None:
    with kx.sandbox(students=60, flaws=flaws) as box:
        waiting = dict(box.queue._tasks)
        box.queue._tasks.clear()
        box.process_tasks()  # it serves one object an id from then on, which is no task's doing
        box.queue._tasks.update(waiting)
        before, tasks = kx.load_roster(box.client, progress=False), kx.load_tasks(box.client)
        coming = kx.forecast_findings(before, tasks)
        refused = box.process_tasks()
        after = kx.load_roster(box.client, progress=False)
    old, new = keys(coming.now.findings), keys(kx.check(after).findings)
    assert keys(coming.created) == new - old
    assert keys(coming.cleared) == old - new
    assert len(coming.refused) == len(refused)
    found = pd.concat([coming.created, coming.cleared])
    known = found.dropna(subset=["task_id"])
    events = tasks.set_index("id").loc[known["task_id"]]
    if flaws:
        own = (events["object_id"].to_numpy() == known["id"].to_numpy()) | (known["table"] == "sections").to_numpy()
        assert own.all()  # a class is short of a teacher by the event that lets the teacher go
        assert 0 < len(known) < len(found)  # who shared an id with one who leaves was touched by no task
    else:
        assert set(found["check"]) == {"section_without_teacher"}
        assert events[["action", "object_type"]].drop_duplicates().to_numpy().tolist() == [["UNSET", "RDM:STAFF"]]
        assert len(known) == len(found) == 3
