"""The task queue: one table of three wire versions, acknowledgements, deletion, and looking without effect."""

import pandas as pd
import pytest
from faulty_server import FaultyQueue
from pytest_httpserver import HTTPServer

import kimono_explore as kx
from kimono_explore.api.operations import TASK_TYPES
from kimono_explore.json_text import encode
from kimono_explore.sandbox.task_queue import TaskQueue, render_task
from kimono_explore.tasks import TASK_COLUMNS, task_table

TASK = {
    "type": "data_event",
    "id": "0001",
    "tenant_id": "t1",
    "sequence": 7,
    "created_at": "2026-10-05T06:00:00.123Z",
    "action": "CHANGE",
    "object_id": "p1",
    "object_type": "RDM:STUDENT",
    "group_id": "g1",
    "app_id": None,
    "label": "Ana Silva",
    "data": {"email": "new@example.org"},
    "changes": {"email": "old@example.org"},
}


def table(*tasks: object) -> pd.DataFrame:
    return task_table([encode(task).encode() for task in tasks])


@pytest.mark.parametrize("version", ["1.0.0", "2.0.0", "3.0.0"])
def test_every_wire_version_makes_the_same_row(version: str) -> None:
    df = table(render_task(TASK, version))
    assert tuple(df.columns) == TASK_COLUMNS
    row = df.loc[0]
    assert row[["type", "action", "id", "object_type", "object_id", "label", "group_id"]].tolist() == [
        "data_event",
        "CHANGE",
        "0001",
        "RDM:STUDENT",
        "p1",
        "Ana Silva",
        "g1",
    ]
    assert row["sequence"] == 7
    assert row["created_at"] == pd.Timestamp("2026-10-05T06:00:00.123Z")
    assert row["data"] == {"email": "new@example.org"}
    assert row["changes"] == {"email": "old@example.org"}
    assert pd.isna(row["app_id"])
    assert (row["schema_version"] == version) if version != "1.0.0" else pd.isna(row["schema_version"])


def test_the_three_versions_look_as_documented() -> None:
    assert list(render_task(TASK, "1.0.0")) == ["dataEvent"]
    assert list(render_task(TASK, "2.0.0")) == ["schema", "data_event"]
    assert list(render_task(TASK, "3.0.0"))[:3] == ["schema", "type", "id"]


def test_what_the_reference_prints_is_one_row_for_each_event() -> None:
    printed = {kind: {"id": kind} for kind in TASK_TYPES} | {"schema": "text", "type": "undefined"}
    assert table(printed)["type"].tolist() == list(TASK_TYPES)


def test_unknown_types_actions_and_shapes_are_shown_not_dropped() -> None:
    df = table(
        {"schema": "2.0.0", "new_event": {"id": "1", "action": "EXPLODE"}},
        {"schema": "3.0.0", "type": "odd", "id": "2", "sequence": "many", "created_at": "soon"},
        {"nothing": "known"},
        "text",
    )
    assert df["type"].fillna("-").tolist() == ["new_event", "odd", "-", "-"]
    assert df["action"].fillna("-").tolist() == ["EXPLODE", "-", "-", "-"]
    assert df["sequence"].isna().all()
    assert df["raw"].tolist()[2:] == ['{"nothing":"known"}', '"text"']


def test_an_empty_queue_has_the_same_columns_and_types() -> None:
    assert table().dtypes.to_dict() == table(TASK).dtypes.to_dict()


@pytest.fixture
def box() -> kx.Sandbox:
    with kx.sandbox(students=40, flaws=False) as made:
        yield made


@pytest.mark.parametrize("version", [None, "1.0.0", "2.0.0", "3.0.0"])
def test_the_queue_is_the_same_in_every_version(box: kx.Sandbox, version: str | None) -> None:
    df = kx.load_tasks(box.client, schema=version)
    queue = box.queue.all()
    assert df["id"].tolist() == [task["id"] for task in queue]
    assert df["type"].tolist() == [task["type"] for task in queue]
    assert df["sequence"].tolist() == [task["sequence"] for task in queue]


def test_looking_has_no_effect_and_taking_blocks_the_tenant(box: kx.Sandbox) -> None:
    for _ in range(2):
        assert len(kx.load_tasks(box.client)) == len(box.queue)
    first = kx.load_tasks(box.client, admin=False)
    assert 0 < len(first) <= 100
    assert len(kx.load_tasks(box.client, admin=False)) == 0
    kx.ack_tasks(box.client, first["id"], admin=False)
    assert not set(kx.load_tasks(box.client)["id"]) & set(first["id"])


def test_a_tenant_and_a_driver_can_be_asked_for(box: kx.Sandbox) -> None:
    everything = kx.load_tasks(box.client)
    tenant = everything["tenant_id"].iloc[-1]
    mine = everything[everything["tenant_id"] == tenant]["id"].tolist()
    assert kx.load_tasks(box.client, tenant_id=tenant)["id"].tolist() == mine
    assert kx.load_tasks(box.client, admin=False, tenant_id=tenant)["id"].tolist() == mine[:100]
    assert len(kx.load_tasks(box.client, driver="another")) == 0


def test_find_brings_one_task(box: kx.Sandbox) -> None:
    id = kx.load_tasks(box.client)["id"].iloc[3]
    found = box.client.find("tasks/admin", id)
    assert table(found)["id"].tolist() == [id]
    with pytest.raises(kx.NotFoundError, match="404 from tasks/admin/nope: No task"):
        box.client.find("tasks/admin", "nope")


@pytest.mark.parametrize("admin", [True, False])
@pytest.mark.parametrize("count", [1, 3])
def test_acknowledged_tasks_leave_the_queue(box: kx.Sandbox, admin: bool, count: int) -> None:
    ids = kx.load_tasks(box.client)["id"].tolist()[:count]
    outcomes = kx.ack_tasks(box.client, ids, app_id="4711", params={"k": "v"}, admin=admin)
    assert outcomes[["id", "outcome", "accepted"]].values.tolist() == [[id, "done", True] for id in ids]
    assert not set(ids) & {str(task["id"]) for task in box.queue.all()}
    assert box.queue.acknowledged[0] == {
        "task_id": ids[0],
        "status": "success",
        "$sys.app_id": "4711",
        "params": {"k": "v"},
    }


def test_retry_keeps_a_task_in_the_queue(box: kx.Sandbox) -> None:
    before = len(box.queue)
    kx.ack_tasks(box.client, kx.load_tasks(box.client)["id"].iloc[0], "retry", "locked just now")
    assert len(box.queue) == before


def test_a_refused_acknowledgement_names_its_task_and_the_others_are_done(box: kx.Sandbox) -> None:
    ids = [*kx.load_tasks(box.client)["id"].tolist()[:2], "no-such-task"]
    with pytest.raises(kx.AckRefusedError, match=r"1 of 3 acknowledgements were refused\. no-such-task: 404") as caught:
        kx.ack_tasks(box.client, ids)
    assert caught.value.outcomes["accepted"].tolist() == [True, True, False]
    assert len(box.queue.acknowledged) == 2


@pytest.mark.parametrize(
    ("status", "message", "said"),
    [("done", None, "Unknown status 'done'"), ("error", None, "needs a message"), ("retry", "", "needs a message")],
)
def test_an_acknowledgement_without_sense_is_not_sent(
    box: kx.Sandbox, status: str, message: str | None, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        kx.ack_tasks(box.client, "1", status, message)
    assert box.queue.acknowledged == []


def test_a_deleted_task_is_gone(box: kx.Sandbox) -> None:
    id = kx.load_tasks(box.client)["id"].iloc[0]
    kx.delete_task(box.client, id)
    assert id not in set(kx.load_tasks(box.client)["id"])
    with pytest.raises(kx.NotFoundError):
        kx.delete_task(box.client, id)


def test_a_server_error_is_not_taken_for_a_refusal(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/down/tasks/admin/ack").respond_with_data("", status=500)
    with kx.connect(httpserver.url_for("/down"), token="t") as client, pytest.raises(kx.AckUnknownError) as caught:
        kx.ack_tasks(client, ["1", "2"])
    assert caught.value.outcomes["outcome"].tolist() == ["not known", "not known"]
    assert caught.value.outcomes["accepted"].tolist() == [False, False]
    assert isinstance(caught.value.__cause__, kx.ServerError)


def test_an_unacknowledged_task_is_delivered_again() -> None:
    now = [0.0]
    queue = TaskQueue([{**TASK, "id": str(n)} for n in range(3)], timeout=60, clock=lambda: now[0])
    assert [task["id"] for task in queue.hand_out()] == ["0", "1", "2"]
    now[0] = 59
    assert queue.hand_out() == []
    now[0] = 61
    assert len(queue.hand_out()) == 3


MAYBE = ["reset before", "reset after", "cut body", "page after", "500 after", "503", "502", "bad gzip"]


@pytest.mark.parametrize("fault", MAYBE)
def test_taking_a_batch_is_never_repeated_by_itself(fault: str) -> None:
    with FaultyQueue(["1", "2"], {0: fault}) as queue, kx.connect(queue.url, token="t") as client:
        with pytest.raises(
            kx.KimonoError, match=r"Tasks may nevertheless have been handed out.*kx\.load_tasks\(client\) shows"
        ):
            kx.load_tasks(client, admin=False)
        assert queue.log == ["GET tasks"]


@pytest.mark.parametrize("fault", ["401", "404", "409", "429"])
def test_a_refused_batch_does_not_cry_wolf(fault: str) -> None:
    with FaultyQueue(["1", "2"], {0: fault}) as queue, kx.connect(queue.url, token="t") as client:
        with pytest.raises(kx.ResponseError) as caught:
            kx.load_tasks(client, admin=False)
        assert "handed out" not in str(caught.value)
        assert queue.log == ["GET tasks"]


def test_a_batch_that_was_not_asked_for_does_not_cry_wolf() -> None:
    with kx.connect("http://127.0.0.1:9/v2", token="t") as client, pytest.raises(kx.ConnectionFailedError) as caught:
        kx.load_tasks(client, admin=False)
    assert (caught.value.sent, "handed out" in str(caught.value)) == (False, False)


def test_a_batch_is_asked_for_again_with_a_new_token(httpserver: HTTPServer) -> None:
    for token in ("old", "new"):
        given = httpserver.expect_ordered_request("/oauth/token", method="POST")
        given.respond_with_json({"access_token": token})
        if token == "old":
            httpserver.expect_ordered_request("/v2/tasks").respond_with_json({}, status=401)
    httpserver.expect_ordered_request("/v2/tasks").respond_with_json({"data": [{"id": 7}]})
    with kx.connect(httpserver.url_for("/v2"), client_id="me", client_secret="s3cret") as client:
        assert kx.load_tasks(client, admin=False)["id"].tolist() == ["7"]


def test_a_server_that_knows_no_pages_shows_each_task_once() -> None:
    with FaultyQueue(["1", "2"]) as queue, kx.connect(queue.url, token="t") as client:
        assert kx.load_tasks(client)["id"].tolist() == ["1", "2"]


def test_numeric_ids_are_text_and_each_its_own(httpserver: HTTPServer) -> None:
    for page in range(4):
        data = [{"id": n, "action": "ADD"} for n in range(50 * page, 50 * page + 50)] if page < 3 else []
        httpserver.expect_request("/v2/tasks/admin", query_string={"page": str(page)}).respond_with_json({"data": data})
    httpserver.expect_request("/v2/tasks/admin").respond_with_json({"data": []})
    with kx.connect(httpserver.url_for("/v2"), token="t") as client:
        assert kx.load_tasks(client)["id"].tolist() == [str(n) for n in range(150)]


def test_looking_is_repeated() -> None:
    with FaultyQueue(["1", "2"], {0: "reset before"}) as queue, kx.connect(queue.url, token="t") as client:
        assert kx.load_tasks(client)["id"].tolist() == ["1", "2"]


OLDEST = [
    ({"action": "SYNC_START", "topic": "RDM:STUDENT"}, "sync_event", "-"),
    ({"action": "SYNC_END"}, "sync_event", "-"),
    ({"action": "TENANT_INSTALLED"}, "lifecycle_event", "-"),
    ({"action": "TENANT_PAUSED"}, "lifecycle_event", "-"),
    *[
        ({"action": a, "topic": "STUDENT"}, "data_event", "STUDENT")
        for a in ["ADD", "CHANGE", "UPDATE", "DELETE", "SET", "UNSET"]
    ],
    ({"action": "ADD"}, "data_event", "-"),
    ({"action": "EXPLODE", "topic": "RDM:STUDENT"}, "data_event", "RDM:STUDENT"),
    ({"action": "EXPLODE", "topic": "STAFF"}, "data_event", "STAFF"),
    ({"action": "ADD", "topic": "RDM:STUDENT", "object_type": "RDM:STAFF"}, "data_event", "RDM:STAFF"),
    ({"action": "EXPLODE"}, "-", "-"),
    ({"action": "EXPLODE", "topic": "weather"}, "-", "-"),
    ({"action": 7, "topic": ["STUDENT"]}, "-", "-"),
]


@pytest.mark.parametrize(("fields", "type", "object_type"), OLDEST)
def test_the_oldest_shape_gets_its_type(fields: dict[str, object], type: str, object_type: str) -> None:
    row = table({"id": 12, "batch_id": 34, "data": {"id": "p1"}, **fields}).astype(object).fillna("-").loc[0]
    assert row[["id", "type", "object_type", "group_id"]].tolist() == ["12", type, object_type, "34"]
    assert row["data"] == {"id": "p1"}
    assert '"batch_id":34' in row["raw"]


def test_the_oldest_shape_is_told_from_the_others_by_what_it_holds() -> None:
    df = table(
        {"action": "ADD", "topic": "STUDENT", "data": {"id": "p1"}},
        {"schema": "3.0.0", "type": "request", "id": "7", "request": {"id": "inner"}},
        {"schema": "3.0.0", "type": "data_event", "id": "8", "topic": "STUDENT", "batch_id": "b"},
    )
    assert df["type"].tolist() == ["data_event", "request", "data_event"]
    assert df["id"].fillna("-").tolist() == ["-", "7", "8"]
    assert df["object_type"].fillna("-").tolist() == ["STUDENT", "-", "-"]


BIG = b"9" * 5000
HOSTILE = {
    "deep list": (b'{"id":"1","data":' + b"[" * 10_000 + b"]" * 10_000 + b"}", None),
    "deep object": (b'{"id":"1","data":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}", None),
    "long sequence": (b'{"id":"1","type":"x","sequence":' + BIG + b"}", "1"),
    "long id": (b'{"id":' + BIG + b"}", BIG.decode()),
    "long within": (b'{"id":"1","data":{"a":' + BIG + b"}}", "1"),
    "long in an event": (b'{"dataEvent":{"id":"1","sequence":' + BIG + b"}}", None),
    "large sequence": (b'{"id":"1","sequence":999999999999999999999999999999}', "1"),
    "half a sequence": (b'{"id":"1","sequence":0.5}', "1"),
    "float sequence": (b'{"id":"1","sequence":1e300}', "1"),
    "endless sequence": (b'{"id":"1","sequence":1e999}', "1"),
    "large id": (b'{"id":999999999999999999999999999999}', "9" * 30),
    "surrogate": (b'{"id":"1","label":"\\ud800","\\udfff":"\\udc00"}', "1"),
    "no UTF-8": (b'{"id":"1","label":"\xff"}', "1"),
    "no JSON": (b"nonsense", None),
    "nothing": (b"", None),
    "odd types": (b'{"id":{"a":[1]},"type":[],"sequence":{},"created_at":[],"data":7,"changes":"x"}', '{"a":[1]}'),
    "deep label": (b'{"id":"1","label":' + b"[" * 900 + b"]" * 900 + b"}", "1"),
    "odd times": (b'{"id":"1","created_at":"9999-12-31T23:59:59-14:00","sequence":-0.0}', "1"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_task_keeps_its_row_and_its_text(name: str) -> None:
    text, id = HOSTILE[name]
    df = task_table([encode(TASK).encode(), text])
    assert df["id"].astype(object).where(df["id"].notna(), None).tolist() == ["0001", id]
    assert df["raw"].tolist()[1] == text.decode(errors="replace")
    assert df["sequence"].tolist()[0] == 7
    assert df.dtypes.to_dict() == table(TASK).dtypes.to_dict()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        *((n, n) for n in (7, -1, 2**63 - 1)),
        *((value, 7) for value in (7.0, "7", "7.0")),
        ("9007199254740993", 9007199254740993),
        *((value, None) for value in (2**63, 7.5, "many", True, [7], "inf", "nan")),
    ],
)
def test_a_sequence_is_a_whole_number_or_missing(sent: object, kept: int | None) -> None:
    assert table({"id": "1", "sequence": sent})["sequence"].astype(object).fillna(-99).tolist() == [
        -99 if kept is None else kept
    ]
