"""The report as a page that needs nothing else, and as a short note for a notebook. Every text of a roster is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.quality.causes import STAGES
from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.quality.report import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kimono_explore.quality.outcome import Outcome
    from kimono_explore.quality.report import Report

_MOST_ORGS, _MOST_CHECKS, _MOST_CAUSES = 30, 22, 40

_STYLE = """
:root { --ink:#1f2328; --quiet:#59636e; --line:#d1d9e0; --paper:#fff; --soft:#f6f8fa; --bar:#c9d8ea;
  --error:#b3261e; --warning:#8a5a00; --information:#0b5cad; --heat:178,38,30; color-scheme:light dark; }
@media (prefers-color-scheme: dark) { :root { --ink:#e6edf3; --quiet:#9aa4af; --line:#3a424c; --paper:#14181d;
  --soft:#1d232a; --bar:#2d4663; --error:#ff8a80; --warning:#f0b95a; --information:#7ab8ff; --heat:255,120,110; } }
* { box-sizing:border-box; }
body { font:15px/1.45 system-ui,"Segoe UI",Roboto,"Noto Sans",sans-serif; color:var(--ink); background:var(--paper);
  max-width:1240px; margin:0 auto; padding:24px 20px 60px; }
h1 { font-size:26px; margin:0 0 2px; } h2 { font-size:19px; margin:36px 0 8px; } h3 { font-size:15px; margin:22px 0 6px; }
p { margin:4px 0 10px; } .quiet { color:var(--quiet); }
.tiles { display:flex; flex-wrap:wrap; gap:12px; margin:18px 0 8px; }
.tile { border:1px solid var(--line); border-radius:8px; padding:10px 16px; min-width:150px; background:var(--soft); }
.tile b { display:block; font-size:24px; line-height:1.2; }
.error { color:var(--error); } .warning { color:var(--warning); } .information { color:var(--information); }
.wide { overflow-x:auto; }
table { border-collapse:collapse; width:100%; font-size:14px; }
th, td { text-align:left; vertical-align:top; padding:5px 10px 5px 0; border-bottom:1px solid var(--line); }
td { overflow-wrap:break-word; } th { color:var(--quiet); font-weight:600; white-space:nowrap; }
td.n, th.n { text-align:right; font-variant-numeric:tabular-nums; white-space:nowrap; }
td.severity { white-space:nowrap; }
td.stage { color:var(--quiet); white-space:nowrap; }
td.cause { min-width:300px; }
.bar { display:block; height:6px; margin-top:4px; border-radius:3px; background:var(--bar); }
.heat { width:auto; }
.heat td, .heat th { padding:4px 6px; }
.heat th.n { vertical-align:bottom; } .heat td.n { text-align:center; border:1px solid var(--paper); }
.heat th.check { height:200px; vertical-align:bottom; padding:0; width:30px; min-width:30px; }
.heat th.check span { writing-mode:vertical-rl; transform:rotate(180deg); font-weight:400; max-height:198px; overflow:hidden; }
.heat th.org { font-weight:400; color:var(--ink); text-align:left; min-width:180px; }
details { border-bottom:1px solid var(--line); padding:8px 0; } summary { cursor:pointer; }
summary .n { float:right; color:var(--quiet); font-variant-numeric:tabular-nums; }
code { font:13px ui-monospace,Consolas,monospace; }
td.text { white-space:pre-wrap; }
@media print { body { max-width:none; padding:0; font-size:12px; } details { break-inside:avoid; } .tile { border-color:#999; } }
"""


def make_page(report: Report, rows: int) -> str:
    """The whole page."""
    failed = [outcome for outcome in report.outcomes if outcome.status == "failed"]
    failed.sort(key=lambda outcome: (SEVERITIES.index(outcome.check.severity), -outcome.failed))
    body = [
        f"<h1>Roster quality</h1><p class=quiet>{escape(report.source)} · as of {report.as_of} · "
        f"{len(report.outcomes)} checks in {report.seconds:.1f} s</p>",
        _tiles(report),
        f"<h2>What to fix first</h2>{_causes(report)}",
        f"<h2>By school</h2>{_heat_map(report)}",
        "<h2>What failed</h2>",
        *[_check(outcome, rows) for outcome in failed],
        _others(report, "could not run", "Could not run"),
        _others(report, "not applicable", "Not applicable"),
        _others(report, "passed", "Passed"),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Roster quality: {escape(report.source)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>\n"
    )


def make_note(report: Report) -> str:
    """The report in a notebook: counts by severity, and what to fix first."""
    counts = []
    for severity in SEVERITIES:
        few = report.summary[(report.summary["severity"] == severity) & (report.summary["status"] == "failed")]
        counts.append(f"{len(few)} {severity} {'check' if len(few) == 1 else 'checks'} ({few['failed'].sum():,} rows)")
    top = report.causes.head(8)[["stage", "cause", "severity", "findings"]]
    with pd.option_context("display.max_colwidth", None):
        whole = top.to_html(index=False, border=0, notebook=True, formatters={"findings": "{:,}".format})
    table = whole if len(top) else ""
    more = len(report.causes) - len(top)
    rest = (
        f"<p>… and {more} more in <code>.causes</code>; <code>.summary</code> has every check</p>" if more > 0 else ""
    )
    title = "nothing failed" if top.empty else f"failed: {', '.join(counts)}"
    return f"<div><strong>Quality report</strong> · {escape(report.source)} · as of {report.as_of} · {title}</div>{table}{rest}"


def _tiles(report: Report) -> str:
    summary, tiles = report.summary, []
    for severity in SEVERITIES:
        mine = summary[summary["severity"] == severity]
        failed = mine[mine["status"] == "failed"]
        tiles.append(
            f"<div class=tile><b class={severity}>{int(failed['failed'].sum()):,}</b>{severity} findings"
            f"<br><span class=quiet>{len(failed)} of {len(mine)} checks failed</span></div>"
        )
    status = summary["status"].value_counts()
    tiles.append(
        f"<div class=tile><b>{status.get('passed', 0)}</b>checks passed<br><span class=quiet>"
        f"{status.get('not applicable', 0)} not applicable, {status.get('could not run', 0)} could not run</span></div>"
    )
    return f"<div class=tiles>{''.join(tiles)}</div>"


def _causes(report: Report) -> str:
    causes = report.causes
    if causes.empty:
        return "<p>Nothing: no check failed.</p>"
    most = int(causes["findings"].max())
    lines, before = [], ""
    for row in causes.head(_MOST_CAUSES).to_dict("records"):
        stage = f"{STAGES.index(row['stage']) + 1}. {row['stage']}" if row["stage"] != before else ""
        before = row["stage"]
        orgs = f"{row['orgs']:,} orgs" if row["orgs"] > 1 else ""
        where = escape(row["where"]) if isinstance(row["where"], str) else orgs
        bar = f'<span class=bar style="width:{max(2, 100 * row["findings"] / most):.0f}%"></span>'
        lines.append(
            f"<tr><td class=stage>{stage}</td><td class=cause>{escape(row['cause'])}</td><td class='severity {row['severity']}'>"
            f"{row['severity']}</td><td class=n>{row['findings']:,}{bar}</td><td>{where}</td>"
            f"<td><code>{escape(row['checks'])}</code></td></tr>"
        )
    more = len(causes) - _MOST_CAUSES
    rest = f"<p class=quiet>… and {more:,} more causes: report.causes has them all.</p>" if more > 0 else ""
    head = "<tr><th></th><th>cause</th><th>severity</th><th class=n>explains findings</th><th>where</th><th>checks</th></tr>"
    return (
        "<p class=quiet>Each finding is counted once, under what explains it; what others hang on comes first.</p>"
        f"<div class=wide><table>{head}{''.join(lines)}</table></div>{rest}"
    )


def _heat_map(report: Report) -> str:
    counts = report.by_org()
    counts = counts[counts.index.get_level_values("org_id").notna()]
    if counts.empty:
        return "<p class=quiet>No finding belongs to a school.</p>"
    seen = counts.head(_MOST_ORGS).drop(columns="total")
    found = seen.sum().sort_values(ascending=False, kind="stable")
    seen = seen[found[found > 0].index[:_MOST_CHECKS]]
    most = max(1, int(seen.to_numpy().max()))
    head = "".join(f"<th class=check><span>{escape(name)}</span></th>" for name in seen.columns)
    lines = []
    for (org_id, org), total, row in zip(seen.index, counts["total"], seen.to_numpy(), strict=False):
        name = escape(org) if isinstance(org, str) else f"<code>{escape(str(org_id))}</code> (not delivered)"
        cells = "".join(_heat_cell(int(value), most) for value in row)
        lines.append(f"<tr><th class=org>{name}</th><td class=n>{total:,}</td>{cells}</tr>")
    checks = int((counts.drop(columns="total") > 0).any().sum())
    left = [
        f"{n - shown:,} more {what}"
        for n, shown, what in ((len(counts), len(seen), "orgs"), (checks, len(seen.columns), "checks"))
        if n > shown
    ]
    rest = f"<p class=quiet>… and {' and '.join(left)}: report.by_org() has them all.</p>" if left else ""
    return f"<div class=wide><table class=heat><tr><th></th><th class=n>findings</th>{head}</tr>{''.join(lines)}</table></div>{rest}"


def _heat_cell(value: int, most: int) -> str:
    # The square root lets a handful be seen beside hundreds.
    return (
        f'<td class=n style="background:rgba(var(--heat),{0.08 + 0.62 * (value / most) ** 0.5:.2f})">{value:,}</td>'
        if value
        else "<td></td>"
    )


def _check(outcome: Outcome, rows: int) -> str:
    check = outcome.check
    percent = f"{100 * outcome.failed / outcome.checked:.1f} %"
    opened = " open" if check.severity == "error" else ""
    more = outcome.failed - min(rows, len(outcome.failures))
    rest = f"<p class=quiet>… and {more:,} more: report.failures(&quot;{check.id}&quot;)</p>" if more > 0 else ""
    return (
        f'<details{opened} id="{escape(check.id)}"><summary><span class={check.severity}>{check.severity}</span> · '
        f"<strong>{escape(check.title)}</strong> <code>{escape(check.id)}</code>"
        f"<span class=n>{outcome.failed:,} of {outcome.checked:,} ({percent})</span></summary>"
        f"<p>{rule_html(outcome.rule)} <span class=quiet>{rule_html(check.why)}</span></p>"
        f"<div class=wide>{_table(outcome.failures.head(rows))}</div>{rest}</details>"
    )


def _table(df: pd.DataFrame) -> str:
    df = df.drop(columns=[name for name in ("org_id",) if df["org"].notna().all()]).dropna(axis="columns", how="all")
    head = "".join(f"<th>{escape(str(name))}</th>" for name in df.columns)
    body = "".join(f"<tr>{''.join(_cells(row))}</tr>" for row in df.itertuples(index=False))
    return f"<table><tr>{head}</tr>{body}</table>"


def _cells(row: Iterable[object]) -> Iterable[str]:
    for value in row:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        text = "" if pd.isna(value) else escape(_visible(shown(value)))  # type: ignore[call-overload]
        yield f"<td class={'n' if number else 'text'}>{text}</td>"


def _visible(text: str) -> str:
    """Characters that cannot be seen, spelled out; a space at the end, as an open box."""
    core = text.strip(" ")
    before, after = len(text) - len(text.lstrip(" ")), len(text) - len(text.rstrip(" "))
    seen = "\u200c\u200d "  # joiners: part of how Persian names and some emoji are written
    spelled = "".join(c if c.isprintable() or c in seen else f"\\u{ord(c):04x}" for c in core)
    return f"{'␣' * before}{spelled}{'␣' * after}" if core else "␣" * len(text)


def rule_html(text: str) -> str:
    """A rule as HTML, what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(part if place % 2 == 0 else f"<code>{part}</code>" for place, part in enumerate(parts))


def _others(report: Report, status: str, title: str) -> str:
    mine = [outcome for outcome in report.outcomes if outcome.status == status]
    if not mine:
        return ""
    lines = "".join(
        f"<tr><td><code>{escape(o.check.id)}</code></td><td>{escape(o.check.title)}</td>"
        f"<td class=n>{o.checked:,}</td><td>{escape(o.reason or '')}</td></tr>"
        for o in mine
    )
    head = "<tr><th>check</th><th></th><th class=n>checked</th><th>reason</th></tr>"
    return f"<h2>{title}</h2><div class=wide><table>{head}{lines}</table></div>"
