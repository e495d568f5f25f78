"""The sandbox over HTTP: every operation of `api.OPERATIONS`, served from a roster and a task queue."""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec
import numpy as np
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from kimono_explore.api.openapi import openapi
from kimono_explore.api.operations import OPERATIONS, TOKEN_PATH, Operation
from kimono_explore.sandbox.guard import MAX_BODY, MAX_ID, Tokens, TooLarge, is_own_host, read_body, same
from kimono_explore.sandbox.speaker import Speaker
from kimono_explore.sandbox.task_queue import Refusal, TaskQueue, render_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

    from kimono_explore.roster.roster import Roster
    from kimono_explore.sandbox.dialect import Dialect
    from kimono_explore.schema import JSON

BASE_PATH = "/v2/interop/data"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"]
_MAX_ADMIN_TASKS = 2000
_CLOSE = {"Connection": "close"}


class Credentials(NamedTuple):
    """What the sandbox accepts, made at random for each one. Its repr shows none of it."""

    token: str
    client_id: str
    client_secret: str
    username: str
    password: str

    @classmethod
    def random(cls) -> Credentials:
        """New ones."""
        return cls(*(secrets.token_urlsafe(18) for _ in cls._fields))

    def __repr__(self) -> str:
        return "<Credentials>"


class Refused(Exception):
    """An answer with an error, in the API's envelope."""

    def __init__(self, status: int, message: str, details: JSON = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.details, self.headers = status, message, details, headers


class Service:
    """Answers the operations; knows nothing of HTTP beyond queries and bodies."""

    def __init__(
        self, roster: Roster, queue: TaskQueue, dialect: Dialect, credentials: Credentials, token_lifetime: float
    ) -> None:
        self.queue, self.dialect, self.credentials = queue, dialect, credentials
        self._token_lifetime = token_lifetime
        self._tokens = Tokens(token_lifetime)
        self.serve(roster)

    def serve(self, roster: Roster) -> None:
        """Serve a roster from now on."""
        self.roster, self.speaker = roster, Speaker(roster, self.dialect)
        self._selections: dict[str, np.ndarray] = {}

    def authorize(self, header: str) -> None:
        """Let a request pass, or refuse it with 401."""
        scheme, _, value = header.partition(" ")
        left = self._tokens.expiry(value) if scheme.lower() == "bearer" else None
        if scheme.lower() == "bearer" and (same(value, self.credentials.token) or (left is not None and left > 0)):
            return
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError):
                given = b""
            if same(given, f"{self.credentials.username}:{self.credentials.password}"):
                return
        said = "Token expired" if left is not None else "No token, or an unknown one"
        raise Refused(401, said, headers={"WWW-Authenticate": "Bearer"})

    def issue_token(self, form: dict[str, list[str]]) -> dict[str, JSON]:
        """Exchange client credentials for a token."""
        known = [
            same(form.get(name, [""])[0], getattr(self.credentials, name)) for name in ("client_id", "client_secret")
        ]
        if form.get("grant_type") != ["client_credentials"]:
            raise Refused(400, "grant_type must be client_credentials")
        if not all(known):
            raise Refused(401, "Unknown client")
        return {"access_token": self._tokens.issue(), "token_type": "bearer", "expires_in": self._token_lifetime}

    def answer(self, operation: Operation, id: str, query: dict[str, str], body: bytes) -> object:
        """The answer to one operation; None where it has no content."""
        if operation.table == "tasks":
            return self._tasks(operation, id, query, body)
        if operation.kind == "find":
            return self._find(operation, id)
        rows = self._selection(operation, id)
        start, size = self._window(query, self.dialect.max_page_size)
        data = self.speaker.json(operation.table, rows[start : start + size])
        return self._page(operation, data, query, more=start + size < len(rows))

    def _find(self, operation: Operation, id: str) -> object:
        ids = self.roster.tables[operation.table]["id"]
        rows = np.flatnonzero((ids == id).to_numpy())
        if operation.where:
            rows = np.intersect1d(rows, self._held(operation))
        if not len(rows):
            raise Refused(404, f"No object with the id {id}")
        found = self.speaker.json(operation.table, rows[:1])[0]
        finds = self.dialect.finds
        wrapped = finds == "wrapped" or (finds == "mixed" and operation.name == "findOrg")
        return {"data": found} if wrapped else found

    def _selection(self, operation: Operation, id: str) -> np.ndarray:
        """The rows of a table that a list holds, kept for its next page."""
        key = f"{operation.name} {id}"
        if key not in self._selections:
            if operation.needs_id and not (self.roster.orgs["id"] == id).any():
                raise Refused(404, f"No org with the id {id}")
            if len(self._selections) > 1000:
                self._selections.clear()
            self._selections[key] = self._select(operation, id)
        return self._selections[key]

    def _select(self, operation: Operation, id: str) -> np.ndarray:
        rows = self._held(operation)
        return np.intersect1d(rows, self._below(operation, id)) if operation.needs_id else rows

    def _held(self, operation: Operation) -> np.ndarray:
        """The rows of its table that an operation is about."""
        table = self.roster.tables[operation.table]
        held = np.ones(len(table), dtype=bool)
        for column, values in operation.where or ():
            held &= table[column].str.lower().isin(values).to_numpy()
        return np.flatnonzero(held)

    def _below(self, operation: Operation, org: str) -> np.ndarray:
        """The rows of what belongs to an org, by the relations that lead there: a term by the sections held in it."""
        index = self.speaker.index
        found = np.asarray([index.code(org, "org")])
        for step, relation in enumerate(operation.via):
            codes = np.unique(found)
            if not len(codes):
                break
            rows = index.links_from(codes) if step else index.links_to(codes)
            rows = rows[(self.roster.links["relation"].iloc[rows] == relation).to_numpy()]
            found = (index.target if step else index.source)[rows]
        ids = index.ids(np.unique(found))
        return np.flatnonzero(self.roster.tables[operation.table]["id"].isin(ids).to_numpy())

    def _window(self, query: dict[str, str], cap: int) -> tuple[int, int]:
        page, size = _whole(query, "page", 0, 0), _whole(query, "page_size", cap, 1)
        size = min(size, cap)
        return page * size, size

    def _page(self, operation: Operation, data: Sequence[object], query: dict[str, str], more: bool) -> object:
        if not self.dialect.paging:
            return {"data": data}
        following = f"{BASE_PATH}/{operation.path}?page={_whole(query, 'page', 0, 0) + 1}"
        return {"data": data, "paging": {"next": following if more else None}}

    def _tasks(self, operation: Operation, id: str, query: dict[str, str], body: bytes) -> object:
        version = query.get("schema", self.dialect.tasks)
        if version not in ("1.0.0", "2.0.0", "3.0.0"):
            raise Refused(400, "schema must be 1.0.0, 2.0.0 or 3.0.0")
        if operation.kind == "list":
            return self._list_tasks(operation, query, version)
        if operation.kind == "find":
            task = self.queue.find(id)
            if task is None:
                raise Refused(404, f"No task with the id {id}")
            found = render_task(task, version)
            return found if self.dialect.finds == "bare" else {"data": found}
        if operation.kind == "delete":
            if not self.queue.delete(id):
                raise Refused(404, f"No task with the id {id}")
            return None
        acks = _acks(operation, id, body)
        refused = self.queue.acknowledge(acks)
        if refused:
            raise _refusal(refused)
        return None

    def _list_tasks(self, operation: Operation, query: dict[str, str], version: str) -> object:
        start, size = self._window(query, _MAX_ADMIN_TASKS)
        mine = query.get("driver", self.queue.driver) == self.queue.driver
        if operation.name == "listTasks":
            # Acknowledged tasks leave the queue, so there is only ever a first page.
            batch = self.queue.hand_out(query.get("tenant_id")) if mine and start == 0 else []
            return self._page(operation, [render_task(task, version) for task in batch], query, more=False)
        tasks = self.queue.all() if mine else []
        shown = [render_task(task, version) for task in tasks[start : start + size]]
        return self._page(operation, shown, query, more=start + size < len(tasks))


def _whole(query: dict[str, str], name: str, default: int, least: int) -> int:
    text = query.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 10 or not least <= int(text) < 2**31:
        raise Refused(400, f"{name} must be an integer >= {least}")
    return int(text)


def _acks(operation: Operation, id: str, body: bytes) -> list[JSON]:
    try:
        given: JSON = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "the body is not JSON") from error
    if operation.kind == "ack_many":
        if not isinstance(given, list):
            raise Refused(400, "the body must be a list of acknowledgements")
        return given
    if not isinstance(given, dict):
        raise Refused(400, "the body must be one acknowledgement")
    if given.setdefault("task_id", id) != id:
        raise Refused(409, "task_id does not match the id in the path")
    return [given]


def _refusal(refused: Sequence[Refusal]) -> Refused:
    details: list[JSON] = [{"task_id": r.task_id, "message": r.reason} for r in refused]
    status = 404 if all(r.status == 404 for r in refused) else 400
    return Refused(status, f"{len(refused)} refused, none taken; the first: {refused[0].reason}", details)


def kind_of(method: str, target: str) -> str:
    """Whether a request is for a ``"list"``, another ``"read"``, or a ``"write"``; empty where it is for neither."""
    path = target.split("?")[0]
    if not path.startswith(f"{BASE_PATH}/"):
        return ""
    if method in ("PUT", "DELETE"):
        return "write"
    # Below a table there is one object, or a list that belongs to it.
    parts = path.removeprefix(f"{BASE_PATH}/").split("/")
    return "list" if method == "GET" and parts[0] != "tasks" and len(parts) in (2, 4) else "read"


def make_app(service: Service, base_url: str, latency: float = 0.0) -> Starlette:
    """The service as an ASGI application."""
    paths: dict[str, dict[str, Operation]] = {}
    # Paths without an id first: tasks/admin/ack must not be read as tasks/{id}/ack.
    for operation in sorted(OPERATIONS, key=lambda row: row.needs_id):
        for path in filter(None, (operation.path, operation.older_path)):
            paths.setdefault(path, {})[operation.method] = operation
    routes = [
        Route(f"{BASE_PATH}/{path}", _endpoint(service, operations, latency), methods=_METHODS)
        for path, operations in paths.items()
    ]
    routes.append(Route(TOKEN_PATH, _token_endpoint(service), methods=["POST"]))
    routes.append(Route("/openapi.json", _document_endpoint(base_url), methods=["GET"]))
    return Starlette(
        routes=routes,
        exception_handlers={Refused: _refuse, HTTPException: _refuse_http},
        middleware=[Middleware(_OwnHost, port=urlsplit(base_url).port or 80)],
    )


class _OwnHost:
    """Lets only requests through that are addressed to this machine and our port."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app, self._port = app, port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hosts = [value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"host"]
        if len(hosts) == 1 and is_own_host(hosts[0], self._port):
            await self._app(scope, receive, send)
        else:
            refused = Refused(421, "The sandbox was addressed by a name that is not this machine's", headers=_CLOSE)
            await (await _refuse(Request(scope), refused))(scope, receive, send)


if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Endpoint = Callable[[Request], Awaitable[Response]]


def _endpoint(service: Service, operations: dict[str, Operation], latency: float) -> Endpoint:

    async def endpoint(request: Request) -> Response:
        if latency:
            await asyncio.sleep(latency)
        service.authorize(request.headers.get("Authorization", ""))
        operation = operations.get("GET" if request.method == "HEAD" else request.method)
        if operation is None:
            allowed = ", ".join([*operations, *(["HEAD"] if "GET" in operations else [])])
            raise Refused(405, f"{request.method} is not allowed on this path", headers={"Allow": allowed})
        id = request.path_params.get("id", "")
        if len(id) > MAX_ID:
            raise Refused(404, f"No id is longer than {MAX_ID:,} characters")
        body = await _body(request)
        query = dict(request.query_params)
        answer = await run_in_threadpool(service.answer, operation, id, query, body)
        if answer is None:
            return Response(status_code=204 if operation.kind == "delete" else 200)
        return _json(answer)

    return endpoint


async def _body(request: Request) -> bytes:
    try:
        return await read_body(request)
    except TooLarge:
        raise Refused(413, f"The body is longer than {MAX_BODY:,} bytes", headers=_CLOSE) from None
    except ClientDisconnect:
        raise Refused(400, "The body was cut short", headers=_CLOSE) from None  # nobody reads it


def _token_endpoint(service: Service) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return _json(service.issue_token(_form(await _body(request))))

    return endpoint


def _form(body: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(body.decode("utf-8", errors="replace"), max_num_fields=100)
    except ValueError:
        raise Refused(400, "The body has too many fields") from None


def _document_endpoint(base_url: str) -> Endpoint:
    async def endpoint(_request: Request) -> Response:
        return _json(openapi(base_url))

    return endpoint


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    code = {
        400: "bad_request",
        401: "unauthorized",
        403: "forbidden",
        404: "not_found",
        405: "method_not_allowed",
        409: "conflict",
        413: "content_too_large",
        421: "misdirected_request",
    }[error.status]
    envelope: dict[str, JSON] = {"status": error.status, "code": code, "message": error.message}
    if error.details is not None:
        envelope["details"] = error.details
    return _json({"error": envelope}, error.status, error.headers)


async def _refuse_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = error.status_code if error.status_code in (404, 405) else 400
    headers = dict(error.headers) if error.headers else None
    return await _refuse(request, Refused(code, str(error.detail), headers=headers))


def _json(answer: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(answer), status, headers, media_type="application/json")
