"""A made-up state: many districts, written as one snapshot, one district in memory at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from kimono_explore.files.snapshot import PARTS, new_snapshot, write_manifest
from kimono_explore.frames import to_arrow
from kimono_explore.roster.roster import Roster
from kimono_explore.sandbox.district.build import make_district

if TYPE_CHECKING:
    import os

_NUMBERED = ("local_id", "state_id")


def write_state(
    folder: str | os.PathLike[str], students: int, *, district_size: int = 100_000, seed: int = 7
) -> dict[str, int]:
    """Write a snapshot of a state that has no mistakes: a folder of Parquet files a table, one file a district.

    Parameters
    ----------
    folder : str or path
        A new folder.
    students : int
        How many; a student has about six sections.
    district_size : int, default 100,000
        Students of a district. It sets how much memory is needed, about 3 KB a student.
    seed : int, default 7
        The same seed gives the same state.

    Returns
    -------
    dict
        Rows by table.

    Examples
    --------
    >>> rows = write_state(tmp_path / "state", students=600, district_size=300)
    >>> rows["orgs"], kx.check(tmp_path / "state", ["no_lea", "orphan_student_in"]).summary["status"].tolist()
    (8, ['passed', 'passed'])
    """
    rows = dict.fromkeys(PARTS, 0)
    with new_snapshot(folder) as new:
        for number, start in enumerate(range(0, students, district_size)):
            district = _numbered(make_district(min(district_size, students - start), seed + number), number)
            for name in PARTS:
                path = new / f"{name}.parquet"
                path.mkdir(exist_ok=True)
                table = to_arrow(name, getattr(district, name))
                pq.write_table(table, path / f"{number:05}.parquet", compression="zstd")
                rows[name] += table.num_rows
        write_manifest(new, replace(Roster(), source=f"a made-up state of {students:,} students"), rows)
    return rows


def _numbered(district: Roster, number: int) -> Roster:
    """The district with ids and addresses of its own, so that no local id or e-mail occurs in two districts."""
    tables: dict[str, Any] = {}
    for name, df in district.tables.items():
        columns = {column: f"{number:04}" + df[column] for column in _NUMBERED if column in df}
        if "email" in df:
            columns["email"] = df["email"].str.replace("@", f"@d{number:04}.", regex=False)
        tables[name] = df.assign(**columns)
    return replace(district, **tables)
