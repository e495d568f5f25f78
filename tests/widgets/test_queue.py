"""The task inspector: what it asks, what it sends, and what it says of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import kimono_explore as kx

if TYPE_CHECKING:
    from collections.abc import Iterator

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
