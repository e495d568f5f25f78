"""The queue looked at, and a batch of it taken, by a client without a network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import kimono_explore as kx
from kimono_explore.tasks import load_tasks

if TYPE_CHECKING:
    from collections.abc import Callable

    from kimono_explore.api.operations import Operation

TASKS = [
    {"schema": "3.0.0", "type": "data_event", "id": id, "tenant_id": tenant} for id, tenant in ("1a", "2b", "3a", "4c")
]


class Client(kx.Client):
    """Serves two tasks a page of the admin queue, and all of them at once of the managed one."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def ask(self, operation: Operation, read: Callable[[bytes], Any], *, params: dict[str, Any], **_: Any) -> Any:
        self.asked.append((operation.name, params))
        page = TASKS[params["page"] * 2 : params["page"] * 2 + 2]
        # The queue moved: the second page brings the last task of the first one again.
        again = TASKS[1:2] if params["page"] == 1 else []
        return read(
            json.dumps({"data": again + page, "paging": {"next": "x" if params["page"] == 0 else None}}).encode()
        )

    def request(self, operation: Operation, *, params: dict[str, Any], repeat: bool) -> bytes:
        self.asked.append((operation.name, params))
        assert repeat is False
        if self.error is not None:
            raise self.error
        return json.dumps({"data": TASKS}).encode()


def ids(client: Client, **options: Any) -> list[str]:
    tasks = load_tasks(client, **options)  # type: ignore[arg-type]
    assert tasks.index.tolist() == list(range(len(tasks)))
    assert tasks.columns[0] == "schema_version"
    return tasks["id"].tolist()


def test_the_whole_queue_is_looked_at_in_silence_and_each_task_once(capsys: pytest.CaptureFixture[str]) -> None:
    client = Client()
    assert ids(client, schema="3.0.0", driver="d") == ["1", "2", "3", "4"]
    assert {name for name, _ in client.asked} == {"listTasksAdmin"}
    assert (client.asked[0][1]["schema"], client.asked[0][1]["driver"]) == ("3.0.0", "d")
    assert capsys.readouterr().err == ""


def test_only_the_tasks_of_a_tenant_are_shown() -> None:
    assert ids(Client(), tenant_id="a") == ["1", "3"]
    assert ids(Client(), tenant_id="b") == ["2"]
    assert ids(Client(), tenant_id="z") == []


def test_a_batch_is_taken_as_the_server_hands_it_out() -> None:
    client = Client()
    assert ids(client, admin=False, tenant_id="b") == ["1", "2", "3", "4"]
    assert client.asked == [("listTasks", {"schema": None, "driver": None, "tenant_id": "b"})]


def test_an_interrupt_says_that_tasks_may_have_been_handed_out() -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        load_tasks(Client(KeyboardInterrupt()), admin=False)  # type: ignore[arg-type]
    assert caught.value.__notes__[0].startswith("Tasks may nevertheless have been handed out")
