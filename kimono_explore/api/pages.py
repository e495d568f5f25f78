"""A page of a list: opened without decoding its rows."""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from kimono_explore.display import printable
from kimono_explore.errors import BadResponseError
from kimono_explore.json_text import decode, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kimono_explore.schema import JSON


class Envelope(NamedTuple):
    """An opened page of a list: its rows, still encoded, and what ``paging`` says about a next page."""

    rows: Sequence[msgspec.Raw]
    more: bool | None
    """True or False as ``paging.next`` says; None where the page does not say."""


class Answer(NamedTuple):
    """A page: its bytes, and the opened page."""

    body: bytes
    page: Envelope


class Page(NamedTuple):
    """A page of a list, its rows still encoded.

    ``note`` is what a reader should know about the page, ``counted`` the number that goes with the note. ``gone`` lists rows of
    earlier pages, by page and position, that the server no longer has.
    """

    number: int
    rows: Sequence[msgspec.Raw]
    note: str | None = None
    counted: int | None = None
    gone: Sequence[tuple[int, int]] = ()


class _Identity(msgspec.Struct):
    sys: object = msgspec.field(name="$sys", default=None)
    id: object = None


_identify = msgspec.json.Decoder(_Identity).decode


class _Page(msgspec.Struct):
    data: list[msgspec.Raw]
    paging: msgspec.Raw = msgspec.Raw(b"null")
    error: msgspec.Raw = msgspec.Raw(b"null")


_NO_ERROR = (b"null", b"{}", b'""', b"[]", b"false")


_read_page = msgspec.json.Decoder(_Page).decode


def open_page(body: bytes, where: str) -> Envelope:
    """Open a list's page: ``{"data": [...], "paging": {...}}``, or a bare list.

    Raises
    ------
    BadResponseError
        It is not JSON, holds no list, or carries an error beside it.
    """
    try:
        page = _read_page(body)
        if bytes(page.error) in _NO_ERROR:
            return Envelope(page.data, _more(msgspec.json.decode(page.paging)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    if not body.strip():
        raise BadResponseError(f"{where} answered with nothing; expected a list.")
    rows, answer = _cut_out_rows(body.removeprefix(codecs.BOM_UTF8), where) or ([], decode(body, where))
    error = answer.get("error") if isinstance(answer, dict) else None
    if error:
        said = error.get("message") if isinstance(error, dict) else error
        raise BadResponseError(
            f"{where} returned an error along with the list: {printable(said or encode(error))[:500]}"
        )
    held = answer.get("data", False) if isinstance(answer, dict) else answer
    if not isinstance(held, list):
        found = f'no list in "data", but {", ".join(answer) or "nothing"}' if isinstance(answer, dict) else "no object"
        found = 'null in place of a list in "data"' if held is None and isinstance(answer, dict) else found
        raise BadResponseError(f"{where} answered with {found}; expected a list. Is the base URL right?")
    more = _more(answer.get("paging")) if isinstance(answer, dict) else None
    return Envelope(rows or [msgspec.Raw(msgspec.json.encode(row)) for row in held], more)


def _cut_out_rows(body: bytes, where: str) -> tuple[list[msgspec.Raw], JSON] | None:
    """The still encoded rows of a page that is not strict JSON, and the page without them; None if there are none.

    A row may hold bytes that are not UTF-8, be nested deeper than any decoder goes, or hold a number with thousands of
    digits. The page is cut at the commas of the list, so that only this row is lost, not the page.

    Raises
    ------
    BadResponseError
        What is between two commas is not JSON: the page is broken.
    """
    start = re.match(rb'\s*(?:\{[^][]*?"data"\s*:\s*)?\[', body)
    if start is None:
        return None
    depth, begin, rows = 0, start.end(), []
    for token in re.finditer(rb'"(?:[^"\\]|\\.)*"|[][{},]', body[start.end() :], re.DOTALL):
        sign, at = token[0], start.end() + token.start()
        if sign in (b"{", b"["):
            depth += 1
        elif depth and sign in (b"}", b"]"):
            depth -= 1
        elif not depth and sign in (b",", b"]"):
            rows.append(msgspec.Raw(body[begin:at].strip()))
            begin = at + 1
            if sign == b"]":
                rows = [] if rows == [msgspec.Raw(b"")] else rows
                _check_rows(rows, where)
                return rows, decode(body[: start.end()] + body[at:], where)
    return None


def _check_rows(rows: list[msgspec.Raw], where: str) -> None:
    for row in rows:
        try:
            decode(row, where)
        except BadResponseError as error:
            if isinstance(error.__cause__, json.JSONDecodeError):
                raise


def key_of(row: msgspec.Raw) -> object:
    """What distinguishes an object from others: its id, else its whole text."""
    try:
        found = _identify(row)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return bytes(row)
    inner = found.sys.get("id") if isinstance(found.sys, dict) else None
    key = found.id if inner in (None, "") else inner
    return key if isinstance(key, str | int) and not isinstance(key, bool) and key != "" else bytes(row)


def _more(paging: JSON) -> bool | None:
    return bool(paging.get("next")) if isinstance(paging, dict) else None
