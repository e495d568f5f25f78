"""A roster opened from a path: a snapshot, or a OneRoster bundle."""

from __future__ import annotations

import os

from kimono_explore.errors import expect
from kimono_explore.files.oneroster.bundle import MAX_BYTES
from kimono_explore.files.oneroster.read import read_bundle
from kimono_explore.files.snapshot import is_snapshot, read_snapshot
from kimono_explore.roster.roster import Roster


def open_roster(folder: str | os.PathLike[str], *, verify: bool = False) -> Roster:
    """Open a snapshot that `Roster.save` wrote.

    Where another process saves to the folder meanwhile, the old snapshot is read or the new one, never parts of both.

    Parameters
    ----------
    folder : str or path
    verify : bool, default False
        Compare every file with the digest that was kept of it. The numbers of rows are compared always.

    Returns
    -------
    Roster
        Equal to the one that was saved, dtypes included.

    Raises
    ------
    BundleError
        The folder is not a snapshot, is incomplete or damaged, or was written by a later format.

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

    Nothing is lost and nothing is guessed: what does not fit is named in ``problems``, by its table, id and column.

    Parameters
    ----------
    path : str or path
        A folder, or a zip.
    max_bytes : int, default 4 GiB
        The most bytes of CSV to read, whatever the zip says of its size.

    Returns
    -------
    Roster
        Ids are the bundle's ``sourcedId``. Users with role student and teacher, and as staff administrators, aides,
        proctors, counselors and principals, are persons; parents and guardians are counted in ``problems`` and left out.
        An enrollment names both of its ends, so its link is stated by both; every other link is stated by its source.

    Raises
    ------
    BundleError
        The path is not a bundle, one of its files cannot be read at all, two files claim one name, a quote that is
        not closed swallows rows, or there is more in it than a bundle can hold.

    Notes
    -----
    Dates that are not written ``2026-08-15`` are read if one order of day and month explains the whole column of the
    file, which is told once for the column. Where both orders do, the dates stay missing, and each is told. Two-digit
    years below 70 are of this century, and nobody is born later than today.

    Rows that come again, unchanged, are dropped and told; rows that share an id and differ are all kept and told. Of
    several rows of demographics for one person, what they contradict each other in stays missing.

    In a bundle with roles.csv (OneRoster 1.2) a person is known by the role that is primary, best at the
    ``primaryOrgSourcedId``; ``ext_roles`` holds all roles of those who have several, and each row of roles.csv is a
    ``member_of`` link of its own. Such a link is primary if its ``roleType`` is, and no other org is the person's primary
    one.

    Cells may be separated by semicolons, tabs or bars, and text may be UTF-8, UTF-16, UTF-32 or Windows-1252: all but
    commas and UTF with a byte order mark is told.

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
