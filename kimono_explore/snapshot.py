"""A roster kept as a folder: one Parquet file a table, and a manifest that says what it is."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow.parquet as pq
from pyarrow import dataset

from kimono_explore.errors import BundleError
from kimono_explore.oneroster import read_oneroster
from kimono_explore.roster import Roster
from kimono_explore.tables import TABLES, declared, put_together, to_arrow, to_series

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import pandas as pd

_FORMAT = 1
_AT_A_TIME = 2
_MANIFEST = "manifest.json"
PARTS = (*TABLES, "links", "problems")
"""What a snapshot holds, each as a Parquet file or a folder of them."""


class Manifest(NamedTuple):
    """What a snapshot says of itself."""

    source: str
    loaded_at: datetime
    rollups: frozenset[str]


def save_roster(roster: Roster, folder: str | os.PathLike[str]) -> None:
    """Write a snapshot; see `Roster.save`."""
    folder = Path(folder)
    start_snapshot(folder)
    for name in PARTS:
        pq.write_table(to_arrow(name, getattr(roster, name)), folder / f"{name}.parquet", compression="zstd")
    write_manifest(folder, roster, {name: len(getattr(roster, name)) for name in PARTS})


def start_snapshot(folder: Path) -> None:
    """Make the folder of a snapshot; `BundleError` where it holds something else."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / _MANIFEST).is_file()):
        raise BundleError(f"{folder} holds something that is no snapshot; nothing was written. Name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)


def write_manifest(folder: Path, roster: Roster, rows: Mapping[str, int]) -> None:
    """Say what a snapshot is. Comes last, so that a folder with a manifest is a whole snapshot."""
    manifest = {
        "format": _FORMAT,
        "source": roster.source,
        "loaded_at": roster.loaded_at.isoformat(),
        "rollups": sorted(roster.rollups),
        "rows": dict(rows),
        "versions": {package: version(package) for package in ("kimono-explore", "pandas", "pyarrow")},
    }
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def open_roster(folder: str | os.PathLike[str]) -> Roster:
    """Open a snapshot that `Roster.save` wrote.

    Parameters
    ----------
    folder : str or path

    Returns
    -------
    Roster
        Equal to the one that was saved, dtypes included.

    Raises
    ------
    BundleError
        The folder is no snapshot, is incomplete, or was written by a later format.

    Examples
    --------
    >>> roster.save(tmp_path / "monday")
    >>> len(kx.open_roster(tmp_path / "monday").persons) == len(roster.persons)
    True
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    try:
        frames = {name: _read(part(folder, name), name) for name in PARTS}
    except (OSError, ValueError) as error:
        raise incomplete(folder, error) from error
    return Roster(**frames, source=manifest.source, loaded_at=manifest.loaded_at, rollups=manifest.rollups)


def _read(path: Path, name: str) -> pd.DataFrame:
    """A table of a snapshot. Columns are read side by side, and each becomes pandas' before the next ones are read."""
    again = {column.name for column in declared(name) if column.kind == "category"}
    options = dataset.ParquetReadOptions(dictionary_columns=again)
    files = dataset.dataset(path, format=dataset.ParquetFileFormat(read_options=options), partitioning="hive")

    def read(key: str) -> pd.Series:
        return to_series(name, key, files.to_table(columns=[key]).column(key))

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return put_together(name, dict(zip(files.schema.names, pool.map(read, files.schema.names), strict=True)))


def is_snapshot(folder: str | os.PathLike[str]) -> bool:
    """Whether there is a snapshot in a folder, whole or not."""
    return (Path(folder) / _MANIFEST).is_file()


def read_manifest(folder: str | os.PathLike[str]) -> Manifest:
    """What a snapshot says of itself; `BundleError` where it is none."""
    folder = Path(folder)
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] > _FORMAT:
            raise BundleError(f"{folder} was written by a later version of kimono-explore; update to open it.")
        loaded_at = datetime.fromisoformat(manifest["loaded_at"])
        return Manifest(str(manifest["source"]), loaded_at, frozenset(manifest["rollups"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise incomplete(folder, error) from error


def read_source(path: str | os.PathLike[str]) -> Roster:
    """A roster from a path: a snapshot folder, or a OneRoster bundle."""
    return open_roster(path) if is_snapshot(path) else read_oneroster(path)


def part(folder: Path, name: str) -> Path:
    """A table of a snapshot: one Parquet file, or a folder of them."""
    file = folder / f"{name}.parquet"
    return file if file.exists() else folder / name


def incomplete(folder: Path, error: Exception) -> BundleError:
    """The error of a folder that lacks something."""
    return BundleError(f"{folder} is not a whole snapshot ({error}). Make one with roster.save(folder).")
