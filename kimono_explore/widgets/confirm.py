"""A question before something that cannot be undone: Cancel has the focus, Escape cancels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kimono_explore.widgets.controls import Button, Column, Html, Row
from kimono_explore.widgets.parts import line

if TYPE_CHECKING:
    from collections.abc import Callable


class Confirmation(Column):
    """A box with a question, *Cancel*, and a button that says what it does; hidden until something is asked.

    Parameters
    ----------
    confirmed, cancelled : callable
        What the two buttons call.
    """

    def __init__(self, confirmed: Callable[..., None], cancelled: Callable[..., None]) -> None:
        self._question, self._details = Html(), Html()
        self._cancel = Button("Cancel", tooltip="Do nothing")
        self._do = Button("Do it", look="danger")
        buttons = Row([self._cancel, self._do, Html(line("Esc cancels."))])
        super().__init__([self._question, self._details, buttons], look="confirm", hidden=True, escape=self._cancel)
        self._do.on_click(confirmed)
        self._cancel.on_click(cancelled)

    @property
    def is_open(self) -> bool:
        """Whether something is asked."""
        return not self.hidden

    def ask(self, question: str, do: str, details: str = "") -> None:
        """Show a question.

        Parameters
        ----------
        question : str
        do : str
            What the button does, with its object and number: ``"Delete 3 tasks"``.
        details : str, optional
            HTML under the question.
        """
        self._question.value, self._details.value = line(question, quiet=False), details
        self._do.description, self.label = do, question
        self.hidden = False
        self._cancel.focus()

    def close_question(self) -> None:
        """Ask nothing any more."""
        self.hidden = True
        self._question.value = self._details.value = ""
