"""The object on screen in `browse`, as HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kimono_explore.display import cell_text
from kimono_explore.html import render
from kimono_explore.schema import TABLE_OF
from kimono_explore.widgets.words import capital, column_words, detail_words, value_words

if TYPE_CHECKING:
    from kimono_explore.quality import Report
    from kimono_explore.roster.roster import Description

_MOST_ROWS = 4
"""Rows of one id that stand side by side."""


def object_html(about: Description, report: Report | None) -> str:
    """An object as HTML: what it is, its fields, its ``$ext``, and what was found about it."""
    fields = {str(name): value for name, value in about.fields.items() if name not in ("id", "label")}
    own = {name: value for name, value in fields.items() if not name.startswith("ext_")}
    extra = {name.removeprefix("ext_"): value for name, value in fields.items() if name.startswith("ext_")}
    return render(
        "object.html",
        about=about,
        kind=_kind(about),
        own=_pairs(own),
        extra=_pairs(extra),
        rows=len(about.others) + 1,
        differing=_differing(about),
        findings=None if report is None else _findings(about, report),
    )


def _kind(about: Description) -> str:
    """What it is, as exactly as it says itself: ``"student"`` of a person."""
    said = about.fields.get("person_type") if about.type == "person" else None
    return value_words(said if isinstance(said, str) else about.type)


def _findings(about: Description, report: Report) -> list[dict[str, str]]:
    table = TABLE_OF[about.type]
    found = report.findings[(report.findings["id"] == about.id) & (report.findings["table"] == table)]
    return [
        {"severity": row["severity"], "title": report.title(row["check"]), "detail": detail_words(row["detail"])}
        for row in found.fillna("").to_dict("records")
    ]


def _differing(about: Description) -> list[tuple[str, list[str]]]:
    """The fields that are not the same in all rows of an id, with the values of the first rows."""
    rows = [about.fields.to_dict(), *about.others.to_dict("records")]
    names = dict.fromkeys(str(name) for row in rows for name in row if name != "id")
    told = {name: ["" if pd.isna(row.get(name)) else _said(row[name]) for row in rows] for name in names}
    return [
        (capital(column_words(name.removeprefix("ext_"))), values[:_MOST_ROWS])
        for name, values in told.items()
        if len(set(values)) > 1
    ]


def _pairs(values: dict[str, object]) -> list[tuple[str, str, str]]:
    """Names, what they are called, and values as texts: days without a time, times to the minute."""
    return [(name, capital(column_words(name)), _said(value)) for name, value in values.items()]


def _said(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return (
            f"{cell_text(value)} UTC" if value.tzinfo is not None and value != value.normalize() else cell_text(value)
        )
    return (
        {"True": "yes", "False": "no"}.get(str(value), str(value))
        if isinstance(value, (bool, np.bool_))
        else str(value)
    )
