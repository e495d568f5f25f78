"""The report as a message for mail or chat: at most ten lines of counts, without personal data.

Nothing that a roster says goes into it: no name, label, id or value, of people or of anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kimono_explore.display import plural
from kimono_explore.html import render
from kimono_explore.quality import words
from kimono_explore.quality.causes import FEW
from kimono_explore.quality.reach import PEOPLE

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from kimono_explore.quality.findings import Findings

_FIRST = 3
UNCHECKED = "Nothing was checked: no check found anything to look at. Is the roster empty?"


def make_message(report: Findings, title: str, link: str | None) -> dict[str, Any]:
    """The parts of the message, in words."""
    return {
        "title": f"{title}, as of {report.as_of:%A}, {report.as_of.day} {report.as_of:%B %Y}",
        "score": _score(report),
        "first": "Fix first:" if len(report.causes) else all_clear(report),
        "causes": [
            _cause(row, _plain(report, number))
            for number, row in enumerate(report.causes.head(_FIRST).to_dict("records"))
        ],
        "more": len(report.causes) - _FIRST,
        "status": " ".join([*changes_in_words(report), _status(report)]),
        "link": link,
        "last": "This message names nobody. The report does: share it only with those who need it.",
    }


def message_text(parts: Mapping[str, Any]) -> str:
    """At most ten lines."""
    listed = [f"{number}. {cause}" for number, cause in enumerate(parts["causes"], 1)]
    if listed and parts["more"] > 0:
        listed[-1] += f" ({parts['more']:,} more causes in the report.)"
    link = [f"Report: {parts['link']}"] if parts["link"] else []
    return "\n".join(
        [
            *filter(None, [parts["title"], parts["score"], parts["first"]]),
            *listed,
            parts["status"],
            *link,
            parts["last"],
        ]
    )


def message_html(parts: Mapping[str, Any]) -> str:
    """The same for a mail program: inline styles only, no picture."""
    return render("message.html", **parts)


def all_clear(report: Findings) -> str:
    """What is said where no check failed: not that all is well, where nothing was looked at."""
    if report.unchecked:
        return UNCHECKED
    return "Nothing to fix: no check failed."


def changes_in_words(report: Findings) -> list[str]:
    """What changed, as a sentence, if `since` was asked."""
    changed = report.changed
    if not changed:
        return []
    counts = f"{changed['new']:,} new, {changed['fixed']:,} fixed, {changed['still there']:,} still there."
    return [f"Since {changed['since']}: {counts}"]


def _score(report: Findings) -> str:
    if report.score is None:
        return ""
    points = report.changed.get("points")
    way = {None: "", 0: ", as before"}.get(points, f", {'up' if (points or 0) > 0 else 'down'} {abs(points or 0)}")
    row = report.scores.iloc[0]
    reached = f"{row['errors']:,} of {row['people']:,} people are" if row["errors"] >= FEW else "A few people are"
    reached = reached if row["errors"] else "Nobody is"
    return f"Score: {report.score} of 100{way}. {reached} affected by an error."


def _plain(report: Findings, cause: int) -> str:
    """A cause in words of ours only: the sentence of its check; an object is not called by its name."""
    if isinstance(report.causes["type"].iloc[cause], str):
        return words.of_nameless(report, report.plain[cause])
    return words.sentence(report, cause, report.rows(cause), FEW)


def _cause(row: Mapping[Hashable, Any], plain: str) -> str:
    many = [f"{row[name]:,} {name}" for name in PEOPLE if row[name] >= FEW]
    many += [f"{row['schools']:,} schools"] if row["schools"] > 1 else []
    reached = f" Affected: {', '.join(many)}." if many else ""
    return f"{plain}.{reached} For: {row['owner']}."


def _status(report: Findings) -> str:
    status = report.summary["status"].value_counts()
    passed, all = int(status.get("passed", 0)), int(status.drop("not applicable", errors="ignore").sum())
    text = f"{passed} of {all} checks passed."
    broken = int(status.get("could not run", 0))
    text += f" {broken} could not run." if broken else ""
    waived, odd = len(report.waived), len(report.notices)
    text += f" {plural(waived, 'finding')} {'is' if waived == 1 else 'are'} waived." if waived else ""
    return text + (f" {plural(odd, 'waiver')} {'needs' if odd == 1 else 'need'} a look." if odd else "")
