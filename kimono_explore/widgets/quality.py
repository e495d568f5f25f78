"""Follow a finding: from the score to a cause or a check, the rows that fail, the object itself."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.errors import expect
from kimono_explore.html import render
from kimono_explore.palette import SEVERITY_COLORS
from kimono_explore.quality import Report
from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import OBJECT_TYPES
from kimono_explore.widgets.browser import Browser
from kimono_explore.widgets.causes import BRIEF, CAUSE_COLUMNS, cause_html, causes_of, score_html
from kimono_explore.widgets.channel import Channel
from kimono_explore.widgets.controls import Choice, Column, Html, Row
from kimono_explore.widgets.parts import Panel
from kimono_explore.widgets.table import DataTable
from kimono_explore.widgets.words import column_words, detail_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kimono_explore.roster.explorable import Explorable

_MOST_SCHOOLS = 6
_DIGITS = 10
_ONE_CLICK_AWAY = ("table", "org_id", "severity")
"""Columns of failing rows that are the same for most, or not for reading: in the menu of columns, and so in a file."""
_BRIEF = ("severity", "failed", "title")
"""The columns of the checks that stay when the rows of one stand beside them."""


def inspect_quality(report: Report, roster: Roster | None = None) -> QualityInspector:
    """Explore a report: the score, what to fix first, the rows of a cause or check, and the object of a row.

    Parameters
    ----------
    report : Report
        A report from `check` or `check_tasks`.
    roster : Roster, optional
        The roster that was checked, so that a picked row opens in `browse`. Default: the roster that `check` was given.

    Returns
    -------
    QualityInspector
        A widget. ``.causes`` and ``.checks`` are the causes and checks on screen, ``.cause`` or ``.check`` is the
        picked one, ``.table`` holds its rows, and ``.browser`` is the `Browser` below them, or None.

    Examples
    --------
    >>> report = kx.check(roster, params={"term_too_long": {"days": 250}}, as_of="2026-10-05")
    >>> inspector = kx.inspect_quality(report)
    >>> inspector.select_cause(0)
    >>> inspector.table["label"].tolist()
    ['2026-2027']
    """
    expect("inspect_quality", report, Report)
    expect("inspect_quality", roster, Roster, None)
    return QualityInspector(report, roster)


class QualityInspector(Panel):
    """The widget returned by `inspect_quality`.

    Attributes
    ----------
    causes : pandas.DataFrame
        The causes on screen: as `Report.causes`, with number (as used by `Report.rows`), sentence and who (in words).
    checks : pandas.DataFrame
        The checks on screen, or one click away: as `Report.summary`.
    cause : int or None
        The number of the cause on screen.
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
        self.cause: int | None = None
        self.check: str | None = None
        self._marking = False
        self._every_cause = self.causes = causes_of(report)
        self.checks = self.table = pd.DataFrame()
        self._lay_out()
        self._show_lists()

    def _lay_out(self) -> None:
        summary = self.report.summary
        failed = summary[summary["status"] == "failed"]
        self._list = Choice(
            "list", [(f"Causes {len(self.causes):,}", "causes"), (f"Checks {len(summary):,}", "checks")]
        )
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
        self._causes = DataTable(label="Causes", height=560, words=column_words, comm=Channel())
        self._causes.spare = ("consequence", "owner", "next_step")  # they stand beside a cause once it is picked
        self._checks = DataTable(label="Checks", height=560, words=column_words, comm=Channel())
        self._about = Html()
        self._rows = DataTable(label="Failing rows", words=column_words, comm=Channel())
        self._rows.hidden = True  # until a cause or a check is picked
        self._picked = Column([self._about, self._rows], share=4, hidden=True)
        self._shelf = Column()
        self._totals = Html(_bars(summary))
        self.children = [
            Html(score_html(self.report, self.causes)),
            Row([self._list, self._org, self._severity]),
            self._totals,
            self._status,
            Row(
                [Column([self._causes, self._checks], share=3), self._picked],
                look="split",
            ),
            self._shelf,
        ]
        for choice in (self._list, self._severity, self._org):
            choice.observe(self.guarded(lambda _: self._show_lists()), "value")
        self._causes.observe(self.guarded(lambda _: self._picked_cause()), "selected_rows")
        self._checks.observe(self.guarded(lambda _: self._picked_check()), "selected_rows")
        self._rows.observe(self.guarded(lambda _: self._picked_row()), "selected_rows")

    # What a person, or a notebook, does.

    def select(self, check: str) -> None:
        """Show a check, given by id or number, as if it were picked."""
        self._list.value = "checks"
        self._open(None, self.report.outcome(check).check.id)

    def select_cause(self, number: int) -> None:
        """Show a cause as if it were picked. Causes are numbered as in `Report.causes`."""
        self.report.rows(number)
        self._list.value = "causes"
        self._open(number, None)

    def pick(self, row: int) -> None:
        """Pick a failing row as if it were clicked."""
        self._rows.pick([row])

    def filter(self, severity: str = "failed", org_id: str | None = None) -> None:
        """Show only checks of a severity (or ``"failed"``, ``"all"``), and only one school's findings and causes."""
        if severity != "failed":
            self._list.value = "checks"
        self._severity.value, self._org.value = severity, org_id or ""

    @property
    def address(self) -> dict[str, str]:
        """The list, the school, the severity, the picked cause or check, and the row whose object is open."""
        row = self._rows.selected_rows
        named = {
            "list": "" if self._list.value == "causes" else str(self._list.value),
            "severity": "" if self._severity.value == "failed" else str(self._severity.value),
            "school": str(self._org.value),
            "cause": "" if self.cause is None else str(self.cause),
            "check": self.check or "",
            "row": str(row[0]) if row else "",
        }
        return {name: text for name, text in named.items() if text}

    @address.setter
    def address(self, named: Mapping[str, str]) -> None:
        for name, choice in (("list", self._list), ("severity", self._severity), ("school", self._org)):
            choice.take(named.get(name, choice.values[0]))
        cause, check, row = named.get("cause", ""), named.get("check", ""), named.get("row", "")
        if check in self.checks["id"].tolist():
            self.select(check)
        elif cause in self.causes["number"].astype("str").tolist():
            self.select_cause(int(cause))
        if row.isdecimal() and len(row) < _DIGITS:
            self.pick(int(row))

    # What happens then.

    def _show_lists(self) -> None:
        """The causes, or the checks, and what is picked of them."""
        causes = self._list.value == "causes"
        self._causes.hidden = not causes
        self._checks.hidden = self._severity.hidden = self._totals.hidden = causes
        if causes == (self.check is not None):  # what was picked of the other list
            self.cause = self.check = None
        self._fill_causes()
        self._fill_checks()
        self._open(self.cause, self.check)

    def _fill_causes(self) -> None:
        causes = self._every_cause
        if self._org.value:
            numbers = pd.Series(self.report.numbers, dtype="int64")
            mine = numbers[(self.report.findings["org_id"] == self._org.value).to_numpy()].value_counts()
            causes = causes[causes["number"].isin(mine.index)].assign(findings=causes["number"].map(mine))
        self.causes = causes.reset_index(drop=True)
        self._causes.fill(self.causes[CAUSE_COLUMNS], keep=True)
        if not self._causes.arrangement:
            self._causes.arrangement = {"pinned": ["sentence"]}  # it is read whole, and first

    def _fill_checks(self) -> None:
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
        shown = self.checks[["severity", "failed", "title", "checked", "number"]]
        self._checks.fill(shown if chosen != "all" else shown.assign(status=self.checks["status"]))

    def _open(self, cause: int | None, check: str | None) -> None:
        """Show the rows of a cause or a check, or of none."""
        self.cause, self.check = cause, check
        if cause is not None or check is not None:
            self._show_rows()
        self._share_width()
        self._marking = True  # what is picked is marked in its list, even if a notebook picked it
        self._causes.pick(self.causes.index[self.causes["number"] == cause].tolist() if cause is not None else [])
        self._checks.pick(self.checks.index[self.checks["id"] == check].tolist() if check is not None else [])
        self._marking = False

    def _share_width(self) -> None:
        """A list takes the whole width until something is picked: its rows then need the larger part."""
        self._picked.hidden = self.cause is None and self.check is None
        for table, brief in ((self._causes, BRIEF), (self._checks, _BRIEF)):
            names = [name if not self._picked.hidden else "" for name in table.df.columns]
            table.show_columns([n for n, name in enumerate(names) if name in brief] or None)

    def _picked_cause(self) -> None:
        if self._causes.selected_rows and not self._marking:
            self._open(int(self.causes["number"].iloc[self._causes.selected_rows[0]]), None)
            self._picked.reveal()

    def _picked_check(self) -> None:
        if self._checks.selected_rows and not self._marking:
            self._open(None, self.checks["id"].iloc[self._checks.selected_rows[0]])
            self._picked.reveal()

    def _show_rows(self) -> None:
        rows = self.report.rows(self.cause) if self.cause is not None else self.report.failures(str(self.check))
        if self._org.value:
            rows = rows[rows["org_id"] == self._org.value]
        self.table = rows.reset_index(drop=True)
        shown = self.table.dropna(axis="columns", how="all")
        more = [name for name in _ONE_CLICK_AWAY if name in shown]
        if self.cause is not None:
            self._about.value = cause_html(self._every_cause.iloc[self.cause])
            if shown["check"].nunique() < 2:
                more.append("check")
            else:
                shown["check"] = shown["check"].map(self.report.title)
        else:
            self._about.value = self._check_html(str(self.check))
        if "detail" in shown and self.cause is not None:
            shown["detail"] = shown["detail"].map(detail_words, na_action="ignore")
        first = [name for name in ("label", "check", "org") if name in shown]
        last = [name for name in ("id", *more) if name in shown]
        middle = [name for name in shown.columns if name not in (*first, *last)]
        order = [name for name in (*first, *middle, *last) if name not in more]
        self._rows.file = self.check or "cause"
        self._rows.fill(shown[[*order, *more]])
        self._rows.show_columns(range(len(order)))
        self._rows.hidden = False

    def _check_html(self, check: str) -> str:
        schools = _by_school(self.report.failures(check))
        return render(
            "check.html",
            outcome=self.report.outcome(check),
            schools=schools[:_MOST_SCHOOLS],
            more_schools=len(schools) - _MOST_SCHOOLS,
        )

    @cached_property
    def browser(self) -> Browser | None:
        """Created when a row is first picked, because listing all people takes a while in a large roster."""
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
