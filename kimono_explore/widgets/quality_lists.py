"""The lists of the inspector of quality: causes, checks, schools, what passed, what did not run, what is waived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from kimono_explore.quality import words
from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.widgets.causes import causes_of

if TYPE_CHECKING:
    from kimono_explore.quality import Report

FAILED, NEW, STILL_THERE = "failed", "new", "still there"
"""Of checks: any severity, those that failed; of findings: since the report before."""


class Listed(NamedTuple):
    """How a list looks: what it is called, its columns, those that stay beside a picked row, what names a row."""

    label: str
    columns: tuple[str, ...]
    brief: tuple[str, ...]
    key: str


LISTS = {
    "causes": Listed(
        "Causes",
        ("severity", "sentence", "new", "who", "consequence", "owner", "next_step", "findings"),
        ("severity", "sentence", "new", "findings"),
        "number",
    ),
    "checks": Listed(
        "Checks",
        ("severity", "failed", "title", "status", "checked", "number"),
        ("severity", "failed", "title"),
        "id",
    ),
    "schools": Listed("Schools", ("org", "findings", "score", "people", "errors", "warnings"), (), "id"),
    "passed": Listed("Passed", ("title", "group", "checked", "number"), ("title", "checked"), "id"),
    "not run": Listed("Not run", ("title", "reason", "status", "number"), ("title", "status"), "id"),
    "waived": Listed("Waived", ("title", "label", "org", "detail", "reason", "owner", "expires"), (), "position"),
}


class Chosen(NamedTuple):
    """What narrows the lists: a severity, ``"failed"`` or ``"all"``; a school; ``"new"`` or ``"still there"``."""

    severity: str = FAILED
    org_id: str = ""
    change: str = ""


class QualityLists:
    """Makes the lists of a report.

    Parameters
    ----------
    report : Report

    Attributes
    ----------
    causes : pandas.DataFrame
        All causes: `kimono_explore.widgets.causes.causes_of`.
    are_new : numpy.ndarray or None
        For each finding; None if the report was not compared with one before.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self.causes = causes_of(report)
        self.are_new = report.are_new

    def counts(self) -> dict[str, int]:
        """How long each list is, where nothing narrows it; those that would be empty and are seldom asked for are left out."""
        status = self._report.summary["status"].value_counts()
        counts = {
            "causes": len(self.causes),
            "checks": len(self._report.outcomes),
            "schools": len(self._schools(np.ones(len(self._report.findings), dtype=bool))),
            "passed": int(status.get("passed", 0)),
            "not run": int(status.get("not applicable", 0) + status.get("could not run", 0)),
            "waived": len(self._report.waived),
        }
        return {name: count for name, count in counts.items() if count or name in ("causes", "checks")}

    def findings(self, chosen: Chosen) -> np.ndarray[Any, Any]:
        """Which findings are at the school, and new or not."""
        found = self._report.findings
        here = np.ones(len(found), dtype=bool)
        if chosen.org_id:
            here &= (found["org_id"] == chosen.org_id).to_numpy(dtype=bool)
        if chosen.change and self.are_new is not None:
            here &= self.are_new == (chosen.change == NEW)
        return here

    def make(self, name: str, chosen: Chosen) -> pd.DataFrame:
        """The rows of a list, the most urgent first."""
        here = self.findings(chosen)
        if name == "causes":
            return self._causes(here, chosen.severity)
        if name == "checks":
            return self._checks(here, chosen)
        if name == "schools":
            return self._schools(here)
        return self._waived() if name == "waived" else self._others(name)

    def _causes(self, here: np.ndarray[Any, Any], severity: str) -> pd.DataFrame:
        causes = self.causes
        numbers = pd.Series(self._report.numbers, dtype="int64")
        counts = numbers[here].value_counts()
        causes = causes[causes["number"].isin(counts.index)]
        if severity in SEVERITIES:
            causes = causes[causes["severity"] == severity]
        causes = causes.assign(findings=causes["number"].map(counts).astype("int64"))
        if self.are_new is not None:
            new = causes["number"].map(numbers[here & self.are_new].value_counts()).fillna(0).astype("int64")
            said = np.where(new == causes["findings"], "new", new.astype("str") + " new")
            causes = causes.assign(new=np.where(new == 0, "", said))
        return causes.reset_index(drop=True)

    def _checks(self, here: np.ndarray[Any, Any], chosen: Chosen) -> pd.DataFrame:
        summary = self._report.summary
        if chosen.severity != "all":
            one = summary["severity"] == chosen.severity
            summary = summary[(summary["status"] == "failed") & ((chosen.severity == FAILED) | one)]
        if not here.all():
            counts = self._report.findings.loc[here, "check"].value_counts()
            summary = summary[summary["id"].isin(counts.index)].assign(failed=summary["id"].map(counts))
        rank = summary["severity"].map({name: rank for rank, name in enumerate(SEVERITIES)})
        summary = summary.assign(rank=rank).sort_values(["rank", "failed"], ascending=[True, False], kind="stable")
        return summary.drop(columns="rank").reset_index(drop=True)

    def _schools(self, here: np.ndarray[Any, Any]) -> pd.DataFrame:
        """Each school of the score, and each org that a finding names."""
        scores = self._report.scores
        scores = scores[scores["scope"] == "school"].rename(columns={"name": "org"}).drop(columns="scope")
        found = self._report.findings.dropna(subset=["org_id"])
        named = found.groupby("org_id", sort=False)["org"].first()
        others = named[~named.index.isin(scores["id"])]
        rest = pd.DataFrame({"id": others.index.astype("str"), "org": others.to_numpy()})
        rest["org"] = rest["org"].fillna(rest["id"] + " (not delivered)")
        schools = pd.concat([scores, rest], ignore_index=True) if len(rest) else scores
        counts = self._report.findings.loc[here, "org_id"].value_counts()
        schools = schools.assign(findings=schools["id"].map(counts).fillna(0).astype("int64"))
        schools = schools.astype(dict.fromkeys(("people", "errors", "warnings"), "Int64"))
        return schools.sort_values("findings", ascending=False, kind="stable").reset_index(drop=True)

    def _others(self, name: str) -> pd.DataFrame:
        """The checks that passed, in positive words; or those that did not run."""
        passed = name == "passed"
        outcomes = [
            outcome
            for outcome in self._report.outcomes
            if (outcome.status == "passed" if passed else outcome.status in ("not applicable", "could not run"))
        ]
        titles = {o.check.id: (words.passed(o) if passed else "") or o.check.title for o in outcomes}
        summary = self._report.summary
        summary = summary[summary["id"].isin(list(titles))].sort_values("status", kind="stable")
        return summary.assign(title=summary["id"].map(titles)).reset_index(drop=True)

    def _waived(self) -> pd.DataFrame:
        waived = self._report.waived
        titles = waived["check"].map(self._report.title).astype("str")
        return waived.assign(title=titles, position=np.arange(len(waived)))
