"""JSON as it comes over the wire, even if it is odd."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, cast

import msgspec

from kimono_explore.errors import BadResponseError

if TYPE_CHECKING:
    from kimono_explore.schema import JSON


def decode(body: bytes | msgspec.Raw, where: str) -> JSON:
    """Decode JSON; what strict JSON forbids (NaN, lone surrogates, bytes that are not UTF-8) becomes text.

    Raises
    ------
    BadResponseError
        It is still not JSON.
    """
    return decode_row(body, where)[0]


def decode_row(body: bytes | msgspec.Raw, where: str) -> tuple[JSON, bool]:
    """Decode JSON, and say whether something in it is not what was sent: strict JSON forbids it."""
    try:
        return cast("JSON", msgspec.json.decode(body)), False
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return _clean(json.loads(bytes(body).decode("utf-8-sig", errors="replace"))), True
    except (ValueError, RecursionError) as error:
        hint = "Is the base URL right?"
        raise BadResponseError(f"{where} answered with something that is not JSON ({error}). {hint}") from error


def encode(value: object) -> str:
    """JSON text of a value."""
    return msgspec.json.encode(value).decode()


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
