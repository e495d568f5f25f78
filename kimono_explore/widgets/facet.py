"""A filter with a heading: its values, each with how many rows it has under all other filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets as widgets
import traitlets

if TYPE_CHECKING:
    from collections.abc import Mapping


class Facet(anywidget.AnyWidget):
    """Buttons in a row, one of them chosen: all of them (``""``), or one value.

    Parameters
    ----------
    heading : str

    Attributes
    ----------
    options : list
        Text and value of each button.
    value : str
        What is chosen; ``""`` is everything.
    """

    _esm = """
    export default {
      render({ model, el }) {
        const heading = document.createElement("span");
        const group = document.createElement("div");
        heading.className = "kx-facet-heading";
        heading.textContent = model.get("heading");
        group.className = "kx-facet-values";
        group.setAttribute("role", "group");
        group.setAttribute("aria-label", model.get("heading"));
        el.classList.add("kx-facet", "kx-chips");
        el.replaceChildren(heading, group);
        const button = ([text, value]) => {
          const made = document.createElement("button");
          made.type = "button";
          made.className = "jupyter-button" + (/ 0$/.test(text) ? " kx-none" : "");
          made.textContent = text;
          made.title = value || text;
          made.dataset.value = value;
          made.setAttribute("aria-pressed", String(value === model.get("value")));
          made.addEventListener("click", () => {
            model.set("value", value === model.get("value") ? "" : value);
            model.save_changes();
          });
          return made;
        };
        const draw = () => {
          const active = group.contains(document.activeElement) ? document.activeElement.dataset.value : null;
          group.replaceChildren(...model.get("options").map(button));
          if (active !== null) [...group.children].find((made) => made.dataset.value === active)?.focus();
        };
        draw();
        model.on("change:options change:value", draw);
        return () => model.off("change:options change:value", draw);
      },
    };
    """

    heading = traitlets.Unicode().tag(sync=True)
    options: traitlets.List[Any] = traitlets.List().tag(sync=True)
    value = traitlets.Unicode("").tag(sync=True)

    def __init__(self, heading: str) -> None:
        super().__init__(heading=heading, options=[["all 0", ""]], layout=widgets.Layout(width="100%"))
        self.values: list[str] = []

    @traitlets.validate("value")
    def _check(self, proposal: traitlets.Bunch) -> str:
        value = str(proposal["value"])
        if value and value not in self.values:
            raise traitlets.TraitError(f"No task has {self.heading.lower()} {value!r}. There are: {self.values}.")
        return value

    def offer(self, values: list[str]) -> None:
        """Let one choose among these; what is chosen stays where it is still there."""
        self.values = values
        if self.value not in values:
            self.value = ""

    def count(self, counts: Mapping[str, int], rows: int) -> None:
        """Show how many rows each value has, and how many there are in all."""
        texts = [[f"{value} {counts.get(value, 0):,}", value] for value in self.values]
        self.options = [[f"all {rows:,}", ""], *texts]
