"""The replies of `faults`: each function makes one from a request and from what the sandbox would answer."""

from __future__ import annotations

import gzip
import json
import random
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import parse_qs, urlsplit

from kimono_explore.sandbox.proxy import Answer, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kimono_explore.schema import JSON

    Make = Callable[["Exchange"], "Reply | None"]

_MARK = "@a text of the proxy's own@"
_HTML = b"<!doctype html><title>Sign in</title><p>Please sign in to the network.</p>"


@dataclass
class State:
    """What a fault that lasts remembers of a list."""

    rows: list[JSON] = field(default_factory=list)
    size: int = 0
    page: int = -1
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Exchange:
    """A request, and how to learn what the sandbox would answer to it, or to another page of the same list."""

    request: Request
    answer: Callable[[], Answer]
    other: Callable[[Mapping[str, int | None]], Answer]
    pause: float
    chance: random.Random = field(default_factory=random.Random)
    state: State = field(default_factory=State)
    first: bool = True
    """Whether the same was never asked for before."""

    @property
    def path(self) -> str:
        """The path, without its query."""
        return urlsplit(self.request.target).path

    def number(self, name: str) -> int | None:
        """A number of the query: page or page_size."""
        found = parse_qs(urlsplit(self.request.target).query).get(name, [""])[0]
        return int(found) if found.isascii() and found.isdigit() else None

    @property
    def page(self) -> int:
        """The page that is asked for."""
        return self.number("page") or 0

    def rows(self) -> list[JSON] | None:
        """The rows of the page; None where the answer is not a page."""
        return rows_of(self.answer())

    def with_rows(self, rows: Sequence[JSON], more: bool | None = None) -> Answer:
        """The answer with other rows; ``more`` says whether another page follows, None leaves that as it is."""
        answer = self.answer()
        content = json.loads(answer.body)
        content["data"] = list(rows)
        if more is not None and "paging" in content:
            content["paging"] = {"next": f"{self.path}?page={self.page + 1}" if more else None}
        return answer._replace(body=_json(content))

    def whole_list(self) -> tuple[list[JSON], int]:
        """Every row of the list, and the rows of a page where none are asked for."""
        rows: list[JSON] = []
        size = page = 0
        while found := rows_of(self.other({"page": page, "page_size": None})):
            rows += found
            size, page = size or len(found), page + 1
        return rows, size


def rows_of(answer: Answer) -> list[JSON] | None:
    """The rows of a page; None where the answer is not one."""
    if answer.status != 200:
        return None
    content = json.loads(answer.body)
    rows = content.get("data") if isinstance(content, dict) else None
    return rows if isinstance(rows, list) else None


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()


def plain(request: Request, answer: Answer) -> Reply:
    """The answer as it is."""
    if request.method == "HEAD" or answer.status == 204:
        return Reply([answer.head(-1 if answer.status == 204 else None)])
    return Reply([answer.head() + answer.body])


def _sent(answer: Answer) -> Reply:
    return Reply([answer.head() + answer.body])


def _spoken(exchange: Exchange) -> Answer:
    """The answer after the effect of the request; one without a body gets one, so that it can be broken."""
    answer = exchange.answer()
    return answer if answer.body else Answer(200, {"Content-Type": "application/json"}, b'{"data": []}')


def then(make: Make) -> Make:
    """A reply that another function makes, after the request had its effect."""

    def made(exchange: Exchange) -> Reply | None:
        exchange.answer()
        return make(exchange)

    return made


# The connection.


def ends(how: Literal["reset", "shut"]) -> Make:
    """No answer at all."""
    return lambda _: Reply([], how)


def reset_in_head(exchange: Exchange) -> Reply:
    """Half of the head, then a reset."""
    head = _spoken(exchange).head()
    return Reply([head[: exchange.chance.randrange(1, len(head) - 4)], b""], "reset", 0.01)


def cut_body(how: Literal["reset", "close"] = "close") -> Make:
    """A part of the body, then the end."""

    def make(exchange: Exchange) -> Reply:
        answer = _spoken(exchange)
        part = answer.body[: exchange.chance.randrange(len(answer.body))]
        return Reply([answer.head() + part, b""], how, 0.01)

    return make


def chunk_cut(exchange: Exchange) -> Reply:
    """A chunked body without its end."""
    answer = _spoken(exchange)
    half = answer.body[: exchange.chance.randrange(1, len(answer.body) + 1)]
    return Reply([answer.head(-1, Transfer_Encoding="chunked"), b"%x\r\n%b\r\n" % (len(half), half)], "close")


def body_too_long(exchange: Exchange) -> Reply:
    """More bytes than were announced."""
    answer = _spoken(exchange)
    return Reply([answer.head(exchange.chance.randrange(len(answer.body))) + answer.body], "close")


def slow(exchange: Exchange) -> Reply:
    """Nothing for a while, then the connection ends without an answer."""
    return Reply([b"", b""], "close", exchange.pause)


def slow_head(exchange: Exchange) -> Reply:
    """The head byte by byte."""
    answer = _spoken(exchange)
    return Reply([*_bytes(answer.head()), answer.body], "keep", exchange.pause / 100)


def trickle(exchange: Exchange) -> Reply:
    """The body byte by byte."""
    answer = _spoken(exchange)
    return Reply([answer.head(), *_bytes(answer.body)], "keep", exchange.pause / 100)


def _bytes(text: bytes) -> list[bytes]:
    return [text[n : n + 1] for n in range(len(text))]


# The coding.


def gzip_cut(exchange: Exchange) -> Reply:
    """Gzip without its end."""
    answer = _spoken(exchange)
    packed = gzip.compress(answer.body)
    part = packed[: exchange.chance.randrange(1, len(packed) - 8)]
    return Reply([answer.head(len(part), Content_Encoding="gzip") + part])


def gzip_garbage(exchange: Exchange) -> Reply:
    """Random bytes that are called gzip."""
    garbage = exchange.chance.randbytes(200)
    return Reply([_spoken(exchange).head(len(garbage), Content_Encoding="gzip") + garbage])


def wrong_encoding(exchange: Exchange) -> Reply:
    """Plain text that is called deflate."""
    answer = _spoken(exchange)
    return Reply([answer.head(Content_Encoding="deflate") + answer.body])


# Answers that somebody else gives.


def html(code: int) -> Make:
    """A page of HTML."""
    return lambda _: _sent(Answer(code, {"Content-Type": "text/html"}, _HTML))


def status(code: int, **headers: str) -> Make:
    """An answer of this status, with the API's error envelope unless it can have none."""
    message = {"error": {"status": code, "message": "a fault of the sandbox"}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if code == 204:
        return lambda _: Reply([Answer(code, named, b"").head(-1)])
    content = b"" if code == 302 else _json(message)
    return lambda _: _sent(Answer(code, {"Content-Type": "application/json", **named}, content))


def token_echo(exchange: Exchange) -> Reply:
    """An error that repeats the credential."""
    said = next((v for k, v in exchange.request.headers.items() if k.lower() == "authorization"), "none")
    error = {"error": {"status": 500, "message": f"the credential {said} broke us", "details": [{"token": said}]}}
    return _sent(Answer(500, {"Content-Type": "application/json"}, _json(error)))


# Bodies.


def body(content: bytes) -> Make:
    """Another body."""
    return lambda exchange: _sent(exchange.answer()._replace(body=content)) if exchange.answer().body else None


def json_cut(exchange: Exchange) -> Reply | None:
    """JSON without its end."""
    answer = exchange.answer()
    if not answer.body:
        return None
    return _sent(answer._replace(body=answer.body[: exchange.chance.randrange(1, len(answer.body))]))


def text_with(value: bytes) -> Make:
    """A text of one row is this in its place."""

    def make(exchange: Exchange) -> Reply | None:
        rows = exchange.rows()
        places = [
            (n, key)
            for n, row in enumerate(rows or ())
            if isinstance(row, dict)
            for key, text in row.items()
            if isinstance(text, str)
        ]
        if rows is None or not places:
            return None
        place, key = exchange.chance.choice(places)
        changed = [*rows]
        changed[place] = {**cast("dict[str, JSON]", rows[place]), key: _MARK}
        answer = exchange.with_rows(changed)
        return _sent(answer._replace(body=answer.body.replace(f'"{_MARK}"'.encode(), value)))

    return make


def error_beside(exchange: Exchange) -> Reply | None:
    """An error beside no rows."""
    return body(b'{"data": [], "error": {"message": "only half of it could be read"}}')(exchange)


# Lists.


def _page_of(exchange: Exchange, rows: Sequence[JSON], more: bool | None = None) -> Reply:
    return _sent(exchange.with_rows(rows, more))


def fewer_rows(share: float) -> Make:
    """The first rows of a page only, the first time that it is asked for."""

    def make(exchange: Exchange) -> Reply | None:
        rows = exchange.rows() if exchange.first else None
        if not rows or (share and len(rows) < 2):
            return None
        return _page_of(exchange, rows[: int(len(rows) * share)])

    return make


def more_rows(*odd: JSON) -> Make:
    """Other rows among those of a page."""

    def make(exchange: Exchange) -> Reply | None:
        rows = exchange.rows()
        if rows is None:
            return None
        place = exchange.chance.randrange(len(rows) + 1)
        return _page_of(exchange, [*rows[:place], *odd, *rows[place:]])

    return make


def rows_turned(exchange: Exchange) -> Reply | None:
    """The rows of a page in another order, the first time that it is asked for."""
    rows = exchange.rows() if exchange.first else None
    return _page_of(exchange, rows[::-1]) if rows and len(rows) > 1 else None


def other_page(step: int) -> Make:
    """Another page of the list, the first time that it is asked for."""

    def make(exchange: Exchange) -> Reply | None:
        if not exchange.first or exchange.page + step < 0 or not exchange.rows():
            return None
        return _sent(exchange.other({"page": exchange.page + step}))

    return make


def first_page(exchange: Exchange) -> Reply | None:
    """The first page, whichever is asked for."""
    if exchange.rows() is None or (exchange.state.page < 0 and not exchange.page):
        return None
    exchange.state.page = 0
    first = rows_of(exchange.other({"page": 0})) or []
    return _page_of(exchange, first, more=True)


def empty_for_ever(exchange: Exchange) -> Reply | None:
    """A page without rows, as often as it is asked for."""
    rows, size = exchange.rows(), exchange.number("page_size") or 0
    if not rows or not exchange.page:
        return None
    if exchange.state.page < 0:
        exchange.state.page, exchange.state.size = exchange.page, size
    return _page_of(exchange, []) if (exchange.page, size) == (exchange.state.page, exchange.state.size) else None


def _listed(exchange: Exchange, rows: Sequence[JSON], more: bool | None = None) -> Reply:
    """The page of a list that now holds these rows."""
    size = min(exchange.number("page_size") or exchange.state.size, exchange.state.size)
    start = exchange.page * size
    return _page_of(exchange, rows[start : start + size], more or start + size < len(rows))


def endless(exchange: Exchange) -> Reply | None:
    """Made-up rows behind the end."""
    state = exchange.state
    if exchange.rows() is None:
        return None
    if state.page < 0:
        state.rows, state.size = exchange.whole_list()
        state.page = 0
    if not state.rows:
        return None
    beyond = (exchange.page + 1) * state.size - len(state.rows)
    made = [_renamed(state.rows[-1], f"made-up-{n}") for n in range(max(0, beyond))]
    return _listed(exchange, [*state.rows, *made], more=True)


def _renamed(row: JSON, id: str) -> JSON:
    """A copy of a row under another id, without references."""
    if not isinstance(row, dict):
        return row
    copy = {key: value for key, value in row.items() if not key.startswith("$") or key in ("$sys", "$ext")}
    inner = copy.get("$sys")
    return {**copy, "$sys": {**inner, "id": id}} if isinstance(inner, dict) else {**copy, "id": id}


def delete(exchange: Exchange) -> Reply | None:
    """A list from which a row went that had been read."""
    return _moved(exchange, lambda rows, place: [*rows[:place], *rows[place + 1 :]])


def insert(exchange: Exchange) -> Reply | None:
    """A list into which a row came before what had been read."""
    return _moved(exchange, lambda rows, place: [*rows[:place], _renamed(rows[place], "put-in"), *rows[place:]])


def _moved(exchange: Exchange, change: Callable[[list[JSON], int], list[JSON]]) -> Reply | None:
    state = exchange.state
    if exchange.rows() is None:
        return None
    with state.lock:  # pages are asked for side by side, and the list changes once
        if state.page < 0:
            if not exchange.page:
                return None
            rows, state.size = exchange.whole_list()
            size = min(exchange.number("page_size") or state.size, state.size)
            before = min(exchange.page * size, len(rows))
            if not before:
                return None
            state.rows, state.page = change(rows, exchange.chance.randrange(before)), exchange.page
    return _listed(exchange, state.rows)
