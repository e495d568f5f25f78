"""Search in everything a person may know about an object: names, titles, e-mail addresses, ids.

The texts of each object are folded once, into one Arrow column that DuckDB scans on all cores. Ids are a third of all
text, and mostly hexadecimal: they are scanned only for words that could be in one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kimono_explore.display import display_label
from kimono_explore.frames import frame
from kimono_explore.roster.query import nearest_word_query, typos_allowed, words_query
from kimono_explore.roster.text import fold_all, plain_texts
from kimono_explore.schema import OBJECT_TYPES, TABLES, columns_named, label_columns
from kimono_explore.threads import let_go_at_exit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping


# The columns that a search looks in besides the id; a table has some of them.
SEARCHED = columns_named(lambda column: column.searched)
_HEX_DIGITS = b"0123456789abcdef-"
_AT_A_TIME = 200_000
_NOTHING = pa.schema(
    {"table": pa.int8(), "row": pa.int32(), "words": pa.large_string(), "id": pa.large_string()}
).empty_table()
_LOWER_CASE = set(range(128)).difference(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")

_DETAILS = tuple(  # the first that is filled is shown beside the label
    column.name
    for column in sorted((c for columns in TABLES.values() for c in columns), key=lambda column: column.detail)
    if column.detail
)


class SearchIndex:
    """The texts of a roster's objects, folded.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
    """

    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        self._names = list(tables)
        pieces = [(n, name, df.iloc[at : at + _AT_A_TIME], at) for n, (name, df) in enumerate(tables.items())
                  for at in range(0, len(df), _AT_A_TIME)]  # fmt: skip
        with ThreadPoolExecutor() as pool:
            connected = pool.submit(duckdb.connect)
            texts = list(pool.map(lambda piece: _searchable(*piece), pieces))
            self._letters = set(_HEX_DIGITS).union(*pool.map(lambda some: _letters(some["id"].chunk(0)), texts))
            if not self._letters <= _LOWER_CASE:
                self._letters = set(range(256))
                folded = pool.map(lambda some: fold_all(some["id"].chunk(0)), texts)
                texts = [some.set_column(3, "id", ids) for some, ids in zip(texts, folded, strict=True)]
        self._duckdb, self._texts = connected.result(), pa.concat_tables([_NOTHING, *texts])
        let_go_at_exit(self)

    def rows(self, words: list[str]) -> dict[str, np.ndarray]:
        """The rows of each table in which every word occurs; the words are folded."""
        if not words:
            return {}
        maybe = [self._letters.issuperset(word.encode()) for word in words]
        where = " and ".join(
            f"(contains(words, ${n}) or contains(id, ${n}))" if in_ids else f"contains(words, ${n})"
            for n, in_ids in enumerate(maybe, 1)
        )
        with self._duckdb.cursor() as cursor:
            cursor.register("texts", self._texts)
            query = f'select "table", row from texts where {where}'  # noqa: S608, of our own words
            found = cursor.execute(query, words).fetchnumpy()
        tables, rows = np.asarray(found["table"]), np.asarray(found["row"])
        ends = np.searchsorted(tables, np.arange(len(self._names) + 1))
        return {name: rows[ends[n] : ends[n + 1]] for n, name in enumerate(self._names)}

    @cached_property
    def _words(self) -> pa.Table:
        """The distinct words of each table; made when a search first finds nothing."""
        with self._duckdb.cursor() as cursor:
            cursor.register("texts", self._texts)
            return cursor.sql(words_query("words", "texts", '"table",')).to_arrow_table()

    def nearest(self, word: str, tables: Collection[str]) -> str | None:
        """The word in some tables that is nearest to a folded word; the word itself if it occurs there."""
        found = self.rows([word])
        if any(len(found[name]) for name in tables):
            return word
        most = typos_allowed(word)
        if not most:
            return None
        numbers = ", ".join(str(self._names.index(name)) for name in tables)
        with self._duckdb.cursor() as cursor:
            cursor.register("known", self._words)
            query = nearest_word_query(f'(select distinct word from known where "table" in ({numbers}))')  # noqa: S608
            near = cursor.execute(query, {"word": word, "most": most}).fetchone()
        return None if near is None else str(near[0])


def tables_of(type: str | None) -> tuple[str, ...]:
    """The tables to search: that of a type, by its name or its table's, or all.

    Raises
    ------
    ValueError
        The type is unknown.
    """
    known = tuple(name for name, own in OBJECT_TYPES.items() if type in (None, own, name))
    if not known:
        raise ValueError(f"Unknown type {type!r}. Choose one of: {', '.join(OBJECT_TYPES.values())}.")
    return known


def shown(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table as a search shows them: type, id, label, local_id, detail."""
    wanted = dict.fromkeys(("id", "label", "local_id", *_DETAILS, *label_columns(name)))
    df = rows[[column for column in wanted if column in rows]]
    missing = pd.Series(float("nan"), index=df.index, dtype="str")
    detail = missing
    for column in _DETAILS:
        detail = detail.where(detail.notna(), df.get(column, missing))
    columns = {
        "type": pd.Series(OBJECT_TYPES[name], index=df.index, dtype="str"),
        "id": df["id"],
        "label": display_label(name, df),
        "local_id": df.get("local_id", missing),
        "detail": detail,
    }
    return pd.DataFrame(columns).reset_index(drop=True)


def did_you_mean(
    words: list[str], nearest: Callable[[str], str | None], found: Callable[[list[str]], int]
) -> str | None:
    """The nearest known words to words that find nothing, if those find something; else None."""
    near = []
    for word in words:
        other = nearest(word)
        if other is None:
            return None
        near.append(other)
    return " ".join(near) if near != words and found(near) else None


def rank_results(parts: list[pd.DataFrame], words: list[str], limit: int) -> pd.DataFrame:
    """The results, labels that begin with the words first; ``attrs["found"]`` is how many there are."""
    result = pd.concat(parts or [shown("orgs", frame("orgs"))], ignore_index=True)
    total = len(result)
    if total:
        starts = pc.starts_with(fold_all(result["label"]), " ".join(words)).to_numpy(zero_copy_only=False)
        result = result.iloc[np.argsort(~starts, kind="stable")[:limit]].reset_index(drop=True)
    result.attrs["found"] = total
    return result


def _searchable(number: int, name: str, df: pd.DataFrame, first_row: int) -> pa.Table:
    """The folded texts of some rows of a table: what a search looks in."""
    raw = {column: plain_texts(df[column]) for column in (*SEARCHED, "label") if column in df}
    # A label is mostly what is there already: "First Last", or the title.
    named = _joined([plain_texts(df[column]) for column in label_columns(name)], " ")
    raw["label"] = pc.if_else(pc.equal(raw["label"], named), "", raw["label"])
    filled = [texts for texts in raw.values() if pc.any(pc.greater(pc.binary_length(texts), 0)).as_py()]
    words = _joined([fold_all(texts) for texts in filled or [raw["label"]]], "\n")
    rows = pa.array(np.arange(first_row, first_row + len(df), dtype=np.int32))
    table = pa.repeat(pa.scalar(number, pa.int8()), len(df))
    return pa.table([table, rows, words, plain_texts(df["id"])], _NOTHING.schema)


def _joined(texts: list[pa.LargeStringArray], between: str) -> pa.LargeStringArray:
    return pc.binary_join_element_wise(*texts, pa.scalar(between, pa.large_string()))


def _letters(texts: pa.LargeStringArray) -> set[int]:
    """The bytes that occur in the texts, except those of hexadecimal ids."""
    starts, data = texts.buffers()[1:]
    if data is None:
        return set()
    first, last = np.frombuffer(starts, np.int64)[[texts.offset, texts.offset + len(texts)]].tolist()
    return set(data.slice(first, last - first).to_pybytes().translate(None, _HEX_DIGITS))
