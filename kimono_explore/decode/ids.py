"""Every object numbered: a code for each distinct (type, id).

Ids are text, and two tables may use the same one. Here each distinct (type, id), of a table or of an end of a
link, has one integer code; all lookups, neighborhoods and graphs count in codes.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kimono_explore.schema import OBJECT_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    Codes = NDArray[np.int32]


class IdIndex:
    """A code for each distinct (type, id): table rows first, in table order, then unknown ids, sorted.

    Parameters
    ----------
    ids : mapping of str to pandas.Series
        Object type -> the ids of its table.
    """

    def __init__(self, ids: Mapping[str, pd.Series]) -> None:
        self.types: tuple[str, ...] = tuple(OBJECT_TYPES.values())
        self._ids = {t: _distinct(_texts(ids[t])) for t in self.types}
        self._orders: dict[str, NDArray[np.int64]] = {}
        self._known = {t: len(index) for t, index in self._ids.items()}
        self._set_starts()

    def _set_starts(self) -> None:
        sizes = [len(self._ids[t]) for t in self.types]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.size = int(self._starts[-1])

    def add_unknown(self, *ends: tuple[pd.Series, pd.Series]) -> list[Codes]:
        """The codes of the ends, as (types, ids): new ones for what no table holds; earlier codes become invalid."""
        # table ids a b, ends b x c  ->  a 0, b 1, c 2, x 3: what no table holds comes after them, sorted
        rows = {t: [np.flatnonzero((types == t).to_numpy()) for types, _ in ends] for t in self.types}
        places = {
            t: self._number(t, [ids.iloc[here] for (_, ids), here in zip(ends, rows[t], strict=True)])
            for t in self.types
        }
        self._orders.clear()
        self._set_starts()
        codes = [np.full(len(ids), -1, dtype=np.int32) for _, ids in ends]
        for start, t in zip(self._starts, self.types, strict=False):
            for found, here, place in zip(codes, rows[t], places[t], strict=True):
                found[here] = np.where(place < 0, -1, place + start)
        return codes

    def _number(self, type: str, ends: list[pd.Series]) -> list[NDArray[np.int64]]:
        """The position of each id among the ids of its type (unknown ids are appended first); -1 for a missing id."""
        known, texts = self._ids[type], [_texts(ids) for ids in ends]
        places = [pc.index_in(named, value_set=known, skip_nulls=True) for named in texts]
        strange = [pc.and_(place.is_null(), named.is_valid()) for place, named in zip(places, texts, strict=True)]
        unknown = [named.filter(here) for named, here in zip(texts, strange, strict=True)]
        new = pc.unique(pa.chunked_array(unknown, pa.large_string()))
        new = new.take(pc.sort_indices(new))
        if len(new):
            self._ids[type] = pa.concat_arrays([known, new])
        numbered = []
        for place, here, names in zip(places, strange, unknown, strict=True):
            numbers = pc.fill_null(place, -1).to_numpy(zero_copy_only=False).astype(np.int64)
            numbers[here.to_numpy(zero_copy_only=False)] = len(known) + pc.index_in(names, value_set=new).to_numpy()
            numbered.append(numbers)
        return numbered

    def codes(self, types: pd.Series, ids: pd.Series) -> Codes:
        """The code of each (type, id); -1 where there is none."""
        found = np.full(len(ids), -1, dtype=np.int32)
        for start, t in zip(self._starts, self.types, strict=False):
            here = (types == t).to_numpy()
            if here.any():
                position = pc.index_in(_texts(ids[here]), value_set=self._ids[t], skip_nulls=True)
                found[here] = pc.fill_null(pc.add(position, int(start)), -1).to_numpy(zero_copy_only=False)
        return found

    def ids(self, codes: Iterable[int] | Codes) -> NDArray[np.object_]:
        """The id of each code."""
        codes = np.asarray(codes, dtype=np.int64)
        names = np.empty(len(codes), dtype=object)
        kinds = self._kinds(codes)
        for k in np.unique(kinds):
            here = kinds == k
            rows = pa.array(codes[here] - self._starts[k])
            names[here] = self._ids[self.types[k]].take(rows).to_numpy(zero_copy_only=False)
        return names

    def texts(self, codes: Iterable[int] | Codes) -> pa.LargeStringArray:
        """The id of each code, as Arrow text."""
        return pa.concat_arrays([self._ids[t] for t in self.types]).take(pa.array(codes))

    def kinds(self, codes: Iterable[int] | Codes) -> NDArray[np.int8]:
        """The type of each code, as its place in `types`."""
        return self._kinds(np.asarray(codes)).astype(np.int8)

    def type_of(self, codes: Iterable[int] | Codes) -> NDArray[np.object_]:
        """The object type of each code."""
        return np.array(self.types, dtype=object)[self._kinds(np.asarray(codes, dtype=np.int64))]

    def missing(self, codes: Iterable[int] | Codes) -> NDArray[np.bool_]:
        """True for each code that is only an end of a link: no table holds the object."""
        codes = np.asarray(codes, dtype=np.int64)
        kinds = self._kinds(codes)
        known = np.array([self._known[t] for t in self.types])
        return codes - self._starts[kinds] >= known[kinds]

    def _kinds(self, codes: NDArray[np.signedinteger]) -> NDArray[np.int64]:
        return np.searchsorted(self._starts, codes, side="right") - 1

    def lookup(self, id: str) -> list[int]:
        """The codes of the objects, of whatever type, that have this id."""
        found = []
        for start, t in zip(self._starts, self.types, strict=False):
            ids, order = self._ids[t], self._order(t)
            place = bisect_left(range(len(order)), id, key=lambda n: ids[int(order[n])].as_py())
            if place < len(order) and ids[int(order[place])].as_py() == id:
                found.append(int(start) + int(order[place]))
        return found

    def _order(self, type: str) -> NDArray[np.int64]:
        """The order that sorts the ids of a type: 8 bytes an id, a fifteenth of what a hash table would take."""
        if type not in self._orders:
            self._orders[type] = pc.sort_indices(self._ids[type]).to_numpy().astype(np.int64)
        return self._orders[type]


def _distinct(texts: pa.Array) -> pa.Array:
    """The texts without repeats; if there are none, the array itself, uncopied."""
    texts = texts.drop_null() if texts.null_count else texts
    distinct = pc.unique(texts)
    return texts if len(distinct) == len(texts) else distinct


def _texts(values: pd.Series) -> pa.Array:
    array = pa.array(values.astype("str"), from_pandas=True).cast(pa.large_string())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
