"""A DuckDB database for one question."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def scratch_database(*, keep_order: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory; what does not fit spills to a private folder. Both are gone afterwards.

    Parameters
    ----------
    keep_order : bool, default True
        Rows come in the order in which they lie; False is faster and leaves the order to DuckDB.
    """
    with tempfile.TemporaryDirectory(prefix="kimono-explore-") as spill:
        connection = duckdb.connect(
            ":memory:", config={"temp_directory": spill, "preserve_insertion_order": keep_order}
        )
        connection.execute("SET enable_progress_bar = false")  # it is drawn after two seconds
        try:
            yield connection
        finally:
            connection.close()
