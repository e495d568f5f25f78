"""The roster once the queue is processed: each kind of event, each wire version, odd input, and random streams."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pytest
from builders import ALL_SENT, Item, course, link, make, school, section, student, teacher, term
from streams import Stream, sent

import kimono_explore as kx
from kimono_explore.frames import frame
from kimono_explore.json_text import encode
from kimono_explore.problems import OTHER, kind_of
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.processing import processed
from kimono_explore.sandbox.task_queue import render_task
from kimono_explore.tasks import task_table

VERSIONS = ("1.0.0", "2.0.0", "3.0.0")
IN_CLASS = "RDM:STUDENT_COURSE_SECTION_ENROLLMENT"


def event(action: str, kind: str, of: str | None, data: object = None, **more: Any) -> dict[str, Any]:
    fields = {"action": action, "object_type": kind, "object_id": of, "data": data, **more}
    return {"type": "data_event", **{key: value for key, value in fields.items() if value is not None}}


def queue(*events: dict[str, Any], version: str = "2.0.0") -> pd.DataFrame:
    """The events as a table, numbered."""
    numbered = [{"id": f"t{n}", "tenant_id": "t", "sequence": n, **item} for n, item in enumerate(events)]
    return task_table([encode(render_task(item, version)).encode() for item in numbered])


def members(*more: Item) -> kx.Roster:
    """Ana in algebra, with a membership that has an id."""
    enrolled = link("ana student_in algebra-1", membership_id="m1", status="Active")
    return make(student(email="ana@x"), teacher(), section(), school(), course(), term(), enrolled, *more)


def said(roster: kx.Roster) -> list[str]:
    """The problems, without what was sent."""
    kinds = roster.problems["problem"].map(kind_of)
    assert OTHER not in set(kinds)
    return [kind.removeprefix("the task … was not applied: ") for kind in kinds]


def in_words(roster: kx.Roster) -> list[str]:
    columns = ["source_id", "relation", "target_id"]
    return [" ".join(row) for row in roster.links[columns].astype("str").itertuples(index=False)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("action", ["ADD", "SET"])
def test_an_object_is_added(version: str, action: str) -> None:
    data = {"$sys": {"id": "zoe", "person_type": "student"}, "name": {"last": "Žák"}, "$ext": {"house": "red"}}
    later = kx.apply_tasks(members(), queue(event(action, "RDM:STUDENT", "zoe", data), version=version))
    new = later.persons.set_index("id").loc["zoe"]
    assert [new["person_type"], new["name_last"], new["ext_house"]] == ["student", "Žák", "red"]
    assert len(later.persons) == 3
    assert said(later) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("action", ["CHANGE", "UPDATE", "SET", "change"])
def test_what_data_names_changes_and_nothing_else(version: str, action: str) -> None:
    data = {"$sys": {"id": "ana"}, "name": {"last": "Reyes"}, "email": None}
    later = kx.apply_tasks(members(), queue(event(action, "RDM:STUDENT", "ana", data), version=version))
    ana = later.persons.set_index("id").loc["ana"]
    assert [ana["name_first"], ana["name_last"], ana["person_type"]] == ["Ana", "Reyes", "student"]
    assert pd.isna(ana["email"])
    assert in_words(later) == ["ana student_in algebra-1"]


@pytest.mark.parametrize("action", ["DELETE", "UNSET"])
def test_an_object_goes_with_its_links(action: str) -> None:
    later = kx.apply_tasks(members(), queue(event(action, "RDM:STUDENT", "ana")))
    assert later.persons["id"].tolist() == ["ben"]
    assert in_words(later) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_an_enrollment_is_added_changed_and_removed(version: str) -> None:
    data = {"$sys": {"id": "m2"}, "$person": {"id": "ana"}, "$section": {"id": "algebra-2"}, "start_date": "2026-09-01"}
    add, change = event("ADD", IN_CLASS, "m2", data), event("CHANGE", IN_CLASS, "m2", {"status": "Inactive"})
    roster = members(section("algebra-2"))
    later = kx.apply_tasks(roster, queue(add, change, version=version))
    new = later.links.set_index("membership_id").loc["m2"]
    assert [new["source_id"], new["target_id"], new["role"], new["status"]] == [
        "ana",
        "algebra-2",
        "student",
        "Inactive",
    ]
    assert new["start_date"] == pd.Timestamp("2026-09-01")
    later = kx.apply_tasks(roster, queue(add, change, event("DELETE", IN_CLASS, "m2"), version=version))
    assert in_words(later) == ["ana student_in algebra-1"]


def test_an_enrollment_without_an_id_is_known_by_its_ends() -> None:
    roster = make(student(), section(), link("ana student_in algebra-1"))
    data = {"$person": {"id": "ana"}, "$section": {"id": "algebra-1"}}
    assert in_words(kx.apply_tasks(roster, queue(event("DELETE", IN_CLASS, "m9", data)))) == []


def test_an_enrollment_moves_to_the_end_that_its_data_names() -> None:
    move = event("CHANGE", IN_CLASS, "m1", {"$section": {"id": "algebra-2"}})
    later = kx.apply_tasks(members(section("algebra-2")), queue(move))
    assert in_words(later) == ["ana student_in algebra-2"]
    assert said(later) == []
    assert said(kx.apply_tasks(members(), queue(move))) == ["an enrollment with one end missing"]


def test_a_teaching_post_and_a_school() -> None:
    post = {"$staff": {"id": "ben"}, "$section": {"$sys": {"id": "algebra-1"}}, "primary": True}
    place = {"$student": {"id": "ana"}, "$school": {"id": "school"}, "grade": "05"}
    events = [
        event("ADD", "RDM:STAFF_COURSE_SECTION_ENROLLMENT", "m2", post),
        event("ADD", "RDM:STUDENT_SCHOOL_ENROLLMENT", "m3", place),
    ]
    later = kx.apply_tasks(members(), queue(*events))
    assert in_words(later)[1:] == ["ben teacher_in algebra-1", "ana member_of school"]
    assert later.links["role"].tolist()[1:] == ["teacher", "student"]


def test_a_list_of_references_replaces_the_earlier_one() -> None:
    data = {"$sys": {"id": "ana"}, "$sections": [{"id": "algebra-2"}]}
    later = kx.apply_tasks(members(section("algebra-2")), queue(event("UPDATE", "RDM:STUDENT", "ana", data)))
    assert in_words(later) == ["ana student_in algebra-2"]
    kept = kx.apply_tasks(members(), queue(event("UPDATE", "RDM:STUDENT", "ana", {"$sections": [{"id": "algebra-1"}]})))
    assert kept.links[["membership_id", "status"]].to_numpy().tolist() == [["m1", "Active"]]


def test_what_is_made_again_begins_anew() -> None:
    data = {"$sys": {"id": "ana", "person_type": "student"}}
    later = kx.apply_tasks(
        members(), queue(event("DELETE", "RDM:STUDENT", "ana"), event("ADD", "RDM:STUDENT", "ana", data))
    )
    ana = later.persons.set_index("id").loc["ana"]
    assert ana.dropna().to_dict() == {"person_type": "student"}


def test_the_order_is_that_of_the_sequence() -> None:
    first = event("UPDATE", "RDM:STUDENT", "ana", {"email": "one@x"}, sequence=1)
    last = event("UPDATE", "RDM:STUDENT", "ana", {"email": "two@x"}, sequence=2)
    assert kx.apply_tasks(members(), queue(last, first)).persons["email"].tolist()[0] == "two@x"
    del first["sequence"]
    assert kx.apply_tasks(members(), queue({**last, "sequence": None}, first)).persons["email"].tolist()[0] == "one@x"


def test_an_event_that_comes_twice_is_applied_once() -> None:
    add = event("ADD", "RDM:STUDENT", "zoe", {"email": "z@x"}, id="same")
    later = kx.apply_tasks(members(), queue(add, event("DELETE", "RDM:STUDENT", "zoe"), {**add, "sequence": 9}))
    assert "zoe" not in set(later.persons["id"])
    assert said(later) == []
    other = {**add, "data": {"email": "other@x"}}
    later = kx.apply_tasks(members(), queue(add, other))
    assert later.persons["email"].tolist()[-1] == "z@x"
    assert said(later) == ["the task came again with different content; the first one was applied"]


ODD = {
    "an ADD of what is already there": event("ADD", "RDM:STUDENT", "ana", {"email": "b@x"}),
    "the object does not exist": event("CHANGE", "RDM:STUDENT", "gone", {"email": "b@x"}),
    "it holds no data": event("ADD", "RDM:STUDENT", "zoe"),
    "it names no object": event("ADD", "RDM:STUDENT", None, {"email": "b@x"}),
    "the type of the object is unknown": event("ADD", "rdm:bus_Route", "7", {"name": "7"}),
    "the action is unknown": event("MERGE", "RDM:STUDENT", "ana", {"email": "b@x"}),
    "an enrollment without a person, or without a section or school": event(
        "ADD", IN_CLASS, "m2", {"$person": {"id": "ana"}}
    ),
    "an enrollment with one end missing": event(
        "ADD", IN_CLASS, "m2", {"$person": {"id": "gone"}, "$section": {"id": "algebra-1"}}
    ),
}


@pytest.mark.parametrize("reason", ODD)
def test_what_cannot_be_applied_is_a_problem(reason: str) -> None:
    roster = members()
    later = kx.apply_tasks(roster, queue(ODD[reason]))
    assert said(later) == [reason]
    assert kx.compare(roster, later).summary[["added", "removed", "changed"]].to_numpy().sum() == 0


@pytest.mark.parametrize("kind", ["RDM:STUDENT", IN_CLASS, "RDM:LEA", "RDM:TERM"])
@pytest.mark.parametrize("action", ["DELETE", "UNSET", "UPDATE"])
def test_what_is_not_there_neither_changes_nor_goes(kind: str, action: str) -> None:
    assert said(kx.apply_tasks(members(), queue(event(action, kind, "gone", {"status": "Active"})))) == [
        "the object does not exist"
    ]


def test_a_sync_sends_what_is_known_too() -> None:
    later = kx.apply_tasks(members(), queue(event("ADD", "RDM:STUDENT", "ana", {"email": "new@x"}, group_id="g")))
    assert later.persons["email"].tolist()[0] == "new@x"
    assert said(later) == []


def test_an_empty_queue_and_tasks_of_other_types() -> None:
    roster = members()
    lifecycle = {"type": "lifecycle_event", "id": "1", "action": "TENANT_INSTALLED"}
    for tasks in (queue(), pd.DataFrame(), task_table([encode(lifecycle).encode()])):
        later = kx.apply_tasks(roster, tasks)
        assert kx.compare(roster, later).summary[["added", "removed", "changed"]].to_numpy().sum() == 0
        assert later.problems.empty


def test_tasks_that_cannot_be_read_and_those_of_several_tenants_are_told() -> None:
    assert (
        said(kx.apply_tasks(members(), task_table([b"{", b"7"])))
        == ["a task that cannot be read: what it announces is unknown"] * 2
    )
    one, two = (event("UPDATE", "RDM:STUDENT", "ana", {"email": t}, tenant_id=t) for t in ("a", "b"))
    assert said(kx.apply_tasks(members(), queue(one, two))) == [
        "the tasks belong to several tenants, and all were applied; value counts the tenants"
    ]


def test_the_oldest_shape_objects_under_data_and_ids_at_top_level() -> None:
    inner = {"data": {"id": "ana", "$sys": None, "email": "new@x"}}
    task = {"id": "1", "action": "UPDATE", "topic": "STUDENT", "batch_id": None, "data": inner}
    later = kx.apply_tasks(members(), task_table([encode(task).encode()]))
    assert later.persons["email"].tolist()[0] == "new@x"


def test_what_does_not_fit_its_column_is_told_under_the_object() -> None:
    later = kx.apply_tasks(members(), queue(event("UPDATE", "RDM:STUDENT", "ana", {"dob": "soon"})))
    told = later.problems.to_dict("records")
    assert told == [{"table": "persons", "id": "ana", "column": "dob", "value": "soon", "problem": "not a date"}]
    again = kx.apply_tasks(later, queue(event("UPDATE", "RDM:STUDENT", "ana", {"dob": "2010-01-31"})))
    assert again.problems.empty
    odd = {"$person": {"id": "ana"}, "$section": {"id": "algebra-1"}, "start_date": "soon"}
    told = kx.apply_tasks(members(), queue(event("SET", IN_CLASS, "m1", odd))).problems.to_dict("records")
    assert [told[0]["table"], told[0]["id"], told[0]["value"]] == ["links", "m1", "soon"]


def test_odd_keys_of_data_empty_nothing() -> None:
    roster = members()
    for odd in ({"name": "Ana S."}, {"name_last": "Other"}, {"$sys": "text", "id": "ana"}, {"$ext": 7}):
        ana = (
            kx.apply_tasks(roster, queue(event("UPDATE", "RDM:STUDENT", "ana", odd))).persons.set_index("id").loc["ana"]
        )
        assert [ana["name_first"], ana["name_last"], ana["person_type"]] == ["Ana", "Silva", "student"]


def test_events_without_an_id_that_come_twice_are_applied_once() -> None:
    add = {
        "type": "data_event",
        "action": "ADD",
        "object_type": "RDM:STUDENT",
        "object_id": "zoe",
        "data": {"sex": "F"},
    }
    later = kx.apply_tasks(members(), task_table([encode(add).encode()] * 2))
    assert later.persons["id"].tolist() == ["ana", "ben", "zoe"]
    assert said(later) == []


def test_the_roster_given_stays_as_it_is() -> None:
    roster, twin = members(), members()
    events = [event("DELETE", "RDM:STUDENT", "ana"), event("UPDATE", "RDM:STAFF", "ben", {"email": "b@x"})]
    later = kx.apply_tasks(roster, queue(*events))
    later.sections.loc[0, "title"] = "changed"
    assert kx.compare(roster, twin).summary[["added", "removed", "changed"]].to_numpy().sum() == 0
    assert later.persons.dtypes.to_dict() == roster.persons.dtypes.to_dict()


def test_an_id_that_came_twice_changes_and_goes_in_all_rows() -> None:
    roster = make(student("ana"), student("ana", email="x"), teacher())
    changed = kx.apply_tasks(roster, queue(event("UPDATE", "RDM:STUDENT", "ana", {"phone": "1"})))
    assert changed.persons["phone"].tolist()[:2] == ["1", "1"]
    assert kx.apply_tasks(roster, queue(event("DELETE", "RDM:STUDENT", "ana"))).persons["id"].tolist() == ["ben"]


def test_an_undeclared_column_keeps_its_type_where_it_can() -> None:
    roster = kx.Roster(persons=frame("persons", {"id": ["a", "b"], "ext_seats": pd.array([1, None], dtype="Int64")}))
    changed = kx.apply_tasks(roster, queue(event("UPDATE", "RDM:STUDENT", "b", {"$ext": {"seats": 2}})))
    assert changed.persons["ext_seats"].dtype == "Int64"
    changed = kx.apply_tasks(roster, queue(event("UPDATE", "RDM:STUDENT", "b", {"$ext": {"seats": "two"}})))
    assert changed.persons["ext_seats"].tolist() == ["1", "two"]


SIDES = (
    ALL_SENT,
    ALL_SENT - {"persons.$sections", "persons.$schools"},
    ALL_SENT - {"sections.$students", "sections.$teachers", "orgs.$students", "orgs.$teachers"},
)


@pytest.fixture(scope="module")
def served() -> list[kx.Roster]:
    """A small district, with memberships sent by both sides, and by either."""
    district = make_district(8)
    found = []
    for sides, by in zip(SIDES, ("both", "target", "source"), strict=True):
        links = district.links
        member = links["relation"].isin(["student_in", "teacher_in", "member_of"])
        links = links.assign(stated_by=links["stated_by"].where(~member, by))
        found.append(processed(kx.Roster(**district.tables, links=links, rollups=sides), [])[0])
    # Ids that came twice, with the same values and with others.
    again = {
        name: pd.concat([df, df.iloc[:2].assign(local_id=["again", df["local_id"].iloc[1]])], ignore_index=True)
        for name, df in district.tables.items()
        if name in ("persons", "sections", "orgs")
    }
    found.append(processed(kx.Roster(**{**district.tables, **again}, links=district.links), [])[0])
    return found


def in_order(roster: kx.Roster) -> kx.Roster:
    """With its links in the order of their ids: those with the same ends are compared in their order."""
    return kx.Roster(**roster.tables, links=roster.links.sort_values("membership_id"))


@pytest.mark.parametrize("seed", range(60))
def test_random_streams_end_as_the_sandbox_has_it(seed: int, served: list[kx.Roster]) -> None:
    before = served[seed % len(served)]
    tasks = Stream(before, seed).tasks(random.Random(seed).randrange(1, 25))
    after, refused = processed(before, tasks)
    found = kx.apply_tasks(before, sent(tasks, seed))
    diff = kx.compare(in_order(after), in_order(found))
    assert diff.summary[["added", "removed", "changed"]].to_numpy().sum() == 0, diff.changed("links").to_string()
    told = found.problems.loc[found.problems["problem"].str.contains("was not applied"), "problem"]
    assert set(told.str.split().str[2]) == set(refused)
    assert len(diff.repeated[diff.repeated["old"] != diff.repeated["new"]]) == 0


@pytest.mark.parametrize("flaws", [False, True])
def test_what_the_sandbox_serves_once_it_has_processed_its_queue(flaws: bool) -> None:
    with kx.sandbox(students=20, flaws=flaws) as box:
        before, tasks = kx.load_roster(box.client, progress=False), kx.load_tasks(box.client)
        refused = box.process_tasks()
        after = kx.load_roster(box.client, progress=False)
    later = kx.apply_tasks(before, tasks)
    assert kx.compare(later, after).summary[["added", "removed", "changed"]].to_numpy().sum() == 0
    assert len(later.persons) < len(before.persons)
    assert len(later.problems) - len(before.problems) == len(refused)
