"""Pages of a load that takes hours, kept on disk so that an interrupted one goes on where it stopped."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path

from kimono_explore.errors import ConfigurationError

_MANIFEST = "pages.json"


class SavedPages:
    """The pages of one load.

    Parameters
    ----------
    folder : str or path
        A new folder, or that of an interrupted load. It holds what the API sent, personal data included, readable by
        its owner only; `discard` removes it.
    base_url : str
        The API.
    page_size : int or None
        As it is asked for.

    Raises
    ------
    ConfigurationError
        The folder holds something else, or pages of another API or size.
    """

    def __init__(self, folder: str | os.PathLike[str], base_url: str, page_size: int | None) -> None:
        self.folder = Path(folder)
        self.taken: dict[str, int] = {}
        self._lock = threading.Lock()
        asked = {"base_url": base_url, "page_size": page_size}
        manifest = self.folder / _MANIFEST
        if manifest.is_file():
            found = json.loads(manifest.read_text(encoding="utf-8"))
            if found != asked:
                raise ConfigurationError(
                    f"{self.folder} holds pages of {found['base_url']} (page_size={found['page_size']}), not of "
                    f"{base_url} (page_size={page_size}). Name another folder, or delete it."
                )
        elif self.folder.exists() and any(self.folder.iterdir()):
            raise ConfigurationError(f"{self.folder} holds something that is no interrupted load. Name a new folder.")
        else:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._write(manifest, json.dumps(asked).encode())

    def get(self, path: str, number: int) -> bytes | None:
        """A page that was saved."""
        try:
            return self._file(path, number).read_bytes()
        except FileNotFoundError:
            return None

    def take(self, path: str, number: int) -> bytes | None:
        """A page that was saved, counted as not read again."""
        body = self.get(path, number)
        if body is not None:
            with self._lock:
                self.taken[path] = self.taken.get(path, 0) + 1
        return body

    def put(self, path: str, number: int, body: bytes) -> None:
        """Save a page: all of it, or nothing."""
        file = self._file(path, number)
        file.parent.mkdir(exist_ok=True, mode=0o700)
        self._write(file, body)

    def forget(self, path: str) -> None:
        """Remove the pages of a list."""
        shutil.rmtree(self._file(path, 0).parent, ignore_errors=True)

    def discard(self) -> None:
        """Remove everything: the load is done."""
        shutil.rmtree(self.folder)

    def _file(self, path: str, number: int) -> Path:
        return self.folder / path.replace("/", "_") / f"{number:06}.json"

    @staticmethod
    def _write(file: Path, body: bytes) -> None:
        new = file.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
            opened.write(body)
        new.replace(file)
