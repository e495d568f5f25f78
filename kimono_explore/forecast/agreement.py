"""Whether a server sends what is expected: the rows and links of a few pages, compared with a whole roster."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from kimono_explore.decode.decoder import Decoder
from kimono_explore.decode.links import merge_sides
from kimono_explore.display import plural, printable
from kimono_explore.forecast.events import SIDE_EFFECTS
from kimono_explore.frames import to_pandas
from kimono_explore.schema import OBJECT_TYPES, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import msgspec

    from kimono_explore.roster.roster import Roster

_ENDS = ["source_type", "source_id", "relation", "target_type", "target_id"]


class Sent(NamedTuple):
    """Some rows of a table, decoded, and the links that they state."""

    rows: pd.DataFrame
    links: pd.DataFrame


def sent_rows(table: str, rows: Sequence[bytes | msgspec.Raw]) -> Sent:
    """Decode rows of one list, and the links that they state."""
    decoder = Decoder(table)
    decoder.add(rows)
    decoded = decoder.finish()
    df = to_pandas(table, decoded.columns)
    ids = {name: df["id"] if name == table else df["id"].head(0) for name in TABLES}
    return Sent(df, merge_sides(ids, {table: decoded.links})[0])


def rows_and_links(
    roster: Roster, ends: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], set[tuple[str | None, ...]]]:
    """The rows and links that a roster has for objects given by table and id."""
    found: dict[tuple[str, str], set[tuple[str | None, ...]]] = {end: set() for end in ends}
    for table in dict.fromkeys(table for table, _ in found):
        ids = [id for of, id in found if of == table]
        rows = roster.tables[table]
        rows = rows[rows["id"].isin(ids)]
        for id, cells in zip(rows["id"], _cells(rows, sorted({*rows} - {*SIDE_EFFECTS})), strict=True):
            found[table, id].add(cells)
        for side in ("source", "target"):
            links = roster.links[roster.links[f"{side}_id"].isin(ids)]
            links = links[links[f"{side}_type"] == OBJECT_TYPES[table]]
            for id, cells in zip(links[f"{side}_id"], _cells(links, sorted({*links} - {*SIDE_EFFECTS})), strict=True):
                found[table, id].add(cells)
    return found


def differences(table: str, sent: Sent, expected: Roster) -> list[str]:
    """How the rows sent of a table differ from those expected, in words. Rows that were not sent are ignored."""
    return [*_row_differences(table, sent.rows, expected), *_link_differences(table, sent, expected)]


def _row_differences(table: str, sent: pd.DataFrame, expected: Roster) -> list[str]:
    ids, all_rows = sent["id"], expected.tables[table]
    expected_rows = all_rows[all_rows["id"].isin(ids)]
    unknown = ~ids.isin(expected_rows["id"])
    found = [f"{plural(int(unknown.sum()), 'row')} not expected"] if unknown.any() else []
    columns = [name for name in dict.fromkeys([*sent, *expected_rows]) if name not in SIDE_EFFECTS]
    known = set(_cells(expected_rows, columns))
    rows = zip(ids, _cells(sent, columns), unknown, strict=True)
    other = [id for id, row, is_unknown in rows if row not in known and not is_unknown]
    if other:
        found.append(f"{plural(len(other), 'row')} with other values, such as that of {printable(str(other[0]))}")
    return found


def _cells(df: pd.DataFrame, columns: list[str]) -> list[tuple[str | None, ...]]:
    """Each row as texts: a column of numbers in a whole list may be one of text in a page of it."""
    shown = [_cell_texts(df[name]) if name in df else [None] * len(df) for name in columns]
    return list(zip(*shown, strict=True))


def _cell_texts(values: pd.Series) -> list[str | None]:
    return [
        None if cell is None or cell is pd.NA or cell != cell  # NaN and NaT
        else str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)
        for cell in values.tolist()
    ]  # fmt: skip


def _link_differences(table: str, sent: Sent, expected: Roster) -> list[str]:
    sent_links, expected_links = sent.links, _links_stated_by(table, expected.links, sent.rows["id"])
    both = (
        sent_links[_ENDS]
        .drop_duplicates()
        .merge(expected_links[_ENDS].drop_duplicates(), how="outer", indicator="side")
    )
    missing = both[both["side"] == "right_only"]
    unknown = both[both["side"] == "left_only"][_ENDS]
    if len(unknown):  # the other side may state them
        near = expected.links[expected.links["source_id"].isin(unknown["source_id"])]
        unknown = unknown[~_is_among(unknown, near)]
    found = [
        f"{plural(len(links), 'link')} {what}, such as that of {printable(str(links['source_id'].iloc[0]))}"
        for links, what in ((unknown, "not expected"), (missing, "fewer than expected"))
        if len(links)
    ]
    return [*found, *_membership_differences(sent_links, expected_links)]


def _links_stated_by(table: str, links: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """The links that the objects with these ids state themselves."""
    parts = []
    for side in ("source", "target"):
        own = (links[f"{side}_type"] == OBJECT_TYPES[table]) & links["stated_by"].isin([side, "both"])
        near = links[own]
        parts.append(near[near[f"{side}_id"].isin(ids)])
    return pd.concat(parts, ignore_index=True)


def _is_among(links: pd.DataFrame, others: pd.DataFrame) -> pd.Series:
    keys = [pd.MultiIndex.from_frame(df[_ENDS].astype("str")) for df in (links, others)]
    return pd.Series(keys[0].isin(keys[1]), index=links.index)


def _membership_differences(sent_links: pd.DataFrame, expected_links: pd.DataFrame) -> list[str]:
    """Links whose status, dates or other values are not those of any expected link with the same ends.

    A value that the page does not name may come from the other side.
    """
    own = [name for name in sent_links if name not in (*_ENDS, *SIDE_EFFECTS)]
    pairs = sent_links.reset_index(names="link").merge(expected_links, on=_ENDS, suffixes=("", "_expected"))
    fits = pd.Series(data=True, index=pairs.index)
    for name in own:
        theirs = pairs[name]
        ours = pairs.get(f"{name}_expected", pd.Series(None, index=pairs.index, dtype="object"))
        fits &= theirs.isna() | (theirs.astype("object") == ours.astype("object"))
    agreed = fits.groupby(pairs["link"]).any()
    other = agreed.index[~agreed]
    if not len(other):
        return []
    return [f"{plural(len(other), 'link')} with other values, such as that of {sent_links['source_id'].loc[other[0]]}"]
