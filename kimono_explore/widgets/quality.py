"""Follow a finding: from the score to a cause or a check, the rows that fail, the object itself."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kimono_explore.display import plural
from kimono_explore.errors import expect
from kimono_explore.html import render
from kimono_explore.quality import Report
from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.quality.message import all_clear
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import OBJECT_TYPES
from kimono_explore.widgets.browser import Browser
from kimono_explore.widgets.causes import cause_html, score_html
from kimono_explore.widgets.channel import Channel
from kimono_explore.widgets.controls import Button, Choice, Column, Html, Row
from kimono_explore.widgets.parts import Panel, line
from kimono_explore.widgets.quality_forms import SaveReport, WaiveFindings
from kimono_explore.widgets.quality_lists import FAILED, LISTS, NEW, STILL_THERE, Chosen, QualityLists
from kimono_explore.widgets.table import DataTable
from kimono_explore.widgets.words import column_words, detail_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kimono_explore.roster.explorable import Explorable

_MOST_SCHOOLS = 6
_DIGITS = 10
_ONE_CLICK_AWAY = ("table", "org_id", "severity")
"""Columns of failing rows that are the same for most, or not for reading: in the menu of columns, and so in a file."""
_SHAPES = {"error": "■", "warning": "▲", "information": "●"}


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
        After `Report.since`, also new: ``"new"``, or how many of its findings are.
    checks : pandas.DataFrame
        The checks on screen, or one click away: as `Report.summary`.
    schools : pandas.DataFrame
        The schools, on screen or one click away: id, org (the name), score, people, errors, warnings, findings.
    cause : int or None
        The number of the cause on screen: at first, the most urgent.
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
        self._lists = QualityLists(report)
        self._frames: dict[str, pd.DataFrame] = {}
        self.table = self._findings = pd.DataFrame()
        self._lay_out()
        self._show_lists()

    def _lay_out(self) -> None:
        counts = self._lists.counts()
        self._list = Choice("list", [(f"{LISTS[name].label} {count:,}", name) for name, count in counts.items()])
        self._org, self._severity, self._change = self._filters()
        self._tables = {name: self._table_of(LISTS[name].label) for name in counts}
        self._tables["causes"].spare = (
            "consequence",
            "owner",
            "next_step",
        )  # they stand beside a cause once it is picked
        self._score, self._about = Html(score_html(self.report, self._lists.causes)), Html()
        self._rows = self._table_of("Failing rows", height=330)
        save, self._waive = Button("Save report …", "down"), Button("Waive …", tooltip="Accept these findings")
        self._saving = SaveReport(self.report, save)
        self._waiving = WaiveFindings(self.report, self._waive, lambda: self._findings)
        for form in (self._saving, self._waiving):
            form.connect(self.guarded, self.say)
        self._picked = Column([self._about, self._rows, Row([self._waive]), self._waiving], share=6, hidden=True)
        self._shelf = Column()
        self._nothing, self._other = Html(), Button()
        self._none = Row([self._nothing, self._other], hidden=True)
        self._other.on_click(self.guarded(lambda _: self._show_others()))
        self.children = [
            Row([self._score, save], look="head"),
            self._saving,
            *self._not_run(),
            Row([self._list, self._org, self._severity, self._change]),
            self._status,
            self._none,
            Row([Column(list(self._tables.values()), share=5), self._picked], look="split"),
            self._shelf,
        ]
        for choice in (self._list, self._org, self._severity, self._change):
            choice.observe(self.guarded(lambda _: self._show_lists()), "value")
        for name, table in self._tables.items():
            table.observe(self.guarded(partial(self._picked_of, name)), "selected_rows")
        self._rows.observe(self.guarded(lambda _: self._picked_row()), "selected_rows")

    def _table_of(self, label: str, height: int = 560) -> DataTable:
        return DataTable(label=label, height=height, words=column_words, values={"severity": _marked}, comm=Channel())

    def _filters(self) -> tuple[Choice, Choice, Choice]:
        """The menus for a school, a severity, and what is new."""
        schools = self._lists.make("schools", Chosen())
        named = [
            (f"{org} ({findings:,})", id)
            for id, org, findings in zip(schools["id"], schools["org"], schools["findings"], strict=True)
            if findings
        ]
        counts = self.report.findings["severity"].value_counts()
        severities = [(f"{name} ({counts.get(name, 0):,})", name) for name in SEVERITIES]
        changed = self.report.changed
        changes = [(f"{name} ({changed[name]:,})", name) for name in (NEW, STILL_THERE)] if changed else []
        return (
            Choice("school", [("all", ""), *named], look="menu"),
            Choice(
                "severity", [("all", FAILED), *severities, ("also of checks that did not fail", "all")], look="menu"
            ),
            Choice(f"since {changed.get('since', '')}", [("all", ""), *changes], look="menu", hidden=not changed),
        )

    def _not_run(self) -> list[Row]:
        """That checks could not run, and which: the score does not count them."""
        summary = self.report.summary
        broken = summary[summary["status"] == "could not run"]
        if broken.empty:
            return []
        see = Button("See which")
        see.on_click(self.guarded(lambda _: setattr(self._list, "value", "not run")))
        reasons = broken["reason"].unique()
        why = f" {reasons[0]}" if len(reasons) == 1 else ""
        said = f"{plural(len(broken), 'check')} could not run; the score counts the others.{why}"
        return [Row([Html(line(said, quiet=False)), see], look="warn")]

    @property
    def causes(self) -> pd.DataFrame:
        """The causes on screen, or one click away."""
        return self._frames["causes"]

    @property
    def checks(self) -> pd.DataFrame:
        """The checks on screen, or one click away."""
        return self._frames["checks"]

    @property
    def schools(self) -> pd.DataFrame:
        """The schools, on screen or one click away."""
        return self._lists.make("schools", self._chosen)

    @property
    def _chosen(self) -> Chosen:
        return Chosen(str(self._severity.value), str(self._org.value), str(self._change.value))

    # What a person, or a notebook, does.

    def select(self, check: str) -> None:
        """Show a check, given by id or number, as if it were picked."""
        id = self.report.outcome(check).check.id
        if self._list.value not in ("checks", "passed", "not run"):
            self._list.value = "checks"
        self._open(None, id)

    def select_cause(self, number: int) -> None:
        """Show a cause as if it were picked. Causes are numbered as in `Report.causes`."""
        self.report.rows(number)
        self._list.value = "causes"
        self._open(number, None)

    def pick(self, row: int) -> None:
        """Pick a failing row as if it were clicked."""
        self._rows.pick([row])

    def filter(self, severity: str = "failed", org_id: str | None = None, change: str | None = None) -> None:
        """Show only causes and checks of a severity, at one school, or that are new.

        Parameters
        ----------
        severity : str, default "failed"
            ``"error"``, ``"warning"`` or ``"information"``; ``"failed"`` means any of them, and ``"all"`` also shows checks
            that did not fail.
        org_id : str, optional
            Count only the findings of this school.
        change : str, optional
            ``"new"`` or ``"still there"``, after `Report.since`.
        """
        if severity == "all":
            self._list.value = "checks"
        self._severity.value, self._org.value, self._change.value = severity, org_id or "", change or ""

    @property
    def address(self) -> dict[str, str]:
        """The list, what narrows it, the picked cause or check, and the row whose object is open."""
        row = self._rows.selected_rows
        named = {
            "list": str(self._list.value),
            "severity": str(self._severity.value),
            "school": str(self._org.value),
            "change": str(self._change.value),
            "cause": "" if self.cause is None else str(self.cause),
            "check": self.check or "",
            "row": str(row[0]) if row else "",
        }
        usual = {"list": "causes", "severity": FAILED, "cause": self._first_cause()}
        return {name: text for name, text in named.items() if text and text != usual.get(name)}

    @address.setter
    def address(self, named: Mapping[str, str]) -> None:
        choices = {"list": self._list, "severity": self._severity, "school": self._org, "change": self._change}
        self.cause = self.check = None
        for name, choice in choices.items():
            choice.take(named.get(name, choice.values[0]))
        cause, check, row = named.get("cause", ""), named.get("check", ""), named.get("row", "")
        if check in self.report.summary["id"].tolist():
            self.select(check)
        elif cause in self.causes["number"].astype("str").tolist():
            self.select_cause(int(cause))
        else:
            self._show_lists()
        if row.isdecimal() and len(row) < _DIGITS:
            self.pick(int(row))

    # What happens then.

    def _show_lists(self) -> None:
        """The chosen list, and what is picked of it: of causes, the most urgent if none was."""
        name = str(self._list.value)
        for other, table in self._tables.items():
            table.hidden = other != name
        narrowed = name in ("causes", "checks")
        self._severity.hidden = not narrowed
        self._org.hidden = not narrowed and name != "schools"
        self._change.hidden = self._org.hidden or not self.report.changed
        for other in {"causes", "checks", name}:
            self._fill(other)
        cause = self.cause if self.cause in self.causes["number"].tolist() else None
        check = self.check if self.check in self._frames[name].get("id", pd.Series()).tolist() else None
        if name == "causes":
            first = self._first_cause()
            self._open(cause if cause is not None or not first else int(first), None)
        else:
            self._open(None, check)
        self._say_what_is_missing(name)

    def _first_cause(self) -> str:
        return str(self.causes["number"].iloc[0]) if len(self.causes) else ""

    def _fill(self, name: str) -> None:
        """Make a list, and show it as it was sorted and filtered."""
        frame = self._frames[name] = self._lists.make(name, self._chosen)
        columns = [column for column in LISTS[name].columns if column in frame]
        if name == "checks" and self._severity.value != "all":
            columns.remove("status")  # they failed
        self._tables[name].fill(frame[columns], keep=True)
        if name == "causes" and not self._tables[name].arrangement:
            self._tables[name].arrangement = {"pinned": ["sentence"]}  # it is read whole, and first

    def _say_what_is_missing(self, name: str) -> None:
        """Of an empty list, what keeps it empty, and a way out."""
        self._none.hidden = len(self._frames[name]) > 0
        narrowed = self._chosen != Chosen()
        self._nothing.value = line(
            f"None of the {LISTS[name].label.lower()} is left by these filters."
            if narrowed
            else all_clear(self.report),
            quiet=False,
        )
        self._other.description = "Show all" if narrowed else "See what passed"
        self._other.hidden = not narrowed and "passed" not in self._tables

    def _show_others(self) -> None:
        if self._chosen == Chosen():
            self._list.value = "passed"
        else:
            self.filter()

    def _open(self, cause: int | None, check: str | None) -> None:
        """Show the rows of a cause or a check, or of none."""
        self.cause, self.check = cause, check
        if cause is not None or check is not None:
            self._show_rows()
        self._share_width()
        self._marking = True  # what is picked is marked in its list, even if a notebook picked it
        for name, table in self._tables.items():
            key, frame = LISTS[name].key, self._frames.get(name)
            named = {"number": cause, "id": check}.get(key)
            if frame is not None:
                table.pick([] if named is None else frame.index[frame[key] == named].tolist())
        self._marking = False

    def _share_width(self) -> None:
        """A list takes the whole width until something is picked: its rows then need the larger part."""
        self._picked.hidden = self.cause is None and self.check is None
        for name, table in self._tables.items():
            brief = () if self._picked.hidden else LISTS[name].brief
            table.show_columns([n for n, column in enumerate(table.df.columns) if column in brief] or None)

    def _picked_of(self, name: str, _: object) -> None:
        """Open what is picked in a list: the rows of a cause or a check, a school's causes, a waived object."""
        rows = self._tables[name].selected_rows
        if not rows or self._marking:
            return
        row = self._frames[name].iloc[rows[0]]
        if name == "schools":
            self._org.take(str(row["id"]))
            self._list.value = "causes"
        elif name == "waived":
            self._show_object(row["id"], row["table"])
        else:
            self._open(*((int(row["number"]), None) if name == "causes" else (None, str(row["id"]))))
            self._picked.reveal()

    def _show_rows(self) -> None:
        findings, here = self.report.findings, self._lists.findings(self._chosen)
        if self.cause is not None:
            mine = np.asarray(self.report.numbers) == self.cause
            rows = findings[here & mine]
            self._about.value = cause_html(self._lists.causes.iloc[self.cause])
        else:
            mine = (findings["check"] == str(self.check)).to_numpy(dtype=bool)
            rows = self.report.failures(str(self.check))[here[mine]]
            self._about.value = self._check_html(str(self.check))
        self._findings = findings[here & mine]
        self.table = rows.reset_index(drop=True)
        self._fill_rows()
        self._waive.hidden = self._rows.hidden = rows.empty
        self._waiving.hidden = True

    def _fill_rows(self) -> None:
        shown = self.table.dropna(axis="columns", how="all")
        if "detail" in shown and (shown["detail"] == "").all():
            shown = shown.drop(columns="detail")
        more = [name for name in _ONE_CLICK_AWAY if name in shown]
        if self.cause is not None:
            if shown["check"].nunique() < 2:
                more.append("check")
            else:
                shown["check"] = shown["check"].map(self.report.title)
            if "detail" in shown:
                shown["detail"] = shown["detail"].map(detail_words, na_action="ignore")
        first = [name for name in ("label", "check", "org") if name in shown]
        last = [name for name in ("id", *more) if name in shown]
        middle = [name for name in shown.columns if name not in (*first, *last)]
        order = [name for name in (*first, *middle, *last) if name not in more]
        self._rows.file = self.check or "cause"
        self._rows.fill(shown[[*order, *more]])
        self._rows.show_columns(range(len(order)))

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
        if self._rows.selected_rows:
            row = self.table.iloc[self._rows.selected_rows[0]]
            self._show_object(row["id"], row["table"])

    def _show_object(self, id: object, table: str) -> None:
        """The object of a finding, below the lists."""
        type = OBJECT_TYPES.get(table)
        if isinstance(id, str) and type is not None and self.browser is not None:
            self.browser.select(id, type)
            self._shelf.children = [self.browser]
            self._shelf.reveal()


def _marked(severity: str) -> str:
    """A severity with its shape, as the report has it."""
    return f"{_SHAPES.get(severity, '')} {severity}"


def _by_school(failures: pd.DataFrame) -> list[tuple[str, int]]:
    """Schools and their findings, the most first."""
    counts = failures["org"].fillna(failures["org_id"]).value_counts()
    return [(str(org), int(count)) for org, count in counts.items()]
