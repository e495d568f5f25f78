"""What stands beside the rows of the queue: the task that is picked, and how long all have waited."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from kimono_explore.display import cell_text
from kimono_explore.html import render
from kimono_explore.widgets.task_html import changes_rows, describe_group, describe_task, pretty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kimono_explore.widgets.names import Names


def task_html(
    task: pd.Series,
    picked: int,
    tasks: pd.DataFrame,
    names: Names,
    warnings: Sequence[str],
    effects: Sequence[str] = (),
) -> str:
    """A task in words, with its changes, its facts and what the server sent.

    Parameters
    ----------
    task : pandas.Series
    picked : int
        How many are picked.
    tasks : pandas.DataFrame
        The queue.
    names : Names
    warnings : sequence of str
        The checks that it fails.
    effects : sequence of str, optional
        What it does to the findings of the roster, in sentences.
    """
    facts = {
        "tenant": task["tenant_id"],
        "id": task["id"],
        "sequence": task["sequence"],
        "created": None if pd.isna(task["created_at"]) else f"{cell_text(task['created_at'], seconds=True)} UTC",
        "app id": task["app_id"],
        "origin": task["origin"],
    }
    raw = {name: pretty(task[name]) for name in ("data", "raw")}
    return render(
        "task.html",
        picked=picked,
        sentence=describe_task(task, names.name),
        changes=changes_rows(task),
        facts={name: str(value) for name, value in facts.items() if not pd.isna(value)},
        group=describe_group(tasks, task["group_id"]) if isinstance(task["group_id"], str) else None,
        looked_up=names.known and isinstance(task["object_id"], str),
        objects=names.objects(task),
        warnings=warnings,
        effects=effects,
        raw={name: text for name, text in raw.items() if text},
    )


def waits_html(
    waits: Callable[[str | None], pd.DataFrame], headings: Mapping[str, str], words: Mapping[str, Callable[[str], str]]
) -> str:
    """How long the tasks have waited, in a sentence, and by the columns of ``words``; nothing where there are none."""
    together = waits(None)
    if together.empty:
        return ""
    parts = [
        (headings[by], [(said(row[0]), row[1], row[5]) for row in waits(by).itertuples(index=False)])
        for by, said in words.items()
    ]
    return render("waits.html", summary=together["words"].iloc[0], parts=parts)
