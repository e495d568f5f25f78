"""Who may come in: everybody on the machine, and by DNS rebinding every web page, can knock at a local port."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse, Response

from kimono_explore.html import render
from kimono_explore.sandbox.guard import is_own_host, same

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    # Attributes may have styles, as the bars of a template do: nothing of them loads anything, by the other rules.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "connect-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Door:
    """Lets in who has the token of this run, in the address once and as a cookie from then on.

    Parameters
    ----------
    app : ASGI application
    token : str
    port : int
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app, self._token, self._port = app, token, port
        self._cookie = f"kimono-explore-{port}"  # a browser sends the cookies of a machine to each of its ports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request or a web socket in, or not."""
        if scope["type"] == "websocket":
            if self._is_ours(scope) and self._is_same_origin(scope) and self._has_cookie(scope):
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            answer = self._answer(scope)
            await (self._app if answer is None else answer)(scope, receive, _with_headers(send))

    def _answer(self, scope: Scope) -> Response | None:
        """What is said at the door; None: come in."""
        if not self._is_ours(scope):
            return Response("That is not this machine's name.", 421, media_type="text/plain")
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = dict(query).get("token")
        if given is not None and scope["method"] == "GET" and same(given, self._token):
            return self._welcome(scope["path"], [(name, value) for name, value in query if name != "token"])
        return None if self._has_cookie(scope) else HTMLResponse(render("page_refused.html"), 403)

    def _welcome(self, path: str, query: list[tuple[str, str]]) -> Response:
        """The same address without the token, which the browser keeps as a cookie."""
        address = "/" + path.lstrip("/") + (f"?{urlencode(query)}" if query else "")
        answer = RedirectResponse(address, 303)
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
        return answer

    def _is_ours(self, scope: Scope) -> bool:
        hosts = Headers(scope=scope).getlist("host")
        return len(hosts) == 1 and is_own_host(hosts[0], self._port)

    def _is_same_origin(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        return headers.getlist("origin") == [f"http://{headers['host']}"]

    def _has_cookie(self, scope: Scope) -> bool:
        return same(HTTPConnection(scope).cookies.get(self._cookie, ""), self._token)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return sending
