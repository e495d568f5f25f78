"""Faults on demand: what can go wrong between a client and a server, to test a client with.

`TABLE` declares them, one per row. To add a fault, add a row: its name, what the client sees, which requests it strikes,
whether the request has had its effect by then, and a function that makes the reply.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

import pandas as pd

from kimono_explore.errors import ConfigurationError
from kimono_explore.sandbox import replies as r

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal

    from kimono_explore.sandbox.proxy import Answer, Reply, Request

    Where = Literal["any", "reads", "lists", "writes"]
    Make = Callable[[r.Exchange], "Reply | None"]


class Fault(NamedTuple):
    """A row of the table."""

    name: str
    sees: str
    """What the client sees."""
    where: Where
    effect: Literal["before", "after"]
    """Whether it strikes before the request has its effect, or after."""
    make: Make
    """The reply, or None where the fault does not fit the request."""
    lasts: bool = False
    """From its first strike on it stays with a list."""


TABLE = (
    # The connection.
    Fault("refused", "the connection is reset, and new ones are refused for 0.1 s", "any", "before", r.ends("shut")),
    Fault("reset", "the connection is reset before an answer", "any", "before", r.ends("reset")),
    Fault("reset_after", "the same, after the effect", "writes", "after", r.then(r.ends("reset"))),
    Fault("reset_in_head", "the connection is reset within the head of the answer", "any", "after", r.reset_in_head),
    Fault("reset_in_body", "the connection is reset within the body", "any", "after", r.cut_body("reset")),
    Fault("close_in_body", "the connection is closed before Content-Length is reached", "any", "after", r.cut_body()),
    Fault("chunk_cut", "a chunked body ends without its last chunk", "any", "after", r.chunk_cut),
    Fault("body_too_long", "the body is longer than Content-Length says", "any", "after", r.body_too_long),
    Fault("slow", "no answer for `pause` seconds", "any", "before", r.slow),
    Fault("slow_after", "the same, after the effect", "writes", "after", r.then(r.slow)),
    Fault(
        "slow_head", "the head of the answer trickles, a byte each hundredth of `pause`", "any", "after", r.slow_head
    ),
    Fault("trickle", "the body trickles, a byte each hundredth of `pause`", "any", "after", r.trickle),
    # The coding.
    Fault("gzip_cut", "a gzip body that is cut", "any", "after", r.gzip_cut),
    Fault("gzip_garbage", "a body that is called gzip and is random bytes", "any", "after", r.gzip_garbage),
    Fault("wrong_encoding", "a plain body that is called deflate", "any", "after", r.wrong_encoding),
    # Answers that somebody else gives.
    Fault("html", "200 with an HTML page", "any", "before", r.html(200)),
    Fault("html_after", "the same, after the effect", "writes", "after", r.then(r.html(200))),
    Fault("login", "302 to a login page", "any", "before", r.status(302, Location="/login")),
    Fault("500", "500 with an error", "any", "before", r.status(500)),
    Fault("500_after", "the same, after the effect", "writes", "after", r.then(r.status(500))),
    Fault("502", "502 with an HTML page", "any", "before", r.html(502)),
    Fault("502_after", "the same, after the effect", "writes", "after", r.then(r.html(502))),
    Fault("503", "503 with Retry-After: 1", "any", "before", r.status(503, Retry_After="1")),
    Fault("503_after", "the same, after the effect", "writes", "after", r.then(r.status(503, Retry_After="1"))),
    Fault("504", "504 with an HTML page", "any", "before", r.html(504)),
    Fault("504_after", "the same, after the effect", "writes", "after", r.then(r.html(504))),
    Fault("429", "429 without Retry-After", "any", "before", r.status(429)),
    Fault("429_long", "429 with Retry-After: 86400", "any", "before", r.status(429, Retry_After="86400")),
    Fault("401", "401 with an error", "any", "before", r.status(401)),
    Fault("403", "403 with an error", "any", "before", r.status(403)),
    Fault("404", "404 with an error, though it is there", "any", "before", r.status(404)),
    Fault("token_echo", "500 whose error repeats the request's Authorization", "any", "before", r.token_echo),
    # Bodies.
    Fault("empty", "200 without a body", "reads", "after", r.body(b"")),
    Fault("no_content", "204", "reads", "after", r.status(204)),
    Fault("not_json", "200 with text that is not JSON", "reads", "after", r.body(b"OK: done, see log")),
    Fault("json_cut", "JSON that is cut, in a body that is whole", "reads", "after", r.json_cut),
    Fault("not_utf8", "bytes in a text that are not UTF-8", "lists", "after", r.text_with(b'"bad \xff\xfe text"')),
    Fault("nul", "NUL bytes in a text", "lists", "after", r.text_with(b'"bad \x00 text"')),
    Fault("surrogate", "a lone surrogate in a text", "lists", "after", r.text_with(b'"bad \\ud800 text"')),
    # Lists.
    Fault("data_null", '`{"data": null}`', "lists", "after", r.body(b'{"data": null}')),
    Fault("data_missing", "no `data`", "lists", "after", r.body(b'{"rows": []}')),
    Fault("error_beside", "an error beside an empty `data`", "lists", "after", r.error_beside),
    Fault("empty_page", "a page without its rows, once", "lists", "after", r.fewer_rows(0.0)),
    Fault(
        "empty_for_ever", "a page, not the first, without its rows for ever", "lists", "after", r.empty_for_ever, True
    ),
    Fault("short_page", "a page that lacks the second half of its rows, once", "lists", "after", r.fewer_rows(0.5)),
    Fault("page_again", "the page before in place of a page, once", "lists", "after", r.other_page(-1)),
    Fault("page_ahead", "the page behind in place of a page, once", "lists", "after", r.other_page(1)),
    Fault(
        "page_for_ever", "the first page, whichever is asked for, from then on", "lists", "after", r.first_page, True
    ),
    Fault("rows_turned", "a page with its rows the other way round, once", "lists", "after", r.rows_turned),
    Fault("endless", "made-up rows behind the end of a list, without end", "lists", "after", r.endless, True),
    Fault(
        "row_deleted", "a row is deleted from a page before, while the list is read", "lists", "after", r.delete, True
    ),
    Fault("row_inserted", "a row is put into a page before, while the list is read", "lists", "after", r.insert, True),
    Fault("deep_row", "a row nested 10,000 deep", "lists", "after", r.text_with(b"[" * 10_000 + b"]" * 10_000)),
    Fault("long_number", "a number of 5,000 digits in a row", "lists", "after", r.text_with(b"9" * 5_000)),
    Fault("null_row", "a row that is null, among the others", "lists", "after", r.more_rows(None)),
    Fault("odd_rows", "rows that are a number, a text and a list", "lists", "after", r.more_rows(5, "row", [])),
)

_BY_NAME = {fault.name: fault for fault in TABLE}


class Faults:
    """Which faults to inject, how often, and which have been injected so far.

    Parameters
    ----------
    rates : mapping of str to float
        For each fault, the share of requests that it affects, from 0 to 1. `names` lists the faults.
    seed : int, default 0
        The same seed affects the same requests: chance depends on the method, path and query, and on how often the same
        request was made before, but not on the order in which threads send them.
    times : int, optional
        The maximum number of times that each fault is injected. A lasting fault continues on the lists that it has
        affected.
    pause : float, default 5
        The delay of the slow faults, in seconds.

    Attributes
    ----------
    injected : collections.Counter
        The number of responses changed, by fault name.
    log : list of tuple of str
        The name, method and target of each injected fault.

    Raises
    ------
    ConfigurationError
        A fault is unknown, or a rate is not between 0 and 1.

    Examples
    --------
    >>> with kx.sandbox(students=20, flaws=False, faults=kx.Faults({"503": 1.0}, times=1)) as box:
    ...     students = kx.load(box.client, "students", progress=False)
    ...     print(len(students), dict(box.faults.injected))
    20 {'503': 1}
    """

    def __init__(self, rates: Mapping[str, float], seed: int = 0, times: int | None = None, pause: float = 5.0) -> None:
        for name, rate in rates.items():
            if name not in _BY_NAME:
                raise ConfigurationError(f"Unknown fault {name!r}. Choose one of: {', '.join(_BY_NAME)}.")
            if not 0 <= rate <= 1:
                raise ConfigurationError(f"The rate of {name!r} is {rate}; it must be a share from 0 to 1.")
        self.rates, self.seed, self.times, self.pause = dict(rates), seed, times, pause
        self.injected: Counter[str] = Counter()
        self.log: list[tuple[str, str, str]] = []
        self._strikes: Counter[str] = Counter()
        self._asked: Counter[tuple[str, str]] = Counter()
        self._lasting: dict[str, tuple[Fault, r.State]] = {}
        self._states: dict[tuple[str, str], r.State] = {}
        self._lock = threading.Lock()

    @staticmethod
    def names() -> pd.DataFrame:
        """List every fault: name, what the client sees, where it strikes (any request, reads, lists, writes), effect.

        ``effect`` says whether the fault strikes before or after the request takes effect, and ``lasts`` whether it
        stays with a list once it has struck.

        Examples
        --------
        >>> kx.Faults.names().set_index("name")["sees"]["chunk_cut"]
        'a chunked body ends without its last chunk'
        """
        columns = ["name", "sees", "where", "effect", "lasts"]
        return pd.DataFrame([[getattr(fault, name) for name in columns] for fault in TABLE], columns=columns)

    def __repr__(self) -> str:
        rates = ", ".join(f"{name} {rate:g}" for name, rate in self.rates.items())
        return f"<Faults {rates or 'none'}: {self.injected.total():,} injected>"

    def reply(self, request: Request, ask: Callable[[Request], Answer], kind: str) -> Reply:
        """The reply to a request; ``kind`` is ``"list"``, ``"read"``, ``"write"`` or empty where no fault strikes."""
        exchange = r.Exchange(request, _once(request, ask), _other(request, ask), self.pause)
        if kind:
            with self._lock:
                self._asked[request.method, request.target] += 1
                nth = self._asked[request.method, request.target]
            reply = self._struck(exchange, kind, nth)
            if reply is not None:
                return reply
        return r.plain(request, exchange.answer())

    def _struck(self, exchange: r.Exchange, kind: str, nth: int) -> Reply | None:
        request, exchange.first = exchange.request, nth == 1
        lasting = self._lasting.get(exchange.path)
        if lasting is not None:
            fault, exchange.state = lasting
            reply = fault.make(exchange)
            return None if reply is None else self._noted(fault, request, reply)
        for name, rate in self.rates.items():
            fault = _BY_NAME[name]
            exchange.chance = random.Random(f"{self.seed} {name} {request.method} {request.target} {nth}")
            if kind not in _KINDS[fault.where] or exchange.chance.random() >= rate or not self._may_strike(name):
                continue
            with self._lock:  # pages of one list that are struck side by side share what is remembered of it
                exchange.state = self._states.setdefault((name, exchange.path), r.State()) if fault.lasts else r.State()
            reply = fault.make(exchange)
            if reply is not None:
                if fault.lasts:
                    self._lasting.setdefault(exchange.path, (fault, exchange.state))
                return self._noted(fault, request, reply)
            with self._lock:  # it does not fit this request
                self._strikes[name] -= 1
        return None

    def _may_strike(self, name: str) -> bool:
        with self._lock:
            if self.times is not None and self._strikes[name] >= self.times:
                return False
            self._strikes[name] += 1
            return True

    def _noted(self, fault: Fault, request: Request, reply: Reply) -> Reply:
        with self._lock:
            self.injected[fault.name] += 1
            self.log.append((fault.name, request.method, request.target))
        return reply


_KINDS = {"any": ("list", "read", "write"), "reads": ("list", "read"), "lists": ("list",), "writes": ("write",)}


def _once(request: Request, ask: Callable[[Request], Answer]) -> Callable[[], Answer]:
    """Ask the sandbox when first called, and remember what it said."""
    found: list[Answer] = []

    def answer() -> Answer:
        if not found:
            found.append(ask(request))
        return found[0]

    return answer


def _other(request: Request, ask: Callable[[Request], Answer]) -> Callable[[Mapping[str, int | None]], Answer]:
    """A function that asks for the same under another query; a value of None leaves a parameter out."""

    def other(query: Mapping[str, int | None]) -> Answer:
        parts = urlsplit(request.target)
        merged = {**dict(parse_qsl(parts.query)), **{k: v for k, v in query.items() if v is not None}}
        left = {k: v for k, v in merged.items() if query.get(k, "") is not None}
        return ask(request._replace(target=f"{parts.path}?{urlencode(left)}"))

    return other
