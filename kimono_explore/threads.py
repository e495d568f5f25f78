"""Work in threads that nobody waits for, but for half a second, when the process ends."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections import deque
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
A = TypeVar("A")

_SLICE = 0.1
_LAST_MOMENT = 0.6
_THREADS: WeakSet[threading.Thread] = WeakSet()


def in_thread(function: Callable[..., T], *arguments: object) -> Future[T]:
    """Call a function in a thread of its own. Python waits for the threads of a pool before it ends, and not for this."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function(*arguments))
        except BaseException as error:  # noqa: BLE001  whoever asks for the result gets it
            future.set_exception(error)

    thread = threading.Thread(target=run, name="kimono-page", daemon=True)
    _THREADS.add(thread)
    thread.start()
    return future


@atexit.register
def _let_end() -> None:
    """Let threads end whose load has ended: one that is cut off in a request keeps alive what it uses, and DuckDB says so."""
    until = time.monotonic() + _LAST_MOMENT
    for thread in list(_THREADS):
        thread.join(max(0.0, until - time.monotonic()))


def result_of(future: Future[T]) -> T:
    """The result, once it is there. An interrupt that wakes no lock (from a thread, or on Windows) is heard meanwhile."""
    while not future.done():
        wait((future,), _SLICE)
    return future.result()


def in_threads(function: Callable[[A], T], arguments: Iterable[A], width: int) -> Iterator[T]:
    """The function's results in the order of its arguments, ``width`` calls at a time."""
    under_way: deque[Future[T]] = deque()
    for argument in arguments:
        under_way.append(in_thread(function, argument))
        if len(under_way) >= width:
            yield result_of(under_way.popleft())
    while under_way:
        yield result_of(under_way.popleft())


def let_go_at_exit(owner: object) -> None:
    """Drop what an object holds when the process ends, whoever still holds the object: a thread that nobody waits for may.

    DuckDB complains of each connection that is left then.
    """
    weakref.finalize(owner, vars(owner).clear)
