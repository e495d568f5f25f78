"""The page over HTTP: its files, and a web socket for each visitor's widget."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

import kimono_explore.widgets
from kimono_explore.app.door import Door
from kimono_explore.app.visit import Visit
from kimono_explore.errors import ConfigurationError
from kimono_explore.html import render
from kimono_explore.sandbox.guard import ImpatientProtocol, bound

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from kimono_explore.app.district import District

_STATIC = Path(kimono_explore.widgets.__file__).parent / "static"
_FILES = ("page.js", "page.css", "panel.js", "panel.css")


class PatientWithSockets(ImpatientProtocol):
    """Drops a client that does not finish its request; a web socket, which begins as one, stays open."""

    def _watch(self) -> None:
        if self.transport.get_protocol() is self:
            super()._watch()
        else:  # what spoke HTTP on it has handed it over, and hears of it no more
            self._stop()


_OPTIONS: dict[str, Any] = {
    "http": PatientWithSockets,
    "log_level": "error", "access_log": False, "lifespan": "off", "server_header": False,
    "timeout_keep_alive": 5, "timeout_graceful_shutdown": 2, "h11_max_incomplete_event_size": 16 * 2**10,
    "ws": "websockets-sansio", "ws_max_size": 2**20, "ws_per_message_deflate": False,
}  # fmt: skip


def serve(open_it: Callable[[], District], port: int) -> None:
    """Serve the page on this machine only until interrupted, and print its address once it can be opened.

    Parameters
    ----------
    open_it : callable
        Reads what is shown, once the port is known to be free.
    port : int
        On the loopback interface; 0 takes a free one.
    """
    try:
        door = bound(port)
    except OSError as error:
        raise ConfigurationError(f"Port {port} cannot be used ({error.strerror}). Name another with --port.") from error
    with door:
        port = door.getsockname()[1]
        token = secrets.token_urlsafe(24)
        app = make_app(open_it(), token, port)
        door.listen(128)  # whoever reads the address may open it at once
        print(f"http://127.0.0.1:{port}/?token={token}\n\nCtrl-C ends it.", flush=True)  # noqa: T201  the command's output
        uvicorn.Server(uvicorn.Config(app, **_OPTIONS)).run(sockets=[door])


def make_app(district: District, token: str, port: int) -> Starlette:
    """The page as an ASGI application.

    Parameters
    ----------
    district : District
    token : str
        Who has it may come in.
    port : int
        The one that it is asked on.
    """
    panels = district.panels()
    names = [(path, name) for path, (name, _) in panels.items()]
    routes = [
        *(Route(f"/{path}", _page(district, names, path)) for path in panels),
        *(WebSocketRoute(f"/socket/{path}", _socket(make)) for path, (_, make) in panels.items()),
        Route("/static/{name}", _file),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Door, token=token, port=port)])


def _page(district: District, names: list[tuple[str, str]], path: str) -> Callable[[Request], Response]:
    shown = {"district": district.name, "pages": names, "path": path, "name": dict(names)[path]}

    def page(_: Request) -> Response:
        return HTMLResponse(render("page.html", **shown, waits=path == "quality" and not district.is_checked))

    return page


def _file(request: Request) -> Response:
    name = request.path_params["name"]
    return FileResponse(_STATIC / name) if name in _FILES else Response(status_code=404)


def _socket(make: Callable[[], Any]) -> Callable[[WebSocket], Any]:
    async def socket(page: WebSocket) -> None:
        await page.accept()
        loop, said = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def tell(text: str | None) -> None:
            with suppress(RuntimeError):  # the server has ended
                loop.call_soon_threadsafe(said.put_nowait, text)

        visit = Visit(make, tell)
        telling = asyncio.create_task(_tell(page, said))
        try:
            while (heard := await page.receive())["type"] == "websocket.receive":
                visit.hear(heard.get("text") or "")
        finally:
            visit.end()
            telling.cancel()

    return socket


async def _tell(page: WebSocket, said: asyncio.Queue[str | None]) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while (text := await said.get()) is not None:
            await page.send_text(text)
        await page.close(1011)
