"""Which differences of two loads the queue explains, and which events were lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from builders import link, make, section, student, teacher

import kimono_explore as kx
from kimono_explore.json_text import encode
from kimono_explore.tasks import task_table

if TYPE_CHECKING:
    import pandas as pd


def queue(*events: tuple[str, str, str, object]) -> pd.DataFrame:
    rows = [
        {"id": f"t{n}", "type": "data_event", "action": action, "object_type": kind, "object_id": id, "data": data}
        for n, (action, kind, id, data) in enumerate(events)
    ]
    return task_table([encode(row).encode() for row in rows])


def shown(found: pd.DataFrame, *columns: str) -> list[list[object]]:
    return found[list(columns)].astype("object").where(found[list(columns)].notna(), None).to_numpy().tolist()


OLD = make(student(email="a@x"), teacher(), section(), link("ana student_in algebra-1", membership_id="m1"))


def test_a_change_is_explained_by_its_task() -> None:
    new = make(student(email="b@x"), teacher(), section(), link("ana student_in algebra-1", membership_id="m1"))
    tasks = queue(("UPDATE", "RDM:STUDENT", "ana", {"email": "b@x"}), ("UPDATE", "RDM:STUDENT", "ana", {"sex": None}))
    found = kx.explain_tasks(OLD, new, tasks)
    assert shown(found, "table", "id", "label", "what", "column", "old", "new", "explained", "arrived", "task_id") == [
        ["persons", "ana", "Ana Silva", "changed", "email", "a@x", "b@x", True, True, "t0"]
    ]
    assert found.attrs["summary"] == "1 difference: the queue explains 1."


def test_a_lost_event_is_an_alarm() -> None:
    new = make(student(email="b@x"), student("zoe"), section())
    found = kx.explain_tasks(OLD, new, queue(("DELETE", "RDM:STAFF", "ben", None)))
    assert shown(found, "id", "what", "column", "explained", "task_id") == [
        ["zoe", "added", None, False, None],
        ["ben", "removed", None, True, "t0"],
        ["ana", "changed", "email", False, None],
        ["ana student_in algebra-1 (student)", "removed", None, False, None],
    ]
    assert (
        found.attrs["summary"] == "4 differences: the queue explains 1, but not the other 3: events may have been lost."
    )


def test_what_did_not_arrive_is_told() -> None:
    tasks = queue(
        ("DELETE", "RDM:STUDENT_COURSE_SECTION_ENROLLMENT", "m1", None), ("SET", "RDM:TERM", "fall", {"name": "Fall"})
    )
    found = kx.explain_tasks(OLD, OLD, tasks)
    assert shown(found, "table", "id", "what", "explained", "arrived", "task_id") == [
        ["terms", "fall", "added", False, False, "t1"],
        ["links", "ana student_in algebra-1 (student)", "removed", False, False, "t0"],
    ]
    assert found.attrs["summary"] == "0 differences: the queue explains 0. 2 that it announces did not arrive."


def test_another_value_than_announced_is_both_unexplained_and_not_arrived() -> None:
    new = make(student(email="c@x"), teacher(), section(), link("ana student_in algebra-1", membership_id="m1"))
    found = kx.explain_tasks(OLD, new, queue(("UPDATE", "RDM:STUDENT", "ana", {"email": "b@x"})))
    assert shown(found, "column", "new", "explained", "arrived", "task_id") == [
        ["email", "c@x", False, True, None],
        ["email", "b@x", False, False, "t0"],
    ]


def test_an_added_row_may_differ_from_what_was_announced() -> None:
    rest = (student(email="a@x"), teacher(), section(), link("ana student_in algebra-1", membership_id="m1"))
    new = make(*rest, section("algebra-2", title="Geometry", description="beside"))
    found = kx.explain_tasks(OLD, new, queue(("ADD", "RDM:COURSE_SECTION", "algebra-2", {"title": "Algebra"})))
    assert shown(found, "what", "column", "new", "explained", "arrived") == [
        ["added", None, None, True, True],
        ["added", "title", "Geometry", False, True],
        ["added", "title", "Algebra", False, False],
    ]


def test_two_links_with_the_same_ends_are_told_apart_by_their_ids() -> None:
    first, second = (link("ana student_in algebra-1", membership_id=m, status=m) for m in ("m1", "m2"))
    old, new = (make(student(), section(), *both) for both in ((first, second), (second, first)))
    assert kx.explain_tasks(old, new, queue()).empty
    gone = kx.explain_tasks(old, make(student(), section(), first), queue())
    assert shown(gone, "what", "explained") == [["removed", False]]


def test_ignored_columns_and_refused_tasks() -> None:
    new = make(student(email="b@x"), teacher(), section(), link("ana student_in algebra-1", membership_id="m1"))
    found = kx.explain_tasks(OLD, new, queue(("ADD", "RDM:STUDENT", "ana", {"email": "b@x"})), ignore=["email"])
    assert found.empty
    assert found.attrs["summary"] == (
        "The loads do not differ, and no task announces a difference. 1 task could not be applied: see "
        "apply_tasks(old, tasks).problems."
    )


def test_wrong_arguments_are_refused_in_words() -> None:
    with pytest.raises(TypeError, match="explain_tasks"):
        kx.explain_tasks(OLD, OLD, [])  # type: ignore[arg-type]
