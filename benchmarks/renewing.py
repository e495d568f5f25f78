"""A roster under new ids, some of its fields damaged: what `kx.compare(..., match="auto")` must see through."""

from __future__ import annotations

import numpy as np
import pandas as pd

import kimono_explore as kx
from kimono_explore.schema import OBJECT_TYPES

_DAMAGED = (
    "local_id",
    "state_id",
    "email",
    "name_last",
    "name_first",
    "dob",
    "title",
    "name",
    "phone",
    "address_line1",
)


def renewed(roster: kx.Roster, seed: int = 1, damage: float = 0.0) -> tuple[kx.Roster, dict[str, dict[str, str]]]:
    """The roster with all ids new and its rows in another order, and for each table the new id of each old one.

    ``damage`` is the share of the values of each field that lose a letter, are spelled otherwise, or are missing.
    """
    rng = np.random.default_rng(seed)
    tables, ids = {}, {}
    for name, df in roster.tables.items():
        new = pd.Series([f"{name[:2]}-{n:07}" for n in rng.permutation(len(df))], index=df.index, dtype="str")
        ids[name] = dict(zip(df["id"], new, strict=True))
        fields = {field: _damaged(df[field], rng, damage) for field in _DAMAGED if field in df and damage}
        tables[name] = df.assign(id=new, **fields).iloc[rng.permutation(len(df))].reset_index(drop=True)
    links = roster.links.copy()
    for end in ("source", "target"):
        types = links[f"{end}_type"].astype("str")
        known = links[f"{end}_id"].copy()
        for name, type in OBJECT_TYPES.items():
            of_type = types == type
            known[of_type] = known[of_type].map(ids[name]).fillna(known[of_type])
        links[f"{end}_id"] = known
    return kx.Roster(**tables, links=links, source=roster.source, loaded_at=roster.loaded_at), ids


def _damaged(column: pd.Series, rng: np.random.Generator, share: float) -> pd.Series:
    hit = pd.Series(rng.random(len(column)) < share, index=column.index)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        days = pd.Series(pd.to_timedelta(rng.integers(1, 9, len(column)), unit="D"), index=column.index)
        return column.where(~hit, column + days)
    kind = rng.integers(0, 3, len(column))
    texts = column.astype("str")
    wrong = texts.str[:-1].where(kind == 0, texts.str.upper().str.replace("E", "A").where(kind == 1))
    return texts.where(~hit, wrong).astype("str")


def score(diff: kx.Comparison, table: str, ids: dict[str, dict[str, str]]) -> tuple[float, float]:
    """Precision and recall of the matches of a table."""
    found = diff.recreated(table)
    right = sum(ids[table].get(old) == new for old, new in zip(found["old_id"], found["new_id"], strict=True))
    return right / max(1, len(found)), right / max(1, len(ids[table]))
