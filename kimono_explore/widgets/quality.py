"""Follow a finding: checks, the rows that fail, the school, the object itself."""

from __future__ import annotations

import base64
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.errors import expect
from kimono_explore.export import no_formulas
from kimono_explore.html import render
from kimono_explore.palette import SEVERITY_COLORS
from kimono_explore.quality import Report
from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import OBJECT_TYPES
from kimono_explore.widgets.browser import Browser
from kimono_explore.widgets.channel import Channel
from kimono_explore.widgets.controls import Choice, Column, Html, Row
from kimono_explore.widgets.parts import Panel, line
from kimono_explore.widgets.table import DataTable
from kimono_explore.widgets.words import column_words

if TYPE_CHECKING:
    from kimono_explore.roster.explorable import Explorable

_MOST_SAVED = 20_000
"""Rows that a link in the page can hold."""
_MOST_SCHOOLS = 6
_BRIEF = ("severity", "failed", "title")
"""The columns of the checks that stay when the rows of one stand beside them."""


def inspect_quality(report: Report, roster: Roster | None = None) -> QualityInspector:
    """Look through a report: pick a check, see its rule and rows, pick a row, see the object.

    Parameters
    ----------
    report : Report
        Of `check` or `check_tasks`.
    roster : Roster, optional
        What was checked: a picked row then opens in `browse`. Default: the roster that `check` was given.

    Returns
    -------
    QualityInspector
        A widget. ``.check`` is the id of the check on screen, ``.table`` the rows on screen, ``.browser`` the `Browser`
        below them, or None.

    Examples
    --------
    >>> inspector = kx.inspect_quality(kx.check(roster, params={"term_too_long": {"days": 250}}))
    >>> inspector.select("term_too_long")
    >>> inspector.table["label"].tolist()
    ['2026-2027']
    """
    expect("inspect_quality", report, Report)
    expect("inspect_quality", roster, Roster, None)
    return QualityInspector(report, roster)


class QualityInspector(Panel):
    """The widget that `inspect_quality` makes.

    Attributes
    ----------
    check : str or None
        The id of the check on screen.
    table : pandas.DataFrame
        The failing rows on screen.
    browser : Browser or None
    """

    def __init__(self, report: Report, roster: Explorable | None = None) -> None:
        super().__init__()
        self.report = report
        self._roster: Explorable | None = roster if roster is not None else report.roster
        self.check: str | None = None
        self.checks = self.table = pd.DataFrame()
        self._lay_out()
        self._show_checks()

    def _lay_out(self) -> None:
        summary = self.report.summary
        failed = summary[summary["status"] == "failed"]
        counts = failed["severity"].value_counts()
        self._severity = Choice(
            "checks",
            [
                (f"failed {len(failed)}", "failed"),
                *((f"{s} {counts.get(s, 0)}", s) for s in SEVERITIES),
                (f"all {len(summary)}", "all"),
            ],
        )
        orgs = self.report.by_org()
        totals = orgs["total"].reset_index()
        named = [
            (f"{org if isinstance(org, str) else f'{org_id} (not delivered)'} ({total:,})", org_id)
            for org_id, org, total in zip(totals["org_id"], totals["org"], totals["total"], strict=True)
            if isinstance(org_id, str)
        ]
        self._org = Choice("school", [("all", ""), *named], look="menu")
        self._checks = DataTable(label="Checks", height=560, words=column_words, comm=Channel())
        self._about = Html()
        self._rows = DataTable(label="Failing rows", words=column_words, comm=Channel())
        self._rows.hidden = True  # until a check is picked
        self._export = Html()
        self._picked = Column([self._about, self._rows, self._export], share=4, hidden=True)
        self._shelf = Column()
        self.children = [
            Html(_bars(summary)),
            Row([self._severity, self._org]),
            self._status,
            Row(
                [Column([self._checks], share=3), self._picked],
                look="split",
            ),
            self._shelf,
        ]
        self._severity.observe(self.guarded(lambda _: self._show_checks()), "value")
        self._org.observe(self.guarded(lambda _: self._show_checks()), "value")
        self._checks.observe(self.guarded(lambda _: self._picked_check()), "selected_rows")
        self._rows.observe(self.guarded(lambda _: self._picked_row()), "selected_rows")

    # What a person, or a notebook, does.

    def select(self, check: str) -> None:
        """Show a check, as if it were picked."""
        self.check = check
        self._show_rows()
        self._share_width()

    def pick(self, row: int) -> None:
        """Pick a failing row, as if it were clicked."""
        self._rows.pick([row])

    def filter(self, severity: str = "failed", org_id: str | None = None) -> None:
        """Show only checks of a severity (or ``"failed"``, ``"all"``), and only findings of one school."""
        self._severity.value, self._org.value = severity, org_id or ""

    # What happens then.

    def _show_checks(self) -> None:
        summary = self.report.summary
        chosen = self._severity.value
        if chosen != "all":
            summary = summary[
                (summary["status"] == "failed") & ((chosen == "failed") | (summary["severity"] == chosen))
            ]
        if self._org.value:
            found = self.report.findings
            counts = found.loc[found["org_id"] == self._org.value, "check"].value_counts()
            summary = summary[summary["id"].isin(counts.index)].assign(failed=summary["id"].map(counts))
        rank = summary["severity"].map(SEVERITIES.index)
        summary = summary.assign(rank=rank).sort_values(["rank", "failed"], ascending=[True, False], kind="stable")
        self.checks = summary.drop(columns="rank").reset_index(drop=True)
        shown = self.checks[["severity", "failed", "title", "checked"]]
        self._checks.fill(shown if chosen != "all" else shown.assign(status=self.checks["status"]))
        self._share_width()
        if self.check is not None:
            self._show_rows()

    def _share_width(self) -> None:
        """The checks take the whole width until one is picked: its rows then need the larger part."""
        names = self._checks.df.columns
        self._picked.hidden = self.check is None
        self._checks.show_columns(None if self.check is None else [n for n, name in enumerate(names) if name in _BRIEF])

    def _picked_check(self) -> None:
        if self._checks.selected_rows:
            self.select(self.checks["id"].iloc[self._checks.selected_rows[0]])
            self._picked.reveal()

    def _show_rows(self) -> None:
        assert self.check is not None
        rows = self.report.failures(self.check)
        if self._org.value:
            rows = rows[rows["org_id"] == self._org.value]
        self.table = rows.reset_index(drop=True)
        outcome = next(o for o in self.report.outcomes if o.check.id == self.check)
        schools = _by_school(self.report.failures(self.check))
        self._about.value = render(
            "check.html", outcome=outcome, schools=schools[:_MOST_SCHOOLS], more_schools=len(schools) - _MOST_SCHOOLS
        )
        shown = self.table.dropna(axis="columns", how="all").drop(columns=["table", "org_id"], errors="ignore")
        first = [name for name in ("label", "org") if name in shown]
        self._rows.fill(
            shown[
                [
                    *first,
                    *[name for name in shown.columns if name not in (*first, "id")],
                    *(["id"] if "id" in shown else []),
                ]
            ],
        )
        self._rows.hidden = False
        self._export.value = _link(self.table, f"{self.check}.csv")

    @cached_property
    def browser(self) -> Browser | None:
        """Made when a row is first picked: it lists all people, which takes its time in a large roster."""
        linked = not isinstance(self._roster, Roster) or len(self._roster.links.columns) > 0
        return Browser(self._roster, self.report) if self._roster is not None and linked else None

    def _picked_row(self) -> None:
        if not self._rows.selected_rows or self.browser is None:
            return
        id = self.table["id"].iloc[self._rows.selected_rows[0]]
        if isinstance(id, str):
            type = OBJECT_TYPES.get(self.table["table"].iloc[self._rows.selected_rows[0]])
            if type is not None:
                self.browser.select(id, type)
                self._shelf.children = [self.browser]
                self._shelf.reveal()


def _bars(summary: pd.DataFrame) -> str:
    """How many checks failed and passed, by severity."""
    rows = []
    for severity in SEVERITIES:
        mine = summary[summary["severity"] == severity]
        status = mine["status"].value_counts()
        rows.append(
            {
                "severity": severity,
                "color": SEVERITY_COLORS[severity],
                "width": 100 / max(1, len(mine)),
                "checks": len(mine),
                "failed": int(status.get("failed", 0)),
                "passed": int(status.get("passed", 0)),
                "findings": int(mine["failed"].sum()),
            }
        )
    return render("bars.html", rows=rows)


def _by_school(failures: pd.DataFrame) -> list[tuple[str, int]]:
    """Schools and their findings, the most first."""
    counts = failures["org"].fillna(failures["org_id"]).value_counts()
    return [(str(org), int(count)) for org, count in counts.items()]


def _link(df: pd.DataFrame, name: str) -> str:
    """A link that saves what is on screen: it holds the data itself, nothing is sent."""
    if df.empty:
        return ""
    if len(df) > _MOST_SAVED:
        return line(f"{len(df):,} rows are too many for a link: report.to_csv(path) saves them.")
    content = base64.b64encode(no_formulas(df).to_csv(index=False).encode("utf-8")).decode("ascii")
    return render("csv_link.html", name=name, content=content, rows=len(df))
