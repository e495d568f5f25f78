"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A temporary file beside ``path`` (mode 0600) that takes its place when the block ends without an error.

    Examples
    --------
    >>> with atomic_file(tmp_path / "note.txt") as beside:
    ...     _ = beside.write_text("whole")
    >>> (tmp_path / "note.txt").read_text()
    'whole'
    """
    path = path.resolve()  # of a link, what it leads to is replaced
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        _sync(beside)
        beside.replace(path)
        _sync(path.parent)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A temporary folder beside ``path`` (mode 0700, its files 0600) that takes its place when the block ends.

    What was at ``path`` is renamed away first and deleted last; if the swap fails, it is renamed back.

    Examples
    --------
    >>> with atomic_folder(tmp_path / "notes") as beside:
    ...     _ = (beside / "note.txt").write_text("whole")
    >>> [file.name for file in (tmp_path / "notes").iterdir()]
    ['note.txt']
    """
    path = path.resolve()  # of a link, what it leads to is replaced
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    away = beside.with_name(f"{beside.name}.old")
    try:
        yield beside
        for file in beside.rglob("*"):
            file.chmod(0o700 if file.is_dir() else 0o600)
            _sync(file)
        _sync(beside)
        if path.exists():
            path.rename(away)
        try:
            beside.rename(path)
        except OSError:
            if away.exists():
                away.rename(path)
            raise
        _sync(path.parent)
    finally:
        for leftover in (beside, away):
            if leftover.exists():
                shutil.rmtree(leftover)


def _sync(path: Path) -> None:
    """Have the disk keep what was written; folders cannot be told so everywhere."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
