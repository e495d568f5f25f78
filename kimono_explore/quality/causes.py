"""What to fix first: findings grouped by what explains them.

One school that was not delivered leaves hundreds of orphans and of students without a school. Here each finding gets
one cause, and causes are in the order in which rosters are mended: what others depend on comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pandas as pd

from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.schema import OBJECT_TYPES, TABLE_OF

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from kimono_explore.quality.definition import Check
    from kimono_explore.quality.outcome import Outcome

STAGES: tuple[str, ...] = ("orgs", "terms and courses", "sections", "staff", "students", "memberships", "tasks")
"""In this order: a section cannot be right before its course and school are."""

COLUMNS = ("stage", "cause", "severity", "findings", "checks", "orgs", "where", "type", "id")
_STAGE_OF = {
    "orgs": "orgs",
    "terms": "terms and courses",
    "courses": "terms and courses",
    "sections": "sections",
    "grading_categories": "sections",
    "persons": "students",
    "tasks": "tasks",
    "links": "memberships",
    # Files of a OneRoster bundle that are named as they are.
    "users": "students",
    "demographics": "students",
    "roles": "memberships",
    "enrollments": "memberships",
    "classes": "sections",
    "categories": "sections",
    "academicSessions": "terms and courses",
}


def group_by_cause(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Every finding, counted once, under its cause.

    Returns
    -------
    pandas.DataFrame
        One row per cause, what to fix first on top: stage, cause (in words), severity (the worst it explains), findings,
        checks (their ids), orgs (how many are affected), where (the org, if there is only one), type and id (of the object
        at fault, if there is only one).
    """
    checks = {outcome.check.id: outcome.check for outcome in outcomes}
    findings = _findings(outcomes)
    if findings.empty:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS})
    patterns = {outcome.check.id: outcome.pattern for outcome in outcomes if outcome.pattern}
    findings["cause"] = _causes(findings, checks, patterns)
    rows = [
        _row(cast("tuple[str, str, str]", cause), group, checks, patterns) for cause, group in findings.groupby("cause")
    ]
    df = pd.DataFrame(rows, columns=list(COLUMNS))
    order = pd.DataFrame(
        {
            "stage": df["stage"].map(STAGES.index),
            "severity": df["severity"].map(SEVERITIES.index),
            "findings": -df["findings"],
            "cause": df["cause"],
        }
    )
    return df.loc[order.sort_values(list(order.columns)).index].reset_index(drop=True)


def _findings(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    columns = ["check", "table", "id", "label", "org_id", "org", "person_type", "role", "missing_type", "missing_id"]
    failed = [outcome for outcome in outcomes if len(outcome.failures)]
    parts = [
        outcome.failures.assign(check=outcome.check.id).reindex(columns=columns).astype("object") for outcome in failed
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _causes(findings: pd.DataFrame, checks: dict[str, Check], patterns: Mapping[str, str]) -> pd.Series:
    """For each finding a key: (``"missing"``, type, id), (``"object"``, table, id) or (``"check"``, id, who)."""
    to_blame = {school for check in checks.values() for school in check.follows_school}
    causes = pd.Series(index=findings.index, dtype="object")
    for name, rows in findings.groupby("check"):
        table = rows["table"].where(rows["table"] != "persons", rows["person_type"].fillna("persons"))
        keys: list[tuple[Hashable, ...]]
        if name in to_blame:
            keys = [("object", table, id) for table, id in zip(rows["table"], rows["id"], strict=True)]
        else:
            who = table.fillna("")
            keys = [("check", name, who.mode().iloc[0] if name in patterns else one) for one in who]
        causes.loc[rows.index] = pd.Series(keys, index=rows.index, dtype="object")
    gone = findings["missing_id"].notna()
    named = zip(findings.loc[gone, "missing_type"], findings.loc[gone, "missing_id"], strict=True)
    causes.loc[gone] = pd.Series([("missing", *key) for key in named], index=findings.index[gone], dtype="object")
    # Twice, because what explains one finding may itself be explained: a consequence of a consequence.
    for _ in range(2):
        for check in checks.values():
            mine = findings[findings["check"] == check.id]
            for earlier, key in ((check.follows, ["table", "id"]), (check.follows_school, ["org_id"])):
                theirs = findings[findings["check"].isin(earlier)]
                if not len(mine) or not len(theirs):
                    continue
                theirs = theirs.assign(org_id=theirs["id"]) if key == ["org_id"] else theirs
                known = theirs.assign(cause=causes[theirs.index]).dropna(subset=key).drop_duplicates(key)
                found = mine[key].merge(known[[*key, "cause"]], on=key, how="left")["cause"].set_axis(mine.index)
                found = found.dropna()
                causes.loc[found.index] = found
    return causes


def _row(
    cause: tuple[str, str, str], group: pd.DataFrame, checks: dict[str, Check], patterns: Mapping[str, str]
) -> tuple[object, ...]:
    kind, name, id = cause
    type: str | None = None
    fault: str | None = None
    found = group["check"].unique().tolist()
    severity = min((checks[check].severity for check in found), key=SEVERITIES.index)
    orgs = group["org_id"].dropna().unique()
    where = group["org"].dropna().iloc[0] if len(orgs) == 1 and group["org"].notna().any() else None
    if kind == "missing":
        stage, type, fault = _STAGE_OF[TABLE_OF[name]], name, id
        if name == "person" and (group["role"] == "teacher").any():
            stage = "staff"
        text = f"{name.replace('_', ' ').capitalize()} {id} was not delivered"
        # A school that was not delivered is not a place where something is wrong.
        where = None if name == "org" else where
    elif kind == "object":
        stage, type, fault = _STAGE_OF[name], OBJECT_TYPES[name], id
        own = group[(group["id"] == id) & (group["table"] == name)]
        label = own["label"].dropna().iloc[0] if own["label"].notna().any() else id
        text = f"{label}: {', '.join(checks[check].title.lower() for check in own['check'].unique())}"
    else:
        check = checks[name]
        tables = set(check.tables)
        if check.group in ("References", "Agreement", "Memberships") and tables == {"persons"}:
            stage = "memberships"
        else:
            stage = (
                "staff"
                if id in ("teacher", "staff")
                else _STAGE_OF.get(id, "students" if id == "student" else STAGES[0])
            )
        pattern = f": {patterns[name]}" if name in patterns else ""
        text = check.title + ("" if len(tables) == 1 else f" ({_who(id)})") + pattern
    return stage, text, severity, len(group), ", ".join(found), len(orgs), where, type, fault


def _who(table_or_kind: str) -> str:
    return {"student": "students", "teacher": "teachers"}.get(table_or_kind, table_or_kind.replace("_", " "))
