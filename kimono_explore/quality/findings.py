"""What the checks found, as tables: counts, failing rows, what to fix first."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from kimono_explore.display import cell_text
from kimono_explore.quality.causes import Explained, group_by_cause
from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.quality.outcome import PLACE

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence
    from datetime import date

    from kimono_explore.quality.definition import Severity
    from kimono_explore.quality.outcome import Outcome
    from kimono_explore.roster.roster import Roster

SUMMARY_COLUMNS = ("id", "severity", "title", "group", "checked", "failed", "percent", "status", "reason")


class Findings:
    """What is wrong with a roster, or with a task queue.

    Attributes
    ----------
    outcomes : list of Outcome
        One for each check.
    source : str
        What was checked, in words.
    as_of : datetime.date
        The day that counted as today.
    as_of_reason : str
        Why it is not the day of loading; empty where it is, or was given.
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
        as_of_reason: str = "",
        explained: Explained | None = None,
    ) -> None:
        self.outcomes, self.source, self.as_of = list(outcomes), source, as_of
        self.engine, self.seconds, self._org_labels = engine, seconds, dict(org_labels)
        self.roster, self.as_of_reason = roster, as_of_reason
        self._explained = explained if explained is not None else group_by_cause(self.outcomes)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per check: id, severity, title, group, checked, failed, percent, status, reason.

        ``percent`` is the share of the checked rows, and NaN if there were none. ``status`` is ``"passed"``,
        ``"failed"``, ``"not applicable"`` or ``"could not run"``; ``reason`` says why, for the last two,
        and what is likely where a check fails for most of what it looks at.
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
            values = df.drop(columns=list(PLACE))
            records = values.to_dict("records") or [{}] * len(df)  # pandas 3.0 makes none of rows without columns
            detail = [_in_words(row) for row in records]
            part = df[list(PLACE)].assign(detail=pd.Series(detail, index=df.index, dtype="str"))
            part.insert(0, "severity", outcome.check.severity)
            part.insert(0, "check", outcome.check.id)
            parts.append(part)
        columns = ["check", "severity", *PLACE, "detail"]
        return pd.concat(parts or [pd.DataFrame(columns=columns)], ignore_index=True).astype(
            dict.fromkeys(columns, "str")
        )

    @cached_property
    def causes(self) -> pd.DataFrame:
        """What to fix first: errors before warnings, and of these what reaches most people.

        Each finding is counted under one cause: an object that was not delivered, a school that lacks something, or
        the check itself. Objects that fail in the same way and share a school, term, course, day of creation or series of
        ids are one cause.

        Returns
        -------
        pandas.DataFrame
            stage, cause (in words), severity (the worst it explains), objects (how many are at fault), findings;
            students, teachers, sections, schools (how many it reaches, each counted once); consequence (what they will see),
            owner (whose it is), next_step; checks (their ids), where (the org, if there is only one), type and id (of the
            object at fault, if there is only one). `rows` has the findings of a cause.
        """
        return self._explained.causes

    def rows(self, cause: int) -> pd.DataFrame:
        """The findings of a cause.

        Parameters
        ----------
        cause : int
            The cause's row in `causes`.

        Returns
        -------
        pandas.DataFrame
            As `findings`.

        Examples
        --------
        >>> report = kx.check(roster, params={"term_too_long": {"days": 250}}, as_of="2026-10-05")
        >>> report.rows(0)["label"].tolist()
        ['2026-2027']
        """
        if not 0 <= cause < len(self.causes):
            raise KeyError(f"no cause {cause}; report.causes has {len(self.causes):,}, from 0")
        return self.findings[[number == cause for number in self._explained.numbers]].reset_index(drop=True)

    def by_org(self) -> pd.DataFrame:
        """Findings by org and check.

        Returns
        -------
        pandas.DataFrame
            Index: org_id, org (its name). The name is missing if the org was not delivered, and both are if a finding
            belongs to none. Columns: total, then the checks that found something. Orgs with the most findings first.
        """
        found = self.findings
        counts = found.groupby(["org_id", "org", "check"], dropna=False).size().unstack("check", fill_value=0)
        order = [o.check.id for o in self.outcomes if o.check.id in counts.columns]
        counts = counts.reindex(columns=order).fillna(0).astype("int64")
        counts.insert(0, "total", counts.sum(axis=1))
        counts.columns.name = None
        return counts.sort_values("total", ascending=False, kind="stable")

    def worst(self, n: int = 20) -> pd.DataFrame:
        """The objects with the most findings.

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
            Minimum severity.
        threshold : float, default 0
            Percentage of checked rows that may fail before the check counts as failed, 0 to 100.
        """
        severe = self.summary["severity"].isin(SEVERITIES[: SEVERITIES.index(severity) + 1])
        broken = self.summary["status"] == "could not run"
        wrong = (self.summary["status"] == "failed") & (self.summary["percent"] > threshold)
        return self.summary[severe & (wrong | broken)].reset_index(drop=True)


def _in_words(row: Mapping[Hashable, Any]) -> str:
    return "; ".join(f"{name}: {shown(value)}" for name, value in row.items() if not pd.isna(value))


def shown(value: object) -> str:
    """A cell as a person reads it: days without a time, whole numbers without a point."""
    return cell_text(value, rounded=True)
