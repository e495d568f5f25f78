"""For each object of a roster, the rows of ``links`` that touch it.

The incidence of links is kept in two sparse matrices (node x link), 4 bytes a link each, so that a state's roster
still fits.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from scipy import sparse
from scipy.sparse import csgraph

from kimono_explore.decode.ids import IdIndex
from kimono_explore.display import display_label
from kimono_explore.errors import given
from kimono_explore.schema import OBJECT_TYPES, TABLE_OF, label_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from kimono_explore.decode.ids import Codes


class LinkIndex(IdIndex):
    """The index of a roster's objects, with its links indexed from both ends.

    Attributes
    ----------
    source, target : numpy.ndarray of int32
        The codes of both ends of each row of ``links``; -1 where an end has no id.
    """

    def __init__(self, tables: Mapping[str, pd.DataFrame], links: pd.DataFrame) -> None:
        super().__init__({t: tables[name]["id"] for name, t in OBJECT_TYPES.items()})
        self._tables = tables
        ends = [(links["source_type"], links["source_id"]), (links["target_type"], links["target_id"])]
        self.source, self.target = self.add_unknown(*ends)
        self._from, self._to = self._incidence(self.source), self._incidence(self.target)
        self._shared: set[str] | None = None
        self._rows_of: dict[str, NDArray[np.int64]] = {}

    def _incidence(self, codes: Codes) -> sparse.csr_array:
        # codes 2 0 2 of three links  ->  row 0: link 1; row 1: none; row 2: links 0 and 2
        rows = np.flatnonzero(codes >= 0)
        ones = np.ones(len(rows), dtype=np.int8)
        return sparse.csr_array((ones, (codes[rows], rows)), shape=(self.size, len(codes)))

    def links_from(self, codes: Iterable[int] | Codes) -> NDArray[np.int64]:
        """The rows of ``links`` whose source is one of the codes."""
        return _rows(self._from, codes)

    def links_to(self, codes: Iterable[int] | Codes) -> NDArray[np.int64]:
        """The rows of ``links`` whose target is one of the codes."""
        return _rows(self._to, codes)

    def degrees(self) -> NDArray[np.int64]:
        """How many rows of ``links`` touch each object, from either end."""
        return (np.diff(self._from.indptr) + np.diff(self._to.indptr)).astype(np.int64)

    @cached_property
    def broad(self) -> NDArray[np.bool_]:
        """True for each object that links nearly everything, and so says nothing: terms, and orgs that are not schools."""
        orgs = self._tables["orgs"]
        kinds = orgs["org_type"].str.lower()
        ids = orgs.loc[(kinds.notna() & (kinds != "school")).to_numpy(dtype=bool), "id"].dropna().astype("str")
        broad = self.kinds(np.arange(self.size)) == self.types.index("term")
        broad[self.codes(pd.Series("org", index=ids.index, dtype="str"), ids)] = True
        return broad

    @cached_property
    def parts(self) -> NDArray[np.int32]:
        """The connected part that each object is in, as a number; links of `broad` objects do not connect."""
        ends = (self.source >= 0) & (self.target >= 0)
        ends &= ~(self.broad[self.source] | self.broad[self.target])
        shape = (self.size, self.size)
        links = sparse.coo_array((np.ones(int(ends.sum()), np.int8), (self.source[ends], self.target[ends])), shape)
        parts: NDArray[np.int32] = csgraph.connected_components(links, directed=False)[1]
        return parts

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
            No object has this id.
        TypeError
            The id is not a text.
        ValueError
            Objects of more than one type have this id, and no type was given.
        """
        hint = "roster.search(text) finds ids by name, e-mail or local id"
        if not isinstance(id, str):
            raise TypeError(f"An id is a text, not {given(id)}; {hint}.")
        found = self.lookup(id)
        prefix, _, rest = id.partition(":")
        if not found and prefix in self.types:
            found, type = self.lookup(rest), prefix
        if type is not None:
            found = [code for code in found if self.type_of([code])[0] == type]
        if not found:
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
                shown = display_label(table, df[["label", *label_columns(table)]].iloc[rows])
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
        ids = self._tables[TABLE_OF[type]]["id"]
        if len(self._first_rows(type)) == ids.count():
            return first
        return np.flatnonzero((ids == self.ids([code])[0]).to_numpy(dtype=bool, na_value=False))

    def _first_rows(self, type: str) -> NDArray[np.int64]:
        if type not in self._rows_of:
            ids = self._tables[TABLE_OF[type]]["id"]
            self._rows_of[type] = np.flatnonzero((ids.notna() & ~ids.duplicated()).to_numpy())
        return self._rows_of[type]


def _rows(incidence: sparse.csr_array, codes: Iterable[int] | Codes) -> NDArray[np.int64]:
    codes = np.asarray(codes, dtype=np.int64)
    starts, ends = incidence.indptr[codes], incidence.indptr[codes + 1]
    if len(codes) == 1:
        return incidence.indices[starts[0] : ends[0]].astype(np.int64)
    counts = (ends - starts).astype(np.int64)
    before = np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    return incidence.indices[before + np.arange(counts.sum())].astype(np.int64)
