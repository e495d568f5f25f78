"""Acknowledging and deleting under faults: what is said of a task is true of the queue, which keeps its own books."""

import random
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pandas as pd
import pytest
from faulty_server import FAULTS, HTML, FaultyQueue, answer

import kimono_explore as kx
from kimono_explore.acks import OUTCOMES

SEEDS = range(20)
LOST = ["reset after", "cut body", "page after", "502", "trickle", "bad gzip"]


def client_that_waits(seconds: float) -> kx.Client:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kimono_explore.api.client._BACKOFF", 0.0)
        return kx.connect("http://127.0.0.1:9/v2", token="t", retries=2, timeout=seconds)


@pytest.fixture(scope="module")
def client() -> Iterator[kx.Client]:
    """A client whose waits are short; each test points it at its own queue."""
    with client_that_waits(0.25) as made:
        yield made


@pytest.fixture(scope="module")
def patient() -> Iterator[kx.Client]:
    """The same for long lists: a busy machine may take longer than a fault that is to be seen soon."""
    with client_that_waits(30.0) as made:
        yield made


def ack(client: kx.Client, queue: FaultyQueue, ids: object, status: str = "success") -> pd.DataFrame:
    """The outcomes, whether they were returned or raised; indexed by id."""
    client.base_url = queue.url
    try:
        outcomes = kx.ack_tasks(client, ids, status, "why")  # type: ignore[arg-type]
        assert set(outcomes["outcome"]) <= {"done"}
    except kx.AckRefusedError as error:
        outcomes = error.outcomes
        assert set(outcomes["outcome"]) <= {"done", "refused"}
        assert "refused" in set(outcomes["outcome"])
    except kx.AckUnknownError as error:
        outcomes = error.outcomes
        assert set(outcomes["outcome"]) & {"not known", "not sent"}
    return outcomes.set_index("id")


def check(queue: FaultyQueue, ids: list[str], outcomes: pd.DataFrame) -> None:
    """What is said of each task is true."""
    assert outcomes.index.tolist() == list(dict.fromkeys(ids))
    assert outcomes["accepted"].tolist() == (outcomes["outcome"] == "done").tolist()
    assert set(queue.taken.values()) <= {1}
    for id, outcome, message in zip(outcomes.index, outcomes["outcome"], outcomes["message"], strict=True):
        if outcome == "done":
            assert id not in queue.here, id
        elif outcome == "refused":
            assert queue.taken[id] == 0, id
            assert message[:3] in ("200", "400", "401", "404", "409", "429"), message
        elif outcome == "not sent":
            assert queue.sent[id] == 0, id
        else:
            assert outcome == "not known"
            assert message, id


class Case:
    """A queue and a batch, drawn at random: tasks that are locked or missing, and how the server takes a list."""

    def __init__(self, seed: int, faults: dict[int, str]) -> None:
        chance = random.Random(seed)
        here = [f"t{n}" for n in range(20)]
        missing = ["gone-1", "gone-2"][: chance.choice([0, 0, 1, 2])]
        self.batch = [*chance.sample(here, 12), *missing]
        chance.shuffle(self.batch)
        locked = chance.sample(self.batch, chance.choice([0, 1, 2]))
        self.queue = FaultyQueue(
            here, faults, locked=locked, partial=chance.random() < 0.4, details=chance.random() < 0.5, stall=0.5
        )


@cache
def requests_of(client: kx.Client, seed: int) -> int:
    """How many requests the case takes where nothing goes wrong."""
    case = Case(seed, {})
    with case.queue:
        check(case.queue, case.batch, ack(client, case.queue, case.batch))
        return len(case.queue.log)


@pytest.mark.parametrize("fault", [name for name in FAULTS if name])
def test_what_is_said_of_a_task_is_true(client: kx.Client, fault: str) -> None:
    told: Counter[str] = Counter()
    for seed in SEEDS:
        at = random.Random(seed).randrange(requests_of(client, seed))
        case = Case(seed, {at: fault})
        with case.queue:
            outcomes = ack(client, case.queue, case.batch)
            check(case.queue, case.batch, outcomes)
            told.update(outcomes["outcome"])
    assert told["done"] > 0


def test_what_is_said_of_a_task_is_true_under_many_faults(client: kx.Client) -> None:
    lying = {"", "404", "trickle"}  # a 404 of a task that is there is believed after a lost answer
    names = [name for name in FAULTS if name not in lying]
    for seed in range(100):
        chance = random.Random(seed)
        case = Case(seed, {n: chance.choice(names) for n in range(12) if chance.random() < 0.5})
        with case.queue:
            check(case.queue, case.batch, ack(client, case.queue, case.batch))


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("details", [True, False])
def test_a_list_that_took_effect_and_lost_its_answer_is_done(client: kx.Client, fault: str, details: bool) -> None:
    ids = [f"t{n}" for n in range(12)]
    with FaultyQueue(ids, {0: fault}, details=details, stall=0.5) as queue:
        outcomes = ack(client, queue, ids)
        assert outcomes["outcome"].tolist() == ["done"] * 12
        assert outcomes["message"].str.contains("a repeat found the task gone").all()
        assert queue.taken == dict.fromkeys(ids, 1)
        # With details the whole list is repeated: once, or twice where a slow machine answers too late again.
        assert 2 <= len(queue.log) <= 3 if details else len(queue.log) > 12


@pytest.mark.parametrize("fault", ["reset before", "page instead", "503", "429"])
def test_a_fault_that_passes_is_waited_out(client: kx.Client, fault: str) -> None:
    with FaultyQueue(["1", "2"], {0: fault, 1: fault}) as queue:
        assert ack(client, queue, ["1", "2"])["outcome"].tolist() == ["done", "done"]
        assert queue.log == ["PUT tasks/admin/ack"] * 3


@pytest.mark.parametrize(
    ("fault", "outcome"), [("reset before", "not known"), ("503", "not known"), ("429", "refused")]
)
def test_the_repeats_are_bounded(client: kx.Client, fault: str, outcome: str) -> None:
    with FaultyQueue(["1", "2"], dict.fromkeys(range(9), fault)) as queue:
        assert ack(client, queue, ["1", "2"])["outcome"].tolist() == [outcome] * 2
        assert len(queue.log) == 3


def test_retry_after_is_honoured(client: kx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("kimono_explore.api.transport.wait", slept.append)
    monkeypatch.setitem(FAULTS, "busy", lambda queue, do: answer(503, b"", Retry_After="7"))
    with FaultyQueue(["1"], {0: "busy"}) as queue:
        assert ack(client, queue, "1")["outcome"].tolist() == ["done"]
    assert slept == [7.0]


@pytest.mark.parametrize("fault", ["500 before", "500 after", "302"])
def test_a_fault_that_does_not_pass_is_not_repeated(client: kx.Client, fault: str) -> None:
    with FaultyQueue(["1"], {0: fault}) as queue:
        assert ack(client, queue, "1")["outcome"].tolist() == ["not known"]
        assert queue.log == ["PUT tasks/admin/1/ack"]


def test_nothing_is_sent_where_nobody_listens(client: kx.Client) -> None:
    client.base_url = "http://127.0.0.1:9/v2"
    with pytest.raises(kx.AckUnknownError, match=r"0 of 2 tasks acknowledged, 2 not sent\.") as caught:
        kx.ack_tasks(client, ["1", "2"])
    assert caught.value.outcomes["outcome"].tolist() == ["not sent", "not sent"]


@pytest.mark.parametrize("details", [True, False])
def test_one_refused_among_many_is_found_with_few_requests(patient: kx.Client, details: bool) -> None:
    ids = [f"t{n}" for n in range(2000)]
    with FaultyQueue(ids, locked=["t700"], details=details) as queue:
        outcomes = ack(patient, queue, ids)
        assert outcomes.index[outcomes["outcome"] == "refused"].tolist() == ["t700"]
        assert "409" in outcomes["message"]["t700"]
        assert list(queue.here) == ["t700"]
        assert len(queue.log) <= (3 if details else 24)


@pytest.mark.parametrize("details", [True, False])
def test_the_one_that_is_missing_is_refused(client: kx.Client, details: bool) -> None:
    with FaultyQueue(["1", "2", "3"], details=details) as queue:
        assert ack(client, queue, ["1", "x", "2", "3"])["outcome"].to_dict() == {
            "1": "done",
            "x": "refused",
            "2": "done",
            "3": "done",
        }


def test_what_a_refused_list_may_have_taken_is_not_called_refused(client: kx.Client) -> None:
    with FaultyQueue(["1", "2", "3"], locked=["2"], partial=True, details=False) as queue:
        outcomes = ack(client, queue, ["1", "2", "3"])
        assert outcomes["outcome"].tolist() == ["not known", "refused", "done"]
        assert outcomes["message"]["1"].startswith("Never there, or taken with a list that was refused: 404")
        assert queue.taken == {"1": 1, "3": 1}


@pytest.mark.parametrize("status", ["404", "409"])
def test_a_first_clean_refusal_is_a_refusal(client: kx.Client, status: str) -> None:
    with FaultyQueue(["1"], {0: status}) as queue:
        outcomes = ack(client, queue, "1")
        assert outcomes["outcome"].tolist() == ["refused"]
        assert outcomes["message"]["1"].startswith(f"{status} from tasks/admin/1/ack: a fault.")
        assert queue.log == ["PUT tasks/admin/1/ack"]


def test_a_conflict_after_a_lost_answer_is_not_known(client: kx.Client) -> None:
    with FaultyQueue(["1"], {0: "reset before", 1: "409"}) as queue:
        assert ack(client, queue, "1")["outcome"].tolist() == ["not known"]


def test_a_task_to_be_delivered_again_does_not_prove_itself_by_being_gone(client: kx.Client) -> None:
    with FaultyQueue(["1"], {0: "reset before", 1: "404"}) as queue:
        assert ack(client, queue, "1", "retry")["outcome"].tolist() == ["not known"]


BODIES = [(b"", True), (b" \n", True), (b"null", True), (b"{}", True), (b'{"error": null}', True), (b"[]", True)]
BODIES += [(b'{"data": []}', True), (b'{"error": "no"}', False), (b'[{"task_id": "1", "error": "no"}]', False)]


@pytest.mark.parametrize(("body", "taken"), BODIES)
def test_what_counts_as_an_acceptance(
    client: kx.Client, monkeypatch: pytest.MonkeyPatch, body: bytes, taken: bool
) -> None:
    monkeypatch.setitem(FAULTS, "says", lambda queue, do: answer(200, body))
    with FaultyQueue(["1"], {0: "says"}) as queue:
        assert ack(client, queue, "1")["outcome"].tolist() == ["done" if taken else "refused"]


@pytest.mark.parametrize("body", [b"<html>", b"OK", b'"OK"', b"true", b"\xff", b"[" * 20000])
def test_what_says_nothing_is_not_an_acceptance(
    client: kx.Client, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setitem(FAULTS, "says", lambda queue, do: answer(200, body))
    with FaultyQueue(["1"], dict.fromkeys(range(9), "says")) as queue:
        assert ack(client, queue, "1")["outcome"].tolist() == ["not known"]


def test_a_wrong_base_url_does_not_split_a_list(client: kx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAULTS, "nowhere", lambda queue, do: answer(404, HTML, "text/html"))
    with FaultyQueue(["1", "2"], {0: "nowhere"}) as queue:
        assert ack(client, queue, ["1", "2"])["outcome"].tolist() == ["refused", "refused"]
        assert len(queue.log) == 1


def test_ids_are_sent_once_and_as_text(client: kx.Client) -> None:
    with FaultyQueue(["7", "8"]) as queue:
        assert ack(client, queue, pd.Series([7, 8, 7])).index.tolist() == ["7", "8"]
        assert queue.taken == {"7": 1, "8": 1}


@pytest.mark.parametrize("ids", ["", ["1", ""], ["1", None], ["1", float("nan")], [".."], ["1", "\ud800"]])
def test_an_id_that_is_not_one_stops_all_before_anything_is_sent(client: kx.Client, ids: object) -> None:
    with FaultyQueue(["1"]) as queue:
        client.base_url = queue.url
        with pytest.raises(ValueError, match=r"id|surrogates"):
            kx.ack_tasks(client, ids)  # type: ignore[arg-type]
        assert queue.log == []


def test_no_ids_are_no_request(client: kx.Client) -> None:
    with FaultyQueue(["1"]) as queue:
        assert len(ack(client, queue, [])) == 0
        assert queue.log == []


def test_an_interrupt_keeps_what_is_known(client: kx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = client.request, []

    def request(*arguments: object, **options: object) -> bytes:
        calls.append(options)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments, **options)  # type: ignore[arg-type]

    with FaultyQueue(["1", "2", "3", "4"], locked=["4"], details=False) as queue:
        monkeypatch.setattr(client, "request", request)
        client.base_url = queue.url
        with pytest.raises(KeyboardInterrupt) as caught:
            kx.ack_tasks(client, ["1", "2", "3", "4"])
        outcomes = caught.value.outcomes  # type: ignore[attr-defined]
        assert outcomes["outcome"].tolist() == ["done", "done", "not known", "not known"]
        assert caught.value.__notes__ == ["2 of 4 tasks acknowledged, 2 not known: see .outcomes of this exception."]
    assert set(outcomes["outcome"]) <= set(OUTCOMES)


@pytest.mark.parametrize("fault", [name for name in FAULTS if name])
def test_a_deletion_tells_the_truth(client: kx.Client, fault: str) -> None:
    with FaultyQueue(["1"], {0: fault}, stall=0.5) as queue:
        client.base_url = queue.url
        try:
            kx.delete_task(client, "1")
            assert "1" not in queue.here
        except kx.AckUnknownError as error:
            assert "Whether the task 1 was deleted is not known" in str(error)
            assert error.outcomes[["id", "outcome"]].to_numpy().tolist() == [["1", "not known"]]
        except kx.ResponseError:
            assert "1" in queue.here
        if fault in LOST:
            assert "1" not in queue.here
            assert queue.log == ["DELETE tasks/admin/1"] * 2


def test_a_deletion_without_any_answer_names_its_task(client: kx.Client) -> None:
    with FaultyQueue(["1"], dict.fromkeys(range(9), "reset after")) as queue:
        client.base_url = queue.url
        with pytest.raises(kx.AckUnknownError, match="the task 1 was deleted is not known"):
            kx.delete_task(client, "1")
        assert len(queue.log) == 3


def test_a_clean_404_of_a_deletion_is_an_error(client: kx.Client) -> None:
    with FaultyQueue([]) as queue:
        client.base_url = queue.url
        with pytest.raises(kx.NotFoundError, match="404 from tasks/admin/1: no task 1 is in the queue"):
            kx.delete_task(client, "1")
        assert len(queue.log) == 1


@pytest.mark.parametrize("fault", ["500 before", "401", "302"])
def test_a_fault_of_the_server_stops_the_rest_and_keeps_what_is_known(client: kx.Client, fault: str) -> None:
    with FaultyQueue([str(n) for n in range(8)], {2: fault}, locked=["3"], details=False) as queue:
        outcomes = ack(client, queue, list(queue.here))
        # Refused: all eight, then the first four. The fault meets 0 and 1, and nobody is asked after it.
        assert outcomes["outcome"].tolist() == ["not known"] * 8
        assert len(queue.log) == 3


def test_what_was_taken_before_a_fault_stays_done(client: kx.Client) -> None:
    with FaultyQueue(["1", "2", "3", "4"], {2: "500 before"}, locked=["4"], details=False) as queue:
        outcomes = ack(client, queue, ["1", "2", "3", "4"])
        assert outcomes["outcome"].tolist() == ["done", "done", "not known", "not known"]
        assert list(queue.here) == ["3", "4"]


def test_a_page_that_says_404_after_a_lost_answer_proves_nothing(
    client: kx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FAULTS, "nowhere", lambda queue, do: answer(404, HTML, "text/html"))
    with FaultyQueue(["1"], {0: "reset before", 1: "nowhere"}) as queue:
        assert ack(client, queue, "1")["outcome"].tolist() == ["not known"]
        assert list(queue.here) == ["1"]


def test_a_wait_that_is_too_long_leaves_what_is_known(client: kx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAULTS, "tomorrow", lambda queue, do: answer(429, b"", Retry_After="86400"))
    with FaultyQueue(["1", "2"], {0: "tomorrow"}) as queue:
        assert ack(client, queue, ["1", "2"])["outcome"].tolist() == ["refused", "refused"]
        assert len(queue.log) == 1
