"""What the checks found, as tables: counts, failing rows, what to fix first."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from kimono_explore.display import cell_text
from kimono_explore.errors import KimonoError
from kimono_explore.files.snapshot import is_snapshot
from kimono_explore.quality.causes import Explained, group_by_cause
from kimono_explore.quality.changes import CHANGES, Before, are_new, find_changes, read_report
from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.quality.outcome import PLACE
from kimono_explore.quality.repairs.trial import Repairs, apply, find_repairs
from kimono_explore.quality.score import make_scores
from kimono_explore.quality.trend import read_trend

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
    from datetime import date

    import numpy as np

    from kimono_explore.quality.definition import Severity
    from kimono_explore.quality.outcome import Outcome
    from kimono_explore.roster.roster import Roster

SUMMARY_COLUMNS = ("id", "number", "severity", "title", "group", "checked", "failed", "percent", "status", "reason")


class Findings:
    """What is wrong with a roster or a task queue.

    Attributes
    ----------
    outcomes : list of Outcome
        One for each check.
    source : str
        A description of what was checked.
    as_of : datetime.date
        The day that counted as today.
    district : str
        The district's name; empty if the roster has none or several.
    as_of_reason : str
        Why ``as_of`` is not the day of loading; empty if it is, or if it was given.
    engine : str
    seconds : float
        How long the checks took.
    roster : Roster or None
        The roster that was checked, if it was in memory.
    notices : list of str
        Waivers that have expired.
    changes : pandas.DataFrame or None
        The latest result of `since`.
    history : pandas.DataFrame or None
        The latest result of `trend`.
    config : str, path or None
        The ``quality.toml`` that was read.
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
        district: str = "",
    ) -> None:
        self.outcomes, self.source, self.as_of = list(outcomes), source, as_of
        self.engine, self.seconds, self._org_labels = engine, seconds, dict(org_labels)
        self.roster, self.as_of_reason = roster, as_of_reason
        self.district = district
        self.notices: list[str] = []
        self.changes: pd.DataFrame | None = None
        self.history: pd.DataFrame | None = None
        self._again: Callable[..., Findings] | None = None
        self._before: Before | None = None
        self.config: str | os.PathLike[str] | None = None
        self._explained = explained if explained is not None else group_by_cause(self.outcomes)

    def remember(
        self,
        notices: Sequence[str],
        again: Callable[..., Findings] | None = None,
        config: str | os.PathLike[str] | None = None,
    ) -> None:
        """Store notices, how to check another roster in the same way, and the ``quality.toml``. Called by `check`."""
        self.notices, self._again, self.config = list(notices), again, config

    def since(self, previous: str | os.PathLike[str] | Findings) -> pd.DataFrame:
        """Compare with an earlier report: each finding is new, fixed, or still there.

        From then on, the page, the notebook display and `message` begin with the result. Two findings are the same if
        their check, table, id and failing values are. A finding that is now waived, or whose check did not run this
        time, does not count as fixed.

        Parameters
        ----------
        previous : Report, str or path
            A path is a report saved by `to_json`, or a snapshot folder, which is then checked in the same way.

        Returns
        -------
        pandas.DataFrame
            With the columns change (``"new"``, ``"fixed"`` or ``"still there"``), then those of `findings`. New
            findings come first.

        Raises
        ------
        KimonoError
            The file is not a report.

        Examples
        --------
        >>> report = kx.check(roster, params={"term_too_long": {"days": 250}}, as_of="2026-10-05")
        >>> report.since(kx.check(roster, as_of="2026-10-05"))[["change", "label"]].to_numpy().tolist()
        [['new', '2026-2027']]
        """
        if not isinstance(previous, Findings) and self._again is not None and is_snapshot(previous):
            previous = self._again(previous)
        if isinstance(previous, Findings):
            before = Before(previous.findings, previous.as_of.isoformat(), previous.score)
        else:
            before = read_report(previous)
        ran = [outcome.check.id for outcome in self.outcomes if outcome.status in ("passed", "failed")]
        self.changes, self._before = find_changes(self.findings, before.findings, self.waived, ran), before
        return self.changes

    def trend(self, folder: str | os.PathLike[str]) -> pd.DataFrame:
        """Collect the scores of the reports in a folder, this one last. From then on, the page draws them.

        Parameters
        ----------
        folder : str or path
            A folder of this district's reports, saved by `to_json`. One report per day counts; other files are ignored.

        Returns
        -------
        pandas.DataFrame
            One row per day: as_of, score, and the number of findings of each severity (error, warning, information).

        Raises
        ------
        KimonoError
            The path is not a folder.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     kx.check(roster, as_of="2026-09-28").to_json(f"{folder}/monday.json")
        ...     kx.check(roster, as_of="2026-10-05").trend(folder)["score"].tolist()
        [100, 100]
        """
        counts = self.findings["severity"].value_counts()
        now: dict[str, object] = {name: int(counts.get(name, 0)) for name in SEVERITIES}
        self.history = read_trend(folder, self.district, {"as_of": self.as_of, "score": self.score, **now})
        return self.history

    def repairs(self) -> pd.DataFrame:
        """Suggest edits in the source system that clear findings, each tried on a copy of the roster.

        Only edits that the roster itself supports are suggested: removing the spaces around a text, using the one term
        that all other sections of a course are in, dropping the second of two equal memberships. Edits that clear
        nothing, or that cause a new finding in what they touch, are left out. If a check fails for most of the rows it
        looks at, or more than 10,000 times, the export is at fault, and its findings are not repaired one by one. All
        other findings need a person's judgment. From then on, the page lists the repairs.

        Returns
        -------
        pandas.DataFrame
            One row per edit, those that clear the most first: repair (what to do), why (the evidence), kind
            (``"change"``, ``"remove"`` or ``"add"``), table and id (of the object concerned), findings (how many it
            clears), checks (whose findings they are).

        Raises
        ------
        KimonoError
            The report is on a snapshot, a task queue or a saved file, so the roster is not in memory.

        Examples
        --------
        >>> kx.check(roster, as_of="2026-10-05").repairs()["repair"].tolist()
        []
        """
        return self._repairs.table.copy()

    @property
    def has_repairs(self) -> bool:
        """Whether `repairs` was called. If so, the page lists the repairs."""
        return "_repairs" in self.__dict__

    def repaired(self, repairs: Iterable[int] | None = None) -> Roster:
        """Return a copy of the roster with repairs applied, to inspect or check again.

        Parameters
        ----------
        repairs : iterable of int, optional
            Which rows of `repairs` to apply. Default: all.

        Examples
        --------
        >>> report = kx.check(roster, as_of="2026-10-05")
        >>> report.repaired().persons.equals(roster.persons)
        True
        """
        edits = self._repairs.edits
        chosen = range(len(edits)) if repairs is None else list(repairs)
        if wrong := [number for number in chosen if not 0 <= number < len(edits)]:
            raise KeyError(f"no repair {wrong[0]}; report.repairs() has {len(edits):,}, counted from 0")
        return apply(self._roster_in_memory(), [edits[number] for number in chosen])

    @cached_property
    def _repairs(self) -> Repairs:
        if self._again is None:
            raise _no_roster()
        again = partial(self._again, as_of=self.as_of)
        return find_repairs(self.outcomes, self.findings, self._roster_in_memory(), lambda other: again(other).findings)

    def _roster_in_memory(self) -> Roster:
        if self.roster is None:
            raise _no_roster()
        return self.roster

    @property
    def are_new(self) -> np.ndarray[Any, Any] | None:
        """For each row of `findings`, whether it is new since the report that `since` was given; None until then."""
        return None if self._before is None else are_new(self.findings, self._before.findings)

    @property
    def changed(self) -> dict[str, Any]:
        """The result of `since` in numbers: since (the day), points (of the score, or None), new, fixed, still there.

        Empty until `since` is called.

        Examples
        --------
        >>> kx.check(roster).changed
        {}
        """
        if self.changes is None or self._before is None:
            return {}
        counts = self.changes["change"].value_counts()
        points = None if None in (self.score, self._before.score) else (self.score or 0) - (self._before.score or 0)
        since = {"since": self._before.as_of, "points": points}
        return {**since, **{name: int(counts.get(name, 0)) for name in CHANGES}}

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per check: id, number, severity, title, group, checked, failed, percent, status, reason.

        ``percent`` is the share of checked rows that failed, or NaN if no rows were checked. ``status`` is
        ``"passed"``, ``"failed"``, ``"not applicable"`` or ``"could not run"``. ``reason`` explains the last two, and
        gives the likely cause if a check fails for most of the rows it looks at.
        """
        of_check, of_outcome = ("id", "number", "severity", "title", "group"), ("checked", "failed", "status", "reason")
        rows = [
            [*(getattr(o.check, name) for name in of_check), *(getattr(o, name) for name in of_outcome)]
            for o in self.outcomes
        ]
        df = pd.DataFrame(rows, columns=[*of_check, *of_outcome])
        df = df.astype({"number": "str", "checked": "int64", "failed": "int64", "reason": "str"})
        df["percent"] = df["failed"] / df["checked"].where(df["checked"] > 0) * 100
        return df[list(SUMMARY_COLUMNS)]

    def failures(self, id: str) -> pd.DataFrame:
        """Return the rows that fail a check.

        Parameters
        ----------
        id : str
            The check's id, or its number.

        Returns
        -------
        pandas.DataFrame
            With columns table, id, label, org_id, org, then the values that broke the rule.

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
        return self.outcome(id).failures

    def title(self, id: str) -> str:
        """The title of a check."""
        return self.outcome(id).check.title

    def outcome(self, id: str) -> Outcome:
        """What a check found. Raises KeyError if it was not run."""
        for outcome in self.outcomes:
            if id in (outcome.check.id, outcome.check.number):
                return outcome
        raise KeyError(f"the check {id!r} was not run; report.summary lists those that were")

    @cached_property
    def findings(self) -> pd.DataFrame:
        """Every finding of every check: check, severity, table, id, label, org_id, org, detail (the values, in words)."""
        return self._table("failures")

    @cached_property
    def waived(self) -> pd.DataFrame:
        """Findings that a waiver in ``quality.toml`` excludes: as `findings`, plus reason, owner, expires.

        Examples
        --------
        >>> len(kx.check(roster).waived)
        0
        """
        df = self._table("waived")
        for name in ("reason", "owner", "expires"):
            parts = [o.waived[name] for o in self.outcomes if len(o.waived)]
            df[name] = pd.concat(parts, ignore_index=True) if parts else pd.Series(dtype="str")
        return df

    def _table(self, which: str) -> pd.DataFrame:
        parts = []
        for outcome in self.outcomes:
            df: pd.DataFrame = getattr(outcome, which)
            if df.empty:
                continue
            values = df.drop(
                columns=[*PLACE, *(("reason", "owner", "expires") if which == "waived" else ())], errors="ignore"
            )
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
        """What to fix first: errors before warnings, and within each, the causes that affect the most people first.

        Each finding is counted under one cause: an object that was not delivered, a school that lacks something, or the
        check itself. Objects that fail in the same way and share a school, term, course, creation date or id series are
        grouped into one cause.

        Returns
        -------
        pandas.DataFrame
            With columns stage, cause (in words), severity (the worst it explains), objects (how many are at fault),
            findings; students, teachers, sections, schools (how many are affected, each counted once); consequence
            (what they will see), owner (who should fix it), next_step; checks (their ids), where (the org, if there is
            only one), type and id (of the object at fault, if there is only one). `rows` returns the findings of a
            cause.
        """
        return self._explained.causes

    def rows(self, cause: int) -> pd.DataFrame:
        """Return the findings of a cause.

        Parameters
        ----------
        cause : int
            The row number of the cause in `causes`.

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

    @property
    def numbers(self) -> list[int]:
        """For each row of `findings`, the row of its cause in `causes`."""
        return self._explained.numbers

    @property
    def plain(self) -> tuple[str, ...]:
        """Each cause in words that name nothing from the roster, in the order of `causes`."""
        return self._explained.plain

    @property
    def unchecked(self) -> bool:
        """Whether no check of a roster had anything to look at. Then nothing is known, which is not "nothing to fix".

        An empty task queue is fine; an empty roster is not.

        Examples
        --------
        >>> kx.check(kx.Roster()).unchecked, kx.check(roster, as_of="2026-10-05").unchecked
        (True, False)
        """
        return all(o.status == "not applicable" and o.check.group != "Task queue" for o in self.outcomes)

    @property
    def score(self) -> int | None:
        """The share of students and teachers not affected by findings, 0 to 100; None without people or checked rows.

        An error that affects a person (as counted by `causes`) deducts that person's whole share, and a warning a
        quarter of it: ``100 * (people - errors - warnings / 4) / people``, rounded down, where ``warnings`` counts the
        people affected by a warning but by no error.

        Examples
        --------
        >>> kx.check(roster, as_of="2026-10-05").score
        100
        """
        return None if self.scores.empty else int(self.scores["score"].iloc[0])

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The score of the district, of each school, and of the findings in each table: one row each.

        Returns
        -------
        pandas.DataFrame
            scope (``"district"``, ``"school"`` or ``"table"``), id, name, people, errors and warnings (how many people
            an error affects, or a warning but no error), score. A school's people are its members and those in its
            sections.

        Examples
        --------
        >>> kx.check(roster, as_of="2026-10-05").scores["scope"].unique().tolist()
        ['district', 'school', 'table']
        """
        return make_scores(None if self.unchecked else self._explained.harmed, self._org_labels)

    def by_org(self) -> pd.DataFrame:
        """Count findings by org and check.

        Returns
        -------
        pandas.DataFrame
            Index: org_id, org (its name). The name is missing if the org was not delivered, and both are missing for
            findings that belong to no org. Columns: total, then the checks that found something. Orgs with the most
            findings come first.
        """
        found = self.findings
        counts = found.groupby(["org_id", "org", "check"], dropna=False).size().unstack("check", fill_value=0)
        order = [o.check.id for o in self.outcomes if o.check.id in counts.columns]
        counts = counts.reindex(columns=order).fillna(0).astype("int64")
        counts.insert(0, "total", counts.sum(axis=1))
        counts.columns.name = None
        return counts.sort_values("total", ascending=False, kind="stable")

    def worst(self, n: int = 20) -> pd.DataFrame:
        """List the objects with the most findings.

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

    def failed(
        self, severity: Severity = "information", threshold: float = 0.0, *, new_only: bool = False
    ) -> pd.DataFrame:
        """Return the rows of ``summary`` that failed.

        Parameters
        ----------
        severity : {"error", "warning", "information"}, default "information"
            Minimum severity.
        threshold : float, default 0
            Percentage of checked rows that may fail before the check counts as failed, 0 to 100.
        new_only : bool, default False
            Count only the findings that `since` reported as new.
        """
        severe = self.summary["severity"].isin(SEVERITIES[: SEVERITIES.index(severity) + 1])
        broken = self.summary["status"] == "could not run"
        failed, percent = self.summary["status"] == "failed", self.summary["percent"]
        if new_only and self.changes is not None:
            new = self.changes.loc[self.changes["change"] == "new", "check"].value_counts()
            count = self.summary["id"].map(new).fillna(0)
            failed, percent = count > 0, count / self.summary["checked"].where(self.summary["checked"] > 0) * 100
        return self.summary[severe & ((failed & (percent > threshold)) | broken)].reset_index(drop=True)


def _no_roster() -> KimonoError:
    return KimonoError("Repairs need the roster in memory: load it, and pass it to kx.check instead of its folder.")


def _in_words(row: Mapping[Hashable, Any]) -> str:
    return "; ".join(f"{name}: {shown(value)}" for name, value in row.items() if not pd.isna(value))


def shown(value: object) -> str:
    """A cell as a person reads it: days without a time, whole numbers without a point."""
    return cell_text(value, rounded=True)
