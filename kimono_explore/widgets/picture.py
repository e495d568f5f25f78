"""A widget's picture of itself: plain HTML beside it, which a saved notebook or an export shows without a kernel.

Two outputs, as one that holds both the view and HTML shows neither in JupyterLab without a kernel.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import ipywidgets as widgets

from kimono_explore.html import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from IPython.display import DisplayHandle

_AFTER = 0.8  # seconds after a change: a picture is made when one pauses
_WATCHED = ("view", "scene", "info", "value", "children")


class Pictured:
    """For a widget: it is displayed with a picture of what is on screen, renewed while one works."""

    _picture: DisplayHandle | None = None
    _renewal: asyncio.TimerHandle | None = None

    def _ipython_display_(self) -> None:
        from IPython.display import display

        bundle = self._repr_mimebundle_()  # type: ignore[attr-defined]
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        display({**data, "text/plain": repr(self)}, raw=True, metadata=metadata)  # type: ignore[no-untyped-call]
        self._picture = display(self._drawn(), raw=True, display_id=True)  # type: ignore[no-untyped-call]
        for one in _all(self):
            for name in one.trait_names():
                if name in _WATCHED:
                    one.observe(self._changed, name)

    def _drawn(self) -> dict[str, str]:
        return {"text/html": picture(self), "text/plain": ""}

    def _changed(self, _: object) -> None:
        """Draw it anew in a moment, once, however much changes until then."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._renewal is not None:
            self._renewal.cancel()
        self._renewal = loop.call_later(_AFTER, self._renew_picture)

    def _renew_picture(self) -> None:
        if self._picture is not None:
            self._picture.update(self._drawn(), raw=True)  # type: ignore[no-untyped-call]


def picture(widget: widgets.Widget) -> str:
    """What is on screen of a widget, as HTML in which every text of the data is escaped.

    Examples
    --------
    >>> browser = kx.browse(roster, id=roster.sections["id"][0])
    >>> "<script" in picture(browser), roster.describe(browser.selected).label in picture(browser)
    (False, True)
    """
    parts = [text for one in _all(widget) for text in _part(one)]
    return render("picture.html") + "".join(parts)


def _all(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    """A widget and what is in it, from top to bottom; not what is hidden."""
    if getattr(getattr(widget, "layout", None), "display", None) == "none":
        return
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _all(child)


def _part(widget: widgets.Widget) -> Iterator[str]:
    if hasattr(widget, "as_html"):
        yield widget.as_html()
    elif isinstance(widget, widgets.HTML) and widget.value.strip():
        yield widget.value
