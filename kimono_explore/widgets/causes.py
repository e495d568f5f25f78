"""The causes of a report as the inspector of quality shows them, in the words of the report's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.html import render
from kimono_explore.quality import words
from kimono_explore.quality.page import headline, in_words, news, severities

if TYPE_CHECKING:
    from kimono_explore.quality import Report


def causes_of(report: Report) -> pd.DataFrame:
    """`Report.causes`, each with its number, its sentence on the page, and whom it reaches, in words."""
    causes = report.causes.reset_index(drop=True)
    rows = report.findings.groupby(pd.Series(report.numbers, index=report.findings.index, dtype="int64")).indices
    told = [words.sentence(report, number, report.findings.iloc[rows[number]]) for number in causes.index]
    who = [in_words(row) for row in causes.to_dict("records")]
    return causes.assign(
        number=causes.index,
        sentence=pd.Series(told, dtype="str", index=causes.index),
        who=pd.Series(who, dtype="str", index=causes.index),
    )


def cause_html(cause: pd.Series) -> str:
    """A cause and the four questions that it answers: who is affected, what they will see, whose it is, the next step."""
    row = {**cause.to_dict(), "checks": str(cause["checks"]).split(", ")}
    return render("cause.html", row={**row, "where": row["where"] if isinstance(row["where"], str) else ""})


def score_html(report: Report, causes: pd.DataFrame) -> str:
    """The score, what to fix first, whom errors reach, and what changed since the report before."""
    return render(
        "score.html",
        score=report.score,
        harmed=report.scores.iloc[0].to_dict() if len(report.scores) else {},
        headline=headline(report, causes["sentence"].drop_duplicates().head(3).tolist()),
        checks=len(report.outcomes),
        severities=severities(report),
        news=news(report),
        status=report.summary["status"].value_counts().to_dict(),
    )
