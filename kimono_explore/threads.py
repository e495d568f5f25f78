"""Work in threads that nobody waits for when the process ends."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")
A = TypeVar("A")

_SLICE = 0.1


def in_thread(function: Callable[..., T], *arguments: object) -> Future[T]:
    """Call a function in a thread of its own. Python waits for the threads of a pool before it ends, and not for this."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function(*arguments))
        except BaseException as error:  # noqa: BLE001  whoever asks for the result gets it
            future.set_exception(error)

    threading.Thread(target=run, name="kimono-page", daemon=True).start()
    return future


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
