"""A question before something that cannot be undone: Cancel has the focus, Escape cancels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anywidget
import ipywidgets as widgets
import traitlets

from kimono_explore.widgets.parts import line

if TYPE_CHECKING:
    from collections.abc import Callable


class Confirmation(widgets.VBox):  # type: ignore[misc]
    """A box with a question, *Cancel*, and a button that says what it does; hidden until something is asked.

    The buttons are made once: one that is only just made is not on the page yet, and cannot be given the focus.

    Parameters
    ----------
    confirmed, cancelled : callable
        What the two buttons call.
    """

    def __init__(self, confirmed: Callable[..., None], cancelled: Callable[..., None]) -> None:
        super().__init__(layout=widgets.Layout(display="none"))
        self.add_class("kx-confirm")
        self._dialog = _Dialog()
        self._question, self._details = widgets.HTML(), widgets.HTML()
        auto = widgets.Layout(width="auto")
        self._cancel = widgets.Button(description="Cancel", tooltip="Do nothing", layout=auto)
        self._cancel.add_class("kx-cancel")
        self._do = widgets.Button(description="Do it", button_style="danger", tooltip="Do it", layout=auto)
        hint = widgets.HTML(line("Esc cancels."))
        self.children = [self._question, self._details, widgets.HBox([self._cancel, self._do, hint]), self._dialog]
        self._do.on_click(confirmed)
        self._cancel.on_click(cancelled)

    @property
    def is_open(self) -> bool:
        """Whether something is asked."""
        return bool(self._dialog.asks)

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
        self._question.value = line(question, quiet=False)
        self._details.value = details
        self._do.description = self._do.tooltip = do
        self.layout.display = "flex"
        self._dialog.question, self._dialog.asks = question, True
        self._cancel.focus()

    def close_question(self) -> None:
        """Ask nothing any more."""
        self._dialog.asks = False
        self.layout.display = "none"
        self._question.value = self._details.value = ""


class _Dialog(anywidget.AnyWidget):
    """Nothing to see: the box around it is an alert dialog to a screen reader, and Escape presses its Cancel."""

    _esm = """
    export default {
      render({ model, el }) {
        const name = () => {
          const box = el.closest(".kx-confirm");
          box?.setAttribute("role", "alertdialog");
          box?.setAttribute("aria-label", model.get("question"));
        };
        const leave = (event) => {
          if (event.key !== "Escape" || !model.get("asks")) return;
          if (!el.closest(".kx-panel")?.contains(event.target)) return;
          event.preventDefault();
          event.stopPropagation();
          el.closest(".kx-confirm").querySelector(".kx-cancel").click();
        };
        model.on("change:question", name);
        requestAnimationFrame(name);
        window.addEventListener("keydown", leave, true);
        return () => {
          model.off("change:question", name);
          window.removeEventListener("keydown", leave, true);
        };
      },
    };
    """

    question = traitlets.Unicode("Nothing is asked").tag(sync=True)
    asks = traitlets.Bool(False).tag(sync=True)

    def __init__(self) -> None:
        super().__init__(layout=widgets.Layout(width="0", height="0", margin="0"))
