"""Work in threads: results in order, as many at a time as asked for, and errors where the result is wanted."""

from __future__ import annotations

import threading

import pytest

from kimono_explore.threads import in_thread, in_threads, let_go_at_exit, result_of


def test_a_result_comes_from_another_thread() -> None:
    assert result_of(in_thread(lambda a, b: (a + b, threading.current_thread().name), 1, 2)) == (3, "kimono-page")
    assert result_of(in_thread(threading.get_ident)) != threading.get_ident()


def test_an_error_is_raised_where_the_result_is_wanted() -> None:
    future = in_thread(int, "x")
    with pytest.raises(ValueError, match="invalid literal"):
        result_of(future)


def test_results_come_in_order_though_a_slow_one_is_first() -> None:
    last_is_done = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert last_is_done.wait(10)
        if number == 4:
            last_is_done.set()
        return number * number

    assert list(in_threads(work, range(5), width=2)) == [0, 1, 4, 9, 16]


def test_no_more_run_at_a_time_than_asked_for() -> None:
    lock, running, most = threading.Lock(), 0, 0
    together = threading.Barrier(3)

    def work(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(10)
        with lock:
            running -= 1

    assert len(list(in_threads(work, range(9), width=3))) == 9
    assert most == 3


def test_what_an_object_holds_is_let_go_with_it() -> None:
    class Holder:
        pass

    holder, held = Holder(), Holder()
    holder.held = held  # type: ignore[attr-defined]
    let_go_at_exit(holder)
    own = vars(holder)
    assert own == {"held": held}
    del holder
    assert own == {}
