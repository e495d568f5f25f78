"""What became of each task is known at any moment, whatever ends the work."""

from __future__ import annotations

import pytest

from kimono_explore.errors import ConnectionFailedError
from kimono_explore.widgets.acting import Result, act_on


@pytest.mark.parametrize(("error", "raised"), [(KeyboardInterrupt(), False), (ValueError("odd"), True)])
def test_what_was_done_is_kept_where_something_ends_it(error: BaseException, raised: bool) -> None:
    rows: dict[str, Result] = {}
    told: list[int] = []

    def do(id: str) -> None:
        if id == "b":
            raise error

    if raised:
        with pytest.raises(ValueError, match="odd"):
            act_on(["a", "b", "c"], do, rows, told.append)
    else:
        act_on(["a", "b", "c"], do, rows, told.append)
    assert {id: row.outcome for id, row in rows.items()} == {"a": "done", "b": "not known", "c": "not sent"}
    assert told == [1, 2]


def test_an_error_of_ours_costs_its_own_task_only() -> None:
    rows: dict[str, Result] = {}

    def do(id: str) -> None:
        if id == "a":
            raise ConnectionFailedError("no answer")

    act_on(["a", "b"], do, rows, lambda _: None)
    assert rows["a"].outcome in ("not sent", "not known")
    assert rows["a"].message == "no answer"
    assert rows["b"] == Result("done")


def test_a_closed_client_sends_nothing_and_another_fault_is_not_hidden() -> None:
    rows: dict[str, Result] = {}

    def closed(_: str) -> None:
        raise RuntimeError("Cannot send a request, as the client has been closed.")

    act_on(["a"], closed, rows, lambda _: None)
    assert rows["a"] == Result("not sent", "The client was closed.")

    def broken(_: str) -> None:
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        act_on(["a"], broken, rows, lambda _: None)
    assert rows["a"].outcome == "not known"
