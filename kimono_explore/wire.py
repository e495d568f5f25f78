"""JSON as it comes over the wire, also when it is odd."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

import msgspec

from kimono_explore.errors import BadResponseError

if TYPE_CHECKING:
    from collections.abc import Sequence

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"


class Envelope(NamedTuple):
    """A list's page, opened: its rows, still encoded, and what ``paging`` says of a next page."""

    rows: Sequence[msgspec.Raw]
    more: bool | None
    """True or False as ``paging.next`` says; None where the page does not say."""


class _Page(msgspec.Struct):
    data: list[msgspec.Raw] | None
    paging: msgspec.Raw = msgspec.Raw(b"null")


_read_page = msgspec.json.Decoder(_Page).decode
_read_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode


def decode(body: bytes | msgspec.Raw, where: str) -> JSON:
    """Decode JSON; what strict JSON forbids (NaN, lone surrogates, bytes that are no UTF-8) becomes text.

    Raises
    ------
    BadResponseError
        It is not JSON even so.
    """
    try:
        return cast("JSON", msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return _clean(json.loads(bytes(body).decode("utf-8-sig", errors="replace")))
    except (ValueError, RecursionError) as error:
        hint = "Is the base URL right?"
        raise BadResponseError(f"{where} answered with something that is not JSON ({error}). {hint}") from error


def open_page(body: bytes, where: str) -> Envelope:
    """Open a list's page: ``{"data": [...], "paging": {...}}``, or a bare list.

    Raises
    ------
    BadResponseError
        It is not JSON, or holds no list.
    """
    try:
        page = _read_page(body)
        return Envelope(page.data or [], _more(msgspec.json.decode(page.paging)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    answer = decode(body, where)
    rows = answer.get("data", False) if isinstance(answer, dict) else answer
    if not isinstance(rows, list):
        kind = f'no list in "data", but {", ".join(answer) or "nothing"}' if isinstance(answer, dict) else "no object"
        raise BadResponseError(f"{where} answered with {kind}; expected a list. Is the base URL right?")
    more = _more(answer.get("paging")) if isinstance(answer, dict) else None
    return Envelope(_read_rows(msgspec.json.encode(rows)), more)


def encode(value: object) -> str:
    """JSON text of a value."""
    return msgspec.json.encode(value).decode()


def _more(paging: JSON) -> bool | None:
    return bool(paging.get("next")) if isinstance(paging, dict) else None


def _clean(value: JSON) -> JSON:
    if isinstance(value, str):
        return value.encode("utf-8", errors="replace").decode("utf-8")
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {cast("str", _clean(key)): _clean(item) for key, item in value.items()}
    return value
