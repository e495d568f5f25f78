"""What becomes of each task, answer by answer: a client without a network that answers as it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from httpx_retries import Retry

import kimono_explore as kx
from kimono_explore.acks import _counted, _judge, _named, ack_tasks, delete_task
from kimono_explore.api.transport import TooLong
from kimono_explore.errors import (
    AckRefusedError,
    AckUnknownError,
    BadResponseError,
    ConnectionFailedError,
    KimonoError,
    NotFoundError,
    ResponseError,
    ServerError,
)

if TYPE_CHECKING:
    from kimono_explore.api.operations import Operation


class Waits(Retry):
    """Waits nothing, and keeps what it should have waited for."""

    waited: list[str | None] = []

    def sleep(self, response: httpx.Response | httpx.HTTPError) -> None:
        assert isinstance(response, httpx.Response)
        self.waited.append(response.headers.get("Retry-After"))
        if response.headers.get("Retry-After") == "9999":
            raise TooLong(response, 9999.0)


class Client(kx.Client):
    """Answers in order: None is yes, an error is raised. After the last one, yes. It keeps what was sent."""

    def __init__(self, *answers: BaseException | None) -> None:
        self.answers, self.sent = list(answers), []  # type: ignore[var-annotated]
        self.retry = Waits(total=2)
        Waits.waited = []

    def request(self, operation: Operation, *, id: str | None = None, json: Any = None, repeat: bool = True) -> bytes:
        assert not repeat
        ids = [id] if id is not None else [ack["task_id"] for ack in json]
        self.sent.append((operation.name, ids))
        self.body = json
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        return b""


def refusal(status: int, *named: object, page: bool = False, after: str | None = None) -> ResponseError:
    kind = {404: NotFoundError, 503: ServerError}.get(status, ResponseError)
    error = kind(f"{status} from tasks: no.", status)
    error.details = [{"task_id": id} for id in named] or None
    error.is_page, error.retry_after = page, after
    return error


def not_sent() -> KimonoError:
    error = KimonoError("no token")
    error.sent = False
    return error


def lost() -> ConnectionFailedError:
    error = ConnectionFailedError("no answer")
    error.__cause__ = httpx.ReadTimeout("late", request=httpx.Request("PUT", "https://x"))
    return error


def ack(ids: object, *answers: BaseException | None, status: str = "success") -> tuple[list[str], list[Any]]:
    """The outcome of each task, and the ids of each request."""
    client = Client(*answers)
    try:
        outcomes = ack_tasks(client, ids, status, "why")  # type: ignore[arg-type]
    except kx.AckError as error:
        outcomes = error.outcomes
    return outcomes["outcome"].tolist(), [ids for _, ids in client.sent]


def test_a_list_that_is_taken_is_done_in_one_request() -> None:
    client = Client()
    outcomes = ack_tasks(client, ["1", "2", "1"], app_id="a7", params={"k": "v"})  # type: ignore[arg-type]
    assert outcomes.to_dict("list") == {
        "id": ["1", "2"],
        "status": ["success"] * 2,
        "outcome": ["done"] * 2,
        "accepted": [True] * 2,
        "message": [pytest.approx(float("nan"), nan_ok=True)] * 2,
    }
    assert client.sent == [("ackTasksAdmin", ["1", "2"])]
    assert client.body[0] == {"task_id": "1", "status": "success", "$sys.app_id": "a7", "params": {"k": "v"}}


def test_one_task_goes_alone_and_the_managed_queue_has_its_own_path() -> None:
    client = Client()
    ack_tasks(client, 7, "retry", "later", admin=False)  # type: ignore[arg-type]
    assert client.sent == [("ackTask", ["7"])]
    assert client.body == {"task_id": "7", "status": "retry", "message": "later"}


@pytest.mark.parametrize("status", [400, 404, 409, 410, 422, 200])
def test_a_list_is_split_until_the_one_that_is_refused_is_found(status: int) -> None:
    outcomes, asked = ack(["1", "2", "3"], refusal(status), None, refusal(status), refusal(status), None)
    assert asked == [["1", "2", "3"], ["1"], ["2", "3"], ["2"], ["3"]]
    assert outcomes == ["done", "refused", "done"]


@pytest.mark.parametrize("status", [400, 409, 422])
def test_tasks_that_the_server_names_are_asked_for_alone(status: int) -> None:
    outcomes, asked = ack(["1", "2", "3"], refusal(status, 2), None, refusal(status))
    assert (outcomes, asked) == (["done", "refused", "done"], [["1", "2", "3"], ["1", "3"], ["2"]])


@pytest.mark.parametrize("status", [404, 410])
def test_named_tasks_that_are_gone_need_not_be_asked_again(status: int) -> None:
    outcomes, asked = ack(["1", "2", "3"], refusal(status, "2"), None)
    assert (outcomes, asked) == (["done", "refused", "done"], [["1", "2", "3"], ["1", "3"]])


@pytest.mark.parametrize("status", [401, 403, 405, 429, 500, 503])
def test_an_error_that_is_of_everybody_is_not_asked_again_for_each_task(status: int) -> None:
    outcomes, asked = ack(["1", "2"], *[refusal(status)] * 9)
    repeats = 3 if status in (429, 503) else 1
    assert asked == [["1", "2"]] * repeats
    assert outcomes == ["refused" if status < 500 else "not known"] * 2


@pytest.mark.parametrize(
    ("status", "times"), [(408, 3), (429, 3), (502, 3), (503, 3), (504, 3), (500, 1), (409, 1), (501, 1)]
)
def test_what_passes_is_repeated_within_the_retries(status: int, times: int) -> None:
    assert len(ack("1", *[refusal(status)] * 9)[1]) == times


def test_a_list_that_is_too_long_is_halved() -> None:
    outcomes, asked = ack(["1", "2"], refusal(413))
    assert (outcomes, asked) == (["done", "done"], [["1", "2"], ["1"], ["2"]])
    outcomes, asked = ack("1", refusal(413))
    assert (outcomes, asked) == (["refused"], [["1"]])


def test_after_a_fault_the_rest_is_not_sent() -> None:
    outcomes, asked = ack(["1", "2", "3", "4"], refusal(409), refusal(401))
    assert asked == [["1", "2", "3", "4"], ["1", "2"]]
    assert outcomes == ["not known"] * 4
    assert ack(["1", "2"], not_sent()) == (["not sent", "not sent"], [["1", "2"]])


def test_a_lost_answer_is_repeated_and_a_task_that_is_gone_then_was_taken() -> None:
    assert ack("1", lost(), refusal(404)) == (["done"], [["1"], ["1"]])
    assert ack("1", lost(), refusal(410)) == (["done"], [["1"], ["1"]])
    assert ack("1", lost(), refusal(404, page=True)) == (["not known"], [["1"], ["1"]])
    assert ack("1", lost(), refusal(404), status="retry") == (["not known"], [["1"], ["1"]])
    assert ack("1", lost(), refusal(409)) == (["not known"], [["1"], ["1"]])
    assert ack("1", lost(), refusal(400)) == (["refused"], [["1"], ["1"]])
    assert ack("1", lost(), None) == (["done"], [["1"], ["1"]])
    assert ack("1", lost(), lost(), lost()) == (["not known"], [["1"]] * 3)
    assert ack("1", BadResponseError("a page"), None) == (["done"], [["1"], ["1"]])


def test_a_token_that_could_not_be_fetched_was_repeated_already() -> None:
    error = ConnectionFailedError("no token")
    error.__cause__ = httpx.ReadTimeout("late", request=httpx.Request("POST", "https://x"))
    assert len(ack("1", error)[1]) == 1
    assert len(ack("1", ConnectionFailedError("odd"))[1]) == 1
    unsent = refusal(503)
    unsent.sent = False
    assert ack("1", unsent) == (["not sent"], [["1"]])


def test_a_server_may_say_how_long_to_wait_and_not_too_long() -> None:
    ack("1", refusal(503, after="7"), refusal(503), None)
    assert Waits.waited == ["7", None]
    outcomes, asked = ack("1", refusal(429, after="9999"), None)
    assert (outcomes, asked, Waits.waited) == (["refused"], [["1"]], ["9999"])


def test_the_only_one_that_is_missing_is_what_the_list_was_refused_for() -> None:
    gone = refusal(404)
    outcomes, asked = ack(["1", "2", "3", "4"], gone, None, gone, gone, None)
    assert asked == [["1", "2", "3", "4"], ["1", "2"], ["3", "4"], ["3"], ["4"]]
    assert outcomes == ["done", "done", "refused", "done"]
    assert ack(["1", "2"], gone, gone, gone)[0] == ["not known", "not known"]
    assert ack(["1", "2"], refusal(409), gone, None)[0] == ["not known", "done"]
    assert ack(["1", "2"], refusal(409), None, gone)[0] == ["done", "not known"]


def test_one_that_was_not_asked_for_is_not_taken_for_the_missing_one() -> None:
    assert ack(["1", "2"], refusal(404), None, refusal(401))[0] == ["done", "not known"]


def test_a_page_that_is_not_the_apis_does_not_split_a_list() -> None:
    assert ack(["1", "2"], refusal(404, page=True)) == (["refused", "refused"], [["1", "2"]])


def test_what_is_said_of_refused_and_unknown_tasks() -> None:
    with pytest.raises(AckRefusedError) as refused:
        ack_tasks(Client(refusal(409, "1"), None, refusal(409)), ["1", "2"])  # type: ignore[arg-type]
    assert str(refused.value) == "1 of 2 acknowledgements were refused. 1: 409 from tasks: no."
    ids = [str(n) for n in range(7)]
    with pytest.raises(AckUnknownError) as unknown:
        ack_tasks(Client(refusal(500)), ids)  # type: ignore[arg-type]
    shown = "; ".join(f"{n}: 500 from tasks: no." for n in range(5))
    look = "kx.load_tasks(client) shows, without effect, what is still in the queue."
    assert str(unknown.value) == f"0 of 7 tasks acknowledged, 7 not known. {look} {shown} (and 2 more)"
    with pytest.raises(AckUnknownError) as five:
        ack_tasks(Client(refusal(500)), ids[:5])  # type: ignore[arg-type]
    assert str(five.value).endswith("4: 500 from tasks: no.")
    assert unknown.value.__cause__ is not None


def test_an_interrupt_tells_what_is_known() -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        ack_tasks(Client(refusal(409), None, KeyboardInterrupt()), ["1", "2", "3"])  # type: ignore[arg-type]
    assert caught.value.outcomes["outcome"].tolist() == ["done", "not known", "not known"]  # type: ignore[attr-defined]
    assert caught.value.__notes__ == ["1 of 3 tasks acknowledged, 2 not known: see .outcomes of this exception."]


@pytest.mark.parametrize(
    ("ids", "status", "message", "said"),
    [
        ("1", "sucess", None, "Unknown status 'sucess'. Choose one of: success, error, retry, reauthenticate."),
        ("1", "error", None, "The status 'error' needs a message that says why."),
        ("1", "retry", "", "The status 'retry' needs a message that says why."),
        ("", "success", None, "Every task needs an id; one is missing or empty. Nothing was sent."),
        (["1", ".."], "success", None, "Every task needs an id; one is missing or empty. Nothing was sent."),
        (["1", "."], "success", None, "Every task needs an id; one is missing or empty. Nothing was sent."),
        (["1", None], "success", None, "Every task needs an id; one is missing or empty. Nothing was sent."),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_sent(
    ids: Any, status: str, message: str | None, said: str
) -> None:
    client = Client()
    with pytest.raises(ValueError, match="^" + said.replace(".", r"\.")):
        ack_tasks(client, ids, status, message)  # type: ignore[arg-type]
    assert client.sent == []


def test_a_deletion_is_done_refused_or_not_known() -> None:
    client = Client(lost(), refusal(404))
    delete_task(client, "1")  # type: ignore[arg-type]
    assert client.sent == [("deleteTaskAdmin", ["1"])] * 2
    with pytest.raises(NotFoundError):
        delete_task(Client(refusal(404)), "1")  # type: ignore[arg-type]
    with pytest.raises(KimonoError, match="no token"):
        delete_task(Client(not_sent()), "1")  # type: ignore[arg-type]
    with pytest.raises(
        AckUnknownError, match=r"^Whether the task 1 was deleted is not known. 500 from tasks: no. kx"
    ) as caught:
        delete_task(Client(refusal(500)), "1")  # type: ignore[arg-type]
    row = caught.value.outcomes.iloc[0].tolist()
    assert row == ["1", "delete", "not known", False, "500 from tasks: no."]


def test_the_words_for_a_task() -> None:
    assert _judge(None, lost=True) == ("done", None)
    assert _judge(refusal(404), lost=True) == (
        "done",
        "The answer to an earlier try was lost; a repeat found the task gone from the queue.",
    )
    assert _judge(refusal(409), lost=True) == ("not known", "An earlier answer was lost, then: 409 from tasks: no.")
    assert _judge(refusal(422), lost=True) == ("refused", "422 from tasks: no.")
    assert _judge(refusal(422, page=True), lost=True)[0] == "not known"
    assert _judge(refusal(404), lost=False, before=True) == (
        "not known",
        "Never there, or taken with a list that was refused: 404 from tasks: no.",
    )
    assert _judge(refusal(404), lost=False, before=True, named=True) == ("refused", "404 from tasks: no.")
    assert _judge(refusal(401), lost=False, before=True) == (
        "not known",
        "A list with it was refused, then: 401 from tasks: no.",
    )
    assert _judge(not_sent(), lost=False) == ("not sent", "no token")
    assert _judge(not_sent(), lost=True) == ("not known", "no token")
    assert _judge(not_sent(), lost=False, before=True) == ("not known", "no token")


def test_what_a_refusal_names() -> None:
    error = refusal(409, "a", 7, None, ["x"])
    assert _named(error) == {"a", "7"}
    error.details = {"task_id": "a"}
    assert _named(error) == set()
    error.details = ["a", {"task_id": "b"}]
    assert _named(error) == {"b"}


def test_outcomes_are_counted_in_words() -> None:
    _, _ = ack(["1"])
    client = Client(refusal(409), None, refusal(409), None)
    with pytest.raises(AckRefusedError) as caught:
        ack_tasks(client, ["1", "2"])  # type: ignore[arg-type]
    assert _counted(caught.value.outcomes) == "1 of 2 tasks acknowledged, 1 refused"
