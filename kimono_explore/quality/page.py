"""The report as a page that needs nothing else, and as a short note for a notebook. The templates escape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from kimono_explore.html import frame_html, render
from kimono_explore.quality.changes import CHANGES
from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.quality.findings import shown
from kimono_explore.quality.message import changes_in_words
from kimono_explore.quality.reach import PEOPLE, REACHED

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from kimono_explore.quality.findings import Findings
    from kimono_explore.quality.outcome import Outcome

_MOST_ORGS, _MOST_CHECKS, _MOST_CAUSES = 30, 22, 40


def make_page(report: Findings, rows: int) -> str:
    """The whole page."""
    failed = [outcome for outcome in report.outcomes if outcome.status == "failed"]
    failed.sort(key=lambda outcome: (SEVERITIES.index(outcome.check.severity), -outcome.failed))
    others = [(status, _others(report, status)) for status in ("could not run", "not applicable", "passed")]
    return render(
        "report.html",
        report=report,
        severities=_severities(report),
        status=report.summary["status"].value_counts().to_dict(),
        causes=_causes(report),
        news=_news(report),
        changes=_changes(report),
        harmed=report.scores.iloc[0].to_dict() if len(report.scores) else {},
        more_causes=len(report.causes) - _MOST_CAUSES,
        heat=_heat_map(report),
        failed=[_check(outcome, rows) for outcome in failed],
        others=[(status, mine) for status, mine in others if mine],
    )


def make_note(report: Findings) -> str:
    """The report in a notebook: counts by severity, and what to fix first."""
    top = report.causes.head(8)[["cause", "severity", "findings", "students", "teachers", "owner"]]
    with pd.option_context("display.max_colwidth", None):
        table = (
            frame_html(top, index=False, formatters=dict.fromkeys(("findings", *PEOPLE), "{:,}".format))
            if len(top)
            else ""
        )
    return render(
        "note.html",
        report=report,
        severities=_severities(report),
        news=_news(report),
        table=table,
        more=len(report.causes) - len(top),
    )


def _news(report: Findings) -> list[str]:
    """What the page begins with: what changed, and which waivers have expired."""
    points = report.changed.get("points")
    score = [f"The score was {report.score - points}."] if points and report.score is not None else []
    return [" ".join([*changes_in_words(report), *score]), *report.notices] if report.changed else report.notices


def _changes(report: Findings) -> list[dict[str, object]]:
    """How many findings of each check are new, fixed or still there, most new ones first."""
    if report.changes is None:
        return []
    counts = report.changes.groupby("check")["change"].value_counts().unstack(fill_value=0)
    counts = counts.reindex(columns=list(CHANGES), fill_value=0).reset_index()
    counts = counts[counts["new"] + counts["fixed"] > 0].sort_values(["new", "fixed"], ascending=False, kind="stable")
    titles = {outcome.check.id: outcome.check.title for outcome in report.outcomes}
    return [
        {"title": titles.get(check, check), "new": new, "fixed": fixed, "still": still}
        for check, new, fixed, still in counts.itertuples(index=False)
    ]


def _severities(report: Findings) -> list[dict[str, object]]:
    """Each severity: its checks, those that failed, and their findings."""
    counts: list[dict[str, object]] = []
    for severity in SEVERITIES:
        mine = report.summary[report.summary["severity"] == severity]
        failed = mine[mine["status"] == "failed"]
        counts.append(
            {"name": severity, "checks": len(mine), "failed": len(failed), "findings": int(failed["failed"].sum())}
        )
    return counts


def _causes(report: Findings) -> list[dict[Hashable, object]]:
    """What to fix first, one row per cause."""
    if report.causes.empty:
        return []
    most = int(report.causes["findings"].max())
    lines: list[dict[Hashable, object]] = []
    for row in report.causes.head(_MOST_CAUSES).to_dict("records"):
        where = f", at {row['where']}" if isinstance(row["where"], str) else ""
        width = f"{max(2, 100 * row['findings'] / most):.0f}"
        lines.append({**row, "width": width, "who": in_words(row) + where})
    return lines


def in_words(counts: Mapping[Hashable, int]) -> str:
    """Whom a cause reaches: "400 students, 1 teacher"."""
    told = [f"{counts[name]:,} {name if counts[name] != 1 else name[:-1]}" for name in REACHED if counts[name]]
    return ", ".join(told) or "nobody yet"


def _heat_map(report: Findings) -> dict[str, object] | None:
    """Findings by org and check: the largest, and how many are left out; None where no finding has an org."""
    counts = report.by_org()
    counts = counts[counts.index.get_level_values("org_id").notna()]
    if counts.empty:
        return None
    seen = counts.head(_MOST_ORGS).drop(columns="total")
    found = seen.sum().sort_values(ascending=False, kind="stable")
    seen = seen[found[found > 0].index[:_MOST_CHECKS]]
    most = max(1, int(seen.to_numpy().max()))
    scores = report.scores.set_index("id")["score"].to_dict()
    lines = [
        {
            "score": scores.get(org_id, ""),
            "org": org if isinstance(org, str) else None,
            "id": org_id,
            "total": total,
            "cells": _heat_cells(row, most),
        }
        for (org_id, org), total, row in zip(seen.index, counts["total"], seen.to_numpy().tolist(), strict=False)
    ]
    checks = int((counts.drop(columns="total") > 0).any().sum())
    left = [
        f"{n - shown:,} more {what}"
        for n, shown, what in ((len(counts), len(seen), "orgs"), (checks, len(seen.columns), "checks"))
        if n > shown
    ]
    return {"checks": list(seen.columns), "lines": lines, "left": " and ".join(left)}


def _heat_cells(row: list[int], most: int) -> list[tuple[int, str]]:
    """Counts, and how strongly each is coloured: the square root lets a handful be seen beside hundreds."""
    return [(int(value), f"{0.08 + 0.62 * (value / most) ** 0.5:.2f}") for value in row]


def _check(outcome: Outcome, rows: int) -> dict[str, object]:
    """A check that failed, with its first rows."""
    return {
        "outcome": outcome,
        "percent": f"{100 * outcome.failed / outcome.checked:.1f} %",
        "more": outcome.failed - min(rows, len(outcome.failures)),
        **_table(outcome.failures.head(rows)),
    }


def _table(df: pd.DataFrame) -> dict[str, object]:
    df = df.drop(columns=[name for name in ("org_id",) if df["org"].notna().all()]).dropna(axis="columns", how="all")
    return {"columns": [str(name) for name in df.columns], "rows": map(_cells, df.itertuples(index=False))}


def _cells(row: Iterable[Any]) -> Iterable[tuple[str, str]]:
    """The class and the text of each cell."""
    for value in row:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        text = "" if pd.isna(value) else _visible(shown(value))
        yield "n" if number else "text", text


def _visible(text: str) -> str:
    """Characters that cannot be seen, spelled out; a space at the end, as an open box."""
    core = text.strip(" ")
    before, after = len(text) - len(text.lstrip(" ")), len(text) - len(text.rstrip(" "))
    seen = "\u200c\u200d "  # joiners: part of how Persian names and some emoji are written
    if not core.isprintable():
        core = "".join(c if c.isprintable() or c in seen else f"\\u{ord(c):04x}" for c in core)
    return f"{'␣' * before}{core}{'␣' * after}" if core else "␣" * len(text)


def _others(report: Findings, status: str) -> list[Outcome]:
    return [outcome for outcome in report.outcomes if outcome.status == status]
