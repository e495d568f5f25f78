"""A visitor of the page: a widget of their own, in a thread with an event loop of its own.

So a long search of one visitor keeps no other waiting, and what a widget puts off (`Panel.later`) works as in a notebook.
"""

from __future__ import annotations

import asyncio
import json
import logging
from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from comm.base_comm import BaseComm
from ipywidgets import Widget

from kimono_explore.threads import in_thread
from kimono_explore.widgets.browser import Browser
from kimono_explore.widgets.controls import walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from kimono_explore.widgets.parts import Panel

_LOG = logging.getLogger(__name__)


class Visit(BaseComm):
    """The connection of a widget with its page.

    The page speaks first: where it was (``{"place": ...}``). It is told the widget's whole state, then what changes.

    Parameters
    ----------
    make : callable
        Makes the widget.
    tell : callable
        Called from the visit's thread with each message for the page, as JSON; with None where the visit has ended.
    """

    def __init__(self, make: Callable[[], Panel], tell: Callable[[str | None], None]) -> None:
        super().__init__(target_name="jupyter.widget", primary=False)
        self._make, self._pass_on = make, tell
        self._loop = asyncio.new_event_loop()
        self._heard: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._panel: Panel | None = None
        self._place: object = None
        self._noting = False
        in_thread(self._run)

    # From the server's thread.

    def hear(self, text: str) -> None:
        """Take a message of the page; anything else is ignored."""
        with suppress(ValueError, RecursionError):
            message = json.loads(text)
            if isinstance(message, dict):
                self._call(message)

    def end(self) -> None:
        """The page is gone."""
        self._call(None)

    def _call(self, message: dict[str, Any] | None) -> None:
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._heard.put_nowait, message)

    # In the visit's own.

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._live())
        except Exception:  # noqa: BLE001  the page is told that it has ended, the log why
            _LOG.exception("A page session has ended.")
        finally:
            self._loop.close()
            self._pass_on(None)

    async def _live(self) -> None:
        first = await self._heard.get()
        if first is None:
            return
        panel = self._make()
        try:
            _bring_back(panel, first)
            await asyncio.sleep(0)  # what is new until now goes nowhere: the state holds all of it
            panel.close()  # the connection it was made with, under which ipywidgets keeps it
            self._panel, panel.comm = panel, self
            self._say({"state": panel.told()})
            self._note()
            take = panel.guarded(self._take)
            while (message := await self._heard.get()) is not None:
                take(message)
        finally:
            let_go(panel)

    def _take(self, message: dict[str, Any]) -> None:
        self.handle_msg({"content": {"data": {"method": "custom", "content": message}}, "buffers": []})

    def _say(self, message: dict[str, Any]) -> None:
        self._pass_on(json.dumps(message, separators=(",", ":")))

    def publish_msg(
        self,
        msg_type: str,
        data: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,  # noqa: ARG002
        buffers: list[bytes] | None = None,
        **keys: Any,  # noqa: ANN401, ARG002
    ) -> None:
        """Pass on what the widget says."""
        if msg_type != "comm_msg" or data is None:
            return
        if data["method"] == "update":
            self._say({"update": data["state"]})
            self._note_soon()
        elif data.get("content"):  # an empty one wakes a server that waits, which this one does not
            self._say({"message": data["content"], "bytes": [b64encode(part).decode() for part in buffers or ()]})

    def close(self, *_: object, **__: object) -> None:
        """No page has to be told."""
        self._closed = True

    # What is on screen, for the address of the page.

    def _note_soon(self) -> None:
        if not self._noting:
            self._noting = True
            self._loop.call_soon(self._note)

    def _note(self) -> None:
        self._noting = False
        panel = self._panel
        place = panel.state if isinstance(panel, Browser) else {} if panel is None else {"query": panel.address}
        if place != self._place:
            self._place = place
            self._say({"place": place})


def _bring_back(panel: Panel, said: dict[str, Any]) -> None:
    """Show what a page had on screen: the state that it was told, or what an address names."""
    place = said.get("place")
    if not isinstance(place, dict):
        return
    if not isinstance(panel, Browser):
        named = place.get("query", place)
        texts = named.items() if isinstance(named, dict) else ()
        panel.guarded(
            lambda: setattr(panel, "address", {name: text for name, text in texts if isinstance(text, str)})
        )()
        return

    def bring(browser: Browser) -> None:
        if "places" in place:
            browser.state = place
            return
        browser.state = {"search": place.get("q", ""), "type": place.get("only", "")}
        if isinstance(place.get("id"), str):
            type = place.get("type")
            browser.select(place["id"], type if isinstance(type, str) else None)

    panel.guarded(bring)(panel)


def let_go(panel: Panel) -> None:
    """Let go of all widgets of a visit, which ipywidgets keeps otherwise."""
    for part in list(walk(panel)):
        if isinstance(part, Widget):
            part.layout.close()
            part.close()
