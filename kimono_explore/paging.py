"""Every page of a list: several at a time, in order, with progress.

The server decides how long a page is and may not say which is the last, so a short page means nothing. The end is
where ``paging`` says so, at an empty page, or at a page that came before.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from tqdm.auto import tqdm

from kimono_explore.wire import open_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from kimono_explore.api import Operation
    from kimono_explore.client import Client
    from kimono_explore.resume import SavedPages


class Page(NamedTuple):
    """A page of a list, its rows still encoded.

    ``note`` is what a reader should know of it: that the server did not end the list as the reference says.
    """

    number: int
    rows: Sequence[msgspec.Raw]
    note: str | None = None


class _Identity(msgspec.Struct):
    sys: object = msgspec.field(name="$sys", default=None)
    id: object = None


_identify = msgspec.json.Decoder(_Identity).decode


def read_pages(
    client: Client,
    operation: Operation,
    *,
    id: str | None = None,
    params: Mapping[str, str | int | None] | None = None,
    page_size: int | None = None,
    max_connections: int = 8,
    progress: bool = True,
    path: str | None = None,
    saved: SavedPages | None = None,
) -> Iterator[Page]:
    """Yield every page of a list, in order.

    The first page is read alone, so that an error costs one request; then `max_connections` pages are under way at
    a time. At most `max_connections` pages beyond the end are asked for.

    Parameters
    ----------
    client : Client
    operation : Operation
        A list of `api.OPERATIONS`.
    id : str, optional
        The org, for the lists below an org.
    params : mapping, optional
        Further query parameters.
    page_size : int, optional
        Rows a page, which the server may cap; default its maximum.
    max_connections : int, default 8
    progress : bool, default True
        Show a bar with rows and pages.
    path : str, optional
        A path in place of the operation's own.
    saved : SavedPages, optional
        Where pages are kept, and taken from where the first one is still the same.

    Yields
    ------
    Page
    """
    if max_connections < 1 or (page_size is not None and page_size < 1):
        raise ValueError("max_connections and page_size are whole numbers from 1.")
    path = path or operation.path
    query = {**(params or {}), "page_size": page_size}

    def ask(number: int) -> bytes:
        return client.request(operation, id=id, params={**query, "page": number}, path=path)

    read = ask if saved is None else _remembering(ask, saved, path)

    pool = ThreadPoolExecutor(max_connections, thread_name_prefix="kimono-page")
    bar = tqdm(desc=operation.list_name, unit=" rows", disable=not progress, leave=True)
    try:
        for page in _in_order(read, pool, max_connections, path):
            bar.update(len(page.rows))
            bar.set_postfix(pages=page.number + 1, refresh=False)
            yield page
    finally:
        # Also on an interrupt: pages not begun are dropped, those under way end by themselves.
        pool.shutdown(wait=False, cancel_futures=True)
        bar.close()


def _in_order(read: _Read, pool: ThreadPoolExecutor, width: int, path: str) -> Iterator[Page]:
    seen: dict[int, int] = {}  # what a page holds -> the first page that held it
    under_way: deque[Future[bytes]] = deque([pool.submit(read, 0)])
    number, asked, ending = -1, 1, ""
    while under_way:
        body = under_way.popleft().result()
        number += 1
        rows, more = open_page(body, f"{path} (page {number})")
        first = seen.setdefault(hash(tuple(_key(row) for row in rows)), number) if rows else number
        note = None
        if not rows or first != number:
            if not ending:
                ending = f"page {number} repeats page {first}" if rows else f"page {number} was empty"
                if rows or more:
                    note = f"{ending}{', yet promises a next page' if more else ''}: taken for the end of the list"
        elif ending:
            # The list goes on behind what looked like its end: read on.
            note, ending = f"page {number} holds rows, though {ending}: the data moved while it was read", ""
        while more is not False and not ending and len(under_way) < width:
            under_way.append(pool.submit(read, asked))
            asked += 1
        yield Page(number, rows, note)
        if more is False:
            return


def _remembering(ask: _Read, saved: SavedPages, path: str) -> _Read:
    """Read a page, or take it from where it was saved. The first is always read: it tells whether the rest still fits."""

    def read(number: int) -> bytes:
        before = saved.take(path, number) if number else saved.get(path, 0)
        if number and before is not None:
            return before
        body = ask(number)
        if before is not None and _keys(before, path) != _keys(body, path):
            saved.forget(path)  # another tenant, or data that moved
        saved.put(path, number, body)
        return body

    return read


def _keys(body: bytes, path: str) -> list[object]:
    return [_key(row) for row in open_page(body, f"{path} (page 0)").rows]


def _key(row: msgspec.Raw) -> object:
    """What tells one object from another: its id, else all of its text."""
    try:
        found = _identify(row)
    except msgspec.DecodeError:
        return bytes(row)
    inner = found.sys.get("id") if isinstance(found.sys, dict) else None
    key = inner or found.id
    return key if isinstance(key, str) else bytes(row)


if TYPE_CHECKING:
    from collections.abc import Callable

    _Read = Callable[[int], bytes]
