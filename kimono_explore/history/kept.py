"""A folder with the rosters of many days: add a day, open one, count them, follow one object through them."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kimono_explore.atomic import only_one
from kimono_explore.compare import LINK_KEY, compare
from kimono_explore.display import plural, printable
from kimono_explore.errors import BundleError, expect
from kimono_explore.files.snapshot import PARTS
from kimono_explore.frames import put_together, to_pandas, to_series
from kimono_explore.history.life import Life, as_days, changes, ends_of, read_life, stays, touching
from kimono_explore.history.segment import (
    CHANGED,
    COMPARED,
    Checked,
    Day,
    Segment,
    is_history,
    read,
    write_segment,
)
from kimono_explore.history.versions import (
    FROM,
    UNTIL,
    add_day,
    arrow_rows,
    difference,
    first_day,
    on_day,
    rows_of,
    without_last_day,
)
from kimono_explore.quality import Report
from kimono_explore.quality.definition import SEVERITIES
from kimono_explore.roster.roster import Roster
from kimono_explore.schema import OBJECT_TYPES, TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kimono_explore.history.segment import Read

_ONE_DAY = timedelta(days=1)
_KEYS = {"links": LINK_KEY}
_MAX_VERSIONS_PER_ROW = 4
"""If rows have more versions than this on average, another run of days begins."""
_FEW_VERSIONS = 10_000
"""Up to this many versions, a run goes on in any case."""


def history(folder: str | os.PathLike[str]) -> History:
    """Open a folder that keeps the rosters of many days, stored as day-to-day differences.

    Parameters
    ----------
    folder : str or path
        A history folder. It is created when the first day is added.

    Returns
    -------
    History
        With ``.add(roster)``, ``.days``, ``.open(day)``, ``.table()`` and ``.changes(table, id)``.

    Raises
    ------
    BundleError
        The folder holds something other than a history.

    Examples
    --------
    >>> days = kx.history(tmp_path / "days")
    >>> days.add(roster, "2026-10-05")
    >>> later = kx.Roster(**roster.tables, links=roster.links)
    >>> later.persons = roster.persons.iloc[1:]
    >>> days.add(later, "2026-10-06")
    >>> len(days.open("2026-10-05").persons) - len(days.open("2026-10-06").persons)
    1
    >>> days.changes("persons", roster.persons["id"][0])["what"].unique().tolist()
    ['first seen', 'gone']
    """
    expect("history", folder, str, os.PathLike)
    return History(folder)


class History:
    """The rosters of many days, opened by `history`.

    Parameters
    ----------
    folder : str or path

    Attributes
    ----------
    folder : pathlib.Path

    Raises
    ------
    BundleError
        The folder holds something other than a history.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        there = self.folder.exists()
        if there and (self.folder.is_file() or (_has_visible_files(self.folder) and not is_history(self.folder))):
            raise BundleError(
                f"{folder} is not empty and is not a history. Name a new folder; history.add(roster) adds days to it."
            )

    def add(self, roster: Roster, day: str | date | None = None, *, report: Report | None = None) -> None:
        """Add the roster of a day.

        Earlier days are left as they are: if the process is killed at any moment, at most this day is missing. The
        folder is readable only by you.

        Parameters
        ----------
        roster : Roster
        day : str or datetime.date, optional
            Such as ``"2026-10-05"``. Default: the date of ``roster.loaded_at``, in UTC. Adding the last day again
            replaces it.
        report : Report, optional
            What the checks found in this roster. Its score and findings are kept with the day.

        Raises
        ------
        ValueError
            The day is before the last one.
        BundleError
            The folder is damaged or cannot be written.
        ConfigurationError
            Another process is adding a day.
        """
        expect("history.add", roster, Roster)
        expect("history.add", report, Report, None)
        when = _loaded_on(roster) if day is None else day_of(day)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BundleError(f"{self.folder} could not be created: {error}.") from error
        with only_one(self.folder / ".lock", f"{self.folder} is being written by another process"):
            self._add(roster, when, _report_summary(report))

    def _add(self, roster: Roster, when: date, checked: Checked | None) -> None:
        earlier = [day for day in self._days() if day.day != when]
        if earlier and when < earlier[-1].day:
            raise ValueError(
                f"{when} is before {earlier[-1].day}, the last day in the history. Days are added in their order; only the last "
                "one can be replaced."
            )
        rows = {part: arrow_rows(part, getattr(roster, part)) for part in PARTS}
        changed = self._changed(earlier[-1].day, rows, roster) if earlier else None
        days, versions = read(self.folder, lambda found: _current_run(found, when))
        extended = {
            part: add_day(versions[part], table, days[-1].day, when) if days else first_day(table, when)
            for part, table in rows.items()
        }
        added = Day(
            when,
            roster.source,
            roster.loaded_at,
            roster.rollups,
            {part: one.columns for part, one in extended.items()},
            {part: table.num_rows for part, table in rows.items()},
            changed,
            checked,
        )
        days = [*days, added]
        write_segment(self.folder / f"{days[0].day}", {part: one.versions for part, one in extended.items()}, days)

    def _changed(self, before: date, rows: Mapping[str, pa.Table], roster: Roster) -> dict[str, dict[str, int]]:
        """How many rows differ from those of an earlier day, as `compare` counts them."""
        old = self._read(
            before,
            lambda segment, day: {
                part: rows_of(segment.versions(part), before, day.columns[part]) for part in COMPARED
            },
        )
        if all(_same_types(old[part].schema, rows[part].schema) for part in COMPARED):
            return {part: difference(old[part], rows[part], _KEYS.get(part, ("id",))) for part in COMPARED}
        counts = compare(self.open(before), roster).summary.set_index("table").to_dict("index")
        return {part: {kind: int(counts[part][kind]) for kind in CHANGED} for part in COMPARED}

    @property
    def days(self) -> list[date]:
        """The days in the history, in ascending order."""
        return [day.day for day in self._days()]

    def _days(self) -> list[Day]:
        return read(self.folder, lambda found: [day for segment in found for day in segment.days])

    @property
    def gaps(self) -> pd.DataFrame:
        """The periods without a roster between the first and the last day: first, last, days (how many are missing)."""
        days = self.days
        periods = [(a + _ONE_DAY, b - _ONE_DAY, (b - a).days - 1) for a, b in pairwise(days) if (b - a).days > 1]
        df = pd.DataFrame(periods, columns=["first", "last", "days"])
        return df.assign(**{name: as_days(df[name]) for name in ("first", "last")}).astype({"days": "int64"})

    def open(self, day: str | date) -> Roster:
        """Read the roster of a day.

        Parameters
        ----------
        day : str or datetime.date

        Returns
        -------
        Roster
            Equal to the one that was added, including dtypes and order.

        Raises
        ------
        ValueError
            The history does not have this day.
        BundleError
            The folder is damaged.
        """
        return self._read(
            day, lambda segment, kept: _roster(kept, {part: _read_table(segment, kept, part) for part in PARTS})
        )

    def _read(self, day: str | date, what: Callable[[Segment, Day], Read]) -> Read:
        """Read something of one day: ``what`` is called with its segment and the day."""
        when = day_of(day)

        def of_day(found: Sequence[Segment]) -> list[Read]:
            return [what(segment, kept) for segment in found for kept in segment.days if kept.day == when]

        answers = read(self.folder, of_day)
        if not answers:
            raise ValueError(_unknown_day(when, self.days))
        return answers[0]

    def table(self) -> pd.DataFrame:
        """Summarize each day: its row counts, what changed since the day before, and what the report found.

        Returns
        -------
        pandas.DataFrame
            One row per day: day, missing (days without a roster just before it), the number of rows of each table and
            of the links, then ``persons_added``, ``persons_removed``, ``persons_changed``, and so on, as counted by
            `compare`, then score, error, warning, information. Unknown values are NA: the changes of the first day, and
            the findings of a day without a report.

        Examples
        --------
        >>> days = kx.history(tmp_path / "counted")
        >>> days.add(roster, "2026-10-05", report=kx.check(roster))
        >>> days.add(roster, "2026-10-08")
        >>> days.table()[["missing", "persons_added", "links_removed"]].to_numpy().tolist()
        [[0, <NA>, <NA>], [2, 0, 0]]
        """
        days = self._days()
        df = pd.DataFrame([_day_counts(day) for day in days], columns=_COUNT_COLUMNS)
        df["day"] = as_days(df["day"])
        missing = (df["day"].diff().dt.days - 1).fillna(0)
        df.insert(1, "missing", missing)
        return df.astype({name: "int64" if name in _NEVER_MISSING else "Int64" for name in df.columns if name != "day"})

    def changes(self, table: str, id: str) -> pd.DataFrame:
        """List every change to one object's values and links.

        Parameters
        ----------
        table : str
            ``"orgs"``, ``"persons"``, ...
        id : str

        Returns
        -------
        pandas.DataFrame
            One row per change: day (on which it was first seen), day_before (the last day in the history before it; any
            days in between are a gap), what, column, old, new (as text), other_type, other_id. ``what`` is
            ``first seen``, ``gone``, ``back`` or ``changed``; for links ``link added``, ``link gone`` or
            ``link changed``, with the relation as ``column`` and the name of the other end as ``old`` or ``new``. If
            several rows have the id, also ``copy added`` and ``copy gone``.

        Raises
        ------
        ValueError
            The table is unknown.
        KeyError
            No day has an object with this id.
        """
        return changes(self._life(table, id))

    def stays(self, table: str, id: str) -> pd.DataFrame:
        """List the unbroken periods during which an object was present.

        Parameters
        ----------
        table : str
            ``"orgs"``, ``"persons"``, ...
        id : str

        Returns
        -------
        pandas.DataFrame
            One row per period: first, last, days (how many days of this period are in the history).

        Raises
        ------
        ValueError
            The table is unknown.
        KeyError
            No day has an object with this id.

        Examples
        --------
        >>> days = kx.history(tmp_path / "stays")
        >>> days.add(roster, "2026-10-05")
        >>> days.add(roster, "2026-10-08")
        >>> days.stays("persons", roster.persons["id"][0])["days"].tolist()
        [2]
        """
        return stays(self._life(table, id))

    def _life(self, table: str, id: str) -> Life:
        if table not in TABLES:
            raise ValueError(f"Unknown table {table!r}. Choose one of: {', '.join(TABLES)}.")
        life = read(self.folder, lambda found: read_life(found, table, str(id)))
        if not life.rows:
            raise KeyError(f"No {OBJECT_TYPES[table]} has the id {id!r} on any of {plural(len(life.days), 'day')}.")
        return life

    def links_of(self, id: str, day: str | date, type: str | None = None) -> pd.DataFrame:
        """List what an object was linked to on a day, such as who was in a section on March 3.

        Parameters
        ----------
        id : str
        day : str or datetime.date
        type : str, optional
            Needed only if objects of two types share the id.

        Returns
        -------
        pandas.DataFrame
            The ``relations`` that `Roster.describe` gives for that day.

        Raises
        ------
        ValueError
            The history does not have this day, or objects of several types have this id.
        KeyError
            No object had this id on that day.

        Examples
        --------
        >>> days = kx.history(tmp_path / "links")
        >>> days.add(roster, "2026-03-03")
        >>> who = days.links_of(roster.sections["id"][0], "2026-03-03")
        >>> set(who["relation"]) >= {"student_in", "teacher_in"}
        True
        """
        return self._read(day, lambda segment, kept: _neighborhood(segment, kept, id)).describe(id, type).relations

    def __repr__(self) -> str:
        days = self.days
        span = f", {days[0]} to {days[-1]}" if days else ""
        gaps = len(self.gaps)
        broken = f", {plural(gaps, 'gap')}" if gaps else ""
        return printable(f"<History: {plural(len(days), 'day')}{span}{broken}; {self.folder}>")


def _has_visible_files(folder: Path) -> bool:
    """Whether a folder has visible files; a writer that was killed leaves only hidden ones."""
    return any(not path.name.startswith(".") for path in folder.iterdir())


def day_of(day: str | date) -> date:
    """A day as a date."""
    try:
        if isinstance(day, datetime):
            return day.date()
        return day if isinstance(day, date) else date.fromisoformat(day)
    except (TypeError, ValueError) as error:
        raise ValueError(f'{day!r} is not a day. Write it as "2026-10-05".') from error


def _loaded_on(roster: Roster) -> date:
    moment = roster.loaded_at
    return (moment.astimezone(UTC) if moment.tzinfo else moment).date()


def _unknown_day(when: date, days: Sequence[date]) -> str:
    nearest = [str(max(before)) for before in [[day for day in days if day < when]] if before]
    nearest += [str(min(after)) for after in [[day for day in days if day > when]] if after]
    return f"{when} is not kept; " + (f"the nearest: {', '.join(nearest)}." if nearest else "no days are kept yet.")


def _report_summary(report: Report | None) -> Checked | None:
    if report is None:
        return None
    counts = report.findings["severity"].value_counts()
    return Checked(report.score, {name: int(counts.get(name, 0)) for name in SEVERITIES})


def _same_types(old: pa.Schema, new: pa.Schema) -> bool:
    """Whether the columns that two tables share have the same types; if not, `compare` compares them as text."""
    types = {field.name: field.type for field in old}
    return all(types.get(field.name, field.type) == field.type for field in new)


def _current_run(found: Sequence[Segment], when: date) -> tuple[list[Day], dict[str, pa.Table]]:
    """The earlier days of the run to which a day belongs, and their versions; nothing if the day begins a new run."""
    days = [day for day in found[-1].days if day.day != when] if found else []
    replaces = bool(found) and len(days) < len(found[-1].days)
    if not days or (not replaces and _is_full(days[-1], found[-1])):
        return [], {}
    versions = {part: found[-1].versions(part) for part in PARTS}
    if replaces:
        versions = {part: without_last_day(table, days[-1].day, when) for part, table in versions.items()}
    return days, versions


def _is_full(last: Day, segment: Segment) -> bool:
    """Whether a run has so many versions that opening its days would take long."""
    return sum(segment.counts().values()) > max(_FEW_VERSIONS, _MAX_VERSIONS_PER_ROW * sum(last.rows.values()))


def _read_table(segment: Segment, kept: Day, part: str) -> pd.DataFrame:
    """A table of a day. Text stays dictionary-encoded until the rows are selected."""
    file = segment.file(part)
    there = pa.array(on_day(file.read([FROM, UNTIL]), kept.day))
    if there.true_count != kept.rows[part]:
        raise ValueError(f"{part} has {there.true_count:,} rows, not {kept.rows[part]:,}")
    columns = {}
    for name, alias in kept.columns[part].items():
        values = file.read([alias]).column(0).filter(there)
        columns[name] = to_series(
            part, name, values.cast(pa.string()) if pa.types.is_dictionary(values.type) else values
        )
    return put_together(part, columns)


def _roster(kept: Day, tables: Mapping[str, pd.DataFrame]) -> Roster:
    return Roster(**tables, source=kept.source, loaded_at=kept.loaded_at, rollups=kept.rollups)


def _neighborhood(segment: Segment, kept: Day, id: str) -> Roster:
    """A roster of one object on a day: the object, its links, and their other ends."""

    def of_day(part: str) -> pa.Table:
        return rows_of(segment.versions(part), kept.day, kept.columns[part])

    links = touching(of_day("links"), id)
    ends = ends_of(links)
    objects = {}
    for table in TABLES:
        rows = of_day(table)
        ids = pa.array(sorted(ends.get(table, set()) | {id}), pa.string())
        objects[table] = to_pandas(table, rows.filter(pc.is_in(rows["id"], ids)))
    return _roster(kept, {**objects, "links": to_pandas("links", links)})


_NEVER_MISSING = ("missing", *COMPARED)
_COUNT_COLUMNS = ["day", *COMPARED, *(f"{part}_{kind}" for part in COMPARED for kind in CHANGED), "score", *SEVERITIES]


def _day_counts(day: Day) -> dict[str, Any]:
    changed = day.changes or {}
    return {
        "day": day.day,
        **{part: day.rows[part] for part in COMPARED},
        **{f"{part}_{kind}": count for part, kinds in changed.items() for kind, count in kinds.items()},
        **({"score": day.checked.score, **day.checked.findings} if day.checked else {}),
    }
