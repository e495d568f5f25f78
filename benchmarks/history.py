"""``python -m benchmarks.history``: 365 days of a district, 0.5 % of whose rows change each day.

How large the folder is beside one snapshot and beside two other ways to keep differences, how long a day takes to open
beside a snapshot, and how long to add. ``--folder`` measures one that is there already.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

import kimono_explore as kx
from kimono_explore.files.snapshot import PARTS
from kimono_explore.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

SHARE = 0.005
FIRST = date(2026, 1, 1)


def edited(roster: kx.Roster, day: int, rng: np.random.Generator) -> kx.Roster:
    """The roster of the next day: of links half get another section and half an end, of objects a text and a time change."""
    tables = {}
    for name in (*TABLES, "links"):
        df: pd.DataFrame = getattr(roster, name).copy()
        expected = len(df) * SHARE
        count = int(expected) + int(rng.random() < expected % 1)
        rows = rng.choice(len(df), count, replace=False)
        if name == "links":
            moved, ended = rows[: count // 2], rows[count // 2 :]
            others = df["target_id"].iloc[rng.choice(len(df), len(moved))].to_numpy()
            df.iloc[moved, df.columns.get_loc("target_id")] = others
            df.iloc[ended, df.columns.get_loc("end_date")] = pd.Timestamp(FIRST) + pd.Timedelta(days=day)
        else:
            texts = [c for c in df.columns if c != "id" and str(df[c].dtype) == "str" and df[c].notna().any()]
            for row in rows:
                df.iloc[row, df.columns.get_loc(rng.choice(texts))] = f"value {day}-{row}"
            if "updated_at" in df:
                moment = pd.Timestamp(FIRST, tz="UTC") + pd.Timedelta(days=day)
                df.iloc[rows, df.columns.get_loc("updated_at")] = moment
        tables[name] = df
    return kx.Roster(**tables, problems=roster.problems, source=roster.source, rollups=roster.rollups)


def size(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def taken(what: Callable[[], object], times: int = 7) -> float:
    """The median of some runs, in seconds."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        what()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def written(rows: pa.Table) -> int:
    """Bytes of a table as a file of its own."""
    buffer = io.BytesIO()
    pq.write_table(rows, buffer, compression="zstd", compression_level=9)
    return buffer.tell()


def other_ways(days: kx.History) -> dict[str, int]:
    """What the same days take as one file a day and table: differences from the day before, and from the first day."""
    tables = [pq.read_table(days.folder / f"{days.days[0]}" / f"{part}.parquet").to_pandas() for part in PARTS]
    kept = {"from the day before": 0, "from the first day": 0}
    first = days.days[0]
    sampled = days.days[1 :: max(1, len(days.days) // 24)]
    for df in tables:
        for day in sampled:
            alive = (df["kept_from"] <= day) & (df["kept_until"] >= day)
            for way, rows in (("from the day before", df[df["kept_from"] == day]),
                              ("from the first day", df[alive & (df["kept_from"] > first)])):  # fmt: skip
                if len(rows):
                    kept[way] += written(rows_as_arrow(rows))
    return {way: round(total * (len(days.days) - 1) / len(sampled)) for way, total in kept.items()}


def rows_as_arrow(df: pd.DataFrame) -> pa.Table:
    """Without pandas' own metadata."""
    import pyarrow as pa

    return pa.Table.from_pandas(df, preserve_index=False).replace_schema_metadata(None)


def fill(days: kx.History, roster: kx.Roster, count: int) -> list[float]:
    """Add the days; returns how long each took."""
    rng, found = np.random.default_rng(1), []
    for n in range(count):
        start = time.perf_counter()
        days.add(roster, FIRST + timedelta(days=n))
        found.append(time.perf_counter() - start)
        roster = edited(roster, n, rng)
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=2000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        days = kx.history(asked.folder or Path(temporary) / "days")
        if not days.days:
            with kx.sandbox(students=asked.students) as box:
                roster = kx.load_roster(box.client, progress=False)
            took = fill(days, roster, asked.days)
            print(f"add: median {statistics.median(took):.2f} s, last ten {statistics.mean(took[-10:]):.2f} s")
        one = Path(temporary) / "one"
        days.open(days.days[0]).save(one)
        print(f"{len(days.days)} days: {size(days.folder):,} bytes, {size(days.folder) / size(one):.2f} snapshots")
        for way, more in other_ways(days).items():
            print(f"as differences {way}, a file a day and table: about {1 + more / size(one):.1f} snapshots")
        snapshot = taken(lambda: kx.open_roster(one))
        for day in (days.days[0], days.days[len(days.days) // 2], days.days[-1]):
            took_one = taken(lambda day=day: days.open(day))
            print(f"open {day}: {took_one:.3f} s, {took_one / snapshot:.2f} times a snapshot ({snapshot:.3f} s)")


if __name__ == "__main__":
    main()
