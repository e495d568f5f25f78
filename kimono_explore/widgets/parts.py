"""What the widgets are made of: a panel that shows its errors, tables to pick from, chips with counts."""

from __future__ import annotations

import asyncio
from functools import wraps
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import pandas as pd
from itables.widget import ITable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

# The theme's own colours: JupyterLab and Voila set the variables, light or dark.
STYLE = """<style>
.kx { color: var(--jp-ui-font-color1, #1f2328); font-size: 13px; line-height: 1.45; }
.kx h3 { margin: 0; font-size: 17px; line-height: 1.3; }
.kx h4 { margin: 8px 0 2px; font-size: 13px; color: var(--jp-ui-font-color2, #59636e); }
.kx table { border-collapse: collapse; } .kx td, .kx th { text-align: left; padding: 1px 14px 1px 0; vertical-align: top; }
.kx th { font-weight: 400; color: var(--jp-ui-font-color2, #59636e); white-space: nowrap; }
.kx td { overflow-wrap: anywhere; }
.kx .quiet { color: var(--jp-ui-font-color2, #59636e); }
.kx code { font-size: 12px; background: none; color: inherit; }
.kx pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 4px 0; font-size: 12px; color: inherit; }
.kx .error, .kx-error { color: var(--jp-error-color1, #b3261e); }
.kx .warning { color: var(--jp-warn-color0, #8a5a00); } .kx .information { color: var(--jp-info-color0, #0b5cad); }
.kx .badge { border: 1px solid var(--jp-border-color1, #c9ced6); border-radius: 9px; padding: 0 7px; margin-right: 6px;
  font-size: 12px; }
.kx del { color: var(--jp-error-color1, #b3261e); } .kx ins { color: var(--jp-success-color0, #1a7f37); text-decoration: none; }
.kx-panel { border: 1px solid var(--jp-border-color2, #d1d9e0); border-radius: 6px; padding: 10px; }
.kx-table { font-size: 13px; } .kx-table .dt-container { width: 100%; }
.kx-chips .widget-toggle-button, .kx-chips .jupyter-button { border-radius: 12px; width: auto;
  height: 26px; line-height: 24px; padding: 0 10px; }
.kx-confirm { border: 2px solid var(--jp-warn-color1, #e0a800); border-radius: 6px; padding: 8px 12px; }
:is(.kx-panel, .kx-chips) button:focus-visible, .kx-table td:focus-visible {
  outline: 2px solid var(--jp-brand-color1, #0b5cad); outline-offset: 1px; }
</style>"""


class Panel(widgets.VBox):  # type: ignore[misc]
    """A box that shows what goes wrong in it, and says when it works."""

    def __init__(self) -> None:
        super().__init__()
        self.add_class("kx-panel")
        self._style_sheet = widgets.HTML(STYLE, layout=widgets.Layout(display="none"))
        self._status = widgets.HTML()
        self._waiting: dict[str, asyncio.TimerHandle] = {}

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
        text = escape(str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error))
        self._status.value = f'<div role="alert" class="kx kx-error"><b>{type(error).__name__}</b> {text}</div>'

    def say(self, text: str) -> None:
        """Show a line of plain text: what is under way, or how much was found."""
        self._status.value = f'<div role="status" class="kx quiet">{escape(text)}</div>'

    def later(self, name: str, seconds: float, function: Callable[[], None]) -> None:
        """Call a function after a pause, once, however often it is asked for; at once where no event loop runs."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            function()
            return
        if name in self._waiting:
            self._waiting[name].cancel()
        self._waiting[name] = loop.call_later(seconds, function)


def pick_table(
    df: pd.DataFrame, *, many: bool = False, height: int = 300, search: bool = False, label: str = ""
) -> ITable:
    """A table to pick rows from, by mouse or keyboard (arrow keys and space). Every text is shown as text."""
    by_keys: Any = {"style": "multi" if many else "single", "keys": True}
    table = ITable(
        _shown(df),
        select=by_keys,
        maxBytes=0,
        paging=False,
        scrollY=f"{height}px",
        scrollCollapse=True,
        layout={"topStart": None, "topEnd": "search" if search else None, "bottomStart": None, "bottomEnd": None},
        showIndex=False,
        classes="display compact nowrap",
        allow_html=False,
        text_in_header_can_be_selected=False,
        language={"emptyTable": "nothing here", "zeroRecords": "nothing found"},
        caption=label,
    )
    table.add_class("kx-table")
    return table


def fill(table: ITable, df: pd.DataFrame) -> None:
    """Put other rows into a table; nothing is picked."""
    table.selected_rows = []
    table.update(_shown(df), selected_rows=[])


def _shown(df: pd.DataFrame) -> pd.DataFrame:
    """As text, missing as nothing: what a table on screen needs."""
    columns = {}
    for name in df.columns:
        values = df[name]
        if not pd.api.types.is_numeric_dtype(values) or values.isna().any():
            values = values.astype("object").where(values.notna(), "").map(_text)
        columns[str(name)] = values
    return pd.DataFrame(columns).reset_index(drop=True)


def _text(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d") if value == value.normalize() else value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def chips(options: Sequence[tuple[str, Hashable]], label: str) -> widgets.ToggleButtons:
    """Filters in a row, one of them chosen."""
    buttons = widgets.ToggleButtons(
        options=list(options), tooltips=[f"{label}: {text}" for text, _ in options], style={"button_width": "auto"}
    )
    buttons.add_class("kx-chips")
    return buttons


def set_options(choice: widgets.ToggleButtons | widgets.Dropdown, options: Sequence[tuple[str, Hashable]]) -> None:
    """Give a choice other options, and keep what is chosen where it is still there."""
    kept = choice.value
    choice.options = list(options)
    values = [value for _, value in options]
    choice.value = kept if kept in values else values[0] if values else None


def counted(values: Iterable[Hashable], everything: str = "all") -> list[tuple[str, Hashable]]:
    """Options with counts: all of them, then each value, the most frequent first."""
    series = pd.Series(list(values), dtype="object")
    counts = series.dropna().value_counts()
    total = (f"{everything} {len(series):,}", None)
    return [total, *((f"{value} {count:,}", value) for value, count in counts.items())]
