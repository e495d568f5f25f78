"""How to interpret a response: errors in the server's own words, and whether a request had an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from kimono_explore.display import printable
from kimono_explore.errors import (
    AuthenticationError,
    BadResponseError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseError,
    ServerError,
)
from kimono_explore.json_text import decode, encode

if TYPE_CHECKING:
    import httpx

    from kimono_explore.schema import JSON

CREDENTIALS_HINT = "Set KIMONO_TOKEN, or KIMONO_CLIENT_ID and KIMONO_CLIENT_SECRET, or pass them to connect()."
_ERRORS: dict[int, tuple[type[ResponseError], str]] = {
    401: (AuthenticationError, CREDENTIALS_HINT),
    403: (PermissionDeniedError, "The actor may not do this; ask the tenant's administrator for access."),
    404: (NotFoundError, "Is the id right, and the base URL?"),
    429: (RateLimitError, "Wait a while, or use fewer connections (max_connections)."),
}


def raise_for(response: httpx.Response, where: str, tries: int = 1) -> NoReturn:
    """Raise the error that a response stands for, in the server's own words."""
    status = response.status_code
    if response.is_success:
        found = _envelope(response).get("status")
        status = found if isinstance(found, int) else status
    message = printable(_words(response) or response.reason_phrase or "no reason given")
    kind, hint = _ERRORS.get(status, (ResponseError, "The request was not accepted."))
    if status >= 500:
        kind, hint = ServerError, "The server is at fault; try again later."
    if 300 <= status < 400:
        hint = "Redirects are not followed, to keep the token from other servers; correct the base URL."
    message = message if len(message) <= 500 else f"{message[:500]} …"
    message = message if message.endswith((".", "!", "?")) else f"{message}."
    times = f" It was asked for {tries} times." if tries > 1 else ""
    error = kind(f"{status} from {where}: {message}{times} {hint}", status)
    error.details = _envelope(response).get("details")
    error.retry_after = response.headers.get("Retry-After")
    error.is_page = "html" in response.headers.get("Content-Type", "") or response.content.lstrip()[:1] == b"<"
    raise error


def denies(response: httpx.Response, where: str) -> bool:
    """Whether the answer to a PUT or DELETE says, despite its status, that it had no effect.

    Raises
    ------
    BadResponseError
        It does not tell: it is a login page, for example. Nothing, null, an object or a list means that it had one.
    """
    if not response.content.strip():
        return False
    answer = decode(response.content, where)
    if answer is not None and not isinstance(answer, dict | list):
        raise BadResponseError(
            f"{where} answered with {type(answer).__name__}, not with an object. Was the request accepted?"
        )
    parts = answer if isinstance(answer, list) else [answer]
    return any(isinstance(part, dict) and bool(part.get("error")) for part in parts)


def _envelope(response: httpx.Response) -> dict[str, JSON]:
    """The API's error envelope, where the answer has one."""
    try:
        answer = decode(response.content, "")
    except BadResponseError:
        return {}
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {}


def _words(response: httpx.Response) -> str:
    """The server's own words: from the API's error envelope, OAuth's, or nothing."""
    try:
        answer = decode(response.content, "")
    except BadResponseError:
        return ""
    if isinstance(answer, list):
        return encode(answer)
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        parts = [error.get(key) for key in ("message", "ext_message", "details")]
        return "; ".join(part if isinstance(part, str) else encode(part) for part in parts if part)
    return str(answer.get("error_description") or error or "") if isinstance(answer, dict) else ""
