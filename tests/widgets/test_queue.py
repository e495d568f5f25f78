"""The task inspector: what it asks, what it sends, and what it says of the answers."""

from __future__ import annotations

import asyncio
import threading
from html import escape
from typing import TYPE_CHECKING

import httpx
import pandas as pd
import pytest
import traitlets

import kimono_explore as kx
from kimono_explore.sandbox.task_queue import Refusal
from kimono_explore.waits import span_words
from kimono_explore.widgets import queue as queue_module
from kimono_explore.widgets.task_html import describe_task
from kimono_explore.widgets.words import value_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kimono_explore.widgets.queue import TaskInspector


@pytest.fixture
def box() -> Iterator[kx.Sandbox]:
    with kx.sandbox(students=60) as sandbox:
        yield sandbox


@pytest.fixture
def inspector(box: kx.Sandbox) -> TaskInspector:
    return kx.inspect_tasks(box.client, allow_changes=True)


def ids_in(box: kx.Sandbox) -> list[str]:
    return [str(task["id"]) for task in box.queue.all()]


# The question


def test_buttons_say_what_they_do_and_to_how_many(inspector: TaskInspector) -> None:
    assert (inspector._delete.description, inspector._delete.disabled) == ("Delete tasks …", True)
    inspector.pick(inspector.table["id"].iloc[0])
    assert inspector._acknowledge.description == "Acknowledge 1 task …"
    inspector.pick(*inspector.table["id"].iloc[:3])
    assert (inspector._delete.description, inspector._delete.disabled) == ("Delete 3 tasks …", False)
    inspector.delete()
    assert inspector._confirm_box._do.description == "Delete 3 tasks"
    assert inspector._confirm_box._cancel.description == "Cancel"


@pytest.mark.parametrize("act", ["acknowledge", "delete"])
def test_the_focus_is_on_cancel(inspector: TaskInspector, monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    focused: list[str] = []
    question = inspector._confirm_box
    for button in (question._cancel, question._do):
        monkeypatch.setattr(button, "focus", lambda button=button: focused.append(button.description))
    inspector.pick(inspector.table["id"].iloc[0])
    getattr(inspector, act)()
    assert focused == ["Cancel"]


def test_cancel_sends_nothing(box: kx.Sandbox, inspector: TaskInspector) -> None:
    before = ids_in(box)
    inspector.pick(*before[:3])
    inspector.delete()
    inspector._confirm_box._cancel.click()
    inspector.confirm()
    assert (ids_in(box), len(inspector.history)) == (before, 0)
    assert not inspector._confirm_box.is_open
    assert "Nothing was done." in inspector._outcome.value


def test_a_task_to_be_retried_is_not_said_to_leave(inspector: TaskInspector) -> None:
    inspector.pick(*inspector.table["id"].iloc[:2])
    inspector.acknowledge("retry", "later")
    assert "They are delivered again." in inspector._confirm_box._question.value


# The dry run


def test_all_that_match_are_listed_before_anything_is_done(box: kx.Sandbox, inspector: TaskInspector) -> None:
    before = ids_in(box)
    inspector.filter(type="data_event", action="DELETE")
    inspector.delete(matching=True)
    expected = inspector.tasks[(inspector.tasks["type"] == "data_event") & (inspector.tasks["action"] == "DELETE")]
    assert set(inspector.asked["id"]) == set(expected["id"])
    html = inspector._confirm_box._details.value
    for kind, part in expected.groupby("object_type"):
        assert f"<td>{len(part)}</td><td>delete {value_words(str(kind))}</td>" in html
    assert any(id[:8] in html for id in expected["id"])
    assert "nothing has been done" in html
    assert ids_in(box) == before
    inspector.confirm()
    assert set(before) - set(ids_in(box)) == set(expected["id"])
    assert inspector.asked.empty


def test_what_the_headers_leave_out_does_not_match(inspector: TaskInspector) -> None:
    column = inspector._rows.df.columns.tolist().index("type")
    inspector._rows.choose(column, [0])
    kept = inspector._rows.shown["id"].tolist()
    assert 0 < len(kept) < len(inspector.table)
    assert inspector._all.description == f"Select all {len(kept)} that match"
    inspector.pick_all()
    inspector.acknowledge()
    assert sorted(inspector.asked["id"]) == sorted(inspector.picked["id"]) == sorted(kept)


def test_a_refresh_between_question_and_answer_changes_nothing_of_it(box: kx.Sandbox, inspector: TaskInspector) -> None:
    inspector.filter(type="sync_event")
    inspector.delete(matching=True)
    asked = inspector.asked["id"].tolist()
    box.queue._tasks["new"] = {**next(t for t in box.queue.all() if t["id"] == asked[0]), "id": "new"}
    inspector.refresh()
    inspector.confirm()
    assert "new" in ids_in(box)
    assert inspector.history["id"].tolist() == asked


def test_no_match_and_no_id_are_said(inspector: TaskInspector) -> None:
    inspector.filter(type="request", action="ADD")
    with pytest.raises(kx.KimonoError, match="No task matches"):
        inspector.delete(matching=True)


# Outcomes


def test_refusals_are_told_together_and_stay_selected(
    box: kx.Sandbox, inspector: TaskInspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third, fourth = inspector.table["id"].iloc[:4]
    locked = {first, second}
    refusals = {first: "it is locked", second: "it is locked", third: "the grade is missing"}
    monkeypatch.setattr(
        box.queue,
        "_refusal",
        lambda ack: Refusal(ack["task_id"], 409, words) if (words := refusals.get(ack["task_id"])) else None,
    )
    inspector.pick(first, second, third, fourth)
    inspector.acknowledge()
    inspector.confirm()
    html = inspector._outcome.value
    assert "1 task acknowledged as success." in html
    assert "The server refused 2 tasks: they are locked (400). They are still selected." in html
    quoted = "The server refused 1 task (400). It said: &#34;the grade is missing&#34;. It is still selected."
    assert quoted in html
    assert set(inspector.picked["id"]) == {*locked, third}
    assert inspector.history.set_index("id")["reason"].dropna().to_dict() == refusals
    assert inspector.history["code"].isna().sum() == 1


def test_what_left_the_queue_meanwhile_is_not_said_to_be_selected(box: kx.Sandbox, inspector: TaskInspector) -> None:
    first = inspector.table["id"].iloc[0]
    inspector.pick(first)
    inspector.delete()
    box.queue.delete(first)
    inspector.confirm()
    assert "The server refused 1 task: it is no longer in the queue (404).<" in inspector._outcome.value
    assert inspector.picked.empty


def test_the_history_outlives_refreshes_and_is_saved(box: kx.Sandbox, inspector: TaskInspector, tmp_path: Path) -> None:
    first, second = inspector.table["id"].iloc[:2]
    for id in (first, second):
        inspector.pick(id)
        inspector.delete()
        inspector.confirm()
        inspector.refresh()
    inspector.history.loc[1, "message"] = "=1+1"
    inspector.save_history(tmp_path / "history.csv")
    saved = pd.read_csv(tmp_path / "history.csv")
    assert saved.columns.tolist() == ["time", "act", "id", "status", "accepted", "message", "code", "reason"]
    assert saved[["act", "id", "status"]].to_numpy().tolist() == [["delete", first, "done"], ["delete", second, "done"]]
    assert saved["message"].tolist()[1] == "'=1+1"
    assert (tmp_path / "history.csv").stat().st_mode & 0o777 == 0o600
    with pytest.raises(kx.KimonoError, match="Name another file"):
        inspector.save_history(tmp_path / "no" / "folder.csv")


def test_what_is_picked_stays_picked_when_the_queue_moves(box: kx.Sandbox, inspector: TaskInspector) -> None:
    first, second = inspector.table["id"].iloc[3:5]
    inspector.pick(first, second)
    box.queue.delete(first)
    inspector.refresh()
    assert inspector.picked["id"].tolist() == [second]


# A server that is gone


def test_a_closed_client_is_a_line_and_a_retry(box: kx.Sandbox, inspector: TaskInspector) -> None:
    shown = inspector.table["id"].tolist()
    inspector.pick(shown[0])
    inspector.client.close()
    inspector.refresh()
    assert inspector.lost
    assert inspector.read_at is not None
    assert "The client was closed in this notebook." in inspector._status.value
    assert f"This is the queue as it was at {inspector.read_at:%H:%M:%S} UTC." in inspector._status.value
    assert inspector.table["id"].tolist() == shown
    assert not inspector._retry.hidden
    assert inspector._delete.disabled
    with pytest.raises(kx.KimonoError, match="Retry"):
        inspector.delete()
    inspector.client = kx.connect(box.base_url, token=box.credentials.token)
    inspector._retry.click()
    assert (inspector.lost, inspector._retry.hidden) == (False, True)
    assert not inspector._delete.disabled


def test_a_server_that_is_gone_is_a_line_and_a_retry() -> None:
    with kx.sandbox(students=20) as box:
        client = kx.connect(box.base_url, token=box.credentials.token, retries=0)
        inspector = kx.inspect_tasks(client, allow_changes=True)
        shown = inspector.table["id"].tolist()
        inspector.pick(shown[0])
        inspector.delete()
    inspector.confirm()
    assert "The server does not answer." in inspector._status.value
    assert inspector.table["id"].tolist() == shown
    assert inspector.history["status"].tolist() == ["not sent"]
    assert "1 task was not sent. It is still selected." in inspector._outcome.value


def test_an_act_after_the_client_was_closed_is_not_sent(inspector: TaskInspector) -> None:
    inspector.pick(*inspector.table["id"].iloc[:2])
    inspector.delete()
    inspector.client.close()
    inspector.confirm()
    assert inspector.history["status"].tolist() == ["not sent", "not sent"]
    assert "2 tasks were not sent. They are still selected." in inspector._outcome.value


# What it reads


def test_only_the_admin_queue_is_read(box: kx.Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    real = httpx.Client.send

    def send(self: httpx.Client, request: httpx.Request, **options: object) -> object:
        asked.append((request.method, request.url.path))
        return real(self, request, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(httpx.Client, "send", send)
    inspector = kx.inspect_tasks(box.client, allow_changes=True)
    inspector.refresh()
    inspector.pick(inspector.table["id"].iloc[0])
    inspector.acknowledge()
    inspector.confirm()
    assert len(asked) >= 4
    assert {path for _, path in asked if "admin" not in path} == set()
    assert [method for method, _ in asked if method != "GET"] == ["PUT"]
    assert box.queue._delivered == {}


# Facets, waits and words


def test_the_table_tells_enrollments_in_words(box: kx.Sandbox) -> None:
    roster = kx.load_roster(box.client, progress=False)
    inspector = kx.inspect_tasks(box.client, roster)
    for _, task in inspector.table.iterrows():
        words = task["about"]
        if str(task["object_type"]).endswith("ENROLLMENT"):
            person = roster.describe(task["data"]["$person"]["id"])
            nameless = person.label == person.id  # one of the planted mistakes
            assert words.startswith(("Student ", "Staff ") if nameless else person.label)
        elif isinstance(task["label"], str):
            assert words == task["label"]
        else:
            assert pd.isna(words)
    assert "about" in inspector._rows.df


def test_facets_count_under_all_other_filters(inspector: TaskInspector) -> None:
    tasks = inspector.tasks
    inspector.filter(type="data_event", action="DELETE")
    for name in ("type", "action", "object_type", "tenant_id"):
        others = pd.Series(True, index=tasks.index)
        for other, value in (("type", "data_event"), ("action", "DELETE")):
            others &= (tasks[other] == value) | (name == other)
        counts = tasks.loc[others, name].value_counts()
        shown = {value: int(text.rsplit(" ", 1)[1]) for text, value in inspector._filters[name].options if value}
        assert shown == {value: counts.get(value, 0) for value in tasks[name].dropna().unique()}
        assert inspector._filters[name].options[0] == (f"all {others.sum()}", "")
    assert [text for text, value in inspector._filters["type"].options if value == "sync_event"] == ["sync event 0"]
    assert {text.rsplit(" ", 1)[0] for text, _ in inspector._filters["action"].options} >= {"all", "sync start"}


def test_filters_of_the_headers_stay_when_the_queue_is_read_again(box: kx.Sandbox, inspector: TaskInspector) -> None:
    rows = inspector._rows
    column = rows.df.columns.get_loc("action")
    about = rows.bars(column)[0]
    rows.choose(column, [0])
    rows.sort(rows.df.columns.get_loc("sequence"))
    kept, sentence = inspector.matching["id"].tolist(), rows.sentence
    inspector.pick_all()
    assert len(kept) > 1
    kx.delete_task(box.client, kept[0])
    inspector.refresh()
    assert rows.sentence == sentence == f"action is {about}"
    assert inspector.matching["id"].tolist() == kept[1:]
    assert set(inspector.picked["id"]) == set(kept[1:])
    inspector.filter(type="data_event")
    assert rows.sentence == sentence


def test_a_filter_that_no_task_has_says_which_there_are(inspector: TaskInspector) -> None:
    with pytest.raises(traitlets.TraitError, match=r"No task has kind 'nonsense'. There are: .*sync_event"):
        inspector.filter(type="nonsense")


def queue_of(*minutes: float | None) -> pd.DataFrame:
    now = pd.Timestamp("2026-10-05 08:00", tz="UTC")
    made = [None if m is None else now - pd.Timedelta(minutes=m) for m in minutes]
    kinds = ["data_event"] * (len(minutes) - 1) + ["request"]
    return pd.DataFrame({"type": kinds, "created_at": pd.Series(made, dtype="datetime64[us, UTC]")})


def test_waits_are_told_in_words_that_stay_true() -> None:
    delays = kx.queue_delays(queue_of(*[2.5] * 18, 180, 180, None, 5), now="2026-10-05 08:00")
    assert delays["type"].tolist() == ["data_event", "request"]
    assert delays["tasks"].tolist() == [20, 1]
    assert delays["words"].tolist() == [
        "Half have waited less than 3 minutes, 5 % longer than 3 hours.",
        "It has waited 5 minutes.",
    ]
    assert delays["p50"][0] == pd.Timedelta(minutes=2.5)
    alike = kx.queue_delays(queue_of(61, 62, 62.5), None, now="2026-10-05 08:00")
    assert alike["words"].tolist() == ["Half have waited 62 minutes or longer."]
    together = kx.queue_delays(queue_of(1, 1, -5), None, now="2026-10-05 08:00")
    assert together["tasks"].tolist() == [3]
    assert together["longest"].tolist() == [pd.Timedelta(minutes=1)]  # made in the future: not waiting yet
    assert kx.queue_delays(queue_of(None)).empty
    with pytest.raises(ValueError, match="no column 'driver'"):
        kx.queue_delays(queue_of(1), "driver")


@pytest.mark.parametrize(
    ("seconds", "up", "words"),
    [(0, False, "0 seconds"), (0, True, "1 second"), (89, False, "89 seconds"), (90, False, "1 minute"),
     (5399, True, "90 minutes"), (5400, False, "1 hour"), (129_600, False, "1 day"), (172_800, True, "3 days")],
)  # fmt: skip
def test_a_span_in_words(seconds: int, up: bool, words: str) -> None:
    assert span_words(pd.Timedelta(seconds=seconds), up=up) == words


def test_waits_stand_in_the_inspector(inspector: TaskInspector) -> None:
    assert "Half have waited" in inspector._waits.value
    assert set(inspector.waits("tenant_id")["tenant_id"]) == set(inspector.tasks["tenant_id"].dropna())


def test_waits_are_told_by_kind_and_tenant_in_words(inspector: TaskInspector) -> None:
    html = inspector._waits.value
    assert "<td>data event</td>" in html
    assert "data_event" not in html
    named = inspector.tasks.loc[inspector.tasks["object_type"] == "RDM:LEA", "label"].iloc[0]
    assert f"<td>{escape(named)}</td>" in html


def test_a_task_leads_to_the_objects_that_it_is_about(box: kx.Sandbox) -> None:
    roster = kx.load_roster(box.client, progress=False)
    inspector = kx.inspect_tasks(box.client, roster)
    tasks = inspector.tasks
    enrollments = tasks[tasks["object_type"] == "RDM:STUDENT_COURSE_SECTION_ENROLLMENT"]
    known = set(roster.persons["id"]), set(roster.sections["id"])
    task = next(
        task
        for _, task in enrollments.iterrows()
        if task["data"]["$person"]["id"] in known[0] and task["data"]["$section"]["id"] in known[1]
    )
    inspector.pick(task["id"])
    assert [button.hidden for button in inspector._opens] == [False, False]
    assert "no object has this id" not in inspector._detail.value
    person = roster.describe(task["data"]["$person"]["id"], "person")
    assert inspector._opens[0].description == f"Open {person.label}"
    inspector._opens[0].click()
    assert inspector.browser is not None
    assert inspector._shelf.children == [inspector.browser]
    assert inspector.browser.selected == person.id
    inspector._opens[1].click()
    assert inspector.browser.selected == task["data"]["$section"]["id"]
    inspector.pick(tasks.loc[tasks["type"] == "request", "id"].iloc[0])
    assert [button.hidden for button in inspector._opens] == [True, True]
    alone = kx.inspect_tasks(box.client)
    alone.pick(task["id"])
    assert [button.hidden for button in alone._opens] == [True, True]


def test_an_enrollment_names_who_and_where(box: kx.Sandbox) -> None:
    roster = kx.load_roster(box.client, progress=False)
    inspector = kx.inspect_tasks(box.client, roster)
    tasks = inspector.tasks[inspector.tasks["object_type"] == "RDM:STUDENT_COURSE_SECTION_ENROLLMENT"]
    for action, verb in (("ADD", "joins"), ("DELETE", "leaves"), ("CHANGE", "stays in")):
        task = tasks[tasks["action"] == action].iloc[0]
        inspector.pick(task["id"])
        assert f"<h3>{escape(inspector.picked['about'].iloc[0])}" in inspector._detail.value
        assert f" {verb} " in inspector._detail.value


def test_an_enrollment_in_plain_words() -> None:
    task = pd.Series({"type": "data_event", "action": "ADD", "object_type": "RDM:STUDENT_COURSE_SECTION_ENROLLMENT",
                      "object_id": "m", "label": None, "changes": None,
                      "data": {"$person": {"id": "p-123456789"}, "$section": {"id": "s"}}})  # fmt: skip
    assert describe_task(task, {"p-123456789": "Ada Li", "s": "Biology - Period 6"}.get) == "Ada Li joins Biology P6"
    assert describe_task(task) == "Student p-123456… joins section s"
    staff = pd.Series({**task, "action": "UNSET", "object_type": "RDM:STAFF_COURSE_SECTION_ENROLLMENT"})
    assert describe_task(staff, str.upper) == "P-123456789 no longer teaches S"
    assert describe_task(pd.Series({**task, "data": {}})).startswith("Add student in a section")


# Names, and where one is


def test_a_tenant_is_called_what_a_task_of_its_district_says(inspector: TaskInspector) -> None:
    tasks = inspector.tasks
    named = tasks[tasks["object_type"] == "RDM:LEA"].iloc[0]
    ids = tasks["tenant_id"].dropna().unique().tolist()
    other = next(id for id in ids if id != named["tenant_id"])
    texts = {value: text for text, value in inspector._filters["tenant_id"].options}
    assert texts[named["tenant_id"]].startswith(f"{named['label']} ")
    assert texts[other].startswith(f"{other[:8]}… ")
    inspector._take(tasks[tasks["object_type"] != "RDM:LEA"])  # the name stays known
    texts = {value: text for text, value in inspector._filters["tenant_id"].options}
    assert texts[named["tenant_id"]].startswith(f"{named['label']} ")
    twins = pd.concat([tasks, named.to_frame().T.assign(tenant_id=other)], ignore_index=True)
    inspector._take(twins.astype(tasks.dtypes))
    texts = {value: text for text, value in inspector._filters["tenant_id"].options}
    assert texts[other].startswith(f"{named['label']} ({other[:8]}…) ")


def test_the_dry_run_is_in_plain_words(inspector: TaskInspector) -> None:
    tasks = inspector.tasks
    changed = tasks[(tasks["object_type"] == "RDM:STUDENT") & (tasks["action"] == "ADD")]
    inspector.pick(changed["id"].iloc[0], tasks.loc[tasks["action"] == "SYNC_START", "id"].iloc[0])
    inspector.delete()
    shown = inspector._confirm_box._details.value
    assert "<td>add student</td>" in shown
    assert "<td>sync event, sync start</td>" in shown


def test_a_picked_task_is_gone_to_unless_it_is_added_to_others(inspector: TaskInspector) -> None:
    filled = inspector._rows.view["filled"]
    inspector._rows._hear(None, {"kind": "pick", "filled": filled, "rows": [1], "add": True}, None)
    assert (len(inspector.picked), inspector._beside.revealed) == (1, 0)
    inspector._rows._hear(None, {"kind": "pick", "filled": filled, "rows": [2], "add": False}, None)
    assert (len(inspector.picked), inspector._beside.revealed) == (1, 1)
    inspector._rows._hear(
        None, {"kind": "range", "version": inspector._rows.view["version"], "first": 2, "last": 4}, None
    )
    assert (len(inspector.picked), inspector._beside.revealed) == (3, 1)


# What the roster will look like

AHEAD = ["duplicate_state_id", "teacher_without_school", "teacher_without_sections"]


@pytest.fixture
def few_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks that the sandbox's queue clears something of, and no others: all of them take seconds."""
    monkeypatch.setattr(queue_module, "check", lambda roster, **options: kx.check(roster, AHEAD, **options))


@pytest.fixture
def ahead(box: kx.Sandbox, few_checks: None) -> TaskInspector:
    """Its queue lets go a student and a teacher of whom these checks say something: the sample tasks are about anyone."""
    roster = kx.load_roster(box.client, progress=False)
    found = kx.check(roster, AHEAD).findings
    found = found[~found["id"].isin([task.get("object_id") for task in box.queue.all()])]
    for event, check in {("DELETE", "RDM:STUDENT"): AHEAD[0], ("UNSET", "RDM:STAFF"): AHEAD[1]}.items():
        leaver = roster.persons.set_index("id").loc[found.loc[found["check"] == check, "id"].iloc[0]]
        named = {"name": {"first": leaver["name_first"], "last": leaver["name_last"]}}
        task = next(t for t in box.queue.all() if (t.get("action"), t.get("object_type")) == event)
        about = {"object_id": leaver.name, "label": leaver["label"], "data": named}
        box.queue._tasks[str(task["id"])] = {**task, **about}
    return kx.inspect_tasks(box.client, roster, allow_changes=True)


def test_without_a_roster_there_is_nothing_to_look_ahead_to(inspector: TaskInspector) -> None:
    assert inspector._outlook.hidden
    with pytest.raises(kx.KimonoError, match="has no roster"):
        inspector.look_ahead()


def test_nothing_is_worked_out_before_it_is_asked_for(ahead: TaskInspector, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not ahead._outlook.hidden
    assert (ahead.coming, ahead._outlook.result.value) == (None, "")
    said: list[str] = []
    monkeypatch.setattr(ahead._outlook, "say", said.append)
    ahead._outlook.ask.click()
    assert said == [
        "Begins ...",
        "Applying the queue (1 of 3) ...",
        "Checking the current roster (2 of 3) ...",
        "Checking the future roster (3 of 3) ...",
    ]
    assert ahead.coming is not None


def test_what_the_roster_will_look_like(box: kx.Sandbox, ahead: TaskInspector) -> None:
    before = ids_in(box)
    ahead._outlook.ask.click()
    coming, shown = ahead.coming, ahead._outlook.result.value
    assert coming is not None
    assert len(coming.cleared) == 4
    assert "2 people leave." in shown
    assert "No finding is created, 4 are cleared." in shown
    assert "Cleared: 4 findings" in shown
    assert shown.index('class="badge error"') < shown.index('class="badge information"')
    assert f"{len(coming.refused)} tasks cannot be applied; the first: an ADD of what is already there." in shown
    leaver = ahead.tasks[(ahead.tasks["action"] == "UNSET") & (ahead.tasks["object_type"] == "RDM:STAFF")].iloc[0]
    assert f"Unset staff {leaver['label']}" in shown
    assert coming.cleared.loc[coming.cleared["id"] == leaver["object_id"], "check"].tolist() == AHEAD[1:]
    assert '<span class="quiet">not known</span>' in shown
    assert ids_in(box) == before
    ahead._outlook.close.click()
    assert (ahead._outlook.result.value, ahead._outlook.close.hidden) == ("", True)


def test_a_task_says_what_it_does_to_the_findings(ahead: TaskInspector) -> None:
    tasks = ahead.tasks
    leaves = tasks.loc[(tasks["action"] == "UNSET") & (tasks["object_type"] == "RDM:STAFF"), "id"].iloc[0]
    ahead.pick(leaves)
    assert "This task" not in ahead._detail.value
    ahead.look_ahead()
    assert ahead.coming is not None
    titles = [ahead.coming.then.title(check) for check in AHEAD[1:]]
    assert f"This task clears 2 findings: {titles[0]}; {titles[1]}." in ahead._detail.value
    refused = ahead.coming.refused["problem"].iloc[0].split()[2]
    ahead.pick(refused)
    assert "This task cannot be applied: an ADD of what is already there." in ahead._detail.value
    known = {leaves, *ahead.coming.cleared["task_id"].dropna()}
    other = tasks[(tasks["type"] == "data_event") & (tasks["action"] == "CHANGE") & ~tasks["id"].isin(known)]
    ahead.pick(other["id"].iloc[0])
    assert "As far as is known, this task creates or clears no findings." in ahead._detail.value
    ahead.pick(tasks.loc[tasks["type"] == "sync_event", "id"].iloc[0])
    assert "this task" not in ahead._detail.value.lower()


def test_it_is_forgotten_once_the_queue_is_another(box: kx.Sandbox, ahead: TaskInspector) -> None:
    ahead.look_ahead()
    ahead.refresh()
    assert ahead.coming is not None
    box.queue.delete(ids_in(box)[0])
    ahead.refresh()
    assert ahead.coming is None
    assert ahead._outlook.result.value == ""
    assert "The queue has changed since." in ahead._outlook.said.value


def test_only_the_chosen_tenant_counts(ahead: TaskInspector) -> None:
    other = ahead.tasks["tenant_id"].value_counts().index[-1]
    ahead.filter(tenant_id=other)
    ahead.look_ahead()
    assert "Nothing will change. No finding is created or cleared." in ahead._outlook.result.value
    assert "0 data events of " in ahead._outlook.result.value


def test_an_error_stands_beside_the_button(ahead: TaskInspector, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(roster: kx.Roster, **options: object) -> kx.Report:
        raise kx.KimonoError("no <room>")

    monkeypatch.setattr(queue_module, "check", fails)
    ahead._outlook.ask.click()
    assert "no &lt;room&gt;" in ahead._outlook.said.value
    assert (ahead.coming, ahead._outlook.ask.disabled) == (None, False)


def test_what_a_roster_says_is_escaped(ahead: TaskInspector) -> None:
    roster = ahead.roster
    assert roster is not None
    roster.persons["label"] = roster.persons["label"] + "<img src=x>"
    roster.persons["name_last"] = roster.persons["name_last"] + "<img src=x>"
    ahead.look_ahead()
    assert "&lt;img src=x&gt;" in ahead._outlook.result.value
    assert "<img" not in ahead._outlook.result.value


def test_it_is_worked_out_beside_an_event_loop(ahead: TaskInspector) -> None:
    async def ask() -> list[bool]:
        ahead._outlook.ask.click()
        ahead._outlook.ask.click()  # it waits
        waiting = [ahead._outlook.ask.disabled, ahead.coming is None]
        for _ in range(600):
            await asyncio.sleep(0.05)
            if ahead.coming is not None:
                break
        return waiting

    assert asyncio.run(ask()) == [True, True]
    assert ahead.coming is not None
    assert "4 are cleared" in ahead._outlook.result.value


def test_it_can_be_stopped(ahead: TaskInspector, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, goes_on, steps = threading.Event(), threading.Event(), []

    def checked(roster: kx.Roster, **options: object) -> kx.Report:
        steps.append(roster)
        begun.set()
        assert goes_on.wait(20)
        return kx.check(roster, AHEAD)

    monkeypatch.setattr(queue_module, "check", checked)
    outlook = ahead._outlook

    async def ask_and_stop() -> list[object]:
        outlook.ask.click()
        while not begun.is_set():
            await asyncio.sleep(0.01)
        before = [outlook.ask.disabled, outlook.stop.hidden]
        outlook.stop.click()
        after = [outlook.ask.disabled, outlook.stop.hidden, "Stopped." in outlook.said.value]
        goes_on.set()
        for _ in range(100):
            await asyncio.sleep(0.01)
        return [before, after]

    assert asyncio.run(ask_and_stop()) == [[True, False], [False, True, True]]
    assert len(steps) == 1  # the roster to come was not checked any more
    assert (ahead.coming, outlook.result.value, outlook.ask.disabled) == (None, "", False)
    assert "Stopped." in outlook.said.value
    ahead.look_ahead()
    assert "4 are cleared" in outlook.result.value


def test_an_interrupt_leaves_the_button_ready(ahead: TaskInspector, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(roster: kx.Roster, **options: object) -> kx.Report:
        raise KeyboardInterrupt

    monkeypatch.setattr(queue_module, "check", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ahead.look_ahead()
    assert (ahead._outlook.ask.disabled, ahead._outlook.stop.hidden) == (False, True)
    assert "Stopped." in ahead._outlook.said.value
