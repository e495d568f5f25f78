"""What the report says of each school, for its principal: score, causes, findings by check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from kimono_explore.quality import words
from kimono_explore.quality.definition import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from kimono_explore.quality.definition import Severity
    from kimono_explore.quality.findings import Findings

_MOST = 100
"""Schools that have a part of their own."""
_MOST_CAUSES = 10
_FEW = 10
"""Rows of a check that a school's part shows."""


@dataclass(frozen=True)
class Listed:
    """What one check found at a school: a sentence, and the first of its rows as label, detail and id."""

    sentence: str
    severity: Severity
    rows: list[tuple[str, str, str]]
    more: int


@dataclass(frozen=True)
class School:
    """A school's part of the page.

    Attributes
    ----------
    id, anchor, name : str
        The anchor is where links to it lead; without findings there is no part, and no anchor. Without a name, the org was
        not delivered.
    score, people, errors, warnings : int or None
        As in `Report.scores`; None where no person is known to belong there.
    findings : int
    causes : list
        What to fix: a sentence, how many findings are here, and of how many; whose it is, and the next step.
    checks : list of Listed
    """

    id: str
    anchor: str
    name: str
    score: int | None
    people: int | None
    errors: int | None
    warnings: int | None
    findings: int
    causes: list[dict[Hashable, object]]
    checks: list[Listed]


def schools_of(report: Findings, rows: int) -> tuple[list[School], int]:
    """Each school, most findings first, then those without any; and how many more there are."""
    found = report.findings.assign(cause=report.numbers)
    parts = found.groupby("cause")
    sentences: dict[int, tuple[str, int]] = {}  # of each cause: itself, and how many findings it has

    def told(cause: int) -> tuple[str, int]:
        if cause not in sentences:
            rows = parts.get_group(cause)
            sentences[cause] = (words.sentence(report, cause, rows), len(rows))
        return sentences[cause]

    at = found.dropna(subset=["org_id"]).groupby("org_id", sort=False)
    scores = report.scores[report.scores["scope"] == "school"].set_index("id")
    counts = at.size().sort_values(ascending=False, kind="stable")
    ids = [*counts.index, *(id for id in scores.index if id not in counts.index)]
    schools = []
    for number, id in enumerate(ids[:_MOST], 1):
        mine = at.get_group(id) if id in counts.index else found.head(0)
        known = scores.loc[id].to_dict() if id in scores.index else {}
        names = mine["org"].dropna()
        name = names.iloc[0] if len(names) else known.get("name", "")
        schools.append(
            School(
                str(id),
                f"school-{number}" if len(mine) else "",
                name if isinstance(name, str) else "",
                _number(known.get("score")),
                _number(known.get("people")),
                _number(known.get("errors")),
                _number(known.get("warnings")),
                len(mine),
                _causes(report, mine, told),
                _checks(report, mine, min(rows, _FEW)),
            )
        )
    return schools, len(ids) - len(schools)


def _number(value: Any) -> int | None:  # noqa: ANN401  a cell
    return None if value is None or pd.isna(value) else int(value)


def _causes(
    report: Findings, mine: pd.DataFrame, told: Callable[[int], tuple[str, int]]
) -> list[dict[Hashable, object]]:
    here = mine["cause"].value_counts()
    lines: list[dict[Hashable, object]] = []
    for cause in sorted(here.index)[:_MOST_CAUSES]:
        row = report.causes.iloc[cause]
        sentence, all = told(cause)
        lines.append(
            {
                "sentence": sentence,
                "severity": row["severity"],
                "here": int(here[cause]),
                "all": all,
                "owner": row["owner"],
                "next_step": row["next_step"],
            }
        )
    return lines


def _checks(report: Findings, mine: pd.DataFrame, rows: int) -> list[Listed]:
    listed = []
    for id, part in mine.groupby("check", sort=False):
        outcome = report.outcome(str(id))
        first = part.head(rows)[["label", "detail", "id"]].fillna("").astype("str")
        objects = int(part["id"].nunique() + part["id"].isna().sum())
        listed.append(
            Listed(
                words.of_check(outcome, objects, part),
                outcome.check.severity,
                [tuple(row) for row in first.itertuples(index=False, name=None)],
                len(part) - len(first),
            )
        )
    return sorted(listed, key=lambda check: SEVERITIES.index(check.severity))
