"""What differs between two tables, in plain Python: rows are dicts, and copies of a key are paired in order."""

from __future__ import annotations

from collections import defaultdict

import pandas as pd

LINK = ("source_type", "source_id", "relation", "target_type", "target_id", "role")


def plain_comparison(old: pd.DataFrame, new: pd.DataFrame, table: str) -> dict[str, int]:
    """The counts of added, removed, changed and unchanged rows."""
    columns = sorted({*old.columns, *new.columns})
    sides = [defaultdict(list), defaultdict(list)]
    for side, df in zip(sides, (old, new), strict=True):
        cells = {name: [_cell(value) for value in df[name]] if name in df else [None] * len(df) for name in columns}
        for n in range(len(df)):
            row = {name: cells[name][n] for name in columns}
            key = tuple(row[name] for name in LINK) if table == "links" else row["id"]
            side[tuple(row.values()) if key is None else (key,)].append(row)
    counts = dict.fromkeys(("added", "removed", "changed", "unchanged"), 0)
    for key in {*sides[0], *sides[1]}:
        before, after = sides[0][key], sides[1][key]
        for one, other in zip(before, after, strict=False):
            counts["unchanged" if one == other else "changed"] += 1
        counts["removed"] += max(0, len(before) - len(after))
        counts["added"] += max(0, len(after) - len(before))
    return counts


def _cell(value: object) -> str | None:
    return None if pd.isna(value) else str(value)  # type: ignore[call-overload]
