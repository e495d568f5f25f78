"""The report as a folder: the page, and beside it the failing rows of each check as CSV and xlsx."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from kimono_explore.atomic import atomic_file, atomic_folder
from kimono_explore.export import MOST_ROWS, TYPES, file_of
from kimono_explore.quality.page import make_page

if TYPE_CHECKING:
    import os

    from kimono_explore.quality.findings import Findings

PAGE = "index.html"
_MARK = 'name="generator" content="kimono-explore"'
_BEGINNING = 4_000
"""Characters of a page within which its mark stands."""
_OWN = re.compile(r"rows-[\w.-]+\.(csv|xlsx)")


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a report is to be written as a folder: one that exists, or a new path that does not end as a page does."""
    path = Path(path)
    return path.is_dir() or not (path.exists() or path.suffix.lower() in (".html", ".htm"))


def write_folder(report: Findings, path: str | os.PathLike[str], rows: int, *, private: bool) -> None:
    """Write the page and the tables: a new folder whole or not at all; in one that exists, every file or none.

    Other files stay; tables that an earlier report has left there go.
    """
    path = Path(path)
    tables = {
        outcome.check.id: (name, outcome.failures)
        for outcome, name in zip(report.outcomes, _names(report), strict=True)
        if len(outcome.failures)
    }
    files = {
        id: [(kind, f"{name}.{kind}") for kind in TYPES if kind == "csv" or len(df) <= MOST_ROWS]
        for id, (name, df) in tables.items()
    }
    page = make_page(report, rows, {id: [(_SHOWN[kind], name) for kind, name in mine] for id, mine in files.items()})
    if not path.exists():
        with atomic_folder(path, private=private) as new:
            (new / PAGE).write_text(page, encoding="utf-8", newline="")
            for id, mine in files.items():
                for kind, name in mine:
                    (new / name).write_bytes(file_of(tables[id][1], kind))
        return
    old = _left(path)
    with ExitStack() as stack:
        # First in, last out: the page takes its place when the tables that it links to are there.
        index = stack.enter_context(atomic_file(path / PAGE, private=private))
        index.write_text(page, encoding="utf-8", newline="")
        for id, mine in files.items():
            for kind, name in mine:
                new = stack.enter_context(atomic_file(path / name, private=private))
                new.write_bytes(file_of(tables[id][1], kind))
    for name in old - {name for mine in files.values() for _, name in mine}:
        (path / name).unlink(missing_ok=True)


_SHOWN = {"csv": "CSV", "xlsx": "xlsx"}


def _names(report: Findings) -> list[str]:
    """The name of each check's tables, without its ending; no id leads out of the folder, or to another's file."""
    names: list[str] = []
    for number, outcome in enumerate(report.outcomes):
        name = f"rows-{re.sub('[^A-Za-z0-9_-]', '-', outcome.check.id)[:100]}"
        names.append(f"{name}-{number}" if name.lower() in map(str.lower, names) else name)
    return names


def _left(path: Path) -> set[str]:
    """The tables of an earlier report in a folder; none, where its page is not one of ours."""
    try:
        with (path / PAGE).open(encoding="utf-8", errors="replace") as file:
            ours = _MARK in file.read(_BEGINNING)
    except FileNotFoundError:
        return set()
    return {file.name for file in path.iterdir() if ours and file.is_file() and _OWN.fullmatch(file.name)}
