"""``gate.log``: who let which reason through, for which load, and why. It is only ever appended to."""

from __future__ import annotations

import getpass
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "gate.log"


def log_beside(snapshot: str | os.PathLike[str]) -> Path:
    """The log of the folder in which a snapshot is."""
    return Path(snapshot).absolute().parent / NAME


def write_entry(log: str | os.PathLike[str], **entry: str | None) -> None:
    """Append one line: when, who, and what is given; after a line that was cut off, on a line of its own.

    The file is readable by its owner alone.
    """
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "who": _who(), **entry}
    text = json.dumps(line, ensure_ascii=False) + "\n"
    with os.fdopen(os.open(log, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            text = text if file.read(1) == b"\n" else f"\n{text}"
        file.write(text.encode())


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a name for its user
        return "unknown"


def let_through_before(snapshot: str | os.PathLike[str], load: str) -> Iterator[dict[str, Any]]:
    """What was let through of this load: the entries of the log beside it; lines that cannot be read are left out."""
    try:
        lines = log_beside(snapshot).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        mine = isinstance(entry, dict) and entry.get("load") == load and {"rule", "school"} <= entry.keys()
        if mine and isinstance(entry.get("because"), str):
            yield entry
