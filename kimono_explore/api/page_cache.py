"""Pages of a long load, kept on disk so that an interrupted load can resume where it stopped."""

from __future__ import annotations

import json
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kimono_explore.api.pages import Answer, open_page
from kimono_explore.atomic import atomic_file, only_one
from kimono_explore.errors import BadResponseError, ConfigurationError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

_MANIFEST = "pages.json"
_LOCK = ".lock"


@contextmanager
def saved_pages(
    folder: str | os.PathLike[str] | None, base_url: str, page_size: int | None
) -> Iterator[SavedPages | None]:
    """The saved pages of one load while it runs; None without a folder.

    Parameters
    ----------
    folder : str or path, optional
        A new folder, or that of an interrupted load. It holds what the API sent, personal data included, readable by
        its owner only; `SavedPages.discard` removes it.
    base_url : str
        The API.
    page_size : int or None
        The page size that is requested.

    Raises
    ------
    ConfigurationError
        The folder is not empty and is not an interrupted load, holds pages of another API or size, or is in use by another load.
    """
    if folder is None:
        yield None
        return
    path = Path(folder)
    known = {_MANIFEST, _LOCK}
    if path.is_file() or (path.is_dir() and any(path.iterdir()) and not known & {file.name for file in path.iterdir()}):
        raise ConfigurationError(f"{path} is not empty and is not an interrupted load. Name a new folder.")
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    with only_one(path / _LOCK, f"Another load is using {path}"):
        yield SavedPages(path, base_url, page_size)


class SavedPages:
    """The pages of one load, each validated before it is saved and again when it is read."""

    def __init__(self, folder: Path, base_url: str, page_size: int | None) -> None:
        self.folder = folder
        self.taken: dict[str, int] = {}
        self._lock = threading.Lock()
        wanted = {"base_url": base_url, "page_size": page_size}
        manifest = folder / _MANIFEST
        found = _manifest(manifest)
        if found is None:
            for leftover in folder.iterdir():  # it is unknown which load they belong to
                if leftover.is_dir():
                    shutil.rmtree(leftover)
            self._write(manifest, json.dumps(wanted).encode())
        elif found != wanted:
            raise ConfigurationError(
                f"{folder} holds pages of {found.get('base_url')} (page_size={found.get('page_size')}), not of "
                f"{base_url} (page_size={page_size}). Name another folder, or delete it."
            )

    def get(self, path: str, number: int) -> Answer | None:
        """A saved page; None if there is none or it is damaged."""
        try:
            body = self._file(path, number).read_bytes()
            page = open_page(body, f"{path} (page {number})")
        except (OSError, BadResponseError):
            return None
        return Answer(body, page)

    def take(self, path: str, number: int) -> Answer | None:
        """A saved page, counted as reused."""
        answer = self.get(path, number)
        if answer is not None:
            with self._lock:
                self.taken[path] = self.taken.get(path, 0) + 1
        return answer

    def put(self, path: str, number: int, body: bytes) -> None:
        """Save a valid page atomically."""
        file = self._file(path, number)
        file.parent.mkdir(exist_ok=True, mode=0o700)
        self._write(file, body)

    def forget(self, path: str) -> None:
        """Remove the pages of a list."""
        shutil.rmtree(self._file(path, 0).parent, ignore_errors=True)

    def discard(self) -> None:
        """Remove everything: the load is done."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, path: str, number: int) -> Path:
        return self.folder / path.replace("/", "_") / f"{number:06}.json"

    @staticmethod
    def _write(file: Path, body: bytes) -> None:
        with atomic_file(file) as new:
            new.write_bytes(body)


def _manifest(path: Path) -> dict[str, object] | None:
    """Which load the pages belong to; None if unknown or damaged, in which case no page is reused."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
