"""The links that the objects of one table state, before both sides are merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from kimono_explore.decode.references import MEMBERSHIP
from kimono_explore.frames import ARROW_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np


class RawLinks(NamedTuple):
    """The links that one table's objects state, each from the object's own side.

    ``near`` is the row of the table that states the link; ``reference`` is an index into REFERENCES. Texts that repeat a
    lot, such as the ids of far ends, are dictionary-encoded.
    """

    table: pa.Table
    near: np.ndarray
    reference: np.ndarray


_AGAIN = pa.dictionary(pa.int32(), pa.string())


LINK_FIELDS: dict[str, pa.DataType] = {
    "near": pa.int32(),
    "reference": pa.int8(),
    "far_type": _AGAIN,
    "far_id": _AGAIN,
    **{column.name: _AGAIN if column.kind == "category" else ARROW_TYPES[column.kind] for column in MEMBERSHIP},
}


def link_table(links: Mapping[str, object] | None = None) -> pa.Table:
    """The links that Python read one by one, as a table; empty without any."""
    return pa.table({name: pa.array(links[name] if links else [], dtype) for name, dtype in LINK_FIELDS.items()})


def as_declared(values: pa.Array, dtype: pa.DataType) -> pa.Array:
    """The values, dictionary-encoded if the declared type is."""
    return values.dictionary_encode() if dtype == _AGAIN else values
