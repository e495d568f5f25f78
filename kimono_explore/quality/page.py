"""The report as a page that needs nothing else, and as a short note for a notebook. The templates escape."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

import pandas as pd

from kimono_explore.display import noun, plural
from kimono_explore.html import frame_html, render
from kimono_explore.quality import words
from kimono_explore.quality.changes import CHANGES
from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.quality.findings import shown
from kimono_explore.quality.message import all_clear, changes_in_words
from kimono_explore.quality.reach import PEOPLE, REACHED
from kimono_explore.quality.schools import schools_of
from kimono_explore.quality.trend import line_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from kimono_explore.quality.definition import Check
    from kimono_explore.quality.findings import Findings
    from kimono_explore.quality.outcome import Outcome

_MOST_SCHOOLS, _MOST_CHECKS, _MOST_CAUSES = 7, 40, 40
_MOST_REPAIRS, _MOST_NAMES = 100, 1_000
_FIRST = 3
_LONG = 10
"""Letters of a word that may be divided, so that a table fits on paper."""
_IN_WORDS = {1: "Fix this first.", 2: "Fix these two first.", 3: "Fix these three first."}


def make_page(report: Findings, rows: int, files: Mapping[str, Sequence[tuple[str, str]]] | None = None) -> str:
    """The whole page.

    Parameters
    ----------
    report : Findings
    rows : int
        How many failing rows of a check it shows.
    files : mapping, optional
        For each check, the files of its rows: kind and name.
    """
    failed = [outcome for outcome in report.outcomes if outcome.status == "failed"]
    failed.sort(key=lambda outcome: (SEVERITIES.index(outcome.check.severity), -outcome.failed))
    anchors = {outcome.check.id: _anchor(outcome.check, place) for place, outcome in enumerate(failed, 1)}
    schools, more_schools = schools_of(report, rows)
    causes = _causes(report, anchors, {school.id: school.anchor for school in schools})
    different: dict[object, dict[Hashable, object]] = {}
    for cause in causes:
        different.setdefault(cause["sentence"], cause)
    first = list(different.values())[:_FIRST]
    return render(
        "report.html",
        report=report,
        name=report.district or report.source,
        day=f"{report.as_of:%A}, {report.as_of.day} {report.as_of:%B %Y}",
        why=_why_that_day(report),
        headline=headline(report, [str(cause["sentence"]) for cause in first]),
        severities=severities(report),
        status=report.summary["status"].value_counts().to_dict(),
        first=first,
        then=[cause for cause in causes if cause not in first],
        news=news(report),
        changes=_changes(report),
        harmed=report.scores.iloc[0].to_dict() if len(report.scores) else {},
        points=report.changed.get("points"),
        trend=None if report.history is None else line_of(report.history),
        more_causes=len(report.causes) - _MOST_CAUSES,
        schools=schools,
        more_schools=more_schools,
        at_schools=int((report.scores["scope"] == "school").sum()),
        heat=_heat_map(report),
        anchors=anchors,
        titles={outcome.check.title for outcome in failed},
        failed=[_check(outcome, rows, anchors, files or {}) for outcome in failed],
        repairs=_repairs(report),
        mark=_mark,
        passed=_passed(report),
        waived=_waived(report),
        index=_index(report, anchors),
        others=[(status, mine) for status in ("could not run", "not applicable") if (mine := _others(report, status))],
    )


def _anchor(check: Check, place: int) -> str:
    """Where links to a check lead: its number, which is the same in tomorrow's page; one of your own has its place."""
    return check.number if check.number and check.number.startswith("KX-") else f"check-{place}"


def _mark(check: Check) -> str:
    """What the page calls a check in monospace: its number; its id, if it has none."""
    return check.number or check.id


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
        severities=severities(report),
        news=news(report),
        table=table,
        more=len(report.causes) - len(top),
    )


def news(report: Findings) -> list[str]:
    """What the page begins with: what changed, and which waivers need a look."""
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
    known = {outcome.check.id for outcome in report.outcomes}
    return [
        {**(_named(report, check) if check in known else {"title": check}), "new": new, "fixed": fixed, "still": still}
        for check, new, fixed, still in counts.itertuples(index=False)
    ]


def severities(report: Findings) -> list[dict[str, object]]:
    """Each severity: its checks, those that failed, and their findings."""
    counts: list[dict[str, object]] = []
    for severity in SEVERITIES:
        mine = report.summary[report.summary["severity"] == severity]
        failed = mine[mine["status"] == "failed"]
        counts.append(
            {"name": severity, "checks": len(mine), "failed": len(failed), "findings": int(failed["failed"].sum())}
        )
    return counts


def _why_that_day(report: Findings) -> str:
    """Why the report is as of its day; "" where that is not known."""
    if report.as_of_reason or report.roster is None:
        return report.as_of_reason
    loaded = str(report.roster.loaded_at)[:10] == report.as_of.isoformat()
    return "the day the roster was loaded" if loaded else "the requested day"


def headline(report: Findings, sentences: Sequence[str]) -> str:
    """What is to be fixed first, to be read aloud."""
    if not sentences:
        return all_clear(report)
    whole = {text for text, _ in words.WHOLE.values()}
    rest = [text[0].lower() + text[1:] if text in whole else text for text in sentences[1:]]
    return f"{'; '.join([sentences[0], *rest])}. {_IN_WORDS[len(sentences)]}"


def _causes(report: Findings, anchors: Mapping[str, str], schools: Mapping[str, str]) -> list[dict[Hashable, object]]:
    """What to fix first, one row per cause."""
    if report.causes.empty:
        return []
    most = int(report.causes["findings"].max())
    rows = report.findings.groupby(pd.Series(report.numbers, index=report.findings.index)).indices
    lines: list[dict[Hashable, object]] = []
    for number, row in enumerate(report.causes.head(_MOST_CAUSES).to_dict("records")):
        mine = report.findings.iloc[rows[number]]
        homes = mine["org_id"].dropna().unique()
        where = row["where"] if isinstance(row["where"], str) else ""
        lines.append(
            {
                **row,
                "sentence": words.sentence(report, number, mine),
                "width": f"{max(2, 100 * row['findings'] / most):.0f}",
                "who": in_words(row),
                "where": where,
                "anchor": schools.get(homes[0], "") if where and len(homes) else "",
                "checks": [(_mark(report.outcome(id).check), anchors[id]) for id in str(row["checks"]).split(", ")],
            }
        )
    return lines


def in_words(counts: Mapping[Hashable, int]) -> str:
    """Whom a cause reaches: "400 students, 1 teacher"."""
    told = [plural(counts[name], noun(name)) for name in REACHED if counts[name]]
    return ", ".join(told) or "nobody yet"


def _heat_map(report: Findings) -> dict[str, object] | None:
    """Findings by check and school: the worst schools, all others together; None where no finding has an org."""
    counts = report.by_org()
    counts = counts[counts.index.get_level_values("org_id").notna()].drop(columns="total")
    if counts.empty:
        return None
    seen = counts.head(_MOST_SCHOOLS)
    heads = [org if isinstance(org, str) else f"{id} (not delivered)" for id, org in seen.index]
    columns = seen.T.copy()
    if len(counts) > len(seen):
        columns["", "others"] = counts.iloc[_MOST_SCHOOLS:].sum()
        heads.append(f"{len(counts) - len(seen):,} others")
    total = columns.sum(axis="columns")
    columns = columns.loc[total[total > 0].sort_values(ascending=False, kind="stable").index]
    most = max(1, int(columns.to_numpy().max()))
    lines = [
        {**_named(report, str(id)), "cells": _heat_cells(row, most)}
        for id, row in zip(columns.index[:_MOST_CHECKS], columns.to_numpy().tolist(), strict=False)
    ]
    return {"heads": heads, "lines": lines, "left": len(columns) - len(lines)}


def _heat_cells(row: list[int], most: int) -> list[tuple[int, str]]:
    """Counts, and how strongly each is colored: the square root lets a handful be seen beside hundreds."""
    return [(int(value), f"{0.08 + 0.46 * (value / most) ** 0.5:.2f}") for value in row]


def _check(
    outcome: Outcome, rows: int, anchors: Mapping[str, str], files: Mapping[str, Sequence[tuple[str, str]]]
) -> dict[str, object]:
    """A check that failed, with its first rows."""
    return {
        "outcome": outcome,
        "anchor": anchors[outcome.check.id],
        "percent": f"{100 * outcome.failed / outcome.checked:.1f} %",
        "shown": min(rows, len(outcome.failures)),
        "more": outcome.failed - min(rows, len(outcome.failures)),
        "files": files.get(outcome.check.id, ()),
        **_table(outcome.failures.head(rows)),
    }


def _repairs(report: Findings) -> dict[str, object] | None:
    """The repairs, where somebody has asked for them: they are tried on a copy, which takes as long as a check."""
    if not report.has_repairs:
        return None
    df = report.repairs()
    return {"rows": df.head(_MOST_REPAIRS).to_dict("records"), "more": max(0, len(df) - _MOST_REPAIRS)}


def _waived(report: Findings) -> list[dict[str, object]]:
    """The findings that somebody has accepted: one line a waiver."""
    if report.waived.empty:
        return []
    by = ["check", "reason", "owner", "expires"]
    lines = report.waived.fillna("").groupby(by, sort=False).size().reset_index(name="findings").to_dict("records")
    return [{str(name): cell for name, cell in line.items()} | _named(report, line["check"]) for line in lines]


def _named(report: Findings, id: str) -> dict[str, object]:
    """What a table of the page calls a check."""
    check = report.outcome(id).check
    return {"title": check.title, "mark": _mark(check)}


def _index(report: Findings, anchors: Mapping[str, str]) -> dict[str, object] | None:
    """Everybody and everything that a finding names, from A to Z, with the checks that found it."""
    df = report.findings[report.findings["check"].isin(list(anchors))]
    df = df.assign(name=df["label"].fillna(df["id"])).dropna(subset=["name"])
    names = df.groupby(["name", "table", "id"], dropna=False, sort=False)["check"].unique().reset_index()
    entries = sorted(
        (
            (_sorted_as(name), visible(name), list(checks))
            for name, checks in zip(names["name"], names["check"], strict=True)
        ),
        key=lambda entry: entry[:2],
    )
    letters: dict[str, list[dict[str, object]]] = {}
    for key, name, checks in entries[:_MOST_NAMES]:
        found = [(report.title(check), anchors[check]) for check in checks]
        letters.setdefault(key[:1].upper() if key[:1].isalpha() else "0 to 9", []).append(
            {"name": name, "found": found}
        )
    return {"letters": letters, "more": max(0, len(entries) - _MOST_NAMES)} if letters else None


def _sorted_as(name: str) -> str:
    """A name without accents, capitals and marks before it, as an index is sorted."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return re.sub(r"^[\W_]+", "", plain)


def _passed(report: Findings) -> list[dict[str, object]]:
    """The checks that passed, in positive words, by their group."""
    groups: dict[str, list[tuple[str, Outcome]]] = {}
    for outcome in _others(report, "passed"):
        groups.setdefault(outcome.check.group, []).append((words.passed(outcome), outcome))
    return [{"group": group, "checks": checks} for group, checks in groups.items()]


def _table(df: pd.DataFrame) -> dict[str, object]:
    df = df.drop(columns=[name for name in ("org_id",) if df["org"].notna().all()]).dropna(axis="columns", how="all")
    if df["table"].nunique() == 1:
        df = df.drop(columns="table")  # the check's title says what its objects are
    if "label" in df:
        df = df[["label", *df.columns.drop("label")]]
    names = [str(name) for name in df.columns]
    return {"columns": names, "rows": (_cells(row, names) for row in df.itertuples(index=False))}


def _cells(row: Iterable[Any], names: Sequence[str]) -> Iterable[tuple[str, str, str]]:
    """The class, the name and the text of each cell."""
    for value, name in zip(row, names, strict=True):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        text = "" if pd.isna(value) else visible(shown(value))
        yield "n" if number else "long" if max(map(len, text.split(" "))) > _LONG else "text", name, text


def visible(text: str) -> str:
    """Characters that cannot be seen, spelled out; a space at the end, as an open box."""
    core = text.strip(" ")
    before, after = len(text) - len(text.lstrip(" ")), len(text) - len(text.rstrip(" "))
    seen = "\u200c\u200d "  # joiners: part of how Persian names and some emoji are written
    if not core.isprintable():
        core = "".join(c if c.isprintable() or c in seen else f"\\u{ord(c):04x}" for c in core)
    return f"{'␣' * before}{core}{'␣' * after}" if core else "␣" * len(text)


def _others(report: Findings, status: str) -> list[Outcome]:
    return [outcome for outcome in report.outcomes if outcome.status == status]
