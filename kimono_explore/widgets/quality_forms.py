"""What the inspector of quality writes, where its user says: the report, and waivers in ``quality.toml``."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from kimono_explore.display import plural
from kimono_explore.errors import ConfigurationError
from kimono_explore.html import render
from kimono_explore.quality.config import NAME, add_waivers, waivers_of
from kimono_explore.widgets.controls import Button, Column, Html, Row, Text
from kimono_explore.widgets.parts import line

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from kimono_explore.quality import Report

_A_WHILE = timedelta(days=90)
"""How long a waiver lasts where nobody says."""
_KINDS = {
    ".html": "A page to read and to print",
    ".json": "What report.since(…) compares with",
    ".csv": "A row for each finding",
    "": "A folder: the page, and all failing rows as CSV and xlsx",
}


class Form(Column):
    """Fields and two buttons, hidden until its own button opens it; Escape cancels, and the keyboard goes back.

    Parameters
    ----------
    opens : Button
    fields : list of Text
    label : str
        What a screen reader calls it.
    do : callable
        What its button does; what that returns is said. An error of it leaves the form open.
    """

    def __init__(self, opens: Button, fields: list[Text], label: str, do: Callable[[], str]) -> None:
        self._opens, self._act, self._fields = opens, do, fields
        self._cancel, self.do = Button("Cancel"), Button("Save")
        self.preview = Html()
        self.said: Callable[[str], object]
        buttons = Row([self._cancel, self.do])
        super().__init__(
            [Row(fields), self.preview, buttons], look="form", hidden=True, label=label, escape=self._cancel
        )

    def connect(self, guarded: Callable[..., Callable[..., None]], said: Callable[[str], object]) -> None:
        """Let its buttons work in a panel, which shows what goes wrong and what was done."""
        self.said = said
        self._opens.on_click(guarded(lambda _: self.show()))
        self._cancel.on_click(guarded(lambda _: self.close()))
        self.do.on_click(guarded(lambda _: self.act()))
        for field in self._fields:
            field.on_enter(guarded(self.act))
            field.observe(guarded(lambda _: self.renew()), "value")

    def show(self) -> None:
        """Open it."""
        self.hidden = False
        self.renew()
        self._fields[0].focus()

    def close(self) -> None:
        """Close it; nothing is done."""
        self.hidden = True
        self._opens.focus()

    def renew(self) -> None:
        """Say what would be done, as the fields are now."""

    def act(self) -> None:
        """Do it."""
        said = self._act()
        self.close()
        self.said(said)


class SaveReport(Form):
    """Saves the report as a page, as JSON for the next `since`, as CSV, or as a folder.

    Parameters
    ----------
    report : Report
    opens : Button
    """

    def __init__(self, report: Report, opens: Button) -> None:
        self._report = report
        self.path = Text("save as", value=f"report-{report.as_of}.html", width=360)
        super().__init__(opens, [self.path], "Save the report", self._save)

    def renew(self) -> None:
        """Say what the ending of the name means, and whether something is there already."""
        path = Path(self.path.value.strip())
        self.do.description = "Replace the file" if path.is_file() else "Save the report"
        try:
            kind = self._kind()
        except ConfigurationError as error:
            self.do.disabled, self.preview.value = True, line(str(error))
            return
        self.do.disabled = False
        whose = "It names children and staff, and you alone can read it."
        self.preview.value = line(f"{kind}, in {path.resolve().parent}. {whose}")

    def _kind(self) -> str:
        name = self.path.value.strip()
        kind = _KINDS.get(Path(name).suffix)
        if not name or kind is None:
            raise ConfigurationError("Name a file that ends in .html, .json or .csv, or a folder.")
        return kind

    def _save(self) -> str:
        self._kind()
        path, report = Path(self.path.value.strip()), self._report
        {".json": report.to_json, ".csv": report.to_csv}.get(path.suffix, report.to_html)(path)
        return f"The report was saved as {path.resolve()}."


class WaiveFindings(Form):
    """Accepts the findings on screen until a day, by waivers at the end of a ``quality.toml``.

    Parameters
    ----------
    report : Report
    opens : Button
    findings : callable
        Returns the findings on screen.
    """

    def __init__(self, report: Report, opens: Button, findings: Callable[[], pd.DataFrame]) -> None:
        self._findings = findings
        self.reason, self.owner = Text("reason", width=320), Text("owner", width=160)
        self._example = f"{report.as_of + _A_WHILE}"
        self.expires = Text("until", value=self._example, width=110)
        self.file = Text("in", value=str(report.config or NAME), width=220)
        fields = [self.reason, self.owner, self.expires, self.file]
        super().__init__(opens, fields, "Waive findings", self._waive)

    def renew(self) -> None:
        """Show what would be added to the file."""
        found = self._findings()
        self.do.description = f"Waive {plural(len(found), 'finding')}"
        try:
            waivers = waivers_of(found, self.reason.value.strip(), self.owner.value.strip(), self._day())
        except ConfigurationError as error:
            self.do.disabled = True
            self.preview.value = line(str(error))
            return
        self.do.disabled = not (self.reason.value.strip() and self.owner.value.strip())
        self.preview.value = render("waivers.html", waivers=[one.as_toml() for one in waivers], file=self.file.value)

    def _day(self) -> date:
        try:
            return date.fromisoformat(self.expires.value.strip())
        except ValueError:
            raise ConfigurationError(f"Write the day until which it is waived as {self._example}.") from None

    def _waive(self) -> str:
        found = self._findings()
        reason, owner, file = (field.value.strip() for field in (self.reason, self.owner, self.file))
        if not (reason and owner and file):
            raise ConfigurationError("A waiver needs a reason, an owner and a file.")
        add_waivers(file, waivers_of(found, reason, owner, self._day()))
        return (
            f"{plural(len(found), 'finding')} waived in {Path(file).resolve()}. "
            "They are left out from the next check on that reads it: kx.check(roster, config=…)."
        )
