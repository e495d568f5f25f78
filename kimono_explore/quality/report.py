"""What the checks found: counts, failing rows, what to fix first, and ways to pass it on."""

from __future__ import annotations

import csv
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from kimono_explore.atomic import atomic_file
from kimono_explore.display import cell_text, printable
from kimono_explore.errors import KimonoError, RosterFailedError
from kimono_explore.quality.causes import group_by_cause
from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.quality.outcome import _PLACE, Outcome

if TYPE_CHECKING:
    import os
    from collections.abc import Hashable, Mapping, Sequence
    from datetime import date

    from kimono_explore.quality.definition import Severity
    from kimono_explore.roster.roster import Roster


SUMMARY_COLUMNS = ("id", "severity", "title", "group", "checked", "failed", "percent", "status", "reason")


class Report:
    """What is wrong with a roster, or with a task queue.

    Attributes
    ----------
    outcomes : list of Outcome
        One for each check.
    source : str
        What was checked, in words.
    as_of : datetime.date
        The day that counted as today.
    engine : str
    seconds : float
        How long the checks took.
    roster : Roster or None
        What was checked, where it was in memory.
    """

    def __init__(
        self,
        outcomes: Sequence[Outcome],
        source: str,
        as_of: date,
        engine: str,
        seconds: float,
        org_labels: Mapping[str, str],
        roster: Roster | None = None,
    ) -> None:
        self.outcomes, self.source, self.as_of = list(outcomes), source, as_of
        self.engine, self.seconds, self._org_labels = engine, seconds, dict(org_labels)
        self.roster = roster

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row a check: id, severity, title, group, checked, failed, percent, status, reason.

        ``percent`` is of the rows that were checked, and NaN where there were none. ``status`` is ``"passed"``,
        ``"failed"``, ``"not applicable"`` or ``"could not run"``; ``reason`` says why, for the last two.
        """
        rows = [
            (o.check.id, o.check.severity, o.check.title, o.check.group, o.checked, o.failed, o.status, o.reason)
            for o in self.outcomes
        ]
        names = [name for name in SUMMARY_COLUMNS if name != "percent"]
        df = pd.DataFrame(rows, columns=names).astype({"checked": "int64", "failed": "int64", "reason": "str"})
        df.insert(6, "percent", df["failed"] / df["checked"].where(df["checked"] > 0) * 100)
        return df

    def failures(self, id: str) -> pd.DataFrame:
        """The rows that fail a check.

        Parameters
        ----------
        id : str
            The check's id.

        Returns
        -------
        pandas.DataFrame
            table, id, label, org_id, org, then the values that broke the rule.

        Raises
        ------
        KeyError
            The check was not run.

        Examples
        --------
        >>> report = kx.check(roster, params={"term_too_long": {"days": 250}})
        >>> report.failures("term_too_long")["label"].tolist()
        ['2026-2027']
        """
        return self._outcome(id).failures

    def title(self, id: str) -> str:
        """The title of a check."""
        return self._outcome(id).check.title

    def _outcome(self, id: str) -> Outcome:
        for outcome in self.outcomes:
            if outcome.check.id == id:
                return outcome
        raise KeyError(f"the check {id!r} was not run; report.summary lists those that were")

    @cached_property
    def findings(self) -> pd.DataFrame:
        """Every finding of every check: check, severity, table, id, label, org_id, org, detail (the values, in words)."""
        parts = []
        for outcome in self.outcomes:
            df = outcome.failures
            values = df.drop(columns=list(_PLACE))
            records = values.to_dict("records") or [{}] * len(df)  # pandas 3.0 makes none of rows without columns
            detail = [_in_words(row) for row in records]
            part = df[list(_PLACE)].assign(detail=pd.Series(detail, index=df.index, dtype="str"))
            part.insert(0, "severity", outcome.check.severity)
            part.insert(0, "check", outcome.check.id)
            parts.append(part)
        columns = ["check", "severity", *_PLACE, "detail"]
        return pd.concat(parts or [pd.DataFrame(columns=columns)], ignore_index=True).astype(
            dict.fromkeys(columns, "str")
        )

    @cached_property
    def causes(self) -> pd.DataFrame:
        """What to fix first.

        Each finding is counted under one cause: an object that was not delivered, a school that lacks something, or
        the check itself. Causes stand as rosters are mended: orgs, terms and courses, sections, staff, students,
        memberships.

        Returns
        -------
        pandas.DataFrame
            stage, cause, severity, findings, checks, orgs, where, type, id.
        """
        return group_by_cause(self.outcomes)

    def by_org(self) -> pd.DataFrame:
        """Findings by org and check.

        Returns
        -------
        pandas.DataFrame
            Index: org_id, org (its name; missing where it was not delivered, both where a finding belongs to none).
            Columns: total, then the checks that found something. Orgs with most findings first.
        """
        found = self.findings
        counts = found.groupby(["org_id", "org", "check"], dropna=False).size().unstack("check", fill_value=0)
        order = [o.check.id for o in self.outcomes if o.check.id in counts.columns]
        counts = counts.reindex(columns=order).fillna(0).astype("int64")
        counts.insert(0, "total", counts.sum(axis=1))
        counts.columns.name = None
        return counts.sort_values("total", ascending=False, kind="stable")

    def worst(self, n: int = 20) -> pd.DataFrame:
        """The objects with most findings.

        Returns
        -------
        pandas.DataFrame
            At most ``n`` rows: table, id, label, org, findings, errors, checks.
        """
        found = self.findings.dropna(subset=["id"])
        found = found.assign(error=(found["severity"] == "error").astype("int64"))
        grouped = found.groupby(["table", "id"], sort=False)
        df = grouped.agg(
            label=("label", "first"),
            org=("org", "first"),
            findings=("check", "size"),
            errors=("error", "sum"),
            checks=("check", lambda ids: ", ".join(dict.fromkeys(ids))),
        ).reset_index()
        return df.sort_values(["findings", "errors"], ascending=False, kind="stable").head(n).reset_index(drop=True)

    def failed(self, severity: Severity = "information", threshold: float = 0.0) -> pd.DataFrame:
        """The rows of ``summary`` that failed.

        Parameters
        ----------
        severity : {"error", "warning", "information"}, default "information"
            At least so severe.
        threshold : float, default 0
            More than so many percent of what was checked.
        """
        severe = self.summary["severity"].isin(SEVERITIES[: SEVERITIES.index(severity) + 1])
        broken = self.summary["status"] == "could not run"
        wrong = (self.summary["status"] == "failed") & (self.summary["percent"] > threshold)
        return self.summary[severe & (wrong | broken)].reset_index(drop=True)

    def assert_no_errors(self, threshold: float = 0.0) -> None:
        """Raise unless every check of severity error passed.

        Parameters
        ----------
        threshold : float, default 0
            Let so many percent of what a check looked at fail.

        Raises
        ------
        RosterFailedError
            Names the checks that failed, with their counts.

        Examples
        --------
        >>> kx.check(roster).assert_no_errors()
        """
        failed = self.failed("error", threshold)
        if len(failed):
            listed = "; ".join(
                f"{row.id}: {row.failed:,} of {row.checked:,}" if row.status == "failed" else f"{row.id}: {row.reason}"
                for row in failed.itertuples()
            )
            raise RosterFailedError(
                f"{len(failed)} checks of severity error failed on {self.source}: {listed}. report.failures(id) has the rows."
            )

    def to_html(self, path: str | os.PathLike[str], rows: int = 20, *, private: bool = True) -> None:
        """Write the report as one page that needs nothing else: no network, no scripts.

        It holds personal data: the labels and values of failing rows.

        Parameters
        ----------
        path : str or path
        rows : int, default 20
            Show at most this many failing rows of each check.
        private : bool, default True
            The file is readable by you alone (0600). False leaves that to your umask.
        """
        from kimono_explore.quality.page import make_page

        _write(path, make_page(self, rows), private)

    def to_json(self, path: str | os.PathLike[str], *, private: bool = True) -> None:
        """Write everything as JSON: source, as_of, summary, causes, and the failures of each check.

        ``private`` is as in `to_html`.
        """
        content = {
            "source": self.source,
            "as_of": self.as_of.isoformat(),
            "summary": _records(self.summary),
            "causes": _records(self.causes),
            "failures": {o.check.id: _records(o.failures) for o in self.outcomes if o.failed},
        }
        _write(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n", private)

    def to_csv(self, path: str | os.PathLike[str], *, private: bool = True) -> None:
        """Write every finding as a row of CSV: check, severity, table, id, label, org_id, org, detail.

        A cell that a spreadsheet would take for a formula is written with an apostrophe before it. ``private`` is as in
        `to_html`.
        """
        text = no_formulas(self.findings).to_csv(index=False, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
        _write(path, text, private)

    def __repr__(self) -> str:
        status = self.summary["status"].value_counts()
        counts = ", ".join(
            f"{status[name]} {name}"
            for name in ("failed", "passed", "not applicable", "could not run")
            if name in status
        )
        found = int(self.summary["failed"].sum())
        return f"<Report on {printable(self.source)}, as of {self.as_of}: {counts}; {found:,} findings>"

    def _repr_html_(self) -> str:
        from kimono_explore.quality.page import make_note

        return make_note(self)


def _records(df: pd.DataFrame) -> list[dict[str, object]]:
    text = df.to_json(orient="records", date_format="iso", date_unit="s", force_ascii=False)
    records: list[dict[str, object]] = json.loads(text)
    return records


def _in_words(row: Mapping[Hashable, Any]) -> str:
    return "; ".join(f"{name}: {shown(value)}" for name, value in row.items() if not pd.isna(value))


def shown(value: object) -> str:
    """A cell as a person reads it: days without a time, whole numbers without a point."""
    return cell_text(value, rounded=True)


def no_formulas(df: pd.DataFrame) -> pd.DataFrame:
    """A table whose cells no spreadsheet takes for formulas; missing ones are empty."""
    return df.astype("object").where(df.notna(), "").map(_no_formula)


def _no_formula(cell: object) -> object:
    # As OWASP advises (CSV injection): =, +, -, @, tab and carriage return start a formula in one spreadsheet or another.
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _write(path: str | os.PathLike[str], text: str, private: bool) -> None:
    try:
        with atomic_file(path, private=private) as new:
            new.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise KimonoError(f"The report could not be written to {path}: {error.strerror}. Name another file.") from error
