"""The files of a OneRoster bundle, a folder or a zip: opened within bounds, and read as columns of text."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from contextlib import ExitStack
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, NamedTuple

from kimono_explore.errors import BundleError
from kimono_explore.files.oneroster.layout import READ
from kimono_explore.schema import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_BYTES = 4 * 2**30
"""How many bytes of CSV are read from a bundle at most, however small its zip is."""
MAX_RATIO = 200
"""A zip that grows by more than this when it is opened is refused: CSV grows by 5 to 50."""
RATIO_FROM = 2**24
"""Smaller files may grow as they like."""
MAX_ENTRIES = 10_000
MAX_COLUMNS = 10_000
MAX_CELLS = 500_000_000

_CHUNK = 2**16  # a zip is read in such pieces, too: what was taken of it is known that well
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_MARKS = (  # the longer ones first: UTF-32 begins as UTF-16 does
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


class Csv(NamedTuple):
    """A file as columns of equal length: text, or None where a cell is empty."""

    columns: dict[str, list[str | None]]
    length: int

    def get(self, name: str) -> list[str | None]:
        """A column; all empty if the file has no column of this name."""
        return self.columns.get(name) or [None] * self.length


class Bundle:
    """The CSV files of a folder or a zip, by name.

    Parameters
    ----------
    path : pathlib.Path
    max_bytes : int
        How many bytes of CSV to read at most.
    problems : list of Problem
        Where oddities of the files are noted.
    """

    def __init__(self, path: Path, max_bytes: int, problems: list[Problem]) -> None:
        self.path, self.problems = path, problems
        self._left, self._max_bytes, self._cells = max_bytes, max_bytes, MAX_CELLS
        self._open: dict[str, Callable[[], bytes]] = {}
        self.spelled: dict[str, str] = {}
        self._files_open = ExitStack()
        try:
            self._find()
        except BundleError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the zip."""
        self._files_open.close()

    def _find(self) -> None:
        path = self.path
        shown: dict[str, str] = {}
        for name, read in self._files():
            key = PurePosixPath(name).stem.lower()
            if key in shown and key in READ:
                raise BundleError(
                    f"{path} holds {shown[key]} and {name}: only one can be {READ[key]}.csv. Remove the other one."
                )
            shown[key] = name
            self.spelled[key] = PurePosixPath(name).stem
            self._open[key] = read

    def names(self) -> list[str]:
        """The names of the files, in small letters and without ``.csv``."""
        return list(self._open)

    def _files(self) -> Iterator[tuple[str, Callable[[], bytes]]]:
        path = self.path
        try:
            if path.is_dir():
                found = [p for p in sorted(path.rglob("*")) if p.is_file() and len(p.relative_to(path).parts) <= 2]
                files: list[tuple[str, Callable[[], bytes]]] = [
                    (p.relative_to(path).as_posix(), partial(self._read_file, p)) for p in found
                ]
            else:
                counted = self._files_open.enter_context(_Counted(path))
                archive = self._files_open.enter_context(zipfile.ZipFile(counted))
                entries = archive.infolist()
                if len(entries) > MAX_ENTRIES:
                    raise BundleError(f"{path} holds {len(entries):,} files; a bundle has at most {MAX_ENTRIES:,}.")
                entries.sort(key=lambda entry: entry.filename)
                files = [
                    (e.filename, partial(self._read_entry, archive, counted, e)) for e in entries if not e.is_dir()
                ]
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            why = getattr(error, "strerror", None) or error
            raise BundleError(
                f"{path} is not a OneRoster bundle ({why}). Name a folder of CSV files, or a zip."
            ) from error
        return iter((name, read) for name, read in files if _is_csv(name))

    def _read_file(self, path: Path) -> bytes:
        with path.open("rb") as file:
            return self._take(file, path.name, lambda: path.stat().st_size)

    def _read_entry(self, archive: zipfile.ZipFile, counted: _Counted, entry: zipfile.ZipInfo) -> bytes:
        counted.taken = 0
        with archive.open(entry) as file:
            return self._take(file, entry.filename, lambda: counted.taken)

    def _take(self, file: IO[bytes], name: str, taken: Callable[[], int]) -> bytes:
        """Read a file piece by piece, counting the bytes: the headers of a zip cannot be trusted."""
        parts, size = [], 0
        while part := file.read(_CHUNK):
            parts.append(part)
            size += len(part)
            self._left -= len(part)
            if self._left < 0:
                raise BundleError(
                    f"{self.path} holds more than {self._max_bytes:,} bytes of CSV. If that is expected, raise max_bytes=."
                )
            if size > RATIO_FROM and size > MAX_RATIO * taken():
                raise BundleError(
                    f"{name} in {self.path} expands more than {MAX_RATIO}-fold when opened: this is a zip bomb, not a bundle."
                )
        return b"".join(parts)

    def read(self, name: str, known: tuple[str, ...] = (), table: str | None = None) -> Csv | None:
        """Read a file, with its columns spelled as OneRoster does; None if it does not exist.

        Parameters
        ----------
        name : str
        known : tuple of str
            The columns that OneRoster defines for the file.
        table : str, optional
            The table under which problems are noted. Default: the file's name.
        """
        if name.lower() not in self._open:
            return None
        table = table or name
        try:
            body = self._open[name.lower()]()
        except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
            reason = str(error) or "it ends too soon"
            raise BundleError(f"{name}.csv in {self.path} cannot be read: {reason}") from error
        except Exception as error:
            if type(error).__name__ != "LZMAError":
                raise
            raise BundleError(f"{name}.csv in {self.path} cannot be read: {error}") from error
        text = self._text(body, name, table)
        separator, text = self._separator(text, name, table, known)
        rows = _Rows(text, separator, name)
        header = next(rows, [])
        names = self._header(name, table, header, known)
        return self._columns(name, table, names, rows)

    def _text(self, body: bytes, name: str, table: str) -> str:
        encoding = next((encoding for mark, encoding in _MARKS if body.startswith(mark)), None)
        if encoding is None and (guess := _without_mark(body)):
            encoding = guess
            told = guess.upper().removesuffix("-LE").removesuffix("-BE")
            self._note(table, f"{name}.csv is {told} without a byte order mark; read as such")
        try:
            return body.decode(encoding or "utf-8")
        except UnicodeDecodeError as error:
            if encoding not in (None, "utf-8-sig"):
                raise BundleError(f"{name}.csv begins like {encoding.upper()} and is not: {error}") from error
        self._note(table, f"{name}.csv is not UTF-8; read as Windows-1252")
        return body.decode("cp1252", errors="replace")

    def _separator(self, text: str, name: str, table: str, known: tuple[str, ...]) -> tuple[str, str]:
        ends = [place for place in (text.find("\n"), text.find("\r")) if place >= 0]
        first = text[: min(ends, default=len(text))]
        if len(first) == 5 and first.lower().startswith("sep="):
            return first[4], text[len(first) :].lstrip("\r\n")
        expected = {column.lower() for column in (*known, "sourcedId", "propertyName", "value")}

        def fitting(separator: str) -> int:
            return len({cell.strip(' "').lower() for cell in first.split(separator)} & expected)

        best = max((",", *_SEPARATORS), key=fitting)
        if best == "," or fitting(best) < 2:
            return ",", text
        self._note(table, f"{name}.csv has {_SEPARATORS[best]} between its cells, not commas; read accordingly")
        return best, text

    def _header(self, name: str, table: str, header: list[str], known: tuple[str, ...]) -> list[str]:
        spelled = {key.lower(): key for key in known}
        names: list[str] = []
        for cell in header:
            key = spelled.get(cell.strip().lower(), cell.strip())
            if key and key in names:
                text = f"{name}.csv has two columns of this name; the first is read"
                self.problems.append(Problem(table, None, key, None, text))
                key = ""
            names.append(key)
        return names

    def _columns(self, name: str, table: str, names: list[str], rows: _Rows) -> Csv:
        width = len(names)
        least = max(
            (n for n, key in enumerate(names, start=1) if key), default=0
        )  # cells below nameless columns may lack
        place = names.index("sourcedId") if "sourcedId" in names else None
        kept: list[list[str]] = []
        unnamed = 0
        for row in rows:
            if not any(row):
                continue
            self._cells -= len(row)
            if len(row) > MAX_COLUMNS or self._cells < 0:
                raise BundleError(
                    f"{name}.csv, line {rows.line}: too many cells ({MAX_COLUMNS:,} in a row, {MAX_CELLS:,} in all)."
                )
            if len(row) != width:
                if any(row[width:]) or len(row) < least:
                    id = row[place] if place is not None and place < len(row) else None
                    what = f"{len(row)} cells where {width} were expected"
                    text = f"row {len(kept) + 2} of {name}.csv has {what}"
                    self.problems.append(Problem(table, id or None, None, ",".join(row), text))
                row[:] = [*row[:width], *[""] * (width - len(row))]
            unnamed += any(cell and not key for cell, key in zip(row, names, strict=True)) if "" in names else 0
            kept.append(row)
        if unnamed:
            text = f"rows of {name}.csv have cells in a column without a name, or with a repeated name; left out, value counts them"
            self.problems.append(Problem(table, None, None, str(unnamed), text))
        if rows.unclosed:
            self._note(table, f"{name}.csv, line {rows.unclosed}: a quote is opened here and not closed")
        cells = zip(*kept, strict=True) if kept else iter([()] * width)
        columns = {key: [cell or None for cell in column] for key, column in zip(names, cells, strict=False) if key}
        return Csv(columns, len(kept))

    def _note(self, table: str, problem: str) -> None:
        self.problems.append(Problem(table, None, None, None, problem))


class _Rows:
    """The rows of a CSV text, with the line on which each begins."""

    def __init__(self, text: str, separator: str, name: str) -> None:
        self.line = self.unclosed = 0
        self._name, self._separator = name, separator
        self._lines = iter(io.StringIO(text, newline=""))
        self._taken: list[str] = []
        self._reader = csv.reader(self._record(), delimiter=separator)

    def _record(self) -> Iterator[str]:
        for line in self._lines:
            self._taken.append(line)
            yield line

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        self.line = self._reader.line_num + 1
        self._taken.clear()
        try:
            row = next(self._reader)
        except csv.Error as error:
            raise BundleError(f"{self._name}.csv, line {self.line}: {error}. Is a quote not closed?") from error
        if len(self._taken) > 1 or (self._taken and not self._taken[0].endswith(("\n", "\r"))):
            self._look_for_quotes()
        return row

    def _look_for_quotes(self) -> None:
        """Raise if a quote is unclosed: it merges many rows into one, and no reader can tell where it should have ended."""
        try:
            list(csv.reader(self._taken, delimiter=self._separator, strict=True))
        except csv.Error:
            opened, is_open = self.line, False
            for number, line in enumerate(self._taken, start=self.line):
                if line.count('"') % 2:
                    is_open = not is_open
                    opened = number if is_open else opened
            if len(self._taken) > 1:
                raise BundleError(
                    f"{self._name}.csv, line {opened}: a quote is opened here and not closed. Close it, and read again."
                ) from None
            self.unclosed = opened if is_open else 0


class _Counted(io.FileIO):
    """A file that counts the bytes read from it, whatever the headers of the zip say."""

    taken = 0

    def __init__(self, path: Path) -> None:
        super().__init__(path)

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(-1 if size is None else size) or b""
        self.taken += len(data)
        return data


def _is_csv(name: str) -> bool:
    return name.lower().endswith(".csv") and "__MACOSX" not in name and not PurePosixPath(name).name.startswith(".")


def _without_mark(body: bytes) -> str | None:
    """The encoding of a text without a byte order mark that begins with an ASCII character, judged by its zero bytes."""
    zeros = tuple(byte == 0 for byte in body[:4])
    patterns: dict[tuple[bool, ...], str] = {
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
    }
    return patterns.get(zeros)
