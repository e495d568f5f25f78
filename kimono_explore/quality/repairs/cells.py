"""Repairs of cells: text without what should not be in it, and the school year of all others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kimono_explore.display import listed
from kimono_explore.quality.checks.values import SPACE, UNSEEN
from kimono_explore.quality.repairs.evidence import (
    Edit,
    Evidence,
    in_words,
)
from kimono_explore.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd


def _trim(evidence: Evidence) -> Iterator[Edit]:
    for check, row in evidence.failing("untrimmed_text"):
        yield from _rewritten(evidence, check, row, _trimmed, "without the spaces around it and unseen characters")


def _decode(evidence: Evidence) -> Iterator[Edit]:
    for check, row in evidence.failing("broken_encoding"):
        yield from _rewritten(evidence, check, row, _decoded, "read as UTF-8, which it is")


def _trimmed(text: str) -> str:
    return re.sub(f"^{SPACE}+|{SPACE}+$", "", re.sub(UNSEEN, lambda found: "" if found[0] > " " else " ", text))


def _decoded(text: str) -> str:
    for encoding in ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode()
        except UnicodeError:
            continue
    return text


def _rewritten(
    evidence: Evidence, check: str, row: pd.Series, rewrite: Callable[[str], str], how: str
) -> Iterator[Edit]:
    table, id = row["table"], row["id"]
    place = evidence.row_of(table, id) if table in TABLES else None
    if place is None:
        return
    df = evidence.roster.tables[table]
    names = [name for name in df.columns if name not in ("id", "description") and isinstance(df[name].iloc[place], str)]
    cells = {name: rewrite(old) for name in names if rewrite(old := df[name].iloc[place]) != old}
    shown = [name for name in cells if name != "label"] or list(cells)
    if cells:
        text = f"Write the {listed(in_words(name) for name in shown)} of {_trimmed(evidence.name(table, id))} {how}"
        why = "; ".join(f"{in_words(name)}: {cells[name]}" for name in shown)
        yield Edit("change", table, id, text, why, table, (place,), cells, (check,), frozenset({id}))


def _school_year(evidence: Evidence) -> Iterator[Edit]:
    for check, row in evidence.failing("school_year_outlier"):
        place = evidence.row_of(row["table"], row["id"])
        if place is not None:
            text = f"Set the school year of {evidence.name(row['table'], row['id'])} to {row['usual']}"
            why = f"It is {row['school_year']}, and {row['usual']} is that of nearly all others."
            cells = {"school_year": row["usual"]}
            yield Edit(
                "change", row["table"], row["id"], text, why, row["table"], (place,), cells, (check,), frozenset({row["id"]})
            )  # fmt: skip


RULES = (
    _trim,
    _decode,
    _school_year,
)
