"""A widget's picture of itself: plain HTML beside it, which a saved notebook or an export shows without a kernel.

Two outputs, as one that holds both the view and HTML shows neither in JupyterLab without a kernel.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from kimono_explore.html import render
from kimono_explore.widgets.controls import Html, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from IPython.display import DisplayHandle

_AFTER = 0.8  # seconds after a change: a picture is made when one pauses
_WATCHED = ("view", "scene", "info")


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
        for name in _WATCHED:
            if self.has_trait(name):  # type: ignore[attr-defined]
                self.observe(self._changed, name)  # type: ignore[attr-defined]

    def _drawn(self) -> dict[str, str]:
        return {"text/html": picture(self), "text/plain": ""}

    def _changed(self, _: object) -> None:
        """Draw it anew in a moment, once, however much changes until then."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._picture is None:
            return
        if self._renewal is not None:
            self._renewal.cancel()
        self._renewal = loop.call_later(_AFTER, self._renew_picture)

    def _renew_picture(self) -> None:
        if self._picture is not None:
            self._picture.update(self._drawn(), raw=True)  # type: ignore[no-untyped-call]


def picture(widget: object) -> str:
    """What is on screen of a widget, as HTML in which every text of the data is escaped.

    Examples
    --------
    >>> browser = kx.browse(roster, id=roster.sections["id"][0])
    >>> "<script" in picture(browser), roster.describe(browser.selected).label in picture(browser)
    (False, True)
    """
    parts = [text for one in walk(widget, hidden=False) for text in _part(one)]
    return render("picture.html") + "".join(parts)


def _part(part: Any) -> Iterator[str]:  # noqa: ANN401  of a panel
    if hasattr(part, "as_html"):
        yield part.as_html()
    elif isinstance(part, Html) and part.value.strip():
        yield part.value
