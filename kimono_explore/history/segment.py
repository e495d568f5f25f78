"""A run of days on disk: a folder with one Parquet file per table, the list of its days, and a manifest with digests.

The folder is named after its first day. A new version is written beside the one it replaces and takes its place when it is
complete, so a killed writer loses only the day it was adding. Every file is verified against its digest when it is read.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from kimono_explore.atomic import atomic_folder, whole
from kimono_explore.errors import BundleError
from kimono_explore.files.snapshot import PARTS
from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

_FORMAT = 1
_ATTEMPTS = 5
_MANIFEST, _DAYS = "manifest.json", "days.parquet"
_NAME = re.compile(r"\d{4}-\d\d-\d\d|\.(\d{4}-\d\d-\d\d)\.old")
CHANGED = ("added", "removed", "changed")
COMPARED = (*TABLES, "links")
Read = TypeVar("Read")


class Checked(NamedTuple):
    """What a report found on a day."""

    score: int | None
    findings: Mapping[str, int]
    """By severity."""


@dataclass(frozen=True)
class Day:
    """What is known of a day besides its rows."""

    day: date
    source: str
    loaded_at: datetime
    rollups: frozenset[str]
    columns: Mapping[str, Mapping[str, str]]
    """For each table, its columns in order, and the name that each has in the file."""
    rows: Mapping[str, int]
    changes: Mapping[str, Mapping[str, int]] | None = None
    """How many rows of each table were added, removed and changed since the day before; None for the very first day."""
    checked: Checked | None = None


@dataclass(frozen=True)
class Segment:
    """A run of days, as its manifest described it when it was opened."""

    folder: Path
    digests: Mapping[str, str] = field(repr=False)

    @cached_property
    def days(self) -> tuple[Day, ...]:
        """The days of the run, in ascending order."""
        return tuple(_day(row) for row in pq.read_table(self._open_verified(_DAYS)).to_pylist())

    def versions(self, part: str) -> pa.Table:
        """All versions of the rows of a table."""
        return pq.read_table(self._open_verified(f"{part}.parquet"))

    def counts(self) -> dict[str, int]:
        """How many versions each table has."""
        return {part: pq.read_metadata(self._open_verified(f"{part}.parquet")).num_rows for part in PARTS}

    def file(self, part: str) -> pq.ParquetFile:
        """The file of a table, for reading it column by column; its text comes as codes."""
        opened = self._open_verified(f"{part}.parquet")
        texts = [column.name for column in pq.read_schema(opened) if pa.types.is_string(column.type)]
        return pq.ParquetFile(opened, read_dictionary=texts)

    def _open_verified(self, name: str) -> pa.BufferReader:
        content = (whole(self.folder) / name).read_bytes()
        if hashlib.sha256(content).hexdigest() != self.digests[name]:
            raise ValueError(f"{name} is not the file that was written")
        return pa.BufferReader(content)


def is_history(folder: Path) -> bool:
    """Whether days are kept in a folder."""
    return bool(_names(folder))


def read(folder: Path, what: Callable[[list[Segment]], Read]) -> Read:
    """Read something from the segments, again if a writer replaced one of them meanwhile.

    Raises
    ------
    BundleError
        A file is damaged or missing.
    """
    for _ in range(_ATTEMPTS):
        opened = segments(folder)
        try:
            return what(opened)
        except (OSError, ValueError, LookupError, pa.ArrowException) as error:
            if segments(folder) == opened:
                raise damaged(folder, error) from error
    raise BundleError(
        f"{folder} was written {_ATTEMPTS} times while it was read. Try again when no process is adding days."
    )


def segments(folder: Path) -> list[Segment]:
    """The runs of days in a folder, in ascending order; incomplete ones are ignored."""
    return [_segment(folder / name) for name in _names(folder)]


def _names(folder: Path) -> list[str]:
    found = [_NAME.fullmatch(path.name) for path in folder.iterdir()] if folder.is_dir() else []
    return sorted({match[1] or match[0] for match in found if match})


def _segment(folder: Path) -> Segment:
    try:
        manifest = json.loads((whole(folder) / _MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] > _FORMAT:
            raise BundleError(f"{folder} was written by a later version of kimono-explore; update to open it.")
        digests = {str(name): str(digest) for name, digest in manifest["sha256"].items()}
        if missing := {_DAYS, *(f"{part}.parquet" for part in PARTS)} - set(digests):
            raise ValueError(f"its manifest does not name {', '.join(sorted(missing))}")
        return Segment(folder, digests)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(folder, error) from error


def damaged(folder: Path, error: Exception) -> BundleError:
    """The error for files that are missing or were changed."""
    words = str(error) or type(error).__name__
    return BundleError(f"{folder} is damaged ({words}). Take its files from a backup.")


def write_segment(folder: Path, versions: Mapping[str, pa.Table], days: Sequence[Day]) -> None:
    """Write a run of days, readable by its owner only.

    Raises
    ------
    BundleError
        It could not be written; the previous contents are intact.
    """
    tables = {f"{part}.parquet": table for part, table in versions.items()} | {_DAYS: _days_table(days)}
    try:
        with atomic_folder(folder) as new:
            digests = {name: _write(table, new / name) for name, table in tables.items()}
            packages = {package: version(package) for package in ("kimono-explore", "pyarrow")}
            manifest = {"format": _FORMAT, "sha256": digests, "versions": packages}
            (new / _MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise BundleError(f"{folder} could not be written: {error}. The previous contents are intact.") from error


def _write(table: pa.Table, path: Path) -> str:
    pq.write_table(table, path, compression="zstd", compression_level=9, dictionary_pagesize_limit=2**26)
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _days_table(days: Iterable[Day]) -> pa.Table:
    """The days as a table that anyone can read."""
    counts = [*(f"{part}_rows" for part in PARTS), *(f"{part}_{kind}" for part in COMPARED for kind in CHANGED)]
    schema = pa.schema(
        [
            ("day", pa.date32()),
            ("source", pa.string()),
            ("loaded_at", pa.string()),
            ("rollups", pa.list_(pa.string())),
            ("columns", pa.string()),
            *((name, pa.int64()) for name in [*counts, "score", *SEVERITIES]),
        ]
    )
    return pa.Table.from_pylist([_day_row(day) for day in days], schema)


def _day_row(day: Day) -> dict[str, Any]:
    changes = day.changes or {}
    return {
        "day": day.day,
        "source": day.source,
        "loaded_at": day.loaded_at.isoformat(),
        "rollups": sorted(day.rollups),
        "columns": json.dumps({part: list(map(list, names.items())) for part, names in day.columns.items()}),
        **{f"{part}_rows": count for part, count in day.rows.items()},
        **{f"{part}_{kind}": count for part, kinds in changes.items() for kind, count in kinds.items()},
        **({"score": day.checked.score, **day.checked.findings} if day.checked else {}),
    }


def _day(row: Mapping[str, Any]) -> Day:
    changes = {part: {kind: row[f"{part}_{kind}"] for kind in CHANGED} for part in COMPARED}
    findings: dict[str, int] = {severity: row[severity] for severity in SEVERITIES}
    known = all(count is not None for count in findings.values())
    return Day(
        row["day"],
        row["source"],
        datetime.fromisoformat(row["loaded_at"]),
        frozenset(row["rollups"]),
        {part: dict(names) for part, names in json.loads(row["columns"]).items()},
        {part: row[f"{part}_rows"] for part in PARTS},
        None if changes["links"]["added"] is None else changes,
        Checked(row["score"], findings) if known else None,
    )
