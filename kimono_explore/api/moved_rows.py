"""Rows that moved while a list was read: noticed by its pages' last rows, and read again.

A page is requested by number, so when a row is deleted from a page that was already read, every later row moves up by
one, and one of them slips from an unread page into a page that was read. Then the last row of each page in between has
changed:

    read:    [a b c] [d e f]         [h i j]      b was deleted after the second page was read: g was skipped
    now:     [a c d] [e f g] [h i j]              the last rows of pages 0 and 1 are d and g, not c and f

So at the end the last row of every page is requested once more, and pages whose last row has changed are read again, as
is what now follows the end: rows that were added there meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kimono_explore.api.pages import Page, key_of
from kimono_explore.errors import ConnectionFailedError, KimonoError
from kimono_explore.problems import NOT_LOOKED_AT, SOME_MAY_BE_MISSING
from kimono_explore.threads import in_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import msgspec
    from numpy.typing import NDArray

    from kimono_explore.api.pages import Answer

    Ask = Callable[[int, "int | None"], Answer]

_ROUNDS = 3


class Boundaries:
    """What is remembered of each page: which rows it held, in eight bytes each."""

    def __init__(self) -> None:
        self._pages: dict[int, NDArray[np.int64]] = {}

    def add(self, page: Page) -> None:
        """Remember a page."""
        if page.rows:
            self._pages[page.number] = _keys(page.rows)

    def heal(self, ask: Ask, page_size: int | None, width: int) -> Iterator[Page]:
        """Look whether rows moved, and yield the rows that had been skipped.

        Parameters
        ----------
        ask : callable
            Reads the page of a number and of a size.
        page_size : int or None
            The page size that was requested.
        width : int
            Requests at a time.

        Yields
        ------
        Page
            Rows that no page held before. The last one has a note that says what was healed; its ``gone`` lists the
            rows, by page and position, that no longer exist.
        """
        if not self._pages:
            return
        known = np.sort(np.concatenate(list(self._pages.values())))
        fresh: dict[int, NDArray[np.int64]] = {}
        added = 0
        note, settled = f"still moved after {{pages}} pages were read again, and {SOME_MAY_BE_MISSING}", False
        try:
            for _ in range(_ROUNDS):
                moved = self._moved({**self._pages, **fresh}, known, ask, page_size, width)
                if not moved:
                    settled = True
                    note = "moved, and {pages} pages were read again; what changed within others cannot be known"
                    break
                for number, answer in zip(moved, in_threads(lambda n: ask(n, page_size), moved, width), strict=True):
                    keys = fresh[number] = _keys(answer.page.rows)
                    new = np.flatnonzero(~np.isin(keys, known))
                    known = np.sort(np.concatenate([known, keys[new]]))
                    added += len(new)
                    yield Page(number, [answer.page.rows[n] for n in new.tolist()])
        except KimonoError as error:
            if _was_ended(error):
                raise
            yield Page(-1, [], f"{NOT_LOOKED_AT}: {error}")
            return
        if fresh:
            now = np.concatenate(list({**self._pages, **fresh}.values()))
            gone = [
                (number, int(place))
                for number in fresh
                if settled and number in self._pages
                for place in np.flatnonzero(~np.isin(self._pages[number], now))
            ]
            told = note.format(pages=len(fresh))
            text = f"rows {told}; value counts the rows that had been skipped and were added"
            yield Page(-1, [], text, added, gone)

    def _moved(
        self,
        pages: dict[int, NDArray[np.int64]],
        known: NDArray[np.int64],
        ask: Ask,
        page_size: int | None,
        width: int,
    ) -> list[int]:
        """The numbers of the pages whose last row has changed, and of those past the end that hold new rows."""
        numbers = [number for number in sorted(pages) if len(pages[number])]
        if not numbers:
            return []
        size = len(pages[numbers[0]])
        regular = numbers == list(range(len(numbers))) and all(len(pages[number]) == size for number in numbers[:-1])

        def last(number: int) -> int | None:
            place = len(pages[number]) - 1
            if regular:
                try:
                    rows = ask(number * size + place, 1).page.rows
                except KimonoError as error:
                    if _was_ended(error):
                        raise
                    rows = []
                if len(rows) == 1:
                    return hash(key_of(rows[0]))
            # The server does not serve pages of one row, or not this one: the whole page tells.
            rows = ask(number, page_size).page.rows
            return hash(key_of(rows[place])) if place + 1 == len(rows) else None

        found = in_threads(last, numbers, width)
        moved = [number for number, key in zip(numbers, found, strict=True) if key != int(pages[number][-1])]
        end = numbers[-1]
        place = ((end * size + len(pages[end])), 1) if regular else (end + 1, page_size)
        try:
            behind = _keys(ask(*place).page.rows)
        except KimonoError as error:
            if _was_ended(error):
                raise
            behind = _keys([])  # some servers have no page past the last
        if not np.isin(behind, known).all():
            moved += [end, end + 1]
        return sorted(set(moved))


def _was_ended(error: KimonoError) -> bool:
    return isinstance(error, ConnectionFailedError) and "the load was ended" in str(error)


def _keys(rows: Sequence[msgspec.Raw]) -> NDArray[np.int64]:
    return np.fromiter((hash(key_of(row)) for row in rows), np.int64, len(rows))
