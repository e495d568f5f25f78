"""Rows that moved while a list was read: noticed where two pages meet, and read again.

A page is requested by number, so when a row is deleted from a page that was already read, every later row moves up by
one, and one of them slips from an unread page into a page that was read:

    read:    [a b c] [d e f]         [h i j]      b was deleted after the second page was read: g was skipped
    now:     [a c d] [e f g] [h i j]              pages 0 and 1 end with d and g, no longer with c and f

So at the end a few rows around every place where two pages meet, and around the end, are requested once more, and pages
whose first or last row has changed are read again.

In a list that keeps its order, this misses no row that was there all the time. A skipped row stood behind such a place
when the page before it was read, and before the place when the page behind it was read. Wherever it stands now, it is
on the wrong side for one of the two pages: that page no longer begins, or ends, as it did. This holds however many
changes there were, because one request shows both sides.
"""

from __future__ import annotations

import itertools
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
    """Remembers which rows each page held, in eight bytes per row."""

    def __init__(self) -> None:
        self._pages: dict[int, NDArray[np.int64]] = {}

    def add(self, page: Page) -> None:
        """Remember a page."""
        if page.rows:
            self._pages[page.number] = _keys(page.rows)

    def heal(self, ask: Ask, page_size: int | None, width: int) -> Iterator[Page]:
        """Find out whether rows moved, and yield the rows that were skipped.

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
            Rows that no page held before. The last page has a note on what was read again; its ``gone`` lists the rows,
            by page and position, that no longer exist.
        """
        if not self._pages:
            return
        end, longest = max(self._pages), max(map(len, self._pages.values()))

        def read(number: int) -> Sequence[msgspec.Raw]:
            return _rows_of_page(number, ask, page_size) if number > end else ask(number, page_size).page.rows

        known = np.sort(np.concatenate(list(self._pages.values())))
        reread: dict[int, NDArray[np.int64]] = {}
        added = 0
        note, settled = f"still moved after {{pages}} pages were read again, and {SOME_MAY_BE_MISSING}", False
        try:
            for _ in range(_ROUNDS):
                moved = self._moved({**self._pages, **reread}, known, ask, page_size, width)
                if not moved:
                    settled = True
                    note = "moved, and {pages} pages were read again; what changed within others cannot be known"
                    break
                while moved:
                    for number, rows in zip(moved, in_threads(read, moved, width), strict=True):
                        keys = reread[number] = _keys(rows)
                        new = np.flatnonzero(~np.isin(keys, known))
                        known = np.sort(np.concatenate([known, keys[new]]))
                        added += len(new)
                        yield Page(number, [rows[n] for n in new.tolist()])
                    continues = number > end and len(rows) >= longest and len(new)
                    # Follow the list to its present end, but not if it grows faster than it is read.
                    moved = [number + 1] if continues and number < 2 * end + _ROUNDS else []
        except KimonoError as error:
            if _load_was_ended(error):
                raise
            yield Page(-1, [], f"{NOT_LOOKED_AT}: {error}")
            return
        if reread:
            now = np.concatenate(list({**self._pages, **reread}.values()))
            gone = [
                (number, int(place))
                for number in reread
                if settled and number in self._pages
                for place in np.flatnonzero(~np.isin(self._pages[number], now))
            ]
            summary = note.format(pages=len(reread))
            text = f"rows {summary}; value counts the rows that had been skipped and were added"
            yield Page(-1, [], text, added, gone)

    def _moved(
        self,
        pages: dict[int, NDArray[np.int64]],
        known: NDArray[np.int64],
        ask: Ask,
        page_size: int | None,
        width: int,
    ) -> list[int]:
        """The numbers of pages whose first or last row differs, and of pages past the end with new rows."""
        numbers = [number for number in sorted(pages) if len(pages[number])]
        if not numbers:
            return []
        end = numbers[-1]
        size = len(pages[numbers[0]])
        regular = numbers == list(range(len(numbers))) and all(len(pages[number]) == size for number in numbers[:-1])
        boundaries = [number * size for number in numbers[1:]] + [end * size + len(pages[end])] if regular else []
        moved: set[int] = set()
        unclear = set() if regular else {*numbers, end + 1}
        for number, keys in enumerate(in_threads(lambda place: _rows_around(place, size, ask), boundaries, width)):
            if keys is None or (number < end and len(keys) < 2):
                unclear |= {number, number + 1}
                continue
            if keys[0] != pages[number][-1]:
                moved.add(number)
            if number < end and keys[1] != pages[number + 1][0]:
                moved.add(number + 1)
            if number == end:
                # A short page may hide rows past the end, so the next page is requested too.
                beyond = keys[1:] if len(keys) > 1 else _keys(_rows_of_page(boundaries[end], ask, 1))
                if not np.isin(beyond, known).all():
                    moved |= {end, end + 1}

        def changed(number: int) -> set[int]:
            if number > end:
                return set() if np.isin(_keys(_rows_of_page(number, ask, page_size)), known).all() else {end, number}
            now, before = _keys(ask(number, page_size).page.rows), pages[number]
            same = len(now) == len(before) and now[0] == before[0] and now[-1] == before[-1]
            return set() if same else {number}

        return sorted(moved.union(*in_threads(changed, sorted(unclear - moved), width)))


def _rows_around(boundary: int, most: int, ask: Ask) -> NDArray[np.int64] | None:
    """The rows just before and at a boundary (the latter if there is one); None if no page of at most ``most`` rows has both."""
    size = next(size for size in itertools.count(2) if boundary % size)  # no page of that size begins at the boundary
    if size > most:
        return None
    try:
        rows = ask(boundary // size, size).page.rows
    except KimonoError as error:
        if _load_was_ended(error):
            raise
        return None
    at = boundary % size
    return _keys(rows[at - 1 : at + 1]) if at <= len(rows) <= size else None


def _rows_of_page(number: int, ask: Ask, page_size: int | None) -> Sequence[msgspec.Raw]:
    try:
        return ask(number, page_size).page.rows
    except KimonoError as error:
        if _load_was_ended(error):
            raise
        return []  # some servers have no page past the last


def _load_was_ended(error: KimonoError) -> bool:
    return isinstance(error, ConnectionFailedError) and "the load was ended" in str(error)


def _keys(rows: Sequence[msgspec.Raw]) -> NDArray[np.int64]:
    return np.fromiter((hash(key_of(row)) for row in rows), np.int64, len(rows))
