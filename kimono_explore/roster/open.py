"""A roster opened from a path: a snapshot, or a OneRoster bundle."""

from __future__ import annotations

import os

from kimono_explore.errors import expect
from kimono_explore.files.oneroster.bundle import MAX_BYTES
from kimono_explore.files.oneroster.read import read_bundle
from kimono_explore.files.snapshot import is_snapshot, read_snapshot
from kimono_explore.roster.roster import Roster


def open_roster(folder: str | os.PathLike[str], *, verify: bool = False) -> Roster:
    """Open a snapshot written by `Roster.save`.

    If another process saves to the folder at the same time, either the old or the new snapshot is read, never parts of
    both.

    Parameters
    ----------
    folder : str or path
    verify : bool, default False
        Verify every file against its stored digest. Row counts are always verified.

    Returns
    -------
    Roster
        Equal to the one that was saved, including dtypes.

    Raises
    ------
    BundleError
        The folder is not a snapshot, is incomplete or damaged, or uses a newer format.

    Examples
    --------
    >>> roster.save(tmp_path / "monday")
    >>> len(kx.open_roster(tmp_path / "monday").persons) == len(roster.persons)
    True
    """
    expect("open_roster", folder, str, os.PathLike)
    return Roster(**vars(read_snapshot(folder, verify=verify)))


def read_oneroster(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Roster:
    """Read a OneRoster CSV bundle, version 1.1 or 1.2.

    Nothing is dropped silently and nothing is guessed: anything that does not fit is listed in ``problems`` by table,
    id and column.

    Parameters
    ----------
    path : str or path
        A folder or a zip file.
    max_bytes : int, default 4 GiB
        The maximum number of bytes of CSV to read, whatever size the zip file claims.

    Returns
    -------
    Roster
        Ids are the bundle's ``sourcedId``. Persons are the users who are students or teachers, plus administrators,
        aides, proctors, counselors and principals as staff. Parents and guardians are left out, and counted in
        ``problems``. An enrollment names both of its ends, so its link is stated by both; every other link is stated by
        its source.

    Raises
    ------
    BundleError
        The path is not a bundle, one of its files cannot be read at all, two files have the same name, an unclosed
        quote swallows rows, or it holds more data than a bundle may.

    Notes
    -----
    Dates in a format other than ``2026-08-15`` are read if exactly one order of day and month fits the file's whole
    column, which is reported once per column. If both orders fit, the dates stay missing, and each is reported.
    Two-digit years below 70 are in this century, and no date of birth is later than today.

    Exact duplicate rows are dropped and reported; rows that share an id but differ are all kept and reported. If
    several demographics rows for one person contradict each other, the value stays missing.

    In a bundle with roles.csv (OneRoster 1.2), a person's type is that of the primary role, preferably the one at the
    ``primaryOrgSourcedId``. ``ext_roles`` holds all roles of a person who has several, and each row of roles.csv
    becomes a ``member_of`` link of its own. Such a link is primary if its ``roleType`` is, unless another org is the
    person's primary org.

    Cells may also be separated by semicolons, tabs or vertical bars, and text may be UTF-8, UTF-16, UTF-32 or
    Windows-1252; anything but commas and UTF with a byte order mark is reported.

    Examples
    --------
    >>> _ = roster.to_oneroster(tmp_path / "district.zip")
    >>> len(kx.read_oneroster(tmp_path / "district.zip").persons) == len(roster.persons)
    True
    """
    expect("read_oneroster", path, str, os.PathLike)
    return Roster(**vars(read_bundle(path, max_bytes)))


def read_source(path: str | os.PathLike[str]) -> Roster:
    """A roster from a path: a snapshot folder, or a OneRoster bundle."""
    return open_roster(path) if is_snapshot(path) else read_oneroster(path)
