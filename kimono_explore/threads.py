"""Work in threads for which the process waits at most half a second when it ends."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, wait
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
    """Let threads end whose load has ended: one cut off in a request keeps alive what it uses, and DuckDB complains."""
    until = time.monotonic() + _LAST_MOMENT
    for thread in list(_THREADS):
        thread.join(max(0.0, until - time.monotonic()))


def result_of(future: Future[T]) -> T:
    """Wait for the result, while still noticing an interrupt that wakes no lock (from a thread, or on Windows)."""
    while not future.done():
        wait((future,), _SLICE)
    return future.result()


def in_threads(function: Callable[[A], T], arguments: Iterable[A], width: int) -> Iterator[T]:
    """The function's results in the order of its arguments, ``width`` calls at a time: a slow one holds up no other."""
    begun: deque[Future[T]] = deque()
    for argument in arguments:
        while len(under_way := [future for future in begun if not future.done()]) >= width:
            wait(under_way, _SLICE, FIRST_COMPLETED)
        begun.append(in_thread(function, argument))
        while begun and begun[0].done():
            yield begun.popleft().result()
    while begun:
        yield result_of(begun.popleft())


def let_go_at_exit(owner: object) -> None:
    """Release what an object holds when the process ends, even if a thread that nobody waits for still holds the object.

    DuckDB complains about each connection that is still open then.
    """
    weakref.finalize(owner, vars(owner).clear)
