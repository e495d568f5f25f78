"""A roster kept as a folder: one Parquet file per table, and a manifest that says what it is.

A snapshot is written beside the one it replaces, and takes its place when it is complete. A reader gets one or the other:
the manifest is read again at the end, and if it has changed, everything is read again.
"""

from __future__ import annotations

import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import pyarrow.parquet as pq
from pyarrow import dataset

from kimono_explore.atomic import atomic_folder, whole
from kimono_explore.errors import BundleError
from kimono_explore.frames import put_together, to_arrow, to_pandas, to_series
from kimono_explore.schema import TABLES, declared
from kimono_explore.tables import Tables

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    import pandas as pd

_FORMAT = 1
_AT_A_TIME = 2
_SMALL = 20_000
"""A table of at most this many rows is read in one piece, which is faster than column by column."""
_TRIES = 5
_MANIFEST = "manifest.json"
PARTS = (*TABLES, "links", "problems")
"""What a snapshot holds, each as a Parquet file or a folder of them."""


class Manifest(NamedTuple):
    """What a snapshot says about itself."""

    source: str
    loaded_at: datetime
    rollups: frozenset[str]
    rows: Mapping[str, int]
    digests: Mapping[str, str]
    """The SHA-256 of each file, by its path within the folder."""
    saved_as: str = ""
    """A random name for each save, so that two saves of the same roster can be told apart."""


def write_snapshot(tables: Tables, folder: str | os.PathLike[str], *, private: bool = True) -> None:
    """Write a snapshot, as `Roster.save` describes it."""
    with new_snapshot(folder, private=private) as new:
        for name in PARTS:
            pq.write_table(to_arrow(name, getattr(tables, name)), new / f"{name}.parquet", compression="zstd")
        write_manifest(new, tables, {name: len(getattr(tables, name)) for name in PARTS})


@contextmanager
def new_snapshot(folder: str | os.PathLike[str], *, private: bool = True) -> Iterator[Path]:
    """A folder to write a snapshot into, which takes its place when it is whole.

    Raises
    ------
    BundleError
        The folder is not empty and is not a snapshot, or could not be written; what was there is still there.
    """
    folder = Path(folder)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / _MANIFEST).is_file()):
        raise BundleError(f"{folder} is not empty and is not a snapshot; nothing was written. Name a new folder.")
    try:
        with atomic_folder(folder, private=private) as new:
            yield new
    except OSError as error:
        raise BundleError(f"{folder} could not be written: {error}. The previous contents are intact.") from error


def write_manifest(folder: Path, tables: Tables, rows: Mapping[str, int]) -> None:
    """Write the manifest, last of all: it names every file with its digest."""
    files = sorted(path for path in folder.rglob("*.parquet") if path.is_file())
    manifest = {
        "format": _FORMAT,
        "source": tables.source,
        "loaded_at": tables.loaded_at.isoformat(),
        "rollups": sorted(tables.rollups),
        "saved_as": uuid4().hex,
        "rows": dict(rows),
        "sha256": {path.relative_to(folder).as_posix(): _digest(path) for path in files},
        "versions": {package: version(package) for package in ("kimono-explore", "pandas", "pyarrow")},
    }
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def read_snapshot(folder: str | os.PathLike[str], *, verify: bool = False) -> Tables:
    """Read a snapshot, as `open_roster` describes it."""
    manifest = read_manifest(folder)
    for _ in range(_TRIES):
        try:
            if verify:
                _verify(whole(folder), manifest)
            frames = {name: _read(part(whole(folder), name), name) for name in PARTS}
            failure: Exception | None = _miscounted(manifest, {name: len(df) for name, df in frames.items()})
        except (OSError, ValueError) as error:
            failure = error
        now = read_manifest(folder)
        if now == manifest:
            if failure:
                raise incomplete(Path(folder), failure) from failure
            return Tables(**frames, source=manifest.source, loaded_at=manifest.loaded_at, rollups=manifest.rollups)
        manifest = now  # it was replaced while it was read
    raise BundleError(
        f"{folder} was replaced {_TRIES} times while it was read. Try again when no process is saving to it."
    )


def _verify(folder: Path, manifest: Manifest) -> None:
    if not manifest.digests:
        raise ValueError("it was saved without digests by an earlier version: save it again")
    for name, digest in manifest.digests.items():
        if _digest(folder / name) != digest:
            raise ValueError(f"{name} is not the file that was saved")


def _miscounted(manifest: Manifest, counts: Mapping[str, int]) -> ValueError | None:
    for name, count in counts.items():
        if manifest.rows.get(name, count) != count:
            return ValueError(f"{name} has {count:,} rows, not {manifest.rows[name]:,}")
    return None


def _read(path: Path, name: str) -> pd.DataFrame:
    """A table of a snapshot. The columns of a large one are read two at a time, each converted before the next is read."""
    again = {column.name for column in declared(name) if column.kind == "category"}
    options = dataset.ParquetReadOptions(dictionary_columns=again)
    files = dataset.dataset(path, format=dataset.ParquetFileFormat(read_options=options), partitioning="hive")

    if files.count_rows() <= _SMALL:
        return to_pandas(name, files.to_table(use_threads=False))

    def read(key: str) -> pd.Series:
        return to_series(name, key, files.to_table(columns=[key]).column(key))

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return put_together(name, dict(zip(files.schema.names, pool.map(read, files.schema.names), strict=True)))


def is_snapshot(folder: str | os.PathLike[str]) -> bool:
    """Whether there is a snapshot in a folder, whole or not."""
    return (whole(folder) / _MANIFEST).is_file()


def read_manifest(folder: str | os.PathLike[str]) -> Manifest:
    """What a snapshot says about itself; raises `BundleError` if it is not one."""
    folder = Path(folder)
    try:
        manifest = json.loads(_read_twice(folder))
        if manifest["format"] > _FORMAT:
            raise BundleError(f"{folder} was written by a later version of kimono-explore; update to open it.")
        loaded_at = datetime.fromisoformat(manifest["loaded_at"])
        rows = {str(name): int(count) for name, count in manifest["rows"].items()}
        digests = {str(name): str(digest) for name, digest in manifest.get("sha256", {}).items()}
        rollups, saved_as = frozenset(manifest["rollups"]), str(manifest.get("saved_as", ""))
        return Manifest(str(manifest["source"]), loaded_at, rollups, rows, digests, saved_as)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise incomplete(folder, error) from error


def _read_twice(folder: Path) -> str:
    """The manifest's text; read again if the folders were swapped between finding and reading it."""
    try:
        return (whole(folder) / _MANIFEST).read_text(encoding="utf-8")
    except FileNotFoundError:
        time.sleep(0.05)
        return (whole(folder) / _MANIFEST).read_text(encoding="utf-8")


def part(folder: Path, name: str) -> Path:
    """A table of a snapshot: one Parquet file, or a folder of them."""
    file = folder / f"{name}.parquet"
    return file if file.exists() else folder / name


def incomplete(folder: Path, error: Exception) -> BundleError:
    """The error for a snapshot that lacks a file or was changed."""
    return BundleError(f"{folder} is not a complete snapshot ({error}). Make one with roster.save(folder).")
