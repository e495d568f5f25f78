"""``python -m benchmarks.comparing``: two rosters compared by id and under new ids, beside pandas, each in a fresh process.

By id, one in a hundred persons and links differs, and as many are gone; ``--state`` does so in the files of a state.
``--match`` gives every object a new id and damages 3 % of the fields, and also reports precision, recall and F1 of what is
found again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np

import kimono_explore as kx
from benchmarks.renewing import renewed, score
from kimono_explore.compare import LINK_KEY
from kimono_explore.sandbox.district.build import make_district
from kimono_explore.sandbox.district.state import write_state
from kimono_explore.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

_TABLES = ("orgs", "persons", "courses", "sections", "terms")


def edited(roster: kx.Roster, seed: int = 1) -> kx.Roster:
    """One in a hundred persons and links has another value, and one in a hundred is gone."""
    rng = np.random.default_rng(seed)
    persons, links = roster.persons.copy(), roster.links.copy()
    persons.loc[rng.choice(len(persons), len(persons) // 100, replace=False), "email"] = "new@example.org"
    links["status"] = links["status"].astype("str")
    links.loc[rng.choice(len(links), len(links) // 100, replace=False), "status"] = "Odd"
    gone = [rng.choice(len(df), len(df) // 100, replace=False) for df in (persons, links)]
    persons, links = (
        df.drop(index=rows).reset_index(drop=True) for df, rows in zip((persons, links), gone, strict=True)
    )
    return kx.Roster(**{**roster.tables, "persons": persons}, links=links.astype({"status": "category"}))


def edited_files(old: Path, new: Path) -> dict[str, int]:
    """The same in the files of a snapshot: of each hundred rows of a file one has another value, and one is gone."""
    shutil.copytree(old, new)
    expected = {"added": 0, "removed": 0, "changed": 0}
    place = "file_row_number % 100"
    for table, column, value in (("persons", "email", "new@example.org"), ("links", "status", "Odd")):
        for file in sorted((old / f"{table}.parquet").iterdir()):
            rows = f"read_parquet('{file}', file_row_number = true)"
            edit = f"CASE {place} WHEN 7 THEN '{value}' ELSE {column} END AS {column}"
            kept = f"SELECT * EXCLUDE (file_row_number) REPLACE ({edit}) FROM {rows} WHERE {place} <> 13"
            duckdb.sql(f"COPY ({kept}) TO '{new / file.relative_to(old)}' (COMPRESSION zstd)")
            for found, number in (("removed", 13), ("changed", 7)):
                expected[found] += duckdb.sql(f"SELECT count(*) FILTER ({place} = {number}) FROM {rows}").fetchall()[0][
                    0
                ]
    return expected


def by_id(folder: Path) -> dict[str, int]:
    """`kx.compare` of two rosters in memory."""
    old, new = _open(folder)
    with _Timed():
        return _sum(kx.compare(old, new).summary)


def from_folders(folder: Path) -> dict[str, int]:
    """`kx.compare` of two folders."""
    with _Timed():
        return _sum(kx.compare(folder / "old", folder / "new").summary)


def with_pandas(folder: Path) -> dict[str, int]:
    """`pandas.merge` of each table, and a comparison column by column."""
    old, new = _open(folder)
    with _Timed():
        counts = dict.fromkeys(("added", "removed", "changed", "unchanged"), 0)
        for name in (*TABLES, "links"):
            keys = list(LINK_KEY) if name == "links" else ["id"]
            before, after = (_plain(getattr(roster, name)) for roster in (old, new))
            both = before.merge(after, on=keys, how="outer", suffixes=("_old", "_new"), indicator=True)
            kept = both[both["_merge"] == "both"]
            differs = np.zeros(len(kept), dtype=bool)
            for column in before.columns.difference(keys):
                one, other = kept[f"{column}_old"], kept[f"{column}_new"]
                differs |= ((one != other).fillna(True) & ~(one.isna() & other.isna())).to_numpy(dtype=bool)
            sides = both["_merge"].value_counts()
            found = {"added": sides["right_only"], "removed": sides["left_only"], "changed": differs.sum()}
            found["unchanged"] = len(kept) - differs.sum()
            counts = {key: counts[key] + int(found[key]) for key in counts}
        return counts


def under_new_ids(folder: Path) -> dict[str, float]:
    """`kx.compare` with ``match="auto"``; what is found again, judged by what was renamed."""
    old, new = _open(folder)
    ids = json.loads((folder / "ids.json").read_text())
    with _Timed():
        diff = kx.compare(old, new, match="auto")
        diff.summary  # noqa: B018  worked out here
    found = {}
    for table in _TABLES:
        precision, recall = score(diff, table, ids)
        found[table] = round(2 * precision * recall / max(1e-9, precision + recall), 5)
    return found


WAYS: dict[str, Callable[[Path], dict[str, int] | dict[str, float]]] = {
    "kx.compare": by_id, "kx.compare, folders": from_folders, "pandas.merge": with_pandas, "match": under_new_ids,
}  # fmt: skip


_WAYS_OF = {
    None: ("kx.compare", "kx.compare, folders", "pandas.merge"), "match": ("match",), "state": ("kx.compare, folders",),
}  # fmt: skip


def _plain(df: pd.DataFrame) -> pd.DataFrame:
    categories = df.select_dtypes("category").columns
    return df.astype(dict.fromkeys(categories, "str"))


def _open(folder: Path) -> tuple[kx.Roster, kx.Roster]:
    return kx.open_roster(folder / "old"), kx.open_roster(folder / "new")


def _sum(summary: pd.DataFrame) -> dict[str, int]:
    return {name: int(summary[name].sum()) for name in ("added", "removed", "changed", "unchanged")}


class _Timed:
    """Prints seconds, and by how much the memory in use grew, in MB."""

    def __enter__(self) -> None:
        self.memory, self.began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()

    def __exit__(self, *_: object) -> None:
        seconds = time.perf_counter() - self.began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(
            json.dumps(
                {"seconds": round(seconds, 2), "grew": round((peak - self.memory) / 1024), "peak": round(peak / 1024)}
            )
        )


def prepare(folder: Path, students: int, kind: str | None) -> None:
    """Both rosters as snapshots."""
    if kind == "state":
        write_state(folder / "old", students)
        print(f"{'planted':22} {json.dumps(edited_files(folder / 'old', folder / 'new'))}", flush=True)
        return
    old = make_district(students, seed=7)
    new, ids = renewed(old, 1, 0.03) if kind == "match" else (edited(old), {})
    old.save(folder / "old")
    new.save(folder / "new")
    (folder / "ids.json").write_text(json.dumps(ids))


def main() -> int:
    """Make the input, and run each way in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument(
        "--match", action="store_const", dest="kind", const="match", help="all ids new, 3 %% of the fields damaged"
    )
    kinds.add_argument(
        "--state", action="store_const", dest="kind", const="state", help="from folders, a file a district"
    )
    parser.add_argument("--way", choices=list(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(WAYS[options.way](options.folder)))
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        preparing = multiprocessing.get_context("spawn").Process(
            target=prepare, args=(folder, options.students, options.kind)
        )
        preparing.start()  # in a process of its own, so that its memory is free when the ways run
        preparing.join()
        for _ in range(options.runs):
            for way in _WAYS_OF[options.kind]:
                command = [sys.executable, "-m", "benchmarks.comparing", "--way", way, "--folder", str(folder)]
                out = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
                print(f"{way:22} {out[0]}  {out[1]}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
