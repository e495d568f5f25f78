"""The benchmark that cuallee publishes: 19 columns of taxi trips, each complete, each unique; made here in the same shape.

cuallee's own script (test/performance in canimus/cuallee) asks `is_complete` and `is_unique` of every column of the yellow taxis
of New York, 19,817,583 rows. There uniqueness is approximate; here every way counts exactly. `check` knows rosters, and a table of
trips is none: ours are the same 38 rules on the engines that the checks of rosters run on, DuckDB and Polars by way of narwhals.

Every way starts at the Parquet files and ends with 38 verdicts and counts. "Not unique" is counted in three manners: cuallee
on DuckDB and pandas subtracts the distinct values from the rows, and on Polars those that occur once; Pointblank counts the rows
whose value occurs more than once. The key has all three.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kimono_explore.quality.engines import make_engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]

ROWS = 19_817_583
_CHUNK = 1_000_000
_FROM = np.datetime64("2022-01-01", "us")
_HALF_A_YEAR = 181 * 86_400


class _Column(NamedTuple):
    """How many values there are, how often the high ones come, whether 3.5 % are missing, and what a code stands for."""

    values: int
    lean: float
    misses: bool
    decode: Callable[[Numbers], np.ndarray]


def _cents(codes: Numbers) -> np.ndarray:
    return codes / 100


def _moment(codes: Numbers) -> np.ndarray:
    return _FROM + codes.astype("timedelta64[s]")


def _number(codes: Numbers) -> np.ndarray:
    return codes + 1


def _float(codes: Numbers) -> np.ndarray:
    return codes.astype(float)


COLUMNS = {
    "VendorID": _Column(2, 1, False, _number),
    "tpep_pickup_datetime": _Column(_HALF_A_YEAR, 1, False, _moment),
    "tpep_dropoff_datetime": _Column(_HALF_A_YEAR, 1, False, _moment),
    "passenger_count": _Column(10, 3, True, _float),
    "trip_distance": _Column(9_000, 4, False, _cents),
    "RatecodeID": _Column(7, 4, True, _float),
    "store_and_fwd_flag": _Column(2, 6, True, lambda codes: np.array(["N", "Y"])[codes]),
    "PULocationID": _Column(265, 1, False, _number),
    "DOLocationID": _Column(265, 1, False, _number),
    "payment_type": _Column(5, 2, False, _number),
    "fare_amount": _Column(30_000, 4, False, _cents),
    "extra": _Column(12, 2, False, lambda codes: codes / 2),
    "mta_tax": _Column(2, 6, False, lambda codes: codes / 2),
    "tip_amount": _Column(10_000, 4, False, _cents),
    "tolls_amount": _Column(2_000, 6, False, _cents),
    "improvement_surcharge": _Column(2, 6, False, lambda codes: codes * 0.3),
    "total_amount": _Column(40_000, 4, False, _cents),
    "congestion_surcharge": _Column(3, 2, True, lambda codes: codes * 1.25),
    "airport_fee": _Column(2, 3, True, lambda codes: codes * 1.25),
}


def prepare(folder: Path, size: float) -> None:
    """Trips as Parquet files of a million rows, and the key: what is missing, distinct and repeated, counted as they are made."""
    chance, rows = np.random.default_rng(38), max(1, int(ROWS * size))
    times = {name: np.zeros(column.values, dtype=np.int64) for name, column in COLUMNS.items()}
    (folder / "trips").mkdir()
    for number, start in enumerate(range(0, rows, _CHUNK)):
        count = min(_CHUNK, rows - start)
        missing, table = chance.random(count) < 0.035, {}
        for name, column in COLUMNS.items():
            codes = (chance.random(count) ** column.lean * column.values).astype(np.int64)
            lost = missing if column.misses else None
            times[name] += np.bincount(codes if lost is None else codes[~lost], minlength=column.values)
            table[name] = pa.array(column.decode(codes), mask=lost)
        pq.write_table(pa.table(table), folder / "trips" / f"{number:03}.parquet")
    key = {
        name: {
            "missing": int(rows - seen.sum()),
            "beyond_distinct": int(rows - (seen > 0).sum()),
            "repeated": int(seen[seen > 1].sum()),
            "not_single": int(rows - (seen == 1).sum()),
        }
        for name, seen in times.items()
    }
    (folder / "key.json").write_text(json.dumps(key), encoding="utf-8")


def _judged(folder: Path, complete: dict[str, int], unique: dict[str, int], counted: str) -> object:
    """The 38 verdicts and how much is missing, once the counts are those of the key."""
    key = json.loads((folder / "key.json").read_text(encoding="utf-8"))
    for name, right in key.items():
        found = {"missing": complete[name], counted: unique[name]}
        wanted = {"missing": right["missing"], counted: right[counted]}
        if found != wanted:
            raise SystemExit(f"{name}: {found} was counted, and {wanted} was made")
    return [[name, complete[name], complete[name] == 0, unique[name] == 0] for name in COLUMNS]


def _on_engine(folder: Path, engine: str) -> Callable[[], object]:
    def run() -> object:
        running = make_engine(engine)
        trips = running.scan(folder / "trips")
        counts: list[Any] = [nw.len().alias("rows")]
        for name in COLUMNS:
            counts += [nw.col(name).is_null().sum().alias(f"missing {name}")]
            counts += [nw.col(name).n_unique().alias(f"distinct {name}")]
        found = running.collect(trips.select(*counts)).iloc[0]
        missing = {name: int(found[f"missing {name}"]) for name in COLUMNS}
        # narwhals counts "missing" as one of the values.
        distinct = {name: int(found[f"distinct {name}"]) - (missing[name] > 0) for name in COLUMNS}
        running.close()
        beyond = {name: int(found["rows"]) - distinct[name] for name in COLUMNS}
        return _judged(folder, missing, beyond, "beyond_distinct")

    return run


def ours(folder: Path) -> Callable[[], object]:
    """Our engine layer on Polars, on which `check` runs what is in memory."""
    return _on_engine(folder, "polars")


def on_duckdb(folder: Path) -> Callable[[], object]:
    """Our engine layer on DuckDB, on which `check` runs what lies on disk."""
    return _on_engine(folder, "duckdb")


def _cuallee(
    folder: Path, read: Callable[[str], object], table_name: str | None = None, counted: str = "beyond_distinct"
) -> Callable[[], object]:
    from cuallee import Check, CheckLevel

    def run() -> object:
        check = Check(CheckLevel.WARNING, "trips", **({"table_name": table_name} if table_name else {}))
        for name in COLUMNS:
            check.is_complete(name)
            check.is_unique(name)
        outcome = check.validate(read(str(folder / "trips" / "*.parquet")))
        rows = list(zip(*(outcome[name].to_list() for name in ("column", "rule", "violations")), strict=True))
        complete, unique = (
            {column: int(violations) for column, rule, violations in rows if rule == wanted}
            for wanted in ("is_complete", "is_unique")
        )
        return _judged(folder, complete, unique, counted)

    return run


def cuallee_polars(folder: Path) -> Callable[[], object]:
    """`Check.validate` of a Polars DataFrame."""
    import polars as pl

    return _cuallee(folder, pl.read_parquet, counted="not_single")


def cuallee_duckdb(folder: Path) -> Callable[[], object]:
    """`Check.validate` of a DuckDB connection, on the files, as cuallee's README has it."""
    import duckdb

    return _cuallee(folder, lambda _: duckdb.connect(), str(folder / "trips" / "*.parquet"))


def cuallee_pandas(folder: Path) -> Callable[[], object]:
    """`Check.validate` of a pandas DataFrame."""
    import pandas as pd

    return _cuallee(folder, lambda _: pd.read_parquet(folder / "trips"))


def pointblank(folder: Path) -> Callable[[], object]:
    """`col_vals_not_null` and `rows_distinct` of Pointblank on Polars, without extracts of the failing rows."""
    import pointblank as pb
    import polars as pl

    def run() -> object:
        steps = pb.Validate(pl.read_parquet(folder / "trips" / "*.parquet"))
        for name in COLUMNS:
            steps = steps.col_vals_not_null(name)
            steps = steps.rows_distinct(name, pre=lambda df, name=name: df.select(name).drop_nulls())
        failed = cast("dict[int, int]", steps.interrogate(collect_extracts=False).n_failed())
        complete = {name: failed[2 * at + 1] for at, name in enumerate(COLUMNS)}
        unique = {name: failed[2 * at + 2] for at, name in enumerate(COLUMNS)}
        return _judged(folder, complete, unique, "repeated")

    return run
