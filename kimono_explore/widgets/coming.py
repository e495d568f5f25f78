"""What the roster will look like once the queue is processed: a button, what is under way, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kimono_explore.display import plural
from kimono_explore.html import render
from kimono_explore.problems import SEVERAL_TENANTS
from kimono_explore.widgets.controls import Button, Column, Html, Row
from kimono_explore.widgets.outcome import count_tasks
from kimono_explore.widgets.parts import line, shorten
from kimono_explore.widgets.words import capital, detail_words, value_words

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    import pandas as pd

    from kimono_explore.quality import ComingFindings

_MOST_ROWS, _MOST_SYNCS = 50, 20
_BRIEF = 9


class Outlook(Column):
    """A button that asks what the roster will look like, and the answer; nothing is worked out before it is pressed.

    Parameters
    ----------
    asked, stopped : callable
        What this button calls, and the one that stops it.
    """

    def __init__(self, asked: Callable[..., None], stopped: Callable[..., None]) -> None:
        self.ask = Button(
            "What the roster will look like",
            tooltip="Apply the queue to a copy of the roster, and check both; nothing is sent",
        )
        self.stop = Button("Stop", hidden=True, tooltip="Stop working out what the roster will look like")
        self.close = Button("Hide", hidden=True, tooltip="Hide what the roster will look like")
        self.said, self.result = Html(), Html()
        super().__init__(
            [Row([self.ask, self.stop, self.close, self.said]), self.result], label="What the roster will look like"
        )
        self.ask.on_click(asked)
        self.stop.on_click(stopped)
        self.close.on_click(lambda _: self.clear())

    def say(self, text: str) -> None:
        """Say what is under way; the button waits meanwhile, and another one stops it."""
        self.ask.disabled, self.stop.hidden = True, False
        self.said.value = line(text, role="status")

    def show(self, html: str) -> None:
        """Show the answer."""
        self._free()
        self.result.value, self.said.value, self.close.hidden = html, "", False

    def fail(self, error: BaseException) -> None:
        """Show why there is no answer."""
        self.clear()
        self.said.value = render("error.html", kind=type(error).__name__, text=str(error))

    def clear(self, why: str = "") -> None:
        """Show no answer, and say why."""
        self._free()
        self.result.value, self.close.hidden = "", True
        self.said.value = line(why, role="status") if why else ""

    def _free(self) -> None:
        self.ask.disabled, self.stop.hidden = False, True


def coming_html(coming: ComingFindings, told: Mapping[str, str], when: str) -> str:
    """What the queue will make of the roster.

    Parameters
    ----------
    coming : ComingFindings
    told : mapping of str to str
        What each task does, in words.
    when : str
        Which queue it was, and of what time.
    """
    events = int(coming.by_sync["events"].sum())
    several = coming.roster.problems.loc[coming.roster.problems["problem"] == SEVERAL_TENANTS, "value"].tolist()
    parts = [
        (verb, len(df), _by_check(coming, df, told))
        for verb, df in (("Created", coming.created), ("Cleared", coming.cleared))
    ]
    refused = [_why_not(row) for row in coming.refused.to_dict("records")]
    return render(
        "coming.html",
        events=plural(events, "data event"),
        one=events == 1,
        when=when,
        words=coming.words,
        findings=_in_words(len(coming.created), len(coming.cleared)),
        tenants=several[-1] if several else "",
        refused=[(told.get(id, ""), id, why) for id, why in refused[:_MOST_ROWS]],
        not_applied=_not_applied(refused),
        more_refused=len(refused) - _MOST_ROWS,
        parts=[part for part in parts if part[1]],
        syncs=_syncs(coming),
    )


def _in_words(created: int, cleared: int) -> str:
    """``"3 findings are created, 1 is cleared."``."""
    if not created and not cleared:
        return "No finding is created or cleared."
    first = (
        f"{plural(created, 'finding')} {'is' if created == 1 else 'are'} created"
        if created
        else "No finding is created"
    )
    last = f"{cleared:,} {'is' if cleared == 1 else 'are'} cleared" if cleared else "none is cleared"
    return f"{first}, {last}."


def _by_check(coming: ComingFindings, found: pd.DataFrame, told: Mapping[str, str]) -> list[dict[str, object]]:
    """The findings of each check, those with the worst severity first, and of these most first."""
    counts = found["check"].value_counts(sort=False)
    severity = found.drop_duplicates("check").set_index("check")["severity"]
    order = {name: place for place, name in enumerate(severity.drop_duplicates())}
    checks = sorted(counts.index, key=lambda check: (order[severity[check]], -counts[check]))
    return [
        {
            "title": coming.then.title(check),
            "severity": severity[check],
            "count": int(counts[check]),
            "more": int(counts[check]) - _MOST_ROWS,
            "rows": [_row(row, told) for row in found[found["check"] == check].head(_MOST_ROWS).to_dict("records")],
        }
        for check in checks
    ]


def _row(row: Mapping[Hashable, object], told: Mapping[str, str]) -> dict[str, str]:
    name = next((value for value in (row["label"], row["id"]) if isinstance(value, str)), "–")
    task, group, detail = row["task_id"], row["group_id"], row["detail"]
    known = isinstance(task, str)
    return {
        "name": name,
        "detail": detail_words(detail) if isinstance(detail, str) else "",
        "task": told.get(str(task), shorten(str(task), _BRIEF)) if known else "",
        "sync": shorten(group, _BRIEF) if isinstance(group, str) else "",
    }


def _why_not(problem: Mapping[Hashable, object]) -> tuple[str, str]:
    """The task that cannot be applied, where it has an id, and why not."""
    text = str(problem["problem"])
    task, found, reason = text.removeprefix("the task ").partition(" was not applied: ")
    return (task, reason) if found else ("", text)


def _not_applied(refused: list[tuple[str, str]]) -> str:
    """``"2 tasks cannot be applied; the first: it holds no data."``; empty where all can."""
    if not refused:
        return ""
    first = "; the first: " if len(refused) > 1 else ": "
    return f"{count_tasks(len(refused))} cannot be applied{first}{refused[0][1]}."


def _syncs(coming: ComingFindings) -> list[tuple[str, int, int, int]]:
    """The syncs that create or clear anything; none where no sync is known."""
    df = coming.by_sync
    df = df[(df["created"] > 0) | (df["cleared"] > 0)]
    if df["group_id"].isna().all():
        return []
    named = [shorten(id, _BRIEF) if isinstance(id, str) else "no sync, or not known" for id in df["group_id"]]
    return list(zip(named, df["events"], df["created"], df["cleared"], strict=True))[:_MOST_SYNCS]


def task_effects(coming: ComingFindings | None, task: pd.Series) -> list[str]:
    """What a task does to the findings, in sentences; nothing before it was worked out."""
    if coming is None or str(task["type"]).replace("_", "").lower() != "dataevent" or not isinstance(task["id"], str):
        return []
    reasons = dict(_why_not(row) for row in coming.refused.to_dict("records"))
    if task["id"] in reasons:
        return [f"This task cannot be applied: {reasons[task['id']]}."]
    found = [
        f"This task {verb} {_titles(coming, df[df['task_id'] == task['id']])}."
        for verb, df in (("creates", coming.created), ("clears", coming.cleared))
        if (df["task_id"] == task["id"]).any()
    ]
    return found or ["As far as is known, this task creates or clears no findings."]


def _titles(coming: ComingFindings, found: pd.DataFrame) -> str:
    counts = found["check"].value_counts(sort=False)
    listed = (
        f"{coming.then.title(str(check))}{f' ({count:,})' if count > 1 else ''}" for check, count in counts.items()
    )
    return f"{plural(len(found), 'finding')}: {'; '.join(listed)}"


def told_tasks(tasks: pd.DataFrame, about: Iterable[object]) -> dict[str, str]:
    """What each task does, in words, by its id: ``"Delete student Ada Li"``, or an enrollment as it is told."""
    rows = zip(tasks["id"], tasks["action"], tasks["object_type"], about, strict=True)
    return {id: _told(action, kind, name) for id, action, kind, name in rows if isinstance(id, str)}


def _told(action: object, kind: object, name: object) -> str:
    named = [name] if isinstance(name, str) else []
    if named and isinstance(kind, str) and kind.endswith("ENROLLMENT"):
        return str(name)
    words = [value_words(value) for value in (action, kind) if isinstance(value, str)]
    return capital(" ".join([*words, *named]))
