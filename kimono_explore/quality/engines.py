"""Where checks run: Polars, DuckDB or Spark. The checks are the same; everything that differs is here.

An engine takes in tables, keeps what several checks use, and returns results as the DataFrames of this library.
"""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Final, Protocol, cast

import duckdb
import narwhals as nw
import polars as pl
import pyarrow as pa

from kimono_explore.errors import ConfigurationError
from kimono_explore.frames import to_arrow, to_pandas

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession

    from kimono_explore.quality.definition import Frame

    Question = tuple[Frame | int, Frame]
    Answer = tuple[int, pd.DataFrame]


class Engine(Protocol):
    """What the checks ask of an engine."""

    name: str

    def bring(self, name: str, df: pd.DataFrame) -> Frame:
        """One of the roster's tables, from memory."""

    def scan(self, path: Path) -> Frame:
        """One of the roster's tables, from a Parquet file or a folder of them, read lazily."""

    def small(self, columns: dict[str, list[str | None]]) -> Frame:
        """A small table of text from Python values."""

    def keep(self, frame: Frame) -> Frame:
        """The same frame, computed once and kept."""

    def collect(self, frame: Frame) -> pd.DataFrame:
        """The rows, with the dtypes of this library."""

    def count(self, frame: Frame) -> int:
        """How many rows it has."""

    def answer(self, questions: Sequence[Question]) -> list[Answer | Exception]:
        """How many rows the one frame has, and the rows of the other, for each question; or why it has no answer."""

    def close(self) -> None:
        """Release what the engine holds."""


def make_engine(engine: str | SparkSession, memory: str | None = None) -> Engine:
    """An engine by name, or the one around a Spark session."""
    if engine == "polars" and memory is None:
        return Polars()
    if engine == "polars":
        raise ConfigurationError(f'memory={memory!r} is a limit that only DuckDB supports: use engine="duckdb".')
    if engine == "duckdb":
        return DuckDB(memory)
    if hasattr(engine, "createDataFrame"):
        return Spark(cast("SparkSession", engine))
    raise ConfigurationError(f'Unknown engine {engine!r}. Use engine="polars", "duckdb" or a SparkSession.')


class _OneByOne:
    """An engine that answers one question after another."""

    def collect(self, frame: Frame) -> pd.DataFrame:
        return _rows(nw.to_native(frame.collect(backend="pyarrow")))

    def count(self, frame: Frame) -> int:
        table: pa.Table = nw.to_native(frame.select(n=nw.len()).collect(backend="pyarrow"))
        return int(table["n"][0].as_py())

    def answer(self, questions: Sequence[Question]) -> list[Answer | Exception]:
        return [self._alone(question) for question in questions]

    def _alone(self, question: Question) -> Answer | Exception:
        counted, frame = question
        try:
            return counted if isinstance(counted, int) else self.count(counted), self.collect(frame)
        except Exception as error:  # noqa: BLE001  one question without an answer must not cost the others
            return error


class DuckDB(_OneByOne):
    """Uses all cores and can exceed memory: data that does not fit spills to a private folder, deleted at the end."""

    name = "duckdb"

    def __init__(self, memory: str | None = None) -> None:
        self._spill = tempfile.TemporaryDirectory(prefix="kimono-explore-")
        limit = {"memory_limit": memory} if memory else {}
        try:
            self._connection = duckdb.connect(config={"temp_directory": self._spill.name, **limit})
        except duckdb.Error as error:
            self._spill.cleanup()
            raise ConfigurationError(f'memory={memory!r} is not an amount of memory. Write it as "4GB".') from error
        self._kept = 0

    def bring(self, name: str, df: pd.DataFrame) -> Frame:
        del name
        return self._lazy(self._connection.from_arrow(_columns(df)))

    def scan(self, path: Path) -> Frame:
        files = str(path / "**" / "*.parquet") if path.is_dir() else str(path)
        return self._lazy(self._connection.read_parquet(files))

    def small(self, columns: dict[str, list[str | None]]) -> Frame:
        return self._lazy(self._connection.from_arrow(_text_table(columns)))

    def keep(self, frame: Frame) -> Frame:
        self._kept += 1
        name = f"kept_{self._kept}"
        relation: duckdb.DuckDBPyRelation = nw.to_native(frame)
        relation.create(name)
        return self._lazy(self._connection.table(name))

    def close(self) -> None:
        self._connection.close()
        self._spill.cleanup()

    @staticmethod
    def _lazy(relation: duckdb.DuckDBPyRelation) -> Frame:
        return nw.from_native(relation)


_ENGINE: Final = "in-memory"
"""Polars' own engine: the streaming one takes longer to begin, which a small roster waits for in each check."""


class Polars(_OneByOne):
    """Uses all cores, in memory, with little planning: a small roster takes a third of DuckDB's time."""

    name = "polars"

    def bring(self, name: str, df: pd.DataFrame) -> Frame:
        del name
        return self._lazy(pl.DataFrame(_columns(df)).lazy())

    def scan(self, path: Path) -> Frame:
        return self._lazy(pl.scan_parquet(path / "**" / "*.parquet" if path.is_dir() else path))

    def small(self, columns: dict[str, list[str | None]]) -> Frame:
        return self._lazy(pl.DataFrame(_text_table(columns)).lazy())

    def keep(self, frame: Frame) -> Frame:
        return nw.from_native(nw.to_native(frame).collect(engine=_ENGINE).lazy())

    def answer(self, questions: Sequence[Question]) -> list[Answer | Exception]:
        # Together, so that what several are made of is worked out once, and all cores have something to do.
        plans = [nw.to_native(frame) for _, frame in questions]
        counts = [nw.to_native(counted).select(pl.len()) for counted, _ in questions if not isinstance(counted, int)]
        if not all(isinstance(plan, pl.LazyFrame) for plan in plans):
            return super().answer(questions)  # the task queue is small, and stays in pandas
        try:
            found = pl.collect_all([*plans, *counts], engine=_ENGINE)
        except Exception:  # noqa: BLE001  which of them it was is known once they are asked one by one
            return super().answer(questions)
        numbers = (int(count.item()) for count in found[len(plans) :])
        return [
            (counted if isinstance(counted, int) else next(numbers), _rows(rows.to_arrow()))
            for (counted, _), rows in zip(questions, found, strict=False)
        ]

    def close(self) -> None:
        pass

    @staticmethod
    def _lazy(native: pl.LazyFrame) -> Frame:
        # Categories of two tables are neither joined nor compared: they are text here.
        return nw.from_native(native.with_columns(pl.col(pl.Categorical).cast(pl.String)))


class Spark(_OneByOne):
    """A Spark session, local or of a cluster: for a roster of a state."""

    name = "spark"

    def __init__(self, session: SparkSession) -> None:
        self._session = session
        self._kept: list[DataFrame] = []

    def bring(self, name: str, df: pd.DataFrame) -> Frame:
        return self._lazy(self._session.createDataFrame(to_arrow(name, df)))

    def scan(self, path: Path) -> Frame:
        return self._lazy(self._session.read.parquet(str(path)))

    def small(self, columns: dict[str, list[str | None]]) -> Frame:
        return self._lazy(self._session.createDataFrame(_text_table(columns)))

    def keep(self, frame: Frame) -> Frame:
        native = cast("DataFrame", nw.to_native(frame))
        if self.in_one_process:
            # What led to it is not planned again, which takes two fifths off; and there is no executor to lose it with.
            return self._lazy(native.localCheckpoint(eager=False))
        self._kept.append(native.cache())
        return self._lazy(self._kept[-1])

    @property
    def in_one_process(self) -> bool:
        """Whether the session works in the driver, and has no executors."""
        master = self._session.conf.get("spark.master", "")
        return master == "local" or str(master).startswith("local[")

    def close(self) -> None:
        for kept in self._kept:
            kept.unpersist()

    @staticmethod
    def _lazy(native: DataFrame) -> Frame:
        return nw.from_native(native)


def _columns(df: pd.DataFrame) -> pa.Table:
    """The columns as they lie in memory: text is not copied, categories stay dictionaries."""
    return pa.table({name: pa.array(df[name], from_pandas=True) for name in df.columns})


def _text_table(columns: dict[str, list[str | None]]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


_NO_ROWS: dict[str, pd.DataFrame] = {}


def _rows(table: pa.Table) -> pd.DataFrame:
    """Rows with this library's dtypes. Most checks find nothing, so empty results are cached by their columns."""
    shape = str(table.schema.remove_metadata())
    if not table.num_rows and shape in _NO_ROWS:
        return _NO_ROWS[shape].copy(deep=False)
    fields = [field.with_type(_plain(field.type)) for field in table.schema]
    df = to_pandas("", table.cast(pa.schema(fields)))
    if not table.num_rows:
        _NO_ROWS[shape] = df.copy(deep=False)
    return df


def _plain(type: pa.DataType) -> pa.DataType:
    """The type this library uses for an engine's type: int64 for any sum or count, plain text for any text."""
    if pa.types.is_decimal(type) or pa.types.is_unsigned_integer(type):
        return pa.int64()
    return pa.string() if pa.types.is_large_string(type) or pa.types.is_string_view(type) else type
