"""The verdict over a new roster: go, hold or stop, with reasons that a person can read."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from kimono_explore.atomic import atomic_file
from kimono_explore.compare import compare
from kimono_explore.display import noun, plural, printable
from kimono_explore.errors import ConfigurationError, expect
from kimono_explore.files.snapshot import is_snapshot, read_manifest
from kimono_explore.gate import reasons as rules
from kimono_explore.gate.acceptance import let_through_before, write_entry
from kimono_explore.gate.baseline import usual_shares
from kimono_explore.gate.limits import Limits, read_limits
from kimono_explore.gate.measures import measure, members
from kimono_explore.gate.page import Judged, make_page
from kimono_explore.gate.reasons import Reason
from kimono_explore.gate.rollover import Sign, signs
from kimono_explore.quality.config import beside, read_config
from kimono_explore.quality.day import day_of
from kimono_explore.roster.open import read_source
from kimono_explore.roster.roster import Roster

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from kimono_explore.compare import Comparison

    File = str | os.PathLike[str]
    Source = Roster | File

IGNORED = ("created_at", "updated_at", "stated_by", "membership_id")
"""Columns that change from load to load though nothing happened."""
_EXIT_CODES = {"go": 0, "hold": 1, "stop": 3}
_ORDINARY_CHANGES = (
    (("students", "teachers"), "added", "joined"),
    (("students", "teachers"), "removed", "left"),
    (("courses", "sections", "enrollments"), "added", "began"),
    (("courses", "sections", "enrollments"), "removed", "ended"),
    (("students", "teachers", "courses", "sections"), "recreated", "came back under new ids"),
    (("students", "teachers", "courses", "sections"), "changed", "changed"),
)
"""What the headline of an ordinary load counts: kinds, their fate, and the word for it."""


def gate(
    old: Source,
    new: Source,
    *,
    before: Sequence[Source] = (),
    usual: Iterable[File] = (),
    config: str | os.PathLike[str] | None = None,
    as_of: date | str | None = None,
) -> Verdict:
    """Decide whether a new roster may replace the current one: go, hold or stop.

    Each school is judged on its own, and so is the district as a whole. An object that reappears under a new id counts
    as re-created, not as removed and added. Data missing from an incomplete load is unknown, never deleted. A new
    school year is recognized by its signs.

    Parameters
    ----------
    old, new : Roster, str or path
        The roster that is live, and the one that is to replace it. A path is a snapshot folder or a OneRoster bundle.
    before : sequence of Roster, str or path, optional
        Rosters from before the old one, oldest first. Primary teachers who flip back and forth are detected across all
        of them.
    usual : iterable of str or path, optional
        Verdicts of earlier days, as written by `Verdict.to_json`. A reason then says what is usual on an ordinary day.
    config : str or path, optional
        A ``quality.toml`` whose ``[gate]`` section sets limits (see `Limits`). Default: the one beside the new
        snapshot.
    as_of : date or str, optional
        The day that counts as today. Default: the day on which the new roster was loaded.

    Returns
    -------
    Verdict

    Raises
    ------
    BundleError
        A path is not a snapshot or a OneRoster bundle.
    ConfigurationError
        The configuration cannot be read or names an unknown limit, or ``as_of`` is not a date.

    Examples
    --------
    >>> kx.gate(roster, roster)
    <Verdict: go; An ordinary load: nothing removed, nothing added>
    >>> later = kx.Roster(**roster.tables, links=roster.links)
    >>> later.persons = roster.persons.iloc[0:0]
    >>> kx.gate(roster, later).reasons[0].rule
    'empty-table'
    """
    verdicts = [usual] if isinstance(usual, str | os.PathLike) else list(usual)
    earlier = [before] if isinstance(before, str | os.PathLike | Roster) else list(before)
    for given in (old, new, *earlier):
        expect("gate", given, Roster, str, os.PathLike)
    for file in verdicts:
        expect("gate", file, str, os.PathLike)
    expect("gate", config, str, os.PathLike, None)
    path = config or (beside(new) if not isinstance(new, Roster) else None)
    limits = read_limits(read_config(path).gate, str(path)) if path else Limits()
    load = _load_id(new)
    live, incoming = _as_roster(old), _as_roster(new)
    diff = compare(live, incoming, ignore=IGNORED, match="auto")
    sides = members(live), members(incoming)
    measures = measure(diff, live, incoming, sides)
    rollover_signs = signs(diff, live, incoming, day_of(as_of) or incoming.loaded_at.date())
    rolled_over = all(sign.holds for sign in rollover_signs)
    days = [*map(_as_roster, earlier), live, incoming]
    reasons = list(_reasons(diff, days, sides, measures, limits, rolled_over=rolled_over))
    usual_range = usual_shares(verdicts)
    reasons = [replace(reason, usual=usual_range.get((reason.school_id, reason.rule))) for reason in reasons]
    verdict = Verdict(
        rules.by_importance(rules.without_unknown(reasons)),
        measures,
        rollover_signs,
        tuple(rules.new_columns(live, incoming)),
        diff,
        limits,
        load,
    )
    if load and not isinstance(new, Roster):
        for entry in let_through_before(new, load):
            verdict = verdict._letting_through(entry["rule"], entry["school"], entry["because"])
    return verdict


def _as_roster(given: Source) -> Roster:
    return given if isinstance(given, Roster) else read_source(given)


def _load_id(given: Source) -> str | None:
    """What identifies a load: the random name that its snapshot was given."""
    return None if isinstance(given, Roster) or not is_snapshot(given) else read_manifest(given).saved_as


def _reasons(
    diff: Comparison,
    days: Sequence[Roster],
    sides: tuple[pd.DataFrame, pd.DataFrame],
    measures: pd.DataFrame,
    limits: Limits,
    *,
    rolled_over: bool,
) -> Iterable[Reason]:
    old, new = days[-2:]
    yield from rules.incomplete(new)
    yield from rules.emptied_tables(old, new)
    yield from rules.broken_off(diff, new, measures, limits)
    school_reasons = list(rules.school_gone(new, measures))
    yield from school_reasons
    schools_gone = [reason.school_id for reason in school_reasons]
    yield from rules.source_down(
        measures, limits, ("students",) if rolled_over else ("students", "sections"), schools_gone
    )
    yield from rules.shares(measures, limits, schools_gone, rolled_over=rolled_over)
    yield from rules.columns(old, new, limits)
    for kind in ("students", "teachers"):
        yield from rules.columns_of_people(old, new, sides, limits, kind)
    if not rolled_over:
        yield from rules.primary_flips(days, sides[1][sides[1]["kind"] == "sections"], limits)


@dataclass(frozen=True, repr=False, eq=False)
class Verdict:
    """Go, hold or stop, and why.

    Attributes
    ----------
    reasons : list of Reason
        The reasons against the roster, most important first: rule, level, school, count, total, limit, sentence,
        because, usual.
    measures : pandas.DataFrame
        For each school and the district, and for each of students, teachers, sections and enrollments: before, after,
        removed, added, recreated, changed.
    signs : list of Sign
        The signs of a new school year, and which of them are present.
    notes : tuple of str
        Observations that are worth a look but do not hold the roster.
    comparison : Comparison
        All differences between the two rosters.
    limits : Limits
    load : str or None
        Identifies the new load, if it is a snapshot.
    """

    reasons: list[Reason]
    measures: pd.DataFrame
    signs: list[Sign]
    notes: tuple[str, ...]
    comparison: Comparison
    limits: Limits = field(default_factory=Limits)
    load: str | None = None

    @property
    def verdict(self) -> Literal["go", "hold", "stop"]:
        """``"stop"`` if any reason says so, ``"hold"`` if any other reason has not been let through, else ``"go"``."""
        levels = {reason.level for reason in self.reasons if reason.because is None}
        return "stop" if "stop" in levels else "hold" if levels else "go"

    @property
    def exit_code(self) -> int:
        """0 for go, 1 for hold, 3 for stop."""
        return _EXIT_CODES[self.verdict]

    @property
    def rolled_over(self) -> bool:
        """Whether a new school year has begun."""
        return all(sign.holds for sign in self.signs)

    @cached_property
    def headline(self) -> str:
        """The verdict in one sentence."""
        holding = [reason for reason in self.reasons if reason.because is None]
        if holding:
            return holding[0].sentence.rstrip(".")
        if self.rolled_over:
            return "A new school year: the sections of the old one ended, and new ones begin"
        district = self.measures[self.measures["school"].isna()].set_index("kind")
        words = [
            f"{plural(int(district[fate][kind]), noun(kind))} {word}"
            for kinds, fate, word in _ORDINARY_CHANGES
            for kind in kinds
            if kind in district.index and district[fate][kind]
        ]
        let = ", apart from what was let through" if self.reasons else ""
        return f"An ordinary load{let}: {', '.join(words) or 'nothing removed, nothing added'}"

    def _letting_through(self, rule: str, school: str | None, because: str) -> Verdict:
        """The verdict with the matching holds let through; unchanged if there are none."""
        found = [reason for reason in self._reasons_about(rule, school) if reason.level == "hold"]
        reasons = [reason.let_through(because) if reason in found else reason for reason in self.reasons]
        return replace(self, reasons=rules.by_importance(reasons))

    def _reasons_about(self, rule: str, school: str | None) -> list[Reason]:
        """The reasons of a rule at a school, given by name or id, or for the whole district."""
        return [
            reason
            for reason in self.reasons
            if reason.rule == rule
            and (school in (reason.school, reason.school_id) if school else reason.school is None)
        ]

    def let_through(
        self, rule: str, *, because: str, school: str | None = None, log: str | os.PathLike[str] | None = None
    ) -> Verdict:
        """Return the verdict with one reason, at one school, deliberately let through for this load.

        Parameters
        ----------
        rule : str
            The rule of the reason, such as ``"sections-recreated"``.
        because : str
            Why.
        school : str, optional
            The school's name or id, if the reason is about one.
        log : str or path, optional
            A file that records when, who, what and why. In the ``gate.log`` beside the new snapshot, `gate` finds the
            entry again for this same load.

        Raises
        ------
        ConfigurationError
            No such reason holds the load, ``because`` is empty, or the reason is a stop: what is unknown cannot be let
            through.

        Examples
        --------
        >>> later = kx.Roster(**roster.tables, links=roster.links[roster.links["relation"] != "held_at"])
        >>> verdict = kx.gate(roster, later)
        >>> verdict.verdict, verdict.let_through(verdict.reasons[0].rule, school=verdict.reasons[0].school, because="moved").verdict
        ('hold', 'hold')
        """
        expect("let_through", because, str)
        if not because.strip():
            raise ConfigurationError("Say why with because=; no reason is let through without it.")
        found = self._reasons_about(rule, school)
        where = f" at {school}" if school else " of the whole district"
        if not found:
            listed = (
                "; ".join(f"{reason.rule} at {reason.school or 'the district'}" for reason in self.reasons) or "none"
            )
            raise ConfigurationError(printable(f"No reason {rule!r}{where} holds this load. Its reasons: {listed}."))
        if any(reason.level == "stop" for reason in found):
            raise ConfigurationError(
                f"{rule} is a stop and cannot be let through: what happened to the missing rows is unknown. Load again."
            )
        if log:
            write_entry(log, rule=rule, school=school, because=because, load=self.load, sentence=found[0].sentence)
        return self._letting_through(rule, school, because)

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Write everything except the rows as JSON, readable only by you."""
        with atomic_file(path) as file:
            file.write_text(json.dumps(self.to_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write the verdict as a self-contained page, readable only by you. It names no person."""
        with atomic_file(path) as file:
            file.write_text(make_page(self._judged()), encoding="utf-8")

    def _judged(self) -> Judged:
        fields_shown = self.reasons, self.measures, self.signs, self.notes, self.comparison
        return Judged(*fields_shown, self.verdict, self.headline, self.exit_code, self.rolled_over)

    def to_frame(self) -> pd.DataFrame:
        """The reasons as a table: rule, level, school, school_id, count, total, limit, sentence, because, usual."""
        columns = [field.name for field in fields(Reason)]
        return pd.DataFrame([vars(reason) for reason in self.reasons], columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Everything except the rows, ready for JSON."""
        return {
            "verdict": self.verdict,
            "headline": self.headline,
            "old": {"source": self.comparison.old.source, "loaded_at": self.comparison.old.loaded_at.isoformat()},
            "new": {
                "source": self.comparison.new.source,
                "loaded_at": self.comparison.new.loaded_at.isoformat(),
                "load": self.load,
            },
            "reasons": [vars(reason) for reason in self.reasons],
            "rolled_over": self.rolled_over,
            "signs": [sign._asdict() for sign in self.signs],
            "notes": list(self.notes),
            "measures": self.measures.astype(object).where(self.measures.notna(), None).to_dict("records"),
        }

    def message(self) -> str:
        """A few lines for mail or chat without personal data: counts, but no person's name."""
        counts = f"{plural(len(self.reasons), 'reason')}" if self.reasons else "no reason against it"
        lines = [f"Roster gate: {self.verdict}, {counts}."]
        lines += [f"- {reason.sentence}" + (" (let through)" if reason.because else "") for reason in self.reasons[:5]]
        more = len(self.reasons) - 5
        return printable("\n".join([*lines, *([f"... and {more:,} more"] if more > 0 else [])]), lines=True)

    def __repr__(self) -> str:
        return printable(f"<Verdict: {self.verdict}; {self.headline}>")
