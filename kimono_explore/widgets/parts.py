"""What the widgets are made of: a panel of controls that shows its errors."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget

from kimono_explore.html import render
from kimono_explore.widgets.channel import AFTERWARDS, Channel
from kimono_explore.widgets.controls import Button, Column, Control, Field, Html, Text, id_of, walk
from kimono_explore.widgets.picture import Pictured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_STATIC = Path(__file__).parent / "static"
_NOT_OURS = {*anywidget.AnyWidget.class_trait_names(sync=True), "_anywidget_id", "_css", "_esm"}
"""The synced traits that any AnyWidget has."""


class Panel(Pictured, anywidget.AnyWidget):
    """Controls, tables and graphs in one widget; it shows what goes wrong in it, and says when it works.

    The widget's state holds each control under its id, each trait of a table or a graph under ``id.name``, and ``root``,
    the id of the outermost. So any page that knows the state can draw it, however late it comes.
    """

    _esm = _STATIC / "panel.js"
    _css = _STATIC / "panel.css"

    def __init__(self) -> None:
        self._root = Column(look="root")
        self._states: dict[str, Callable[[], object]] = {}
        self._untold: dict[str, None] = {}
        self._flushing: asyncio.Handle | None = None
        super().__init__()
        self._status = Html()
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._adopt(self._root)
        self._states["root"] = lambda: self._root.id
        self._tell("root")
        self.on_msg(self._hear)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @property
    def id(self) -> str:
        """Its name in a panel that it stands in."""
        return str(self._root.id)

    @property
    def children(self) -> tuple[Any, ...]:
        """What is in it, from top to bottom."""
        return tuple(self._root.children)

    @children.setter
    def children(self, children: Sequence[Any]) -> None:
        self._root.children = list(children)

    # Where one is, for the address of a page.

    @property
    def address(self) -> dict[str, str]:
        """What names the place on screen in an address: nothing, unless a widget says it."""
        return {}

    @address.setter
    def address(self, named: Mapping[str, str]) -> None:
        """Go to a place; what is not there, or no longer, is let be."""

    # What a page is told.

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:  # noqa: ANN401
        """The widget's state as ipywidgets wants it, and that of all that is in it."""
        state: dict[str, Any] = super().get_state(key, drop_defaults)
        return {**state, **self.told()} if key is None else state

    def told(self) -> dict[str, Any]:
        """All that a page must know of it."""
        return {name: read() for name, read in self._states.items()}

    def _repr_mimebundle_(self, **options: Any) -> Any:  # noqa: ANN401
        """What shows it: a page that draws it knows all by then."""
        self._flush()
        return super()._repr_mimebundle_(**options)

    def pass_on(self, id: str, data: dict[str, Any], buffers: list[bytes] | None) -> None:
        """Pass on what a table or a graph says: its state with all that is new, its messages at once."""
        if data.get("method") == "update":
            for name in data["state"]:
                self._tell(f"{id}.{name}")
        else:
            self._flush()
            self.send({"control": id, "content": data.get("content", {})}, buffers)

    def _adopt(self, part: Any) -> None:  # noqa: ANN401  a control, a table, a graph or a panel
        """Tell of a part from now on; of what is in it first, as some pages draw each at once."""
        if isinstance(part, Panel):
            part = part._root
        for child in getattr(part, "children", ()):
            self._adopt(child)
        if isinstance(part, Control):
            self._adopt_control(part)
        else:
            self._adopt_widget(part)

    def _adopt_control(self, control: Control) -> None:
        if control.id not in self._states:
            self._states[control.id] = control.state
            control.observe(lambda change: self._renew(control, change["name"]))
            self._tell(control.id)

    def _renew(self, control: Control, name: str) -> None:
        if name == "children":
            self._adopt(control)
        self._tell(control.id)

    def _adopt_widget(self, widget: Any) -> None:  # noqa: ANN401  a table or a graph
        if not isinstance(widget.comm, Channel):  # marimo gives each widget its own
            widget.comm = Channel()
        id = id_of(widget)
        if id in self._states:
            return
        widget.comm.outlets.append(self)
        for name in set(widget.keys) - _NOT_OURS:
            self._states[f"{id}.{name}"] = partial(getattr, widget, name)
            self._tell(f"{id}.{name}")
        self._states[id] = lambda: {"kind": widget.kind, "hidden": widget.hidden}
        widget.observe(lambda _: self._tell(id), "hidden")
        self._tell(id)

    def _tell(self, name: str) -> None:
        """Tell of something new, with all else that is new in this turn of the event loop; at once where there is none."""
        self._untold.pop(name, None)
        self._untold[name] = None
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._flush()
            return
        if self._flushing is None:
            self._flushing = loop.call_soon(self._flush)

    def _flush(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        names = sorted(self._untold, key="root".__eq__)  # last: marimo takes one after the other, and all must be there
        state = {name: self._states[name]() for name in names if name in self._states}
        self._untold.clear()
        if state:
            self._send({"method": "update", "state": state, "buffer_paths": []})
            with suppress(RuntimeError):  # no loop, no server that waits
                asyncio.get_running_loop().call_later(AFTERWARDS, self.send, {})
            self._changed(None)

    # What a page says.

    def _hear(self, _: object, message: object, __: object) -> None:
        """Do what a page asks of something on screen; anything else is ignored."""
        if not isinstance(message, dict):
            return
        asked, id = message.get("kind"), message.get("control")
        part = next((one for one in walk(self, hidden=False) if id_of(one) == id), None)
        if asked == "click" and isinstance(part, Button):
            part.click()
        elif asked == "enter" and isinstance(part, Text):
            part.enter()
        elif asked == "set" and isinstance(part, Field):
            part.take(message.get("value"), message.get("said"))
        elif asked == "message" and isinstance(getattr(part, "comm", None), Channel):
            content = message.get("content")
            if isinstance(content, dict):
                part.comm.hear(content)  # type: ignore[union-attr]
        self._flush()

    # What stands in the line of status.

    def guarded(self, function: Callable[..., object]) -> Callable[..., None]:
        """A callback whose error stands in the widget, not in a log that nobody reads."""

        @wraps(function)
        def callback(*arguments: object) -> None:
            try:
                function(*arguments)
            except KeyboardInterrupt:
                self.say("Stopped.")
            except Exception as error:  # noqa: BLE001
                self.show_error(error)

        return callback

    def show_error(self, error: BaseException) -> None:
        """Show an error where the user looks."""
        text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
        self._status.value = render("error.html", kind=type(error).__name__, text=text)

    def say(self, text: str) -> None:
        """Show a line of plain text, at once: what is under way, or how much was found."""
        self._status.value = line(text, role="status")
        self._flush()

    # What waits.

    def later(self, name: str, seconds: float, function: Callable[[], None]) -> None:
        """Call a function after a pause, once, however often it is asked for; at once where no event loop runs."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            function()
            return
        self.call_off(name)

        def now() -> None:
            self.call_off(name)
            function()

        self._waiting[name] = loop.call_later(seconds, now)

    def call_off(self, name: str) -> bool:
        """What was to be called later is not; whether there was such a thing."""
        waiting = self._waiting.pop(name, None)
        if waiting is not None:
            waiting.cancel()
        return waiting is not None


def line(text: str, *, role: str | None = None, quiet: bool = True) -> str:
    """A line of plain text, as a widget shows it."""
    return render("line.html", text=text, role=role, quiet=quiet)


def shorten(text: str, most: int) -> str:
    """The text, cut where it is longer than a number of letters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
