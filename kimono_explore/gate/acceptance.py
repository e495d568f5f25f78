"""``gate.log``: who let which reason through, for which load, and why. Entries are only ever appended."""

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
    """The log in the folder that holds a snapshot."""
    return Path(snapshot).absolute().parent / NAME


def write_entry(log: str | os.PathLike[str], **entry: str | None) -> None:
    """Append an entry: when, who, and the fields given. If the last line was cut off, the entry begins a new line.

    Only the owner can read the file.
    """
    line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "who": _user_name(), **entry}
    text = json.dumps(line, ensure_ascii=False) + "\n"
    with os.fdopen(os.open(log, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            text = text if file.read(1) == b"\n" else f"\n{text}"
        file.write(text.encode())


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a name for its user
        return "unknown"


def let_through_before(snapshot: str | os.PathLike[str], load: str) -> Iterator[dict[str, Any]]:
    """The log entries beside a snapshot that let something of this load through; unreadable lines are skipped."""
    try:
        lines = log_beside(snapshot).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        applies = isinstance(entry, dict) and entry.get("load") == load and {"rule", "school"} <= entry.keys()
        if applies and isinstance(entry.get("because"), str):
            yield entry
