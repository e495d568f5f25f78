"""Every page of a list: several at a time, in order, with progress.

The server decides how long a page is and may not say which is the last, so a short page means nothing. The list ends
where ``paging`` says so, at a page that is empty twice and has nothing after it, or at a page that repeats an earlier one.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import wait
from typing import TYPE_CHECKING, NamedTuple

from kimono_explore.api.moved_rows import Boundaries
from kimono_explore.api.operations import MAX_PAGES
from kimono_explore.api.pages import Answer, Page, key_of, open_page
from kimono_explore.errors import IncompleteListError, NotFoundError, PermissionDeniedError
from kimono_explore.problems import ROWS_MAY_BE_MISSING, TAKEN_FOR_THE_END
from kimono_explore.progress import Bar
from kimono_explore.threads import in_thread, result_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from concurrent.futures import Future

    from kimono_explore.api.client import Client
    from kimono_explore.api.operations import Operation
    from kimono_explore.api.page_cache import SavedPages
    from kimono_explore.api.pages import Envelope

    Read = Callable[[int], Answer]


def read_pages(
    client: Client,
    operation: Operation,
    *,
    id: str | None = None,
    params: Mapping[str, str | int | None] | None = None,
    page_size: int | None = None,
    max_connections: int = 8,
    max_pages: int = MAX_PAGES,
    progress: bool = True,
    path: str | None = None,
    saved: SavedPages | None = None,
    heal: bool = False,
) -> Generator[Page]:
    """Yield every page of a list, in order.

    The first page is read alone, so that an error costs one request; then `max_connections` pages are requested at a
    time. At most `max_connections` pages past the end are requested.

    Parameters
    ----------
    client : Client
    operation : Operation
        A list of `api.OPERATIONS`.
    id : str, optional
        The org, for lists that belong to an org.
    params : mapping, optional
        Further query parameters.
    page_size : int, optional
        Rows per page, which the server may cap; default its maximum.
    max_connections : int, default 8
    max_pages : int, default 100,000
        A list with more pages is an error.
    progress : bool, default True
        Show a bar with rows and pages.
    path : str, optional
        A path in place of the operation's own.
    saved : SavedPages, optional
        Where pages are kept, and reused as long as the first one is still the same.
    heal : bool, default False
        After the last page, look whether rows moved while the list was read, and yield those that were skipped.

    Yields
    ------
    Page

    Raises
    ------
    IncompleteListError
        The list began and could not be read to its end.
    """
    if max_connections < 1 or max_pages < 1 or (page_size is not None and page_size < 1):
        raise ValueError("max_connections, max_pages and page_size must be 1 or more.")
    asking = _Asking(client, operation, path or operation.path, id, params or {}, page_size, threading.Event())
    read = asking.ask if saved is None else _reading_saved(asking.ask, saved, asking.path)
    boundaries = Boundaries()
    under_way: deque[Future[Answer]] = deque()
    with Bar(operation.list_name, "rows", shown=progress) as bar:
        try:
            for page in _pages_in_order(read, asking, max_connections, max_pages, under_way):
                bar.step(len(page.rows), pages=1)
                if heal:
                    boundaries.add(page)
                yield page
            if heal:
                for page in boundaries.heal(asking.ask, page_size, max_connections):
                    bar.step(len(page.rows))
                    yield page
        except BaseException:
            asking.stop.set()
            wait(under_way, timeout=0.6)  # so that nothing is written to the folder once the load has ended
            raise
        finally:
            # On an interrupt, too: requests under way end within a quarter of a second, and no more are sent.
            asking.stop.set()


class _Asking(NamedTuple):
    """What all requests for pages of one list have in common."""

    client: Client
    operation: Operation
    path: str
    id: str | None
    params: Mapping[str, str | int | None]
    page_size: int | None
    stop: threading.Event

    def ask(self, number: int, size: int | None = None) -> Answer:
        """Request one page, of the usual size unless another is given."""

        def read(body: bytes) -> Answer:
            return Answer(body, open_page(body, f"{self.path} (page {number})"))

        query = {**self.params, "page_size": size or self.page_size, "page": number}
        return self.client.ask(self.operation, read, id=self.id, params=query, path=self.path, stop=self.stop)


def _pages_in_order(
    read: Read, asking: _Asking, width: int, max_pages: int, under_way: deque[Future[Answer]]
) -> Iterator[Page]:
    path = asking.path
    seen: dict[int, int] = {}  # what a page holds -> the first page that held it
    under_way.append(in_thread(read, 0))
    number, asked, ending, promised = -1, 1, "", False
    while under_way:
        number += 1
        rows, more = _result(under_way.popleft(), path, number)
        was_empty = not rows
        if was_empty:  # an empty page may be a fault
            rows, more = _result(in_thread(asking.ask, number), path, number)
        first = seen.setdefault(hash(tuple(key_of(row) for row in rows)), number) if rows else number
        notes = [f"page {number} was empty when it was first asked for"] if was_empty and rows else []
        earlier_ending, ending = ending, "" if rows and first == number else ending
        if ending:
            pass
        elif not rows:
            ending = f"page {number} was empty"
            if more:
                notes.append(f"{ending}, yet promises a next page: {TAKEN_FOR_THE_END}")
            elif promised:
                notes.append(f"{ending}, though the page before promised it")
        elif first != number:
            ending = f"page {number} repeats page {first}"
            notes.append(f"{ending}{', yet promises a next page' if more else ''}: {TAKEN_FOR_THE_END}")
        elif earlier_ending:
            # The list continues past its apparent end: keep reading.
            notes.append(f"page {number} holds rows, though {earlier_ending}: {ROWS_MAY_BE_MISSING}")
        promised = more is True
        # One page after an empty page is requested, too.
        beyond = 1 if ending and not earlier_ending and more is not False and not rows and not under_way else 0
        while more is not False and len(under_way) < (beyond if ending else width):
            if asked >= max_pages:
                text = f"{path} has more pages than max_pages={max_pages:,} allows. Raise it, or use larger pages."
                raise IncompleteListError(text)
            under_way.append(in_thread(read, asked))
            asked += 1
        yield Page(number, rows, "; ".join(notes) or None)
        if more is False:
            return


def _result(answer: Future[Answer], path: str, number: int) -> Envelope:
    try:
        return result_of(answer).page
    except (NotFoundError, PermissionDeniedError) as error:
        if number == 0:
            raise
        text = f"{path} could not be read to its end: {error} {number} pages came before it. Try again."
        raise IncompleteListError(text, error.status) from error


def _reading_saved(ask: Read, saved: SavedPages, path: str) -> Read:
    """Read a page, or reuse the saved one. The first is always read, to see whether the saved ones are still valid."""

    def read(number: int) -> Answer:
        before = saved.take(path, number) if number else saved.get(path, 0)
        if number and before is not None:
            return before
        answer = ask(number)
        if before is not None and _keys(before) != _keys(answer):
            saved.forget(path)  # another tenant, or data that moved
        saved.put(path, number, answer.body)
        return answer

    return read


def _keys(answer: Answer) -> list[object]:
    return [key_of(row) for row in answer.page.rows]
