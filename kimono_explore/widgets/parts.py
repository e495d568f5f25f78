"""What the widgets are made of: a panel that shows its errors, chips with counts."""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets as widgets
import pandas as pd

from kimono_explore.html import render
from kimono_explore.widgets.picture import Pictured

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence


class Panel(Pictured, widgets.VBox):  # type: ignore[misc]
    """A box that shows what goes wrong in it, and says when it works."""

    def __init__(self) -> None:
        super().__init__()
        self.add_class("kx-panel")
        self._unseen = [widgets.HTML(render("style.html"), layout=widgets.Layout(display="none")), OwnKeys()]
        self._status = widgets.HTML()
        self._waiting: dict[str, asyncio.TimerHandle] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

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
        """Show a line of plain text: what is under way, or how much was found."""
        self._status.value = line(text, role="status")

    def later(self, name: str, seconds: float, function: Callable[[], None]) -> None:
        """Call a function after a pause, once, however often it is asked for; at once where no event loop runs."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            function()
            return
        self.call_off(name)
        self._waiting[name] = loop.call_later(seconds, function)

    def call_off(self, name: str) -> None:
        """What was to be called later is not."""
        if name in self._waiting:
            self._waiting.pop(name).cancel()


class OwnKeys(anywidget.AnyWidget):
    """Nothing to see: keys pressed in the panel around it are the panel's, not the notebook's.

    JupyterLab takes every key before what has the focus hears it: an arrow in a table would go to the next cell,
    Enter on a button edit this one, and ``d d`` delete it. What has the focus (no ancestor will do: JupyterLab looks
    for ``:focus``) bears JupyterLab's own mark for "not here" while a plain key is pressed; those with Ctrl, Alt or Cmd
    (to save), and Shift with Enter (to run), stay the notebook's.
    """

    _esm = """
    export default {
      render({ el }) {
        const mark = (event) => {
          const notebooks =
            event.ctrlKey || event.altKey || event.metaKey || (event.shiftKey && event.key === "Enter");
          if (el.closest(".kx-panel")?.contains(event.target))
            event.target.toggleAttribute("data-lm-suppress-shortcuts", !notebooks);
        };
        window.addEventListener("keydown", mark, true);
        return () => window.removeEventListener("keydown", mark, true);
      },
    };
    """

    def __init__(self) -> None:
        super().__init__(layout=widgets.Layout(width="0", height="0", margin="0"))


def chips(options: Sequence[tuple[str, Any]], label: str) -> widgets.ToggleButtons:
    """Filters in a row, one of them chosen."""
    buttons = widgets.ToggleButtons(
        options=list(options), tooltips=[f"{label}: {text}" for text, _ in options], style={"button_width": "auto"}
    )
    buttons.add_class("kx-chips")
    return buttons


def line(text: str, *, role: str | None = None, quiet: bool = True) -> str:
    """A line of plain text, as a widget shows it."""
    return render("line.html", text=text, role=role, quiet=quiet)


def replace(box: widgets.Box, children: Sequence[widgets.Widget]) -> None:
    """Show other widgets in a box. The old ones are closed after: a page cannot draw what is closed."""
    old, box.children = box.children, tuple(children)
    for widget in old:
        widget.close()


def set_options(choice: widgets.ToggleButtons | widgets.Dropdown, options: Sequence[tuple[str, str]]) -> None:
    """Give a choice other options, and keep what is chosen where it is still there."""
    kept = choice.value
    choice.options = list(options)
    if kept in [value for _, value in options]:
        choice.value = kept


def counted(values: Iterable[Hashable]) -> list[tuple[str, str]]:
    """Options with counts: all of them (``""``), then each value, the most frequent first."""
    series = pd.Series(list(values), dtype="object")
    counts = series.dropna().astype(str).value_counts()
    return [(f"all {len(series):,}", ""), *((f"{value} {count:,}", str(value)) for value, count in counts.items())]


def shorten(text: str, most: int) -> str:
    """The text, cut where it is longer than a number of letters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
