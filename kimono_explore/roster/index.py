"""Every object of a roster numbered, and for each number the rows of ``links`` that touch it.

Ids are text, and two tables may use the same one. Here each distinct (type, id), of a table or of an end of a
link, has one integer code; all lookups, neighborhoods and graphs count in codes. The incidence of links is
kept in two sparse matrices (node x link), 4 bytes a link each, so that a state's roster still fits.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from kimono_explore.schema import OBJECT_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    Codes = NDArray[np.int32]


class Numbering:
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
        self._place()

    def _place(self) -> None:
        sizes = [len(self._ids[t]) for t in self.types]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.size = int(self._starts[-1])

    def learn(self, *ends: tuple[pd.Series, pd.Series]) -> None:
        """Give codes to the ids that no table holds, of ends as (types, ids); codes given before are no longer valid."""
        for t in self.types:
            unknown = []
            for types, ids in ends:
                named = _texts(ids[(types == t).to_numpy()]).drop_null()
                if len(named):
                    unknown.append(named.filter(pc.invert(pc.is_in(named, value_set=self._ids[t]))))
            new = pc.unique(pa.chunked_array(unknown, pa.large_string()))
            if len(new):
                self._ids[t] = pa.concat_arrays([self._ids[t], new.take(pc.sort_indices(new))])
        self._orders.clear()
        self._place()

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
        """The ids of a type in order: 8 bytes each, where a hash table of them would take fifteen times as much."""
        if type not in self._orders:
            self._orders[type] = pc.sort_indices(self._ids[type]).to_numpy().astype(np.int64)
        return self._orders[type]


class LinkIndex(Numbering):
    """The numbering of a roster's objects, with its links indexed from both ends.

    Attributes
    ----------
    source, target : numpy.ndarray of int32
        The codes of both ends of each row of ``links``; -1 where an end has no id.
    """

    def __init__(self, tables: Mapping[str, pd.DataFrame], links: pd.DataFrame) -> None:
        super().__init__({t: tables[name]["id"] for name, t in OBJECT_TYPES.items()})
        self._tables = tables
        ends = [(links["source_type"], links["source_id"]), (links["target_type"], links["target_id"])]
        self.learn(*ends)
        self.source, self.target = (self.codes(types, ids) for types, ids in ends)
        self._from, self._to = self._incidence(self.source), self._incidence(self.target)
        self._shared: set[str] | None = None
        self._rows_of: dict[str, NDArray[np.int64]] = {}

    def _incidence(self, codes: Codes) -> sparse.csr_array:
        rows = np.flatnonzero(codes >= 0)
        ones = np.ones(len(rows), dtype=np.int8)
        return sparse.csr_array((ones, (codes[rows], rows)), shape=(self.size, len(codes)))

    def links_from(self, codes: Iterable[int] | Codes) -> NDArray[np.int64]:
        """The rows of ``links`` whose source is one of the codes."""
        return _rows(self._from, codes)

    def links_to(self, codes: Iterable[int] | Codes) -> NDArray[np.int64]:
        """The rows of ``links`` whose target is one of the codes."""
        return _rows(self._to, codes)

    def code(self, id: str, type: str | None = None) -> int:
        """The code of the object with this id.

        Parameters
        ----------
        id : str
            An id, or ``"type:id"``.
        type : str, optional
            The object's type, where objects of two types share the id.

        Raises
        ------
        KeyError
            There is no such object.
        ValueError
            Objects of more than one type have this id, and no type was given.
        """
        found = self.lookup(id)
        prefix, _, rest = id.partition(":")
        if not found and prefix in self.types:
            found, type = self.lookup(rest), prefix
        if type is not None:
            found = [code for code in found if self.type_of([code])[0] == type]
        if not found:
            hint = "roster.search(text) finds ids by name, e-mail or local id"
            raise KeyError(f"No {type or 'object'} has the id {id!r}; {hint}.")
        if len(found) > 1:
            kinds = ", ".join(self.type_of(found))
            raise ValueError(f"The id {id!r} is used by objects of several types: {kinds}. Say which with type=.")
        return found[0]

    def name(self, codes: Iterable[int] | Codes) -> NDArray[np.object_]:
        """The node name of each code: its id, or ``type:id`` where objects of two types share the id."""
        codes = np.asarray(codes, dtype=np.int64)
        names = self.ids(codes)
        shared = self._shared_ids()
        if shared:
            for i, name in enumerate(names):
                if name in shared:
                    names[i] = f"{self.type_of(codes[i : i + 1])[0]}:{name}"
        return names

    def _shared_ids(self) -> set[str]:
        if self._shared is None:
            shared: set[str] = set()
            for i, one in enumerate(self.types):
                for other in self.types[i + 1 :]:
                    smaller, larger = sorted((self._ids[one], self._ids[other]), key=len)
                    shared.update(smaller.filter(pc.is_in(smaller, value_set=larger)).to_pylist())
            self._shared = shared
        return self._shared

    def labels(self, codes: Iterable[int] | Codes) -> NDArray[np.object_]:
        """A text to show for each code: its label, else its name or title, else its id."""
        codes = np.asarray(codes, dtype=np.int64)
        labels = self.ids(codes)
        kinds = self.type_of(codes)
        for table, t in OBJECT_TYPES.items():
            here = np.flatnonzero((kinds == t) & ~self.missing(codes))
            if len(here):
                rows = self.rows(codes[here])
                df = self._tables[table]
                shown = display_label(df[[name for name in LABEL_COLUMNS if name in df]].iloc[rows])
                labels[here] = np.where(shown.isna(), labels[here], shown.to_numpy(dtype=object))
        return labels

    def rows(self, codes: Iterable[int] | Codes) -> NDArray[np.int64]:
        """The row (position) of each code in its table: the first, where an id came twice; -1 if missing."""
        codes = np.asarray(codes, dtype=np.int64)
        kinds = self._kinds(codes)
        positions = np.full(len(codes), -1, dtype=np.int64)
        for k in np.unique(kinds):
            here = (kinds == k) & ~self.missing(codes)
            positions[here] = self._first_rows(self.types[k])[codes[here] - self._starts[k]]
        return positions

    def all_rows(self, code: int) -> NDArray[np.int64]:
        """The rows of a code in its table: one, unless its id was repeated; none if it is missing."""
        first = self.rows([code])
        if first[0] < 0:
            return first[:0]
        type = str(self.type_of([code])[0])
        ids = self._tables[next(name for name, t in OBJECT_TYPES.items() if t == type)]["id"]
        if len(self._first_rows(type)) == ids.count():
            return first
        return np.flatnonzero((ids == self.ids([code])[0]).to_numpy(dtype=bool, na_value=False))

    def _first_rows(self, type: str) -> NDArray[np.int64]:
        if type not in self._rows_of:
            table = next(name for name, t in OBJECT_TYPES.items() if t == type)
            ids = self._tables[table]["id"]
            self._rows_of[type] = np.flatnonzero((ids.notna() & ~ids.duplicated()).to_numpy())
        return self._rows_of[type]


LABEL_COLUMNS = ("label", "name_first", "name_last", "title", "name")


def display_label(df: pd.DataFrame) -> pd.Series:
    """A text to show for each row of a table: ``label``, else name or title, else NA."""
    label = df["label"]
    if "name_last" in df.columns:
        parts = df["name_first"].fillna("") + " " + df["name_last"].fillna("")
        other = parts.str.strip()
    else:
        other = df["title"] if "title" in df.columns else df["name"]
    return label.where(label.notna(), other).replace("", float("nan"))


def _distinct(texts: pa.Array) -> pa.Array:
    """The texts without repeats: the table's own memory where it has none."""
    texts = texts.drop_null() if texts.null_count else texts
    distinct = pc.unique(texts)
    return texts if len(distinct) == len(texts) else distinct


def _texts(values: pd.Series) -> pa.Array:
    array = pa.array(values.astype("str"), from_pandas=True).cast(pa.large_string())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _rows(incidence: sparse.csr_array, codes: Iterable[int] | Codes) -> NDArray[np.int64]:
    codes = np.asarray(codes, dtype=np.int64)
    starts, ends = incidence.indptr[codes], incidence.indptr[codes + 1]
    if len(codes) == 1:
        return incidence.indices[starts[0] : ends[0]].astype(np.int64)
    counts = (ends - starts).astype(np.int64)
    before = np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    return incidence.indices[before + np.arange(counts.sum())].astype(np.int64)
