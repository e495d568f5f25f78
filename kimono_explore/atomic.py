"""Files and folders that exist whole or not at all, even if the process that writes them is killed."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from kimono_explore.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def atomic_file(path: str | os.PathLike[str], *, private: bool = True) -> Iterator[Path]:
    """A temporary file beside ``path`` that takes its place when the block ends without an error.

    Parameters
    ----------
    path : str or path
    private : bool, default True
        Readable by its owner alone; False leaves that to the process's umask.

    Yields
    ------
    pathlib.Path
        The file to write.

    Examples
    --------
    >>> with atomic_file(tmp_path / "note.txt") as new:
    ...     _ = new.write_text("whole")
    >>> (tmp_path / "note.txt").read_text()
    'whole'
    """
    path = Path(path).resolve()
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o666))
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None  # of the file that was asked for
    try:
        yield new
        _flush(new)
        new.replace(path)
        _flush(path.parent)
    finally:
        new.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | os.PathLike[str], *, private: bool = True) -> Iterator[Path]:
    """A new folder beside ``path`` that takes its place when the block ends without an error.

    The old folder is renamed, the new one takes its name, the old one is deleted. Killed between the first two steps, the
    old one is found by `whole` under its other name; the next writer tidies up.

    Parameters
    ----------
    path : str or path
    private : bool, default True
        Readable by its owner alone (0700, files 0600); False leaves that to the process's umask.

    Yields
    ------
    pathlib.Path
        The folder to fill.

    Raises
    ------
    ConfigurationError
        Another process is writing the same folder.

    Examples
    --------
    >>> with atomic_folder(tmp_path / "notes") as new:
    ...     _ = (new / "note.txt").write_text("whole")
    >>> [file.name for file in whole(tmp_path / "notes").iterdir()]
    ['note.txt']
    """
    path = Path(path).resolve()
    new, old = path.with_name(f".{path.name}.new"), _aside(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with only_one(path.with_name(f".{path.name}.lock"), f"{path} is being written by another process"):
        if not path.exists() and old.exists():
            old.rename(path)  # killed between the two renames
        _remove(new)
        _remove(old)
        new.mkdir(mode=0o700)
        try:
            yield new
            for file in sorted(new.rglob("*"), reverse=True):
                if private:
                    file.chmod(0o700 if file.is_dir() else 0o600)
                _flush(file)
            if not private:
                new.chmod(0o777 & ~_umask())
            _flush(new)
            if path.exists():
                path.rename(old)
            new.rename(path)
            _flush(path.parent)
        finally:
            _remove(new)
            if path.exists():
                _remove(old)


def whole(path: str | os.PathLike[str]) -> Path:
    """Where the folder written by `atomic_folder` is: at its path, or beside it if its writer was killed."""
    path = Path(path)
    old = _aside(path)
    return old if old.exists() and not path.exists() else path


@contextmanager
def only_one(lock: Path, refusal: str) -> Iterator[None]:
    """Let one process at a time into the block; the lock ends with its process, however that ends.

    Raises
    ------
    ConfigurationError
        Another one is in it.
    """
    held = FileLock(lock, timeout=0)
    try:
        held.acquire()
    except Timeout as error:
        raise ConfigurationError(f"{refusal}. Wait for it to end, or name another folder.") from error
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        held.release()


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.old")


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _flush(path: Path) -> None:
    """Make sure that what was written is on disk; Windows cannot do that for folders."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
