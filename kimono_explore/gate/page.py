"""The verdict as a page: its reasons, each school by kind of object, and what to do next. The template escapes."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from kimono_explore.gate.baseline import usual_words
from kimono_explore.gate.measures import KINDS
from kimono_explore.gate.rehearsal import CREATED, rehearse_compared
from kimono_explore.gate.targets import TARGETS, rules_of
from kimono_explore.html import render
from kimono_explore.roster.roster import Roster

if TYPE_CHECKING:
    import pandas as pd

    from kimono_explore.compare import Comparison
    from kimono_explore.gate.reasons import Reason
    from kimono_explore.gate.rollover import Sign

_CONSEQUENCES = {
    "go": "It may replace the current one.",
    "hold": "Nothing has been sent. The live roster stays.",
    "stop": "Nothing has been sent. The live roster stays, and this load cannot be let through.",
}
_MAX_SCHOOLS = 60
"""How many schools the page lists; those with a reason come first."""


@dataclass(frozen=True)
class Judged:
    """The parts of a `Verdict` that the page shows."""

    reasons: list[Reason]
    measures: pd.DataFrame
    signs: list[Sign]
    notes: tuple[str, ...]
    comparison: Comparison
    verdict: str
    headline: str
    exit_code: int
    rolled_over: bool


class Cell(NamedTuple):
    """One kind of object at one school: how many of how many were lost, and how; removed and recreated as shares of ``before``."""

    before: int
    lost: int
    words: str
    removed: float
    recreated: float
    flagged: bool


class Downstream(NamedTuple):
    """What one downstream system would do, and the address of the page that says so."""

    name: str
    means: str
    closed: int
    created: int
    students: int
    source: str


def make_page(verdict: Judged) -> str:
    """The whole page."""
    old, new = verdict.comparison.old, verdict.comparison.new
    flagged = {
        (reason.school_id, reason.rule.partition("-")[0]) for reason in verdict.reasons if reason.because is None
    }
    schools = [
        (name, [_cell(part, kind, flagged, _word_for_missing(verdict, kind)) for kind in KINDS])
        for name, part in _by_school(verdict.measures, flagged)
    ]
    holds = [reason for reason in verdict.reasons if reason.because is None]
    return render(
        "verdict.html",
        verdict=verdict,
        word=verdict.verdict.capitalize(),
        said=_CONSEQUENCES[verdict.verdict],
        sides=[
            ("before", old.source, f"{old.loaded_at:%A %d %B %Y, %H:%M}"),
            ("now", new.source, f"{new.loaded_at:%A %d %B %Y, %H:%M}"),
        ],
        reasons=holds,
        usual=[usual_words(reason.usual) if reason.usual else "–" for reason in holds]
        if any(r.usual for r in holds)
        else [],
        accepted=[reason for reason in verdict.reasons if reason.because is not None],
        kinds=KINDS,
        missing=_word_for_missing(verdict, "students"),
        schools=schools[:_MAX_SCHOOLS],
        more=max(0, len(schools) - _MAX_SCHOOLS),
        command=_command(holds[0].rule, holds[0].school) if holds and verdict.verdict == "hold" else "",
        downstream=_downstream(verdict),
        steps=_steps(verdict),
    )


def _by_school(measures: pd.DataFrame, flagged: set[tuple[str | None, str]]) -> list[tuple[str, pd.DataFrame]]:
    """The schools with a reason, then the others, then the district."""
    at_schools = measures[measures["school"].notna()]
    parts = [(str(id), part) for id, part in at_schools.groupby("school", sort=False)]
    with_reason = {id for id, _ in flagged}
    parts.sort(key=lambda part: (part[0] not in with_reason, str(part[1]["name"].iloc[0])))
    named = [(str(part["name"].iloc[0]) if isinstance(part["name"].iloc[0], str) else id, part) for id, part in parts]
    return [*named, ("The whole district", measures[measures["school"].isna()])]


def _word_for_missing(verdict: Judged, kind: str) -> str:
    """The word for a row that is no longer there: what merely did not arrive is not called gone."""
    if verdict.verdict == "stop":
        return "did not arrive"
    if verdict.rolled_over:
        return "ended" if kind in ("sections", "enrollments") else "left"
    return "missing"


def _cell(part: pd.DataFrame, kind: str, flagged: set[tuple[str | None, str]], missing: str) -> Cell:
    rows = part[part["kind"] == kind]
    if rows.empty:
        return Cell(0, 0, "none", 0, 0, flagged=False)
    row = rows.iloc[0]
    school = row["school"] if isinstance(row["school"], str) else None
    before, lost = int(row["before"]), int(row["removed"] + row["recreated"])
    words = "lost their id" if row["recreated"] else missing if lost or not row["changed"] else "changed"
    total = max(1, before)
    return Cell(
        before, lost or int(row["changed"]), words, row["removed"] / total, row["recreated"] / total,
        flagged=(school, kind) in flagged,
    )  # fmt: skip


def _downstream(verdict: Judged) -> list[Downstream]:
    """What each system would do with a roster on hold; all of them lose the same classes, each in its own way."""
    old, new = verdict.comparison.old, verdict.comparison.new
    if verdict.verdict != "hold" or not (isinstance(old, Roster) and isinstance(new, Roster)):
        return []
    rehearsal = rehearse_compared(verdict.comparison, old, new, "canvas")
    ended, created, students = rehearsal.count("closed"), rehearsal.count(CREATED), len(rehearsal.students)
    if not (ended or created):
        return []
    return [
        Downstream(name, means, ended if fate == "closed" else 0, created, students, rules_of(target)[0].source)
        for target, (name, fate, _, means) in TARGETS.items()
    ]


def _command(rule: str, school: str | None) -> str:
    """A command to copy. The school's name comes from the roster, so it is quoted for the shell."""
    at = f" --school {shlex.quote(school)}" if school else ""
    return f'kimono-explore gate OLD NEW --accept {rule}{at} --because "..."'


def _steps(verdict: Judged) -> list[tuple[str, str]]:
    """What to do, in order."""
    if verdict.verdict == "go":
        return []
    if verdict.verdict == "stop":
        return [
            ("Load again", "What did not arrive is unknown, and not deleted. A load with resume requests only what is missing."),
            ("If it persists, ask the source", "Whoever runs the student information system can say whether it answered last night."),
        ]  # fmt: skip
    recreated = any(reason.rule.endswith("-recreated") for reason in verdict.reasons if reason.because is None)
    ask = "Ask the person who runs the schedule or the student information system whether this was intended."
    restore = (
        "Restore the old ids in the source, then load again."
        if recreated
        else "Correct it in the source, then load again."
    )
    known = (
        "kx.compare(old, new, match='auto').matches pairs each old id with its new one."
        if recreated
        else "Make sure that every system downstream is ready for it."
    )
    return [
        ("Leave it on hold", "The live roster stays, and the ordinary changes in this load wait too."),
        ("Ask", ask),
        ("If it was a mistake", restore),
        ("If it was intended, let it through", f"One reason, at one school, for this load. {known}"),
    ]
